"""What all calls together may spend on sending again, so that a broken service is not hammered by each of thousands.

The numbers are those of the AWS SDKs' standard retry mode: 35 repetitions at once, and 14 successes pay for another.
"""

from __future__ import annotations

CAPACITY = 500
PRICE = 14


class RetryBudget:
    """Shared by the calls of a client: a repetition after a fault spends of it, a success adds to it.

    Refusals - 429, 503 - do not count: the gate of the limit bounds them already.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = self._left = capacity

    def spend(self) -> bool:
        """Pay for one repetition, if there is enough left."""
        if self._left < PRICE:
            return False
        self._left -= PRICE
        return True

    def earn(self) -> None:
        """A call succeeded."""
        if self._left < self._capacity:
            self._left += 1
