"""What is looked for in the log. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .entry import BODY, MARKS, Entry, Kind
from .moments import moment, past_moment

_PRIVATE = (Kind.PRIVATE, Kind.SENT)
_PRIVATE_WORDS = (MARKS[Kind.PRIVATE], ">>")
"""What stands for private lines in a query; the second is for keyboards that lack the first."""

_JOINS = (Kind.JOIN, Kind.LEAVE, Kind.RENAME)

_TOKEN = re.compile(r'((?:since|until):|)"([^"]*)"?|(\S+)')
"""A phrase, also one that is not complete yet, or a word."""


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
    joins: bool = False
    """Only who came, went or took another name."""
    since: float | None = None
    """Not before this time, in seconds since the epoch."""
    until: float | None = None
    """Before this time, in seconds since the epoch."""
    who: int | None = None
    """Only what is from or about the user with this id."""
    time: float | None = None
    """Where to go, in seconds since the epoch."""

    @classmethod
    def parse(cls, text: str, now: float) -> Query:
        """Make a query of what an operator typed at `now`, in seconds since the epoch.

        `@max` is the beginning of a sender's name, `»` means private lines, `is:join` who came and went,
        `since:2d` and `until:21:30` are times as `moments.past_moment` reads them, and all else is words or
        `"a phrase"`. Alone, a time is where to go: `22:40`, `-20m` or `2026-11-20 21:30`.
        """
        if (at := _place(text.strip(), now)) is not None:
            return cls(text, time=at)
        words: list[str] = []
        sender, private, joins = "", False, False
        times: dict[str, float] = {}
        for key, phrase, word in _TOKEN.findall(text):
            name, _, value = (key + phrase if key else word).partition(":")
            at = past_moment(value, now, end=name == "until") if name in ("since", "until") else None
            if at is not None:
                times[name] = at
            elif word.startswith("@"):
                sender = word[1:].casefold()
            elif word in _PRIVATE_WORDS:
                private = True
            elif word == "is:join":
                joins = True
            elif key + phrase + word:
                words.append((key + phrase + word).casefold())
        return cls(
            text,
            tuple(words),
            sender,
            private,
            joins=joins,
            since=times.get("since"),
            until=times.get("until"),
        )

    @classmethod
    def of_user(cls, user_id: int, text: str = "") -> Query:
        """Make a query for all that is from or about a user; `text` says so to the operator."""
        return cls(text, who=user_id)

    def __bool__(self) -> bool:
        """Whether it looks for anything."""
        return bool(self.words) or self._has_conditions

    @property
    def _has_conditions(self) -> bool:
        """Whether there is more than words."""
        numbers = (self.who, self.since, self.until)
        return bool(self.sender) or self.private or self.joins or any(each is not None for each in numbers)

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
            case (word,) if not self._has_conditions:
                return lambda entry: word in f"{entry.sender}: {entry.text}".casefold()
            case words:
                return lambda entry: self._is_of(entry) and _contains(entry, words)

    def _is_of(self, entry: Entry) -> bool:
        """Whether an entry is of the user and the kind that are asked for."""
        return (
            (self.who is None or entry.who == self.who)
            and (not self.private or entry.kind in _PRIVATE)
            and (not self.joins or entry.kind in _JOINS)
            and (self.since is None or entry.time >= self.since)
            and (self.until is None or entry.time < self.until)
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


def _place(text: str, now: float) -> float | None:
    """Return the time that all of `text` means, or None."""
    if text.startswith("-"):
        return moment(text[1:], now) if text[1:].isalnum() else None
    return past_moment(text, now) if text[:1].isdigit() and not text.isalnum() else None


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
