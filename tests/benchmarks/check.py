"""What is sent, and whether all of it arrived: once, and in order."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise

MARK = b"^"
"""Ends each line's text. No notice, name or prefix of any server holds it: its count is the lines'."""

_FILL = "." * 46

LINE = re.compile(rb"s(\d+) n(\d+) \.+\^\r?\n")
"""The text of a whole, undamaged line: its sender's number, and its sequence number from 0 on."""


def lines(sender: int, first: int, last: int, begin: bytes = b"") -> bytes:
    """Lines `first` to `last - 1` of one sender: for each `begin`, about 60 bytes of text, and a line end."""
    head, tail = f"{begin.decode()}s{sender} n", f" {_FILL}^\n"
    return "".join([f"{head}{sequence:07d}{tail}" for sequence in range(first, last)]).encode()


def faults_in(stream: bytes | bytearray, sent: Mapping[int, int]) -> list[str]:
    """Look for lost, doubled, reordered and damaged lines in what one client received.

    Args:
        stream: all bytes received, from a line's start to a line's end.
        sent: how many lines each sender sent, by its number, without the client's own.

    Returns:
        A sentence for each kind of fault and sender; none if every line came once and in order.
    """
    got: defaultdict[int, list[int]] = defaultdict(list)
    for sender, sequence in LINE.findall(stream):
        got[int(sender)].append(int(sequence))
    faults: list[str] = []
    for sender in sorted(got.keys() | sent.keys()):
        sequences, wanted = got[sender], range(sent.get(sender, 0))
        if sequences == list(wanted):
            continue
        distinct = dict.fromkeys(sequences)
        counts = {
            "lost": len(set(wanted).difference(distinct)),
            "doubled": len(sequences) - len(distinct),
            "reordered": sum(later < sooner for sooner, later in pairwise(distinct)),
            "never sent": len(distinct.keys() - set(wanted)),
        }
        faults += [f"{count} lines of sender {sender} {kind}" for kind, count in counts.items() if count]
    if damaged := stream.count(MARK) - sum(map(len, got.values())):
        faults.append(f"{damaged} lines damaged")
    return faults
