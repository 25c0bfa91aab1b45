"""What stands in for what an encoding lacks takes as many columns, and says as much as it can."""

from __future__ import annotations

import pytest

from chat_console.app.repertoire import ERRORS, stand_in


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "+-+ | > * . ? ?? ?????? > << -- '' "),
        ("iso-8859-1", "+-+ | » · . é ?? ?????? > «< -- '' "),
        ("koi8-r", "+─+ │ > · . ? ?? Привет > << -- '' "),
        ("utf-8", "╭─╮ │ » · … é 世 Привет ▸ «‹ –— ‘’ \u0308"),  # noqa: RUF001
    ],
)
def test_a_terminal_gets_the_nearest_that_its_encoding_has(encoding: str, shown: str) -> None:
    text = "╭─╮ │ » · … é 世 Привет ▸ «‹ –— ‘’ \u0308"  # noqa: RUF001
    assert text.encode(encoding, ERRORS).decode(encoding) == shown


def test_it_is_for_encoding_alone() -> None:
    with pytest.raises(UnicodeDecodeError):
        b"\xff".decode("ascii", ERRORS)
    assert stand_in(UnicodeEncodeError("ascii", "a世b", 1, 2, "")) == ("??", 2)
