"""What is recorded, as an operator reads it: in the log's words, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
import json

import pytest

from chat_console.app.recorded import csv_header, csv_of, entry_of, json_of, text_of
from chat_console.server.history.records import Kind as Recorded
from chat_console.server.history.records import Line
from chat_console.widgets.entry import Kind

AT = 1_700_000_000.25


def line(kind: int, text: str, name: str = "Ann", serial: int = 1) -> Line:
    return Line(serial, AT, kind, 7, name, "192.0.2.1|4711", text)


EACH = [
    ("said", Kind.CHAT, "  Ann: hello", line(Recorded.SAID, "hello")),
    ("operator", Kind.OPERATOR, "> Operator: hello", line(Recorded.OPERATOR_SAID, "hello", "Operator")),
    ("joined", Kind.JOIN, "+ 192.0.2.1|4711 joined", line(Recorded.JOINED, "192.0.2.1|4711")),
    ("left", Kind.LEAVE, "- Ann left (kicked: be polite)", line(Recorded.LEFT, "KICKED\tbe polite")),
    ("renamed", Kind.RENAME, "~ Bob is now Ann", line(Recorded.RENAMED, "Ann", "Bob")),
    ("muted", Kind.NOTICE, "* Ann is muted for 10m (insults)", line(Recorded.MUTED, "1\t600\tinsults")),
    ("unmuted", Kind.NOTICE, "* Ann is no longer muted", line(Recorded.MUTED, "0")),
    ("banned", Kind.NOTICE, "* 192.0.2.1 is banned for 1h", line(Recorded.BANNED, "192.0.2.1/32\t3600", "")),
    ("unbanned", Kind.NOTICE, "* 192.0.2.1 is no longer banned", line(Recorded.UNBANNED, "192.0.2.1/32", "")),
    (
        "started",
        Kind.NOTICE,
        "* The server listens on port 1234",
        line(Recorded.STARTED, "127.0.0.1|1234", ""),
    ),
    ("stopped", Kind.NOTICE, "* The server has stopped (SIGTERM)", line(Recorded.STOPPED, "SIGTERM", "")),
    (
        "gap",
        Kind.NOTICE,
        "* 1,204 lines not kept: the disk could not be written",
        line(Recorded.GAP, "1204", ""),
    ),
    ("private", Kind.PRIVATE, "» Ann: psst", line(Recorded.PRIVATE, "psst")),
    ("sent", Kind.SENT, "» to Ann: yes", line(Recorded.SENT, "Ann\tyes", "Operator")),
    ("99", Kind.NOTICE, "* of a later version", line(99, "of a later version", "")),
    ("left", Kind.NOTICE, "* BORED", line(Recorded.LEFT, "BORED")),
]


@pytest.mark.parametrize(("name", "kind", "shown", "line"), EACH, ids=[each[0] for each in EACH])
def test_each_kind_is_in_the_words_of_the_log(name: str, kind: Kind, shown: str, line: Line) -> None:
    entry = entry_of(line)
    assert entry.kind is kind
    assert text_of([line])[20:] == f"{shown}\n"
    fields = json.loads(json_of([line]))
    assert fields["kind"] == name
    assert fields["text"] == (shown.partition(": ")[2] if entry.sender else shown[2:])


def test_json_has_one_object_a_line_with_a_time_that_says_its_zone() -> None:
    lines = [line(Recorded.SAID, '漢字 "and" more'), line(Recorded.SAID, "two", serial=2)]
    first, second = map(json.loads, json_of(lines).splitlines())
    assert first == {
        "serial": 1,
        "time": first["time"],
        "kind": "said",
        "user": "Ann",
        "address": "192.0.2.1|4711",
        "text": '漢字 "and" more',
    }
    assert first["time"].startswith("2023-11-1")
    assert first["time"][19:23] == ".250"
    assert first["time"][-6] in "+-"
    assert second["serial"] == 2


@pytest.mark.parametrize("text", ['a "quoted", text', "a;b,c", "漢字", "'already"])
def test_csv_is_read_back_as_it_was(text: str) -> None:
    rows = [*csv.reader(io.StringIO(csv_header() + csv_of([line(Recorded.SAID, text)])))]
    assert rows[0] == ["serial", "time", "kind", "user", "address", "text"]
    assert rows[1][2:] == ["said", "Ann", "192.0.2.1|4711", text]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_no_cell_of_csv_is_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_of([line(Recorded.SAID, text)])))
    assert row[-1] == f"'{text}"


def test_what_somebody_wrote_into_the_file_is_harmless_on_a_terminal() -> None:
    hostile = line(Recorded.SAID, "\x1b[2J\x9b1mred\x07", name="A\x1b]0;owned\x07nn")
    for shown in (text_of([hostile]), json_of([hostile]), csv_of([hostile])):
        assert not set(shown) & {"\x1b", "\x9b", "\x07"}
        assert "\\u001b" not in shown
