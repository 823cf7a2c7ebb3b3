"""What arrived: the server's own record, against which a client's is checked."""

from __future__ import annotations

from attrs import define, field

from .weather import Fault


@define(kw_only=True, eq=False)
class Received:
    """One request. `at` is seconds since the sandbox started; `path` is percent-encoded.

    `status` is None as long as no answer was given, and stays so when the connection was cut. `refused` means turned
    away with 429 or 503, `executed` that it took its normal way, whatever came of it. `body` is kept on demand only.
    `with_key` tells whether it carried a key, be it the right one or not.
    """

    method: str
    path: str
    query: str = field(repr=False)
    at: float
    status: int | None = None
    refused: bool = False
    executed: bool = False
    fault: Fault | None = None
    body: bytes | None = field(default=None, repr=False)
    with_key: bool = False

    def matches(self, method: str | None, path_prefix: str, status: int | None) -> bool:
        """Whether it has this method, this beginning of the path and this status, where given."""
        return method in (None, self.method) and self.path.startswith(path_prefix) and status in (None, self.status)
