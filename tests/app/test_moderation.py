"""Acts on users: by the id that was meant, whatever happens to names and lists while the dialog is open."""

from __future__ import annotations

import pytest
from support.console_operator import Operator

from chat_console.widgets.action_dialog import ActionDialog


@pytest.mark.quick
async def test_the_dialog_acts_on_whom_it_was_opened_for_whoever_is_selected_by_then(
    operator: Operator,
) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f6")
    await operator.dialog()
    operator.user_list.selected = ann.id
    await operator.press("enter")
    await operator.until(lambda: bob.muted)
    assert not ann.muted


@pytest.mark.quick
async def test_who_takes_another_name_is_kicked_and_not_who_takes_the_old_one(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f3")
    await operator.dialog()
    operator.say(bob, "/nick Innocent")
    operator.say(ann, "/nick Bob")
    await operator.until(lambda: set(operator.names) == {"Bob", "Innocent"})
    await operator.press("enter")
    await operator.until(lambda: list(operator.server.members) == [ann])


@pytest.mark.parametrize("key", ["f3", "f6", "f7"])
async def test_a_key_pressed_again_asks_once(operator: Operator, key: str) -> None:
    bob = operator.join("Bob", address="192.0.2.7|1")
    await operator.until(lambda: operator.names == ["Bob"])
    operator.user_list.selected = bob.id
    await operator.press(key)
    await operator.dialog()
    await operator.press(key)
    # Nor does whatever comes by another way than the key, which the dialog keeps to itself.
    operator.console.chat.action_kick()
    await operator.settle()
    assert len(operator.console.screen_stack) == 2
    await operator.press("escape")
    await operator.back()
    assert list(operator.server.members) == [bob] and not bob.muted


@pytest.mark.parametrize("key", ["f3", "f6"])
async def test_who_is_kicked_or_muted_waits_for_no_answer_any_more(operator: Operator, key: str) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    for member in (ann, bob):
        operator.say(member, "/msg Operator help")
    await operator.until(lambda: "» 2 private" in operator.status)
    operator.user_list.selected = bob.id
    await operator.press(key)
    await operator.dialog()
    await operator.press("enter")
    await operator.until(lambda: "» 1 private" in operator.status)


async def test_a_ban_names_those_too_who_come_while_it_is_asked_about(operator: Operator) -> None:
    ann = operator.join("Ann", address="192.0.2.7|1")
    await operator.until(lambda: operator.names == ["Ann"])
    operator.user_list.selected = ann.id
    await operator.press("f7")
    await operator.dialog()
    assert "This drops Ann." in operator.text
    bob = operator.join("Bob", address="192.0.2.7|2")
    operator.join("Cid", address="192.0.2.8|1")
    await operator.until(lambda: "This drops Ann, Bob." in operator.text)
    operator.say(bob, "/nick Rob")
    await operator.until(lambda: "This drops Ann, Rob." in operator.text)
    operator.go(bob)
    await operator.until(lambda: "This drops Ann." in operator.text)
    operator.go(ann)
    await operator.until(lambda: "Ann has left. Enter closes this." in operator.text)


async def test_only_the_last_act_is_undone_and_then_the_one_before(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    for member in (ann, bob):
        await operator.submit(f"/mute {member.name}")
        await operator.until(lambda: member.muted)  # noqa: B023
    await operator.press("ctrl+z")
    assert (ann.muted, bob.muted) == (True, False)
    await operator.press("ctrl+z")
    assert (ann.muted, bob.muted) == (False, False)
    await operator.press("ctrl+z")
    assert operator.answer == "! nothing to undo"


async def test_what_another_operator_did_is_not_offered_to_undo_with_the_next_answer(
    operator: Operator,
) -> None:
    (ann,) = await operator.gather("Ann")
    operator.other.mute(ann.id)
    await operator.until(lambda: operator.last == "* Ann is muted")
    await operator.submit("/list")
    assert operator.answer.startswith("= ") and "undoes" not in operator.answer


async def test_a_kick_typed_as_a_command_is_the_last_act_too(operator: Operator) -> None:
    ann, _ = await operator.gather("Ann", "Bob")
    await operator.submit("/mute Ann")
    await operator.submit("/kick Bob")
    await operator.until(lambda: operator.names == ["Ann"])
    await operator.press("ctrl+z")
    assert (operator.answer, ann.muted) == ("! a kick cannot be undone; Bob may join again", True)
    await operator.press("ctrl+z")
    assert not ann.muted


async def test_a_ban_of_several_networks_is_undone_with_one_key(operator: Operator) -> None:
    bob = operator.join("Bob", address="192.0.2.7|1")
    await operator.submit("/ban Bob")
    operator.go(bob)
    operator.join("Bob", address="192.0.2.8|1")
    for _ in range(2):
        await operator.submit("/ban Bob")
    await operator.until(lambda: not operator.server.members)
    await operator.press("ctrl+z")
    bans: list[str] = []
    operator.server.chat.list_bans(bans.append)
    await operator.until(lambda: bans)
    assert bans == ["Nobody is banned"]
    assert operator.answer.startswith("= 192.0.2.7 and 192.0.2.8 are no longer banned")


async def test_the_mute_of_one_who_has_left_is_nothing_to_undo(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    for member in (ann, bob):
        await operator.submit(f"/mute {member.name}")
        await operator.until(lambda: member.muted)  # noqa: B023
    await operator.leave(bob)
    await operator.press("ctrl+z")
    assert not ann.muted


async def test_the_time_that_was_chosen_is_offered_the_next_time(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    await operator.press("f6")
    await operator.dialog()
    await operator.press("ctrl+u", *"3h", "enter")
    await operator.until(lambda: operator.answer.startswith("= Ann is muted for 3h"))
    operator.user_list.selected = bob.id
    await operator.press("f6")
    assert isinstance(await operator.dialog(), ActionDialog)
    await operator.press("enter")
    await operator.until(lambda: operator.answer.startswith("= Bob is muted for 3h"))


async def test_who_leaves_before_the_screen_can_tell_is_not_hit_and_nothing_is_undone(
    operator: Operator,
) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    await operator.press("f3")
    dialog = await operator.dialog()
    operator.go(ann)
    dialog.action_decide()
    await operator.until(lambda: operator.answer == "! Ann has left; nobody was kicked")
    await operator.press("ctrl+z")
    assert operator.answer == "! nothing to undo"


async def test_an_act_on_one_who_has_left_says_so_and_asks_nothing(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    await operator.leave(ann)
    for act in (operator.console.chat.action_kick, operator.console.chat.action_ban):
        await operator.press("x")
        assert not operator.answer
        act(ann.id)
        await operator.settle()
        assert operator.answer == "! this user has already left"
        assert operator.at_home


async def test_what_somebody_has_lifted_meanwhile_is_nothing_to_undo(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    for act, lift in (("/mute Ann", "/unmute Ann"), ("/ban 192.0.2.7", "/unban 192.0.2.7")):
        await operator.submit(act)
        await operator.until(lambda: operator.answer.endswith(" · Ctrl+Z undoes"))
        await operator.submit(lift)
        await operator.until(lambda: "no longer" in operator.answer or "unmuted" in operator.answer)
        assert "Ctrl+Z" not in operator.answer, "that is no longer so"
        await operator.press("ctrl+z")
        assert operator.answer == "! nothing to undo"
    assert not ann.muted


async def test_of_a_mute_in_place_of_another_it_says_that_both_would_be_lifted(operator: Operator) -> None:
    await operator.gather("Ann")
    both = "= Ann is muted for 1h · Ctrl+Z unmutes, and lifts the mute before it too"
    alone = "= Ann is muted for 1h · Ctrl+Z undoes"
    for answer in (alone, both):
        await operator.submit("/mute Ann 1h")
        await operator.until(lambda: operator.answer == answer)  # noqa: B023
    await operator.submit("/unmute Ann")
    await operator.submit("/mute Ann 1h")
    await operator.until(lambda: operator.answer == alone)


async def test_of_a_ban_in_place_of_another_it_says_that_both_would_be_lifted(operator: Operator) -> None:
    answers = (
        "= 192.0.2.7 is banned for 1h · Ctrl+Z undoes",
        "Ctrl+Z unbans, and lifts the ban before it too",
    )
    for answer in answers:
        await operator.submit("/ban 192.0.2.7 1h")
        await operator.until(lambda: operator.answer.endswith(answer))  # noqa: B023
    await operator.press("ctrl+z")
    assert operator.answer.startswith("= 192.0.2.7 is no longer banned, and the ban before it is lifted too;")
