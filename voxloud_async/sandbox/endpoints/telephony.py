"""Telephony events (L681)."""

from __future__ import annotations

from collections.abc import Sequence

from ..accept import preferred
from ..context import Context
from ..csv_pages import csv_page
from ..event_log import RowFilter
from ..event_pages import PageRequest, page_request, spring_page, with_ties_turned
from ..event_shapes import row_shape, single_shape
from ..exchange import CSV, JSON, Answer, as_json, bad_request, not_found
from ..quirks import Quirks
from ..times import read_iso
from ..validation import Fields, given_fields, integer, optional_text


def query_events(context: Context) -> Answer:
    """POST /telephony-events: filters in the body, paging in the URL, JSON or CSV."""
    pbx, quirks = context.pbx, context.quirks
    offered = (JSON, CSV) if quirks.csv == "offered" else (JSON,)
    media_type = preferred(context.call.headers.get("accept", ""), offered)
    page = page_request(context.call.query, quirks)
    ids = _selected(context)
    rows = [row_shape(pbx.events[each], quirks) for each in _page_of(ids, page, context)]
    return csv_page(rows, quirks) if media_type == CSV else as_json(spring_page(rows, page, len(ids), quirks))


def get_event(context: Context) -> Answer:
    """GET /telephony-events/{id}."""
    pbx = context.pbx
    event_id = integer(context.id, "id")
    pbx.catch_up()
    if event_id not in pbx.events:
        raise not_found("telephony event")
    return as_json(single_shape(pbx.events[event_id], context.quirks, pbx.directory))


def find_events(context: Context) -> Answer:
    """GET /telephony-events?callId= (T3)."""
    pbx, quirks = context.pbx, context.quirks
    call_id = context.call.query.get("callId")
    if not call_id:
        raise bad_request("callId is required")
    pbx.catch_up()
    rows = [pbx.events[each] for each in pbx.events.of_call(call_id)]
    shapes = [single_shape(row, quirks, pbx.directory) for row in rows]
    if quirks.found_by_call_id == "page":
        return as_json(spring_page(shapes, PageRequest(), len(shapes), quirks))
    if quirks.found_by_call_id == "list":
        return as_json(shapes)
    return as_json(shapes[-1]) if shapes else _nothing_found(quirks)


def _nothing_found(quirks: Quirks) -> Answer:
    if quirks.unknown_call_id == "not_found":
        raise not_found("telephony event")
    return as_json(None if quirks.unknown_call_id == "null" else [])


def _selected(context: Context) -> Sequence[int]:
    pbx, quirks = context.pbx, context.quirks
    fields = given_fields(context.call, quirks)
    start, end = _moment(fields, "date_time_from"), _moment(fields, "date_time_to")
    if end is not None and quirks.interval == "closed":
        end += 1
    pbx.catch_up()
    return pbx.events.select(start=start, end=end, only=_filter(optional_text(fields, "number"), quirks))


def _filter(number: str | None, quirks: Quirks) -> RowFilter:
    return RowFilter(
        number=number or None,
        suffix=quirks.number_match == "suffix",
        originator=quirks.number_legs != "destination",
        destination=quirks.number_legs != "originator",
        without="CLICK_TO_CALL" if quirks.click_to_call_rows == "hidden" else None,
    )


def _page_of(ids: Sequence[int], page: PageRequest, context: Context) -> Sequence[int]:
    pbx = context.pbx
    pbx.queries += 1
    if context.quirks.tie_order == "unstable" and pbx.queries % 2 == 0:
        return with_ties_turned(ids, page, pbx.events.moment)
    return page.of(ids)


def _moment(fields: Fields, name: str) -> int | None:
    text = optional_text(fields, name)
    if text is None:
        return None
    moment = read_iso(text)
    if moment is None:
        raise bad_request(f"{name} must be an ISO 8601 date and time with a timezone")
    return moment
