"""What the clients of a cluster have said and heard, and what is wrong with it; no processes, no clocks.

Each speaker numbers what it says. What a client has not heard is lost, unless it was told why:

- *away*: said by somebody whose node was cut off, and heard there alone; or said while its own node was cut
  off, which begins `hold` seconds before it is told;
- *partly*: said within a second before the only server, which keeps the log in memory, ended. What it has
  sent to some nodes and not to others is nowhere any more;
- *announced*: the client was told that lines are missing, between the lines around them;
- *unsaid*: nobody at all has heard it, and the node that its speaker was connected to has ended.

A line's time is when the first of all clients heard it. Two lines that two clients hear in another order are
*crossed*; after such an end that may be, and never otherwise.
"""

from __future__ import annotations

import enum
import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

SLACK = 2.0
"""How many seconds more than the hold a link may be silent until its node is cut off, on a busy machine."""

BACK_SLACK = 0.5
"""How many seconds after it is told that the link is back a client may read what is older."""

END = 1.0
"""How many seconds before a server ends its lines may reach some nodes only."""


class Mark(enum.Enum):
    """What a client is told about its node's link; the value is how the sentence begins."""

    CUT_OFF = "Cut off from "
    BACK = "The link is back: "
    MISSING = "Some lines of others are missing here."


@dataclass(eq=False)
class Hearing:
    """What one client has said and heard. Times are in seconds, all of one clock."""

    home: str
    """The node that it is connected to; one that is started anew is another."""

    speaker: int = 0
    """Its number as a speaker, which no other has; 0 = it says nothing."""

    came_at: float = math.inf
    """When it was welcomed: it has to hear what is said from then on."""

    is_cut_short: bool = False
    """Whether its node has ended."""

    said: array[float] = field(default_factory=lambda: array("d"))
    """When it said its first line, its second one, and so on."""

    speakers: array[int] = field(default_factory=lambda: array("L"))
    numbers: array[int] = field(default_factory=lambda: array("L"))
    times: array[float] = field(default_factory=lambda: array("d"))
    marks: list[tuple[int, float, Mark]] = field(default_factory=list)
    """What it was told after how many lines, and when."""

    def hear(self, speaker: int, number: int, at: float) -> None:
        self.speakers.append(speaker)
        self.numbers.append(number)
        self.times.append(at)

    def be_told(self, mark: Mark, at: float) -> None:
        self.marks.append((len(self.times), at, mark))

    @property
    def is_cut_off(self) -> bool:
        """Whether its node is cut off, as far as it was told."""
        links = [mark for _, _, mark in self.marks if mark is not Mark.MISSING]
        return bool(links) and links[-1] is Mark.CUT_OFF

    @property
    def cuts(self) -> Iterator[tuple[int, float, int, float]]:
        """From which to which line it was cut off, each with the time."""
        begin: tuple[int, float] | None = None
        for place, at, mark in self.marks:
            if mark is Mark.CUT_OFF:
                begin = begin or (place, at)
            elif mark is Mark.BACK and begin is not None:
                yield (*begin, place, at)
                begin = None
        if begin is not None:
            yield (*begin, len(self.times), math.inf)

    def silence(self, since: float, until: float) -> float:
        """The longest time without a line, in seconds, between two moments."""
        within = [at for at in self.times if since <= at <= until]
        return max((later - at for at, later in pairwise([since, *within, until])), default=0.0)


@dataclass
class Verdict:
    """What is wrong; counted are lines, each once for each node. A line is (speaker, number)."""

    lost: set[tuple[int, int, str]] = field(default_factory=set)
    twice: set[tuple[int, int, str]] = field(default_factory=set)
    disordered: set[tuple[int, int, str]] = field(default_factory=set)
    """Lines that came after a later one of the same speaker."""
    invented: set[tuple[int, int, str]] = field(default_factory=set)
    crossed: int = 0
    away: set[tuple[int, int, str]] = field(default_factory=set)
    announced: set[tuple[int, int, str]] = field(default_factory=set)
    partly: set[tuple[int, int, str]] = field(default_factory=set)
    unsaid: set[tuple[int, int, str]] = field(default_factory=set)
    heard: int = 0

    def faults(self, *, may_cross: bool) -> list[str]:
        """What must not be, in words; `may_cross` after the log may have lost its end."""
        kinds = ("lost", "twice", "disordered", "invented")
        found = [f"{kind}: {_some(getattr(self, kind))}" for kind in kinds if getattr(self, kind)]
        if self.crossed and not may_cross:
            found.append(f"crossed: {self.crossed} pairs of lines in another order for two clients")
        return found


def _some(lines: set[tuple[int, int, str]]) -> str:
    first = ", ".join(
        f"line {number} of speaker {speaker} at {home}" for speaker, number, home in sorted(lines)[:5]
    )
    return f"{len(lines)} ({first})"


class _Judge:
    def __init__(self, hearings: Sequence[Hearing], hold: float, ends: Sequence[float]) -> None:
        self.hearings = hearings
        self.hold = hold
        self.ends = ends
        self.verdict = Verdict()
        self.speakers = {each.speaker: each for each in hearings if each.speaker}
        counts = {number: len(each.said) for number, each in self.speakers.items()}
        self.first_at = {number: [math.inf] * count for number, count in counts.items()}
        self.at_home = {number: bytearray(count) for number, count in counts.items()}
        self.elsewhere = {number: bytearray(count) for number, count in counts.items()}
        self.places: dict[Hearing, dict[int, list[int]]] = {}
        for hearing in hearings:
            self._read(hearing, {number: [-1] * count for number, count in counts.items()})

    def _read(self, hearing: Hearing, places: dict[int, list[int]]) -> None:
        """Note what `hearing` has heard, and what of that is wrong in itself."""
        verdict, home = self.verdict, hearing.home
        last = dict.fromkeys(places, -1)
        for place, (speaker, number, at) in enumerate(
            zip(hearing.speakers, hearing.numbers, hearing.times, strict=True)
        ):
            line = (speaker, number, home)
            if speaker == hearing.speaker or number >= len(places.get(speaker, ())):
                verdict.invented.add(line)
                continue
            if places[speaker][number] >= 0:
                verdict.twice.add(line)
                continue
            places[speaker][number] = place
            if number < last[speaker]:
                verdict.disordered.add(line)
            last[speaker] = number
            self.first_at[speaker][number] = min(self.first_at[speaker][number], at)
            at_home = home == self.speakers[speaker].home
            (self.at_home if at_home else self.elsewhere)[speaker][number] = 1
        verdict.heard += len(hearing.times)
        self.places[hearing] = places

    def judge(self) -> Verdict:
        # By home, whether the line was heard there while it was cut off.
        self.alone = {number: self._said_alone(each) for number, each in self.speakers.items()}
        for hearing in self.hearings:
            for speaker in self.speakers.values():
                if speaker is not hearing:
                    self._look(hearing, speaker)
        witnesses = [each for each in self.hearings if not each.speaker]
        for one, other in combinations(witnesses, 2):
            self.verdict.crossed += self._crossed(one, other)
        for one in self.hearings:
            if one.speaker:
                neighbours = [each for each in witnesses if each.home == one.home][:1]
                self.verdict.crossed += sum(self._crossed(one, each) for each in neighbours)
        return self.verdict

    def _said_alone(self, speaker: Hearing) -> set[int]:
        """The lines that somebody at the speaker's home heard while it was cut off."""
        found: set[int] = set()
        for hearing in self.hearings:
            if hearing.home == speaker.home and hearing is not speaker:
                for begin, _, end, _ in hearing.cuts:
                    heard = zip(hearing.speakers[begin:end], hearing.numbers[begin:end], strict=True)
                    found.update(number for who, number in heard if who == speaker.speaker)
        return found

    def _look(self, hearing: Hearing, speaker: Hearing) -> None:
        """Find out why `hearing` has not heard all that `speaker` said."""
        places = self.places[hearing][speaker.speaker]
        end = len(places)
        if hearing.is_cut_short:
            while end and places[end - 1] < 0:
                end -= 1
        due = bisect_left(speaker.said, hearing.came_at)
        before, missing = -1, list[int]()
        for number in range(end):
            if places[number] < 0:
                if number >= due:
                    missing.append(number)
                continue
            self._sort(hearing, speaker, missing, before, places[number])
            before, missing = places[number], []
        self._sort(hearing, speaker, missing, before, len(hearing.times))

    def _sort(
        self, hearing: Hearing, speaker: Hearing, missing: Iterable[int], before: int, after: int
    ) -> None:
        """Say of lines that are missing between two places where they are."""
        for number in missing:
            kind = self._why(hearing, speaker, number, before, after)
            kind.add((speaker.speaker, number, hearing.home))

    def _why(
        self, hearing: Hearing, speaker: Hearing, number: int, before: int, after: int
    ) -> set[tuple[int, int, str]]:
        verdict, at = self.verdict, self.first_at[speaker.speaker][number]
        at_home, elsewhere = self.at_home[speaker.speaker][number], self.elsewhere[speaker.speaker][number]
        if not (at_home or elsewhere):
            return verdict.unsaid if speaker.is_cut_short else verdict.lost
        if number in self.alone[speaker.speaker] and not elsewhere:
            return verdict.away
        for begin, cut_at, end, back_at in hearing.cuts:
            is_between = before < end and begin <= after
            if is_between and cut_at - self.hold - SLACK <= at <= back_at + BACK_SLACK:
                return verdict.away
        if any(end - END <= at <= end + BACK_SLACK for end in self.ends):
            return verdict.partly
        if any(before < place <= after for place, _, mark in hearing.marks if mark is Mark.MISSING):
            return verdict.announced
        return verdict.lost

    def _crossed(self, one: Hearing, other: Hearing) -> int:
        """How many lines come after another for the one, and next before it for the other."""
        places = self.places[one]
        heard = zip(other.speakers, other.numbers, strict=True)
        common = [
            places[speaker][number]
            for speaker, number in heard
            if number < len(places.get(speaker, ())) and places[speaker][number] >= 0
        ]
        return sum(later < place for place, later in pairwise(common))


def judge(hearings: Sequence[Hearing], hold: float, ends: Sequence[float] = ()) -> Verdict:
    """Compare what was said with what was heard.

    Args:
        hearings: of all clients. Those of one node that is cut off hear each other.
        hold: after how many seconds of silence a node goes on alone.
        ends: when the only server, which keeps the log in memory, ended.
    """
    return _Judge(hearings, hold, ends).judge()
