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


def bound(package: ModuleType) -> set[str]:
    """The public names that a package's own code binds: its submodules come and go with who imported them."""
    return {
        name
        for name, value in vars(package).items()
        if not name.startswith("_") and name != "annotations" and not is_submodule(package, value)
    }


def is_submodule(package: ModuleType, value: object) -> bool:
    return isinstance(value, ModuleType) and value.__name__.startswith(f"{package.__name__}.")


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
def test_a_package_lists_every_public_name_it_binds(name: str) -> None:
    package = import_module(name)
    assert bound(package) - set(listed(package)) == set()


def test_the_face_offers_what_is_promised_and_nothing_else() -> None:
    assert voxloud_async.__all__ == ["RetryPolicy", "VoxloudClient", "__version__", "errors", "models"]


@pytest.mark.parametrize("name", ["voxloud_async", *MODULES])
def test_every_module_says_what_it_is(name: str) -> None:
    assert (import_module(name).__doc__ or "").strip()


def documented() -> list[object]:
    """The objects a user meets: those of the face, the errors and the models, and the public methods of the client."""
    found: list[object] = []
    for name in ("voxloud_async", "voxloud_async.errors", "voxloud_async.models"):
        module = import_module(name)
        found += [getattr(module, listed_name) for listed_name in listed(module)]
    return [value for value in found if inspect.isclass(value) or inspect.isfunction(value)]


def test_every_public_object_has_a_docstring_of_its_own() -> None:
    assert [value for value in documented() if not vars(value).get("__doc__") and not inspect.isfunction(value)] == []
    assert [value for value in documented() if inspect.isfunction(value) and not value.__doc__] == []


def test_every_public_method_of_the_client_has_a_docstring() -> None:
    methods = inspect.getmembers(voxloud_async.VoxloudClient, inspect.isfunction)
    assert [name for name, method in methods if not name.startswith("_") and not inspect.getdoc(method)] == []
