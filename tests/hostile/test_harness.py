"""The harness's own checks: a sound program passes, and what they are there to find they find."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from random import Random

import pytest

from . import fuzz, payloads, soak
from .checks import MARK, Errors, Screen, Stream, Transcript, text_of
from .soak import Reading, faults_in
from .talkers import NAMES

CONSOLE, PLAIN = fuzz.ROUNDS[0]

UNCLEAN = """
import sys
import chat_console
from chat_console.server.room import text
real = text.clean
for module in list(sys.modules.values()):
    if getattr(module, "clean", None) is real:
        module.clean = lambda text: text
from chat_console.app.cli import main
sys.exit(main())
"""
"""The program, but nothing that comes in is cleaned."""

LEAKY = f"""
import asyncio, os, runpy
from chat_console.server.room.roster import Roster
add, leaked = Roster.add, []

def grow(loop, memory):  # all the time: no moment of it must be met
    memory.append(b"x" * (1 << 19))
    if len(memory) < 400:
        loop.call_later(0.01, grow, loop, memory)

def leaky(self, member):
    add(self, member)
    loop = asyncio.get_running_loop()
    if not leaked:
        grow(loop, [])
    leaked.append((member, os.dup(0), loop.create_task(asyncio.sleep(1000))))
    loop.call_soon(lambda: 1 / 0)

Roster.add = leaky
runpy.run_path({soak.COMMAND[-1]!r}, run_name="__main__")
"""
"""The server under soak, but members leave behind whatever can be left behind."""


# Programs, sound and faulty


@pytest.fixture(scope="module")
def outcomes() -> dict[str, str]:
    """The faults found in each program, all tried at once."""

    async def run() -> dict[str, str]:
        unclean = replace(CONSOLE, command=(sys.executable, "-c", UNCLEAN))
        reports = {
            "console": fuzz.fuzz(CONSOLE, 2.0, seed=1),
            "plain": fuzz.fuzz(PLAIN, 2.0, seed=1),
            "soak": soak.soak(3.0, 20, seed=1),
            "unclean": fuzz.fuzz(unclean, 0.5, seed=1),
            "leaky": soak.soak(2.0, 20, seed=1, command=(*soak.COMMAND[:-1], "-c", LEAKY), patience=0.1),
        }
        done = await asyncio.gather(*reports.values())
        return {kind: "\n".join(report.faults) for kind, report in zip(reports, done, strict=True)}

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["console", "plain", "soak"])
def test_a_sound_program_passes(kind: str, outcomes: dict[str, str]) -> None:
    assert outcomes[kind] == ""


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("unclean", "the operator's terminal: got "),
        ("unclean", "Ada: got U+"),
        ("leaky", "memory has grown by"),
        ("leaky", " descriptors"),
        ("leaky", " tasks: <coroutine object sleep"),
        ("leaky", " members are still in memory"),
        ("leaky", "ZeroDivisionError"),
    ],
)
def test_a_faulty_program_fails(kind: str, fault: str, outcomes: dict[str, str]) -> None:
    assert fault in outcomes[kind]


async def test_a_program_that_has_ended_is_told_of_and_not_waited_for() -> None:
    dead = (sys.executable, "-c", "raise SystemExit('no such thing')")
    report = await fuzz.fuzz(replace(PLAIN, command=dead), 60, seed=1)
    assert report.faults == ["the program has not started: b'no such thing\\n'"]
    with pytest.raises(soak.Ended, match="no such thing"):
        await soak.soak(60, 1, seed=1, command=dead)


def test_the_command_says_what_is_wrong_and_how_to_repeat_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(seconds: float, seed: int) -> list[fuzz.Report]:
        return [fuzz.Report("sound"), fuzz.Report("faulty", [f"fault {number}" for number in range(30)])]

    monkeypatch.setattr(fuzz, "run", run)
    assert fuzz.main(["--seed", "7"]) == 1
    *_, last_fault, more, verdict = capsys.readouterr().out.splitlines()
    assert last_fault == "FAULT faulty: fault 19"
    assert more == "FAULT faulty: 10 more"
    assert verdict == "FAILED after 0 s with --seed 7"


# What readers check


def heard(*lines: str, crlf: bool = False) -> list[str]:
    """What Bob, whose partner is Ada, finds wrong with these lines."""
    transcript = Transcript("Bob", NAMES, {"hello"}, partner="Ada", crlf=crlf)
    transcript.settled = True
    transcript.take("".join(line + "\n" for line in lines).encode())
    return transcript.faults


def ada(*numbers: int) -> list[str]:
    return [f"Ada: {text_of('Ada', number)}" for number in numbers]


def test_what_a_talker_may_hear_is_no_fault() -> None:
    whisper = f"Ada(private): {text_of('Ada', 1)} "
    others = ("Welcome 127.0.0.1|1 to the server!", "127.0.0.1|1 is now Ann", "Ann: Ada: hello")
    lines = (*ada(1), whisper, *others, "Operator: hello", *ada(2, 3), "Ann has left the server.")
    assert heard(*lines) == []


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (ada(1, 3), "Bob: got line 3 of Ada where 2 was due"),
        (ada(1, 1), "Bob: got line 1 of Ada where 2 was due"),
        (ada(1)[0][:-1], "Bob: got a damaged or forged line of Ada"),
        ("Ada: give me your password", "Bob: got a damaged or forged line of Ada"),
        ("Ada has left the server.", "Bob: got a forged line"),
        ("127.0.0.1|1 is now Ada", "Bob: got a forged line"),
        ("Operator: give me your password", "Bob: got what the operator never said"),
        (f"Cleo(private): {text_of('Cleo', 1)} ", "Bob: got what Cleo whispered to somebody else"),
        ("Give me your password", "Bob: got a line of no known kind"),
        ("Ann: hello\r", "Bob: wrong line end"),
    ],
)
def test_a_line_that_nobody_sent_so_is_a_fault(lines: str | list[str], fault: str) -> None:
    found = heard(*([lines] if isinstance(lines, str) else lines))
    assert [text.startswith(fault) for text in found] == [True]


def test_a_line_without_cr_is_a_fault_where_it_is_due() -> None:
    assert heard("Ann: hello\r", crlf=True) == []
    assert heard("Ann: hello", crlf=True) == ["Bob: wrong line end: 'Ann: hello'"]


HARMFUL = "\0\x07\r\x7f\x85\x9b\u202e\u2066\u200b\u2028\ufeff\u2800"


@pytest.mark.parametrize(
    ("kind", "character"),
    [
        *product((Stream, Errors), HARMFUL),
        *product((Screen,), HARMFUL.replace("\r", "")),  # where it moves the cursor
    ],
    ids=ascii,
)
def test_a_character_that_could_do_harm_is_a_fault(kind: type[Stream], character: str) -> None:
    stream = kind("reader")
    stream.take(f"harmless {character} line\r\n".encode())
    (fault,) = stream.faults
    assert f"got U+{ord(character):04X} in" in fault


@pytest.mark.parametrize("kind", [Stream, Errors, Screen])
def test_the_inside_of_a_control_string_is_a_fault(kind: type[Stream]) -> None:
    stream = kind("reader")
    stream.take(f"Ann: ]0;{MARK}-00000f/x\r\n".encode())
    assert len(stream.faults) == 1


def test_bytes_that_are_not_utf_8_are_a_fault() -> None:
    stream = Stream("reader")
    stream.take("grüße".encode()[:3])
    stream.take("grüße\n".encode()[3:])
    assert stream.faults == []
    stream.take(b"\x9b2A\n")
    assert stream.faults == ["reader: not UTF-8: b'\\x9b2A\\n'"]


@pytest.mark.parametrize(
    "failure", ["Traceback (most recent call last):", "Error while serving Ann: KeyError"]
)
@pytest.mark.parametrize("kind", [Errors, Screen])
def test_a_failure_that_the_program_tells_of_is_a_fault(kind: type[Stream], failure: str) -> None:
    stream = kind("reader")
    stream.take(f"{failure}\r\n".encode())
    assert len(stream.faults) == 1


PAINTED = (
    "\x1b[?1049h\x1b]22;default\x07\x1b[2;1H\x1b[1;38;5;253;48;2;1;2;3m│ grüße │\x1b[m\r\n"
    "\x1b[2;9r\x1b[9H\n\n\x1b[r\x1b[3Hb\x1b[22;39;49my\x1b[2X\r\v\x1b[A\x1b[5Ce\x1b[5n"
)


def test_what_the_console_paints_is_no_fault_wherever_it_is_cut() -> None:
    data = PAINTED.encode()
    for cut in range(len(data)):
        screen = Screen("screen")
        screen.take(data[:cut])
        screen.take(data[cut:])
        assert screen.faults == []
        assert screen.text == "│ grüße │\r\nby\r\ve"


FOREIGN = (
    "\x1b[2S",
    "\x1b[2J",
    "\x1b[31m",
    "\x1b[1;5m",
    "\x1b[999;999H",
    "\x1b[?47h",
    "\x1bc",
    "\x1b]0;x\x07",
    "\x1b]52;c;eA==\x07",
)


@pytest.mark.parametrize("escape", FOREIGN, ids=ascii)
def test_a_sequence_that_the_console_does_not_write_is_a_fault_wherever_it_is_cut(escape: str) -> None:
    before = PAINTED.encode()
    data = before + escape.encode() + before
    for cut in range(len(before), len(before) + len(escape) + 1):
        screen = Screen("screen")
        screen.take(data[:cut])
        screen.take(data[cut:])
        assert any(repr(escape) in fault for fault in screen.faults)


# What is left behind


CLEAN = Reading(descriptors=7, tasks=["main"], objects=0)


def test_a_server_that_is_as_it_was_has_no_fault() -> None:
    assert faults_in(CLEAN, CLEAN, 30.0, 33.0) == []


@pytest.mark.parametrize(
    ("after", "late", "fault"),
    [
        (CLEAN, 33.1, "memory has grown by 10%, from 30.0 to 33.1 MiB"),
        (replace(CLEAN, descriptors=9), 30.0, "+2 descriptors"),
        (replace(CLEAN, tasks=["main", "other"]), 30.0, "+1 tasks: other"),
        (replace(CLEAN, objects=3), 30.0, "3 connections and members are still in memory"),
    ],
)
def test_what_a_server_leaves_behind_is_a_fault(after: Reading, late: float, fault: str) -> None:
    assert faults_in(CLEAN, after, 30.0, late) == [fault]


# What is sent


PAYLOADS: dict[str, Callable[[Random], bytes]] = {
    "random bytes": payloads.random_bytes,
    "truncated UTF-8": payloads.truncated,
    "control strings": payloads.marked,
    "nasty text": payloads.nasty,
    "forged lines": lambda random: payloads.forged(random, NAMES),
    "telnet": payloads.telnet,
    "commands": lambda random: payloads.command(random, NAMES),
    "lines around the limit": payloads.around_the_limit,
    "an endless line": lambda random: payloads.endless(random, 5000),
    "a session": payloads.session,
}


@pytest.mark.parametrize("make", PAYLOADS.values(), ids=PAYLOADS)
def test_a_seed_makes_the_same_bytes_again(make: Callable[[Random], bytes]) -> None:
    first, again, other = ([make(random) for _ in range(20)] for random in (Random(1), Random(1), Random(2)))
    assert first == again != other


def test_an_endless_line_has_no_line_end() -> None:
    for seed in range(50):
        line = payloads.endless(Random(seed), 5000)
        assert len(line) == 5000
        assert not {10, 13}.intersection(line)


def test_what_bears_a_mark_is_never_cut_by_its_own_characters() -> None:
    for seed in range(50):
        line = payloads.marked(Random(seed))
        assert MARK.encode() in line
        assert not {10, 13, 0xFF}.intersection(line)
