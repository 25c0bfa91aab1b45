"""Who may be called what, and which names look alike."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.room.names import (
    MAX_NAME_LENGTH,
    RESERVED_NAMES,
    is_name,
    is_reserved,
    one_edit_away,
    skeleton,
)

CHARACTERS = string.ascii_letters + string.digits + "_-."


@pytest.mark.parametrize(
    "name", ["a", "Malcolm", "x" * 20, "0", "42", "007", "_", "a_b-c.d", "a..", "1-", "0xdeadbeef"]
)
def test_one_to_twenty_letters_digits_underscores_hyphens_and_dots_are_a_name(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize("character", CHARACTERS)
def test_the_first_is_a_letter_a_digit_or_an_underscore(character: str) -> None:
    assert is_name(character + "a") is (character not in "-.")
    assert is_name("a" + character)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * 21,
        "a b",
        "a\n",
        "Jürgen",
        "a|b",
        "a/b",
        "\uff21",
        "\u0661",
        "a\u200d",
        "[red]",
        "a:",
        "-",
        "...",
        "::1",
    ],
)
def test_anything_else_is_not_a_name(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "127.0.0.1",
            "1.2.3.4",
            "0.0.0.0",
            "255.255.255.255",
            "10.1",
            "10.0.1",
            "192.168.1",
            "999.999.999.999",
        ),
        *("0x7f.0.0.1", "0x7F.1", "0177.0.0.1", "0300.0250.1", "10.0x1"),  # as inet_aton reads them
        *("127.0.0.1.", "127.0.0.1-", "_127.0.0.1", "127.0.0.1_41050", "127.0.0.1-4", "a_10.0.0.1"),
        *("l27.0.0.1", "127.O.O.l", "I0.0.0.1", "127.0.0.S"),
    ],
)
def test_nothing_that_reads_as_an_ip_address_is_a_name(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize(
    "name",
    ["v1.2", "1.2.3.4.5", "a1.2.3.4", "lol.lol", "lol.lol.lol.lol", "Bob-1.2", "1.a", "1e3.4", "10.", "0x.1"],
)
def test_a_name_with_numbers_and_dots_that_reads_as_something_else_is_one(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(
            ("Alice", "AIice"),
            ("Alice", "A1ice"),
            ("Bob", "b0b"),
            ("Oo", "00"),
            ("Sam", "5am"),
            ("sam", "5AM"),
        ),
        *(
            ("Burn", "Bum"),
            ("Vivvi", "Viwi"),
            ("a_b-c.d", "abcd"),
            ("r-n", "m"),
            ("Bob", "BOB"),
            ("_", "_.-"),
        ),
    ],
)
def test_names_look_alike(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ai", "Al"),
        ("Bob", "Rob"),
        ("Ed", "3d"),
        ("Ana", "An4"),
        ("Tom", "7om"),
        ("CORN", "COM"),
        ("VVill", "Will"),
    ],
)
def test_names_look_different(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@given(st.text(CHARACTERS, min_size=1, max_size=MAX_NAME_LENGTH))
def test_a_skeleton_is_what_the_protocol_says(name: str) -> None:
    kept = "".join(character for character in name if character not in "_-.")
    for alike in ("I1l", "0O", "5S"):
        for character in alike:
            kept = kept.replace(character, alike[-1])
    assert skeleton(name) == kept.replace("rn", "m").replace("vv", "w").lower()


def test_the_house_has_these_words() -> None:
    assert " ".join(RESERVED_NAMES) == (
        "Operator Op Sysop Server System Admin Administrator Root Moderator You Everyone Host Console "
        "Chat-console Usage Welcome Unknown Message Nickname Invalid Error Help Muted Kicked Banned"
    )


@pytest.mark.parametrize("word", RESERVED_NAMES)
def test_a_word_of_the_house_is_reserved_in_any_case_and_with_any_punctuation(word: str) -> None:
    for name in (
        word,
        word.upper(),
        word.lower(),
        word.swapcase(),
        ".".join(word),
        f"_{word}-",
        word + "...",
    ):
        assert is_reserved(name), name


@pytest.mark.parametrize("word", RESERVED_NAMES)
@pytest.mark.parametrize(
    ("letters", "alike"),
    [
        *(
            ("il", "1"),
            ("il", "I"),
            ("i", "l"),
            ("l", "i"),
            ("o", "0"),
            ("s", "5"),
            ("e", "3"),
            ("a", "4"),
            ("t", "7"),
        ),
        *((("m",), "rn"), (("w",), "vv")),
    ],
)
def test_a_look_alike_of_a_word_of_the_house_is_reserved(word: str, letters: str, alike: str) -> None:
    name = word.lower()
    for letter in letters:
        name = name.replace(letter, alike)
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["Operators", "Root2", "Yo", "Ops", "Hosts", "Alice", "Systematic", "Helper", ""]
)
def test_any_other_name_is_free(name: str) -> None:
    assert not is_reserved(name)


@given(name=st.text("abc_-", max_size=6), other=st.text("abc_-", max_size=6))
def test_one_edit_away_is_one_letter_more_less_different_or_swapped(name: str, other: str) -> None:
    def shorter(text: str) -> set[str]:
        return {text[:at] + text[at + 1 :] for at in range(len(text))}

    added = name in shorter(other)
    removed = other in shorter(name)
    differing = [at for at, (one, another) in enumerate(zip(name, other, strict=False)) if one != another]
    same_length = len(name) == len(other)
    changed = same_length and len(differing) == 1
    swapped = (
        same_length
        and len(differing) == 2
        and differing[1] - differing[0] == 1
        and name[differing[0]] == other[differing[1]]
        and name[differing[1]] == other[differing[0]]
    )
    found = set(one_edit_away(name)) - {name}
    assert (other in found) is (added or removed or changed or swapped)
