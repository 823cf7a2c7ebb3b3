"""From the bytes of a file to its text: which encoding it has, and lines whatever their ends."""

from __future__ import annotations

import codecs
import io
import re
from typing import IO, BinaryIO, cast

from ..errors import InvalidArgumentError
from ..protocol import arguments

_CHUNK = 1 << 20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LONGEST_MARK = 4
_UNDECODED = re.compile("[\udc80-\udcff]")
_BEYOND_ASCII = re.compile("[^\x00-\x7f\udc80-\udcff]")


def open_text(file: BinaryIO, encoding: str | None) -> tuple[io.TextIOWrapper, str]:
    """The text of a file from where it is, and the name of its encoding; lines end at CRLF, LF or CR.

    What cannot be decoded becomes lone surrogates, so that it spoils its own row and not the file.

    Raises:
        ValueError: there is no such encoding, or it has to be named.
    """
    start = file.tell()
    chosen = found_encoding(file) if encoding is None else _named(encoding, file.read(_LONGEST_MARK))
    file.seek(start)
    return io.TextIOWrapper(cast("IO[bytes]", file), chosen, errors=_MARKED, newline=""), chosen


def found_encoding(file: BinaryIO) -> str:
    """The encoding of a file: what its byte order mark says, else UTF-16, UTF-8 or cp1252, whichever it can be.

    A file that is UTF-8 but for some bytes counts as UTF-8: read as cp1252, all its other names would be garbled.

    Raises:
        ValueError: it may be one of several.
    """
    start = file.read(_CHUNK)
    for mark, name in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return name
    if b"\0" in start[:2]:  # a header begins with a letter of ASCII
        return "utf-16-be" if start.startswith(b"\0") else "utf-16-le"
    return _eight_bit(file, start)


def _eight_bit(file: BinaryIO, chunk: bytes) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    is_broken = has_letters = has_feeds = False
    while chunk:
        text = decoder.decode(chunk)
        is_broken = is_broken or _UNDECODED.search(text) is not None
        has_letters = has_letters or _BEYOND_ASCII.search(text) is not None
        has_feeds = has_feeds or "\n" in text
        chunk = file.read(_CHUNK)
    is_broken = is_broken or bool(decoder.getstate()[0])
    if not is_broken or has_letters:
        return "utf-8-sig"
    if has_feeds:
        return "cp1252"
    reason = "must be given: the file is not UTF-8, and its line ends are those of a Mac, which has mac_roman or cp1252"
    raise InvalidArgumentError("encoding", reason)


def _named(encoding: str, start: bytes) -> str:
    """The encoding of this name, with a byte order mark where the file begins with one."""
    arguments.text("encoding", encoding)
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except (LookupError, ValueError):
        raise InvalidArgumentError("encoding", "must be an encoding of text, such as cp1252 or utf-16") from None
    for mark, marked in _BYTE_ORDER_MARKS:
        if start.startswith(mark) and name.startswith(marked.removesuffix("-sig")):
            return marked
    if name == "utf-16":  # which Python reads with a mark alone
        return "utf-16-be" if start.startswith(b"\0") else "utf-16-le"
    return {"utf-8": "utf-8-sig", "utf-32": "utf-32-le"}.get(name, name)


def _marked(error: UnicodeError) -> tuple[str, int]:
    """Decode bytes as surrogates, as `surrogateescape` does, in every encoding."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - narrows: nothing is encoded with it
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


_MARKED = "voxloud_async.marked"
codecs.register_error(_MARKED, _marked)
