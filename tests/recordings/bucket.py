"""A bucket on loopback: one recording with a strong tag and ranges, and what goes wrong with the next requests."""

from __future__ import annotations

import re
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from tests.wire.raw_server import reply, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.wire.raw_server import Conversation, RawServer

BODY = bytes(range(256)) * 400
NEW_BODY = bytes(reversed(BODY)) + b"new"

TARGET = "/213/call_recordings/call_recording_1734bfbb.mp3?X-Amz-Signature=5ecre7"
SECRETS = ("call_recording", "1734bfbb", "5ecre7", "X-Amz")


@define
class Cut:
    """The answer, or this one, breaks off after so many bytes of its body; None: before its head."""

    after: int | None
    reset: bool = False
    answer: bytes | None = None


@define(eq=False)
class Bucket:
    server: RawServer = field(init=False)
    body: bytes = BODY
    headers: tuple[str, ...] = ('ETag: "v1"',)
    faults: deque[bytes | Cut] = field(factory=deque)
    hanging: bool = False
    """Whether answers stop after half of the body."""

    @property
    def url(self) -> str:
        return self.server.url(TARGET)

    @property
    def asked(self) -> int:
        return len(self.server.requests)

    def ranges(self) -> list[str | None]:
        """What each request wanted."""
        return [header("Range", request) for request in self.server.requests]

    def replace(self, body: bytes = NEW_BODY, tag: str = '"v2"') -> None:
        """Another version."""
        self.body, self.headers = body, (f"ETag: {tag}",)

    async def script(self, conversation: Conversation) -> None:
        while request := await conversation.hear():
            fault = self.faults.popleft() if self.faults else None
            answer = fault if isinstance(fault, bytes) else self.answer(request)
            if self.hanging:
                await conversation.say(answer[: -len(self.body) // 2])
                await conversation.hold()
            elif isinstance(fault, Cut):
                await self.cut(conversation, fault, fault.answer or answer)
                return
            else:
                await conversation.say(answer)

    async def cut(self, conversation: Conversation, fault: Cut, answer: bytes) -> None:
        head = answer.index(b"\r\n\r\n") + 4
        await conversation.say(b"" if fault.after is None else answer[: head + fault.after])
        if fault.reset:
            conversation.reset()

    def answer(self, request: bytes) -> bytes:
        wanted = re.fullmatch(r"bytes=(\d+)-", header("Range", request) or "")
        if wanted is None or f"ETag: {header('If-Range', request)}" not in self.headers:
            return reply(self.body, headers=self.headers)
        return self.part(int(wanted[1]))

    def part(self, start: int, end: int | None = None, **other: str) -> bytes:
        """The answer with these bytes."""
        last = (len(self.body) if end is None else end) - 1
        headers = [f"Content-Range: bytes {start}-{last}/{len(self.body)}", *self.headers]
        headers += [f"{name.replace('_', '-')}: {value}" for name, value in other.items()]
        return reply(self.body[start : last + 1], status="206 Partial Content", headers=tuple(headers))


def made(folder: Path) -> list[str]:
    """The names of what is there."""
    return sorted(each.name for each in folder.iterdir())


def header(name: str, request: bytes) -> str | None:
    found = re.search(rf"\r\n{name}: ([^\r]*)", request.decode("latin-1"), re.IGNORECASE)
    return found and found[1]


@asynccontextmanager
async def serving_bucket(bucket: Bucket) -> AsyncIterator[Bucket]:
    async with serving(bucket.script) as server:
        bucket.server = server
        yield bucket
