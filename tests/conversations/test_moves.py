"""What every row that is moved and claimed keeps to."""

import pytest
from django.apps import apps
from django.db.models import CheckConstraint

from conversations.moves import Leased

CLAIMED = [model for model in apps.get_models() if issubclass(model, Leased)]


@pytest.mark.parametrize("model", CLAIMED, ids=lambda model: model.__name__)
def test_the_database_knows_no_claim_without_an_end(model: type[Leased]) -> None:
    names = [one.name for one in model._meta.constraints if isinstance(one, CheckConstraint)]
    assert [name for name in names if name.endswith("_has_a_lease")]
