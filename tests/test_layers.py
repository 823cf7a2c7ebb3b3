"""The floors of the house: who may import whom, counting `TYPE_CHECKING` blocks and imports inside functions."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import voxloud_async

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "voxloud_async"
ROOT = Path(voxloud_async.__file__).parent
BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

Graph = dict[str, set[str]]

FLOORS: Mapping[str, int] = {
    "_clock": 0,
    "_version": 0,
    "errors": 0,
    "spec": 0,
    "_tracebacks": 1,
    "models": 1,
    "wire": 1,
    "_streams": 2,
    "protocol": 2,
    "_ratelimit": 3,
    "session": 4,
    "paging": 4,
    "resources": 5,
    "recordings": 5,
    "client": 6,
    "contact_files": 6,
    "frames": 7,
    "cli": 8,
}
"""A room imports from the floors below its own, and from itself."""

SIDE_ROOMS: Mapping[str, set[str]] = {
    "webhooks": {
        "_tracebacks",
        "errors",
        "models",
        "protocol.arguments",
        "protocol.codec",
        "protocol.jsontext",
        "_clock",
    },
    "sandbox": {"spec"},
    "testing": {"errors", "models", "wire"},
    "otel": {"_version", "session.events"},
    "pytest_plugin": {"client", "sandbox", "testing"},
    "__main__": {"cli"},
}
"""Rooms off the staircase, and all that each may import beside itself."""

GUESTS: Mapping[str, set[str]] = {"cli": {"sandbox", "webhooks"}}
"""The side rooms that a floor may enter as well."""


def room_of(module: str) -> str:
    return module.partition(".")[0]


def allowed_to(room: str) -> set[str]:
    if room in SIDE_ROOMS:
        return {room, *SIDE_ROOMS[room]}
    below = {other for other, floor in FLOORS.items() if floor < FLOORS[room]}
    return {room, *below, *GUESTS.get(room, set())}


def violations(graph: Graph) -> list[str]:
    """Every import that leads up, sideways or through the package face (the module "")."""
    return [
        f"{module} imports {target or 'the package face'}"
        for module, targets in sorted(graph.items())
        for target in sorted(targets)
        if not any(target == door or target.startswith(f"{door}.") for door in allowed_to(room_of(module)))
    ]


def cycle(graph: Graph) -> list[str]:
    """The modules of one import cycle, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def scan(root: Path, package: str = PACKAGE) -> Graph:
    """Which modules each module imports, by names relative to the package; the face itself is no importer."""
    files = {module_name(path.relative_to(root)): path for path in root.rglob("*.py")}
    return {
        name: {target for target in imports(path, name, package, files) if target != name}
        for name, path in files.items()
        if name
    }


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, name: str, package: str, known: Mapping[str, Path]) -> Iterator[str]:
    full = f"{package}.{name}"
    here = full if path.name == "__init__.py" else full.rpartition(".")[0]
    for target in targets(ast.parse(path.read_text(encoding="utf-8")), here):
        if target == package or target.startswith(f"{package}."):
            yield nearest_module(target.removeprefix(package).removeprefix("."), known)


def nearest_module(dotted: str, known: Mapping[str, Path]) -> str:
    """`wire.message.Request` is a name in the module `wire.message`."""
    while dotted and dotted not in known:
        dotted = dotted.rpartition(".")[0]
    return dotted


def targets(tree: ast.Module, here: str) -> Iterator[str]:
    """The absolute dotted name of everything imported in a module of the package `here`."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                origin = resolve_name("." * level + (module or ""), here)
                yield from (f"{origin}.{alias.name}" for alias in names)
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(named)), *_],
            ):
                yield resolve_name(named, here)


@pytest.fixture(scope="module")
def house() -> Graph:
    return scan(ROOT)


def test_every_room_has_its_place(house: Graph) -> None:
    assert {room_of(module) for module in house} == {*FLOORS, *SIDE_ROOMS}


def test_the_modules_that_a_side_room_may_enter_exist(house: Graph) -> None:
    assert {door for doors in SIDE_ROOMS.values() for door in doors} <= {*house}


def test_tests_import_benchmarks_and_not_the_reverse() -> None:
    named = {path: set(absolute(path)) for path in BENCHMARKS.rglob("*.py")}
    assert "benchmarks.streaming.shifting.Schedule" in named[BENCHMARKS / "streaming" / "drift.py"]
    assert [path for path, names in named.items() if any(room_of(name) == "tests" for name in names)] == []


def absolute(path: Path) -> Iterator[str]:
    package = ".".join(path.relative_to(BENCHMARKS.parent).parent.parts)
    return targets(ast.parse(path.read_text(encoding="utf-8")), package)


def test_a_room_imports_only_from_the_floors_below(house: Graph) -> None:
    assert violations(house) == []


def test_no_modules_import_one_another_in_a_circle(house: Graph) -> None:
    assert cycle(house) == []


def test_the_scanner_sees_the_real_imports(house: Graph) -> None:
    assert "wire.message" in house["wire.transport"]
    assert "errors" in house["protocol.codec.codec"]


PLANTED = {
    "an import up": ("from ..client import VoxloudClient", "client"),
    "an absolute import": ("import voxloud_async.client", "client"),
    "a module of a package": ("from .. import client", "client"),
    "a type-checking block": ("if TYPE_CHECKING:\n    from ..client import VoxloudClient", "client"),
    "an import in a function": ("def late():\n    from ..client import VoxloudClient", "client"),
    "an import by name": ("importlib.import_module('voxloud_async.client')", "client"),
    "a relative import by name": ("import_module('..client', __package__)", "client"),
    "the package face": ("from .. import VoxloudClient", "the package face"),
}


@pytest.mark.parametrize(("source", "target"), PLANTED.values(), ids=PLANTED)
def test_the_scanner_finds_a_planted_import(tmp_path: Path, source: str, target: str) -> None:
    plant(tmp_path, {"wire/message.py": source, "client.py": "from .wire.message import Request"})
    assert violations(scan(tmp_path)) == [f"wire.message imports {target}"]


def test_the_scanner_finds_a_planted_circle(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "wire/message.py": "from .transport import Transport",
            "wire/transport.py": "import voxloud_async.wire.aiohttp",
            "wire/aiohttp.py": "def send():\n    from . import message",
        },
    )
    assert set(cycle(scan(tmp_path))) == {"wire.aiohttp", "wire.message", "wire.transport"}


def test_a_side_room_enters_no_floor_but_those_named(tmp_path: Path) -> None:
    plant(
        tmp_path,
        {
            "protocol/codec.py": "",
            "protocol/exchange.py": "",
            "sandbox/server.py": "from ..models import Contact\nfrom ..spec import load",
            "webhooks/parse.py": "from ..protocol.codec import decode\nfrom ..protocol.exchange import read_response",
            "models/__init__.py": "",
            "spec/__init__.py": "",
        },
    )
    assert violations(scan(tmp_path)) == [
        "sandbox.server imports models",
        "webhooks.parse imports protocol.exchange",
    ]


def plant(root: Path, sources: Mapping[str, str]) -> None:
    for name, source in {"__init__.py": "", "wire/__init__.py": "", **sources}.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
