"""What `import voxloud_async` may cost: its share of time is measured in benchmarks/import_time.py."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

import voxloud_async


def loaded_by(statement: str) -> set[str]:
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)  # noqa: S603 - own program
    return set(done.stdout.split())


def of_ours(modules: set[str]) -> set[str]:
    return {module for module in modules if module.partition(".")[0] == "voxloud_async"}


def test_the_face_loads_nothing_but_itself_and_the_standard_library() -> None:
    loaded = loaded_by("import voxloud_async")
    assert of_ours(loaded) == {"voxloud_async", "voxloud_async._version"}
    foreign = {module.partition(".")[0] for module in loaded} - sys.stdlib_module_names
    assert foreign == {"voxloud_async"}


def test_an_error_class_is_had_without_the_client() -> None:
    loaded = loaded_by("import voxloud_async; voxloud_async.errors.NotFoundError")
    assert of_ours(loaded) == {"voxloud_async", "voxloud_async._version", "voxloud_async.errors"}


def test_the_models_are_had_without_the_transport() -> None:
    loaded = loaded_by("from voxloud_async import models")
    assert "voxloud_async.models" in loaded
    assert not loaded & {"aiohttp", "tenacity", "voxloud_async.client"}


def test_the_client_needs_no_extra_and_none_of_the_side_rooms() -> None:
    loaded = loaded_by("from voxloud_async import VoxloudClient")
    assert not loaded & {"cyclopts", "httpx2", "redis", "rich"}
    rooms = {module.split(".")[1] for module in of_ours(loaded) if "." in module}
    assert not rooms & {"cli", "frames", "recordings", "sandbox", "testing", "webhooks"}


def test_recordings_are_had_without_the_client() -> None:
    loaded = loaded_by("from voxloud_async.recordings import Recordings; Recordings(transport='aiohttp')")
    assert "voxloud_async.recordings.download" in loaded
    rooms = {module.split(".")[1] for module in of_ours(loaded) if "." in module}
    assert not rooms & {"cli", "client", "frames", "paging", "resources", "sandbox", "testing", "webhooks"}
    assert not loaded & {"cyclopts", "httpx2", "redis", "rich", "voxloud_async.session.auth"}


def test_the_receiver_needs_no_server_and_no_extra() -> None:
    loaded = loaded_by("from voxloud_async.webhooks import WebhookReceiver; WebhookReceiver(secret='x' * 32).asgi()")
    assert "voxloud_async.webhooks.receiver" in loaded
    assert not loaded & {"aiohttp", "asyncpg", "fastapi", "redis", "starlette", "voxloud_async.client"}


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("RedisRate", "_ratelimit.redis_rate"),
        ("RetryPolicy", "session.policy"),
        ("VoxloudClient", "client"),
        ("errors", "errors"),
        ("models", "models"),
    ],
)
def test_every_name_is_the_object_of_its_home(name: str, home: str) -> None:
    module = import_module(f"voxloud_async.{home}")
    vars(voxloud_async).pop(name, None)
    assert getattr(voxloud_async, name) in (module, getattr(module, name, None))
    assert name in vars(voxloud_async), "the second use must not look for it again"


def test_an_unknown_name_is_refused_as_by_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'voxloud_async' has no attribute 'Client'"):
        voxloud_async.Client  # type: ignore[attr-defined]  # noqa: B018 - the look-up is the test


@pytest.mark.parametrize(("name", "home"), [("Contact", "models"), ("PhoneCall", "models"), ("ApiError", "errors")])
def test_a_model_or_error_that_is_imported_from_the_package_is_pointed_at(name: str, home: str) -> None:
    with pytest.raises(ImportError, match=f"{name} is in voxloud_async.{home}: import it from there"):
        exec(f"from voxloud_async import {name}")  # noqa: S102 - the statement that a user writes
    assert loaded_by("import voxloud_async; hasattr(voxloud_async, 'contact')") == loaded_by("import voxloud_async")


def test_dir_lists_the_public_names_before_they_are_loaded() -> None:
    assert dir(voxloud_async) == sorted(voxloud_async.__all__)
