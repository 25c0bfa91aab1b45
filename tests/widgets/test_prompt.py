"""The prompt: to whom the line goes, in as much room as there is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.room.text import clean
from chat_console.widgets.cells import widest
from chat_console.widgets.prompt import ARROW, LEAST, PromptText, Recipient, prompt_to

RECIPIENTS = st.builds(Recipient, st.integers(), st.text(), st.booleans())


def test_it_says_to_whom_the_line_goes() -> None:
    for recipient, shown in (
        (None, "everybody"),
        (Recipient(1, "quentin"), "to quentin"),
        (Recipient(1, "quentin", gone=True), "quentin has left"),
        (Recipient(1, "[b]x[/nope]\x1b[2J\u202e"), "to [b]x[/nope]"),
    ):
        assert prompt_to(recipient).fitted(80) == shown + ARROW


def test_a_long_name_is_cut_to_a_third_and_of_an_address_the_port_stays() -> None:
    for name, shown in (
        ("a_name_of_20_letters", "to a_name_of_20…"),
        ("127.0.0.1|47144", "to ….0.0.1|47144"),
        ("2001:db8::1234|47144", "to …::1234|47144"),
        ("\u6f22" * 20, "to \u6f22\u6f22\u6f22\u6f22\u6f22\u6f22…"),
    ):
        assert prompt_to(Recipient(1, name)).fitted(40) == shown + ARROW
        assert widest(shown) <= 3 + 13


@given(st.none() | RECIPIENTS, st.integers(0, 200))
def test_there_is_always_room_to_type(recipient: Recipient | None, width: int) -> None:
    shown = prompt_to(recipient).fitted(width)
    assert shown == ARROW.lstrip() or widest(shown) <= width - LEAST
    assert clean(shown) == shown


@given(RECIPIENTS)
def test_a_name_that_fits_is_whole(recipient: Recipient) -> None:
    assert clean(recipient.name) in prompt_to(recipient).fitted(3 * widest(clean(recipient.name)) + 40)


def test_of_a_text_that_is_searched_for_the_end_is_seen() -> None:
    text = PromptText("search: ", "the words that are searched for", keeps_end=True)
    assert text.fitted(40) == "search: …searched for" + ARROW
