"""What is known of one user, in rows: nothing seconds would change, nothing wider than there is room."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.users import QUENTIN, V4

from chat_console.widgets.cells import widest
from chat_console.widgets.entry import Entry, Kind
from chat_console.widgets.user_facts import WIDE, Details, facts, size_text, title

V6 = "2001:db8:85a3:8d3:1319:8a2e:370:7348|54321"


def test_at_80_columns_it_says_the_least() -> None:
    assert facts(QUENTIN, 23) == ["127.0.0.1|47144", "here 1h02 · 14 lines", "was q · muted never"]


def test_at_100_columns_it_has_the_last_lines_too() -> None:
    assert facts(QUENTIN, 35) == [
        "127.0.0.1|47144 · here 1h02",
        "14 lines · idle 2m · 0 B waiting",
        "was q · same address: 29 others",
        "23:03 » Karim is insulting me in p…",
        "22:55   is there a solution for 2?",
        "22:40 ⊘ I use recv(1024)",
    ]


ROMAN = replace(QUENTIN, here=None, waiting=None, node="rome")


@pytest.mark.parametrize(
    ("changed", "narrow", "wide"),
    [
        (
            {},
            [V4, "on node rome · 14 lines", "was q · muted never"],
            [
                "127.0.0.1|47144 · on node rome",
                "14 lines · idle 2m · rest unknown",
                "was q · same address: 29 others",
                "23:03 » Karim is insulting me in p…",
                "22:55   is there a solution for 2?",
                "22:40 ⊘ I use recv(1024)",
            ],
        ),
        (
            {"idle": None, "others": 0, "old_names": [], "lines": 0, "last": []},
            [V4, "on node rome · 0 lines", "muted never"],
            [f"{V4} · on node rome", "0 lines · rest unknown", "", "", "", ""],
        ),
        (
            {"node": "frankfurt-am-main-7", "address": V6},
            ["…19:8a2e:370:7348|54321", "on node frankfurt-am-m…", "was q · muted never"],
            ["…|54321 · on node frankfurt-am-mai…"],
        ),
    ],
)
def test_of_a_user_of_another_node_it_says_which_and_what_is_unknown(
    changed: dict[str, object], narrow: list[str], wide: list[str]
) -> None:
    details = replace(ROMAN, **changed)  # pyright: ignore[reportArgumentType]
    assert facts(details, 23) == narrow
    assert facts(details, 35)[: len(wide)] == wide


@pytest.mark.parametrize(
    ("changed", "narrow", "wide"),
    [
        ({"old_names": []}, "muted never", "same address: 29 others"),
        ({"old_names": [], "others": 0}, "muted never", ""),
        ({"others": 1}, "was q · muted never", "was q · same address: 1 other"),
        ({"old_names": ["q", "quent"], "others": 0}, "was q, quent · muted n…", "was q, quent"),
        ({"mutes": 1, "others": 0}, "was q · muted once", "was q · muted once"),
        ({"mutes": 2, "others": 0}, "was q · muted twice", "was q · muted twice"),
        ({"mutes": 3, "others": 0}, "was q · muted 3 times", "was q · muted 3 times"),
        (
            {"muted": True, "mute_left": 530.0, "mutes": 2},
            "muted for 9m more · wa…",
            "muted for 9m more · was q",
        ),
        (
            {"muted": True, "mutes": 1, "others": 0},
            "muted until lifted · w…",
            "muted until lifted · was q",
        ),
    ],
)
def test_it_tells_names_mutes_and_neighbours_as_far_as_there_are_any(
    changed: dict[str, object], narrow: str, wide: str
) -> None:
    details = replace(QUENTIN, **changed)  # pyright: ignore[reportArgumentType]
    assert (facts(details, 23)[-1], facts(details, 35)[2]) == (narrow, wide)


def test_what_does_not_fit_in_one_row_takes_that_of_the_oldest_line() -> None:
    muted = replace(QUENTIN, muted=True, mute_left=600.0)
    first, *others = facts(muted, 35)[2:]
    assert [first, others[0]] == ["muted for 10m more · was q", "same address: 29 others"]
    assert others[1:] == facts(QUENTIN, 35)[3:5]
    many = replace(muted, old_names=["n" * 20, "m" * 20])
    assert facts(many, 35)[2:4] == ["muted for 10m more", f"was {'n' * 20}, {'m' * 8}…"]


def test_seconds_change_nothing() -> None:
    at_first = replace(QUENTIN, here=0, idle=0)
    assert facts(at_first, 35) == facts(replace(at_first, here=59.9, idle=59.9), 35)
    assert facts(at_first, 35)[:2] == [f"{V4} · here <1m", "14 lines · idle <1m · 0 B waiting"]


@pytest.mark.parametrize(
    ("lines", "text"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (4711, "4,711 lines")]
)
def test_lines_are_counted_as_one_speaks(lines: int, text: str) -> None:
    assert facts(replace(QUENTIN, lines=lines), 23)[1] == f"here 1h02 · {text}"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1 kB"),
        (340_400, "340 kB"),
        (999_400, "999 kB"),
        (1_000_000, "1 MB"),
        (12_300_000, "12 MB"),
        (5_000_000_000, "5000 MB"),
    ],
)
def test_a_size_is_told_in_its_largest_unit(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("name", "width", "text"),
    [
        ("quentin", 25, "── quentin ──────────────"),
        ("Methuselah-the-Elder", 20, "── Methuselah-th… ──"),
        ("漢字漢字", 12, "── 漢字… ───"),
        ("", 5, "─────"),
        ("quentin", 6, "──────"),
        ("quentin", 0, ""),
    ],
)
def test_the_name_stands_in_a_rule(name: str, width: int, text: str) -> None:
    assert "".join(title(name, width)) == text


texts = st.one_of(st.text(max_size=40), st.sampled_from([V4, V6, "漢字" * 20, "e\u0301" * 30, "👨‍👩‍👧‍👦"]))
anybody = st.builds(
    Details,
    st.just(7),
    texts,
    texts,
    here=st.none() | st.floats(0, 1e8),
    idle=st.none() | st.floats(0, 1e8),
    lines=st.integers(0, 10**9),
    waiting=st.none() | st.integers(0, 10**10),
    old_names=st.lists(texts, max_size=5),
    muted=st.booleans(),
    mute_left=st.one_of(st.none(), st.floats(-10, 1e8)),
    mutes=st.integers(0, 99),
    others=st.integers(0, 9_999),
    node=st.sampled_from(["", "rome", "n" * 32]),
    last=st.lists(st.builds(Entry, st.just(1e9), st.sampled_from(Kind), texts, texts), max_size=5),
)


@given(anybody, st.integers(0, 80))
def test_nothing_is_wider_than_its_room_or_moves_the_buttons(details: Details, width: int) -> None:
    rows = facts(details, width)
    assert len(rows) == len(facts(QUENTIN, width)) == (6 if width >= WIDE else 3)
    assert all(widest(row) <= width for row in rows)
    assert widest("".join(title(details.name, width))) == width
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for row in rows for character in row)
