"""The command line: `python -m tests.benchmarks`, from the repository's root.

Prints the tables. A run of everything also writes docs/benchmarks.md, .json and .svg. The exit status is 1 if
a bar is missed or a run of chat-console is void.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import sys
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from . import report
from .scenarios import SCENARIOS, Run, Scenario, run
from .servers import KINDS, cores

DOCS = Path(__file__).parents[2] / "docs"


def quick(scenario: Scenario) -> Scenario:
    """The same with fewer clients and less time, to try a change."""
    return replace(
        scenario, clients=min(scenario.clients, 500), seconds=1.0, warm_up=scenario.warm_up / 2, repeat=1
    )


def names(value: str, known: Collection[str]) -> list[str]:
    """Parse `a,b`, in the order of `known`."""
    wanted = value.split(",")
    if unknown := set(wanted).difference(known):
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; choose from {', '.join(known)}")
    return [name for name in known if name in wanted]


def measure(scenarios: dict[str, Scenario], servers: Collection[str], rounds: int) -> report.Results:
    """Run all rounds of all scenarios, each with all its servers in turn, and print every run on stderr."""
    pinned = cores()
    if pinned is not None:
        os.sched_setaffinity(0, {pinned[0]})
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    results: dict[str, dict[str, list[Run]]] = {}
    for name, scenario in scenarios.items():
        order = [server for server in scenario.servers if server in servers]
        if 0 <= files < scenario.clients + 100:
            print(f"{name} is left out: it needs {scenario.clients + 100} open files", file=sys.stderr)
            continue
        results[name] = {server: [] for server in order}
        total = rounds * scenario.repeat
        for number in range(total):
            turn = number % max(len(order), 1)
            for server in order[turn:] + order[:turn]:
                result = run(KINDS[server], scenario, pinned)
                results[name][server].append(result)
                figures = ", ".join(f"{figure} {value:.4g}" for figure, value in result.figures.items())
                void = f" VOID: {'; '.join(result.faults[:4])}" if result.faults else ""
                print(f"{name} {number + 1}/{total} {server}: {figures}{void}", file=sys.stderr, flush=True)
    return results


def end(number: int, frame: object) -> NoReturn:
    """End by an exception, so that the server under measurement is ended too."""
    sys.exit(128 + number)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Compare chat servers under load."
    )
    parser.add_argument(
        "--only", type=lambda value: names(value, SCENARIOS), default=list(SCENARIOS), metavar="SCENARIO,…"
    )
    parser.add_argument(
        "--servers", type=lambda value: names(value, KINDS), default=list(KINDS), metavar="NAME,…"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--quick", action="store_true", help="one round with at most 500 clients and a second each"
    )
    parser.add_argument("--docs", type=Path, help="write the report into this folder, whatever ran")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    started = time.monotonic()
    if hasattr(os, "getloadavg") and (load := os.getloadavg()[0]) > 0.5:
        print(f"The machine is busy (load {load:.1f}): expect worse figures than it can do.", file=sys.stderr)
    scenarios = {
        name: quick(SCENARIOS[name]) if arguments.quick else SCENARIOS[name] for name in arguments.only
    }
    servers = [name for name in arguments.servers if KINDS[name].installed]
    rounds = 1 if arguments.quick else arguments.rounds
    results = measure(scenarios, servers, rounds)
    for name in results:
        print(f"\n{SCENARIOS[name].title}\n{report.table(results, name)}")
    table, met = report.bars(results)
    heading = "These bars are for full size, not for a quick run." if arguments.quick else "Bars"
    print(f"\n{heading}\n{table}")
    everything = (
        not arguments.quick and len(scenarios) == len(SCENARIOS) and len(arguments.servers) == len(KINDS)
    )
    if folder := arguments.docs or (DOCS if everything else None):
        report.write(folder, results, rounds, (time.monotonic() - started) / 60)
    ours = [
        run
        for by_server in results.values()
        for server in ("plain", "tui")
        for run in by_server.get(server, [])
    ]
    return 0 if arguments.quick or (met and not any(run.faults for run in ours)) else 1


if __name__ == "__main__":
    sys.exit(main())
