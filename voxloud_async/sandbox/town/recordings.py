"""Where recordings lie: URLs of two buckets, as in the API's samples (P16). Nothing answers there."""

from __future__ import annotations


def recording(call_id: str, pbx_id: int) -> str:
    """The URL of a call recording."""
    return f"https://vmedia.example/{pbx_id}/call_recordings/call_recording_{call_id}.mp3"


def voicemail(call_id: str, pbx_id: int) -> str:
    """The URL of a voicemail."""
    return f"https://vmedia.example/{pbx_id}/call_recordings/vm_{call_id}.mp3"


def fax_document(event_id: int, pbx_id: int) -> str:
    """The URL of a fax."""
    return f"https://fax-service.example/{pbx_id}/fax_{event_id}.pdf"
