"""The ways from a page's bytes to objects. Each gives the rows of the page, read with the same fields and types."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Annotated, Any, Union

import attrs
import msgspec
import openai
import orjson
import pydantic
from pydantic import Discriminator, Field, Tag, create_model

from benchmarks.generated_client import module
from voxloud_async.models import Model
from voxloud_async.protocol.codec import decode, structure

from .pages import Page

OURS = "voxloud_async"
BASE = "orjson.loads alone"
CATTRS = "cattrs, detailed hooks"
PYDANTIC = "pydantic, extra=allow"

Way = Callable[[], object]


def ways(page: Page) -> dict[str, Way]:
    """Every way, for one page."""
    text, kind = page.text, page.kind
    return {
        BASE: lambda: orjson.loads(text),
        "json.loads alone": lambda: json.loads(text),
        OURS: lambda: decode(text, kind),
        CATTRS: lambda: structure(orjson.loads(text), kind),
        PYDANTIC: _pydantic(page),
        "msgspec, unknown fields dropped": _msgspec(page),
        "openapi-python-client": _generated(page),
        "openai BaseModel.construct": _openai(page),
    }


def _fields(model: type[Model]) -> Sequence[attrs.Attribute[Any]]:
    return [each for each in attrs.fields(attrs.resolve_types(model)) if "wire" in each.metadata]


def _tag(model: type[Model]) -> str:
    return {"PhoneCall": "PHONE_CALL", "ClickToCallCall": "CLICK_TO_CALL", "FaxCall": "FAX_CALL"}.get(
        model.__name__, model.__name__
    )


def _pydantic_models(page: Page, base: type[pydantic.BaseModel]) -> list[Any]:
    def made(model: type[Model]) -> Any:
        members: dict[str, Any] = {
            each.name: (each.type, Field(... if each.default is attrs.NOTHING else None, alias=each.metadata["wire"]))
            for each in _fields(model)
        }
        return create_model(model.__name__, __base__=base, **members)

    return [made(model) for model in page.models]


def _pydantic(page: Page) -> Way:
    class Base(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow", frozen=True)

    kinds = _pydantic_models(page, Base)
    row: Any = kinds[0]
    if len(kinds) > 1:
        tagged = [Annotated[kind, Tag(_tag(model))] for kind, model in zip(kinds, page.models, strict=True)]
        row = Annotated[Union[tuple(tagged)], Discriminator(lambda value: value["type"])]  # noqa: UP007 - many
    members: dict[str, Any] = {page.rows: (tuple[row, ...], ...)}
    whole = create_model("Whole", __base__=Base, **members)
    return lambda: whole.model_validate_json(page.text)


def _msgspec(page: Page) -> Way:
    def made(model: type[Model]) -> type[msgspec.Struct]:
        tagged = len(page.models) > 1
        members: list[Any] = []
        for each in _fields(model):
            if not (tagged and each.name == "type"):
                needed = each.default is attrs.NOTHING
                members.append((each.name, each.type) if needed else (each.name, each.type, None))
        names = {each.name: each.metadata["wire"] for each in _fields(model)}
        tag: dict[str, Any] = {"tag_field": "type", "tag": _tag(model)} if tagged else {}
        return msgspec.defstruct(model.__name__, members, rename=names, kw_only=True, frozen=True, **tag)

    row: Any = reduce(or_, [made(model) for model in page.models])
    decoder = msgspec.json.Decoder(msgspec.defstruct("Whole", [(page.rows, tuple[row, ...])]))
    return lambda: decoder.decode(page.text)


def _openai(page: Page) -> Way:
    kinds = _pydantic_models(page, openai.BaseModel)
    row: Any = kinds[0] if len(kinds) == 1 else Union[tuple(kinds)]  # noqa: UP007 - of a number that only running tells
    members: dict[str, Any] = {page.rows: (list[row], ...)}
    whole = create_model("Whole", __base__=openai.BaseModel, **members)
    return lambda: whole.construct(**json.loads(page.text))


def _generated(page: Page) -> Way:
    snake = {"PhoneCall": "phone_call", "ClickToCallCall": "click_to_call_call", "FaxCall": "fax_call"}
    readers = {
        _tag(model): getattr(module(f"models.{snake.get(name, name.lower())}"), name).from_dict
        for model in page.models
        for name in [model.__name__]
    }
    only = next(iter(readers.values()))

    def read() -> object:
        rows = orjson.loads(page.text)[page.rows]
        return [only(row) for row in rows] if len(readers) == 1 else [readers[row["type"]](row) for row in rows]

    return read
