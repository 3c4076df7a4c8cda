"""A column of a list, with its types: the theme's decorator has none."""

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from unfold.decorators import display

Column = TypeVar("Column", bound=Callable[..., object])


def column(
    description: str, *, ordering: str | None = None, label: Mapping[str, str] | None = None
) -> Callable[[Column], Column]:
    """`label` colours the values: the method then returns the key of a colour and the words to show."""
    decorate = display(description=description, ordering=ordering, label=dict(label) if label else None)
    return cast(Callable[[Column], Column], decorate)
