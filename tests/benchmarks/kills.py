"""Kills the server in floods, and tells what its history lacks: `python -m tests.benchmarks.kills`."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.kills import Killed, kill  # noqa: E402
from support.programs import PROGRAM, PlainConsole  # noqa: E402

RATES = (50, 500, 5_000, 20_000, 60_000)


def main() -> None:
    """Kill as often as asked, at each of several rates, and print what was missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    options = parser.parse_args()
    print(f"{'lines/s':>8} {'kills':>5} {'delivered':>10}  oldest line missing  in order  sound")
    with tempfile.TemporaryDirectory() as folder:
        for rate in RATES:
            path = Path(folder, f"{rate}.db")
            kills = [_kill(path, rate) for _ in range(options.kills // len(RATES))]
            print(
                f"{rate:>8,} {len(kills):>5} {sum(each.delivered for each in kills):>10,}"
                f"{max(each.missing for each in kills) * 1000:>13.0f} ms"
                f"{_all(each.in_order for each in kills):>14}{_all(each.sound for each in kills):>7}"
            )


def _kill(path: Path, rate: int) -> Killed:
    console = PlainConsole(*PROGRAM, "--plain", "--port", "0", "--rate", "0", "--history", str(path))
    try:
        return kill(console.process.pid, console.port, path, rate=rate, seconds=random.uniform(0.1, 1.0))
    finally:
        console.close()


def _all(answers: Iterable[bool]) -> str:
    return "yes" if all(answers) else "NO"


if __name__ == "__main__":
    main()
