"""Calls as they change, out of events as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack, aclosing

from .book import CallBook, Event
from .model import Call


async def calls(source: AsyncIterable[Event], book: CallBook | None = None) -> AsyncIterator[Call]:
    """Yield each call whenever it has changed, folded into `book` or into one of its own.

    A source with an attribute `received`, as that of `WebhookReceiver.events()`, says which records are verified.
    It closes a generator that it is given, so that one `aclose` ends both.
    """
    book = CallBook() if book is None else book
    async with AsyncExitStack() as stack:
        if isinstance(source, AsyncGenerator):
            await stack.enter_async_context(aclosing(source))
        async for event in source:
            received = getattr(source, "received", None)
            call = book.fold(event, verified=received is not None and received.verified)
            if call is not None:
                yield call
