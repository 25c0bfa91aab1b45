"""Finding entries in a scrollback: what is looked for, and the hits. Pure, with a clock handed in."""

from __future__ import annotations

import re
import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .entry import BODY, MARKS, Entry, Kind
from .scrollback import Scrollback

_PRIVATE = (Kind.PRIVATE, Kind.SENT)
_PRIVATE_WORDS = (MARKS[Kind.PRIVATE], ">>")
"""What stands for private lines in a query; the second is for keyboards that lack the first."""

_CHUNK = 64
"""How many entries are looked at between two looks at the clock. Those of 4 KB each take 3 ms."""

_CLOCK_TIME = re.compile(r"(\d\d?):(\d\d)(?::(\d\d))?")
_AGO = re.compile(r"-(\d{1,6})([smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: all that is set must hold for an entry, or for one that it stands for.

    A query with a `time` has no hits.
    """

    text: str = ""
    """What was typed, or what stands for it."""
    words: tuple[str, ...] = ()
    """Each is somewhere in the sender or the text; case-folded."""
    sender: str = ""
    """The sender's name begins with this; case-folded."""
    private: bool = False
    """Only private lines, to or from the operator."""
    who: int | None = None
    """Only what is from or about the user with this id."""
    time: float | None = None
    """Where to go, in seconds since the epoch."""

    @classmethod
    def parse(cls, text: str, now: float) -> Query:
        """Make a query of what an operator typed at `now`, in seconds since the epoch.

        `@max` is the beginning of a sender's name, `»` means private lines, and all else is words. One word
        alone may be a time: `22:40` or `22:40:15`, of today or else of yesterday, or `-90s`, `-20m` or `-2h`.
        """
        tokens = text.split()
        if len(tokens) == 1 and (at := _time(tokens[0], now)) is not None:
            return cls(text, time=at)
        names = [token[1:].casefold() for token in tokens if token.startswith("@")]
        private = any(token in _PRIVATE_WORDS for token in tokens)
        words = [token for token in tokens if not token.startswith("@") and token not in _PRIVATE_WORDS]
        return cls(text, tuple(map(str.casefold, words)), names[-1] if names else "", private)

    @classmethod
    def of_user(cls, user_id: int, text: str = "") -> Query:
        """Make a query for all that is from or about a user; `text` says so to the operator."""
        return cls(text, who=user_id)

    def __bool__(self) -> bool:
        """Whether it looks for anything."""
        return bool(self.words or self.sender or self.private) or self.who is not None

    def finds(self, entry: Entry) -> bool:
        """Whether `entry` is a hit."""
        return bool(self.hits([entry], 0))

    def hits(self, entries: Sequence[Entry], first: int) -> list[int]:
        """Return which of `entries` are hits; the first has the serial number `first`."""
        if not self:
            return []
        holds = self._holds
        # Most entries stand for no others: a call less for each of them is half the time.
        return [
            serial
            for serial, entry in enumerate(entries, first)
            if holds(entry) or (entry.folded and any(map(holds, entry.folded)))
        ]

    @property
    def _holds(self) -> Callable[[Entry], bool]:
        """What tells whether the query holds for one entry, whatever that stands for."""
        match self.words:
            case ():
                return self._is_of
            case (word,) if not self.sender and not self.private and self.who is None:
                return lambda entry: word in f"{entry.sender}: {entry.text}".casefold()
            case words:
                return lambda entry: self._is_of(entry) and _contains(entry, words)

    def _is_of(self, entry: Entry) -> bool:
        """Whether an entry is of the user and the kind that are asked for."""
        return (
            (self.who is None or entry.who == self.who)
            and (not self.private or entry.kind in _PRIVATE)
            and (not self.sender or _name(entry).casefold().startswith(self.sender))
        )

    def spans(self, text: str, sender_end: int) -> list[tuple[int, int]]:
        """Return where in the shown text of a hit is what was found; a span that ends at -1 goes to the end.

        If that is nowhere, it is in what the entry stands for, or is about all of it: then it is the sender,
        or all of a text without one.
        """
        found = [span for word in self.words for span in _occurrences(word, text, BODY)]
        if self.sender or not found:
            found.append((BODY, sender_end if sender_end > BODY else -1))
        return sorted(found)


def _contains(entry: Entry, words: Sequence[str]) -> bool:
    text = f"{entry.sender}: {entry.text}".casefold()
    return all(word in text for word in words)


def _name(entry: Entry) -> str:
    """Return the name of who said a line, or to whom."""
    return entry.sender.removeprefix("to ") if entry.kind is Kind.SENT else entry.sender


def _time(word: str, now: float) -> float | None:
    """Return the time that `word` means, or None."""
    if match := _AGO.fullmatch(word):
        return now - int(match[1]) * _SECONDS[match[2]]
    match = _CLOCK_TIME.fullmatch(word)
    if not match:
        return None
    hour, minute, second = (int(part or 0) for part in match.groups())
    if hour > 23 or minute > 59 or second > 59:
        return None
    today = time.localtime(now)
    for day in (today.tm_mday, today.tm_mday - 1):
        at = time.mktime((today.tm_year, today.tm_mon, day, hour, minute, second, 0, 0, -1))
        if at <= now:
            break
    return at


def _occurrences(word: str, text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield where the case-folded `word` is in `text` from `start` on."""
    folded = text.casefold()
    # Case-folding may make several characters of one; then each stands where that one does.
    origins: Sequence[int] = range(len(text))
    if len(folded) != len(text):
        origins = [index for index, character in enumerate(text) for _ in character.casefold()]
    at = folded.find(word, bisect_left(origins, start))
    while at >= 0:
        yield origins[at], origins[at + len(word) - 1] + 1
        at = folded.find(word, at + len(word))


class Search:
    """The hits of a query in a scrollback, which are found little by little, the newest first.

    It keeps up with the scrollback: what is appended is looked at with the next `step`, what is dropped is no
    hit any more, and `replaced` must be told of what is replaced.

    Args:
        clock: monotonic, in seconds.
    """

    def __init__(
        self, scrollback: Scrollback, query: Query, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.query = query
        self.hits: list[int] = []
        """The serial numbers found until now, in their order. The list itself stays the same."""
        self._scrollback = scrollback
        self._clock = clock
        self._low = self._high = scrollback.next  # What is between them has been looked at.

    @property
    def is_done(self) -> bool:
        """Whether all entries have been looked at."""
        return self._low <= self._scrollback.first and self._high == self._scrollback.next

    def step(self, seconds: float) -> bool:
        """Go on for `seconds`, or at most 3 ms longer, and return whether all entries have been looked at."""
        give_up_at = self._clock() + seconds
        first, after = self._scrollback.first, self._scrollback.next
        self._high = max(self._high, first)
        self._low = min(max(self._low, first), self._high)
        del self.hits[: bisect_left(self.hits, first)]
        while not self.is_done:
            if self._high < after:
                start, self._high = self._high, min(self._high + _CHUNK, after)
                self.hits += self._found(start, self._high)
            else:
                end, self._low = self._low, max(self._low - _CHUNK, first)
                self.hits[:0] = self._found(self._low, end)
            if self._clock() >= give_up_at:
                break
        return self.is_done

    def _found(self, start: int, end: int) -> list[int]:
        first = self._scrollback.first
        return self.query.hits(self._scrollback.entries[start - first : end - first], start)

    def replaced(self, serial: int) -> None:
        """Look anew at an entry that has been replaced."""
        if self._low <= serial < self._high:
            is_hit = serial in self._scrollback and self.query.finds(self._scrollback[serial])
            if is_hit and serial not in self:
                insort(self.hits, serial)
            elif not is_hit and serial in self:
                self.hits.remove(serial)

    def __contains__(self, serial: int) -> bool:
        """Whether that entry is a hit."""
        at = bisect_left(self.hits, serial)
        return at < len(self.hits) and self.hits[at] == serial

    def number(self, serial: int) -> int:
        """Return how many hits there are up to this entry."""
        return bisect_right(self.hits, serial)

    def older(self, serial: int) -> int | None:
        """Return the hit next before an entry, or None."""
        at = bisect_left(self.hits, serial)
        return self.hits[at - 1] if at else None

    def newer(self, serial: int) -> int | None:
        """Return the hit next after an entry, or None."""
        at = bisect_right(self.hits, serial)
        return self.hits[at] if at < len(self.hits) else None
