"""A service in memory whose lists behave oddly in one of many ways, as a transport for `VoxloudClient`.

`Odd` says how. Everything is drawn from its seed. `Service.always` are the keys of the rows that are there throughout;
`Service.asked` counts requests, and more of them than `most_requests` end the test.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field

from voxloud_async.testing import answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from voxloud_async.wire.message import Request, Response

START = datetime(2026, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
ROME, UTC_TOO = timezone(timedelta(hours=1)), timezone(timedelta(hours=2))

Row = dict[str, Any]


@define(kw_only=True)
class Odd:
    """How a service behaves. What is not set is as documented."""

    seed: int = 0
    rows: int = 300
    moments: int = 1_000_000
    """The rows' times lie within so many milliseconds."""
    inserts: int = 0
    deletes: int = 0
    quiet_after: int = 150
    """Nothing is inserted or deleted after so many responses."""

    # The rows
    ties: int = 0
    """So many more rows of one moment."""
    tie_order: str = "by id"  # or reversed, random: it then changes from request to request
    timeless: int = 0
    timeless_at: str = "start"  # or end, amid
    timeless_in_interval: bool = False
    times: str = "iso"  # or milliseconds, offsets, first year, last year, empty, local
    ids: str = "numbers"  # or texts, none, per type, twice
    misfits: int = 0
    """Every so manieth row has a text where a number belongs."""

    # Their order
    order: str = "time"  # or id, text, nearly, opposite, moving, random

    # Intervals
    bounds: str = "closed"  # or open, ignored, from ignored, second, day, rounded up, hour late
    # Pages
    cap: int = 2000
    over_cap: str = "fewer"  # or 400, fewer and not told
    deepest: int = 10**9
    """Rows beyond which a page is refused with 400."""
    first_page: int = 0
    numbers: str = "told"  # or absent, shifted
    last: str = "told"  # or absent, never, always
    total: str = "told"  # or absent, 0, too large, too small
    envelope: str = "spring"  # or bare, data
    hidden: int = 0
    """Every so manieth row is left out of the pages, but not of their positions."""
    extra_row: bool = False
    """Pages have a row more than was asked for."""
    ignores: str = ""  # size, page, both
    glitch: str = ""  # empty, repeated, stale: one response in seven
    lag: int = 0
    """A response shows the rows as they were up to so many changes ago."""


@define
class Service:
    odd: Odd
    most_requests: int = 4_000
    asked: int = 0
    largest: int = 0
    """The most rows that a request has asked for."""
    always: set[str] = field(factory=set)
    _rows: list[Row] = field(factory=list)
    _chance: Random = field(init=False)
    _next: int = 0
    _history: list[list[Row]] = field(factory=list)
    _before: Any = None

    def __attrs_post_init__(self) -> None:
        odd = self.odd
        self._chance = Random(odd.seed)
        moments = [START + self._chance.randrange(odd.moments) * MILLISECOND for _ in range(odd.rows)]
        moments += [START + odd.moments // 2 * MILLISECOND] * odd.ties
        for at in sorted(moments) if odd.order == "nearly" else moments:
            self._insert(at)
        for _ in range(odd.timeless):
            self._insert(None)
        if odd.ids == "twice":
            self._rows += [dict(row) for row in self._rows[:20]]
        # A list with rows that have no time amid the others is in no order that an interval could be cut from.
        self.always = {_key(row) for row in self._rows if row["at"] or odd.timeless_at != "amid"}
        self._history.append([*self._rows])

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ARG002, ASYNC109 - the contract
        for _ in range(self._chance.randrange(4)):
            await asyncio.sleep(0)
        self._move()
        self.asked += 1
        assert self.asked <= self.most_requests, "asked without end"
        query = dict(parse_qsl(urlsplit(request.url).query))
        if "/contacts" in request.url:
            return self._contacts(query)
        return self._events(query, json.loads(request.body or b"{}"))

    async def aclose(self) -> None: ...

    def _events(self, query: dict[str, str], body: dict[str, str]) -> Response:
        odd, size = self.odd, int(query.get("size", "20"))
        self.largest = max(self.largest, size)
        if size > odd.cap and odd.over_cap == "400":
            return answer({"message": "size is too large"}, status=400)
        size = 20 if odd.ignores in {"size", "both"} else min(size, odd.cap)
        index = (
            0 if odd.ignores in {"page", "both"} else max(0, int(query.get("page", odd.first_page)) - odd.first_page)
        )
        if index * size > odd.deepest:
            return answer({"message": "page is too deep"}, status=400)
        rows = self._ordered(self._within(self._snapshot(), body), descending=query.get("sort", "").endswith("desc"))
        items = [row for place, row in enumerate(rows) if index * size <= place < (index + 1) * size + odd.extra_row]
        if odd.hidden:
            items = [row for row in items if row["n"] % odd.hidden]
        return answer(self._glitch(self._envelope(items, size, index, len(rows))))

    def _envelope(self, items: list[Row], size: int, index: int, total: int) -> Any:
        odd, content = self.odd, [self._written(row) for row in items]
        if odd.envelope == "bare":
            return content
        is_last = {"always": True, "never": False}.get(odd.last, (index + 1) * size >= total)
        if odd.envelope == "data":
            return {"data": content, "has_next": not is_last}
        page: Row = {"content": content, "size": size, "last": is_last, "number": index + odd.first_page}
        page["totalElements"] = {"0": 0, "too large": total + 50, "too small": total // 2}.get(odd.total, total)
        page["number"] += odd.numbers == "shifted"
        untold = {
            "last": odd.last == "absent",
            "number": odd.numbers == "absent",
            "totalElements": odd.total == "absent",
        }
        untold["size"] = odd.over_cap == "fewer and not told"
        return {name: value for name, value in page.items() if not untold.get(name, False)}

    def _contacts(self, query: dict[str, str]) -> Response:
        odd, size = self.odd, int(query.get("limit", "100"))
        self.largest = max(self.largest, size)
        size = 20 if odd.ignores in {"size", "both"} else min(size, odd.cap)
        start = 0 if odd.ignores in {"page", "both"} else int(query.get("offset", "0"))
        rows = self._snapshot()
        if odd.order == "random":
            rows = self._chance.sample(rows, len(rows))
        elif odd.order == "opposite":
            rows = rows[::-1]
        items = [row for row in rows[start : start + size] if not odd.hidden or row["n"] % odd.hidden]
        content = [{"id": _key(row), "first_name": "Ada"} for row in items]
        if odd.envelope == "bare":
            return answer(content)
        has_next = {"always": False, "never": True}.get(odd.last, start + size < len(rows))
        page: Any = {"data": content} if odd.last == "absent" else {"data": content, "has_next": has_next}
        return answer(self._glitch(page))

    def _glitch(self, page: Any) -> Any:
        is_odd = self.odd.glitch and self.asked > 1 and self._chance.random() < 1 / 7
        before, self._before = self._before, page
        if not is_odd or before is None:
            return page
        if self.odd.glitch == "repeated":
            return before
        name = "content" if "content" in page else "data"
        return {**page, name: []}

    # The rows and what becomes of them

    def _insert(self, at: datetime | None) -> None:
        self._next += 1
        row: Row = {"n": self._next, "at": at}
        place = self._chance.randint(0, len(self._rows)) if self._history else len(self._rows)
        self._rows.insert(place, row)

    def _move(self) -> None:
        odd = self.odd
        if self.asked > odd.quiet_after or not (odd.inserts or odd.deletes or odd.order == "moving"):
            return
        for _ in range(self._chance.randint(0, odd.inserts)):
            self._insert(START + self._chance.randrange(odd.moments) * MILLISECOND)
        for _ in range(self._chance.randint(0, odd.deletes)):
            if self._rows:
                self.always.discard(_key(self._rows.pop(self._chance.randrange(len(self._rows)))))
        self._history = [*self._history[-9:], [*self._rows]]

    def _snapshot(self) -> list[Row]:
        return self._chance.choice(self._history[-self.odd.lag - 1 :]) if self.odd.lag else self._history[-1]

    def _within(self, rows: list[Row], body: dict[str, str]) -> list[Row]:
        odd = self.odd
        since, until = (self._bound(body.get(name)) for name in ("date_time_from", "date_time_to"))
        if odd.bounds in {"ignored", "from ignored"}:
            since, until = None, None if odd.bounds == "ignored" else until

        def is_in(at: datetime | None) -> bool:
            if at is None:
                return odd.timeless_in_interval or since is None is until
            if odd.bounds == "open":
                return (since is None or since < at) and (until is None or at < until)
            return (since is None or since <= at) and (until is None or at <= until)

        return [row for row in rows if is_in(row["at"])]

    def _bound(self, text: str | None) -> datetime | None:
        if text is None:
            return None
        at = datetime.fromisoformat(text)
        if self.odd.bounds == "hour late":
            return at + timedelta(hours=1)
        step = {"second": 1_000, "day": 86_400_000, "rounded up": 1_000}.get(self.odd.bounds)
        if step is None:
            return at
        count, rest = divmod((at - START) // MILLISECOND, step)
        return START + (count + (self.odd.bounds == "rounded up" and rest > 0)) * step * MILLISECOND

    def _ordered(self, rows: list[Row], *, descending: bool) -> list[Row]:
        odd = self.odd
        sign = -1 if descending is (odd.order != "opposite") else 1
        tie: Callable[[Row], Any] = {
            "by id": lambda row: row["n"],
            "reversed": lambda row: row["n"] * (-1) ** self.asked,
            "random": lambda _: self._chance.random(),
        }[odd.tie_order]

        def place(row: Row) -> Any:
            if row["at"] is None and odd.timeless_at != "amid":
                return (0 if odd.timeless_at == "start" else 2, 0, tie(row))
            return (1, sign * ((row["at"] or START + odd.moments // 2 * MILLISECOND) - START) // MILLISECOND, tie(row))

        if odd.order == "id":
            return sorted(rows, key=lambda row: sign * row["n"])
        if odd.order == "text":
            return sorted(rows, key=lambda row: self._written(row)["timestamp"], reverse=descending)
        ordered = sorted(rows, key=place)
        if odd.order == "nearly":  # some were moved from their places
            for each in [row for row in ordered if row["n"] % 60 == 0]:
                here = ordered.index(each)
                ordered.insert(min(len(ordered) - 1, here + 40), ordered.pop(here))
        return ordered

    def _written(self, row: Row) -> Any:
        odd, number, kind = self.odd, row["n"], "PHONE_CALL"
        if odd.ids == "per type":
            kind, number = ("PHONE_CALL", "CLICK_TO_CALL")[number % 2], number // 2 + 1
        identifier: Any = {"texts": f"r{number}", "none": None}.get(odd.ids, number)
        written = {"id": identifier, "type": kind, "timestamp": self._time(row), "callId": _key(row)}
        if identifier is None:
            del written["id"]
        if odd.misfits and row["n"] % odd.misfits == 0:
            written["duration"] = "71"
        return written

    def _time(self, row: Row) -> Any:
        at, times = row["at"], self.odd.times
        if at is None:
            return None
        if times == "milliseconds":
            return (at - datetime(1970, 1, 1, tzinfo=UTC)) // MILLISECOND
        if times == "first year" and row["n"] % 9 == 0:
            return "0001-01-01T00:00:00.000+01:00"
        if times == "offsets":
            at = at.astimezone(ROME if row["n"] % 3 else UTC_TOO)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def _key(row: Row) -> str:
    return f"c{row['n']}"
