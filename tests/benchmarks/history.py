"""What a history costs, and how fast it is searched: `python -m tests.benchmarks.history`."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from chat_console.server.history import history_file
from chat_console.server.history.history_file import HistoryFile
from chat_console.server.history.query import Query
from chat_console.server.history.reader import Reader
from chat_console.server.history.records import Kind, Record
from chat_console.server.history.store import Store

SYLLABLES = "ka lo mi ren tus pa vel dor shi ne qua bel ri to san gor li fen ax um".split()
DENSE = "漢字書くこと日本語中文你好世界한국어"
EMOJI = "🎉😀🚀🔥👍"


def words(chance: random.Random, count: int) -> list[str]:
    """Words as people use them: few of them often (Zipf)."""
    found = {"".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(3 * count)}
    return sorted(found)[:count]


def records(count: int, seed: int = 1) -> Iterator[Record]:
    """Lines of 3,000 users: 3 % with a URL, 4 % in Chinese, Japanese or Korean, 4 % with emoji."""
    chance = random.Random(seed)
    known = words(chance, 20_000)
    weights = [1 / (rank + 2) for rank in range(len(known))]
    picked = iter(chance.choices(known, weights, k=count * 7))
    names = [f"{chance.choice(known)}{number}"[:20] for number in range(3_000)]
    start = time.time() - count
    for serial in range(1, count + 1):
        text = " ".join(islice(picked, chance.randint(2, 11)))
        kind = chance.random()
        if kind < 0.03:
            text += f" https://example.org/{chance.choice(known)}?id={serial}"
        elif kind < 0.07:
            text = "".join(chance.choices(DENSE, k=chance.randint(4, 20)))
        elif kind < 0.11:
            text += f" {chance.choice(EMOJI)}"
        member = chance.randrange(3_000)
        yield Record(serial, start + serial, Kind.SAID, member, names[member], text, 1)


class Clock:
    """How long each of some calls took, in ms."""

    def __init__(self) -> None:
        self.all: list[float] = []

    def time(self, call: Callable[[], Any]) -> Any:
        began_at = time.perf_counter()
        result = call()
        self.all.append(1000 * (time.perf_counter() - began_at))
        return result

    @property
    def median(self) -> float:
        return statistics.median(self.all)

    @property
    def worst(self) -> float:
        return max(self.all)


def fill(path: Path, count: int) -> tuple[Clock, Clock, float]:
    """Write and index a history.

    Returns:
        What the transactions took, the steps of the index, and the index alone, in us a line.
    """
    store = Store(path, "1.0", {})
    appended, indexed = Clock(), Clock()
    raw = 0
    source = records(count)
    while batch := [*islice(source, 2_000)]:
        raw += sum(len(f"{each.name}: {each.text}\n".encode()) for each in batch)
        appended.time(lambda: store.append(batch))
    store.sync()
    lines_alone = path.stat().st_size
    cpu = time.thread_time()
    if store.index is not None:
        while (volume := store.index.next_volume(1, store.next)) is not None:
            indexed.time(lambda: store.index.add_slice(volume, 1, store.next))  # type: ignore[union-attr]
            while indexed.time(store.index.merge):
                pass
            if store.wal_size > history_file._SYNCED_SIZE:  # pyright: ignore[reportPrivateUsage] - as the recorder
                store.sync()
    cost = 1e6 * (time.thread_time() - cpu) / count
    store.close(time.time())
    sizes = lines_alone / raw, path.stat().st_size / raw
    print(f"  raw {raw / 1e6:.0f} MB; lines alone {sizes[0]:.2f}, whole file {sizes[1]:.2f} x raw")
    return appended, indexed, cost


def search(reader: Reader, query: Query) -> int:
    """The 50 newest hits."""
    return len([*islice(reader.search(query, newest_first=True), 50)])


def scan(reader: Reader, word: str) -> int:
    """The same by a look at every line, as a plain SQL query does it."""
    sql = (
        "SELECT l.id FROM line l JOIN who w ON w.id = l.who WHERE w.name || ': ' || l.text LIKE ? "
        "ORDER BY l.id DESC"
    )
    return len(reader.db.execute(sql, (f"%{word}%",)).fetchall())


async def lag(reader: Reader, seconds: float, work: Callable[[], Any] | None) -> float:
    """The 99th percentile of how late a timer of the loop is, in ms, while another thread works."""
    late: list[float] = []
    ended = threading.Event()

    def go_on() -> None:
        while work is not None and not ended.is_set():
            work()

    thread = threading.Thread(target=go_on)
    thread.start()
    end = time.perf_counter() + seconds
    while (began_at := time.perf_counter()) < end:
        await asyncio.sleep(0.002)
        late.append(1000 * (time.perf_counter() - began_at - 0.002))
    ended.set()
    reader.db.interrupt()
    await asyncio.to_thread(thread.join)
    return sorted(late)[int(len(late) * 0.99)]


def measure(folder: Path, count: int) -> tuple[float, float]:
    """Measure a history of so many lines; return the index, in us a line, and the median of a page, in ms."""
    print(f"{count:,} lines")
    path = folder / f"{count}.db"
    appended, indexed, cost = fill(path, count)
    print(f"  a transaction of 2,000 lines: median {appended.median:.1f}, worst {appended.worst:.1f} ms")
    if indexed.all:
        print(f"  a step of the index: median {indexed.median:.1f}, worst {indexed.worst:.1f} ms")
        print(f"  the index: {cost:.1f} us a line")
    reader = Reader(path)
    chance = random.Random(2)
    rare = next(each.text.rpartition("?")[2] for each in records(count) if "?id=" in each.text)
    common = reader.page(count // 2, 1)[0].text.split()[0]
    for title, word in [
        ("a common word", common),
        ("a part of an address", rare),
        ("no such word", "zzyzx"),
        ("two dense characters", "你好"),
        ("one emoji", "🚀"),
    ]:
        clock, slow = Clock(), Clock()
        for _ in range(5):
            clock.time(lambda: search(reader, Query((word,))))  # noqa: B023
        slow.time(lambda: scan(reader, word))  # noqa: B023
        share = clock.median / slow.median
        print(f"  {title}: {clock.median:.1f} ms, {share:.3f} of a scan ({slow.median:.0f} ms)")
    pages = Clock()
    for _ in range(300):
        first = chance.randrange(1, count)
        pages.time(lambda: reader.page(first, 200))  # noqa: B023
    print(f"  a page of 200 lines anywhere: median {pages.median:.2f}, worst {pages.worst:.1f} ms")
    idle = asyncio.run(lag(reader, 2, None))

    def look_at_all() -> None:
        try:
            search(reader, Query(("zz",)))
        except Exception:  # interrupted
            return

    busy = asyncio.run(lag(reader, 4, look_at_all))
    print(f"  lag of the loop while every line is looked at: p99 {busy:.2f} ms, idle {idle:.2f}")
    reader.close()
    return cost, pages.median


def measure_ends(folder: Path) -> None:
    """Measure opening after a kill with much that was not synced, and closing."""
    path = folder / "ends.db"
    child = os.fork()
    if child == 0:
        store = Store(path, "1.0", {})
        source = records(400_000)
        while store.wal_size < 64 << 20 and (batch := [*islice(source, 2_000)]):
            store.append(batch)
        os._exit(0)
    os.waitpid(child, 0)
    wal = path.with_name(f"{path.name}-wal").stat().st_size
    opening, closing = Clock(), Clock()
    file = opening.time(lambda: HistoryFile(path, "1.0"))
    closing.time(lambda: file.close(time.time()))
    print(f"with {wal >> 20} MiB not synced: open {opening.worst:.0f} ms, close {closing.worst:.0f} ms")


def measure_retention(folder: Path, count: int) -> None:
    """Measure deleting half of a history."""
    path = folder / f"{count}.db"
    store = Store(path, "1.0", {})
    steps, clock = store.retire(count // 2), Clock()
    while clock.time(lambda: next(steps, None)) is not None:
        pass
    print(f"deleting {count // 2:,} lines: {sum(clock.all) / 1000:.1f} s, a step: worst {clock.worst:.0f} ms")
    store.close()


def main() -> None:
    """Measure, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, nargs="+", default=[1_000_000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        found = [measure(folder, count) for count in options.lines]
        if len(found) > 1:
            (index, page), (more_index, more_page) = found[0], found[-1]
            print(f"last against first: index {more_index / index:.2f}, page {more_page / page:.2f}")
        measure_ends(folder)
        measure_retention(folder, options.lines[0])
    sys.stdout.flush()


if __name__ == "__main__":
    main()
