"""The calls of a sandbox, and what becomes of their deliveries, as options of the console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from attrs import frozen
from cyclopts import Group, Parameter
from cyclopts.validators import Number

from ..sandbox import Misfortune, Traffic


@Parameter(name="*", group=Group("Calls", sort_key=30))
@frozen(kw_only=True)
class Calls:
    """Which calls come, and how their webhooks fare."""

    traffic: Annotated[float | None, Parameter(validator=Number(gt=0))] = None
    """Calls that come each second, on average; subscriptions to a URL of this machine are told of them."""

    pace: Annotated[float | None, Parameter(validator=Number(gte=0))] = None
    """Seconds that a second of a call takes; 0, where all is over at once, unless there is traffic, and then 1."""

    misfortune: Annotated[list[str] | None, Parameter(allow_repeating=True)] = None
    """NAME=SHARE: that share of deliveries is doubled, overtaken, late, dropped, cut or slow. May be repeated."""

    def options(self, seed: int) -> dict[str, Any]:
        """What the sandbox calls them; ValueError where an option does not read."""
        return {
            "traffic": None if self.traffic is None else Traffic(calls_per_second=self.traffic, seed=seed),
            "pace": float(self.traffic is not None) if self.pace is None else self.pace,
            "misfortune": Misfortune(**read_shares(self.misfortune or ())),
        }


def read_shares(texts: Sequence[str]) -> dict[str, float]:
    """The shares of `Misfortune` out of texts such as doubled=0.1."""
    names = [name for name, _ in Misfortune().shares]
    shares: dict[str, float] = {}
    for text in texts:
        name, _, share = text.partition("=")
        if name not in names:
            raise ValueError(f"--misfortune is one of {', '.join(names)}")
        try:
            shares[name] = float(share)
        except ValueError:
            raise ValueError("--misfortune must be NAME=SHARE, such as doubled=0.1") from None
    return shares
