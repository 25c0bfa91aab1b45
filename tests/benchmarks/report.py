"""What comes out: tables, bars, docs/benchmarks.md, docs/benchmarks.json and docs/benchmarks.svg."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path

from .scenarios import BUSY, SCENARIOS, Run, Scenario
from .servers import KINDS, NO_LIMITS, version

Results = Mapping[str, Mapping[str, Sequence[Run]]]
"""The runs of each scenario and server, by their names."""

HEADINGS = {
    "deliveries": ("deliveries/s", "{:,.0f}"),
    "per_reader": ("lines/s for each reader", "{:,.0f}"),
    "cpu_each": ("server CPU for each delivery, µs", "{:.2f}"),
    "server": ("server, share of a core", "{:.0%}"),
    "generator": ("generator, share of a core", "{:.0%}"),
    "p50": ("latency p50, ms", "{:.2f}"),
    "p99": ("latency p99, ms", "{:.2f}"),
    "last_p50": ("to the last receiver p50, ms", "{:.2f}"),
    "last_p99": ("to the last receiver p99, ms", "{:.2f}"),
    "memory_each": ("process memory (RSS) each, KiB", "{:.1f}"),
    "idle_cpu": ("CPU, % of a core", "{:.1f}"),
    "joins": ("joins/s", "{:,.0f}"),
    "growth": ("memory growth, MiB", "{:.0f}"),
    "dropped": ("dropped", "{:.0f}"),
    "told": ("told in the log", "{:.0f}"),
}


@dataclass(frozen=True)
class Bar:
    """What chat-console is held to: a figure, or its ratio to another one, is at least or at most so much."""

    text: str
    figure: tuple[str, str, str]
    at_least: float | None = None
    at_most: float | None = None
    per: tuple[str, str, str] | None = None

    def value(self, results: Results) -> float | None:
        """The figure or ratio; None if it was not measured."""
        figure, per = median(results, *self.figure), median(results, *self.per) if self.per else 1.0
        return None if figure is None or not per else figure / per

    def met(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    @property
    def wanted(self) -> str:
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"


def _times(scenario: str, other: str, figure: str, factor: float) -> Bar:
    return Bar(
        f"{SCENARIOS[scenario].title}: {HEADINGS[figure][0]}, times {KINDS[other].title}",
        *((scenario, "plain", figure), factor),
        per=(scenario, other, figure),
    )


BARS = (
    *(
        _times(scenario, other, "deliveries", factor)
        for scenario in ("speed-100", "speed-1000")
        for other, factor in (("asyncio", 30), ("ngircd", 5), ("inspircd", 5))
    ),
    Bar(
        "One lone line to 100 clients: p50 as a share of naive asyncio's",
        ("lone-100", "plain", "p50"),
        at_most=1.0,
        per=("lone-100", "asyncio", "p50"),
    ),
    Bar(
        "100 clients at full speed: with the console on screen, as a share of plain's deliveries",
        ("speed-100", "tui", "deliveries"),
        at_least=0.8,
        per=("speed-100", "plain", "deliveries"),
    ),
    Bar(
        "100 clients at full speed: with --history, as a share of plain's deliveries",
        ("speed-100", "history", "deliveries"),
        at_least=0.9,
        per=("speed-100", "plain", "deliveries"),
    ),
    Bar(
        "One lone line to 100 clients: p50 with --history, times plain's",
        ("lone-100", "history", "p50"),
        at_most=1.1,
        per=("lone-100", "plain", "p50"),
    ),
    Bar(
        "One lone line to 100 clients: p99 with --history, times plain's",
        ("lone-100", "history", "p99"),
        at_most=1.5,
        per=("lone-100", "plain", "p99"),
    ),
    Bar(
        "100 clients at full speed: with --history, CPU for each delivery, times plain's",
        ("speed-100", "history", "cpu_each"),
        at_most=1.25,
        per=("speed-100", "plain", "cpu_each"),
    ),
    Bar(
        "Console on screen, nothing happens: CPU, % of a core", ("idle-10000", "tui", "idle_cpu"), at_most=1.0
    ),
    Bar(
        "10,000 idle clients: KiB of process memory each", ("idle-10000", "plain", "memory_each"), at_most=8.0
    ),
    Bar("10,000 idle clients: CPU, % of a core", ("idle-10000", "plain", "idle_cpu"), at_most=0.2),
    Bar(
        "10 of 100 never read: throughput of each of the others, as a share of when all read",
        ("deaf-100", "plain", "per_reader"),
        at_least=0.9,
        per=("speed-100", "plain", "per_reader"),
    ),
    Bar("10 of 100 never read: memory growth, MiB", ("deaf-100", "plain", "growth"), at_most=64.0),
    Bar(
        "10 of 100 never read: how many of them are dropped", ("deaf-100", "plain", "dropped"), at_least=10.0
    ),
    Bar(
        "10 of 100 never read: of how many the operator is told", ("deaf-100", "plain", "told"), at_least=10.0
    ),
    _times("joins-2000", "asyncio", "joins", 30),
    Bar(
        "5,000 clients, 20 lines a second: time to the last receiver p99, as a share of naive asyncio's",
        ("fanout-5000", "plain", "last_p99"),
        at_most=0.15,
        per=("fanout-5000", "asyncio", "last_p99"),
    ),
)


def median(results: Results, scenario: str, server: str, figure: str) -> float | None:
    """The median of a figure over the runs that are not void; None if there is none."""
    runs = results.get(scenario, {}).get(server, ())
    values = [run.figures[figure] for run in runs if not run.faults and figure in run.figures]
    return statistics.median(values) if values else None


def table(results: Results, name: str) -> str:
    """One scenario's table in Markdown: the medians of each server's runs."""
    scenario: Scenario = SCENARIOS[name]
    rows = [["server", *(HEADINGS[figure][0] for figure in scenario.columns), "runs"]]
    rows.append(["---", *["---:"] * len(scenario.columns), "---"])
    for server, runs in results[name].items():
        void = [run for run in runs if run.faults]
        remarks = [f"{len(runs) - len(void)} of {len(runs)}"]
        if void:
            remarks.append("void: " + "; ".join(void[0].faults[:2]))
        if any(run.figures.get("generator", 0) > BUSY for run in runs):
            remarks.append(f"generator above {BUSY:.0%}")
        values = [(median(results, name, server, figure), figure) for figure in scenario.columns]
        cells = ["-" if value is None else HEADINGS[figure][1].format(value) for value, figure in values]
        rows.append([KINDS[server].title, *cells, ", ".join(remarks)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join(lines)


def bars(results: Results, held_to: Sequence[Bar] = BARS) -> tuple[str, bool]:
    """The table of the bars, and whether all that were measured are met."""
    lines, all_met = ["| bar | wanted | measured | |", "|---|---:|---:|---|"], True
    for bar in held_to:
        value = bar.value(results)
        if value is not None:
            met = bar.met(value)
            all_met &= met
            lines.append(f"| {bar.text} | {bar.wanted} | {value:.3g} | {'met' if met else '**missed**'} |")
        elif bar.figure[0] in results:
            lines.append(f"| {bar.text} | {bar.wanted} | - | not measured |")
    return "\n".join(lines), all_met


def machine() -> dict[str, str]:
    """Where it was measured."""
    model = platform.processor()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    try:
        info = Path("/proc/cpuinfo").read_text()
        model = next(
            line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")
        )
    except (OSError, StopIteration):
        pass
    return {
        "processor": f"{model or platform.machine()}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
    }


def versions(results: Results) -> dict[str, str]:
    """What was measured."""
    measured = dict.fromkeys(server for by_server in results.values() for server in by_server)
    return {KINDS[server].title: version(KINDS[server]) for server in measured}


PAGE = """\
# Benchmarks

What one core can do for a chat room, measured on one machine in one run ({date}, {rounds} rounds,
{minutes:.0f} minutes). Compare the ratios: the figures differ between machines.

![Deliveries a second](benchmarks.svg)

A delivery is one line that one client receives. The tables show medians. Latency is the time from sending a
line to its arrival at a client's socket, as the kernel stamps it (`SO_TIMESTAMPNS`).

{tables}
## What chat-console is held to

{bars}

## Machine and versions

{facts}

## How it is measured

- `make bench` repeats it; `python -m tests.benchmarks --help` says how to run a part of it. ngircd, inspircd
  and ncat take part where they are installed.
- Each server runs in a process of its own, alone on one core, and the load generator on another one. The
  servers take turns, and the turn moves on by one from round to round.
- Flood control and connection limits are switched off for every server, by settings: the IRC servers get
  configurations that lift theirs, ncat gets `--max-conns`, {limits}. No names are looked up.
- The plain console's log goes to a file. The console on screen runs in a terminal of 120 x 36 that is read
  all the time.
- Every line has about 60 bytes, its sender's number and a sequence number in it. A run in which one is
  lost, doubled, damaged or out of order is void. At full speed the bytes of all silent clients are compared
  with the first one's, the lines of those that differ and of the senders are counted, and two silent
  clients and a sender are parsed whole. chat-console promises one order for everybody: there no silent
  client's bytes may differ. At a fixed rate every line of every client is parsed, and the latency is
  that of at most 500 clients, spread over the order of joining: the others are read five times a second. A
  line that the generator leaves unread until the next one comes counts as late as that one. Of joins every
  client must be told once, and of all that come after its own; in the servers that send the same notices to
  all, the order is compared too.
- At full speed the senders have as many lines in flight as the server delivers in 0.15 s, at most 10,000,
  counted at the slowest reader. The tables show how busy that kept the server.
- The generator reads rarely, and a lot at a time. Where it took more than 90 % of its core, the table
  says so.
"""


CLUSTER = "\n## A cluster\n\n"
"""Where the section about clusters begins, which is the last one and has a benchmark of its own."""


def page(results: Results, rounds: int, minutes: float) -> str:
    """docs/benchmarks.md."""
    tables = "".join(
        f"## {SCENARIOS[name].title}\n\n{table(results, name)}\n\n{SCENARIOS[name].limits}\n\n"
        for name in results
    )
    options = " ".join(NO_LIMITS)
    facts = [f"- {name}: {value}" for name, value in machine().items()]
    facts += [
        f"- {said}" for said in dict.fromkeys(versions(results).values()) if not said.startswith("Python")
    ]
    return PAGE.format(
        date=time.strftime("%Y-%m-%d"),
        rounds=rounds,
        minutes=minutes,
        tables=tables,
        bars=bars(results)[0],
        facts="\n".join(facts),
        limits=f"chat-console gets `{options}`" if options else "chat-console has none unless asked for",
    )


def chart(results: Results) -> str:
    """docs/benchmarks.svg: deliveries a second at full speed, readable on light and on dark ground."""
    left, width, row, y = 230, 370, 26, 22
    parts: list[str] = []
    for name in ("speed-100", "speed-1000"):
        if name not in results:
            continue
        parts.append(
            f'<text class="head" x="4" y="{y}">{escape(SCENARIOS[name].title)}: deliveries a second</text>'
        )
        figures = {server: median(results, name, server, "deliveries") for server in results[name]}
        longest = max((value for value in figures.values() if value), default=1.0)
        naive = figures.get("asyncio")
        for server, value in sorted(figures.items(), key=lambda item: -(item[1] or 0.0)):
            y += row
            length = max(2.0, (value or 0.0) / longest * width)
            said = "void: lines lost" if value is None else _rounded(value)
            if value and naive and server != "asyncio":
                said += f" ({value / naive:.{0 if value > 10 * naive else 1}f}\u00d7)"
            ours = "ours" if KINDS[server].total_order else "other"
            parts.append(
                f'<text x="{left - 10}" y="{y}" text-anchor="end">{escape(KINDS[server].title)}</text>'
                f'<rect class="{ours}" x="{left}" y="{y - 13}" width="{length:.1f}" height="17" rx="2"/>'
                f'<text x="{left + length + 8:.1f}" y="{y}">{said}</text>'
            )
        y += 46
    parts.append(f'<text x="4" y="{y - 12}">\u00d7: times naive asyncio streams, in the same run.</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {y}" width="780" height="{y}">\n'
        "<title>Deliveries a second at full speed</title>\n"
        "<style>text{font:14px system-ui,sans-serif;fill:#768390}.head{font-weight:600}"
        ".ours{fill:#2f81f7}.other{fill:#909dab}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def _rounded(value: float) -> str:
    return (
        f"{value / 1e6:.1f} million"
        if value >= 1e6
        else f"{value / 1e3:,.0f},000"
        if value >= 1e4
        else f"{value:,.0f}"
    )


def write(folder: Path, results: Results, rounds: int, minutes: float) -> None:
    """Write the three files."""
    folder.mkdir(exist_ok=True)
    path = folder / "benchmarks.md"
    _, heading, cluster = _parted(path)
    path.write_text(page(results, rounds, minutes) + heading + cluster)
    (folder / "benchmarks.svg").write_text(chart(results))
    content = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "versions": versions(results),
        "scenarios": {
            name: {server: [asdict(run) for run in runs] for server, runs in by_server.items()}
            for name, by_server in results.items()
        },
    }
    (folder / "benchmarks.json").write_text(json.dumps(content, indent=1) + "\n")


def write_cluster(folder: Path, text: str) -> None:
    """Write the section about clusters."""
    folder.mkdir(exist_ok=True)
    path = folder / "benchmarks.md"
    path.write_text(_parted(path)[0] + CLUSTER + text)


def _parted(path: Path) -> tuple[str, str, str]:
    """What is in docs/benchmarks.md before the section about clusters, its heading, and the section."""
    return path.read_text().partition(CLUSTER) if path.exists() else ("", "", "")
