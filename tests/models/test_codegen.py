"""The generated files are what the generator writes, byte by byte."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import voxloud_async

pytest.importorskip("datamodel_code_generator", reason="the group `codegen` is not installed")

ROOT = Path(__file__).parent.parent.parent
PACKAGE = Path(voxloud_async.__file__).parent

sys.path.insert(0, str(ROOT))
from codegen import render  # noqa: E402 - a tool beside the package, found from the root
from codegen.__main__ import main  # noqa: E402 - the same


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return render.files()


@pytest.fixture
def copied(tmp_path: Path, made: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in made:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PACKAGE / name, tmp_path / name)
    monkeypatch.setattr(render, "files", lambda: made)
    return tmp_path


def test_the_files_are_what_the_generator_writes(made: dict[str, str]) -> None:
    assert {name: (PACKAGE / name).read_bytes() for name in made} == {
        name: code.encode() for name, code in made.items()
    }


def test_every_file_that_is_not_hand_written_is_generated(made: dict[str, str]) -> None:
    written = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("models/[!_]*.py")}
    assert written | {"models/__init__.py", "spec/voxloud.json"} == set(made)


def test_a_generated_file_says_so(made: dict[str, str]) -> None:
    models = [code for name, code in made.items() if name.startswith("models/")]
    assert all(code.startswith("# Generated from spec/voxloud.yaml by `python -m codegen`.") for code in models)


def test_check_accepts_the_files_as_they_are(copied: Path) -> None:
    assert main(["--check"], copied) == 0


def test_check_refuses_a_changed_file_and_leaves_it(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copied / "models" / "users.py").write_text("changed")
    (copied / "spec" / "voxloud.json").unlink()
    assert main(["--check"], copied) == 1
    assert (copied / "models" / "users.py").read_text() == "changed"
    assert not (copied / "spec" / "voxloud.json").exists()
    assert capsys.readouterr().err.count("differs: ") == 2


def test_without_check_the_files_are_written(copied: Path, made: dict[str, str]) -> None:
    (copied / "models" / "users.py").write_text("changed")
    assert main([], copied) == 0
    assert (copied / "models" / "users.py").read_bytes() == made["models/users.py"].encode()
    assert main(["--check"], copied) == 0
