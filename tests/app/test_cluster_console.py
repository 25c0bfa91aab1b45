"""The console of one node of a cluster: users of other nodes are shown with theirs, and acted upon alike."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.console_operator import Client, Operator, operate_server
from support.memory_log import MemoryLog, cluster
from support.waiting import until

from chat_console.server.addresses import Address, network_of
from chat_console.server.cluster.clustered_server import ClusteredServer
from chat_console.server.room.entries import Leave, Lines
from chat_console.server.room.events import LeaveReason
from chat_console.server.settings import Settings


class Node:
    """A node, and people without sockets who are connected to it."""

    def __init__(self, name: str, log: MemoryLog, hold: float) -> None:
        self.server = ClusteredServer(cluster(name, hold=hold), Settings(port=0), log=log.log)
        self.clients: dict[int, Client] = {}

    def join(self, address: str) -> int:
        host, _, port = address.rpartition("|")
        member_id = self.server.chat.ids_from + 1000 + len(self.clients)
        self.clients[member_id] = Client()
        self.server.chat.join(member_id, Address(host, int(port)), self.clients[member_id])
        return member_id

    def say(self, member_id: int, *lines: str) -> None:
        self.server.chat.submit(Lines(time.time(), member_id, lines))

    def go(self, member_id: int) -> None:
        self.server.chat.submit(Leave(time.time(), (member_id,), LeaveReason.QUIT))

    def lines(self, member_id: int) -> list[str]:
        """What a client has got."""
        return self.clients[member_id].lines

    def is_muted(self, member_id: int) -> bool:
        member = self.server.chat.room.roster.get(member_id)
        return member is not None and member.muted


class Cluster:
    """The operator of paris, and rome, on one log."""

    def __init__(self, log: MemoryLog, paris: Node, rome: Node, operator: Operator) -> None:
        self.log = log
        self.paris = paris
        self.rome = rome
        self.operator = operator

    async def come(self, node: Node, name: str, address: str = "192.0.2.7|1") -> int:
        """Let somebody join at `node`, and wait until the list shows the name."""
        member_id = node.join(address)
        node.say(member_id, f"/nick {name}")
        await until(lambda: name in self.operator.names)
        return member_id

    async def choose(self, member_id: int) -> None:
        self.operator.user_list.selected = member_id
        await self.operator.settle()

    async def confirm(self, key: str) -> None:
        """Press the key of an action, and Enter in its dialog."""
        await self.operator.press(key)
        await self.operator.dialog()
        await self.operator.press("enter")
        await self.operator.back()

    async def answered(self, answer: str) -> None:
        await until(lambda: self.operator.answer == answer)


@asynccontextmanager
async def open_cluster(size: tuple[int, int] = (80, 24), hold: float = 10.0) -> AsyncIterator[Cluster]:
    log = MemoryLog()
    paris, rome = Node("paris", log, hold), Node("rome", log, hold)
    async with paris.server, rome.server, operate_server(paris.server, size=size) as operator:
        yield Cluster(log, paris, rome, operator)


@pytest.fixture
async def cl() -> AsyncIterator[Cluster]:
    async with open_cluster() as cl:
        yield cl


# What is shown


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_list_the_card_and_the_status_tell_of_the_nodes(size: tuple[int, int]) -> None:
    async with open_cluster(size) as cl:
        ann, bob = await cl.come(cl.paris, "Ann"), await cl.come(cl.rome, "Bob", "192.0.2.8|47144")
        await until(lambda: "2 users · 2 nodes" in cl.operator.status)
        assert "Bob @rome" in cl.operator.text
        assert "Ann @" not in cl.operator.text
        await cl.choose(bob)
        await until(lambda: "on node rome" in cl.operator.text)
        assert ("rest unknown" in cl.operator.text) == (size == (120, 40))
        assert "here unknown" not in cl.operator.text
        cl.rome.say(bob, "ciao")
        await until(
            lambda: "on node rome · 1 line" in cl.operator.text or "1 line · idle" in cl.operator.text
        )
        await cl.choose(ann)
        await until(lambda: "on node rome" not in cl.operator.text)


async def test_users_of_nodes_that_came_before_the_console_have_their_node_and_can_be_found_by_it() -> None:
    log = MemoryLog()
    paris, rome = Node("paris", log, 10), Node("rome", log, 10)
    async with rome.server, paris.server:
        bob = rome.join("192.0.2.8|47144")
        paris.join("192.0.2.7|1")
        await until(lambda: len(paris.server.members) == 2)
        async with operate_server(paris.server, size=(120, 40)) as operator:
            await until(lambda: "192.0.2.8|47144 @rome" in operator.text)
            assert "· 2 nodes ·" in operator.status
            await operator.press("f4", *"rome")
            assert list(operator.user_list.shown) == [bob]
            assert operator.selected == bob
            await operator.press("escape", "ctrl+p", *"kick rome")
            await until(lambda: "Kick 192.0.2.8|47144" in operator.text)
            await operator.press("escape")


async def test_an_operator_elsewhere_is_told_of_with_the_node(cl: Cluster) -> None:
    bob = await cl.come(cl.rome, "Bob")
    there = cl.rome.server.operator()
    there.say("buona sera")
    await until(lambda: cl.operator.last == "> Operator (rome): buona sera")
    cl.rome.say(bob, "/msg Operator help")
    await until(lambda: "» 1 private" in cl.operator.status)
    there.message(bob, "coming")
    await until(lambda: "private" not in cl.operator.status)
    assert cl.operator.last == "» rome to Bob: coming"


# What is done to users of other nodes


async def test_who_is_kicked_leaves_and_the_answer_says_so(cl: Cluster) -> None:
    bob = await cl.come(cl.rome, "Bob")
    await cl.choose(bob)
    await cl.confirm("f3")
    await cl.answered("= Bob was kicked")
    await until(lambda: cl.operator.names == [])
    assert cl.rome.lines(bob)[-1] == "You have left the server"
    await cl.operator.press("ctrl+z")
    await cl.answered("! a kick cannot be undone; Bob may join again")


async def test_who_is_muted_is_so_everywhere_until_it_is_undone(cl: Cluster) -> None:
    ann, bob = await cl.come(cl.paris, "Ann"), await cl.come(cl.rome, "Bob")
    await cl.choose(bob)
    await cl.confirm("f6")
    await cl.answered("= Bob is muted for 10m · Ctrl+Z undoes")
    await until(lambda: cl.rome.is_muted(bob) and "mute 10m" in cl.operator.text)
    cl.rome.say(bob, "can you hear me?")
    await until(lambda: cl.operator.last == "⊘ Bob: can you hear me?")
    assert not any("hear me" in line for line in cl.paris.lines(ann))
    await cl.operator.press("ctrl+z")
    await cl.answered("= Bob is unmuted")
    await until(lambda: not cl.rome.is_muted(bob))


async def test_a_key_unmutes_whom_another_operator_has_muted(cl: Cluster) -> None:
    bob = await cl.come(cl.rome, "Bob")
    cl.rome.server.operator().mute(bob)
    await until(lambda: "muted" in cl.operator.text)
    await cl.choose(bob)
    await cl.operator.press("f6")
    await cl.answered("= Bob is no longer muted")
    await until(lambda: not cl.rome.is_muted(bob))


async def test_a_key_undoes_nothing_that_another_operator_did(cl: Cluster) -> None:
    ann, bob = await cl.come(cl.paris, "Ann"), await cl.come(cl.rome, "Bob")
    await cl.choose(ann)
    await cl.confirm("f6")
    await cl.answered("= Ann is muted for 10m · Ctrl+Z undoes")
    rome = cl.rome.server.operator()
    rome.mute(bob)
    rome.operate("/ban 192.0.2.99")
    await until(lambda: cl.paris.is_muted(bob) and "192.0.2.99 is banned" in cl.operator.text)
    await cl.operator.press("ctrl+z")
    await cl.answered("= Ann is unmuted")
    assert cl.rome.is_muted(bob)


async def test_a_ban_names_and_hits_users_of_all_nodes_and_is_lifted_everywhere(cl: Cluster) -> None:
    await cl.come(cl.paris, "Ann", "192.0.2.7|1")
    bob = await cl.come(cl.rome, "Bob", "192.0.2.7|2")
    await cl.come(cl.rome, "Cid", "192.0.2.8|1")
    await cl.choose(bob)
    await cl.operator.press("f7")
    await cl.operator.dialog()
    await until(lambda: "This drops Ann, Bob." in cl.operator.text)
    await cl.operator.press("shift+tab", "enter")
    await until(lambda: cl.operator.names == ["Cid"])
    await until(lambda: cl.operator.answer.endswith("· Ctrl+Z undoes"))
    bans = cl.rome.server.chat.bans
    assert [network for network, _ in bans.all()] == [network_of("192.0.2.7")]
    await cl.operator.press("ctrl+z")
    await cl.answered("= 192.0.2.7 is no longer banned; whoever it dropped may come back")
    assert not list(bans.all())


async def test_a_private_line_is_answered_by_f8_and_found_by_its_author(cl: Cluster) -> None:
    bob = await cl.come(cl.rome, "Bob")
    cl.rome.say(bob, "/msg Operator help", "hello")
    await until(lambda: "» 1 private" in cl.operator.status)
    await cl.operator.press("f8", *"coming", "enter")
    await cl.answered("= sent to Bob")
    await until(lambda: "private" not in cl.operator.status)
    assert cl.rome.lines(bob)[-1].rstrip() == "Operator (private): coming"
    cl.operator.console.chat.action_lines_of(bob)
    await until(lambda: "find: " in cl.operator.text)
    await cl.operator.press("escape")


@pytest.mark.parametrize(
    ("command", "answer"),
    [("/kick Bob", "= Bob was kicked"), ("/mute Bob 5m", "= Bob is muted for 5m · Ctrl+Z undoes")],
)
async def test_commands_reach_them_too(cl: Cluster, command: str, answer: str) -> None:
    await cl.come(cl.rome, "Bob")
    await cl.operator.submit(command)
    await cl.answered(answer)


# What happens between a key and what comes of it


async def test_who_goes_while_an_action_is_asked_about_is_not_hit(cl: Cluster) -> None:
    bob = await cl.come(cl.rome, "Bob")
    await cl.choose(bob)
    await cl.operator.press("f3")
    await cl.operator.dialog()
    cl.rome.go(bob)
    await until(lambda: "Bob has left. Enter closes this." in cl.operator.text)
    await cl.operator.press("enter")
    await cl.operator.back()
    assert cl.operator.last == "- Bob left"


@pytest.mark.parametrize("key", ["f3", "f6"])
async def test_who_goes_before_an_act_reaches_the_others_has_left(cl: Cluster, key: str) -> None:
    bob = await cl.come(cl.rome, "Bob")
    await cl.choose(bob)
    cl.log.hold()
    cl.rome.go(bob)
    await until(lambda: cl.log.held)
    await cl.confirm(key)
    assert cl.operator.answer == ""
    cl.log.release()
    await cl.answered("! this user has already left")
    await cl.operator.press("ctrl+z")
    await cl.answered("! nothing to undo")


async def test_a_key_that_undoes_is_about_what_is_still_on_its_way(cl: Cluster) -> None:
    ann, bob = await cl.come(cl.rome, "Ann"), await cl.come(cl.rome, "Bob")
    await cl.choose(ann)
    await cl.confirm("f6")
    await until(lambda: cl.rome.is_muted(ann))
    await cl.choose(bob)
    cl.log.hold()
    await cl.confirm("f6")
    await cl.operator.press("ctrl+z")
    assert cl.operator.answer == ""
    cl.log.release()
    await cl.answered("= Bob is unmuted")
    await until(lambda: not cl.rome.is_muted(bob))
    assert cl.rome.is_muted(ann)


async def test_of_a_mute_that_was_over_by_then_nothing_is_said_to_be_undone(cl: Cluster) -> None:
    bob = await cl.come(cl.rome, "Bob")
    await cl.choose(bob)
    await cl.confirm("f6")
    await cl.answered("= Bob is muted for 10m · Ctrl+Z undoes")
    cl.log.hold()
    cl.rome.go(bob)
    await until(lambda: cl.log.held)
    await cl.operator.press("ctrl+z")
    cl.log.release()
    await cl.answered("! this user has already left")


async def test_a_private_line_that_nobody_got_is_in_the_line_again(cl: Cluster) -> None:
    bob = await cl.come(cl.rome, "Bob")
    await cl.choose(bob)
    cl.log.hold()
    cl.rome.go(bob)
    await until(lambda: cl.log.held)
    await cl.operator.press("f2", "slash", "slash", *"psst")
    cl.operator.line.value = "//psst"
    await cl.operator.press("enter")
    assert cl.operator.line.value == ""
    cl.log.release()
    await cl.answered("! this user has already left")
    await until(lambda: "Bob has left" in cl.operator.text)
    assert cl.operator.line.value == "//psst"
    await cl.operator.press("enter")
    assert not any("psst" in entry for entry in cl.operator.entries)


async def test_a_line_that_nobody_got_is_not_put_where_everybody_would_get_it(cl: Cluster) -> None:
    bob = await cl.come(cl.rome, "Bob")
    await cl.choose(bob)
    cl.log.hold()
    cl.rome.go(bob)
    await until(lambda: cl.log.held)
    await cl.operator.press("f2", *"psst", "enter", "escape")
    cl.log.release()
    await cl.answered("! this user has already left")
    assert cl.operator.line.value == ""


# Cut off, and back


async def test_the_status_is_red_while_the_node_is_cut_off_and_those_of_others_are_gone() -> None:
    async with open_cluster(hold=2.0) as cl:
        await cl.come(cl.paris, "Ann")
        bob = await cl.come(cl.rome, "Bob")
        cl.rome.server.operator().mute(bob)
        await until(lambda: "muted" in cl.operator.text)
        await cl.choose(bob)
        await cl.operator.press("f2")
        cl.log.is_lossy = True
        await until(lambda: cl.operator.status.startswith(" link silent "))
        await until(lambda: cl.operator.status.startswith(" cut off "))
        red = next(iter(cl.operator.status_bar.render_line(0)))
        assert red.text == " cut off "
        assert red.style is not None
        assert red.style.bgcolor is not None
        assert red.style.bgcolor.name == "#8b0000"
        await until(lambda: cl.operator.names == ["Ann"])
        assert "1 user · 1 node" in cl.operator.status
        await until(lambda: "Bob has left" in cl.operator.text)
        await cl.operator.submit("/mute Ann")
        await cl.answered("= Ann is muted · Ctrl+Z undoes")
        cl.log.is_lossy = False
        await until(lambda: set(cl.operator.names) == {"Ann", "Bob"})
        await until(lambda: "2 users · 2 nodes" in cl.operator.status)
        await until(lambda: "cut off" not in cl.operator.status)
        assert "Bob @rome" in cl.operator.text
        # Nobody has muted Bob just now, and so the key is not about him.
        assert cl.operator.entries.count("* Bob is muted") == 1
        assert cl.operator.user_list.users[bob].muted
        await cl.operator.press("ctrl+z")
        await cl.answered("= Ann is unmuted")


async def test_one_who_is_written_to_is_so_again_after_a_cut() -> None:
    async with open_cluster(hold=1.0) as cl:
        await cl.come(cl.paris, "Ann")
        bob = await cl.come(cl.rome, "Bob")
        await cl.choose(bob)
        await cl.operator.press("f2")
        cl.log.is_lossy = True
        await until(lambda: "Bob has left" in cl.operator.text)
        cl.log.is_lossy = False
        await until(lambda: "to Bob " in cl.operator.text)
        await cl.operator.press(*"hi", "enter")
        await until(lambda: cl.rome.lines(bob)[-1].rstrip() == "Operator (private): hi")
