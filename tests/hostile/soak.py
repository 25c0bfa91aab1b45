"""Many clients for long: `python -m tests.hostile.soak`, from the repository's root.

500 clients come, talk, rename themselves and go for 10 minutes, on a server with its default limits in
asyncio's debug mode. At the end it may have at most 10 % more memory than after the first minute, the clients
being there both times, and once they are gone no task, descriptor, connection or member may be left. Nothing
may have been complained of: no warning, no message of asyncio, no callback of a second or more; what is
shorter is the noise of a busy machine. The exit status is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from .checks import shortened
from .program import PATIENCE, memory, run_command
from .visitors import Crowd

COMMAND = (sys.executable, "-X", "dev", "-W", "error", str(Path(__file__).with_name("soak_server.py")))

GROWTH = 1.10
"""How much memory there may be at the end, for what there was after the first minute."""

SETTLED = 60.0
"""After how many seconds memory is first looked at, or after half of a shorter soak."""

LINES = 20.0
"""How many lines a second all clients together say."""

STAY = 60.0
"""How many seconds a client stays on average, or a fifth of a shorter soak."""

RAMP = 20.0
"""Over how many seconds the first clients come, or a sixth of a shorter soak."""


@dataclass(frozen=True)
class Reading:
    """What there was of the server while nobody was there."""

    descriptors: int
    tasks: list[str]
    objects: int
    """How many connections and members there were in memory."""


@dataclass
class Report:
    """What came of a soak. Memory is in MiB."""

    before: Reading
    after: Reading
    early: float
    late: float
    counts: dict[str, int]
    faults: list[str] = field(default_factory=list)


def faults_in(before: Reading, after: Reading, early: float, late: float) -> list[str]:
    """What is left behind, or has grown."""
    faults: list[str] = []
    if late > early * GROWTH:
        faults.append(f"memory has grown by {late / early - 1:.0%}, from {early:.1f} to {late:.1f} MiB")
    if after.descriptors != before.descriptors:
        faults.append(f"{after.descriptors - before.descriptors:+} descriptors")
    if len(after.tasks) != len(before.tasks):
        left = ", ".join(task for task in after.tasks if task not in before.tasks)
        faults.append(f"{len(after.tasks) - len(before.tasks):+} tasks: {left}"[:500])
    if after.objects:
        faults.append(f"{after.objects} connections and members are still in memory")
    return faults


class Ended(Exception):
    """The server has ended by itself; the message says with what."""


class Server:
    """The server under soak. A context manager: it ends at the end, in whatever state it is."""

    def __init__(self, command: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self._input, self._output, self._errors = self.process.stdin, self.process.stdout, self.process.stderr

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    async def port(self) -> int:
        """The port that it listens on."""
        return int(await self._told())

    async def read(self) -> Reading:
        """Look at what there is."""
        with suppress(BrokenPipeError):
            self._input.write(b"\n")
            self._input.flush()
        told = json.loads(await self._told())
        return Reading(len(os.listdir(f"/proc/{self.process.pid}/fd")), told["tasks"], told["objects"])

    async def end(self) -> list[str]:
        """End it, and return all that it has complained of."""
        out, errors = await asyncio.to_thread(self.process.communicate, timeout=PATIENCE)
        troubles: list[str] = json.loads(out)["troubles"] if out else []
        if errors:
            troubles.append(f"stderr: {errors.decode()[-2000:]}")
        if self.process.returncode:
            troubles.append(f"the server ended with exit code {self.process.returncode}")
        return troubles

    async def _told(self) -> bytes:
        line = await asyncio.to_thread(self._output.readline)
        if not line:
            raise Ended(f"the server has ended with exit code {self.process.wait()}: {self._errors.read()!r}")
        return line


async def soak(
    seconds: float,
    clients: int,
    seed: int,
    command: Sequence[str] = COMMAND,
    patience: float = PATIENCE,
    *,
    verbose: bool = False,
) -> Report:
    """Let clients come and go for so many seconds.

    Args:
        seconds, clients: for how long, and how many at a time.
        seed: decides what they do.
        command: the server.
        patience: how many seconds what they leave behind may take to go away.
        verbose: whether to tell the memory every minute.

    Raises:
        Ended: if the server ends before it should.
    """
    with Server(command) as server:
        crowd = Crowd(await server.port(), clients, min(STAY, seconds / 5), LINES, Random(seed))
        before = await server.read()
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd.come_and_go(min(RAMP, seconds / 6)))
            samples = await _watch(server, seconds, min(1.0, seconds / 50), verbose)
            crowd.end()
        after = await server.read()
        # The last connections take their time to close, and nobody tells when they have.
        deadline = time.monotonic() + patience
        while after != before and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            after = await server.read()
        early = _size_at(min(SETTLED, seconds / 2), samples)
        late = _size_at(seconds, samples)
        report = Report(before, after, early, late, crowd.counts)
        report.faults += faults_in(before, after, early, late)
        report.faults += [f"{count} clients were {what}" for what, count in crowd.faults.items()]
        report.faults += await server.end()
    return report


async def _watch(server: Server, seconds: float, pause: float, verbose: bool) -> list[tuple[float, float]]:
    """Note the memory at all times, in MiB, until the end of the soak or of the server."""
    samples: list[tuple[float, float]] = []
    loop = asyncio.get_running_loop()
    start = loop.time()
    while (at := loop.time() - start) < seconds and server.process.poll() is None:
        samples.append((at, memory(server.process.pid, "VmRSS")))
        if verbose and at > 60 and at % 60 < pause:
            print(f"{at:6.0f} s {samples[-1][1]:7.1f} MiB", flush=True)
        await asyncio.sleep(pause)
    return samples


def _size_at(end: float, samples: Sequence[tuple[float, float]]) -> float:
    """The median of the last five sizes up to this time."""
    return statistics.median([size for at, size in samples if at <= end][-5:])


def table(report: Report) -> str:
    """What was done, and what there was before and after it."""
    done = ", ".join(f"{count:,} {what}" for what, count in report.counts.items())
    before, after = report.before, report.after
    growth = report.late / report.early - 1
    rows = [
        f"done         {done}",
        f"memory       {report.early:.1f} MiB, at the end {report.late:.1f} MiB ({growth:+.1%})",
        f"tasks        {len(before.tasks)}, at the end {len(after.tasks)}",
        f"descriptors  {before.descriptors}, at the end {after.descriptors}",
        f"members      {before.objects}, at the end {after.objects}",
    ]
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long it takes (default: 600)")
    parser.add_argument(
        "--clients", type=int, default=500, help="how many are there at a time (default: 500)"
    )
    parser.add_argument("--seed", type=int, help="repeat what the clients did in another run")
    options = parser.parse_args(arguments)
    seed = Random().getrandbits(32) if options.seed is None else options.seed
    _raise_open_files(options.clients)
    print(f"{options.clients} clients for {options.seconds:g} s with --seed {seed}", flush=True)
    try:
        report = asyncio.run(soak(options.seconds, options.clients, seed, verbose=True))
    except Ended as error:
        faults = [str(error)]
    else:
        print(table(report))
        faults = report.faults
    for fault in shortened(faults):
        print(f"FAULT {fault}")
    print(f"{'FAILED' if faults else 'Passed'} with --seed {seed}")
    return int(bool(faults))


def _raise_open_files(clients: int) -> None:
    """Let this process and the server have a descriptor for each client."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + 100
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else hard, hard))


if __name__ == "__main__":
    run_command(main)
