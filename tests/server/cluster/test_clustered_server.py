"""Whole servers on one log: when they listen, what they know of each other's members, and their end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from support.chat_clients import Client
from support.memory_log import MemoryLog, cluster
from support.nats_engine import Engine
from support.waiting import BOUND, until

from chat_console.server.addresses import Address, network_of
from chat_console.server.cluster import clustered_server
from chat_console.server.cluster.clustered_server import ClusteredServer, ClusterError
from chat_console.server.cluster.engine import EngineError
from chat_console.server.room.events import Event, Joined, Linked, Started
from chat_console.server.settings import Settings


def texts_told(server: ClusteredServer) -> list[str]:
    """What the server tells from now on of its cluster."""
    texts: list[str] = []
    server.subscribe(lambda event: texts.append(event.text) if isinstance(event, Linked) else None)
    return texts


async def connect(server: ClusteredServer) -> Client:
    return Client(*await asyncio.open_connection("127.0.0.1", server.port))


@pytest.fixture
def memory() -> MemoryLog:
    return MemoryLog()


Make = Callable[..., ClusteredServer]


@pytest.fixture
async def make(memory: MemoryLog) -> AsyncIterator[Make]:
    """Makes a node on the shared log; it is stopped in the end."""
    async with AsyncExitStack() as stack:

        def new(node: str, **settings: object) -> ClusteredServer:
            made = Settings(port=0, **settings)  # type: ignore[arg-type]
            server = ClusteredServer(cluster(node), made, log=memory.log)
            stack.push_async_callback(server.stop)
            return server

        yield new


async def test_members_of_all_nodes_are_known_with_their_node(make: Make) -> None:
    paris, rome = make("paris"), make("rome")
    told = texts_told(paris)
    await paris.start()
    await rome.start()
    await until(lambda: len(told) == 2)
    assert told == ["This node is in: 1 node, 0 users.", "Node rome is in, with 0 users."]
    assert paris.nodes == rome.nodes == ["paris", "rome"]
    ann, bob = await connect(paris), await connect(rome)
    await until(lambda: len(paris.members) == len(rome.members) == 2)
    here = next(each for each in rome.members if str(each.address) == bob.address)
    far = next(each for each in rome.members if str(each.address) == ann.address)
    known, unknown = rome.details(here.id), rome.details(far.id)
    assert known is not None
    assert known.node == ""
    assert None not in (known.here, known.idle, known.waiting)
    assert unknown is not None
    assert (str(unknown.address), unknown.here, unknown.idle, unknown.waiting) == (
        ann.address,
        None,
        None,
        None,
    )
    assert (unknown.node, unknown.lines) == ("paris", 0)
    assert (rome.node, rome.node_of(here.id), rome.node_of(7)) == ("rome", "rome", "")
    assert rome.details(7) is None
    for client in (ann, bob):
        client.close()


async def test_who_is_here_already_is_no_news(make: Make) -> None:
    paris, rome = make("paris"), make("rome")
    await paris.start()
    ann = await connect(paris)
    ann.send("/nick Ann")
    assert await ann.until("You are now Ann")
    events: list[Event] = []
    rome.subscribe(events.append)
    await rome.start()
    assert [type(event) for event in events] == [Linked, Started]
    assert [member.name for member in rome.members] == ["Ann"]
    bob = await connect(rome)
    await until(lambda: isinstance(events[-1], Joined))
    for client in (ann, bob):
        client.close()


async def test_what_others_do_while_a_node_begins_to_listen_is_told_after_that(make: Make) -> None:
    paris = make("paris")
    events: list[Event] = []

    def note(event: Event) -> None:
        events.append(event)
        if isinstance(event, Linked):  # from here on others are heard
            asyncio.get_running_loop().call_soon(paris.chat.emit, Joined(1.0, 7, Address("192.0.2.7", 4007)))

    paris.subscribe(note)
    await paris.start()
    assert [type(event) for event in events] == [Linked, Started, Joined]


async def test_a_node_that_stops_says_goodbye_at_once(make: Make) -> None:
    paris, rome = make("paris"), make("rome")
    told = texts_told(paris)
    await paris.start()
    await rome.start()
    ann = await connect(rome)
    await until(lambda: len(paris.members) == 1)
    await rome.stop()
    assert (await ann.rest())[-2:] == ["Server is shutting down", "You have left the server"]
    assert told[-1] == "Node rome is gone, with 1 user: it said goodbye."
    assert not paris.members
    assert paris.nodes == ["paris"]
    ann.close()


async def test_a_goodbye_that_does_not_come_back_is_not_waited_for_long(
    make: Make, memory: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clustered_server, "GOODBYE", 0.05)
    paris = make("paris")
    await paris.start()
    memory.is_lossy = True
    async with asyncio.timeout(BOUND):
        await paris.stop()


async def test_a_node_without_a_link_stops_without_a_goodbye(make: Make, memory: MemoryLog) -> None:
    paris = make("paris")
    await paris.start()
    (log,) = memory.logs.values()
    assert log.reader is not None
    log.reader.closed("gone")
    position = memory.position
    await paris.stop()
    assert memory.position == position


@pytest.mark.parametrize(
    ("never_opens", "message"),
    [
        (
            True,
            "cannot reach the engine at 127.0.0.1:4222: connection refused; "
            "start nats-server -js there, or name another with --cluster",
        ),
        (False, "not in the room lobby after 0s: see docs/cluster.md"),
    ],
)
async def test_one_that_does_not_come_in_says_what_to_do(
    make: Make, memory: MemoryLog, monkeypatch: pytest.MonkeyPatch, *, never_opens: bool, message: str
) -> None:
    monkeypatch.setattr(clustered_server, "ENTERING", 0.05)
    memory.never_opens, memory.is_lossy = never_opens, True
    paris = make("paris")
    with pytest.raises(ClusterError) as caught:
        await paris.start()
    assert str(caught.value) == message
    assert paris.endpoints == ()


async def test_one_of_another_format_is_named(
    make: Make, memory: MemoryLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clustered_server, "ENTERING", 0.05)
    memory.last = 1, time.time(), "rome", b"\2" + bytes(31)
    with pytest.raises(ClusterError) as caught:
        await make("paris").start()
    told = "node rome is not understood (it is of another format): run the same version on all nodes"
    assert str(caught.value) == told


async def test_an_error_of_the_engine_ends_the_start(make: Make, memory: MemoryLog, tmp_path: Path) -> None:
    memory.error = EngineError("too old")
    paris = make("paris", bans_file=tmp_path / "bans")
    with pytest.raises(ClusterError, match=r"^too old$"):
        await paris.start()
    assert paris.chat.bans.file is None
    memory.error = OSError("odd")
    with pytest.raises(OSError, match="odd"):
        await make("rome").start()


async def test_one_with_other_settings_does_not_come_in(make: Make) -> None:
    await make("paris").start()
    with pytest.raises(ClusterError, match="give all the same --shared-nicks"):
        await make("rome", shared_nicks=True).start()


async def test_one_that_comes_in_gets_the_bans_of_the_others(make: Make, tmp_path: Path) -> None:
    (tmp_path / "bans").write_text("192.0.2.7 -\n")
    await make("paris", bans_file=tmp_path / "bans").start()
    others = tmp_path / "others"
    rome = make("rome", bans_file=others)
    await rome.start()
    assert [network for network, _ in rome.chat.bans.all()] == [network_of("192.0.2.7")]
    await until(lambda: others.exists() and "192.0.2.7" in others.read_text())


async def test_what_the_engine_refuses_and_what_fails_is_told(make: Make, memory: MemoryLog) -> None:
    paris = make("paris")
    told = texts_told(paris)
    await paris.start()
    (log,) = memory.logs.values()
    log.refused("maximum bytes exceeded")
    assert told[-1] == "The engine refuses: maximum bytes exceeded."
    events: list[object] = []
    paris.subscribe(events.append)
    paris._site.failed(ValueError("odd"))  # pyright: ignore[reportPrivateUsage]
    await until(lambda: any("odd" in str(event) for event in events))


async def test_two_nodes_on_a_real_engine_are_one_room(shared: Engine, room: str) -> None:
    settings = Settings(port=0)
    paris = ClusteredServer(cluster("paris", shared.url, room), settings)
    rome = ClusteredServer(cluster("rome", shared.url, room), settings)
    async with paris, rome:
        ann, bob = await connect(paris), await connect(rome)
        await until(lambda: len(paris.members) == 2)
        ann.send("/nick Ann", "hello")
        assert await bob.until("Ann: hello")
    assert (await bob.rest())[-1] == "You have left the server"
    for client in (ann, bob):
        client.close()
