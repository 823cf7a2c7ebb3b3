"""Where recordings lie: bare URLs, as in the API's samples (P16)."""

from __future__ import annotations

from .directory import Directory


def recording(call_id: str, town: Directory) -> str:
    """The URL of a call recording."""
    return f"{town.media_url()}/{town.pbx_id}/call_recordings/call_recording_{call_id}.mp3"


def voicemail(call_id: str, town: Directory) -> str:
    """The URL of a voicemail."""
    return f"{town.media_url()}/{town.pbx_id}/call_recordings/vm_{call_id}.mp3"


def fax_document(event_id: int, town: Directory) -> str:
    """The URL of a fax."""
    return f"{town.media_url()}/{town.pbx_id}/fax_{event_id}.pdf"


def fax_pages(duration: int) -> int:
    """How many pages a fax has that took so many seconds."""
    return 1 + duration // 40
