"""The operator's console: every key, button and line, whatever the users do meanwhile."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterable
from ipaddress import ip_address
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.console_operator import Operate, Operator
from support.recording import Receiver
from support.socketless import join, say
from textual import events
from textual.drivers.headless_driver import HeadlessDriver
from textual.widget import Widget
from textual.widgets import Footer, Input

from chat_console.app import joining
from chat_console.app.console import ConsoleApp, UnknownTheme
from chat_console.server.addresses import Address
from chat_console.server.chat_server import ChatServer
from chat_console.server.room.commands import Role, commands_for
from chat_console.server.room.events import Joined, Renamed, Said
from chat_console.server.room.roster import Member
from chat_console.server.settings import Settings
from chat_console.widgets.confirm import Confirm
from chat_console.widgets.help_screen import HelpScreen
from chat_console.widgets.message_log import MessageLog
from chat_console.widgets.user_card import UserCard

HOSTILE = "[/x][@click=app.quit]\x1b[2J\x1b]0;title\x07\x9b31m\u202e"
HARMLESS = "[/x][@click=app.quit]"


def footer_keys(operator: Operator) -> dict[str, Any]:
    """The keys in the footer, which replaces them whenever one is enabled or disabled."""
    return {key.key: key for key in cast("Iterable[Any]", operator.console.screen.query("FooterKey"))}


def enabled(operator: Operator) -> str:
    """The keys in the footer that do something."""
    return " ".join(key for key, shown in footer_keys(operator).items() if not shown.has_class("-disabled"))


def ended(operator: Operator) -> bool:
    return not operator.console.is_running or operator.console.return_code is not None


# The start


@pytest.mark.quick
async def test_it_starts_in_the_line_says_where_it_listens_and_ticks(operator: Operator) -> None:
    port = operator.server.port
    await operator.until(lambda: operator.entries)
    assert operator.entries == [f"* Server started on port {port}"]
    status = operator.status.strip()
    assert re.fullmatch(rf"chat-console  127\.0\.0\.1:{port} · 0 users · 0 msg/s · up 0:00:\d\d", status)
    assert operator.focused is operator.line
    for text in ("Messages", "Users (0)", "Nobody is here yet", "Say something to everybody, or /help"):
        assert text in operator.text
    assert "public" not in operator.text
    await operator.until(lambda: "up 0:00:01" in operator.text)


async def test_who_was_there_before_the_console_is_shown_too(operate: Operate) -> None:
    def come(server: ChatServer) -> None:
        join(server, 1, "10.0.0.1|1", Receiver())
        say(server, join(server, 2, "10.0.0.1|2", Receiver()), "/nick Ann")
        server.operator().mute(2)

    async with operate(before=come) as operator:
        await operator.until(lambda: operator.names == ["10.0.0.1|1", "Ann"])
        assert [user.muted for user in operator.user_list.users.values()] == [False, True]
        assert operator.entries == [f"* Server started on port {operator.server.port}"]


async def test_what_happens_before_there_is_a_screen_is_shown_once_there_is() -> None:
    async with ChatServer(Settings(port=0)) as server:
        console = ConsoleApp(server)
        server.operator().say("hello?")
        async with console.run_test() as pilot:
            for _ in range(200):
                await pilot.pause(0.01)
                if "hello?" in console.export_screenshot(simplify=True):
                    return
    raise AssertionError("the early line was not shown")


async def test_a_public_server_is_announced_where_it_cannot_be_missed(
    operate: Operate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "own_addresses", lambda: {ip_address("192.0.2.2")})
    async with operate(settings=Settings(port=0, hosts=("0.0.0.0", "::1"))) as operator:
        await operator.until(lambda: len(operator.entries) == 3)
        assert "nothing on the wire is encrypted" in operator.entries[1]
        assert operator.last == f"= People join with: nc 192.0.2.2 {operator.server.port}"
        assert operator.status.strip().startswith("public, not encrypted")
        assert f"0.0.0.0:{operator.server.port} [::1]:{operator.server.port}" in operator.status


async def test_an_unknown_theme_is_refused_with_the_names_of_those_there_are() -> None:
    async with ChatServer(Settings(port=0)) as server:
        with pytest.raises(UnknownTheme, match=r"no theme 'pink'; .*ansi-dark, .*textual-light") as error:
            ConsoleApp(server, theme="pink")
        assert isinstance(error.value, ValueError)
        assert ConsoleApp(server, theme="ansi-light").theme == "ansi-light"


@pytest.mark.parametrize(
    ("environment", "theme", "colours"),
    [({}, None, True), ({}, "ansi-dark", False), ({"NO_COLOR": "1"}, None, False)],
)
async def test_no_color_and_the_ansi_themes_leave_the_colours_to_the_terminal(
    operate: Operate,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    theme: str | None,
    colours: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with operate(theme=theme, size=(40, 12)) as operator:
        await operator.gather("Ann")
        strips = operator.strips
        # As on its way to the terminal.
        for filter_ in operator.console.get_line_filters():
            background = operator.console.screen.background_colors[1]
            strips = [strip.apply_filter(filter_, background) for strip in strips]
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        rgb = [c for style in styles for c in (style.color, style.bgcolor) if c and c.triplet]
        assert bool(rgb) == colours
        if environment:
            assert not any(c and not c.is_default for style in styles for c in (style.color, style.bgcolor))


# The operator's line


async def test_plain_text_goes_to_everybody_and_into_the_log(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    await operator.submit("hello  there")
    await operator.submit("//slash")
    await operator.until(lambda: operator.entries[-2:] == ["> Operator: hello  there", "> Operator: /slash"])
    assert operator.clients[ann].lines[-2:] == ["Operator: hello  there", "Operator: /slash"]
    assert operator.line.value == ""


async def test_the_line_takes_every_command_of_the_operator(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    for line, answers in {
        "/mute ann": ["* Ann is muted", "= Muted 1 people."],
        "/unmute ann": ["* Ann is no longer muted", "= Unmuted 1 people."],
        "/ban 192.0.2.0/24": ["= Banned 192.0.2.0/24 until unbanned."],
        "/bans": ["= 192.0.2.0/24 until unbanned"],
        "/unban 192.0.2.0/24": ["= Lifted the ban on 192.0.2.0/24."],
        "/reload": ["= Nothing to reload: no TLS certificate and no bans file."],
        "/msg ann psst": [
            "» Operator (private to ann): psst",
            "= Message sent to 1 users of name ann",
        ],
        "/kick bob for noise": ["- Bob has left the server. (kicked: for noise)", "= Kicked 1 people."],
        "/list": [f"= {ann.address} as Ann"],
        "/foo": ["= Unknown command /foo. Type /help."],
        "/kick": ["= Usage: /kick <recipient> [reason]"],
        "/nick me": ["= Unknown command /nick. Type /help."],
    }.items():
        await operator.submit(line)
        await operator.until(lambda: operator.entries[-len(answers) :] == answers)  # noqa: B023
    await operator.submit("/help")
    await operator.until(lambda: "on the wire" in operator.last)
    assert operator.clients[ann].lines[-2:] == ["Operator (private): psst ", "Bob has left the server."]
    assert operator.clients[bob].finished


async def test_what_users_do_is_told_apart_without_colours(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.say(ann, "hi", "/msg operator psst")
    await operator.leave(ann)
    assert operator.entries[1:] == [
        f"+ Welcome {ann.address} to the server!",
        f"~ {ann.address} is now Ann",
        "  Ann: hi",
        "» Ann(private): psst",
        "- Ann has left the server.",
    ]


async def test_tab_completes_who_is_here_and_otherwise_walks_through_the_panes(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    await operator.press(*"/k", "tab", "b", "tab")
    assert operator.line.value == "/kick Bob "
    await operator.leave(bob)
    operator.line.value = "/kick b"
    await operator.press("tab", "shift+tab")
    assert (operator.line.value, operator.focused) == ("/kick b", operator.line)
    operator.line.value = ""
    operator.user_list.selected = ann.id
    await operator.until(lambda: not operator.kick_button.disabled)
    walk: list[Widget | None] = []
    for _ in range(7):
        await operator.press("tab")
        walk.append(operator.focused)
    assert walk == [operator.user_list, *operator.buttons, operator.log, operator.line]


async def test_pasted_lines_are_joined_and_run_by_nobody_but_the_operator(operator: Operator) -> None:
    await operator.gather("Ann")
    before = list(operator.entries)
    operator.console.post_message(events.Paste("[/x] one\n/kick Ann\n"))
    await operator.until(lambda: operator.line.value == "[/x] one /kick Ann")
    await operator.until(lambda: operator.entries[len(before) :])
    assert operator.entries == [*before, "= 2 pasted lines were joined into one."]
    assert operator.names == ["Ann"]


PANES = ["users", "log", "kick button", "nothing"]


async def go_to(operator: Operator, pane: str) -> None:
    """Give the focus to a pane of the main screen, while somebody is selected."""
    if pane == "users":
        await operator.press("f4")
    elif pane == "log":
        await operator.press("f5")
    else:
        await operator.until(lambda: not operator.kick_button.disabled)
        operator.console.screen.set_focus(operator.kick_button if pane == "kick button" else None)
    await operator.settle()
    assert operator.focused is not operator.line


async def test_what_is_typed_in_any_pane_goes_into_the_line_from_the_first_letter_on(
    operator: Operator,
) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    for pane, text in product(PANES, ("yes", "?", " q", "Ж漢ü", "\u0645\u200c\u062e")):
        operator.line.value = "ab"
        await go_to(operator, pane)
        for character in text:
            # An input method tells of a character without a key to it.
            operator.console.post_message(events.Key("unknown", character))
            await operator.settle()
        assert (operator.line.value, operator.focused) == (f"ab{text}", operator.line), (pane, text)
        assert (operator.at_home, list(operator.server.members)) == (True, [ann]), (pane, text)


async def test_what_is_pasted_in_any_pane_goes_into_the_line(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    operator.console.copy_to_clipboard("e")
    for pane in PANES:
        operator.line.value = "ab"
        await go_to(operator, pane)
        operator.console.post_message(events.Paste("c\nd"))
        await operator.until(lambda: operator.line.value == "abc d")
        assert operator.focused is operator.line, pane
        await go_to(operator, pane)
        await operator.press("ctrl+v")
        assert (operator.line.value, operator.focused) == ("abc de", operator.line), pane


async def test_what_is_typed_or_pasted_in_a_dialog_is_not_for_the_line(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    for key, back in (("f3", "n"), ("f1", "escape")):
        await operator.press(key)
        await operator.until(lambda: not operator.at_home)
        await operator.press(*"abc")
        operator.console.post_message(events.Paste("y"))
        await operator.settle()
        await operator.press(back)
        await operator.back()
    await operator.press("ctrl+p")
    await operator.until(lambda: operator.console.screen.query("SearchLine"))
    palette = operator.console.screen.query_one("SearchLine", Input)
    await operator.until(lambda: palette.has_focus)
    await operator.press("x")
    operator.console.post_message(events.Paste("yz"))
    await operator.until(lambda: palette.value == "xyz")
    assert (operator.line.value, list(operator.server.members)) == ("", [ann])


async def test_the_log_is_scrolled_from_the_line(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.say(ann, *(f"line {number}." for number in range(100)))
    await operator.until(lambda: "line 99." in operator.text)
    await operator.press(*"draft", "pageup")
    assert not operator.log.following
    await operator.until(lambda: "line 99." not in operator.text and "line 80." in operator.text)
    await operator.press("pagedown")
    await operator.until(lambda: "line 99." in operator.text)
    await operator.press("ctrl+home")
    await operator.until(lambda: "* Server started" in operator.text)
    await operator.press("ctrl+end")
    await operator.until(lambda: "line 99." in operator.text)
    assert operator.log.following
    assert (operator.line.value, operator.focused) == ("draft", operator.line)


async def test_nothing_ever_covers_the_line(operator: Operator) -> None:
    await operator.press("ctrl+c")  # at which Textual would show a toast
    await operator.until(lambda: "ctrl+q" in operator.last)
    operator.console.notify("[b]bold[/b]", title="Title")
    operator.console.notify("[/x]", markup=False)
    await operator.until(lambda: operator.entries[-2:] == ["= Title: bold", "= [/x]"])
    assert not operator.console.screen.query("Toast")
    assert all(key.tooltip is None for key in footer_keys(operator).values())


async def test_the_palette_leaves_the_line_as_it_was(operator: Operator) -> None:
    await operator.settle()
    before = operator.line.region, operator.line.styles.border, operator.line.styles.padding
    await operator.press("ctrl+p")
    await operator.until(lambda: operator.console.screen.query("SearchLine"))
    await operator.press("escape")
    await operator.back()
    await operator.until(lambda: operator.focused is operator.line)
    assert (operator.line.region, operator.line.styles.border, operator.line.styles.padding) == before


# Help


@pytest.mark.quick
async def test_f1_shows_every_key_and_every_command(operator: Operator) -> None:
    for _ in range(2):
        await operator.console.run_action("help")
    assert len(operator.console.screen_stack) == 2
    await operator.press("f1")
    await operator.back()
    await operator.press("f1")
    await operator.until(lambda: isinstance(operator.console.screen, HelpScreen))
    await operator.until(lambda: operator.console.screen.query("Label"))
    labels = [str(label.render()) for label in operator.console.screen.query("Label")]
    function_keys = {f"F{number}" for number in range(1, 8)}
    assert function_keys | {"Escape", "Ctrl+Q", "Ctrl+P", "Ctrl+C", "Tab", "End", "Enter"} <= set(labels)
    for command in commands_for(Role.OPERATOR):
        assert {command.usage, command.help} <= set(labels)
    await operator.press("f1")
    await operator.back()
    assert operator.focused is operator.line


# Message, kick, mute and ban


@pytest.mark.quick
async def test_every_way_to_message_puts_the_selected_user_into_the_line(operator: Operator) -> None:
    _, bob = await operator.gather("Ann", "Bob")
    ways: list[Callable[[], Coroutine[Any, Any, None]]] = [
        lambda: operator.press("f2"),
        lambda: operator.press("f4", "enter"),
        lambda: operator.click(operator.message_button),
        lambda: operator.click(operator.user_list, row=1),
        lambda: operator.click("f2 Message"),
    ]
    await operator.click(operator.user_list, row=1)
    await operator.until(lambda: operator.selected == bob.id and not operator.message_button.disabled)
    for number, way in enumerate(ways):
        await way()
        await operator.until(lambda: operator.line.value == "/msg Bob " and operator.focused is operator.line)
        await operator.press(str(number), "enter")
        told = f"Operator (private): {number} "
        await operator.until(lambda: operator.clients[bob].lines[-1] == told)  # noqa: B023


async def test_a_typed_sentence_becomes_the_message_to_whom_is_chosen_and_is_said_to_nobody_else(
    operator: Operator,
) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    for key, begun in (("f2", "dra"), ("enter", "sho")):
        operator.user_list.selected = None
        operator.line.value = begun
        await operator.press("f4", "home")
        assert operator.selected == ann.id
        await operator.press(key, "f", "t")
        assert operator.line.value == f"/msg Ann {begun}ft"
        await operator.press("f4", "down", key)
        assert operator.line.value == f"/msg Bob {begun}ft"
        await operator.press("enter")
        told = f"Operator (private): {begun}ft "
        await operator.until(lambda: operator.clients[bob].lines[-1] == told)  # noqa: B023
        assert not any("ft" in line for line in operator.clients[ann].lines)
        # As it was before, it is a key away.
        await operator.press("up", "up", "up")
        assert operator.line.value == begun


async def test_a_command_that_was_begun_is_kept_for_later(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    await operator.press(*"/kick", "f2")
    assert operator.line.value == "/msg Ann "
    await operator.press("up")
    assert operator.line.value == "/kick"


async def test_where_names_are_shared_the_address_is_put_into_the_line(operate: Operate) -> None:
    async with operate(settings=Settings(port=0, shared_nicks=True)) as operator:
        operator.join("twin")
        twin = operator.join("twin")
        await operator.until(lambda: operator.names == ["twin", "twin"])
        operator.user_list.selected = twin.id
        await operator.press("f2")
        assert operator.line.value == f"/msg {twin.address} "


@pytest.mark.quick
async def test_f3_asks_first_and_enter_alone_kicks_nobody(operator: Operator) -> None:
    ann, bob, cleo = await operator.gather("Ann", "Bob", "Cleo")
    for keys, member in ((("enter",), ann), (("n",), bob), (("escape",), cleo)):
        operator.user_list.selected = member.id
        await operator.press("f3")
        assert await operator.question() == f"Kick {member.name} ({member.address})?"
        await operator.press(*keys)
        await operator.back()
        assert len(operator.server.members) == 3
    for keys, member in ((("y",), ann), (("left", "enter"), bob)):
        operator.user_list.selected = member.id
        await operator.press("f3")
        await operator.question()
        await operator.press(*keys)
        await operator.back()
        await operator.until(lambda: operator.last == "= Kicked 1 people.")
        assert operator.entries[-2] == f"- {member.name} has left the server. (kicked)"
        assert operator.clients[member].lines[-1] == "You have left the server"
        assert operator.clients[cleo].lines[-1] == f"{member.name} has left the server."
        await operator.until(lambda: member.name not in operator.names)  # noqa: B023
    assert list(operator.server.members) == [cleo]
    assert operator.focused is operator.line


async def test_pressed_twice_f3_asks_once_and_names_who_has_no_nickname_once(operator: Operator) -> None:
    member = operator.join()
    await operator.until(lambda: operator.names)
    operator.user_list.selected = member.id
    for _ in range(2):
        operator.console.post_message(events.Key("f3", None))
    assert await operator.question() == f"Kick {member.address}?"
    await operator.settle()
    assert len(operator.console.screen_stack) == 2


@pytest.mark.quick
async def test_the_mouse_alone_kicks(operator: Operator) -> None:
    await operator.gather("Ann", "Bob", "Cleo")
    await operator.click(operator.user_list, row=1)
    await operator.until(lambda: not operator.kick_button.disabled)
    await operator.click(operator.kick_button)
    assert (await operator.question()).startswith("Kick Bob ")
    await operator.click("Cancel")
    await operator.back()
    await operator.click(operator.kick_button)
    await operator.question()
    await operator.click(operator.console.screen.query_one("#yes"))
    await operator.until(lambda: operator.names == ["Ann", "Cleo"])


async def test_every_way_to_mute_mutes_the_selected_user_and_lets_it_be_heard_again(
    operator: Operator,
) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    await operator.click(operator.user_list, row=1)
    await operator.until(lambda: operator.selected == bob.id and not operator.mute_button.disabled)
    ways: list[Callable[[], Coroutine[Any, Any, None]]] = [
        lambda: operator.press("f6"),
        lambda: operator.click(operator.mute_button),
        lambda: operator.click("f6 Mute"),
    ]
    for way in ways:
        await way()
        await operator.until(lambda: operator.entries[-2:] == ["* Bob is muted", "= Muted 1 people."])
        await operator.until(lambda: re.search(r"▸ Bob +muted ", operator.text))
        operator.say(bob, "can you hear me?")
        assert operator.clients[bob].lines[-1] == "You are muted"
        # While it looks pressed, Textual's button takes no other click.
        await operator.until(lambda: not operator.mute_button.has_class("-active"))
        await way()
        heard = ["* Bob is no longer muted", "= Unmuted 1 people."]
        await operator.until(lambda: operator.entries[-2:] == heard)  # noqa: B023
        await operator.until(lambda: re.search(r"▸ Bob +<1m", operator.text))
        assert operator.clients[bob].lines[-1] == "You are no longer muted"
    operator.say(bob, "and now?")
    await operator.until(lambda: operator.entries[-1] == "  Bob: and now?")
    assert operator.clients[ann].lines[-1] == "Bob: and now?"
    assert "can you hear me?" not in str(operator.clients[ann].lines)


async def test_a_mute_that_ends_by_itself_shows_in_the_list(operator: Operator) -> None:
    await operator.gather("Ann")
    await operator.submit("/mute ann 1s")
    await operator.until(lambda: "Ann" in operator.text and "muted " in operator.rows[2])
    await operator.until(lambda: operator.entries[-1] == "* Ann is no longer muted")
    await operator.until(lambda: re.search(r"Ann +<1m", operator.rows[2]))


async def test_f7_asks_naming_all_who_are_hit_and_enter_alone_bans_nobody(operator: Operator) -> None:
    await operator.gather("Ann")
    bob = operator.join("Bob", address="192.0.2.7|1")
    operator.join("Cleo", address="192.0.2.8|1")
    operator.join("Dan", address="192.0.2.7|2")
    await operator.until(lambda: "Dan" in operator.names)
    operator.user_list.selected = bob.id
    for key in ("enter", "n", "escape"):
        await operator.press("f7")
        assert await operator.question() == "Ban 192.0.2.7? This drops Bob, Dan."
        await operator.press(key)
        await operator.back()
        assert len(operator.server.members) == 4
    await operator.press("f7", "y")
    await operator.until(lambda: operator.names == ["Ann", "Cleo"])
    assert operator.entries[-3:] == [
        "- Bob has left the server. (banned)",
        "- Dan has left the server. (banned)",
        "= Banned 192.0.2.7 until unbanned.",
    ]
    await operator.submit("/bans")
    await operator.until(lambda: operator.entries[-1] == "= 192.0.2.7 until unbanned")


async def test_the_mouse_alone_bans(operator: Operator) -> None:
    operator.join("Ann", address="192.0.2.7|1")
    operator.join("Bob", address="2001:db8::7|1")
    await operator.until(lambda: "Bob" in operator.names)
    await operator.click(operator.user_list, row=1)
    await operator.until(lambda: not operator.ban_button.disabled and "f7" in enabled(operator))
    for target in ("f7 Ban", operator.ban_button):
        await operator.click(target)
        assert await operator.question() == "Ban 2001:db8::/64? This drops Bob."
        await operator.click("Cancel")
        await operator.back()
    await operator.until(lambda: not operator.ban_button.has_class("-active"))
    await operator.click(operator.ban_button)
    await operator.question()
    await operator.click(operator.console.screen.query_one("#yes"))
    await operator.until(lambda: operator.names == ["Ann"])


async def test_of_many_who_are_hit_the_question_names_five_and_counts_the_others(operator: Operator) -> None:
    first, *_ = [operator.join(f"u{number}", address=f"192.0.2.7|{number}") for number in range(1_007)]
    await operator.until(lambda: operator.user_list.count == 1_007)
    operator.user_list.selected = first.id
    await operator.press("f7")
    assert await operator.question() == "Ban 192.0.2.7? This drops u0, u1, u2, u3, u4 and 1,002 more."
    await operator.press("y")
    await operator.until(lambda: operator.names == [])


async def test_a_user_on_this_machine_is_not_banned_by_key_and_the_operator_is_told_how_to(
    operator: Operator,
) -> None:
    members = [operator.join(address=f"{host}|1") for host in ("127.0.0.1", "127.1.2.3", "::1")]
    await operator.until(lambda: len(operator.names) == len(members))
    for member in members:
        host = member.address.host
        operator.user_list.selected = member.id
        await operator.press("f7")
        told = f"= {host} is this machine itself; to ban it anyway, type: /ban {host} --force"
        await operator.until(lambda: operator.entries[-1] == told)  # noqa: B023
        assert operator.at_home
    assert list(operator.server.members) == members


async def test_without_a_selected_user_the_keys_and_buttons_for_one_do_nothing(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    await operator.press("f2", "f3", "f6", "f7")
    for button in operator.buttons:
        assert button.disabled
        await operator.click(button)
    assert (operator.at_home, operator.line.value, list(operator.server.members)) == (True, "", [ann])
    assert not ann.muted

    await operator.until(lambda: enabled(operator) == "ctrl+q f1 f4 f5")
    operator.user_list.selected = ann.id
    await operator.until(lambda: enabled(operator) == "ctrl+q f1 f2 f3 f4 f5 f6 f7")
    await operator.leave(ann)
    await operator.until(lambda: enabled(operator) == "ctrl+q f1 f4 f5")
    await operator.until(lambda: all(button.disabled for button in operator.buttons))


# The detail of the selected user


async def test_what_is_known_of_the_selected_user_stands_below_the_list(operator: Operator) -> None:
    await operator.gather("Ann")
    detail = operator.console.screen.query_one(UserCard)
    _, writer = await asyncio.open_connection("127.0.0.1", operator.server.port)
    host, port = writer.get_extra_info("sockname")
    writer.write(b"/nick Bob\none\ntwo\n")
    await operator.until(lambda: operator.entries[-1] == "  Bob: two")
    assert not detail.display
    await operator.press("f4", "down")

    def shown() -> str:
        # Wherever it is wrapped.
        rows = operator.rows[detail.region.y : detail.region.bottom]
        return " ".join(" ".join(row[detail.region.x : detail.region.right].split()) for row in rows)

    await operator.until(lambda: detail.display and " waiting" in shown())
    assert re.fullmatch(
        rf"{re.escape(host)}\|{port} · here \d+s · idle \d+s · 2 lines · 0 B waiting", shown()
    )
    writer.write(b"three\n")
    # By itself, within a second.
    await operator.until(lambda: " · 3 lines · " in shown())
    assert operator.user_list.region.bottom == detail.region.y
    assert detail.region.bottom == operator.message_button.region.y
    writer.close()
    await writer.wait_closed()
    await operator.until(lambda: operator.selected is None and not detail.display)
    await operator.until(lambda: operator.user_list.region.bottom == operator.message_button.region.y)


async def test_the_footer_is_not_made_anew_while_it_reads_the_same(operator: Operator) -> None:
    await operator.gather("Ann", "Bob", "Cleo")
    await operator.press("f4", "down")
    await operator.until(lambda: " f2 f3 " in enabled(operator))
    keys = footer_keys(operator)
    await operator.press("down", "down", "f5", "escape")
    await operator.until(lambda: operator.focused is operator.line)
    assert footer_keys(operator) == keys


# Whom a key acts upon is on the screen


def shows(operator: Operator, member: Member) -> bool:
    """Whether the list shows `member` as selected."""
    return any(f"▸ {member.name} " in row for row in operator.rows)


async def test_after_any_change_of_its_size_the_list_shows_who_is_selected(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = await operator.gather(*(f"user{number}" for number in range(40)))
    known = SimpleNamespace(address="10.0.0.1|1", here=0, idle=0, lines=0, waiting=0)
    monkeypatch.setattr(operator.server, "details", lambda _: known)
    for size in ((80, 24), (80, 40), (80, 13), (120, 20), (200, 60), (100, 12), (80, 24)):
        await operator.resize(*size)
        for member in (members[20], members[39], members[0]):
            operator.user_list.selected = None
            await operator.until(lambda: not operator.console.screen.query_one(UserCard).display)
            operator.user_list.selected = member.id
            # The detail that appears takes rows from the list.
            await operator.until(lambda: operator.console.screen.query_one(UserCard).display)
            await operator.until(lambda: shows(operator, member))  # noqa: B023
    operator.user_list.selected = members[30].id
    await operator.until(lambda: shows(operator, members[30]))
    for height in (18, 30, 12, 24):
        await operator.resize(80, height)
        await operator.until(lambda: shows(operator, members[30]))
        assert operator.user_list.shows_selected


async def test_who_was_scrolled_out_of_view_is_shown_again_and_not_muted_unseen(operator: Operator) -> None:
    members = await operator.gather(*(f"user{number}" for number in range(60)))
    await operator.until(lambda: operator.user_list.show_vertical_scrollbar)
    for key in ("f3", "f7", "f6", "f2"):
        operator.user_list.selected = members[0].id
        operator.user_list.scroll_to(y=40, animate=False)
        await operator.until(lambda: not shows(operator, members[0]))
        await operator.press("f5", key)
        if key == "f6":
            assert await operator.question() == f"Mute user0 ({members[0].address})?"
        if key == "f2":
            assert operator.line.value == "/msg user0 "
        else:
            await operator.question()
            await operator.press("escape")
            await operator.back()
        await operator.until(lambda: shows(operator, members[0]))
        assert not members[0].muted
    await operator.press("f6")
    assert members[0].muted
    operator.user_list.scroll_to(y=40, animate=False)
    await operator.until(lambda: not shows(operator, members[0]))
    await operator.press("f6")
    assert await operator.question() == f"Unmute user0 ({members[0].address})?"
    await operator.press("y")
    await operator.until(lambda: not members[0].muted)


async def test_where_the_list_is_not_on_the_screen_f6_names_the_user_and_asks(operate: Operate) -> None:
    async with operate(size=(40, 12)) as operator:
        (ann,) = await operator.gather("Ann")
        await operator.press("f4", "down")
        await operator.press("escape", "f6")
        assert await operator.question() == f"Mute Ann ({ann.address})?"
        await operator.press("n")
        await operator.back()
        assert not ann.muted
        # Typed ahead, before the list could be painted.
        for key in ("f4", "f6"):
            operator.console.post_message(events.Key(key, None))
        await operator.until(lambda: ann.muted)
        assert operator.at_home


# The list changes under the operator's hands


async def test_who_left_before_the_answer_is_not_kicked_nor_is_anybody_else(operator: Operator) -> None:
    _, bob, _ = await operator.gather("Ann", "Bob", "Cleo")
    operator.user_list.selected = bob.id
    await operator.press("f3")
    await operator.question()
    await operator.leave(bob)
    operator.join("Bob")
    await operator.until(lambda: operator.names == ["Ann", "Cleo", "Bob"])
    assert isinstance(operator.console.screen, Confirm)
    await operator.press("y")
    await operator.until(lambda: operator.last == "= Bob had already left: nobody was kicked.")
    assert len(operator.server.members) == 3


async def test_who_left_before_the_answer_is_not_banned_nor_is_anybody_else(operator: Operator) -> None:
    operator.join("Ann", address="192.0.2.7|1")
    bob = operator.join("Bob", address="192.0.2.7|2")
    await operator.until(lambda: "Bob" in operator.names)
    operator.user_list.selected = bob.id
    await operator.press("f7")
    assert await operator.question() == "Ban 192.0.2.7? This drops Ann, Bob."
    await operator.leave(bob)
    await operator.press("y")
    await operator.until(lambda: operator.entries[-1] == "= Bob had already left: nobody was banned.")
    assert operator.names == ["Ann"]
    await operator.submit("/bans")
    await operator.until(lambda: operator.entries[-1] == "= Nobody is banned")


async def test_of_who_has_left_though_the_list_does_not_show_it_yet_the_operator_is_told(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    await operator.gather("Ann")
    bob = operator.join("Bob", address="192.0.2.7|1")
    await operator.until(lambda: "Bob" in operator.names)
    operator.user_list.selected = bob.id
    monkeypatch.setattr(operator.user_list, "apply", lambda *_: None)
    operator.go(bob)
    for key in ("f6", "f7"):
        before = len(operator.entries)
        await operator.press(key)
        await operator.until(lambda: "= This user has already left." in operator.entries[before:])  # noqa: B023
        assert (operator.selected, operator.at_home) == (bob.id, True), key


async def test_who_takes_another_name_before_the_answer_is_kicked_and_not_who_takes_the_old_one(
    operator: Operator,
) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    operator.user_list.selected = bob.id
    await operator.press("f3")
    await operator.question()
    operator.say(bob, "/nick Innocent")
    operator.say(ann, "/nick Bob")
    await operator.until(lambda: operator.names == ["Bob", "Innocent"])
    await operator.press("y")
    await operator.until(lambda: operator.last == "= Kicked 1 people.")
    assert list(operator.server.members) == [ann]


async def test_the_selection_stays_with_the_user_whoever_comes_and_goes(operator: Operator) -> None:
    ann, bob, cleo = await operator.gather("Ann", "Bob", "Cleo")
    operator.user_list.selected = cleo.id
    await operator.leave(ann)
    await operator.gather("Dan")
    await operator.press("f3", "y")
    await operator.until(lambda: operator.names == ["Bob", "Dan"])
    assert bob in operator.server.members


async def test_the_focus_is_not_lost_with_the_user_whose_button_had_it(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    await operator.until(lambda: not operator.kick_button.disabled)
    await operator.press("f4", "tab", "tab")
    assert operator.focused is operator.kick_button
    await operator.leave(ann)
    await operator.until(lambda: operator.kick_button.disabled)
    assert operator.focused is operator.user_list


async def test_the_log_goes_on_behind_a_question_and_behind_the_help(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    for key in ("f3", "f1"):
        await operator.press(key)
        await operator.until(lambda: not operator.at_home)
        operator.say(ann, f"behind {key}")
        await operator.until(lambda: operator.last == f"  Ann: behind {key}")  # noqa: B023
        await operator.press("escape")
        await operator.back()
    assert operator.log.following
    assert "Ann: behind f1" in operator.text


async def test_a_log_that_was_scrolled_up_stays_there_until_end_is_pressed(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.say(ann, *(f"line {number}" for number in range(100)))
    await operator.until(lambda: "line 99" in operator.text)
    await operator.press("f5", "pageup")
    operator.say(ann, "news")
    await operator.until(lambda: "1 new below" in operator.text)
    assert "news" not in operator.text
    await operator.press("end")
    await operator.until(lambda: "news" in operator.text)


# Hostile text


@pytest.mark.quick
async def test_hostile_names_and_texts_are_text_wherever_they_are_shown(operator: Operator) -> None:
    address, name = Address(HOSTILE, 1), f"{HOSTILE}eve"
    operator.happen(Joined(0, 1, address), Renamed(0, 1, str(address), name), Said(0, 1, name, (HOSTILE,)))
    operator.server.chat.failed(HOSTILE, ValueError(HOSTILE))
    await operator.submit(f"/msg {HOSTILE} {HOSTILE}")
    await operator.submit(f"/{HOSTILE}")
    await operator.until(lambda: "Unknown command" in operator.last)

    def harmless() -> bool:
        shown = operator.text
        return not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown) and HARMLESS in shown

    assert harmless()
    operator.user_list.selected = 1
    await operator.press("f2")
    assert (operator.line.value, harmless()) == (f"/msg {HARMLESS}eve ", True)
    await operator.press("f3")
    assert await operator.question() == f"Kick {HARMLESS}eve ({HARMLESS}|1)?"
    assert harmless()
    await operator.press("y")
    await operator.until(lambda: "had already left" in operator.last)
    operator.line.value = "/kick ["
    await operator.press("escape", "tab")
    assert operator.line.value == f"/kick {HARMLESS}eve "
    await operator.press("f4")
    assert harmless()


# Sizes


def visible(operator: Operator, widget: Widget) -> bool:
    """Whether all of `widget` is on the screen."""
    screen = operator.console.screen.region
    return bool(widget.display and widget.region and screen.contains_region(widget.region)) and all(
        ancestor.display for ancestor in widget.ancestors if isinstance(ancestor, Widget)
    )


async def test_every_size_shows_what_it_has_room_for(operator: Operator) -> None:
    ann, _ = await operator.gather("Ann", "Bob")
    operator.user_list.selected = ann.id
    operator.say(ann, "hello everybody")
    everywhere = (operator.log, operator.line, operator.status_bar, operator.console.screen.query_one(Footer))
    side = (operator.user_list, *operator.buttons)
    labels = ("Message", "Kick", "Mute", "Ban")
    keys = ("^q Quit", "f1 Help", "f2 Message", "f3 Kick", "f4 Users", "f5 Log", "f6 Mute", "f7 Ban")
    facts = ("hello everybody", "2 users", "127.0.0.1:", "Say something to everybody, or /help", *keys)
    for size, shown in (
        ((40, 12), everywhere),
        ((80, 24), everywhere + side),
        ((120, 40), everywhere + side),
        ((69, 15), everywhere),
        ((200, 60), everywhere + side),
    ):
        await operator.resize(*size)
        await operator.until(lambda: all(visible(operator, widget) for widget in shown))  # noqa: B023
        assert operator.console.screen.size == size
        await operator.until(lambda: all(fact in operator.text for fact in facts))
        assert any(visible(operator, widget) for widget in side) == (shown != everywhere)
        if shown != everywhere:
            assert "Users (2)" in operator.text
            wide = size[0] >= 100
            for button, label in zip(operator.buttons, labels, strict=True):
                x, y = button.region.offset
                assert operator.rows[y][x : button.region.right].strip() == label
            assert len({button.region.y for button in operator.buttons}) == (1 if wide else 2)
            assert re.search(rf"▸ Ann +{re.escape(str(ann.address)) if wide else ''} +<1m", operator.text)
            # Nothing stands to the right of the log.
            assert operator.log.region.right == size[0]
            assert operator.user_list.region.x == 0
    assert (operator.selected, operator.names) == (ann.id, ["Ann", "Bob"])
    assert operator.focused is operator.line


async def test_where_one_pane_fits_the_keys_and_a_click_change_it(operate: Operate) -> None:
    async with operate(size=(40, 12)) as operator:
        (ann,) = await operator.gather("Ann")
        operator.user_list.selected = ann.id

        async def shown(pane: Widget, other: Widget) -> None:
            await operator.until(lambda: visible(operator, pane) and not visible(operator, other))

        log, users = operator.log, operator.user_list
        await operator.press("f4")
        await shown(users, log)
        assert operator.focused is users
        await operator.press("f5")
        await shown(log, users)
        assert operator.focused is log
        await operator.press("f4", "tab")
        await shown(users, log)
        assert operator.focused is operator.message_button
        for way_back in (
            lambda: operator.press("escape"),
            lambda: operator.press("f2"),
            lambda: operator.click(operator.line),
        ):
            await operator.click("f4 Users")
            await shown(users, log)
            await way_back()
            await shown(log, users)
            assert operator.focused is operator.line


async def test_a_question_or_the_help_leaves_the_pane_below_as_it_is(operate: Operate) -> None:
    async with operate(size=(40, 12)) as operator:
        (ann,) = await operator.gather("Ann")
        operator.user_list.selected = ann.id
        await operator.press("f4")
        for key in ("f3", "f1"):
            await operator.press(key)
            await operator.until(lambda: not operator.at_home)
            await operator.press("escape")
            await operator.back()
            await operator.until(lambda: visible(operator, operator.user_list))
            assert operator.focused is operator.user_list


async def test_no_text_of_the_log_stands_to_the_left_of_a_dialog(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    for key, box in (
        ("f3", "Confirm > Vertical"),
        ("f1", "HelpScreen > VerticalScroll"),
        ("ctrl+p", "PaletteScreen > Vertical"),
    ):
        await operator.press(key)
        await operator.until(lambda: not operator.at_home and operator.console.screen.query(box))  # noqa: B023
        shown = operator.console.screen.query_one(box)
        for width in (40, 80, 120, 200):
            await operator.resize(width, 24)
            await operator.until(lambda: shown.region.right == operator.log.region.right == width)  # noqa: B023
            assert shown.region.x <= operator.log.region.x, (key, width)
        await operator.press("escape")
        await operator.back()


# The end


async def test_ctrl_q_ends_at_once_where_nobody_is_connected(operator: Operator) -> None:
    port = operator.server.port
    await operator.press("ctrl+q")
    await operator.until(lambda: ended(operator))
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_ctrl_q_asks_where_somebody_is(operator: Operator) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    await operator.press("ctrl+q")
    assert await operator.question() == "2 users are connected. Stop the server?"
    await operator.press("enter")
    await operator.back()
    assert not ended(operator)
    await operator.leave(bob)
    await operator.press("ctrl+q")
    assert await operator.question() == "1 user is connected. Stop the server?"
    await operator.press("y")
    await operator.until(lambda: ended(operator))
    assert operator.clients[ann].lines[-2:] == ["Server is shutting down", "You have left the server"]


async def test_ctrl_q_asks_over_another_question_and_pressed_again_asks_no_more(operator: Operator) -> None:
    (ann,) = await operator.gather("Ann")
    operator.user_list.selected = ann.id
    await operator.press("f3")
    await operator.question()
    await operator.press("ctrl+q")
    await operator.until(lambda: len(operator.console.screen_stack) == 3)
    assert "Stop the server?" in await operator.question()
    await operator.press("ctrl+q")
    assert len(operator.console.screen_stack) == 3
    assert list(operator.server.members) == [ann]
    await operator.press("y")
    await operator.until(lambda: ended(operator))


async def test_quit_typed_ends_without_asking_and_once(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ann,) = await operator.gather("Ann")
    begun: list[bool] = []
    operator.console.ending = lambda: begun.append(ann in operator.server.members)
    stops: list[None] = []
    stop = operator.server.stop

    async def stop_once_it_is_told() -> None:
        stops.append(None)
        await operator.until(lambda: operator.last == "= Server is shutting down")
        await stop()

    monkeypatch.setattr(operator.server, "stop", stop_once_it_is_told)
    await operator.submit("/quit")
    operator.console.end()
    await operator.until(lambda: ended(operator))
    assert operator.clients[ann].lines.count("Server is shutting down") == 1
    assert operator.entries.count("= Server is shutting down") == len(stops) == 1
    assert begun == [True]


class Running:
    """A console that runs by `serve`, as the command line does it, in front of no terminal."""

    def __init__(self, server: ChatServer, **options: Any) -> None:
        self.console = ConsoleApp(server, **options)
        self.console.driver_class = HeadlessDriver
        self.task = asyncio.create_task(self.console.serve())

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                assert not self.task.done()
                await asyncio.sleep(0.005)


async def test_serve_runs_until_the_end_and_stops_the_server() -> None:
    loop = asyncio.get_running_loop()
    factory = loop.get_task_factory()
    server = ChatServer(Settings(port=0))
    await server.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    running = Running(server)
    await running.until(lambda: running.console.user_list.count == 1)
    running.console.end()
    running.console.end()
    last_lines = (await reader.read()).splitlines()[-2:]
    assert last_lines == [b"Server is shutting down", b"You have left the server"]
    writer.close()
    assert await running.task == 0
    assert loop.get_exception_handler() is None
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", server.port)
    await writer.wait_closed()
    loop.set_task_factory(factory)


@pytest.mark.parametrize("code", [0, 129])
async def test_serve_tells_how_it_ended_and_takes_the_mouse_only_where_it_may(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    async with ChatServer(Settings(port=0)) as server:
        console = ConsoleApp(server, mouse=code == 0)

        async def run_async(*, mouse: bool) -> None:
            assert mouse == (code == 0)
            if code:
                console.exit(return_code=code)

        monkeypatch.setattr(console, "run_async", run_async)
        assert await console.serve() == code


async def test_an_error_that_nobody_caught_is_shown_in_the_log() -> None:
    async with ChatServer(Settings(port=0)) as server:
        running = Running(server)
        await running.until(lambda: running.console.is_running and running.console.screen_stack)
        loop = asyncio.get_running_loop()

        def fail() -> None:
            raise ValueError(HOSTILE)

        loop.call_soon(fail)
        loop.call_exception_handler({"message": "no exception, just a message"})
        shown = running.console.screen.query_one(MessageLog)
        await running.until(lambda: len(shown.entries) == 3)
        assert [entry.text for entry in shown.entries][1:] == [
            "Error while serving the event loop: RuntimeError: no exception, just a message",
            f"Error while serving the event loop: ValueError: {HOSTILE}",
        ]
        running.console.end()
        assert await running.task == 0


# With sockets


@pytest.mark.quick
async def test_people_with_sockets_are_seen_heard_answered_and_kicked(operator: Operator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", operator.server.port)
    host, port = writer.get_extra_info("sockname")
    await operator.until(lambda: operator.names == [f"{host}|{port}"])
    writer.write(b"/nick Ann\nhi\n")
    await operator.until(lambda: operator.last == "  Ann: hi")
    await operator.submit("hello Ann")
    await operator.press("f4", "down", "f3")
    assert await operator.question() == f"Kick Ann ({host}|{port})?"
    await operator.press("y")
    await operator.until(lambda: operator.names == [])
    assert (await reader.read()).decode().splitlines() == [
        f"Welcome {host}|{port} to the server!",
        "You are now Ann",
        "Operator: hello Ann",
        "You have left the server",
    ]
    writer.close()
    await writer.wait_closed()


# A bad day


async def test_a_flood_leaves_the_log_bounded_the_keys_alive_and_nothing_uncounted(
    operator: Operator,
) -> None:
    ann, bob = await operator.gather("Ann", "Bob")
    lines = [f"line {number}" for number in range(500)]
    for round_ in range(200):
        operator.say(ann, *lines)
        if round_ % 40 == 0:
            await operator.press(*"ok")
    operator.say(ann, "the end")
    await operator.until(lambda: operator.last == "  Ann: the end")
    assert operator.line.value == "ok" * 5
    missing = [
        int(found[1].replace(",", ""))
        for entry in operator.entries
        if (found := re.match(r"\* ([\d,]+) lines", entry))
    ]
    assert sum(missing) + sum(entry.startswith("  Ann:") for entry in operator.entries) == 100_001
    assert len(operator.entries) <= 10_000
    await operator.press("f4", "down", "down", "f3")
    assert (await operator.question()).startswith("Kick Bob ")
    await operator.press("y")
    await operator.until(lambda: operator.last == "= Kicked 1 people.")
    assert bob not in operator.server.members


async def test_two_thousand_users_come_and_go(operator: Operator) -> None:
    members = [operator.join(f"user{number}") for number in range(2_000)]
    await operator.until(lambda: operator.user_list.count == 2_000)
    await operator.until(lambda: "Users (2000)" in operator.text and "2,000 users" in operator.text)
    operator.user_list.selected = members[1_500].id
    operator.go(*members[:1_500], *members[1_501:])
    await operator.until(lambda: operator.names == ["user1500"])
    assert operator.selected == members[1_500].id


async def test_no_terminal_is_too_narrow_for_the_buttons(operate: Operate) -> None:
    async with operate(size=(60, 20)) as operator:
        await operator.gather("Ann")
        await operator.press("f4", "down")
        for width in (9, 17, 18, 19, 24):
            await operator.resize(60, 20)
            await operator.resize(width, 24)
            assert operator.console.size.width == width
            assert operator.console.is_running
