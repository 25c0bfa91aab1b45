"""Lines sent before: going back to them, edits on the way, and the search for one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_console.widgets.past_lines import LIMIT, LineSearch, PastLines

WORDS = st.sampled_from(["", " ", "a", "ab", "Abc", "b", "bc", "ca"])


@given(st.lists(WORDS), st.lists(WORDS))
def test_lines_of_former_days_come_before_those_of_today(former: list[str], today: list[str]) -> None:
    past = PastLines()
    for line in today:
        past.add(line)
    past.add_older(former)
    expected: list[str] = []
    for line in former + today:
        if line.strip() and expected[-1:] != [line]:
            expected.append(line)
    assert list(past.lines) == expected[-LIMIT:]


@given(st.lists(WORDS, min_size=1), st.lists(WORDS), st.lists(st.sampled_from([-1, 1]), max_size=8))
def test_what_is_shown_stays_when_older_lines_arrive(
    today: list[str], former: list[str], steps: list[int]
) -> None:
    """Whatever was edited: going on from there shows the same as if they had been there before."""
    early, late = PastLines(), PastLines()
    early.add_older(former)
    for line in today:
        early.add(line)
        late.add(line)
    for past in (early, late):
        past.start_over()
    shown = "draft"
    for number, step in enumerate(steps):
        lines = [past.move(step, f"{shown}{number}") for past in (early, late)]
        if lines[0] != lines[1]:
            return  # it has gone back further than today
        shown = lines[0] or shown
    late.add_older(former)
    assert late.move(1, "x") == early.move(1, "x")
    assert late.unsent("y") == early.unsent("y")


def test_the_oldest_lines_go_first_also_with_those_of_former_days() -> None:
    past = PastLines()
    past.add("today")
    past.add_older(str(number) for number in range(LIMIT + 10))
    assert (len(past.lines), past.lines[0], past.lines[-1]) == (LIMIT, "11", "today")


def test_a_line_is_new_unless_it_is_blank_or_the_last_one_again() -> None:
    past = PastLines()
    assert [past.add(line) for line in ("a", "a", "b", " ", "", "a")] == [
        True,
        False,
        True,
        False,
        False,
        True,
    ]


@given(st.lists(WORDS, max_size=12), WORDS)
def test_the_search_goes_through_all_lines_with_the_text_newest_first(lines: list[str], query: str) -> None:
    search = LineSearch(lines, "draft")
    assert search.shown == "draft"
    for end in range(1, len(query) + 1):
        search.narrow(query[:end])
    matching = [line for line in reversed(lines) if query.casefold() in line.casefold()]
    expected = [line for place, line in enumerate(matching) if place == 0 or line != matching[place - 1]]
    if not query:
        found = []
    elif not matching:
        assert (search.found, search.failed, search.shown) == (None, True, "")
        found = []
    else:
        found = [search.found]
        assert not search.failed
    while search.move(-1):
        found.append(search.found)
    assert found == expected
    while search.move(1):
        found.pop()
        assert search.found == found[-1]
    assert len(found) <= 1


def test_narrowing_prefers_older_lines_and_then_starts_anew() -> None:
    search = LineSearch(["wx", "w", "wy", "w"], "")
    search.narrow("w")
    assert search.move(-1) and search.found == "wy"
    search.narrow("wx")
    assert search.found == "wx"
    search.narrow("w")
    assert search.found == "w"
    assert search.move(-1) and search.move(-1) and search.found == "w"
    search.narrow("wy")  # there is none older
    assert search.found == "wy"
    search.narrow("wyz")
    assert search.failed and not search.move(-1) and not search.move(1)
    search.narrow("")
    assert not search.failed and search.found is None
