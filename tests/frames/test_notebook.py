"""The notebook of the documentation, run from top to bottom by a real kernel."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

from voxloud_async.sandbox import Sandbox
from voxloud_async.sandbox.background import in_background

if TYPE_CHECKING:
    import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "examples" / "calls.ipynb"


def test_every_cell_runs_and_shows_no_personal_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with in_background(Sandbox(events=2000, contacts=5, users=4, now=datetime.now(UTC))) as sandbox:
        monkeypatch.setenv("VOXLOUD_BASE_URL", sandbox.url)
        monkeypatch.setenv("VOXLOUD_API_KEY", sandbox.api_key)
        monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
        monkeypatch.setenv("JUPYTER_PATH", _kernels(tmp_path))
        notebook = _notebook()
        NotebookClient(notebook, timeout=120, kernel_name="this").execute()
    company, frame, table = (_shown(cell) for cell in notebook.cells[1:4] if cell.cell_type == "code")
    assert company
    assert "EventFrame: " in frame
    assert "***" in frame
    assert "+39" not in frame
    assert "INBOUND" in table


def test_it_is_kept_without_its_results() -> None:
    notebook = _notebook()
    assert [cell.outputs for cell in notebook.cells if cell.cell_type == "code"] == [[]] * 4


def _notebook() -> Any:
    read: Any = nbformat.read  # it has no types
    return read(NOTEBOOK, as_version=4)


def _kernels(folder: Path) -> str:
    """A kernel of this very Python, whichever others are installed."""
    home = folder / "kernels" / "this"
    home.mkdir(parents=True)
    arguments = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    text = '{"argv": [%s], "display_name": "this", "language": "python"}'
    (home / "kernel.json").write_text(text % ", ".join(f'"{each}"' for each in arguments))
    return os.fspath(folder)


def _shown(cell: Any) -> str:
    data = cell.outputs[-1]["data"]
    return str(data.get("text/html") or data["text/plain"])
