"""From what cattrs raised to one place in wire names and one reason that holds no value."""

from __future__ import annotations

from cattrs import BaseValidationError, ClassValidationError, IterableValidationError

FAULTS = (TypeError, ValueError, KeyError, BaseValidationError)
"""What reading a value that does not fit its type may raise."""


class MisplacedError(ValueError):
    """A fault below `path`; `__cause__` is the fault itself."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def locate(error: BaseException) -> tuple[str, str]:
    """The first fault's path (`content[3].duration`) and reason."""
    path = ""
    while True:
        inner, step = _step(error)
        if inner is None:
            return path, _reason(error)
        path += f".{step}" if path and not step.startswith("[") else step
        error = inner


def _step(error: BaseException) -> tuple[BaseException | None, str]:
    if isinstance(error, MisplacedError):
        return error.__cause__, error.path
    if isinstance(error, ClassValidationError):
        member, attribute = error.group_exceptions()[0][0]
        return member, wire_names(error.cl).get(attribute.name, attribute.name)
    if isinstance(error, IterableValidationError):
        item, place = error.group_exceptions()[0][0]
        return item, f"[{place.index}]"
    return None, ""


def wire_names(cls: type) -> dict[str, str]:
    """The wire name of each attribute of a model."""
    return {field.name: field.metadata["wire"] for field in cls.__attrs_attrs__ if "wire" in field.metadata}  # type: ignore[attr-defined]


def _reason(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return "missing"
    return str(error)
