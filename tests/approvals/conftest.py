"""What the tests of the flow have in common."""

import pytest

from tests.builders import approved, make_response


@pytest.fixture
def reply():
    return approved(make_response(draft="Could you pay $50 a week?"))
