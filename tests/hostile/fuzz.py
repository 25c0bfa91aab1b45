"""Byte fuzz of the live program: `python -m tests.hostile.fuzz`, from the repository's root.

Hostile clients send whatever could do harm, while well-behaved ones talk and check that all they hear is
complete, in order, not forged and clean; what the operator gets is checked byte by byte too, both from the
console, through a pseudo-terminal, and from the plain console. Both are attacked at once, half of the time
with their default limits and half without. The exit status is 1 if anything was wrong.

What hostile clients send comes from the seed, whatever the timing; what meets what at the server does not.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from support.programs import PROGRAM

from . import payloads
from .attacks import ATTACKS, Target
from .checks import Screen, Transcript, shortened
from .program import NotMet, Program, memory, run_command, until
from .talkers import NAMES, Circle

ATTACKERS = 6
"""How many hostile clients there are at a time, besides the one that cuts sessions."""

_STILL_HERE = "still here"


@dataclass(frozen=True)
class Case:
    """One way to run the program. `rate` is how many lines a second each talker says."""

    title: str
    console: bool
    options: tuple[str, ...]
    rate: float
    command: Sequence[str] = PROGRAM


@dataclass
class Report:
    """What came of one case. Sizes are in MiB."""

    title: str
    faults: list[str] = field(default_factory=list)
    connections: int = 0
    """How many connections hostile clients have made."""
    cuts: int = 0
    """At how many points of a session it was cut."""
    attacks: int = 0
    """How many kinds of attacks were made."""
    sent: float = math.nan
    """How much hostile clients have sent."""
    said: int = 0
    """How many lines the talkers have said."""
    written: float = math.nan
    """How much the operator's terminal has got."""
    memory: float = math.nan
    """How much memory the program has had at its highest."""


LIMITED, UNLIMITED = (), ("--rate", "0", "--max-clients", "0")

ROUNDS = (
    (
        Case("console, default limits", True, LIMITED, 3),
        Case("plain console, no limits", False, UNLIMITED, 30),
    ),
    (
        Case("console, no limits", True, UNLIMITED, 30),
        Case("plain console, default limits", False, LIMITED, 3),
    ),
)


async def fuzz(case: Case, seconds: float, seed: int) -> Report:
    """Attack one program for so many seconds."""
    sayings: set[str] = set()
    transcript = None if case.console else Transcript("the plain console", NAMES, sayings)
    operator = transcript or Screen("the operator's terminal")
    circle = Circle(case.rate, Random(f"{seed} {case.title}"), sayings, transcript)
    report = Report(case.title)
    command = [*case.command, "--port", "0", *([] if case.console else ["--plain"]), *case.options]
    with Program(command, case.console, operator) as program:
        try:
            target = Target(await program.port(), circle)
            await circle.join(target.port)
            await _attack(program, target, f"{seed} {case.title}", seconds, report)
            await circle.finish()
            await _operate(program, circle, sayings)
            report.memory = memory(program.process.pid, "VmHWM")
            report.faults += await _end(program, circle)
        except* NotMet as group:
            report.faults += dict.fromkeys(map(str, group.exceptions))
        finally:
            circle.hang_up()
        report.said = sum(talker.said for talker in circle.talkers)
        report.written = program.written / 2**20
    for stream in (operator, program.errors, *(talker.transcript for talker in circle.talkers)):
        report.faults += stream.faults
    return report


async def _attack(program: Program, target: Target, seed: str, seconds: float, report: Report) -> None:
    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            group.create_task(_watch(program, target.circle))
            group.create_task(target.circle.talk())
            group.create_task(target.cut_at_every_point(Random(seed)))
            for index in range(ATTACKERS):
                first = index * len(ATTACKS) // ATTACKERS
                group.create_task(target.attack(first, f"{seed} {index}"))
    except TimeoutError:
        pass  # as it should
    finally:
        report.connections, report.sent = target.connections, target.sent / 2**20
        report.cuts, report.attacks = len(target.cuts), len(target.attacks)
        report.faults += target.faults


async def _watch(program: Program, circle: Circle) -> None:
    """Wait until the program or a talker is gone, which should not be; do not wait for what cannot come."""
    while True:
        if (code := program.process.poll()) is not None:
            raise NotMet(f"the program has ended with exit code {code}")
        if any(talker.left for talker in circle.talkers):
            raise NotMet("a talker is gone")
        await asyncio.sleep(0.1)


async def _operate(program: Program, circle: Circle, sayings: set[str]) -> None:
    """Say something as the operator, who must still be heard and must see it."""
    sayings.add(_STILL_HERE)
    program.type(_STILL_HERE)
    await until(
        lambda: all(_STILL_HERE in talker.transcript.seen for talker in circle.talkers),
        "not everybody has heard the operator",
    )
    if isinstance(program.operator, Screen):
        shown = program.operator
        await until(lambda: shown.shows(f"Operator: {_STILL_HERE}"), "the console does not show what is said")


async def _end(program: Program, circle: Circle) -> list[str]:
    """End the program, and see everybody off."""
    faults: list[str] = []
    if code := await program.end():
        faults.append(f"the program ended with exit code {code}")
    await until(lambda: all(talker.left for talker in circle.talkers), "connections outlive the program")
    for talker in circle.talkers:
        for line in ("Server is shutting down", "You have left the server"):
            if talker.transcript.replies[line] != 1:
                faults.append(f"{talker.name} got {talker.transcript.replies[line]} times: {line}")
    return faults


async def run(seconds: float, seed: int) -> list[Report]:
    """Attack in all ways, for so many seconds in all."""
    reports: list[Report] = []
    for cases in ROUNDS:
        reports += await asyncio.gather(*(fuzz(case, seconds / len(ROUNDS), seed) for case in cases))
    return reports


def table(reports: Sequence[Report]) -> str:
    """The reports, a row each."""
    points = len(payloads.session(Random(0))) + 1
    heading = f"{'':30}  attacks  connections  cut at points  sent MiB  said  operator MiB  peak MiB"
    rows = [
        f"{report.title:30}  {report.attacks:4}/{len(ATTACKS)}  {report.connections:11,}"
        f"  {report.cuts:9}/{points}  {report.sent:8,.1f}  {report.said:4,}"
        f"  {report.written:12.1f}  {report.memory:8.1f}"
        for report in reports
    ]
    return "\n".join([heading, *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to attack (default: 60)")
    parser.add_argument("--seed", type=int, help="repeat what was sent in another run")
    options = parser.parse_args(arguments)
    seed = Random().getrandbits(32) if options.seed is None else options.seed
    print(f"Fuzzing for {options.seconds:g} s with --seed {seed}", flush=True)
    started = time.monotonic()
    reports = asyncio.run(run(options.seconds, seed))
    print(table(reports))
    for report in reports:
        for fault in shortened(report.faults):
            print(f"FAULT {report.title}: {fault}")
    failed = any(report.faults for report in reports)
    print(f"{'FAILED' if failed else 'Passed'} after {time.monotonic() - started:.0f} s with --seed {seed}")
    return int(failed)


if __name__ == "__main__":
    run_command(main)
