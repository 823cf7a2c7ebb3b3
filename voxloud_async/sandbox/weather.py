"""What goes wrong on the way: latency, hidden limits, maintenance, cut connections, errors. Values only."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import and_, ge, le

from .limits import Limit

Cut = Literal["before_headers", "inside_headers", "inside_body"]
RetryAfter = Literal["none", "seconds", "date"]

_share = and_(ge(0.0), le(1.0))


@frozen(kw_only=True)
class Fault:
    """One misfortune of one request.

    `status` answers with that status in place of the real answer; `cut` breaks the connection at that place; without
    either, the real answer comes late. `executed` says whether the request was carried out all the same. `delay` is
    seconds before the first byte, `slow_body` seconds over which the body trickles. `retry_after` is sent verbatim.
    """

    status: int | None = None
    cut: Cut | None = None
    executed: bool = False
    delay: float = field(default=0.0, validator=ge(0.0))
    slow_body: float = field(default=0.0, validator=ge(0.0))
    html: bool = False
    retry_after: str | None = None

    @property
    def carries_out(self) -> bool:
        """Whether the request takes effect."""
        return self.executed or (self.status is None and self.cut is None)


@frozen(kw_only=True)
class Weather:
    """The conditions of a run; the same seed brings the same misfortunes in the same order of requests.

    Seconds: `latency` before each answer plus up to `jitter`; `maintenance` lists (start, length) since the sandbox
    started; `maintenance_length` is the window that opens after `maintenance_after` requests were carried out;
    `record_delay` passes before the record of a connected call can be queried (T18).

    Shares of requests, 0 to 1: `cut_before` and `cut_after` break the connection before or after carrying out the request,
    `error_before` and `error_after` answer 500 likewise, `slow_bodies` let the body trickle for `slow_body` seconds.

    `limits` count by API key. A request refused with 429 or 503 is never carried out.
    """

    latency: float = field(default=0.0, validator=ge(0.0))
    jitter: float = field(default=0.0, validator=ge(0.0))
    limits: tuple[Limit, ...] = ()
    retry_after: RetryAfter = "none"
    maintenance: tuple[tuple[float, float], ...] = ()
    maintenance_after: int | None = None
    maintenance_length: float = field(default=5.0, validator=ge(0.0))
    cut_before: float = field(default=0.0, validator=_share)
    cut_after: float = field(default=0.0, validator=_share)
    error_before: float = field(default=0.0, validator=_share)
    error_after: float = field(default=0.0, validator=_share)
    slow_bodies: float = field(default=0.0, validator=_share)
    slow_body: float = field(default=1.0, validator=ge(0.0))
    html_errors: bool = False
    record_delay: float = field(default=0.0, validator=ge(0.0))
