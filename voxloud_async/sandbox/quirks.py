"""Switches for what the API text leaves open: one field for each anomaly that can be read in two ways.

A default is the likeliest reading. A field's doc names the anomaly by its id; `L<n>` is a line of the API text.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, cast, get_args, get_type_hints

from attrs import evolve, fields, frozen

Verbs = Literal["both", "put", "post"]
EventTimes = Literal["iso_basic", "iso_rome", "epoch_ms"]


@frozen(kw_only=True)
class Quirks:
    """How this sandbox reads the API text where the text contradicts or omits."""

    # General

    create_status: Literal[200, 201] = 200
    """G6: status of a successful create."""
    connect_status: Literal[200, 202] = 200
    """G6: status of a successful connect."""
    delete_answer: Literal["empty", "no_content", "json"] = "empty"
    """G7: a delete answers 200 without a body, 204, or 200 with `{}`."""
    error_body: Literal["json", "text", "html", "empty"] = "json"
    """G8: what an error carries."""
    wrong_path: Literal["json", "html"] = "json"
    """G5: a path outside the API gets an error, or the page of the docs that share the host."""
    conflict_status: Literal[400, 409, 403, 422] = 400
    """G12, K7: status beyond the click-to-call quota and for refused duplicates."""
    empty_fields: Literal["absent", "null"] = "absent"
    """G17: an optional field without a value is left out or null."""
    null_sent: Literal["absent", "rejected"] = "absent"
    """G17: a null for an optional field counts as left out, or is a 400; for contacts see `contact_null`."""
    undocumented_fields: Literal["absent", "present"] = "absent"
    """P10: objects carry a field the text does not name."""
    date_header: Literal["present", "blank"] = "present"
    """C18: the `Date` of a response, by which a client knows the time of this PBX, or nothing in it."""

    # Contacts

    contact_update: Verbs = "both"
    """C1: the heading says POST (L84), the sample PUT (L86)."""
    contact_updated_at: Literal["moves", "stays"] = "moves"
    """C2: the sample's `updated_at` equals `created_at` after an update (L108)."""
    contact_created_at: Literal["exact", "behind", "ahead", "minute", "constant", "absent"] = "exact"
    """C18: `created_at` is exact, by a clock 10 s off, to the minute, that of the sample (L47), or left out."""
    company_name: Literal["verbatim", "spaced"] = "verbatim"
    """C3: `John&Associates` sent (L27) comes back as `John & Associates` (L42)."""
    contact_omitted: Literal["cleared", "kept"] = "cleared"
    """C4: what an update does to optional fields it does not name."""
    crm_name_omitted: Literal["Voxloud", "kept"] = "Voxloud"
    """C5: `crm_name` is set to Voxloud also by an update that does not name it (L123)."""
    contact_null: Literal["clears", "rejected"] = "clears"
    """C6: a null clears an optional field, or is a 400."""
    contact_blank: Literal["clears", "stored"] = "clears"
    """C6: an empty string clears an optional field, or is its new value."""
    phone_search: Literal["partial", "e164_only"] = "partial"
    """C7: a partial number is found (L148), or refused because it "must be in e164" (L200)."""
    contact_order: Literal["oldest_first", "newest_first"] = "oldest_first"
    """C11: the order of a search; newest first, each create shifts the pages."""
    contact_filters: Literal["and", "or"] = "and"
    """C12: a search for John Doe also returns Maria Rosi (L173)."""
    has_next: Literal["exact", "hopeful"] = "exact"
    """C14: hopeful is true after every full page, so that an empty page may follow."""
    duplicate_contact: Literal["accepted", "rejected"] = "accepted"
    """C15: a second contact of the same primary phone."""
    invalid_phone: Literal["rejected", "stored", "normalised"] = "rejected"
    """C20: what happens to a number that is not e164."""

    # Webhook subscriptions

    click_to_call_subscription: Literal["accepted", "rejected"] = "accepted"
    """W1: CLICK_TO_CALL is missing from the types of a create (L359), not from its answer (L366)."""
    subscription_list_type: Literal["event_type", "type", "mixed"] = "event_type"
    """W2: the list sample has `event_type` once and `type` twice (L414, L422, L430)."""
    enabled_on_create: Literal["present", "absent"] = "present"
    """W3: `enabled` is in the sample of a create (L349) and not in its table."""
    subscription_update: Verbs = "both"
    """W4: the heading says PUT (L373), the sample POST (L374)."""
    subscription_body_id: Literal["required", "optional", "unchecked"] = "required"
    """W5: an update names its id in the body, too (L389); unchecked, any id will do there."""
    notification_email_omitted: Literal["kept", "cleared"] = "kept"
    """W6: an omitted `notification_email` survives the sample's update (L384)."""
    enabled_omitted: Literal["kept", "reset"] = "kept"
    """W6: an omitted `enabled` keeps its value, or becomes true."""
    duplicate_subscription: Literal["accepted", "rejected"] = "accepted"
    """W7: a second subscription of the same URL and type."""

    disabled_after: Literal[10, 3, 1_000_000] = 10
    """W8: failures after which a subscription is switched off."""
    failed_count_after_success: Literal["reset", "kept"] = "reset"
    """W8: what a delivery that succeeds does to the count of those that failed."""
    failed_count_after_enable: Literal["reset", "kept"] = "reset"
    """W8: what switching a subscription on again does to it."""

    # Webhooks

    delivery_envelope: Literal["present", "absent"] = "present"
    """P1: "every webhook" has an envelope (L481), and all samples but one lack it (L523)."""
    delivery_phase: Literal["short", "long"] = "short"
    """P2: inside a live event the type is STARTED (L492, L518), or CALL_STARTED as outside."""
    delivery_times: EventTimes = "epoch_ms"
    """P5: timestamps are milliseconds (L512), or as in query rows."""
    delivery_extension: Literal["number", "text"] = "number"
    """U3: `userExtension` is a number (L520), though the extensions of click-to-calls are texts."""
    delivery_fax: Literal["document", "call"] = "document"
    """P15: a fax has the fields of fax webhooks (L616) or of query rows (L697)."""
    delivery_record_id: Literal["present", "absent", "text"] = "present"
    """P10: records have the `id` of the sample (L573), none as in their table (L542), or its digits as a text."""
    delivery_record_time: Literal["as_row", "milliseconds"] = "as_row"
    """P5: the time of a record has the precision of its row in a query, or milliseconds where the row has seconds."""
    delivery_mistyped: Literal["nothing", "duration", "labels", "voicemail", "timestamp"] = "nothing"
    """W13: the tables name no types: a field of a record has another one, or its time lacks a zone."""
    delivery_pbx_id: Literal["number", "text", "uuid"] = "number"
    """P4: `pbx_id` is a number (L497), its digits as a text, or a UUID."""
    delivery_envelope_time: Literal["as_event", "unreadable"] = "as_event"
    """P20: the envelope has the time of its event, or a text that is no time."""
    delivery_transcription: Literal["at_once", "later"] = "at_once"
    """P17: a record has its transcription at once, or comes again with it right after."""
    delivery_success: Literal["2xx", "200"] = "2xx"
    """W12: which answers count as success."""
    failed_delivery: Literal["given_up", "repeated"] = "given_up"
    """W12: a delivery that failed is lost, or tried again after 1, 5 and 25 seconds."""
    internal_incoming: Literal["absent", "present"] = "absent"
    """P23: an internal call has a STARTED (L507), and perhaps an INCOMING for who is called."""
    hangup: Literal["each_user", "once"] = "each_user"
    """P8: each user whose phone rang is told of an end of his own, or one user of the end of the call."""
    live_call_id: Literal["suffixed", "plain"] = "suffixed"
    """K8: live events of a click-to-call have the `-clicktocall` of its record (L669), or lack it."""

    # Telephony events

    event_times: EventTimes = "iso_basic"
    """P5: `timestamp` of query rows: `+0000` (L702), `+01:00`, or milliseconds."""
    single_event_times: EventTimes = "epoch_ms"
    """T4: `timestamp` of an event got by id or callId; webhooks have milliseconds (L544)."""
    single_event: Literal["bare", "enveloped"] = "bare"
    """T4: an event got by id or callId is bare (L572) or inside the webhook envelope (L481)."""
    single_fax: Literal["call", "document"] = "call"
    """P15: a fax got by id has the fields of query rows (L697) or of fax webhooks (L616)."""
    found_by_call_id: Literal["object", "list", "page"] = "object"
    """T3: "a telephony event" (L782), though transfers give several."""
    unknown_call_id: Literal["not_found", "null", "empty_list"] = "not_found"
    """T3: the answer to a callId that nothing has; a list or page is empty either way."""
    interval: Literal["closed", "half_open"] = "closed"
    """T5: whether `date_time_to` itself is inside."""
    number_match: Literal["exact", "suffix"] = "exact"
    """T6: a number equals the filter, or one of the two ends with the other's digits."""
    number_legs: Literal["both", "originator", "destination"] = "both"
    """T6: which numbers of a row the filter looks at."""
    sort_shape: Literal["array", "object"] = "array"
    """T8: `sort` of a page is an array (L732), or an object as its documentation has it (L766)."""
    first_page: Literal[0, 1] = 0
    """T9: the number of the first page."""
    unknown_sort: Literal["rejected", "ignored"] = "rejected"
    """T10: sorting by another property than `timestamp`."""
    tie_order: Literal["stable", "unstable"] = "stable"
    """T10: rows of one timestamp change places between queries."""
    size_cap: Literal[2000, 1000, 100] = 2000
    """T11: the largest page."""
    oversize: Literal["capped", "rejected"] = "capped"
    """T8: a `size` above the cap is lowered in silence, or is a 400."""
    click_to_call_rows: Literal["listed", "hidden"] = "listed"
    """T14: queries are said to give phone calls and fax calls only (L682)."""
    unknown_event_types: Literal["absent", "present"] = "absent"
    """P3: some rows have a type the text does not name."""

    # CSV (T12: nothing about it is documented)

    csv: Literal["offered", "refused"] = "offered"
    """G1: `Accept: text/csv` is served (L684), or a 406 as any "format that isn't JSON" (L910)."""
    csv_columns: Literal["wire", "snake"] = "wire"
    """T12: column names as in JSON, or in snake_case."""
    csv_column_set: Literal["all", "used"] = "all"
    """T12: all documented columns, or those that the page's rows have."""
    csv_header: Literal["present", "absent"] = "present"
    """T12: a first line with the column names."""
    csv_delimiter: Literal[",", ";", "\t"] = ","
    """T12: what stands between two columns."""
    csv_newline: Literal["\r\n", "\n"] = "\r\n"
    """T12: what ends a line."""
    csv_charset: Literal["utf-8", "utf-8-sig", "iso-8859-1", "utf-16"] = "utf-8"
    """T12: the encoding; `utf-8-sig` starts with a byte order mark."""
    csv_charset_named: Literal["yes", "no"] = "yes"
    """T12: whether the content type names the charset."""

    # Click-to-call

    name_on_get: Literal["dash", "underscore"] = "dash"
    """K1: `ctc-support` created (L801) is got as `ctc_support` (L829)."""
    outbound_number: Literal["substituted", "kept", "rejected"] = "substituted"
    """K2: an outbound number that the PBX does not have (L796, L803)."""
    id_length: Literal[32, 33] = 32
    """K5: one sample id has 33 characters (L857)."""
    extension: Literal["known", "of_user", "unchecked"] = "known"
    """K12: the extension must be one of the PBX, that of a user and not of a group, or may be any."""

    def __attrs_post_init__(self) -> None:
        changed = self.changed()
        readings = self.readings() if changed else {}
        for name, value in changed.items():
            if value not in readings[name]:
                raise ValueError(f"{name} must be one of {', '.join(map(repr, readings[name]))}, not {value!r}")

    @classmethod
    def every(cls) -> Iterator[Quirks]:
        """One set of quirks for each reading that is no default, all else left as it is."""
        for name, values in cls.readings().items():
            default = getattr(fields(cls), name).default
            yield from (evolve(cls(), **{name: value}) for value in values if value != default)

    @classmethod
    def readings(cls) -> dict[str, tuple[Any, ...]]:
        """Every field with all values it may have."""
        hints = get_type_hints(cls)
        return {each.name: get_args(hints[each.name]) for each in fields(cls)}

    @classmethod
    def reasons(cls) -> dict[str, str]:
        """Every field with its doc, which only the source has."""
        tree = ast.parse(inspect.getsource(cls))
        found = {}
        for field, doc in pairwise(cast("ast.ClassDef", tree.body[0]).body):
            match field, doc:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    found[name] = text
        return found

    def changed(self) -> dict[str, Any]:
        """The fields that differ from the defaults; a short name for a test."""
        return {
            each.name: getattr(self, each.name) for each in fields(Quirks) if getattr(self, each.name) != each.default
        }
