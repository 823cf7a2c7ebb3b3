"""Writes the Python of README.md and docs/ into modules, one a page, for type checkers to read: `pages.py FOLDER`.

The blocks of a page build on one another, and await as in a notebook: so a page becomes one coroutine function. Its
lines keep their numbers.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def module_of(page: str) -> str:
    """The module of a page, whose line n is the page's."""
    lines = [""] * page.count("\n")
    for block in _BLOCK.finditer(page):
        first = page.count("\n", 0, block.start(1))
        for number, line in enumerate(block[1].splitlines(), first):
            lines[number] = f"    {line}"
    return "\n".join(["async def page() -> None:", *lines[1:], "    ..."]) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for path in (ROOT / "README.md", *ROOT.glob("docs/*.md")):
        name = path.stem.lower().replace("-", "_")
        (folder / f"{name}_page.py").write_text(module_of(path.read_text(encoding="utf-8")), encoding="utf-8")
