"""A client that openapi-python-client makes from this project's OpenAPI document, in a folder thrown away after use."""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

SPEC = Path(__file__).parents[1] / "voxloud_async" / "spec" / "voxloud.yaml"
NAME = "generated_voxloud"


@contextmanager
def generated_client() -> Iterator[ModuleType]:
    """The package of the generated client, importable until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yaml")
        config.write_text("post_hooks: []\nliteral_enums: true\n", encoding="utf-8")
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--path", str(SPEC)]
        command += ["--output-path", str(Path(folder, NAME)), "--config", str(config)]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
        sys.path.insert(0, folder)
        try:
            yield importlib.import_module(NAME)
        finally:
            sys.path.remove(folder)


def module(path: str) -> ModuleType:
    """A module of it, such as `models.contact`."""
    return importlib.import_module(f"{NAME}.{path}")
