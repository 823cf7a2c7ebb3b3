"""One thread that owns a SQLite connection and joins what waits for it into one transaction."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

from attrs import define, field

from .protocol import InboxError, InboxFullError
from .sqlite_file import begin_to_write

T = TypeVar("T")

Connect = Callable[[], sqlite3.Connection]
Work = Callable[[sqlite3.Connection], T]

MOST_JOINED = 500
"""Calls in one transaction at the most, so that the first of them need not wait long for the last."""


@define(eq=False)
class _Job:
    work: Work[Any]
    writes: bool
    future: Future[Any] = field(factory=Future)


class Writer:
    """Runs work on a connection in a thread of its own, which starts with the first of it.

    Whatever has gathered while one transaction was committed goes into the next: a commit waits for the disk, and a
    hundred calls wait no longer than one. A call that is cancelled while it waits is left out; one that has begun runs
    to its end. Work raises InboxFullError before it writes anything; any other fault undoes the whole transaction.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = threading.Lock()  # nothing may follow the None that ends the queue
        self._thread: threading.Thread | None = None
        self._process = 0
        self._closed = False
        self._connection: sqlite3.Connection | None = None

    async def run(self, work: Work[T], *, writes: bool = True) -> T:
        """Do some work in a transaction and return its result once that is committed. Raises InboxError."""
        job = _Job(work, writes)
        self._submit(job)
        result: T = await asyncio.wrap_future(job.future)
        return result

    async def aclose(self) -> None:
        """Finish what was asked for and close the connection."""
        thread = self._end()
        if thread is not None and self._process == os.getpid():
            await asyncio.to_thread(thread.join)

    def _submit(self, job: _Job) -> None:
        with self._lock:
            if self._closed:
                raise InboxError("the inbox is closed")
            if self._thread is None:
                self._process = os.getpid()
                self._thread = threading.Thread(target=self._serve, name="voxloud-inbox", daemon=True)
                self._thread.start()
            elif self._process != os.getpid():
                raise InboxError("the inbox was used before this process was forked: open one per process")
            self._jobs.put(job)

    def _end(self) -> threading.Thread | None:
        with self._lock:
            if not self._closed and self._thread is not None:
                self._jobs.put(None)
            self._closed = True
            return self._thread

    def _serve(self) -> None:
        more = True
        while more:
            jobs, more = self._gather()
            self._together([job for job in jobs if job.future.set_running_or_notify_cancel()])
        self._disconnect()

    def _gather(self) -> tuple[list[_Job], bool]:
        """What waits, at least one, and whether more may come."""
        jobs: list[_Job] = []
        while len(jobs) < MOST_JOINED and not (jobs and self._jobs.empty()):
            job = self._jobs.get()
            if job is None:
                return jobs, False
            jobs.append(job)
        return jobs, True

    def _together(self, jobs: Sequence[_Job]) -> None:
        if not jobs:
            return
        try:
            outcomes = self._transact(jobs)
        except Exception as error:  # noqa: BLE001 - it is the callers', and the thread has others to serve
            self._disconnect()  # which undoes the transaction, whatever state it is in
            for job in jobs:
                job.future.set_exception(_told(error))
            return
        for job, outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, InboxFullError):
                job.future.set_exception(outcome)
            else:
                job.future.set_result(outcome)

    def _transact(self, jobs: Sequence[_Job]) -> list[Any]:
        if self._connection is None:
            self._connection = self._connect()
        # to begin as a reader and write later would fail where another process wrote in between
        if any(job.writes for job in jobs):
            begin_to_write(self._connection)
        else:
            self._connection.execute("BEGIN")
        outcomes = [_outcome(job, self._connection) for job in jobs]
        self._connection.execute("COMMIT")
        return outcomes

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _outcome(job: _Job, connection: sqlite3.Connection) -> Any:
    try:
        return job.work(connection)
    except InboxFullError as error:
        return error


def _told(error: Exception) -> Exception:
    """An error for one caller: an exception that several tasks raise would gather the tracebacks of all."""
    if not isinstance(error, sqlite3.Error | OSError | InboxError):
        return error
    text = str(error) if isinstance(error, InboxError) else f"the inbox cannot be used: {error}"
    told = InboxError(text)
    told.__cause__ = error
    return told
