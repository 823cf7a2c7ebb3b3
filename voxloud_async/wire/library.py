"""What a transport needs of an HTTP library, and the clock and error border round every wait on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import define

from ..errors import VoxloudError
from .failure import Verdict, failure, timed_out

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from ..errors import Phase
    from .deadline import Deadlines
    from .message import Request

T = TypeVar("T")


@define
class Progress:
    """How far the exchange of a request has got. It starts as `send`: what a library does not report counts as sent."""

    request: Request
    phase: Phase = "send"


class Answer(Protocol):
    """An answer whose headers are here and whose body is still to be read."""

    status: int
    headers: Iterable[tuple[str, str]]
    content_encoding: str

    def read(self) -> Awaitable[bytes]:
        """The next bytes of the body as they came; none at its end."""
        ...

    async def aclose(self) -> None:
        """Give the connection back, for further use if the body was read to its end. May be called twice."""
        ...


class Library(Protocol):
    """An HTTP library's connections in one event loop."""

    faults: tuple[type[Exception], ...]
    deadlines: Deadlines

    async def open(self, request: Request, progress: Progress) -> Answer:
        """Send the request once and wait for the headers of its answer; tells `progress` the phases reached."""
        ...

    def verdict(self, error: Exception) -> Verdict:
        """What one of its faults proves."""
        ...


async def bounded(step: Awaitable[T], library: Library, progress: Progress, timeout: float) -> T:  # noqa: ASYNC109 - the contract's clock
    """The result of a step that may take `timeout` seconds; its faults come out as our own errors.

    No frame of the library comes along, not even with a cancellation: its locals hold the URL.
    """
    deadline = library.deadlines.after(timeout)
    try:
        with deadline:
            return await step
    except asyncio.CancelledError as error:
        raise error.with_traceback(None) from None
    except VoxloudError as error:
        lost = error.with_traceback(None)
    except library.faults as error:
        if deadline.expired:
            lost = timed_out(progress.phase, timeout, progress.request.host)
        else:
            lost = failure(error, progress.phase, library.verdict(error), progress.request.host)
    raise lost  # here, and not above: see the module `failure`
