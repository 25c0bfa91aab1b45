"""What Tab offers: commands, recipients, and names in any text."""

from __future__ import annotations

import pytest

from chat_console.app.completion import complete, draft
from chat_console.app.saving import save_command
from chat_console.server.room.commands import Role, commands_for, named_in

NAMES = ("Malcolm", "Sturgis", "malvina", "10.0.0.1|4711")


@pytest.mark.parametrize(
    ("left", "lines"),
    [
        ("/k", ["/kick "]),
        ("/ms", ["/msg "]),
        ("/M", ["/msg ", "/mute "]),
        ("/ba", ["/ban ", "/bans "]),
        ("/unb", ["/unban "]),
        ("/list", ["/list "]),
        ("/", [*(f"/{command.word} " for command in commands_for(Role.OPERATOR)), "/save "]),
        ("/sa", ["/save "]),
        ("/nick", []),  # a client's command
        ("//k", []),  # text that begins with a slash
        ("/x", []),
    ],
)
def test_a_command_is_completed_where_it_is_the_first_word(left: str, lines: list[str]) -> None:
    assert complete(left, NAMES) == lines


@pytest.mark.parametrize(
    ("left", "lines"),
    [
        ("/msg Stu", ["/msg Sturgis "]),
        ("/kick stu", ["/kick Sturgis "]),
        ("/MSG stu", ["/MSG Sturgis "]),
        ("/msg 10.", ["/msg 10.0.0.1|4711 "]),
        ("/msg mal", ["/msg Malcolm ", "/msg malvina "]),
        ("/kick ", ["/kick 10.0.0.1|4711 ", "/kick Malcolm ", "/kick malvina ", "/kick Sturgis "]),
        ("/mute stu", ["/mute Sturgis "]),
        ("/unmute stu", ["/unmute Sturgis "]),
        ("/ban stu", ["/ban Sturgis "]),
        ("/ban 10.", ["/ban 10.0.0.1|4711 "]),
        ("/kick nobody", []),
        ("/kick @stu", ["/kick Sturgis "]),
    ],
)
def test_a_recipient_is_completed_with_the_blank_behind_it(left: str, lines: list[str]) -> None:
    assert complete(left, NAMES) == lines


@pytest.mark.parametrize(
    ("left", "lines"),
    [
        ("stu", ["Sturgis"]),
        ("have you seen Stu", ["have you seen Sturgis"]),
        ("/msg Malcolm ask stu", ["/msg Malcolm ask Sturgis"]),
        ("ask  mal", ["ask  Malcolm", "ask  malvina"]),
        ("/list mal", ["/list Malcolm", "/list malvina"]),
        ("@stu", ["@Sturgis"]),
        ("thank you @mal", ["thank you @Malcolm", "thank you @malvina"]),
        ("(stu", ["(Sturgis"]),
        ('"@stu', ['"@Sturgis']),
        ("hi @", [f"hi @{name}" for name in sorted(NAMES, key=str.lower)]),
        ("@10.", ["@10.0.0.1|4711"]),
    ],
)
def test_a_name_in_a_text_is_completed_as_it_is_spelt(left: str, lines: list[str]) -> None:
    assert complete(left, NAMES) == lines


@pytest.mark.parametrize("word", ["msg", "kick", "mute", "unmute", "ban"])
def test_behind_a_command_that_takes_a_user_everybody_is_offered(word: str) -> None:
    everybody = sorted(NAMES, key=str.lower)
    assert complete(f"/{word} ", NAMES) == [f"/{word} {name} " for name in everybody]


@pytest.mark.parametrize(
    "left",
    [
        "",
        "hello ",
        "/msg Malcolm ",
        "/mute Malcolm ",
        "/list ",
        "/bans ",
        "/unban ",
        "hello nobody",
        "@x",
        "(",
    ],
)
def test_nothing_is_offered_where_no_name_was_begun_and_none_is_due(left: str) -> None:
    assert complete(left, NAMES) == []


def test_a_name_that_several_share_is_offered_once() -> None:
    assert complete("/msg t", ["twin", "twin"]) == ["/msg twin "]


def test_markup_in_a_name_stays_what_it_is() -> None:
    assert complete("/kick [", ["[/x]", "[@click=app.quit]"]) == ["/kick [/x] ", "/kick [@click=app.quit] "]


def test_every_completed_command_is_one_that_the_operator_has() -> None:
    *completed, save = complete("/", NAMES)
    assert save_command(f"{save} file") == "file"
    assert len(completed) == len(commands_for(Role.OPERATOR))
    assert [named_in(line, Role.OPERATOR) for line in completed] == commands_for(Role.OPERATOR)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hello  there ", "hello  there "),
        ("/msg Bob the key is  under the mat", "the key is  under the mat"),
        (" /MSG Bob hi", "hi"),
        ("//shrug", "/shrug"),
        ("", ""),
        ("/msg", ""),
        ("/msg ", ""),
        ("/msg Bob ", ""),
        ("/kick Bob for noise", ""),
        ("/msgs", ""),
        ("\uff0fmsg Bob hi", "hi"),
        ("\ufffd/msg Bob hi", "hi"),
        ("\u3000/kick Bob", ""),
        ("/\uff0fshrug", "\uff0fshrug"),
    ],
)
def test_words_go_along_to_another_recipient_and_a_command_does_not(line: str, words: str) -> None:
    assert draft(line) == words
