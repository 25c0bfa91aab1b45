"""Attacks, what they cost and what they may: `python -m tests.hostile.measure`, from the repository's root.

Prints a table as it goes, a row for each attack and measure; the exit status is 1 if one missed its bar.
"""

from __future__ import annotations

import argparse
import inspect
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from . import charges
from .metered import Outcome
from .program import run_command

ATTACKS: tuple[Callable[..., Iterator[Outcome]], ...] = (
    *(charges.removed, charges.sigterm, charges.lists_over_tls, charges.lists, charges.one_address),
    *(charges.held, charges.code_points, charges.bans, charges.new_networks, charges.ban_of_a_name),
    *(charges.leaving, charges.handshakes, charges.silent_reader, charges.stalled_reader, charges.key_updates),
)


def main(arguments: Sequence[str] | None = None) -> int:
    names = {attack.__name__: attack for attack in ATTACKS}
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.measure", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="at the scale of the tests")
    parser.add_argument("attacks", nargs="*", choices=[*names, []], metavar="ATTACK", help="which (default: all)")
    options = parser.parse_args(arguments)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    missed = 0
    for name in options.attacks or names:
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            given: dict[str, Any] = {"scale": charges.QUICK if options.quick else charges.FULL}
            if "folder" in inspect.signature(names[name]).parameters:
                given["folder"] = Path(folder)
            for outcome in names[name](**given):
                print(outcome, flush=True)
                missed += not outcome.held
        print(f"      {name}: {time.monotonic() - start:.0f} s", flush=True)
    return int(bool(missed))


if __name__ == "__main__":
    run_command(main)
