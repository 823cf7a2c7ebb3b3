"""Enums that a new value of the service does not break."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["OpenEnum"]


class OpenEnum(StrEnum):
    """An enum of known values that also takes unknown ones: they survive as themselves, equal to their string.

    A known value is found whatever its case. An unknown one is made anew each time and kept nowhere: compare it with
    `==`, not `is`.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        wanted = value.casefold()
        known = (member for member in cls if member.value.casefold() == wanted)
        return next(known, cls._unknown(value))

    @classmethod
    def _unknown(cls, value: str) -> Self:
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @property
    def is_known(self) -> bool:
        """Whether this version of the library knows the value."""
        return self._name_ in type(self).__members__

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._value_,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self
