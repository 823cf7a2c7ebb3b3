"""An internal number, whichever way an endpoint writes it."""

from __future__ import annotations

from typing import Any, NoReturn, Self

from ..errors import ArgumentTypeError

__all__ = ["Extension"]


class Extension(str):
    """An internal number as text. The API writes it as a number for users, as a string for click-to-call (anomaly U3).

    It is a `str`: it equals its text, and has its hash and its order. Both spellings of the API are equal:
    `Extension(101) == Extension("101") == "101"`. It does not equal the number 101, which cannot equal the text "101":
    write `int(extension)`, or give the number to `Extension`. Leading zeros count: `Extension("0101") != "101"`.

    Raises:
        TypeError: the value is neither str nor int.
    """

    __slots__ = ("raw",)

    raw: str | int
    """The value as the service wrote it."""

    def __new__(cls, raw: str | int) -> Self:
        """Make one of its text or its number."""
        if isinstance(raw, bool) or not isinstance(raw, str | int):
            raise ArgumentTypeError("raw", f"must be a str or an int, not {type(raw).__name__}")
        made = super().__new__(cls, raw)
        # `Extension` of an `Extension` is the same one
        object.__setattr__(made, "raw", raw.raw if isinstance(raw, Extension) else raw)
        return made

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an Extension cannot be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"an Extension cannot be changed: {name}")

    def __repr__(self) -> str:
        return f"Extension({self.raw!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.raw,)
