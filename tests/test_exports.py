"""The surface: what each module offers is listed, sorted, complete and explained."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import voxloud_async
from voxloud_async import client, paging
from voxloud_async.protocol import page
from voxloud_async.resources import contacts, incremental
from voxloud_async.resources.bulk import outcome, run
from voxloud_async.session import events, policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

MODULES = [
    "voxloud_async",
    *sorted(
        info.name
        for info in pkgutil.walk_packages(voxloud_async.__path__, "voxloud_async.")
        if info.name != "voxloud_async.__main__"
    ),
]
LISTING = [name for name in MODULES if hasattr(import_module(name), "__all__")]
PACKAGES = [name for name in MODULES if hasattr(import_module(name), "__path__")]
FACES = [name for name in LISTING if not name.rpartition(".")[2].startswith("_")]


def listed(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", []))


def written(module: ModuleType) -> Iterator[str]:
    """The public names that the source of a module gives itself: what it defines, and in a package what it fetches."""
    assert module.__file__
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level and hasattr(module, "__path__"):
            yield from (alias.asname or alias.name for alias in node.names)
    yield from (name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__)


def public(names: Iterator[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def as_sorted(names: list[str]) -> list[str]:
    """Constants, then classes, then the rest, each by the alphabet: the order ruff gives `__all__`."""
    return sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


@pytest.mark.parametrize("name", LISTING)
def test_what_a_module_lists_is_there_and_in_order(name: str) -> None:
    module = import_module(name)
    names = listed(module)
    assert names == as_sorted(names) != []
    assert len(names) == len(set(names))
    assert [missing for missing in names if not hasattr(module, missing)] == []


@pytest.mark.parametrize("name", sorted({*LISTING, *PACKAGES}))
def test_a_module_that_lists_and_every_package_list_all_their_public_names(name: str) -> None:
    module = import_module(name)
    assert public(written(module)) - set(listed(module)) == set()


def test_what_a_package_fetches_and_a_module_defines_is_seen() -> None:
    assert {"Sandbox", "Weather"} <= public(written(import_module("voxloud_async.sandbox")))
    assert {"FakeClock", "answer"} <= public(written(import_module("voxloud_async.testing")))


def test_the_face_offers_what_is_promised_and_nothing_else() -> None:
    assert voxloud_async.__all__ == ["RedisRate", "RetryPolicy", "VoxloudClient", "__version__", "errors", "models"]


def resources() -> list[type]:
    """What hangs on a client, such as `client.contacts`."""
    made = voxloud_async.VoxloudClient("key", base_url="https://pbx.example.com")
    return [type(value) for name, value in vars(made).items() if not name.startswith("_")]


def documented() -> list[object]:
    """What a user meets: all that the faces list, and what hangs on those."""
    faces = [import_module(name) for name in FACES]
    offered = [getattr(face, name) for face in faces for name in listed(face)]
    told = [value for value in vars(events).values() if inspect.isclass(value) and value.__module__ == events.__name__]
    lists = [paging.Listing, paging.PageStream, page.Page, page.Progress]
    more = [*resources(), *told, *lists, policy.RetryPolicy, client.InsecureBaseURLWarning]
    more += [incremental.Batch, run.BulkRun, run.BulkOptions, outcome.Outcome, outcome.Summary]
    own = [value for value in (*offered, *more) if inspect.isclass(value) or inspect.isfunction(value)]
    return list(dict.fromkeys(own))


each_documented = pytest.mark.parametrize("value", documented(), ids=lambda value: value.__qualname__)


def methods(value: object) -> dict[str, object]:
    """The public methods and properties that a class defines itself."""
    kinds = (classmethod, staticmethod, property)
    members = vars(value).items() if inspect.isclass(value) else ()
    return {
        name: member
        for name, member in members
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, kinds))
    }


def test_the_resources_the_lists_and_the_sandbox_are_among_the_documented() -> None:
    named = {getattr(value, "__name__", "") for value in documented()}
    assert named >= {
        *("VoxloudClient", "Contacts", "Users", "WebhookSubscriptions", "TelephonyEvents", "ClickToCalls"),
        *(
            "Listing",
            "Page",
            "Progress",
            "Sandbox",
            "Weather",
            "FakeTransport",
            "Contact",
            "NotFoundError",
            "parse_webhook",
        ),
    }
    assert {"create", "patch", "search"} <= set(methods(contacts.Contacts))


@each_documented
def test_every_public_object_has_a_docstring_of_its_own(value: object) -> None:
    assert vars(value).get("__doc__") if inspect.isclass(value) else value.__doc__


@each_documented
def test_every_public_method_has_a_docstring_of_its_own(value: object) -> None:
    assert [name for name, member in methods(value).items() if not member.__doc__] == []
