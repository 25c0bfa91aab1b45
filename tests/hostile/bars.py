"""What attacks may cost, and how it is said what they did."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NOMINAL = 0.0070
"""What `metered_server.reference` takes on the machine for which the bars were agreed, in seconds."""

SLICE = 0.020
"""How long the loop may be held at a time, in seconds of CPU time on that machine."""

STRAY = 1.5
"""How many times longer a slice may be on a busy machine, and every hundredth twice as long again."""

RATIO = 5
"""How much longer an innocent line may take under attack than under as many who talk at full speed."""

QUICKEST = 0.002
"""What a line takes at least, in seconds: what is quicker is for a busy machine to decide."""

CONSTANT = 3
"""How much more an item may cost among many than among few, where the cost should be the same."""


@dataclass(frozen=True)
class Scale:
    """How large the attacks are."""

    flooders: int
    lines: int
    """How many lines of innocents are waited for."""
    room: int
    """How many are in a large room."""
    tls_room: int
    listers: int
    bearers: int
    """How many have one name."""
    bans: int
    storm: int
    """How many connections a banned address opens."""
    networks: int
    handshakes: int
    key_updates: int
    """By each connection that updates its key."""
    seconds: float
    """How long those of one address talk."""
    leavers: int
    """How many leave at once."""
    all_kinds: bool
    """Whether every kind of an attack is made, or those that say the most."""


FULL = Scale(200, 40, 8000, 1000, 200, 3000, 10_000, 2000, 20_000, 500, 40_000, 10.0, 8000, True)
QUICK = Scale(200, 12, 2000, 60, 50, 400, 10_000, 300, 5_000, 200, 10_000, 3.0, 3000, False)


@dataclass(frozen=True)
class Outcome:
    """What came of an attack: what was measured, what it should have been, and whether it was."""

    attack: str
    measured: str
    bar: str
    held: bool
    timed: bool = False
    """Whether it is a time, which a machine that is busy with something else may make longer."""

    def __str__(self) -> str:
        return f"{'    ' if self.held else 'MISS'}  {self.attack:<58} {self.measured:<58} {self.bar}"


Attack = Callable[[Scale, Path], Iterator[Outcome]]
"""Is made at a scale, with a folder for its files."""


def growth(attack: str, growth: float, most: float) -> Outcome:
    """Memory, in MiB."""
    return Outcome(attack, f"{growth:+,.1f} MiB", f"<= {most} MiB", growth <= most)


def delivery(attack: str, times: Sequence[float], control: Sequence[float]) -> Outcome:
    """How long lines of innocents took, in seconds; one that was lost took endlessly long."""
    measured, usual = statistics.median(times), statistics.median(control)
    took = "is lost" if math.isinf(measured) else f"takes {measured * 1000:,.1f} ms"
    return Outcome(
        attack,
        f"an innocent line {took}, with text {usual * 1000:,.1f} ms",
        f"<= {RATIO} x that with text",
        measured <= RATIO * max(usual, QUICKEST),
        timed=True,
    )


def cost(attack: str, each: float, control: float, of: str) -> Outcome:
    """The CPU time for one item, in seconds."""
    return Outcome(
        attack,
        f"{each * 1e6:,.0f} us for each, with {of} {control * 1e6:,.0f}",
        f"<= {CONSTANT} x",
        each <= CONSTANT * control,
        timed=True,
    )


def slices(attack: str, longest: Sequence[float], turns: int) -> Outcome:
    """How long the loop was held, the longest first, in seconds at the agreed machine's pace."""
    most = max(longest, default=0.0)
    long = sum(each > SLICE for each in longest)
    return Outcome(
        attack,
        f"longest slice {most * 1000:,.0f} ms, {long} of {turns} above",
        f"<= {SLICE * 1000:.0f} ms a slice",
        (long <= turns / 100 and most <= 2 * STRAY * SLICE) or most <= STRAY * SLICE,
        timed=True,
    )
