"""Every example object of the API text, there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.protocol.samples import INDEX, instants, model, rows, sample
from voxloud_async.models import (
    CallEvent,
    ClickToCall,
    ClickToCallCall,
    Contact,
    Fax,
    FaxCall,
    PhoneCall,
    TelephonyEvent,
    User,
    Webhook,
    WebhookSubscription,
)
from voxloud_async.protocol.codec import decode, structure, unstructure
from voxloud_async.protocol.page import Page

pytestmark = pytest.mark.usefixtures("backend")

READ = [entry for entry in INDEX if entry["model"]]


@pytest.mark.parametrize("entry", READ, ids=lambda entry: entry["file"])
def test_a_round_trip_of_a_sample_loses_nothing(entry: dict[str, Any]) -> None:
    for row in rows(entry):
        read = structure(row, model(entry["model"]))
        written = unstructure(read)
        expected = instants(row)
        if entry["file"] == "webhook_subscriptions.json" and "type" in expected:
            expected["event_type"] = expected.pop("type")  # both are read, one is written (W2)
        assert instants(written) == expected
        assert structure(json.loads(json.dumps(written)), model(entry["model"])) == read


@pytest.mark.parametrize("entry", READ, ids=lambda entry: entry["file"])
def test_no_field_of_a_sample_is_unknown(entry: dict[str, Any]) -> None:
    for row in rows(entry):
        read = structure(row, model(entry["model"]))
        assert not read.extra
        assert not getattr(getattr(read, "data", read), "extra", None)


def test_every_sample_is_in_the_index_and_half_of_them_are_read() -> None:
    assert len(INDEX) == 27
    assert len(READ) == 20


def test_p15_a_fax_has_the_shape_of_a_document_or_of_a_call() -> None:
    document = structure(sample("fax"), TelephonyEvent)
    call = structure(sample("telephony_events_found")["content"][0], TelephonyEvent)
    assert isinstance(document, Fax)
    assert isinstance(call, FaxCall)
    assert (document.sender, document.total_pages) == ("39123456789", 4)
    assert (call.originator_number, call.duration) == ("anonymous", 32)


def test_t16_rows_have_the_fields_of_their_kind_and_none_for_the_rest() -> None:
    fax, call = structure(sample("telephony_events_found"), Page[TelephonyEvent]).items
    assert isinstance(call, PhoneCall)
    assert (call.recorded, call.labels, call.answerer_name) == (False, None, None)
    assert not hasattr(fax, "recorded")


def test_p13_a_click_to_call_record_has_no_last_event() -> None:
    record = structure(sample("click_to_call_record"), TelephonyEvent)
    assert isinstance(record, ClickToCallCall)
    assert not hasattr(record, "last_event")
    call = structure(sample("phone_call") | {"lastEvent": "CALL_PARKED"}, TelephonyEvent)
    assert call.last_event == "CALL_PARKED"
    assert not call.last_event.is_known


def test_p10_fields_that_stand_in_samples_alone_are_typed() -> None:
    call = structure(sample("phone_call"), TelephonyEvent)
    record = structure(sample("click_to_call_record"), TelephonyEvent)
    assert call.id == 8395
    assert call.voicemail_url.endswith("vm_1734bfbbd5dc4a9c8de1d2e5235e6389.mp3")
    assert record.queue_call_id == record.call_id
    assert structure(sample("webhook_call_started"), Webhook).pbx_id == 117


def test_g15_addresses_and_urls_are_taken_as_they_come() -> None:
    contact = structure(sample("contact"), Contact)
    assert contact.website == "www.johna.com"
    odd = structure(
        sample("contact") | {"primary_email": "[email protected]", "website": "", "crm_contact_url": "-"}, Contact
    )
    assert (odd.primary_email, odd.website, odd.crm_contact_url) == ("[email protected]", "", "-")


def test_g21_one_object_may_mix_the_cases_of_its_names() -> None:
    call = structure(sample("phone_call"), TelephonyEvent)
    assert (call.sentiment_score, call.rule_names) == (73, ("IVRRule1", "IVRRule2"))
    written = unstructure(structure(sample("click_to_call"), ClickToCall))
    assert {"outboundNumber", "dial_first"} <= written.keys()


def test_w2_both_names_of_the_event_type_are_read_and_one_is_written() -> None:
    subscriptions = structure(sample("webhook_subscriptions"), Page[WebhookSubscription]).items
    assert [each.event_type for each in subscriptions] == ["CALL_INCOMING", "CALL_ANSWERED", "CALL_HANGUP"]
    assert all("type" not in unstructure(each) for each in subscriptions)


def test_w2_where_both_are_there_the_documented_one_counts() -> None:
    both = structure({"id": "1", "type": "CALL_HANGUP", "event_type": "FAX_CALL"}, WebhookSubscription)
    assert both.event_type == "FAX_CALL"
    assert both.extra == {"type": "CALL_HANGUP"}


def test_w3_enabled_and_the_last_error_may_be_missing() -> None:
    subscription = structure({"id": "1", "event_type": "FAX_CALL"}, WebhookSubscription)
    assert (subscription.enabled, subscription.last_error, subscription.failed_count) == (None, None, None)


def test_u3_the_extension_of_a_user_equals_that_of_a_click_to_call() -> None:
    users = structure(sample("users"), Page[User]).items
    click_to_call = structure(sample("click_to_call"), ClickToCall)
    assert users[0].extension_number == click_to_call.extension == "101"
    assert hash(users[0].extension_number) == hash(click_to_call.extension)
    assert unstructure(users[0])["extension_number"] == 101
    assert unstructure(click_to_call)["extension"] == "101"


def test_c17_all_phones_holds_the_primary_number_and_the_secondary_ones() -> None:
    assert structure(sample("contact_updated"), Contact).all_phones == (
        "+390312345678",
        "+390387654321",
        "+390387654323",
    )


def test_k1_the_friendly_name_drops_either_prefix() -> None:
    created, got = (structure(sample(name), ClickToCall) for name in ("click_to_call_created", "click_to_call"))
    assert created.name != got.name
    assert created.friendly_name == got.friendly_name == "support"


def test_k5_and_c19_and_p19_ids_are_opaque() -> None:
    listed = structure(sample("click_to_calls"), Page[ClickToCall]).items
    assert [len(each.id) for each in listed] == [32, 33]
    assert structure({"id": "x"}, Contact).id == decode(b'{"id": "x"}', Contact).id == "x"
    assert structure({"id": 1, "type": "PHONE_CALL", "callId": "?"}, TelephonyEvent).call_id == "?"


def test_p12_talk_time_is_for_phone_calls_alone() -> None:
    assert structure(sample("phone_call"), TelephonyEvent).talk_time == 3
    assert not hasattr(structure(sample("click_to_call_record"), TelephonyEvent), "talk_time")


def test_p6_numbers_stay_as_they_are() -> None:
    content = structure(sample("telephony_events_found"), Page[TelephonyEvent]).items
    assert [row.originator_number for row in content] == ["anonymous", "0697631539"]
    assert [row.destination_number for row in content] == ["3907331980093", "3907761790162"]


def test_t7_the_totals_of_a_page_are_not_held_against_its_rows() -> None:
    page = decode(json.dumps(sample("telephony_events_found")).encode(), Page[TelephonyEvent])
    assert page.total == 8
    assert len(page.items) == 2
    assert repr(page) == "Page(items=<2 items>, has_next=False, total=8, number=0, size=30)"


def test_p2_the_types_of_envelope_and_data_are_both_kept() -> None:
    webhook = structure(sample("webhook_call_started"), Webhook)
    assert webhook.type == "CALL_STARTED"
    assert isinstance(webhook.data, CallEvent)
    assert webhook.data.type == "STARTED"
