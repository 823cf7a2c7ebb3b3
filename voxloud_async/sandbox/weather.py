"""What goes wrong on the way: latency, hidden limits, maintenance, cut connections, errors. Values only."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal, get_args

from attrs import field, frozen
from attrs.converters import optional as optional_converter
from attrs.validators import ge, in_, optional

from .limits import Limit

Cut = Literal["before_headers", "inside_headers", "inside_body"]
RetryAfter = Literal["none", "seconds", "date"]


@frozen(kw_only=True)
class Fault:
    """One misfortune of one request.

    `status` answers with that status in place of the real answer, `cut` breaks the connection at that place; without
    either, the real answer comes late. `executed` says whether the request was carried out all the same. `delay` is
    seconds before the first byte, `slow_body` seconds over which the body trickles. `retry_after` is sent verbatim.
    """

    status: HTTPStatus | None = field(default=None, converter=optional_converter(HTTPStatus))
    cut: Cut | None = field(default=None, validator=optional(in_(get_args(Cut))))
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
    `record_delay` passes before the record of a connected call can be queried (T18), `search_delay` before a search
    finds a new contact.

    Shares of requests, together at most 1: `cut_before` and `cut_after` break the connection before or after a request
    is carried out, `error_before` and `error_after` answer 500 likewise, `slow_bodies` trickle for `slow_body` seconds.

    `limits` count by API key. A request refused with 429 or 503 is never carried out.
    """

    latency: float = field(default=0.0, validator=ge(0.0))
    jitter: float = field(default=0.0, validator=ge(0.0))
    limits: tuple[Limit, ...] = ()
    retry_after: RetryAfter = field(default="none", validator=in_(get_args(RetryAfter)))
    maintenance: tuple[tuple[float, float], ...] = ()
    maintenance_after: int | None = field(default=None, validator=optional(ge(1)))
    maintenance_length: float = field(default=5.0, validator=ge(0.0))
    cut_before: float = 0.0
    cut_after: float = 0.0
    error_before: float = 0.0
    error_after: float = 0.0
    slow_bodies: float = 0.0
    slow_body: float = field(default=1.0, validator=ge(0.0))
    html_errors: bool = False
    record_delay: float = field(default=0.0, validator=ge(0.0))
    search_delay: float = field(default=0.0, validator=ge(0.0))

    def __attrs_post_init__(self) -> None:
        shares = (self.cut_before, self.cut_after, self.error_before, self.error_after, self.slow_bodies)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("the shares of requests must lie between 0 and 1, and so must their sum")
