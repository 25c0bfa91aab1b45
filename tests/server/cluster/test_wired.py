"""Nodes with real sockets and real clients, and a log in memory: the whole way of a line through them."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest
from support.chat_clients import Client
from support.recording import at_once
from support.transcripts import CLIENT_1, CLIENT_2, CLIENT_3, OPERATOR
from support.waiting import BOUND, until

from chat_console.server.addresses import Address
from chat_console.server.chat import Chat
from chat_console.server.cluster.news import News
from chat_console.server.cluster.replica import Replica
from chat_console.server.cluster.site import Site
from chat_console.server.room.events import Event, OperatorSaid
from chat_console.server.room.told import told
from chat_console.server.settings import Settings
from chat_console.server.wire.connections import Connections


class MemoryLog:
    """One order of entries for all nodes of this process."""

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {}
        self.position = 0

    def append(self, node: str, data: bytes) -> None:
        asyncio.get_running_loop().call_soon(self._deliver, node, data)

    def _deliver(self, node: str, data: bytes) -> None:
        self.position += 1
        for each in self.nodes.values():
            each.replica.entry(self.position, time.time(), node, data)


class Gate:
    """Lets everybody in."""

    def is_banned(self, host: str) -> bool:
        return False

    def refused(self, why: str, host: str) -> None: ...

    def leave(self, host: str) -> None: ...


class Loop:
    """The running loop."""

    def time(self) -> float:
        return asyncio.get_running_loop().time()

    def call_soon(self, call: Callable[[], object]) -> asyncio.Handle:
        return asyncio.get_running_loop().call_soon(call)

    def call_later(self, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, call)


class Node:
    """A node: its log, its chat and its connections."""

    def __init__(self, log: MemoryLog, name: str, process: int) -> None:
        self.log = log
        self.name = name
        self.process = process
        self.news: list[News] = []
        self.errors: list[Exception] = []
        self.events: list[Event] = []
        self.chat = Chat(Settings(), Loop(), at_once, order=self._order, ids_from=process << 32)
        self.operator = self.chat.operator(self.events.append, lambda: None)
        self.connections = Connections(self.chat, Gate())
        log.nodes[process] = self

    def _order(self, chat: Chat) -> Replica:
        site = Site(
            room=chat.room,
            bans=chat.bans,
            log=self,
            loop=chat.loop,
            now=chat.now,
            name=self.name,
            process=self.process,
            tell=self.news.append,
            failed=self.errors.append,
        )
        self.replica = Replica(site, hold=10)
        return self.replica

    def append(self, data: bytes) -> None:
        self.log.append(self.name, data)

    def send(self, node: str, process: int, data: bytes) -> None:
        replica = self.log.nodes[process].replica
        asyncio.get_running_loop().call_soon(replica.received, data)

    async def connect(self) -> Client:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            server, (host, port) = listener.accept()
        client.setblocking(False)
        server.setblocking(False)
        self.connections.open(server, Address(host, port), None)
        return Client(*await asyncio.open_connection(sock=client))


@pytest.fixture
async def nodes() -> AsyncIterator[list[Node]]:
    log = MemoryLog()
    nodes = [Node(log, name, process) for name, process in (("paris", 50), ("rome", 70), ("oslo", 60))]
    for node in nodes:
        node.replica.opened()
        await until(lambda node=node: any(type(news).__name__ == "Entered" for news in node.news))
    yield nodes
    for node in nodes:
        ended = asyncio.Event()
        node.replica.say_goodbye(ended.set)
        await asyncio.wait_for(ended.wait(), BOUND)
        node.chat.shut_down()
        node.connections.abort()
        await asyncio.wait_for(node.connections.wait_closed(), BOUND)
        assert node.errors == []


def printed(transcript: str, ports: dict[str, str]) -> str:
    """All that a transcript has printed, with the real ports."""
    text = re.sub(r"^> .*\n", "", transcript, flags=re.MULTILINE).replace("{blank}", " ")
    for told_port, port in ports.items():
        text = text.replace(told_port, port)
    return text


async def test_a_session_across_nodes_is_byte_for_byte_the_reference_transcripts(nodes: list[Node]) -> None:
    paris, rome, oslo = nodes
    names = {"Malcolm": rome, "Sturgis": oslo, "Jimmy": paris}
    clients: dict[str, Client] = {}
    got: dict[str, bytes] = dict.fromkeys(names, b"")
    ports: dict[str, str] = {}

    async def read_until(name: str, last: str) -> None:
        while not got[name].endswith(last.encode() + b"\n"):
            line = await clients[name].raw()
            assert line, got[name]
            got[name] += line

    async def join(name: str, told_port: str) -> None:
        clients[name] = await names[name].connect()
        ports[told_port] = clients[name].address.partition("|")[2]
        for each in clients:
            await read_until(each, f"Welcome {clients[name].address} to the server!")

    async def take(name: str) -> None:
        clients[name].send(f"/nick {name}")
        await read_until(name, f"You are now {name}")
        for each in clients.keys() - {name}:
            await read_until(each, f"{clients[name].address} is now {name}")

    await join("Malcolm", "41050")
    await join("Sturgis", "41052")
    await take("Malcolm")
    await take("Sturgis")
    await join("Jimmy", "41054")
    await take("Jimmy")
    clients["Jimmy"].send("/msg Malcolm Hey, how's it going?")
    await read_until("Jimmy", "Message sent to 1 users of name Malcolm")
    await read_until("Malcolm", "Jimmy(private): Hey, how's it going? ")
    clients["Sturgis"].send("/list")
    await read_until("Sturgis", f"{clients['Jimmy'].address} as Jimmy")
    rome.operator.operate("Hello users!")
    await read_until("Sturgis", "Operator: Hello users!")
    rome.operator.operate("/msg Sturgis You're my favorite <3")
    await read_until("Sturgis", "Operator (private): You're my favorite <3 ")
    rome.operator.operate("/kick Jimmy")
    await read_until("Sturgis", "Jimmy has left the server.")
    clients["Malcolm"].send("/quit")
    await read_until("Sturgis", "Malcolm has left the server.")
    clients["Sturgis"].send("/quit")

    for name, transcript in (("Malcolm", CLIENT_1), ("Sturgis", CLIENT_2), ("Jimmy", CLIENT_3)):
        got[name] += await asyncio.wait_for(clients[name].reader.read(), BOUND)
        assert got[name].decode() == printed(transcript, ports)
        clients[name].close()
    await until(lambda: all(not node.chat.room.roster for node in nodes))
    lines = [line(event) for event in rome.events if (line := told(event).transcript) is not None]
    assert lines == printed(OPERATOR, ports).splitlines()[1:]
    assert [event.text for event in paris.events if isinstance(event, OperatorSaid)] == ["Hello users!"]


async def test_all_who_hear_two_lines_hear_them_in_one_order_and_none_is_lost(nodes: list[Node]) -> None:
    clients = [await node.connect() for node in nodes for _ in range(2)]
    for number, client in enumerate(clients):
        client.send(f"/nick user{number}")
    for number, client in enumerate(clients):
        await client.until(f"You are now user{number}")
    await until(lambda: all(len(node.chat.room.roster) == 6 for node in nodes))
    count = 15
    for number, client in enumerate(clients):
        client.send(*(f"line {number}.{at}" for at in range(count)))
    await until(
        lambda: all(
            sum(len(event.texts) for event in node.events if type(event).__name__ == "Said") == 6 * count  # type: ignore[union-attr]
            for node in nodes
        )
    )
    for client in clients:
        client.send("/quit")
    heard = [[line for line in await client.rest() if ": line " in line] for client in clients]
    for number, lines in enumerate(heard):
        others = [line for line in heard[number - 1] if f" {number}." not in line]
        assert len(lines) == 5 * count
        assert [line for line in lines if f" {(number - 1) % 6}." not in line] == others
    for client in clients:
        client.close()


async def test_a_client_that_is_lost_has_left_on_all_nodes(nodes: list[Node]) -> None:
    paris, rome, _ = nodes
    ann, bob = await paris.connect(), await rome.connect()
    await bob.line()
    ann.reset()
    assert await bob.until(f"{ann.address} has left the server.")
    await until(lambda: all(len(node.chat.room.roster) == 1 for node in nodes))
    bob.end()
    assert (await bob.rest())[-1] == "You have left the server"
    bob.close()
    ann.close()


async def test_clients_that_are_lost_at_once_leave_nothing_behind(nodes: list[Node]) -> None:
    for _ in range(10):
        client = await nodes[0].connect()
        client.reset()
    await asyncio.wait_for(nodes[0].connections.wait_closed(), BOUND)
    await until(lambda: all(not node.chat.room.roster for node in nodes))
