"""Whatever the quirks, what the sandbox answers satisfies the spec; and the spec knows every endpoint it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from openapi_schema_validator import OAS31Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.document import SCHEMAS, SPEC
from voxloud_async.sandbox import Quirks, Sandbox
from voxloud_async.sandbox.routes import Routes

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api, Reply, Serve

VERBS = {"get", "put", "post", "delete"}
RESOURCE = Resource.from_contents(SPEC, default_specification=DRAFT202012)
REGISTRY: Registry[Any] = Registry().with_resource("urn:spec", RESOURCE)

KINDS = {"PHONE_CALL": "PhoneCall", "FAX_CALL": "FaxCall", "CLICK_TO_CALL": "ClickToCallCall"}
EVENTS = "/api/v1/telephony-events"

each_reading = pytest.mark.parametrize(
    "quirks", [Quirks(), *Quirks.every()], ids=lambda quirks: str(quirks.changed() or "defaults")
)


def check(path: str, method: str, reply: Reply) -> None:
    """The answer is one that the spec describes."""
    operation = SPEC["paths"][path][method.lower()]
    answers = operation["responses"]
    pointer = f"urn:spec#/paths/{path.replace('/', '~1')}/{method.lower()}/responses/{reply.status}"
    if str(reply.status) not in answers:
        assert 200 <= reply.status < 300, (path, method, reply.status)
        pointer = pointer.rpartition("/")[0] + "/200"
    described = answers.get(str(reply.status), answers["200"])
    if "$ref" in described or "content" not in described:
        return
    media_types = described["content"]
    media_type = reply.headers["Content-Type"].partition(";")[0]
    assert media_type in media_types
    if media_type == "application/json":
        schema = {"$ref": f"{pointer}/content/application~1json/schema"}
        OAS31Validator(schema, registry=REGISTRY).validate(without_nulls(reply.json))


def without_nulls(value: Any) -> Any:
    """A reader takes null for absent (G17)."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


async def visit(api: Api, method: str, path: str, *, of: str = "", query: str = "", body: Any = None) -> Any:
    reply = await api.ask(method, path.replace("{id}", of) + query, json=body)
    check(path, method, reply)
    return reply.json if reply.body and reply.status < 300 else None


@each_reading
async def test_every_answer_satisfies_the_spec(serve: Serve, quirks: Quirks) -> None:
    api = await serve(quirks={name: getattr(quirks, name) for name in quirks.changed()})
    await visit(api, "POST", "/api/v1/validate-auth")
    await visit(api, "GET", "/api/v2/users")
    await walk(api, "/api/v1/contacts", {"first_name": "John", "last_name": "Doe", "primary_phone": "+390312345678"})
    subscription = {"callback_url": "http://a.example", "event_type": "CALL_ANSWERED"}
    await walk(api, "/api/v1/webhook-subscriptions", subscription)
    await ring(api)
    page = await visit(api, "POST", EVENTS, query="?size=100&sort=timestamp,desc", body={})
    for row in {row["type"]: row for row in page["content"]}.values():
        await visit(api, "GET", f"{EVENTS}/{{id}}", of=str(row["id"]))
        await visit(api, "GET", EVENTS, query=f"?callId={row['callId']}")
    await visit(api, "GET", EVENTS, query="?callId=unknown")


async def walk(api: Api, path: str, body: dict[str, Any]) -> None:
    created = await visit(api, "POST", path, body=body)
    await visit(api, "GET", path)
    for method in ("PUT", "POST", "GET", "DELETE"):
        await visit(api, method, f"{path}/{{id}}", of=created["id"], body=body | {"id": created["id"]})


async def ring(api: Api) -> None:
    path = "/api/v1/click-to-call"
    number = api.sandbox.state.directory.dids[0].number
    created = await visit(api, "POST", path, body={"name": "a", "extension": "101", "outboundNumber": number})
    await visit(api, "POST", f"{path}/{{id}}/connect", of=created["id"], body={"contact": "+39987654321"})
    await visit(api, "GET", path)
    for method in ("GET", "DELETE"):
        await visit(api, method, f"{path}/{{id}}", of=created["id"])


def test_rows_satisfy_the_schema_of_their_type_and_have_no_other_fields() -> None:
    events = Sandbox(events=2000, contacts=50).state.events
    for row in (events[each] for each in events.ids):
        name = KINDS[row["type"]]
        OAS31Validator({"$ref": f"urn:spec#/components/schemas/{name}"}, registry=REGISTRY).validate(row)
        assert set(row) <= set(SCHEMAS[name]["properties"])


def test_the_paths_and_methods_are_those_of_the_spec() -> None:
    routes = Routes(Quirks())
    described = {path: {verb.upper() for verb in item if verb in VERBS} for path, item in SPEC["paths"].items()}
    found = {path: routes.find(path.replace("{id}", "1")) for path in described}
    assert {path: set(target.methods) for path, target in found.items() if target} == described
