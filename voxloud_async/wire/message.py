"""One HTTP request and its answer as plain values whose reprs hide the key and personal data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Protocol, cast
from urllib.parse import urlsplit

from attrs import define, evolve, field

SECRET_HEADERS = frozenset({"voverc-auth", "authorization", "proxy-authorization", "cookie", "set-cookie"})
_HIDDEN = SECRET_HEADERS | {"location"}  # where a redirect leads may repeat what was sent

MAX_BODY = 8 * 1024 * 1024
"""Decoded bytes a whole body may have unless its operation says otherwise."""


class SecretText(str):
    """A text whose repr hides it, also in the locals of an HTTP library that a traceback shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


class PrivateBytes(bytes):
    """Bytes whose repr hides them, for the same reason."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


class Headers(Mapping[str, str]):
    """Header fields in their order, found whatever their case; fields of one name read as one, joined by a comma."""

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        # `tuple` first: to ask whether something is a Mapping takes longer than all the rest
        items = pairs if type(pairs) is tuple or not isinstance(pairs, Mapping) else pairs.items()
        self._pairs = cast("tuple[tuple[str, str], ...]", tuple(items))

    def __getitem__(self, name: str) -> str:
        wanted = name.lower()
        values = [value for key, value in self._pairs if key.lower() == wanted]
        if not values:
            raise KeyError(name)
        return values[0] if len(values) == 1 else ", ".join(values)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key.lower() for key, _ in self._pairs))

    def __len__(self) -> int:
        return len({key.lower() for key, _ in self._pairs})

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in [key.lower() for key, _ in self._pairs]

    def __repr__(self) -> str:
        shown = {key: "***" if key.lower() in _HIDDEN else value for key, value in self._pairs}
        return f"Headers({shown})"

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The fields as sent or received, one by one."""
        return self._pairs

    def with_header(self, name: str, value: str) -> Headers:
        """A copy with this field in place of any of its name."""
        kept = (pair for pair in self._pairs if pair[0].lower() != name.lower())
        return Headers((*kept, (name, value)))


def _private(body: bytes | None) -> PrivateBytes | None:
    return body if body is None or isinstance(body, PrivateBytes) else PrivateBytes(body)


# Not frozen, though nobody changes them: to fill a frozen object takes four times as long, and every call makes three
@define(kw_only=True)
class Request:
    """One request. `url` is absolute and already encoded; transports send it as it stands. A `SecretText` is not shown.

    `fresh_connection` asks for a connection that no earlier request used: on a kept-alive one a server may hang up just
    as the request leaves, and whether it was executed could then never be told.
    """

    method: str
    url: str = field(repr=lambda url: repr(url if isinstance(url, SecretText) else url.partition("?")[0]))
    headers: Headers = field(factory=Headers)
    body: bytes | None = field(default=None, repr=False, converter=_private)
    fresh_connection: bool = False
    stream: bool = False
    max_body: int = MAX_BODY

    @property
    def host(self) -> str:
        """The host, with the port where the URL names one; empty where the URL is none."""
        try:
            return urlsplit(self.url).netloc.rpartition("@")[2]
        except ValueError:
            return ""

    @property
    def scheme(self) -> str:
        """The URL's scheme in lower case, https or http."""
        return self.url.partition(":")[0].lower()

    def with_header(self, name: str, value: str) -> Request:
        """A copy that carries this header."""
        return evolve(self, headers=self.headers.with_header(name, value))


class ByteStream(Protocol):
    """An open body. Iterate it once; `aclose` gives the connection back and may be called at any time, also twice."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None:
        """Give the connection back."""
        ...


@define(kw_only=True)
class Response:
    """One answer: its body whole in `body`, or, where the request asked to stream, open in `stream`."""

    status: int
    headers: Headers = field(factory=Headers)
    body: bytes = field(default=b"", repr=False)
    stream: ByteStream | None = field(default=None, repr=False)
