"""What becomes of deliveries on their way. Values, and chance as a function of the seed."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge

from ..dice import Dice

Mishap = Literal["doubled", "overtaken", "late", "dropped", "cut", "slow"]

_FINE = 1_000_000


@frozen(kw_only=True)
class Misfortune:
    """The misfortunes of deliveries; the same seed brings the same ones to the same calls.

    Shares of deliveries, together at most 1: `doubled` are sent twice, perhaps at once; `overtaken` are sent after the
    next one of their call; `late` wait up to `lateness` seconds; `dropped` are never sent; `cut` lose their connection
    when the receiver has answered, so that its answer is not known; the body of `slow` ones trickles for `slow_body`
    seconds.
    """

    doubled: float = 0.0
    overtaken: float = 0.0
    late: float = 0.0
    lateness: float = field(default=1.0, validator=ge(0.0))
    dropped: float = 0.0
    cut: float = 0.0
    slow: float = 0.0
    slow_body: float = field(default=1.0, validator=ge(0.0))

    def __attrs_post_init__(self) -> None:
        shares = [share for _, share in self.shares]
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError("the shares of deliveries must lie between 0 and 1, and so must their sum")

    @property
    def shares(self) -> tuple[tuple[Mishap, float], ...]:
        """Each mishap and its share of deliveries."""
        return (
            ("doubled", self.doubled),
            ("overtaken", self.overtaken),
            ("late", self.late),
            ("dropped", self.dropped),
            ("cut", self.cut),
            ("slow", self.slow),
        )


@frozen
class Lot:
    """What happens to one delivery; `delay` is milliseconds."""

    mishap: Mishap | None = None
    delay: int = 0


def draw(misfortune: Misfortune, dice: Dice) -> Lot:
    """The lot of one delivery."""
    share, wait = dice.below(_FINE) / _FINE, dice.below(_FINE) / _FINE
    for mishap, chance in misfortune.shares:
        if share < chance:
            return Lot(mishap, round(wait * misfortune.lateness * 1000) if mishap == "late" else 0)
        share -= chance
    return Lot()
