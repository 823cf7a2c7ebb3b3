"""The pages that are decoded: as the API text has them, compact, as services write JSON."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from attrs import frozen

from voxloud_async.models import ClickToCallCall, Contact, FaxCall, Model, PhoneCall, TelephonyEvent
from voxloud_async.protocol.page import Page as ListPage
from voxloud_async.sandbox import Sandbox

ROWS = 100

_CALL: dict[str, Any] = {
    "type": "PHONE_CALL",
    "accountId": "faffd4879c2b686fe9c5fb1673ce2800",
    "direction": "INTERNAL",
    "originatorName": "Ada Conti",
    "originatorNumber": "101",
    "destinationName": "Bruno De Amicis",
    "destinationNumber": "102",
    "answererName": "Bruno De Amicis",
    "answererNumber": "102",
    "maskCallerNumber": False,
    "lastEvent": "CALL_TERMINATED",
    "duration": 64,
    "ringTime": 11,
    "archived": False,
    "recorded": True,
    "voicemail": True,
    "labels": ["support", "urgent"],
    "ruleNames": ["Opening hours", "Sales"],
    "contactCrm": "Hubspot",
    "contactCrmUrl": "https://app.hubspot.example/contacts/1111111/contact/1111111",
    "crmLogo": "https://cdn.example/image/logos/hubspot.png",
    "transcription": "Good morning, this is Ada. I am calling about the delivery of Tuesday: two of the boxes were "
    "empty, and the third one has the wrong colour. Could somebody call me back before noon? Thank you.",
    "summary": "A customer complains about an incomplete delivery and asks to be called back before noon today.",
    "sentiment_score": 73,
}

CONTACT: dict[str, Any] = {
    "id": "54db43f0-7d1c-11fd-8149-bdf161b05c48",
    "first_name": "Irene",
    "last_name": "Fabbri",
    "primary_phone": "+390312345678",
    "phones": ["+390387654321"],
    "primary_email": "irene.fabbri@adriatica.example",
    "emails": ["fabbri27@mail.example"],
    "company_name": "Adriatica Energia spa",
    "job_title": "CFO",
    "website": "www.adriatica.example",
    "crm_name": "Voxloud",
    "crm_contact_url": "https://www.crm.example/contacts/profile/1",
    "created_at": "2022-12-27T14:42:37+01:00",
    "updated_at": "2022-12-27T14:42:37+01:00",
}

_UNKNOWN = {"revision": 3}


@frozen
class Page:
    """A page: its bytes, what the client reads it into, and the models of its rows by their kind."""

    text: bytes
    kind: Any
    rows: str
    models: tuple[type[Model], ...]

    def with_unknown_field(self) -> Page:
        """The same page, where every row has a field that nobody documented."""
        value = json.loads(self.text)
        value[self.rows] = [row | _UNKNOWN for row in value[self.rows]]
        return Page(_compact(value), self.kind, self.rows, self.models)


def pages() -> dict[str, Page]:
    """Calls and contacts with every documented field, and the rows of a query as the sandbox gives them."""
    events = {"content": [_call(number) for number in range(ROWS)], "last": False, "totalElements": 20000, "number": 0}
    contacts = {"data": [_contact(number) for number in range(ROWS)], "has_next": True}
    kinds = events_of_a_query()
    return {
        "events": Page(_compact(events), ListPage[TelephonyEvent], "content", (PhoneCall,)),
        "contacts": Page(_compact(contacts), ListPage[Contact], "data", (Contact,)),
        "query rows": kinds,
    }


def events_of_a_query() -> Page:
    """Calls, faxes and click-to-calls of the sandbox's town, each with the fields it has."""
    text = asyncio.run(_queried())
    return Page(_compact(json.loads(text)), ListPage[TelephonyEvent], "content", (PhoneCall, ClickToCallCall, FaxCall))


async def _queried() -> bytes:
    async with Sandbox(seed=7) as sandbox, aiohttp.ClientSession(headers={"Voverc-Auth": sandbox.api_key}) as session:
        query = f"{sandbox.url}/api/v1/telephony-events?size={ROWS}"
        async with session.post(query, json={}, headers={"Accept": "application/json"}) as answer:
            return await answer.read()


def _call(number: int) -> dict[str, Any]:
    folder = "https://media.example/213/call_recordings/"
    return _CALL | {
        "id": 8000 + number,
        "timestamp": f"2025-12-{number % 28 + 1:02}T16:03:47.000+0000",
        "callId": f"{number:032x}",
        "recordingUrl": f"{folder}call_recording_{number:032x}.mp3",
        "voicemail_url": f"{folder}vm_{number:032x}.mp3",
    }


def _contact(number: int) -> dict[str, Any]:
    return CONTACT | {"id": f"54db43f0-7d1c-11fd-8149-{number:012x}"}


def _compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
