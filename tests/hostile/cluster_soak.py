"""Real nodes of a cluster under faults: `python -m tests.hostile.cluster_soak`, from the repository's root.

Three nodes are real programs with their plain console, the engine is real nats-servers, and people on each
node, one of them with `nc`, say numbered lines all the time. Things go wrong at random, one after another or
two at a time: servers and nodes are restarted, killed and stopped, and networks between them parted and
reset. After each all lists have to come right. At the end nothing may be lost, twice or out of order, but
for what people were told that they miss; `cluster_hearing` says what counts as that. Nodes that are told to
end exit with 0, their stderr has no failure of the program, and none has more than 1.5 times the memory that
it had when it had settled.

With `--table` each fault happens once to a cluster of its own, and what it costs is printed as a table.

All of it is on the loopback address. The exit status is 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from . import cluster_faults
from .checks import shortened
from .cluster_hearing import Verdict, judge
from .cluster_nodes import Cluster
from .cluster_table import HEAD, SCENES, Scene, play
from .program import NotMet, run_command

GROWTH = 1.5
"""How much memory a node may have in the end, for what it had when it had settled."""

_SETTLED = 5  # readings of the memory, one a second, after which a node has settled


@dataclass
class Report:
    """What came of a chaos."""

    verdict: Verdict
    counts: Counter[str] = field(default_factory=Counter)
    worst: float = 0.0
    """The longest that all took to be right again, in seconds."""

    sizes: list[tuple[str, float, float]] = field(default_factory=list)
    """Of each node: how much memory it had when it had settled, and in the end, in MiB."""

    faults: list[str] = field(default_factory=list)


def grown(sizes: Sequence[tuple[str, float, float]]) -> list[str]:
    """Which nodes have too much memory."""
    return [
        f"{name} has grown from {early:.0f} to {late:.0f} MiB"
        for name, early, late in sizes
        if late > early * GROWTH
    ]


async def chaos(
    seconds: float, seed: int, servers: int, storage: str, hold: float, *, verbose: bool = False
) -> Report:
    """Let things go wrong for so many seconds.

    Args:
        seconds: for how long.
        seed: decides what goes wrong.
        servers, storage, hold: of the cluster.
        verbose: whether to tell each fault as it happens.
    """
    random = Random(seed)
    report, what = Report(Verdict()), "nothing"
    with tempfile.TemporaryDirectory(prefix="cluster-soak-") as folder:
        async with Cluster(Path(folder), servers, storage, hold) as cluster:
            try:
                await cluster.settle()
                cluster.is_talking.set()
                begun = time.monotonic()
                while (at := time.monotonic() - begun) < seconds:
                    faults = cluster_faults.random_faults(cluster, random)
                    what = " and ".join(fault.what for fault in faults)
                    report.counts["two at a time" if len(faults) > 1 else "one at a time"] += 1
                    await cluster_faults.happen(faults, random)
                    took = await cluster.settle()
                    report.worst = max(report.worst, took)
                    if verbose:
                        print(f"{at:6.1f} s {what}; right after {took:.1f} s", flush=True)
                    await asyncio.sleep(random.uniform(0, 2))
            except* (NotMet, AssertionError) as group:
                report.faults += [f"after {what}: {error}" for error in group.exceptions]
            if not await cluster.hush():
                report.faults.append("the last lines never came to everybody")
            report.sizes = [
                (
                    node.name,
                    statistics.median(node.memory[:_SETTLED]),
                    statistics.median(node.memory[-_SETTLED:]),
                )
                for node in cluster.nodes
                if node.memory
            ]
            report.faults += grown(report.sizes)
            report.verdict = judge(cluster.hearings, hold, cluster.ends)
            report.faults += report.verdict.faults(may_cross=bool(cluster.ends))
            report.faults += [fault for node in cluster.nodes for fault in node.told.faults]
            report.faults += [f"a node ended with exit code {code}" for code in cluster.codes if code]
    return report


def summary(report: Report) -> str:
    """What happened, and what there is to say of it."""
    verdict = report.verdict
    done = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items()))
    excused = {
        "away": verdict.away,
        "announced": verdict.announced,
        "partly": verdict.partly,
        "unsaid": verdict.unsaid,
    }
    rows = [
        f"faults   {done}; all was right after {report.worst:.1f} s at most",
        f"lines    {verdict.heard:,} heard; "
        + ", ".join(
            f"{len(getattr(verdict, kind))} {kind}" for kind in ("lost", "twice", "disordered", "invented")
        )
        + f", {verdict.crossed} crossed",
        "missing  " + ", ".join(f"{len(lines)} {kind}" for kind, lines in excused.items()),
        "memory   " + ", ".join(f"{name} {early:.0f}, {late:.0f} MiB" for name, early, late in report.sizes),
    ]
    return "\n".join(rows)


def _table(scenes: Sequence[Scene], *, verbose: bool) -> list[str]:
    print(HEAD, flush=True)
    faults: list[str] = []
    for scene in scenes:
        try:
            row = asyncio.run(play(scene))
        except (NotMet, AssertionError) as error:
            print(f"| {scene.what} | {scene.storage} | {scene.hold:g} s | {error} |", flush=True)
            faults.append(f"{scene.what}: {error}")
            continue
        print(row.markdown, flush=True)
        if verbose:
            for name, told in row.told.items():
                print(*(f"    {name} {at:6.2f} s {text}" for at, text in told), sep="\n", flush=True)
        faults += [f"{scene.what}: {fault}" for fault in row.faults]
    return faults


def _chaos(options: argparse.Namespace) -> list[str]:
    seed = Random().getrandbits(32) if options.seed is None else options.seed
    print(
        f"{options.servers} server(s), log in {options.storage}, hold {options.hold:g} s, "
        f"for {options.seconds:g} s with --seed {seed}",
        flush=True,
    )
    report = asyncio.run(
        chaos(options.seconds, seed, options.servers, options.storage, options.hold, verbose=True)
    )
    print(summary(report))
    print(f"{'FAILED' if report.faults else 'Passed'} with --seed {seed}")
    return report.faults


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.cluster_soak", description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=600.0, help="how long it takes (default: 600)")
    add("--seed", type=int, help="repeat what went wrong in another run")
    add("--servers", type=int, choices=(1, 3), default=1, help="of how many the engine is (default: 1)")
    add("--storage", choices=("memory", "file"), default="memory", help="where the log is (default: memory)")
    add("--hold", type=float, default=5.0, help="after how many seconds a node goes on alone (default: 5)")
    add(
        "--table",
        nargs="?",
        const="",
        metavar="WORD",
        help="what each fault costs, or those with WORD in them",
    )
    add("--verbose", action="store_true", help="with --table: also what the operators are told")
    options = parser.parse_args(arguments)
    if options.table is None:
        faults = _chaos(options)
    else:
        scenes = [scene for scene in SCENES if options.table in scene.what]
        faults = _table(scenes, verbose=options.verbose)
    for fault in shortened(faults):
        print(f"FAULT {fault}")
    return int(bool(faults))


if __name__ == "__main__":
    run_command(main)
