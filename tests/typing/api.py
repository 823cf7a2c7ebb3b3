"""The public interface as a type checker sees it: mypy and pyright read this file, nothing runs it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

import voxloud_async
from voxloud_async import RetryPolicy, VoxloudClient, errors, models
from voxloud_async.contact_files import ContactFile, ContactRow, RejectedRow
from voxloud_async.paging import Listing, PageStream, Progress, Stream
from voxloud_async.recordings import Recordings
from voxloud_async.resources.bulk.outcome import Outcome, Summary
from voxloud_async.resources.incremental import Batch
from voxloud_async.webhooks import EventStream, Received, WebhookReceiver, parse_webhook


def the_face() -> None:
    assert_type(voxloud_async.__version__, str)
    assert_type(voxloud_async.VoxloudClient("key"), VoxloudClient)
    _ = voxloud_async.Client  # type: ignore[attr-defined]


async def account(client: VoxloudClient) -> None:
    async with client as entered:
        assert_type(entered, VoxloudClient)
    assert_type(await client.validate_auth(), models.Account)
    assert_type(client.with_options(timeout=1.0, retry=RetryPolicy(max_attempts=1), max_wait=5), VoxloudClient)
    assert_type(await client.users.list(), list[models.User])


def contact_files() -> None:
    with ContactFile("people.csv", region="IT") as file:
        assert_type(file, ContactFile)
        for row in file:
            assert_type(row, ContactRow | RejectedRow)
    ContactFile("people.csv", format="xml")  # type: ignore[arg-type]


async def contacts(client: VoxloudClient) -> None:
    made = await client.contacts.create(first_name="John", primary_phone="+390312345678", phones=["+390387654321"])
    assert_type(made, models.Contact)
    assert_type(made.first_name, str | None)
    assert_type(made.phones, tuple[str, ...] | None)
    assert_type(await client.contacts.patch(made.id, job_title=None), models.Contact)
    found = client.contacts.search(first_name="jo", email="doe", phone="678", page_size=100, max_items=None)
    assert_type(found, Listing[models.Contact])
    async for contact in found:
        assert_type(contact, models.Contact)
    async for outcome in client.contacts.create_many([{"first_name": "John", "primary_phone": "+39"}], concurrency=4):
        assert_type(outcome, Outcome[dict[str, str], models.Contact])
        assert_type(outcome.result, models.Contact | None)
    updated = await client.contacts.update_many([(made.id, {"first_name": "John", "primary_phone": "+39"})]).collect()
    assert_type(updated, list[Outcome[tuple[str, dict[str, str]], models.Contact]])
    assert_type(await client.contacts.delete_many([made.id], journal="journal").finish(), Summary)
    await client.contacts.create(first_name="John")  # type: ignore[call-arg]
    await client.contacts.create(first_name="John", primary_phone="+39", phones="+39")  # type: ignore[arg-type]
    await client.contacts.patch(made.id, emails="john@example.com")  # type: ignore[arg-type]
    await client.contacts.patch(made.id, phones=made.phones, emails=["john@example.com"])
    made.first_name = "Jane"  # type: ignore[misc]


async def events(client: VoxloudClient) -> None:
    query = client.telephony_events.query(
        number="+39", date_time_from=datetime.now(UTC), sort="timestamp,asc", prefetch=8
    )
    async for event in query:
        assert_type(event, models.TelephonyEvent)
        if isinstance(event, models.PhoneCall):
            assert_type(event.talk_time, float | None)
    async for page in query.pages():
        assert_type(page.total, int | None)
        assert_type(page.cursor, str | None)
        assert_type(page.progress, Progress | None)
    async with query.pages(raw=True) as bodies:
        async for body in bodies:
            assert_type(body, bytes)
    assert_type(aiter(query), Listing[models.TelephonyEvent])
    assert_type(query.pages(raw=True), PageStream[bytes])
    assert_type(await query.first(), models.TelephonyEvent | None)
    assert_type(await query.collect(), list[models.TelephonyEvent])
    assert_type(await client.telephony_events.find_by_call_id("aabb"), list[models.TelephonyEvent])
    batches = client.telephony_events.incremental(None, since=datetime.now(UTC), number="+39", lag=60, overlap=3600.0)
    assert_type(batches, Stream[Batch])
    async for batch in batches:
        assert_type(batch.items, tuple[models.TelephonyEvent, ...])
        assert_type(batch.revisions, tuple[models.TelephonyEvent, ...])
        assert_type(batch.state, str)
        assert_type(batch.late, int)
    async for chunk in client.telephony_events.export_csv():
        assert_type(chunk, bytes)


async def calls(client: VoxloudClient) -> None:
    made = await client.click_to_call.create(name="site", extension="101", outbound_number="+39", dial_first="contact")
    assert_type(made, models.ClickToCall)
    first = models.DialFirst.EXTENSION
    await client.click_to_call.create(name="site", extension="101", outbound_number="+39", dial_first=first)
    await client.click_to_call.create(name="site", extension="101", outbound_number="+39", dial_first="both")  # type: ignore[arg-type]
    try:
        await client.click_to_call.connect(made.id, contact="+390312345678")
    except errors.ApiError as error:
        assert_type(error.status, int)
        assert_type(error.retry_after, float | None)


async def subscriptions(client: VoxloudClient) -> None:
    made = await client.webhook_subscriptions.create(callback_url="https://example.com", event_type="CALL_INCOMING")
    assert_type(made, models.WebhookSubscription)
    await client.webhook_subscriptions.create(callback_url="https://example.com", event_type="FOO")  # type: ignore[arg-type]
    await client.webhook_subscriptions.update(made.id, callback_url="https://example.com", event_type="FOO")  # type: ignore[arg-type]
    new = models.EventType("CALL_TRANSFERRED")
    await client.webhook_subscriptions.update(made.id, callback_url="https://example.com", event_type=new)
    await client.webhook_subscriptions.ensure({"CALL_INCOMING": "https://example.com", new: "https://example.com"})
    assert_type(await client.webhook_subscriptions.list(), list[models.WebhookSubscription])


async def webhooks(receiver: WebhookReceiver) -> None:
    assert_type(parse_webhook(b"{}"), models.Webhook)
    async with receiver as entered:
        assert_type(entered, WebhookReceiver)
    assert_type(receiver.events(), EventStream)
    async for event in receiver.events():
        assert_type(
            event,
            models.CallEvent
            | models.PhoneCall
            | models.ClickToCallCall
            | models.FaxCall
            | models.Fax
            | models.UnknownEvent,
        )
    assert_type(receiver.token("PHONE_CALL"), str)
    assert_type(receiver.stats.accepted, int)


def handlers(receiver: WebhookReceiver) -> None:
    @receiver.on("CALL_INCOMING", models.EventType.CALL_HANGUP)
    async def on_call(event: models.CallEvent) -> str:
        return event.call_id

    async def use(event: models.CallEvent) -> None:
        assert_type(await on_call(event), str)

    @receiver.on("PHONE_CALL")
    async def on_record(event: models.PhoneCall, received: Received) -> None: ...

    @receiver.on("CLICK_TO_CALL")
    async def on_click(event: models.ClickToCallCall) -> None: ...

    @receiver.on(models.EventType.FAX_CALL)
    async def on_fax(event: models.Fax | models.FaxCall) -> None: ...


async def recordings(call: models.PhoneCall) -> None:
    async with Recordings(hosts=["*.media.example"], transport="httpx2") as downloads:
        if call.recording_url is not None:
            assert_type(await downloads.save(call.recording_url, "call.mp3"), int)
            async for piece in downloads.stream(call.recording_url):
                assert_type(piece, bytes)
        await downloads.save(call.voicemail_url, "voicemail.mp3")  # type: ignore[arg-type]
    Recordings("key")  # type: ignore[call-arg, arg-type]


def wrong_handlers(receiver: WebhookReceiver) -> None:
    @receiver.on("PHONE_CALL")  # type: ignore[type-var]
    async def on_other(event: models.CallEvent) -> None: ...

    @receiver.on("FAX_CALL")  # type: ignore[type-var]
    async def on_half(event: models.Fax) -> None: ...

    @receiver.on()  # type: ignore[type-var]
    async def on_some(event: models.CallEvent) -> None: ...

    @receiver.on("PHONE_CALL", "CLICK_TO_CALL", "VOICEMAIL")
    async def on_any(event: object, received: Received) -> None: ...

    @receiver.on("CALL_INCOMING")  # type: ignore[type-var]
    def on_sync(event: models.CallEvent) -> None: ...
