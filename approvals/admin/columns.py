"""Columns and filters of the lists, in words."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.utils.text import capfirst
from unfold.decorators import display

from approvals.templatetags.console import language, words

Column = TypeVar("Column", bound=Callable[..., object])


def column(
    description: str, *, ordering: str | None = None, label: Mapping[str, str] | None = None
) -> Callable[[Column], Column]:
    """The theme's decorator, with its types.

    `label` colours the values: the method then returns the key of a colour and the words to show.
    """
    decorate = display(description=description, ordering=ordering, label=dict(label) if label else None)
    return cast(Callable[[Column], Column], decorate)


class InWords(admin.AllValuesFieldListFilter):
    """A filter over the codes of a column, as people say them."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "All"}
        for choice in others:
            yield {**choice, "display": capfirst(self.said(str(choice["display"])))}

    def said(self, code: str) -> str:
        return words(code)


class ByLanguage(InWords):
    def said(self, code: str) -> str:
        return language(code)
