"""What may reach a client or the operator's terminal. Written without a look at the server's own cleaning."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import pyte
from support import terminals

MARK = "OWNED"
"""Stands inside control strings that must vanish as a whole: wherever it is seen, one came through."""

COLUMNS, ROWS = 100, 30
"""The size of the operator's terminal."""

MOST_FAULTS = 20
"""How many faults are noted or told; what follows is most often the same over again."""

# The parts of Unicode's Default_Ignorable_Code_Point, and the Braille blank; the exceptions need a character.
_IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff"
    "\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e00ff"
    "\U000e01f0-\U000e0fff]"
)
_NEVER = ("Cc", "Cs", "Co", "Zl", "Zp")

_NAME = r"(?:127\.0\.0\.1\|\d+|[A-Za-z0-9_.-]{1,20})"

_LINE = re.compile(
    rf"(?P<speaker>{_NAME}): (?P<text>.*)"
    rf"|(?P<whisperer>{_NAME})\(private\): (?P<secret>.*) "
    r"|Welcome 127\.0\.0\.1\|\d+ to the server!"
    rf"|(?P<old>{_NAME}) is now (?P<new>{_NAME})"
    rf"|(?P<left>{_NAME}) has left the server\."
    rf"|(?P<reply>You are now {_NAME}|Message sent to 1 users of name {_NAME}|Server started on port \d+)"
    r"|(?P<goodbye>Server is shutting down|You have left the server)"
)
"""Every line that a client who only talks and whispers may get, and every line of the plain console."""

_SEEN_MARK = re.compile(rf"{MARK}-[0-9a-f]{{6}}/?\w")
"""One with text behind it. At the end of a line a client may have been cut off: then the string never ended,
and only its introducer vanishes."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[^\[\]])")
_LONGEST_ESCAPE = 100

_SGR = r"(?:[34]8;(?:5;\d+|2;\d+;\d+;\d+)|[34]9|2[2-9]|[0123479]?)"
_TEXTUAL = re.compile(
    rf"\x1b[78M]|\x1b\[(?:{_SGR}(?:;{_SGR})*m|\d{{1,2}}(?:;\d{{1,3}})?H|\d{{0,3}}[A-D]|\d{{1,3}}X"
    r"|(?:\d{1,2};\d{1,2})?r|\d{1,3};\d{1,3}s|5n"
    r"|\?(?:7|25|69|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]|\?(?:69|2026|2048)\$p|>\d+u|<u)"
    r"|\x1b\]22;[a-z-]+\x07"
)
"""What the console writes to set colours, to move the cursor, to erase, to scroll and to enter or leave its
modes."""

_SCROLLED = re.compile(r"\n+(?=\x1b\[r)")
"""Line feeds that move a part of the screen up, at its last row."""

_MOVED = re.compile(r"\r\n|[\r\v\b]+")
"""What comes between two texts: the end of a line, or a move of the cursor."""

_FAILURE = re.compile(r"Traceback|Error while serving|internal error|Exception ignored")
"""What the program says of itself when something has gone wrong inside."""
_LONGEST_FAILURE = 20


def text_of(name: str, number: int) -> str:
    """What a talker says as its line `number`: so a lost, doubled or damaged one is told from the others."""
    return f"{number} is a line of {name}: grüße, 你好, e\u0301, \U0001f469\u200d\U0001f680 <3"


def unclean(text: str) -> str:
    """Say which characters of one line, given without its ending, must never have reached anybody."""
    if text.isascii() and text.isprintable():
        return ""
    found = [
        character
        for character in dict.fromkeys(text)
        if unicodedata.category(character) in _NEVER
        or _IGNORABLE.match(character)
        or ord(character) & 0xFFFE == 0xFFFE
        or "\ufdd0" <= character <= "\ufdef"
    ]
    return " ".join(f"U+{ord(character):04X}" for character in found)


def shortened(faults: Sequence[str]) -> list[str]:
    """The first of `faults`, and how many more there are."""
    more = len(faults) - MOST_FAULTS
    return [*faults[:MOST_FAULTS], *([f"{more} more"] if more > 0 else [])]


class Faults(list[str]):
    """What one reader has found wrong, each fault once and at most `MOST_FAULTS`."""

    def __init__(self, who: str) -> None:
        super().__init__()
        self._who = who

    def note(self, fault: str) -> None:
        fault = f"{self._who}: {fault}"
        if len(self) < MOST_FAULTS and fault not in self:
            self.append(fault)


class Stream:
    """What one reader gets: it must be UTF-8, in lines, and clean.

    Args:
        who: the reader, as faults name it.
    """

    def __init__(self, who: str) -> None:
        self.who = who
        self.faults = Faults(who)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._tail = ""

    def take(self, data: bytes) -> None:
        """Look at what has come."""
        try:
            text = self._decoder.decode(data)
        except UnicodeDecodeError as error:
            self.faults.note(f"not UTF-8: {data[max(0, error.start - 40) : error.end + 40]!r}")
            self._decoder.reset()
            text = data.decode("utf-8", "replace")
        self._take_text(text)

    def _take_text(self, text: str) -> None:
        *lines, self._tail = (self._tail + text).split("\n")
        for line in lines:
            self._take_line(line)

    def _take_line(self, line: str) -> None:
        self._check(line.removesuffix("\r"))

    def _check(self, text: str) -> None:
        if found := unclean(text):
            self.faults.note(f"got {found} in {text[:200]!r}")
        if _SEEN_MARK.search(text):
            self.faults.note(f"got the inside of a control string: {text[:200]!r}")


class Errors(Stream):
    """What the program writes to stderr: nothing of a failure inside."""

    def _check(self, text: str) -> None:
        super()._check(text)
        if _FAILURE.search(text):
            self.faults.note(f"says {text[:200]!r}")


class Transcript(Stream):
    """What a talker gets, or the operator from the plain console: also complete, in order and not forged.

    Args:
        who: the talker's name, or another one for the operator.
        talkers: the names of all talkers.
        sayings: what the operator has said so far, to everybody.
        partner: the talker whose private lines are for this reader.
        crlf: whether every line must end in CR LF, once `settled`.
    """

    def __init__(
        self, who: str, talkers: tuple[str, ...], sayings: set[str], *, partner: str = "", crlf: bool = False
    ) -> None:
        super().__init__(who)
        self.settled = False
        """Whether the talkers have their names; from then on none takes another one, and none leaves."""
        self.named: set[str] = set()
        """Whose new names have come."""
        self.heard: Counter[str] = Counter()
        """How many lines of each talker have come."""
        self.whispers: Counter[str] = Counter()
        """How many private lines of the partner have come."""
        self.replies: Counter[str] = Counter()
        """How often each answer of the server has come."""
        self.seen: set[str] = set()
        """What of `sayings` has come."""
        self._partner = partner
        self._crlf = crlf
        self._talkers = frozenset(talkers)
        self._sayings = sayings

    def _take_line(self, line: str) -> None:
        text = line.removesuffix("\r")
        if self.settled and (line != text) is not self._crlf:
            self.faults.note(f"wrong line end: {line[-200:]!r}")
        self._check(text)
        match = _LINE.fullmatch(text)
        if match is None:
            self.faults.note(f"got a line of no known kind: {text[:200]!r}")
        elif (name := match["speaker"]) is not None:
            if name == "Operator":
                self.seen.add(match["text"])
                if match["text"] not in self._sayings:
                    self.faults.note(f"got what the operator never said: {text[:200]!r}")
            elif name in self._talkers:
                self._count(self.heard, name, match["text"])
        elif (name := match["whisperer"]) in self._talkers:
            if name != self._partner:
                self.faults.note(f"got what {name} whispered to somebody else: {text[:200]!r}")
            self._count(self.whispers, name, match["secret"])
        elif not self._talkers.isdisjoint((match["old"], match["new"], match["left"])):
            self.named.add(match["new"])
            if self.settled:
                self.faults.note(f"got a forged line: {text[:200]!r}")
        elif reply := match["reply"] or match["goodbye"]:
            self.replies[reply] += 1

    def _count(self, counter: Counter[str], name: str, text: str) -> None:
        due = counter[name] + 1
        if text == text_of(name, due):
            counter[name] = due
            return
        number = text.partition(" ")[0]
        if not number.isdecimal() or text != text_of(name, int(number)):
            self.faults.note(f"got a damaged or forged line of {name}: {text[:200]!r}")
        else:
            self.faults.note(f"got line {number} of {name} where {due} was due")
            counter[name] = int(number)


class Screen(Stream):
    """What the console writes to the operator's terminal: known sequences, and clean text.

    Args:
        who: the reader, as faults name it.
    """

    def __init__(self, who: str) -> None:
        super().__init__(who)
        self.text = ""
        """The last of what was written, without the sequences, in the order of writing."""
        self._terminal = terminals.Screen(COLUMNS, ROWS)
        self._painting = pyte.ByteStream(self._terminal)

    def take(self, data: bytes) -> None:
        super().take(data)
        self._painting.feed(data)

    def shows(self, text: str) -> bool:
        """Whether a row of the terminal has `text` now."""
        return any(text in row for row in self._terminal.display)

    def _take_text(self, text: str) -> None:
        text = self._tail + text
        end = _whole(text)
        text, self._tail = text[:end], text[end:]
        for escape in _ESCAPE.finditer(text):
            if not _TEXTUAL.fullmatch(escape[0]):
                self.faults.note(f"got {escape[0]!r} behind {text[: escape.start()][-60:]!r}")
        shown = _ESCAPE.sub("", _SCROLLED.sub("", text))
        for line in _MOVED.split(shown):
            self._check(line)
        fresh = self.text[-_LONGEST_FAILURE:] + shown
        if failure := _FAILURE.search(fresh):
            self.faults.note(f"says {fresh[failure.start() : failure.start() + 200]!r}")
        self.text = (self.text + shown)[-(1 << 16) :]


def _whole(text: str) -> int:
    """Up to where `text` may be looked at: not into a sequence, or line feeds, that have not all come."""
    start = text.rfind("\x1b")
    if start >= 0 and len(text) - start < _LONGEST_ESCAPE and not _ESCAPE.match(text, start):
        text = text[:start]
    return len(text.rstrip("\r\n"))
