"""Measuring on a machine that others use too: contenders take turns, and only ratios within one round are compared."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping

from attrs import frozen

Clock = Callable[[], float]


@frozen
class Timings:
    """Seconds of each contender, one figure a round."""

    seconds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """The middle of a contender's rounds."""
        return statistics.median(self.seconds[name])

    def ratio(self, name: str, of: str) -> float:
        """The middle of the ratios that two contenders had in the same round: what slows both down cancels out."""
        pairs = zip(self.seconds[name], self.seconds[of], strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)


def alternate(
    contenders: Mapping[str, Callable[[], object]], *, rounds: int, clock: Clock = time.process_time, warm: int = 1
) -> Timings:
    """Let every contender run once a round, in an order that turns by one each round, after `warm` rounds unmeasured.

    `clock` is the CPU time of this process, or `time.perf_counter` where waiting counts.
    """
    names = [*contenders]
    seconds: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.freeze()  # what was there before is nobody's: to look through it again and again takes longer than the rounds
    for number in range(-warm, rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            spent = _timed(contenders[name], clock)
            if number >= 0:
                seconds[name].append(spent)
    gc.unfreeze()
    return Timings(seconds)


def _timed(run: Callable[[], object], clock: Clock) -> float:
    gc.collect()  # nobody pays for the garbage of another
    started = clock()
    run()
    return clock() - started
