"""What a cluster costs: `PYTHONPATH=tests python -m tests.benchmarks.cluster`, from the repository's root.

Prints a table of the engines, what was measured with clients, and the bars, which are ratios within the run.
A run of everything also writes its section of docs/benchmarks.md. The exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from support.nats_engine import nats_server

from . import report
from .__main__ import DOCS, end, names
from .cluster_runs import OFTEN, QUICK, RARE, RUNS, WAYS, NodeError, Sizes
from .report import Bar
from .scenarios import Run

ByName = Mapping[str, Sequence[Run]]
"""The runs of a whole benchmark by the names in `RUNS`; those in "all" are about everything."""

_CORES_FOR_ALL = 8  # that four nodes, the engine and the clients of a fan-out want


def sizes_here(files: int) -> Sizes:
    """What this machine can do, where a process may have so many open files."""
    full = Sizes()
    rate = full.fan_out_rate * min(1.0, (os.cpu_count() or 1) / _CORES_FOR_ALL)
    clients = full.fan_out if files < 0 else min(full.fan_out, (files - 100) // 4)
    return replace(full, fan_out_rate=rate, fan_out=clients)


def _bar(
    text: str,
    run: str,
    figure: str,
    per: tuple[str, str] | None = None,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Bar:
    whole = None if per is None else ("cluster", *per)
    return Bar(text, ("cluster", run, figure), at_least, at_most, whole)


BARS = (
    *(
        _bar(
            f"{rate:,} lines a second: p50 to another node, times a bare round trip through the same stream",
            *("memory", f"at_{rate}_p50", ("memory", "bare_p50")),
            at_most=factor,
        )
        for rate, factor in ((OFTEN, 4), (RARE, 7))
    ),
    _bar(
        "100 clients on each of two nodes: p50 to the other node, times that of one server with all",
        *("clients-two", "client_p50", ("clients-one", "client_p50")),
        at_most=1.5,
    ),
    _bar(
        f"{OFTEN:,} lines a second: a node's CPU for a line, times that without an engine",
        *("memory", "node_cpu", ("none", "node_cpu")),
        at_most=4,
    ),
    _bar(
        f"{OFTEN:,} lines a second: the engine's CPU for a line, times a node's",
        *("memory", "engine_cpu", ("memory", "node_cpu")),
        at_most=1.2,
    ),
    _bar(
        "Full speed, two nodes: lines a second, as a share of one room in one process",
        *("memory", "speed", ("none", "speed")),
        at_least=0.25,
    ),
    _bar("Full speed: cores that the engine uses", "memory", "engine_share", at_most=0.5),
    _bar(
        "4 nodes of 2,500 clients: time to the last one p99, times that of as many servers on their own",
        *("fanout-cluster", "last_p99", ("fanout-apart", "last_p99")),
        at_most=1.2,
    ),
    _bar(
        "50,000 users are here: seconds that a newcomer takes, above an empty start",
        *("newcomer", "enter"),
        at_most=1,
    ),
    _bar("50,000 users are here: memory for each, bytes", "newcomer", "memory", at_most=500),
    _bar("Faults: lines lost, twice or out of order, and runs that failed", "all", "faults", at_most=0),
)

_COLUMNS = (
    ("bare round trip p50, ms", ("bare_p50",), "{:.2f}"),
    (f"{RARE} lines/s: other node p50 / p99, ms", (f"at_{RARE}_p50", f"at_{RARE}_p99"), "{:.2f}"),
    (f"{OFTEN:,} lines/s: p50 / p99, ms", (f"at_{OFTEN}_p50", f"at_{OFTEN}_p99"), "{:.2f}"),
    ("node, µs of CPU for a line", ("node_cpu",), "{:.1f}"),
    ("engine, µs for a line", ("engine_cpu",), "{:.1f}"),
    ("`/nick` p50 / p99, ms", ("nick_p50", "nick_p99"), "{:.2f}"),
    ("full speed, lines/s", ("speed",), "{:,.0f}"),
    ("engine's share of a core then", ("engine_share",), "{:.0%}"),
)
_OTHERS = (
    ("{clients} clients on each of two nodes, to the other node: p50 / p99, ms", "clients-two", "client"),
    ("the same clients on one server", "clients-one", "client"),
    (
        "4 nodes of {fan_out:,} clients, {fan_out_rate:g} lines/s, to the last client: p50 / p99, ms",
        *("fanout-cluster", "last"),
    ),
    ("four servers on their own, at the same time", "fanout-apart", "last"),
    ("one server with {fan_out:,} clients", "fanout-one", "last"),
)
_NEWCOMER = (
    ("{users:,} users are here: a newcomer's time above an empty start, s", "enter", "{:.2f}"),
    ("of it CPU time, s", "enter_cpu", "{:.2f}"),
    ("memory for each user, bytes", "memory", "{:,.0f}"),
    ("the longest turn of the newcomer's loop, ms", "newcomer_turn", "{:.0f}"),
    ("the same of who gives it the state, ms", "donor_turn", "{:.0f}"),
)

SECTION = """\
What a cluster costs, measured on the machine above in one run ({date}, {rounds} rounds, {minutes:.0f}
minutes, load average {load:.1f} at its start): `make bench-cluster`. The engine, nats-server {engine}, and
the nodes are on the same machine, so compare the ratios. The tables show medians.

Two nodes whose clients have no sockets: on each, ten who speak and one who listens.

{engines}

A bare round trip is one message through a stream of the same settings, with the same client library. Without
an engine there is one process, which has a node's share of the lines. Each process also makes its own load.

With clients that have sockets, and with many users:

{others}

Four nodes and their clients want {wanted} cores; with fewer, fewer lines are said. Servers that are no
cluster say the same at the same time, which shows what of it is due to the cluster. This machine has {cores}.

{bars}

A line that is lost, comes twice or out of order is a fault, as is another order on another node.
"""


def _results(found: ByName) -> report.Results:
    return {"cluster": found}


def _median(found: ByName, run: str, figure: str, form: str) -> str:
    value = report.median(_results(found), "cluster", run, figure)
    return "-" if value is None else form.format(value)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([head, "|---|" + "---:|" * (len(rows[0]) - 1), *rest])


def engines_table(found: ByName) -> str:
    """What lines cost with each engine, in Markdown."""
    rows = [["engine", *(title for title, _, _ in _COLUMNS)]]
    for name, way in WAYS.items():
        if name in found:
            cells = [
                " / ".join(_median(found, name, figure, form) for figure in figures)
                for _, figures, form in _COLUMNS
            ]
            rows.append([way.title, *(cell.replace("- / -", "-") for cell in cells)])
    return _markdown(rows)


def others_table(found: ByName, sizes: Sizes) -> str:
    """What was measured with sockets, and of a newcomer, in Markdown."""
    rows = [["measured", ""]]
    about = {name: getattr(sizes, name) for name in sizes.__dataclass_fields__}
    for title, run, figure in _OTHERS:
        if run in found:
            both = [_median(found, run, f"{figure}_{each}", "{:.2f}") for each in ("p50", "p99")]
            rows.append([title.format(**about), " / ".join(both)])
    if "newcomer" in found:
        rows += [
            [title.format(**about), _median(found, "newcomer", figure, form)]
            for title, figure, form in _NEWCOMER
        ]
    return _markdown(rows)


def measure(only: Sequence[str], rounds: int, sizes: Sizes) -> dict[str, list[Run]]:
    """Run all rounds, each with everything in turn, and print every run on stderr."""
    found: dict[str, list[Run]] = {name: [] for name in only}
    for number in range(rounds):
        turn = number % max(len(only), 1)
        for name in [*only[turn:], *only[:turn]]:
            try:
                run = RUNS[name](sizes)
            except (AssertionError, NodeError, OSError) as error:  # a TimeoutError is an OSError
                run = Run({}, [str(error) or type(error).__name__])
            found[name].append(run)
            figures = ", ".join(f"{figure} {value:.4g}" for figure, value in run.figures.items())
            void = f" VOID: {'; '.join(run.faults[:4])}" if run.faults else ""
            print(f"{name} {number + 1}/{rounds}: {figures}{void}", file=sys.stderr, flush=True)
    faults = sum(len(run.faults) for runs in found.values() for run in runs)
    return {**found, "all": [Run({"faults": float(faults)})]}


def section(found: ByName, sizes: Sizes, rounds: int, minutes: float, load: float) -> str:
    """The section of docs/benchmarks.md."""
    version = subprocess.run([nats_server(), "--version"], capture_output=True, text=True, check=True).stdout
    return SECTION.format(
        date=time.strftime("%Y-%m-%d"),
        rounds=rounds,
        minutes=minutes,
        load=load,
        engine=version.rpartition(" ")[2].strip().removeprefix("v"),
        engines=engines_table(found),
        others=others_table(found, sizes),
        bars=report.bars(_results(found), BARS)[0],
        wanted=_CORES_FOR_ALL,
        cores=os.cpu_count(),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.cluster", description="Measure what a cluster costs."
    )
    parser.add_argument(
        "--only",
        type=lambda value: names(value, RUNS),
        default=list(RUNS),
        metavar="RUN,…",
        help=f"some of {', '.join(RUNS)}",
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round with few clients and little time")
    parser.add_argument("--docs", type=Path, help="write the section into this folder, whatever ran")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        nats_server()
    except pytest.skip.Exception as missing:
        print(missing, file=sys.stderr)
        return 2
    began_at, load = time.monotonic(), os.getloadavg()[0]
    if load > 0.5:
        print(f"The machine is busy (load {load:.1f}): expect worse figures than it can do.", file=sys.stderr)
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    sizes = QUICK if options.quick else sizes_here(files)
    rounds = 1 if options.quick else options.rounds
    found = measure(options.only, rounds, sizes)
    print(f"\n{engines_table(found)}\n\n{others_table(found, sizes)}")
    table, met = report.bars(_results(found), BARS)
    print(f"\n{'These bars are for full size, not for a quick run.' if options.quick else 'Bars'}\n{table}")
    everything = not options.quick and len(options.only) == len(RUNS)
    if folder := options.docs or (DOCS if everything else None):
        text = section(found, sizes, rounds, (time.monotonic() - began_at) / 60, load)
        report.write_cluster(folder, text)
    return 0 if options.quick or met else 1


if __name__ == "__main__":
    sys.exit(main())
