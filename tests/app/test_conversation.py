# ruff: noqa: RUF001
"""Who waits for an answer, and who gets it."""

from __future__ import annotations

import pytest
from support.console_operator import Operator

from chat_console.server.room.events import Said
from chat_console.widgets.command_line import CommandLine


async def test_f8_goes_from_one_who_waits_to_the_next_the_oldest_first(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    for member in (bob, ann):
        operator.say(member, "/msg Operator help")
    await operator.until(lambda: "» 2 private" in operator.status)
    for member in (bob, ann, bob):
        await operator.press("f8")
        assert operator.line.recipient is not None
        assert (operator.line.recipient.id, operator.selected) == (member.id, member.id)
        assert operator.log.pointed is not None and operator.log.pointed.who == member.id
        assert operator.focused is operator.line


async def test_f8_goes_there_again_wherever_the_operator_has_gone_since(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.say(bob, "/msg Operator help")
    for number in range(30):
        operator.happen(Said(0, -number, f"user{number}", ("hello",)))
    await operator.until(lambda: "» 1 private" in operator.status)
    await operator.press("f8")
    serial = operator.log.pointer
    assert serial is not None
    operator.log.scroll_end()
    operator.user_list.selected = ann.id
    await operator.settle()
    assert not operator.log.in_view(serial)
    await operator.press("f8")
    assert operator.log.in_view(serial)
    assert operator.selected == bob.id


async def test_who_has_left_waits_until_the_operator_has_seen_its_line(operator: Operator) -> None:
    (bob,) = await operator.gather("Bob")
    operator.say(bob, "/msg Operator help")
    await operator.leave(bob)
    await operator.until(lambda: "» 1 private" in operator.status)
    await operator.press("f8")
    assert operator.log.pointed is not None and operator.log.pointed.text == "help"
    # What is typed now is meant for Bob, and goes to nobody.
    assert operator.line.recipient is not None and operator.line.recipient.gone
    assert operator.selected is None
    await operator.until(lambda: "private" not in operator.status)


async def test_f8_where_nobody_waits_says_so_and_changes_nothing(operator: Operator) -> None:
    await operator.gather("Ann")
    await operator.press("f8")
    assert operator.answer == "! nobody waits for an answer"
    assert (operator.line.recipient, operator.selected) == (None, None)


@pytest.mark.quick
async def test_half_typed_text_stays_when_the_recipient_changes(operator: Operator) -> None:
    _, bob = await operator.gather("Ann", "Bob")
    operator.say(bob, "/msg Operator help")
    await operator.until(lambda: "» 1 private" in operator.status)
    await operator.press(*"yes", "f8")
    assert operator.line.value == "yes"
    await operator.until(lambda: "to Bob ›" in operator.text)
    await operator.press("enter")
    assert operator.clients[bob].lines[-1] == "Operator (private): yes "


async def test_held_down_backspace_erases_the_text_and_not_the_recipient_too(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    await operator.press("f2", *"hi", "backspace", "backspace", "backspace")
    assert operator.line.recipient is not None and operator.line.recipient.id == ann.id


async def test_a_message_typed_as_a_command_is_an_answer_too(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    for member in (ann, bob):
        operator.say(member, "/msg Operator help")
    await operator.until(lambda: "» 2 private" in operator.status)
    await operator.submit("/msg Ann here I am")
    await operator.until(lambda: "» 1 private" in operator.status)
    assert operator.line.recipient is None


async def test_whom_another_operator_has_answered_waits_no_more(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.say(ann, "/msg Operator help")
    await operator.until(lambda: "» 1 private" in operator.status)
    operator.other.message(ann.id, "coming")
    await operator.until(lambda: "private" not in operator.status)
    assert operator.last == "» to Ann: coming"


@pytest.mark.quick
async def test_what_was_on_its_way_to_one_who_has_left_is_in_the_line_again(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f2")
    operator.go(bob)
    # Enter was pressed before the screen could tell that Bob has left.
    operator.line.post_message(CommandLine.Line(operator.line, "between us", bob.id))
    await operator.until(lambda: operator.line.value == "between us")
    assert operator.line.recipient is not None and operator.line.recipient.gone
    assert operator.clients[ann].lines[-1] == "Bob has left the server."
    assert operator.answer.startswith("! ")


@pytest.mark.parametrize("keys", [["f8"], ["f5", "enter"]])
async def test_what_is_typed_for_one_who_has_left_goes_to_nobody(operator: Operator, keys: list[str]) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    operator.say(bob, "/msg Operator help")
    await operator.until(lambda: "» 1 private" in operator.status)
    serial = operator.log.scrollback.next - 1
    await operator.leave(bob)
    if "enter" in keys:
        operator.log.pointer = serial
    await operator.press(*keys)
    await operator.until(lambda: "Bob has left ›" in operator.text)
    operator.join("Bob")
    await operator.press(*"secret", "enter")
    assert operator.answer == "! Bob has left; Esc writes to everybody"
    assert not any("secret" in line for client in operator.clients.values() for line in client.lines)
    await operator.press("escape")
    assert operator.line.recipient is None


async def test_whoever_left_without_a_word_gets_nothing_either(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    await operator.press("f2")
    await operator.leave(bob)
    operator.console.chat.action_message(bob.id)
    await operator.press(*"hi", "enter")
    assert operator.answer == "! this user has left; Esc writes to everybody"
    assert "hi" not in operator.clients[ann].lines[-1]
