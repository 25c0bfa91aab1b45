"""What hostile clients send. All of it comes from the random generator that is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .checks import MARK, text_of

MAX_LINE = 2048
"""The longest line that the server takes, in bytes."""

IAC, DONT, DO, WONT, WILL, SB, SE = 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0xFA, 0xF0

DO_TIMING_MARK = bytes([IAC, DO, 6])

# A mark inside each: as a whole they must leave nothing at all. The 8-bit forms are those of UTF-8.
_CONTROL_STRINGS = (
    "\x1b]0;{}\x07",
    "\x1b]0;{}\x1b\\",
    "\x1b]2;{}\x9c",
    "\x1b]8;;http://{}/\x1b\\",
    "\x1b]52;c;{}\x07",
    "\x1bP$q{}\x1b\\",
    "\x1bX{}\x1b\\",
    "\x1b^{}\x1b\\",
    "\x1b_{}\x1b\\",
    "\x9d0;{}\x9c",
    "\x9d2;{}\x07",
    "\x90{}\x9c",
    "\x98{}\x9c",
    "\x9e{}\x1b\\",
    "\x9f{}\x9c",
    "\x9d0;{}\x18",
    "\x1b]0;{}\x1b[m",  # cut short
)

# None of these is among the sequences that the console writes itself.
_CONTROLS = (
    *("\x1b[2A", "\x1b[999;999H", "\x1b[2J", "\x1b[K", "\x1b[31m", "\x1b[5;8m", "\x1b[?47h", "\x1b[6n"),
    *("\x1b[>c", "\x1b[2 q", "\x1b[!p", "\x1bc", "\x1b7", "\x1b8", "\x1bD", "\x1bM", "\x1b(0", "\x1b#8"),
    *(
        "\x1bOP",
        "\x1bO5Q",
        "\x1b[[A",
        "\x1bN",
        "\x8fP",
        "\x1b(B\x1b[m",
        "\x1b%G",
        "\x1b/",
        "\x1b]0;",
        "\x1bP",
        "\x90",
    ),
    *("\x9b2A", "\x9b31m", "\x9b", "\x1b", "\x1b[", "\x1b]", "\x84", "\x85", "\x88", "\x8d", "\x8e", "\x9c"),
    *("\x07", "\x08", "\x0b", "\x0c", "\x0e", "\x0f", "\x11", "\x13", "\x18", "\x1a", "\x7f", "\x05", "\x00"),
    *("\x1b\x1b[2A[2A", "\x1b[\x1b[2A2A", "\x1b]0;\x1b[2A\x07", "\x1bP\x1b]0;\x07\x1b\\", "\x1b[1\x7f2A"),
)

_INVISIBLE = (
    *("\u202e", "\u202d", "\u202c", "\u2066", "\u2069", "\u200e", "\u200f", "\u061c", "\u200b", "\u200d"),
    *("\u2028", "\u2029", "\ufeff", "\u00ad", "\u2060", "\u2800", "\u3164", "\u115f", "\uffa0", "\u034f"),
    *("\U000e0001", "\U000e0041", "\ufe0f", "\ufff9", "\ue000", "\U0010ffff", "\ufdd0", "\U000f0000"),
    *("\u0301" * 50, "\u0489" * 20, "\u20dd", "\ufdfd", "\U0001f469\u200d\U0001f469\u200d\U0001f467"),
)

# Markup of the console's toolkit, which must neither be obeyed nor end the console.
_MARKUP = (
    *("[red]", "[/]", "[/nope]", "[@click=app.quit]x[/]", "[link=http://x]", "[b", "\\"),
    *("$primary", "{0}", "%s"),
)

_BROKEN_UTF8 = (
    *(b"\x80", b"\xbf", b"\xc2", b"\xe2\x82", b"\xf0\x9f\x91", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\xaf"),
    *(b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfe", b"\xe2\x80"),
    *(b"\xc2\x1b[2A", b"\xe2\x1b[2A", b"\x9b2A", b"\x9d0;x\x07", b"\x85", b"\xc0\x9b2A", b"\xf0\x80\x80\x9b"),
)

_BEFORE_FORGED = (
    *("x\r", "x\r\n", "x\r\0", "x\x0b", "x\x0c", "x\x1c", "x\x1e", "x\x85", "x\u2028", "x\u2029", "\u202e"),
    *("x\x1bE", "x\x1b[1E", "x\x1b[2K\x1b[1G", "\x1b[99D", "\b" * 60, "\x7f" * 60, "x\b\b", "x" + " " * 180),
)

_WORDS = ("hello", "who is here", "Grüße", "你好世界", "\U0001f600", "ȧ̈b", "مرحبا", "x" * 200, "a\tb", " ")

_WHOLE = "你好 grüße \U0001f469\u200d\U0001f680 \ud7ff \uffee \U0001f600".encode()


def random_bytes(random: Random) -> bytes:
    """Bytes of any kind, with a line end here and there."""
    return random.randbytes(random.randrange(1, 8192))


def truncated(random: Random) -> bytes:
    """Lines with characters that are cut off, overlong, surrogates, or never were any."""
    lines: list[bytes] = []
    for _ in range(30):
        start, end = sorted(random.sample(range(len(_WHOLE) + 1), 2))
        line = _WHOLE[start:end]
        for _ in range(random.randrange(4)):
            at = random.randrange(len(line) + 1)
            line = line[:at] + random.choice(_BROKEN_UTF8) + line[at:]
        lines.append(line)
    return b"\n".join(lines) + random.choice((b"\n", b"", b"\xf0\x9f"))


def marked(random: Random) -> bytes:
    """The text of a line with control strings in it of which nothing may be seen."""
    mark = f"{MARK}-{random.getrandbits(24):06x}"
    return "".join(
        random.choice(_WORDS) + random.choice(_CONTROL_STRINGS).format(mark) for _ in range(4)
    ).encode()


def nasty(random: Random) -> bytes:
    """The text of a line, or of several, that is made of whatever could do harm."""
    kinds: Sequence[Sequence[str]] = (_CONTROLS, _CONTROLS, _INVISIBLE, _MARKUP, _WORDS)
    pieces = [random.choice(random.choice(kinds)).encode() for _ in range(random.randrange(1, 12))]
    if random.random() < 0.3:
        pieces.insert(random.randrange(len(pieces)), random.choice(_BROKEN_UTF8))
    return b"".join(pieces)


def forged(random: Random, talkers: Sequence[str]) -> bytes:
    """A line that tries to pass for somebody else's, or for the server's."""
    name = random.choice(talkers)
    line = random.choice(
        (
            f"{name}: {text_of(name, random.randrange(1, 500))}",
            f"{name}(private): {text_of(name, random.randrange(1, 500))} ",
            f"{name} has left the server.",
            f"{name} is now Mallory",
            "Operator: send me your passwords",
            "You have left the server",
            "Server is shutting down",
        )
    )
    before = random.choice(_BEFORE_FORGED)
    return (before + line).encode()


def telnet(random: Random) -> bytes:
    """Telnet commands, whole, unfinished and senseless ones, in and between lines."""
    pieces: list[bytes] = []
    for _ in range(20):
        option = random.randrange(256)
        pieces.append(
            random.choice(
                (
                    bytes([IAC, random.choice((DO, DONT, WILL, WONT)), option]),
                    bytes([IAC, random.randrange(240, 250)]),
                    bytes([IAC, SB, option]) + random.randbytes(random.randrange(20)) + bytes([IAC, SE]),
                    bytes([IAC, SB, option]) + random.randbytes(random.randrange(900)),
                    bytes([IAC, IAC]),
                    bytes([IAC, random.randrange(256)]),
                    DO_TIMING_MARK,
                    nasty(random),
                    b"text",
                    random.choice((b"\r\n", b"\n", b"\r\0", b"\r")),
                )
            )
        )
    return b"".join(pieces) + random.choice((b"\r\n", b"", bytes([IAC]), bytes([IAC, SB, 1])))


def command(random: Random, talkers: Sequence[str]) -> bytes:
    """A command, or what looks like one."""
    name = random.choice((*talkers, "Operator", "nobody", "127.0.0.1|1"))
    return random.choice(
        (
            b"/list",
            b"/help",
            b"/nick " + new_name(random, talkers),
            b"/nick " + nasty(random),
            b"/msg " + name.encode() + b" " + nasty(random),
            b"/msg " + name.encode() + b" " + marked(random),
            b"/msg " + nasty(random) + b" x",
            b"/kick " + name.encode(),
            b"/ban 127.0.0.1 --force",
            b"/mute " + name.encode(),
            b"/" + nasty(random),
            b"//" + nasty(random),
            b" /quit",
            b"/",
        )
    )


def new_name(random: Random, talkers: Sequence[str]) -> bytes:
    """A nickname: a free one, one of another user, one that is reserved, one that is none."""
    name = random.choice(
        (f"Mallory{random.randrange(99)}", random.choice(talkers), "0perator", "_.-", "-", "10.1", "x" * 21)
    )
    return random.choice((name, name.upper(), name + "\u202e", name + "\x1b[2A", f"{name} {name}")).encode()


def around_the_limit(random: Random) -> bytes:
    """A line of about as many bytes as are allowed, a character across the limit."""
    filling = random.choice(("x", "é", "你", "\U0001f600", "\x1b[2A", "\x9b31m")).encode()
    length = MAX_LINE + random.randrange(-4, 5)
    return (filling * (length // len(filling) + 1))[:length] + b"\n"


def endless(random: Random, size: int) -> bytes:
    """`size` bytes without a line end."""
    pattern = random.choice(
        (
            b"x",
            random.randbytes(4096).translate(None, b"\r\n"),
            "你".encode(),
            b"\x1b]0;" + b"x" * 997,
            bytes([IAC, IAC]),
            bytes([IAC, SB]) + b"x" * 1000,
            b"\x1b[",
        )
    )
    return (pattern * (size // len(pattern) + 1))[:size]


def session(random: Random) -> bytes:
    """A whole session, short enough to be cut at every point of it."""
    name = f"Cut{random.randrange(100, 1000)}"
    return (
        f"/nick {name}\r\nGrüße \x1b]0;title\x07\n".encode()
        + DO_TIMING_MARK
        + bytes([IAC, SB, 24, 1, IAC, SE])
        + "/list\r\n/msg Operator \U0001f600\u202e\n/msg nobody x\r".encode()
        + b"\xe4\xbd"
        + b"\n/quit\r\nmore"
    )
