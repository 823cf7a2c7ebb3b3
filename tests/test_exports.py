"""The surface: what each package offers is listed, sorted, complete and explained."""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

import voxloud_async

MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(voxloud_async.__path__, "voxloud_async.")
    if info.name != "voxloud_async.__main__"
)
PACKAGES = [info.name for info in pkgutil.walk_packages(voxloud_async.__path__, "voxloud_async.") if info.ispkg]


def listed(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", []))


def defined(package: ModuleType) -> set[str]:
    """The public names of a package's own code; ruff's F401 sees an import that it neither uses nor lists."""
    return {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == package.__name__
    }


def as_sorted(names: list[str]) -> list[str]:
    """Constants, then classes, then the rest, each by the alphabet: the order ruff gives `__all__`."""
    return sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


@pytest.mark.parametrize("name", ["voxloud_async", *MODULES])
def test_what_a_module_lists_is_there_and_in_order(name: str) -> None:
    module = import_module(name)
    names = listed(module)
    assert names == as_sorted(names)
    assert len(names) == len(set(names))
    assert [missing for missing in names if not hasattr(module, missing)] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_lists_every_public_name_it_defines(name: str) -> None:
    package = import_module(name)
    assert defined(package) - set(listed(package)) == set()


def test_the_face_offers_what_is_promised_and_nothing_else() -> None:
    assert voxloud_async.__all__ == ["RedisRate", "RetryPolicy", "VoxloudClient", "__version__", "errors", "models"]


def documented() -> list[type]:
    """The classes a user meets through the face."""
    modules = [import_module(name) for name in ("voxloud_async", "voxloud_async.errors", "voxloud_async.models")]
    offered = [getattr(module, name) for module in modules for name in listed(module)]
    return [value for value in offered if inspect.isclass(value)]


def test_every_public_object_has_a_docstring_of_its_own() -> None:
    assert [value for value in documented() if not vars(value).get("__doc__")] == []


def test_every_public_method_of_the_client_has_a_docstring() -> None:
    methods = inspect.getmembers(voxloud_async.VoxloudClient, inspect.isfunction)
    assert [name for name, method in methods if not name.startswith("_") and not inspect.getdoc(method)] == []
