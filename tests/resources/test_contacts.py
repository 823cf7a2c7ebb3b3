"""Contacts, against the sandbox."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from attrs import evolve

from tests.resources.journeys import JOHN
from voxloud_async import VoxloudClient
from voxloud_async.errors import BadRequestError, ConflictError, NotFoundError, OutcomeUnknownError
from voxloud_async.models import Contact
from voxloud_async.sandbox import Fault, Quirks
from voxloud_async.testing import FakeClock, FakeTransport, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.resources.conftest import Serve, Served
    from voxloud_async.sandbox import Sandbox
    from voxloud_async.wire.message import Request, Response


def sent(sandbox: Sandbox, method: str) -> Any:
    """The body of the last request with this verb."""
    body = [each.body for each in sandbox.requests if each.method == method][-1]
    return json.loads(body or b"null")


async def test_a_contact_is_created_and_read(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.contacts.create(**JOHN)
    assert await client.contacts.get(made.id) == made
    assert sent(sandbox, "POST") == JOHN
    assert (made.first_name, made.phones, made.crm_name) == ("Johnathan", ("+390387654321",), "Hubspot")
    assert made.created_at is not None
    assert made.created_at.utcoffset() in {timedelta(hours=1), timedelta(hours=2)}


async def test_c6_a_field_left_out_is_not_sent_and_none_is_null(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.contacts.create(first_name="Ada", primary_phone="+390612345678", last_name=None)
    assert sent(sandbox, "POST") == {"first_name": "Ada", "primary_phone": "+390612345678", "last_name": None}
    cleared = await client.contacts.patch(made.id, job_title="", website=None)
    assert {"job_title": "", "website": None}.items() <= sent(sandbox, "PUT").items()
    assert cleared.website is None


async def test_c4_update_replaces_and_patch_merges(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.contacts.create(**JOHN)
    patched = await client.contacts.patch(made.id, job_title="CTO")
    assert patched == evolve(made, job_title="CTO", updated_at=patched.updated_at)
    assert sent(sandbox, "PUT") == JOHN | {"job_title": "CTO", "emails": []}
    replaced = await client.contacts.update(made.id, first_name="Jo", primary_phone="+390312345678")
    assert sent(sandbox, "PUT") == {"first_name": "Jo", "primary_phone": "+390312345678"}
    assert (replaced.last_name, replaced.crm_name) == (None, "Voxloud")


async def test_c5_patch_always_sends_crm_name_along(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.contacts.create(**JOHN)
    await client.contacts.patch(made.id, last_name="Roe")
    assert sent(sandbox, "PUT")["crm_name"] == "Hubspot"


async def test_patch_sends_back_no_null(serve: Serve) -> None:
    served = await serve(Quirks(empty_fields="null"))
    made = await served.client.contacts.create(first_name="Ada", primary_phone="+390612345678")
    assert "last_name" in made.nulls
    await served.client.contacts.patch(made.id, job_title="CEO")
    assert None not in sent(served.sandbox, "PUT").values()


async def test_g18_nothing_is_written_to_a_contact_that_has_changed(client: VoxloudClient, sandbox: Sandbox) -> None:
    read = await client.contacts.create(**JOHN)
    await client.contacts.patch(read.id, job_title="CFO")
    with pytest.raises(ConflictError):
        await client.contacts.update_if_unchanged(read, last_name="Roe")
    assert sandbox.state.contacts[read.id].last_name == "Doe"
    fresh = await client.contacts.get(read.id)
    assert (await client.contacts.update_if_unchanged(fresh, last_name="Roe")).last_name == "Roe"


async def test_c2_updated_at_tells_no_change(serve: Serve) -> None:
    served = await serve(Quirks(contact_updated_at="stays"))
    read = await served.client.contacts.create(**JOHN)
    changed = await served.client.contacts.patch(read.id, job_title="CFO")
    assert changed.updated_at == read.updated_at
    with pytest.raises(ConflictError):
        await served.client.contacts.update_if_unchanged(read, last_name="Roe")
    touched = evolve(changed, updated_at=None)
    assert (await served.client.contacts.update_if_unchanged(touched, last_name="Roe")).last_name == "Roe"


async def test_c3_what_came_back_is_compared_and_not_what_was_sent(serve: Serve) -> None:
    served = await serve(Quirks(company_name="spaced"))
    made = await served.client.contacts.create(**JOHN)
    assert made.company_name == "John & Associates"
    assert (await served.client.contacts.update_if_unchanged(made, job_title="CTO")).job_title == "CTO"


async def test_c15_two_contacts_may_share_a_number(client: VoxloudClient) -> None:
    one, two = [await client.contacts.create(**JOHN) for _ in range(2)]
    assert one.id != two.id
    assert {each.id for each in await client.contacts.find(phone=JOHN["primary_phone"])} == {one.id, two.id}


async def test_a_search_looks_for_parts(client: VoxloudClient, sandbox: Sandbox) -> None:
    made = await client.contacts.create(**JOHN)
    for texts in (
        {"first_name": "HNATH"},
        {"last_name": "doe"},
        {"email": "J.doe"},
        {"phone": "+39031234"},
        {"phone": "8765"},
    ):
        assert made in await client.contacts.search(**texts).collect()  # type: ignore[arg-type]
    assert await client.contacts.search(first_name="nobody at all").collect() == []
    assert "phone=%2B39031234" in [each.query.partition("&")[0] for each in sandbox.requests]


async def test_c7_a_partial_number_may_be_refused_by_the_service_but_not_by_the_client(serve: Serve) -> None:
    served = await serve(Quirks(phone_search="e164_only"))
    with pytest.raises(BadRequestError):
        await served.client.contacts.search(phone="678").collect()


async def test_c10_a_walk_starts_at_offset_zero(client: VoxloudClient, sandbox: Sandbox) -> None:
    contacts = await client.contacts.search(page_size=10, prefetch=1).collect()
    assert len(contacts) == 23
    assert [each.query for each in sandbox.requests] == [
        "offset=0&limit=10",
        "offset=7&limit=10",
        "offset=14&limit=10",
    ]


async def test_c11_contacts_that_shift_while_one_reads_are_not_doubled(serve: Serve) -> None:
    served = await serve(Quirks(contact_order="newest_first"))
    before = set(served.sandbox.state.contacts)
    seen = []
    async for contact in served.client.contacts.search(page_size=5):
        seen.append(contact.id)
        if len(seen) in {2, 11}:
            await served.client.contacts.create(**JOHN)
    assert len(seen) == len(set(seen))
    assert before == set(seen)


async def test_c13_an_empty_page_ends_a_search(serve: Serve) -> None:
    served = await serve(Quirks(has_next="hopeful"), contacts=20)
    assert len(await served.client.contacts.search(page_size=10, prefetch=1).collect()) == 20
    assert len(served.sandbox.requests) == 3


async def test_c12_find_filters_what_the_service_returned(serve: Serve) -> None:
    served = await serve(Quirks(contact_filters="or"))
    create, find = served.client.contacts.create, served.client.contacts.find
    john = await create(**JOHN)
    jane = await create(**JOHN | {"primary_phone": "+390312345679", "phones": [], "primary_email": "jane@example.com"})
    longer = await create(
        **JOHN | {"primary_phone": "+3903123456789", "phones": [], "primary_email": "j.doe@example.community"}
    )
    assert longer.id
    assert await find(phone="+390312345678") == [john]
    assert await find(phone="0039 031 234-5679") == [jane]
    assert await find(phone="+390387654321", email="J.Doe@Example.com") == [john]
    assert await find(email="jane@example.com") == [jane]
    assert await find(phone="+390312345678", email="jane@example.com") == []
    with pytest.raises(ValueError, match="phone must be given, or email"):
        await find()


STORED = [
    "+49301234567",
    "+49 (0)30 1234567",
    "0049 30 123 4567",
    "\u202a+49 30 1234567\u202c",
    "+49\u201130\u20111234567",
    "+49\u00a030/1234567",
    "tel:+49-30-1234567",
    "491234567",  # another number
    "+49 030 1234567",  # perhaps another number
    "+49 30 1234567 ext. 5",
]


@pytest.mark.parametrize("asked", STORED[:7], ids=ascii)
async def test_find_takes_any_spelling_and_finds_any(serve: Serve, asked: str) -> None:
    served = await serve(Quirks(invalid_phone="stored"))
    made = [await served.client.contacts.create(first_name="Ada", primary_phone=phone) for phone in STORED]
    before = len(served.sandbox.requests)
    assert sorted(each.id for each in await served.client.contacts.find(phone=asked)) == sorted(
        each.id for each in made[:7]
    )
    assert len(served.sandbox.requests) == before + 1
    (extension,) = await served.client.contacts.find(phone="+49301234567;ext=5")
    assert extension == made[9]


async def test_c7_find_asks_for_the_whole_number_where_the_service_takes_no_parts(serve: Serve) -> None:
    served = await serve(Quirks(phone_search="e164_only"))
    made = await served.client.contacts.create(**JOHN)
    before = len(served.sandbox.requests)
    assert await served.client.contacts.find(phone="0039 031 2345678") == [made]
    assert [each.status for each in served.sandbox.requests[before:]] == [400, 200]


async def test_find_of_what_is_no_number_asks_for_it_as_it_is(client: VoxloudClient, sandbox: Sandbox) -> None:
    before = len(sandbox.requests)
    assert await client.contacts.find(phone="anonymous") == []
    assert await client.contacts.find(phone="101") == []
    assert len(sandbox.requests) == before + 2


async def test_find_looks_among_the_secondary_addresses(client: VoxloudClient) -> None:
    made = await client.contacts.create(first_name="Ada", primary_phone="+390612345678", emails=["Ada@Example.com"])
    assert await client.contacts.find(email="ada@example.com") == [made]
    assert await client.contacts.find(phone="06/12345678") == []


async def test_g7_a_delete_is_idempotent_where_asked(client: VoxloudClient) -> None:
    made = await client.contacts.create(**JOHN)
    assert await client.contacts.delete(made.id) is None  # type: ignore[func-returns-value]
    with pytest.raises(NotFoundError):
        await client.contacts.delete(made.id)
    await client.contacts.delete(made.id, missing_ok=True)


@pytest.mark.parametrize("fault", [Fault(status=500), Fault(cut="inside_headers"), Fault(status=503)])
async def test_g11_a_create_that_may_have_happened_is_never_sent_again(served: Served, fault: Fault) -> None:
    served.sandbox.fail_next(fault, 3, match="POST")
    with pytest.raises(OutcomeUnknownError):
        await served.client.contacts.create(**JOHN)
    assert served.sandbox.count("POST") == 1


async def test_a_service_error_is_typed_and_shows_nothing_personal(client: VoxloudClient) -> None:
    with pytest.raises(BadRequestError) as caught:
        await client.contacts.create(first_name="Johnathan", primary_phone="031 2345678")
    assert "primary_phone" in str(caught.value)
    assert "2345678" not in repr(caught.value)
    with pytest.raises(NotFoundError) as missing:
        await client.contacts.get("54db43f0")
    assert missing.value.operation == "GET /api/v1/contacts/{id}"


ID = "54db43f0"
READ = Contact(id=ID)
BAD: dict[str, tuple[type[Exception], str, Callable[[Any], Any]]] = {
    "no field": (TypeError, "first_name is required", lambda contacts: contacts.create()),
    "no phone": (TypeError, "primary_phone is required", lambda contacts: contacts.create(first_name="Ada")),
    "empty name": (ValueError, "first_name", lambda contacts: contacts.create(first_name=" ", primary_phone="+39")),
    "none as name": (TypeError, "first_name", lambda contacts: contacts.create(first_name=None, primary_phone="+39")),
    "number as phone": (TypeError, "primary_phone", lambda contacts: contacts.create(first_name="A", primary_phone=39)),
    "no change": (ValueError, "fields must not be empty", lambda contacts: contacts.patch("54db")),
    "unknown field": (TypeError, "nickname", lambda contacts: contacts.create(**JOHN, nickname="Jo")),
    "bare string": (TypeError, "phones", lambda contacts: contacts.create(**JOHN | {"phones": "+39"})),
    "empty phone": (ValueError, r"phones\[0\]", lambda contacts: contacts.create(**JOHN | {"phones": [""]})),
    "number as text": (TypeError, "job_title", lambda contacts: contacts.create(**JOHN | {"job_title": 5})),
    "half a pair": (ValueError, "surrogates", lambda contacts: contacts.create(**JOHN | {"job_title": "\ud800"})),
    "update of less": (TypeError, "primary_phone", lambda contacts: contacts.update(ID, first_name="Ada")),
    "update nowhere": (ValueError, "id", lambda contacts: contacts.update("", **JOHN)),
    "patch unknown": (TypeError, "nickname", lambda contacts: contacts.patch(ID, nickname="Jo")),
    "patch name away": (TypeError, "first_name", lambda contacts: contacts.patch(ID, first_name=None)),
    "careful unknown": (TypeError, "nickname", lambda contacts: contacts.update_if_unchanged(READ, nickname="Jo")),
    "careful of an id": (TypeError, "contact", lambda contacts: contacts.update_if_unchanged(ID, last_name="Doe")),
    "missing is fine": (TypeError, "missing_ok", lambda contacts: contacts.delete(ID, missing_ok="no")),
    "missing are fine": (TypeError, "missing_ok", lambda contacts: contacts.delete_many([ID], missing_ok="no")),
    "get nothing": (ValueError, "id", lambda contacts: contacts.get("")),
    "get none": (TypeError, "id", lambda contacts: contacts.get(None)),
    "climb": (ValueError, "id", lambda contacts: contacts.get("../users")),
    "climb alone": (ValueError, "id", lambda contacts: contacts.get("..")),
    "escape": (ValueError, "id", lambda contacts: contacts.delete("%2e%2e")),
    "query in id": (ValueError, "id", lambda contacts: contacts.delete("5?x=1")),
    "find nothing": (ValueError, "phone", lambda contacts: contacts.find(phone="")),
    "find number": (TypeError, "phone", lambda contacts: contacts.find(phone=39)),
    "search empty": (ValueError, "email", lambda contacts: contacts.search(email="")),
    "search none": (TypeError, "phone", lambda contacts: contacts.search(phone=678)),
    "page of 0": (ValueError, "page_size", lambda contacts: contacts.search(page_size=0)),
    "page of 101": (ValueError, "page_size", lambda contacts: contacts.search(page_size=101)),
    "page of yes": (TypeError, "page_size", lambda contacts: contacts.search(page_size=True)),
    "page of text": (TypeError, "page_size", lambda contacts: contacts.search(page_size="5")),
    "less than none": (ValueError, "max_items", lambda contacts: contacts.search(max_items=-1)),
    "half an item": (TypeError, "max_items", lambda contacts: contacts.search(max_items=1.5)),
    "unknown filter": (TypeError, "company", lambda contacts: contacts.search(company="x")),
}


@pytest.mark.parametrize(("kind", "names", "call"), BAD.values(), ids=BAD)
async def test_a_bad_argument_is_told_before_anything_is_sent(
    served: Served, kind: type[Exception], names: str, call: Callable[[Any], Any]
) -> None:
    with pytest.raises(kind, match=names):
        await call(served.client.contacts)
    assert served.sandbox.requests == []


def test_a_bad_search_is_told_at_the_call_and_not_at_the_first_row() -> None:
    from voxloud_async import VoxloudClient  # noqa: PLC0415 - no loop runs here
    from voxloud_async.testing import FakeTransport  # noqa: PLC0415

    client = VoxloudClient("key", transport=FakeTransport())
    with pytest.raises(ValueError, match="page_size"):
        client.contacts.search(page_size=0)


async def test_g13_a_bare_array_is_one_page_and_not_the_end() -> None:
    pages: list[Any] = []

    def page(request: Request) -> Response:
        query = dict(parse_qsl(urlsplit(request.url).query))
        start, limit = int(query["offset"]), int(query["limit"])
        rows = [{"id": str(n), "first_name": "J"} for n in range(start, min(start + limit, 5))]
        pages.append(len(rows))
        return answer(rows)

    transport = FakeTransport(*[page] * 5)
    async with VoxloudClient("key", base_url="https://voxloud.test", transport=transport, clock=FakeClock()) as client:
        found = await client.contacts.search(page_size=3, prefetch=1).collect()
    assert [contact.id for contact in found] == ["0", "1", "2", "3", "4"]
    assert pages == [3, 3, 3, 2], "the last one brings nothing new"
