"""`voxloud events recording`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..errors import InvalidArgumentError, NotFoundError, PermissionDeniedError
from .failure import NOT_FOUND, REFUSED, in_words
from .service import Service
from .speech import complain, remark

if TYPE_CHECKING:
    from ..models import TelephonyEvent

_SERVICE = Service()
_LINKS = ("recording_url", "voicemail_url", "attachment_url")


async def recording(
    event_id: str,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    host: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None,
    service: Service = _SERVICE,
) -> int | None:
    """Download the recording of a call, or its voicemail, or the document of a fax. The API key is not sent there.

    Args:
        event_id: The id of the call record.
        output: The file, which appears once it is complete, and which only its owner may read.
        host: A host it may lie on beside Amazon S3, such as *.example.com. May be repeated.
    """
    from ..protocol.arguments import LOOPBACK  # noqa: PLC0415 - `--help` does without
    from ..recordings import S3_HOSTS, Recordings  # noqa: PLC0415 - the same

    hosts = (*S3_HOSTS, *LOOPBACK, *(host or ()))  # this machine: there a sandbox has them
    async with service.client(prints=False) as client, Recordings(hosts=hosts, timeout=service.timeout) as recordings:
        url = link_of(await client.telephony_events.get(event_id))
        if url is None:
            complain("the record has no recording, voicemail or document")
            return NOT_FOUND
        try:
            size = await recordings.save(url, output)
        except (NotFoundError, PermissionDeniedError) as error:
            complain(f"{in_words(error)} (the link has ended, or the recording is gone)")
            return REFUSED
        except InvalidArgumentError as error:
            if error.argument != "url":
                raise
            raise ValueError(f"the link of the record {error.reason} (--host names others)") from None
    remark(f"{size:,} bytes")
    return None


def link_of(event: TelephonyEvent) -> str | None:
    """Where what was recorded lies: of a call that was answered, or left to voicemail, or a fax."""
    return next((url for name in _LINKS if (url := getattr(event, name, None))), None)
