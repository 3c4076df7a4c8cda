"""The kinds of tasks: every module in this folder that defines a `TaskType` is one, without any list of them."""

import importlib
import pkgutil
from functools import cache
from inspect import isabstract

from calls.task_types.base import TaskType

_added: dict[str, TaskType] = {}


@cache
def _found() -> dict[str, TaskType]:
    """An instance of each kind in this folder, in the order of the files' names, telephone calls first."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    # mypy knows only the abstract class: what is found beneath it is not.
    kinds = [kind() for kind in _kinds(TaskType) if kind.__module__.startswith(f"{__name__}.")]  # type: ignore[type-abstract]
    return {kind.code: kind for kind in sorted(kinds, key=lambda kind: (not kind.takes_a_line, kind.code))}


def _kinds(parent: type[TaskType]) -> list[type[TaskType]]:
    below = [found for kind in parent.__subclasses__() for found in (kind, *_kinds(kind))]
    return [kind for kind in below if not isabstract(kind)]


def all_types() -> tuple[TaskType, ...]:
    """Every kind of task there is."""
    return (*_found().values(), *_added.values())


def known_types() -> list[str]:
    """The codes of all kinds: a task of another kind rests until its file is back."""
    return [kind.code for kind in all_types()]


def type_of(code: str) -> TaskType:
    """The kind with this code; raises KeyError when its file is gone."""
    return _added.get(code) or _found()[code]


def add(kind: TaskType) -> None:
    """Adds a kind that lives outside this folder, such as one of another package."""
    _added[kind.code] = kind


def remove(code: str) -> None:
    """Takes an added kind away again."""
    _added.pop(code, None)
