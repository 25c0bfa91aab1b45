"""The benchmark's own checks: they must find what they are there to find."""

from __future__ import annotations

import json
import select
import socket
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from support.nats_engine import nats_server
from support.waiting import wait_until

from . import cluster, cluster_runs, crowd, node_process, report
from .check import faults_in, lines
from .load import Pace
from .scenarios import SCENARIOS, Run, Scenario, run
from .servers import KINDS

FAULTY = """
import asyncio, runpy, sys
fault, victim, script = sys.argv.pop(1), int(sys.argv.pop(1)), sys.argv.pop(1)
seen, held, order = 0, [], []
write = asyncio.StreamWriter.write

def faulty(self, data):
    global seen
    if self not in order:
        order.append(self)
    if b"^" not in data or order.index(self) != victim:
        return write(self, data)
    seen += 1
    copies = {"doubled": 2, "lost": 0, "reordered": 0}[fault] if seen == 30 else 1
    for _ in range(copies):
        write(self, data)
    if fault == "reordered" and seen == 30:
        held.append(data)
    elif held and data.split()[1] == held[0].split()[1]:
        write(self, held.pop())

asyncio.StreamWriter.write = faulty
runpy.run_path(script, run_name="__main__")
"""
"""The naive asyncio server, but one client's 30th line is lost, doubled, or comes after the sender's next.

Connection 0 is the one that finds the server ready.
"""

STREAMS: dict[str, tuple[list[int], list[str]]] = {
    "clean": ([0, 1, 2, 3], []),
    "lost": ([0, 1, 3], ["1 lines of sender 7 lost"]),
    "lost at the end": ([0, 1, 2], ["1 lines of sender 7 lost"]),
    "doubled": ([0, 1, 1, 2, 3], ["1 lines of sender 7 doubled"]),
    "reordered": ([0, 2, 1, 3], ["1 lines of sender 7 reordered"]),
    "never sent": ([0, 1, 2, 3, 4], ["1 lines of sender 7 never sent"]),
}


@pytest.mark.parametrize(("sequences", "faults"), STREAMS.values(), ids=STREAMS)
def test_a_stream_is_parsed_for_faults(sequences: list[int], faults: list[str]) -> None:
    stream = b"Welcome a to the server!\n" + b"".join(lines(7, n, n + 1, b"a: ") for n in sequences)
    assert faults_in(stream, {7: 4}) == faults


def test_a_line_that_another_cuts_in_two_is_damaged_and_lost() -> None:
    stream = lines(1, 0, 1)[:20] + lines(2, 0, 1) + lines(1, 0, 1)[20:]
    assert faults_in(stream, {1: 1, 2: 1}) == ["1 lines of sender 1 lost", "1 lines damaged"]


def test_lines_have_sixty_bytes() -> None:
    assert {len(line) for line in lines(3, 0, 2000).splitlines(keepends=True)} == {60}


@pytest.fixture
def connected() -> Iterator[tuple[crowd.Crowd, list[socket.socket]]]:
    """Two clients of a crowd, and the server's ends of their connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        both = stack.enter_context(crowd.Crowd(listener.getsockname()[1], crowd.CHAT))
        ends: list[socket.socket] = []
        for _ in range(2):
            both.clients.append(crowd.Client(socket.create_connection(listener.getsockname())))
            ends.append(stack.enter_context(listener.accept()[0]))
        yield both, ends


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell when bytes arrived")
def test_a_late_read_makes_no_latency(connected: tuple[crowd.Crowd, list[socket.socket]]) -> None:
    both, ends = connected
    client = both.clients[0]
    both.stamp([client])

    def arrived() -> bool:
        # The system begins to stamp in its own time.
        ends[0].send(b"x")
        select.select([client.sock], [], [])
        before = time.time()
        both.read_one(client, lambda client, size: None)
        return both.arrived_at < before

    wait_until(arrived)


def test_a_latency_ends_with_the_line_s_last_byte(connected: tuple[crowd.Crowd, list[socket.socket]]) -> None:
    both, ends = connected
    sender, receiver = both.clients
    pace = Pace(both, [sender])
    pace.run(rate=1000, seconds=0.002, patience=0.0)
    sent = lines(0, 0, 2)
    for at, piece in ((1.0, sent[:70]), (2.0, sent[70:])):
        ends[1].send(piece)
        select.select([receiver.sock], [], [])
        both.read_one(receiver, pace.take)
        pace.arrivals[receiver][-1] = at
    assert pace.faults() == []
    pace.work_out()
    first, second = pace.sent_at
    assert pace.latencies == pace.last == [1.0 - first, 2.0 - second]


def small(scenario: str) -> Scenario:
    return replace(SCENARIOS[scenario], clients=12, senders=3, seconds=0.1, warm_up=0.0)


@pytest.mark.parametrize(("scenario", "figure"), [("speed-100", "deliveries"), ("rate-100", "p50")])
def test_the_naive_server_loses_nothing(scenario: str, figure: str) -> None:
    result = run(KINDS["asyncio"], small(scenario))
    assert result.faults == []
    assert result.figures[figure] > 0


@pytest.mark.parametrize(
    ("fault", "victim", "expected"),
    [
        ("lost", 12, "1 clients got more or fewer lines than were sent"),
        ("doubled", 12, "1 clients got more or fewer lines than were sent"),
        ("reordered", 12, "not all clients got the lines in one order"),
        ("reordered", 2, "reordered"),
    ],
    ids=["lost", "doubled", "reordered", "reordered for a sender"],
)
def test_a_run_is_void_where_one_client_s_line_is(
    fault: str, victim: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crowd, "PATIENCE", 1.5)
    naive = KINDS["asyncio"]

    def command(port: int, folder: Path, announce: bool) -> list[str | Path]:
        return [sys.executable, "-c", FAULTY, fault, str(victim), *naive.command(port, folder, announce)[1:]]

    faulty = replace(naive, command=command, total_order=True)
    assert expected in " ".join(run(faulty, small("speed-100")).faults)


def test_the_report_has_a_table_a_chart_and_the_raw_figures(tmp_path: Path) -> None:
    runs = [Run({"deliveries": 1e5}), Run({"deliveries": 3e5}), Run({"deliveries": 9e9}, ["1 line lost"])]
    results = {"speed-100": {"asyncio": runs}}
    report.write(tmp_path, results, rounds=1, minutes=0.1)
    row = next(
        line for line in (tmp_path / "benchmarks.md").read_text().splitlines() if line.startswith("| naive")
    )
    assert " 200,000 " in row and " 2 of 3, void: 1 line lost " in row
    assert "naive asyncio streams" in ElementTree.parse(tmp_path / "benchmarks.svg").getroot().itertext()
    figures = json.loads((tmp_path / "benchmarks.json").read_text())
    assert figures["scenarios"]["speed-100"]["asyncio"][0]["figures"]["deliveries"] == 1e5


@pytest.mark.parametrize(
    ("numbers", "faults"),
    [
        ([0, 1, 2], []),
        ([0, 1], ["1 lines lost at paris"]),
        ([0, 1, 1, 2], ["1 lines twice at paris", "1 lines too many at paris"]),
        ([0, 2, 1], ["1 lines twice at paris", "1 lines out of order at paris"]),
    ],
    ids=["clean", "lost", "twice", "out of order"],
)
async def test_a_node_tells_what_is_wrong_with_what_it_heard(numbers: list[int], faults: list[str]) -> None:
    node = node_process.Program("paris", "bench", [], "memory", 1)
    for number in numbers:
        node.ear.write(b"rome0: x %d 17 some words\n" % number)
    heard = await node.do_heard({"rome0": 3})
    assert heard["faults"] == faults
    assert len(heard["late"]) == len(numbers)


class TestCluster:
    """What a cluster is measured with."""

    @pytest.fixture(autouse=True)
    def engine(self) -> None:
        nats_server()

    def test_two_nodes_lose_nothing_and_have_one_order(self) -> None:
        result = cluster_runs.lines(cluster_runs.WAYS["memory"], replace(cluster_runs.QUICK, seconds=0.1))
        assert result.faults == []
        wanted = ("bare_p50", "at_2000_p50", "node_cpu", "engine_cpu", "nick_p50", "speed", "engine_share")
        assert result.figures.keys() >= set(wanted)
        assert result.figures["speed"] > 0

    def test_clients_of_two_nodes_lose_nothing(self) -> None:
        result = cluster_runs.clients(replace(cluster_runs.QUICK, clients=4, seconds=0.2), clustered=True)
        assert result.faults == []
        assert result.figures["client_p50"] > 0

    @pytest.mark.parametrize("clustered", [True, False])
    def test_what_servers_on_their_own_say_at_the_same_time_is_measured_as_a_cluster_is(
        self, clustered: bool
    ) -> None:
        sizes = replace(cluster_runs.QUICK, fan_out=3, fan_out_seconds=0.3)
        result = cluster_runs.fan_out(sizes, nodes=2, clustered=clustered)
        assert result.faults == []
        assert result.figures["last_p99"] > 0

    def test_a_newcomer_finds_everybody(self) -> None:
        result = cluster_runs.newcomer(cluster_runs.WAYS["memory"], replace(cluster_runs.QUICK, users=20))
        assert result.figures.keys() >= {"enter", "memory"}

    def test_the_section_about_clusters_outlives_a_report_of_all_else(self, tmp_path: Path) -> None:
        found = {"memory": [Run({"at_2000_p50": 0.4, "bare_p50": 0.1})], "all": [Run({"faults": 0.0})]}
        text = cluster.section(found, cluster_runs.QUICK, rounds=1, minutes=0.1, load=0.0)
        for _ in range(2):
            report.write_cluster(tmp_path, text)
            report.write(tmp_path, {}, rounds=1, minutes=0.1)
        page = (tmp_path / "benchmarks.md").read_text()
        assert page.count("## A cluster") == 1 and page.endswith(text)
        assert "| ≤ 4 | 4 | met |" in page
