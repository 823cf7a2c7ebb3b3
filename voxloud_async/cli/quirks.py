"""The sandbox's quirks, as options of the console name them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import asdict

from ..sandbox import Quirks


def quirk_lines() -> list[str]:
    """Every quirk with its values, the default first, and what of the API text it plays."""
    chosen, reasons = asdict(Quirks()), Quirks.reasons()
    settings = {name: _setting(name, values, chosen[name]) for name, values in Quirks.readings().items()}
    width = max(map(len, settings.values()))
    return [f"{setting:<{width}}  {reasons[name]}" for name, setting in settings.items()]


def read_quirks(texts: Sequence[str]) -> dict[str, Any]:
    """The fields of `Quirks` out of texts such as contact_update=post."""
    readings = Quirks.readings()
    chosen = {}
    for text in texts:
        name, _, value = text.partition("=")
        values = {str(each): each for each in readings.get(name.replace("-", "_"), ())}
        if not values:
            raise ValueError(f"--quirk: there is no {name}; see voxloud sandbox --list-quirks")
        if value not in values:
            raise ValueError(f"--quirk {name} is one of {', '.join(map(repr, values))}")
        chosen[name.replace("-", "_")] = values[value]
    return chosen


def _setting(name: str, values: Sequence[Any], default: Any) -> str:
    words = [repr(str(each))[1:-1] for each in sorted(values, key=lambda value: value != default)]
    return f"{name}={'|'.join(words)}"
