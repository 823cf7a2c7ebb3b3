"""One recording on its way, in as many requests as it takes, and never with bytes of two versions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from attrs import define, field

from ..errors import ApiError, ProtocolError, ResponseLostError, ResponseTooLargeError, VoxloudError
from ..session.call import Call
from ..session.retry import Repetition
from ..wire.message import ByteStream, Request, Response
from .versions import Version


@define(eq=False)
class Download:
    """Read it piece by piece; where the connection breaks, it goes on behind what was read.

    `anew` takes back what was read: where it is given, what cannot be gone on with is begun anew.
    """

    call: Call
    _repetition: Repetition
    _max_bytes: int
    anew: Callable[[], Awaitable[None]] | None = field(default=None, init=False, repr=False)
    received: int = field(default=0, init=False)
    _whole: Request = field(init=False, repr=False)
    _version: Version = field(factory=Version, init=False)
    _stream: ByteStream | None = field(default=None, init=False, repr=False)
    _pieces: AsyncIterator[bytes] | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._whole = self.call.request

    async def read(self) -> bytes | None:
        """The next bytes, or None at the end. Raises the errors of `voxloud_async.errors`."""
        try:
            if self._pieces is None:
                await self._begin(await self._first_answer())
            piece = await self._read_on()
        except VoxloudError as error:
            self.call.stamp(error)
            raise
        if piece is None:
            self._repetition.budget.earn()
        return piece

    async def aclose(self) -> None:
        """Give the connection back: what is still to come is cut off."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()

    async def _first_answer(self) -> Response:
        try:
            return await self._repetition.handler(self.call)
        except VoxloudError as error:
            return await self._repetition.after(error)

    async def _read_on(self) -> bytes | None:
        piece = await self._piece()
        self.received += len(piece or b"")
        if self.received > self._max_bytes:
            await self.aclose()
            raise ResponseTooLargeError(limit=self._max_bytes)
        return piece

    async def _piece(self) -> bytes | None:
        while True:
            try:
                return await self._piece_of_answer()
            except ResponseLostError as lost:
                await self._go_on(lost)

    async def _piece_of_answer(self) -> bytes | None:
        assert self._pieces is not None  # noqa: S101 - an answer has begun
        piece = await anext(self._pieces, None)
        if piece is None and self._version.size not in {None, self.received}:
            raise ResponseLostError("the recording ended too early", phase="body")
        return piece

    async def _go_on(self, lost: ResponseLostError) -> None:
        """Ask for the rest, or for the whole where nothing is to be kept, until one of them comes."""
        await self.aclose()
        while True:
            rest = self._version.rest(self._whole, self.received)
            if rest is None and self.received and self.anew is None:
                raise lost
            self.call.request = rest or self._whole
            answer = await self._further_answer(lost)
            if rest is not None and self._version.goes_on_in(answer, self.received):
                self._read_from(answer)
                return
            if rest is None or _is_whole(answer):
                await self._begin(answer)
                return
            await _close(answer)
            self._version = Version()
            lost = ProtocolError("the rest of the recording cannot be had", phase="body")

    async def _further_answer(self, lost: ResponseLostError) -> Response:
        try:
            return await self._repetition.after(lost)
        except ApiError as error:
            if error.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise
            return Response(status=error.status)

    async def _begin(self, answer: Response) -> None:
        """Read a whole recording, in place of what was read of another version."""
        version = Version.of(answer.headers)
        fault = self._fault(answer, version)
        if fault is not None:
            await _close(answer)
            raise fault
        self._version = version
        self._read_from(answer)
        if self.received and self.anew is not None:
            self.received = 0
            await self.anew()

    def _fault(self, answer: Response, version: Version) -> VoxloudError | None:
        """Why a whole answer cannot be taken."""
        if not _is_whole(answer):
            return ProtocolError(f"the answer is no recording (status {answer.status})", phase="body")
        if answer.headers.get("Content-Type", "").strip().lower().startswith("text/html"):
            return ProtocolError("the answer is no recording but an HTML page", phase="body")
        if version.size is not None and version.size > self._max_bytes:
            return ResponseTooLargeError(limit=self._max_bytes)
        if self.received and self.anew is None:
            return ResponseLostError("the recording changed while it was read, or cannot be had in parts", phase="body")
        return None

    def _read_from(self, answer: Response) -> None:
        assert answer.stream is not None  # noqa: S101 - it was asked for
        self._repetition.met.answered()
        self._stream = answer.stream
        self._pieces = aiter(answer.stream)


def _is_whole(answer: Response) -> bool:
    return answer.status == HTTPStatus.OK


async def _close(answer: Response) -> None:
    if answer.stream is not None:
        await answer.stream.aclose()
