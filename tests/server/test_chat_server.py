"""The server as a whole: listening, the operator's methods, order among many, and stopping."""

from __future__ import annotations

import asyncio
import doctest
import errno
import gc
import socket

import pytest
from chat_clients import BOUND, Chat, Client, ipv6, open_chat

from chat_console.server import chat_server
from chat_console.server.chat_server import ChatServer, ListenError
from chat_console.server.events import (
    Event,
    Joined,
    LeaveReason,
    Left,
    OperatorMessaged,
    OperatorSaid,
    QuitRequested,
    Replied,
    Said,
    Started,
)
from chat_console.server.settings import Settings

GOODBYE = ["Server is shutting down", "You have left the server"]
needs_ipv6 = pytest.mark.skipif(not ipv6, reason="no IPv6 here")


def test_the_example_in_the_documentation_works() -> None:
    results = doctest.testmod(chat_server)
    assert results.attempted
    assert not results.failed


class TestListening:
    async def test_is_told_with_the_port_and_the_addresses(self) -> None:
        async with open_chat() as chat:
            started = await chat.event(Started)
            assert (started.addresses, started.port) == (("127.0.0.1",), chat.server.port)
            assert chat.server.addresses == ("127.0.0.1",)
            assert chat.server.port > 0

    @needs_ipv6
    async def test_on_several_hosts_takes_one_port(self) -> None:
        async with open_chat(hosts=("127.0.0.1", "::1")) as chat:
            assert chat.server.addresses == ("127.0.0.1", "::1")
            for host in chat.server.addresses:
                client = await chat.connect(host)
                assert await client.line() == f"Welcome {client.address} to the server!"

    @needs_ipv6
    async def test_on_ipv6_and_ipv4_at_once_may_be_asked_for_by_their_unspecified_addresses(self) -> None:
        async with open_chat(hosts=("0.0.0.0", "::")) as chat:
            for host in ("127.0.0.1", "::1"):
                client = await chat.connect(host)
                assert await client.line() == f"Welcome {client.address} to the server!"

    @pytest.mark.parametrize(
        ("host", "public"),
        [
            ("127.0.0.1", False),
            ("0.0.0.0", True),
            pytest.param("::1", False, marks=needs_ipv6),
            pytest.param("::", True, marks=needs_ipv6),
        ],
    )
    async def test_is_public_on_anything_but_the_loopback(self, host: str, public: bool) -> None:
        async with open_chat(hosts=(host,)) as chat:
            assert chat.server.is_public is public

    async def test_on_a_port_in_use_is_a_listen_error(self) -> None:
        async with open_chat() as chat:
            port = chat.server.port
            with pytest.raises(ListenError) as raised:
                await ChatServer(Settings(port=port)).start()
            error = raised.value
            assert (error.host, error.port, error.errno) == ("127.0.0.1", port, errno.EADDRINUSE)
            assert error.strerror

    async def test_that_fails_on_one_host_leaves_nothing_listening(self) -> None:
        # The second bind meets the first one's port.
        with pytest.raises(ListenError) as raised:
            await ChatServer(Settings(port=0, hosts=("127.0.0.1", "127.0.0.1"))).start()
        with socket.socket() as sock:
            assert sock.connect_ex(("127.0.0.1", raised.value.port)) == errno.ECONNREFUSED

    @pytest.mark.parametrize("host", ["no host", "x" * 64])
    async def test_on_a_host_that_there_is_not_is_a_listen_error(self, host: str) -> None:
        with pytest.raises(ListenError) as raised:
            await ChatServer(Settings(port=0, hosts=(host,))).start()
        assert raised.value.host == host
        assert (raised.value.errno or -1) < 0
        assert raised.value.strerror

    async def test_takes_the_same_port_again_after_a_stop_with_clients(self) -> None:
        async with open_chat(close_grace=0.05) as chat:
            await chat.gather("Ann")
            port = chat.server.port
            await chat.server.stop()
            async with ChatServer(Settings(port=port)) as again:
                assert again.port == port


class TestOperator:
    async def test_types_commands_and_text(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            for line in ("Hello users!", "/msg Ann psst", "/list", "/quit", "/kick Ann"):
                chat.server.operate(line)
            assert await ann.rest() == [
                "Operator: Hello users!",
                "Operator (private): psst ",
                "You have left the server",
            ]
            kinds = [OperatorSaid, OperatorMessaged, Replied, QuitRequested, Left, Replied]
            assert [type(event) for event in chat.events] == kinds

    @pytest.mark.parametrize("text", ["hello", "/kick Ann", "//", " /list"])
    async def test_says_any_text(self, text: str) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            chat.server.say(text)
            assert await ann.line() == f"Operator: {text}"

    @pytest.mark.parametrize("text", ["\0/kick Ann", "\x1b[m/kick Ann"])
    async def test_says_text_that_only_cleaning_makes_begin_with_a_slash(self, text: str) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            chat.server.say(text)
            assert await ann.line() == "Operator: /kick Ann"

    async def test_messages_one_member_by_its_id(self) -> None:
        async with open_chat(shared_nicks=True) as chat:
            _, two = await chat.gather("Bob", "Bob")
            member = chat.server.members[1]
            assert chat.server.message(member.id, "\x1b[1mpsst\n")
            assert await two.line() == "Operator (private): psst "
            event = await chat.event(OperatorMessaged)
            assert (event.recipient, event.text, event.count) == ("Bob", "psst", 1)
            two.send("/quit")
            await chat.event(Left)
            assert not chat.server.message(member.id, "psst")
            assert not chat.events

    async def test_kicks_one_member_by_its_id(self) -> None:
        async with open_chat(shared_nicks=True) as chat:
            one, two = await chat.gather("Bob", "Bob")
            member = chat.server.members[0]
            assert chat.server.kick(member.id)
            assert await one.rest() == ["You have left the server"]
            assert await two.line() == "Bob has left the server."
            assert (await chat.event(Left)).reason is LeaveReason.KICKED
            assert (await chat.event(Replied)).text == "Kicked 1 people."
            assert not chat.server.kick(member.id)
            assert not chat.events

    async def test_sees_the_members_in_order_of_joining(self) -> None:
        async with open_chat() as chat:
            await chat.gather("Zoe", "Ann")
            assert [member.name for member in chat.server.members] == ["Zoe", "Ann"]
            assert [member.id for member in chat.server.members] == [1, 2]


class TestStopping:
    async def test_says_goodbye_to_everybody_and_closes(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            ann.send("last words")
            assert await bob.line() == "Ann: last words"
            stopping = asyncio.create_task(chat.server.stop())
            for client in (ann, bob):
                assert await client.rest() == GOODBYE
                client.close()
            await asyncio.wait_for(stopping, BOUND)
            assert chat.server.members == ()

    async def test_lets_nobody_in(self) -> None:
        async with open_chat() as chat:
            await chat.server.stop()
            with pytest.raises(ConnectionRefusedError):
                await Client.connect(chat.server.port)

    async def test_without_clients_takes_no_time(self) -> None:
        async with open_chat(stop_grace=60.0) as chat:
            await asyncio.wait_for(chat.server.stop(), BOUND)

    async def test_takes_no_longer_than_its_grace_with_a_client_that_does_not_read(self) -> None:
        async with open_chat(stop_grace=0.1, close_grace=60.0, max_backlog=1 << 24) as chat:
            ann = await chat.connect(receive_buffer=4096)
            ann.stop_reading()
            await chat.event(Joined)
            for _ in range(4000):  # more than the system holds back for anybody
                chat.server.say("x" * 2000)
            await asyncio.wait_for(chat.server.stop(), BOUND)
            await ann.cut_off()

    async def test_drops_a_client_whose_backlog_the_goodbye_would_exceed_and_no_other(self) -> None:
        async with open_chat(max_backlog=100_000) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            for _ in range(4000):
                chat.server.message(1, "x" * 2000)
            chat.server.room.shut_down()
            assert await bob.rest() == GOODBYE
            assert GOODBYE[-1] not in await ann.rest()

    async def test_twice_is_once(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            stopping = [asyncio.create_task(chat.server.stop()) for _ in range(2)]
            assert await ann.rest() == GOODBYE
            ann.close()
            await asyncio.wait_for(asyncio.gather(*stopping), BOUND)
            await chat.server.stop()

    async def test_before_the_start_does_nothing(self) -> None:
        await ChatServer(Settings(port=0)).stop()

    async def test_ends_at_once_with_abort(self) -> None:
        async with open_chat(stop_grace=60.0, close_grace=60.0) as chat:
            (ann,) = await chat.gather("Ann")
            stopping = asyncio.create_task(chat.server.stop())
            assert await ann.rest() == GOODBYE  # and it never closes its end
            chat.server.abort()
            await asyncio.wait_for(stopping, BOUND)

    @pytest.mark.filterwarnings("ignore:unclosed")
    @pytest.mark.parametrize("turns", range(6))
    async def test_says_goodbye_also_to_one_that_has_just_been_accepted(self, turns: int) -> None:
        async with open_chat(close_grace=0.05) as chat:
            with socket.socket() as sock:
                sock.setblocking(False)
                sock.connect_ex(("127.0.0.1", chat.server.port))
                for _ in range(turns):
                    await asyncio.sleep(0)
                await chat.server.stop()
                for _ in range(3):
                    await asyncio.sleep(0)
                assert chat.server.members == ()
                if any(isinstance(event, Joined) for event in chat.events):
                    assert sock.recv(1000).decode().splitlines()[1:] == GOODBYE
            gc.collect()  # asyncio leaves one to the collector that it had not handed over yet


def expected(events: list[Event], member_id: int) -> list[str]:
    """What the member gets, by the events of the operator's side."""
    lines: list[str] = []
    here = False
    for event in events:
        if isinstance(event, Joined):
            here |= event.member_id == member_id
            if here:
                lines.append(f"Welcome {event.address} to the server!")
        elif isinstance(event, Said) and here and event.member_id != member_id:
            lines += [f"{event.name}: {text}" for text in event.texts]
    return lines


async def test_everybody_sees_the_same_order_and_each_line_once() -> None:
    count, bursts = 200, 4
    async with open_chat() as chat:
        clients = [await chat.connect() for _ in range(count)]
        await chat.until(lambda: len(chat.server.members) == count)
        for burst in range(bursts):
            for number, client in enumerate(clients):
                client.send(*(f"{number} says {burst}.{line}" for line in range(3)))
            await asyncio.sleep(0)
        await chat.until(lambda: all_said(chat) == count * bursts * 3)
        addresses = {member.address: member.id for member in chat.server.members}
        stopping = asyncio.create_task(chat.server.stop())
        for number, client in enumerate(clients):
            member_id = addresses[client.address]
            own = [
                text
                for event in chat.events
                if isinstance(event, Said) and event.member_id == member_id
                for text in event.texts
            ]
            assert own == [f"{number} says {burst}.{line}" for burst in range(bursts) for line in range(3)]
            assert await client.rest() == expected(chat.events, member_id) + GOODBYE
            client.close()
        await stopping


def all_said(chat: Chat) -> int:
    return sum(len(event.texts) for event in chat.events if isinstance(event, Said))
