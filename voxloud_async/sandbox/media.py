"""The bucket in which recordings, voicemails and faxes lie, as S3 has it: no key, strong tags, ranges."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from http import HTTPStatus

from attrs import frozen

from .exchange import Answer, Call, RefusalError, not_found
from .pbx import Pbx
from .town.recordings import fax_document, fax_pages
from .town.sheets import PDF, sheets
from .town.sound import MP3, silence

MEDIA = "/media"
"""The path under which it lies; no path of the API begins so."""

_CALL = re.compile(r"/call_recordings/(?:call_recording|vm)_([^/]+)\.mp3$")
_FAX = re.compile(r"/fax_([0-9]{1,18})\.pdf$", re.ASCII)
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))", re.ASCII)


@frozen
class _Thing:
    body: bytes
    content_type: str

    @property
    def tag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


def media(call: Call, pbx: Pbx) -> Answer:
    """What lies at a path, or a part of it; 404 for all that no record tells of."""
    if call.method not in {"GET", "HEAD"}:
        raise RefusalError(HTTPStatus.METHOD_NOT_ALLOWED, "only GET and HEAD are supported", {"Allow": "GET, HEAD"})
    url = pbx.directory.media_url() + call.path.removeprefix(MEDIA)
    pbx.catch_up()
    thing = next(_things(url, pbx), None)
    if thing is None:
        raise not_found("recording")
    headers = {"ETag": thing.tag, "Accept-Ranges": "bytes"}
    wanted = _RANGE.fullmatch(call.headers.get("range", ""))
    if wanted is None or call.headers.get("if-range", thing.tag) != thing.tag:
        return Answer(HTTPStatus.OK, thing.body, thing.content_type, headers)
    return _part(thing, wanted, headers)


def _part(thing: _Thing, wanted: re.Match[str], headers: dict[str, str]) -> Answer:
    """RFC 9110, section 14."""
    size = len(thing.body)
    first, last, suffix = wanted.groups()
    start = int(first) if first is not None else max(0, size - int(suffix))
    end = min(size, int(last) + 1 if last is not None else size)
    if start >= end:
        headers["Content-Range"] = f"bytes */{size}"
        raise RefusalError(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "there are no such bytes", headers)
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return Answer(HTTPStatus.PARTIAL_CONTENT, thing.body[start:end], thing.content_type, headers)


def _things(url: str, pbx: Pbx) -> Iterator[_Thing]:
    """What the records say lies there."""
    call, fax = _CALL.search(url), _FAX.search(url)
    for event_id in pbx.events.of_call(call[1]) if call else ():
        row = pbx.events[event_id]
        if url in (row.get("recordingUrl"), row.get("voicemail_url")):
            yield _Thing(silence(url.rpartition("/")[2], row["duration"]), MP3)
    if fax and int(fax[1]) in pbx.events:
        row = pbx.events[int(fax[1])]
        if row["type"] == "FAX_CALL" and url == fax_document(row["id"], pbx.directory):
            yield _Thing(sheets(f"Fax {row['id']}", fax_pages(row["duration"])), PDF)
