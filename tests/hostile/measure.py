"""Attacks, what they cost and what they may: `python -m tests.hostile.measure`, from the repository's root.

Prints a table as it goes, a row for each attack and measure. The exit status is 1 if one missed its bar.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from . import charges, doors, endings, tls_attacks
from .bars import FULL, QUICK, Attack
from .metered import raise_open_files
from .program import run_command

ATTACKS: dict[str, Attack] = {
    "removed": charges.removed,
    "removed-tls": partial(charges.removed, tls=True),
    "sigterm": charges.sigterm,
    "lists": charges.lists,
    "lists-tls": tls_attacks.lists_over_tls,
    "one-address": charges.one_address,
    "metering": charges.metering,
    "held": charges.held,
    "code-points": charges.code_points,
    "bans": doors.bans,
    "networks": doors.new_networks,
    "ban-of-a-name": doors.ban_of_a_name,
    "leaving": doors.leaving,
    "handshakes": tls_attacks.handshakes,
    "silent-reader": tls_attacks.silent_reader,
    "stalled-reader": tls_attacks.stalled_reader,
    "key-updates": tls_attacks.key_updates,
    "last-lines": endings.last_lines,
    "last-lines-tls": partial(endings.last_lines, tls=True),
    "long-last-lines": partial(endings.last_lines, lines=60, size=1000, rate=100, burst=5),
    "minute": endings.more_than_a_minute,
    "minute-tls": partial(endings.more_than_a_minute, tls=True),
    "pause": endings.pause,
    "pause-tls": partial(endings.pause, tls=True),
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.measure", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="at the scale of the tests")
    parser.add_argument(
        "attacks", nargs="*", metavar="ATTACK", help=f"of {', '.join(ATTACKS)} (default: all)"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.attacks) - set(ATTACKS):
        parser.error(f"no such attack: {', '.join(sorted(unknown))}")
    raise_open_files()
    missed = 0
    for name in options.attacks or ATTACKS:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for outcome in ATTACKS[name](QUICK if options.quick else FULL, Path(folder)):
                print(outcome, flush=True)
                missed += not outcome.held
        print(f"      ({name}: {time.monotonic() - start:.0f} s)", flush=True)
    return int(bool(missed))


if __name__ == "__main__":
    run_command(main)
