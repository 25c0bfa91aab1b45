"""The server as a whole: listening, the operator's methods, order among many, and stopping."""

from __future__ import annotations

import asyncio
import contextlib
import doctest
import errno
import gc
import os
import socket
import ssl
import struct
import threading
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Pair
from support.chat_clients import Chat, Client, Clock, ipv6, open_chat
from support.network import refuse_to_bind, resolve, server_end
from support.waiting import BOUND

from chat_console.server import chat_server
from chat_console.server.addresses import Endpoint
from chat_console.server.chat_server import ChatServer
from chat_console.server.gate.bans_file import BansFile, BansFileError
from chat_console.server.room.events import (
    Event,
    Joined,
    LeaveReason,
    Left,
    Muted,
    OperatorMessaged,
    OperatorSaid,
    Refused,
    Replied,
    Said,
    Started,
)
from chat_console.server.settings import Settings
from chat_console.server.wire.listener import ListenError
from chat_console.server.wire.tls import CertificateError

GOODBYE = ["Server is shutting down", "You have left the server"]


def hosts(server: ChatServer) -> list[str]:
    """What the server listens on, without the port."""
    return [endpoint.host for endpoint in server.endpoints]


needs_ipv6 = pytest.mark.skipif(not ipv6, reason="no IPv6 here")


def test_the_example_in_the_documentation_works() -> None:
    results = doctest.testmod(chat_server)
    assert results.attempted
    assert not results.failed


class TestListening:
    async def test_is_told_with_the_port_and_the_addresses(self) -> None:
        async with open_chat() as chat:
            started = await chat.event(Started)
            assert chat.server.port > 0
            assert chat.server.endpoints == (Endpoint("127.0.0.1", chat.server.port),)
            assert started.endpoints == chat.server.endpoints

    @needs_ipv6
    async def test_on_several_hosts_takes_one_port(self) -> None:
        async with open_chat(hosts=("127.0.0.1", "::1")) as chat:
            assert hosts(chat.server) == ["127.0.0.1", "::1"]
            assert {endpoint.port for endpoint in chat.server.endpoints} == {chat.server.port}
            for host in hosts(chat.server):
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
        with pytest.raises(ListenError) as raised:
            await ChatServer(Settings(port=0, hosts=("127.0.0.1", "192.0.2.1"))).start()
        assert raised.value.host == "192.0.2.1"
        with socket.socket() as sock:
            assert sock.connect_ex(("127.0.0.1", raised.value.port)) == errno.ECONNREFUSED

    @pytest.mark.parametrize(
        ("addresses", "listens"),
        [
            (["127.0.9.9", "127.0.0.1"], True),
            (["127.0.0.1", "127.0.9.9"], True),
            (["127.0.9.9"], False),
            (["127.0.0.1", "203.0.113.1"], False),
        ],
    )
    async def test_on_a_name_leaves_out_loopback_addresses_that_are_not_there(
        self, addresses: list[str], listens: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        missing = OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        refuse_to_bind(monkeypatch, "127.0.9.9", missing)
        resolve(monkeypatch, *addresses)
        server = ChatServer(Settings(port=0, hosts=("name",)))
        if listens:
            async with server:
                assert hosts(server) == ["127.0.0.1"]
        else:
            with pytest.raises(ListenError) as raised:
                await server.start()
            assert raised.value.host == "name"
            assert raised.value.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)

    async def test_on_a_name_one_of_whose_ports_is_in_use_is_a_listen_error(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_chat() as chat:
            resolve(monkeypatch, "127.0.0.2", "127.0.0.1")
            with pytest.raises(ListenError) as raised:
                await ChatServer(Settings(port=chat.server.port, hosts=("name",))).start()
            assert raised.value.errno == errno.EADDRINUSE

    @pytest.mark.parametrize("host", ["no host", "x" * 64])
    async def test_on_a_host_that_there_is_not_is_a_listen_error(self, host: str) -> None:
        with pytest.raises(ListenError) as raised:
            await ChatServer(Settings(port=0, hosts=(host,))).start()
        assert raised.value.host == host
        assert (raised.value.errno or -1) < 0
        assert raised.value.strerror

    async def test_on_two_names_of_one_address_listens_there_once(self) -> None:
        async with open_chat(hosts=("127.0.0.1", "127.0.0.1")) as chat:
            assert hosts(chat.server) == ["127.0.0.1"]

    @needs_ipv6
    async def test_on_everything_shows_ipv4_addresses_as_such(self) -> None:
        async with open_chat(hosts=("::",)) as chat:
            for host in ("127.0.0.1", "::1"):
                client = await chat.connect(host)
                assert await client.line() == f"Welcome {client.address} to the server!"
                assert client.address.startswith(f"{host}|")


class TestConnecting:
    async def test_costs_no_look_up_of_names(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise AssertionError("a look-up")

        async with open_chat() as chat:
            for name in ("getaddrinfo", "getnameinfo", "gethostbyaddr", "gethostbyname", "getfqdn"):
                monkeypatch.setattr(socket, name, fail)
            client = await chat.connect()
            assert await client.line() == f"Welcome {client.address} to the server!"

    async def test_has_the_system_watch_over_the_connection(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            with server_end(ann.writer.get_extra_info("sockname")) as sock:
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class TestOperator:
    async def test_types_commands_and_text(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            for line in ("Hello users!", "/msg Ann psst", "/list", "/quit", "/kick Ann"):
                chat.operator.operate(line)
            assert await ann.rest() == [
                "Operator: Hello users!",
                "Operator (private): psst ",
                "You have left the server",
            ]
            kinds = [OperatorSaid, OperatorMessaged, Replied, Replied, Left, Replied]
            assert [type(event) for event in chat.events] == kinds
            assert chat.quits == 1

    @pytest.mark.parametrize("text", ["hello", "/kick Ann", "//", " /list"])
    async def test_says_any_text(self, text: str) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            chat.operator.say(text)
            assert await ann.line() == f"Operator: {text}"

    @pytest.mark.parametrize("text", ["\0/kick Ann", "\x1b[m/kick Ann"])
    async def test_says_text_that_only_cleaning_makes_begin_with_a_slash(self, text: str) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            chat.operator.say(text)
            assert await ann.line() == "Operator: /kick Ann"

    async def test_messages_one_member_by_its_id(self) -> None:
        async with open_chat(shared_nicks=True) as chat:
            _, two = await chat.gather("Bob", "Bob")
            member = chat.server.members[1]
            assert chat.operator.message(member.id, "\x1b[1mpsst\n")
            assert await two.line() == "Operator (private): psst "
            event = await chat.event(OperatorMessaged)
            assert (event.recipient, event.text, event.member_ids) == ("Bob", "psst", (member.id,))
            assert (await chat.event(Replied)).text == "Message sent to 1 users of name Bob"
            two.send("/quit")
            await chat.event(Left)
            assert not chat.operator.message(member.id, "psst")
            assert not chat.events

    async def test_kicks_one_member_by_its_id(self) -> None:
        async with open_chat(shared_nicks=True) as chat:
            one, two = await chat.gather("Bob", "Bob")
            member = chat.server.members[0]
            assert chat.operator.kick(member.id)
            assert await one.rest() == ["You have left the server"]
            assert await two.line() == "Bob has left the server."
            assert (await chat.event(Left)).reason is LeaveReason.KICKED
            assert (await chat.event(Replied)).text == "Kicked 1 people."
            assert not chat.operator.kick(member.id)
            assert not chat.events

    async def test_gives_a_reason_for_a_kick_that_stays_off_the_wire(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            chat.operator.kick(1, "said it too often")
            assert (await chat.event(Left)).remark == "said it too often"
            assert await ann.rest() == ["You have left the server"]
            assert await bob.line() == "Ann has left the server."

    async def test_mutes_one_member_by_its_id_and_lets_it_be_heard_again(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            assert chat.operator.mute(1)
            ann.send("hello")
            assert [await ann.line() for _ in range(2)] == ["You are muted"] * 2
            assert chat.operator.unmute(1)
            ann.send("hello again")
            assert await bob.line() == "Ann: hello again"
            assert await ann.line() == "You are no longer muted"
            assert [event.muted for event in chat.events if isinstance(event, Muted)] == [True, False]
            assert not chat.operator.mute(7)
            assert not chat.operator.unmute(7)

    async def test_knows_of_one_member_how_long_it_is_here_and_how_long_silent(self, clock: Clock) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            clock.advance(60)
            ann.send("one", "two", "/msg Bob three")
            await bob.until("Ann(private): three ")
            clock.advance(30)
            details = chat.server.details(1)
            assert details
            assert details.here is not None
            assert details.idle is not None
            assert 90 <= details.here < 90 + BOUND
            assert 30 <= details.idle < 30 + BOUND
            assert (str(details.address), details.lines, details.waiting) == (ann.address, 3, 0)
            chat.operator.kick(1)
            assert chat.server.details(1) is None
            assert chat.server.details(7) is None

    async def test_knows_how_much_waits_for_one_member(self) -> None:
        async with open_chat() as chat:
            ann = await chat.connect(receive_buffer=4096)
            ann.stop_reading()
            await chat.event(Joined)
            sent = await chat.fill(1)
            details = chat.server.details(1)
            assert details
            assert details.waiting is not None
            assert 0 < details.waiting < sent

    async def test_sees_no_nodes_without_a_cluster(self) -> None:
        async with open_chat() as chat:
            await chat.gather("Ann")
            assert (chat.server.node, chat.server.nodes, chat.server.node_of(1)) == ("", (), "")

    async def test_sees_the_members_in_order_of_joining(self) -> None:
        async with open_chat() as chat:
            await chat.gather("Zoe", "Ann")
            assert [member.name for member in chat.server.members] == ["Zoe", "Ann"]
            assert [member.id for member in chat.server.members] == [1, 2]


class TestBanning:
    async def test_drops_one_member_and_everybody_from_its_address_and_keeps_them_out(self) -> None:
        async with open_chat() as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            assert [member.name for member in chat.operator.hit_by_ban(2)] == ["Ann", "Bob"]
            assert chat.operator.ban(2)
            for client in (ann, bob):
                assert (await client.rest())[-1] == "You have left the server"
                client.close()
            assert (await chat.event(Left)).reason is LeaveReason.BANNED
            again = await chat.connect()
            assert await again.rest() == ["You are banned from this server"]
            chat.operator.operate("/unban 127.0.0.1")
            again = await chat.connect()
            assert await again.line() == f"Welcome {again.address} to the server!"

    async def test_of_one_who_is_gone_does_nothing(self) -> None:
        async with open_chat() as chat:
            assert chat.operator.hit_by_ban(7) == []
            assert not chat.operator.ban(7)
            chat.operator.operate("/bans")
            assert (await chat.event(Replied)).text == "Nobody is banned"

    async def test_is_of_no_notice_to_the_room_and_told_to_the_operator(self) -> None:
        async with open_chat() as chat:
            (ann,) = await chat.gather("Ann")
            chat.operator.operate("/ban 127.0.0.1 1h --force")
            chat.operator.operate("/unban 127.0.0.1")
            chat.operator.operate("/ban 127.0.0.0/8 1h --force")
            chat.operator.operate("/ban 127.0.0.0/8 1h --force")
            assert await ann.rest() == ["You have left the server"]
            chat.events.clear()
            for _ in range(2):
                assert await (await chat.connect()).rest() == ["You are banned from this server"]
            (refused,) = chat.events
            assert isinstance(refused, Refused)
            assert (refused.count, refused.why, refused.host) == (
                1,
                "You are banned from this server",
                "127.0.0.1",
            )

    async def test_survives_a_restart(self, tmp_path: Path) -> None:
        file = tmp_path / "bans"
        async with open_chat(bans_file=file) as chat:
            chat.operator.operate("/ban 127.0.0.1 --force")
        async with open_chat(bans_file=file) as chat:
            assert await (await chat.connect()).rest() == ["You are banned from this server"]

    async def test_that_cannot_be_written_is_told_and_in_force(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

        async with open_chat(bans_file=tmp_path / "bans") as chat:
            monkeypatch.setattr(BansFile, "write", fail)
            chat.operator.operate("/ban 127.0.0.1 --force")
            assert (await chat.event(Replied)).text == "Banned 127.0.0.1 until unbanned."
            assert (await chat.event(Replied)).text == (
                "Could not write the bans file (Read-only file system): "
                "this change lasts only until the server stops."
            )
            assert await (await chat.connect()).rest() == ["You are banned from this server"]

    async def test_is_written_while_the_loop_goes_on_and_before_the_server_ends(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        may_write = threading.Event()
        file = tmp_path / "bans"
        fsync = os.fsync
        monkeypatch.setattr(os, "fsync", lambda descriptor: may_write.wait(BOUND) and fsync(descriptor))
        async with open_chat(bans_file=file) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            chat.operator.operate("/ban 192.0.2.7")
            ann.send("hello")
            assert await bob.line() == "Ann: hello"
            assert not file.exists()
            may_write.set()
        assert file.read_text() == "192.0.2.7/32 -\n"
        assert os.listdir(tmp_path) == ["bans"]

    async def test_by_a_disk_that_never_answers_does_not_keep_the_server_from_ending(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        may_write = threading.Event()
        monkeypatch.setattr(os, "fsync", lambda _: may_write.wait(BOUND))
        async with open_chat(bans_file=tmp_path / "bans", stop_grace=0.05) as chat:
            chat.operator.operate("/ban 192.0.2.7")
        assert not may_write.is_set()
        may_write.set()
        await chat.until((tmp_path / "bans").exists)

    @pytest.mark.parametrize("missing", [False, True])
    async def test_by_a_file_that_cannot_be_used_keeps_the_server_from_starting(
        self, tmp_path: Path, missing: bool
    ) -> None:
        file = tmp_path / "missing" / "bans" if missing else tmp_path / "bans"
        if not missing:
            file.write_text("not a ban\n")
        with pytest.raises(BansFileError):
            await ChatServer(Settings(port=0, bans_file=file)).start()
        assert os.listdir(tmp_path) == ([] if missing else ["bans"])

    async def test_by_a_file_is_for_one_server_at_a_time(self, tmp_path: Path) -> None:
        file = tmp_path / "bans"
        async with open_chat(bans_file=file):
            with pytest.raises(BansFileError, match="in use by another server"):
                await ChatServer(Settings(port=0, bans_file=file)).start()
        with pytest.raises(ListenError):
            await ChatServer(Settings(port=0, bans_file=file, hosts=("192.0.2.1",))).start()
        async with open_chat(bans_file=file):
            pass

    async def test_anew_drops_whom_the_file_hits(self, tmp_path: Path) -> None:
        file = tmp_path / "bans"
        async with open_chat(bans_file=file) as chat:
            (ann,) = await chat.gather("Ann")
            file.write_text("::ffff:127.0.0.1 -\n")
            chat.server.chat.reload()
            assert await ann.rest() == ["You have left the server"]
            assert (await chat.event(Replied)).text == (
                "Reloaded the bans file: 1 bans in force. Dropped 1 people."
            )
            assert await (await chat.connect()).rest() == ["You are banned from this server"]

    async def test_tells_what_it_is_of(self) -> None:
        async with open_chat() as chat:
            await chat.gather("Ann")
            assert str(chat.operator.network_of(1)) == "127.0.0.1/32"
            assert chat.operator.network_of(7) is None


@pytest.fixture
def from_afar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that seem to come from elsewhere."""
    monkeypatch.setattr(chat_server, "plain_host", lambda _: "192.0.2.1")


class TestLimits:
    async def test_of_all_clients_turn_the_next_away_without_a_notice_to_the_room(self) -> None:
        async with open_chat(max_clients=2) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            assert await (await chat.connect()).rest() == ["Server is full"]
            bob.send("hello")
            assert await ann.line() == "Bob: hello"
            bob.send("/quit")
            assert await bob.rest() == ["You have left the server"]
            bob.close()
            async with asyncio.timeout(BOUND):
                while (line := await (cid := await chat.connect()).line()) == "Server is full":
                    pass  # the server has not seen yet that Bob is gone
            assert line == f"Welcome {cid.address} to the server!"

    @pytest.mark.usefixtures("from_afar")
    @pytest.mark.parametrize(
        "settings", [{"max_per_ip": 2}, {"connect_burst": 2}], ids=["at a time", "in a short time"]
    )
    async def test_of_one_address_turn_the_next_away_without_a_notice_to_the_room(
        self, settings: dict[str, Any]
    ) -> None:
        async with open_chat(**settings) as chat:
            clients = [await chat.connect() for _ in range(2)]
            await chat.until(lambda: len(chat.server.members) == 2)
            assert await (await chat.connect()).rest() == ["Too many connections from your address"]
            chat.operator.say("hello")
            assert [line.split()[0] for line in await clients[0].until("Operator: hello")] == [
                "Welcome",
                "Welcome",
                "Operator:",
            ]

    async def test_of_one_address_do_not_concern_loopback(self) -> None:
        async with open_chat(max_per_ip=1, connect_burst=1) as chat:
            for _ in range(5):
                client = await chat.connect()
                assert await client.line() == f"Welcome {client.address} to the server!"

    async def test_turn_away_also_one_that_is_gone_already(self) -> None:
        async with open_chat(max_clients=1) as chat:
            await chat.gather("Ann")
            client = socket.create_connection(("127.0.0.1", chat.server.port), timeout=BOUND)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            assert (await chat.event(Refused)).why == "Server is full"

    async def test_tell_the_operator_once_a_minute_at_most_for_each_reason(self, clock: Clock) -> None:
        async with open_chat(max_clients=1) as chat:
            await chat.gather("Ann")

            async def knock(count: int, why: str = "Server is full") -> list[int]:
                """Be turned away so often; the answer is what was told of it."""
                for _ in range(count):
                    assert await (await chat.connect()).rest() == [why]
                return told()

            def told() -> list[int]:
                counts = [event.count for event in chat.events if isinstance(event, Refused)]
                chat.events.clear()
                return counts

            assert await knock(1) == [1]
            assert await knock(3) == []
            clock.advance(59)
            assert await knock(1) == []
            clock.advance(1)
            await chat.until(lambda: chat.events)
            assert told() == [4]
            assert await knock(2) == []
            assert chat.operator.ban(1)
            assert await knock(1, "You are banned from this server") == [1]
            chat.operator.operate("/unban 127.0.0.1")
            await chat.pass_time(clock, 60)
            assert told() == [2]
            await chat.pass_time(clock, 60)
            assert told() == []
            await chat.gather("Bob")
            assert await knock(1) == [1]

    async def test_give_a_place_back_when_a_connection_cannot_be_set_up(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with open_chat(max_clients=1) as chat:

            def fail(*_: object) -> None:
                raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

            with monkeypatch.context() as patch:
                patch.setattr(asyncio.get_running_loop(), "add_reader", fail)
                assert await (await chat.connect()).rest() == []
            assert (await chat.event(Refused)).why == "Cannot allocate memory"
            ann = await chat.connect()
            assert await ann.line() == f"Welcome {ann.address} to the server!"


@pytest.fixture
def served(pair: Pair, tmp_path: Path) -> Pair:
    """A copy of the valid certificate for a server, which the test may overwrite."""
    copy = Pair(tmp_path / "cert.pem", tmp_path / "key.pem")
    pair.copy_to(copy)
    return copy


def open_tls_chat(served: Pair, **settings: Any) -> contextlib.AbstractAsyncContextManager[Chat]:
    """A chat over TLS, whose clients trust the certificate."""
    context = served.client_context()
    return open_chat(context=context, tls_cert=served.cert, tls_key=served.key, **settings)


async def is_full(chat: Chat) -> None:
    """Wait until the server has taken in all whom it has room for, one of them just now."""
    context, chat.context = chat.context, None
    await chat.connect()
    chat.context = context
    assert (await chat.event(Refused)).why == "Server is full"


async def begin_a_handshake(chat: Chat) -> Client:
    """The last client that the server has room for, which says nothing."""
    context, chat.context = chat.context, None
    silent = await chat.connect()
    chat.context = context
    await is_full(chat)
    return silent


class TestTls:
    async def test_lets_people_talk_as_ever(self, served: Pair) -> None:
        async with open_tls_chat(served) as chat:
            ann, bob, cid = await chat.gather("Ann", "Bob", "Cid")
            ann.send("hello", "/msg Bob psst")
            chat.operator.say("welcome")
            assert await ann.until("Operator: welcome") == ["Operator: welcome"]
            assert await ann.line() == "Message sent to 1 users of name Bob"
            assert await bob.until("Ann(private): psst ") == [
                "Operator: welcome",
                "Ann: hello",
                "Ann(private): psst ",
            ]
            assert await cid.until("Ann: hello") == ["Operator: welcome", "Ann: hello"]

    async def test_does_not_say_that_nothing_is_encrypted(self, served: Pair) -> None:
        async with open_tls_chat(served) as chat:
            (ann,) = await chat.gather("Ann")
            ann.send("/help", "/list")
            assert "encrypted" not in "".join(await ann.until("No other users connected"))

    async def test_sends_the_last_line_before_it_closes(self, served: Pair) -> None:
        async with open_tls_chat(served) as chat:
            ann, bob, cid = await chat.gather("Ann", "Bob", "Cid")
            chat.operator.operate("/kick Ann")
            assert await ann.rest() == ["You have left the server"]
            ann.close()
            bob.send("/quit")
            assert await bob.until("You have left the server") == [
                "Ann has left the server.",
                "You have left the server",
            ]
            bob.close()
            stopping = asyncio.create_task(chat.server.stop())
            assert (await cid.rest())[-2:] == GOODBYE
            cid.close()
            await asyncio.wait_for(stopping, BOUND)

    @pytest.mark.parametrize(
        ("way", "reason"), [("close", LeaveReason.END_OF_INPUT), ("reset", LeaveReason.LOST)]
    )
    async def test_notices_who_goes(self, served: Pair, way: str, reason: LeaveReason) -> None:
        async with open_tls_chat(served) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            getattr(ann, way)()
            assert await bob.line() == "Ann has left the server."
            assert (await chat.event(Left)).reason is reason

    async def test_drops_nobody_for_being_silent(self, served: Pair, clock: Clock) -> None:
        async with open_tls_chat(served, stall_timeout=20) as chat:
            await chat.gather("Ann", "Bob")
            for _ in range(12):
                await chat.pass_time(clock, 5)
            assert [member.name for member in chat.server.members] == ["Ann", "Bob"]

    async def test_drops_who_does_not_read(self, served: Pair, clock: Clock) -> None:
        async with open_tls_chat(served, stall_timeout=20, max_backlog=1 << 24) as chat:
            slow = await chat.connect(receive_buffer=4096)
            slow.stop_reading()
            await chat.event(Joined)
            (bob,) = await chat.gather("Bob")
            await chat.fill(1)
            for _ in range(3):
                await chat.pass_time(clock, 5)
                assert len(chat.server.members) == 2
            await chat.pass_time(clock, 5)
            await chat.pass_time(clock, 5)
            assert (await chat.event(Left)).reason is LeaveReason.STALLED
            assert await bob.line() == f"{slow.address} has left the server."

    async def test_drops_whose_backlog_grows_too_long(self, served: Pair) -> None:
        async with open_tls_chat(served, max_backlog=100_000) as chat:
            slow = await chat.connect(receive_buffer=4096)
            slow.stop_reading()
            await chat.event(Joined)
            async with asyncio.timeout(BOUND):
                while chat.server.members:
                    chat.operator.say("x" * 2000)
                    await asyncio.sleep(0)
            assert (await chat.event(Left)).reason is LeaveReason.SLOW

    async def test_lets_all_be_heard_of_a_client_that_closes(self, served: Pair, clock: Clock) -> None:
        async with open_tls_chat(served, burst=3, rate=0.01) as chat:
            (bob,) = await chat.gather("Bob")
            ann = await chat.connect()
            ann.send(*(f"line {number}" for number in range(10)))
            ann.close()
            heard = [await bob.line() for _ in range(4)][1:]
            for _ in range(7):
                await chat.pass_time(clock, 8)
            assert len(chat.server.members) == 2
            assert heard == [f"{ann.address}: line {number}" for number in range(3)]

    async def test_turns_away_without_a_handshake(self, served: Pair) -> None:
        async with open_tls_chat(served, max_clients=1) as chat:
            await chat.gather("Ann")
            with pytest.raises(OSError):
                await chat.connect()
            assert (await chat.event(Refused)).why == "Server is full"

    @pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"hello\n"])
    async def test_tells_the_room_nothing_of_one_who_speaks_something_else(
        self, served: Pair, data: bytes
    ) -> None:
        async with open_tls_chat(served, max_clients=2) as chat:
            (ann,) = await chat.gather("Ann")
            chat.context = None
            plain = await chat.connect()
            plain.writer.write(data)
            refused = await chat.event(Refused)
            assert (refused.why, refused.host) == ("no TLS handshake", "127.0.0.1")
            assert not any(b"Ann" in line for line in [await plain.raw()])
            chat.context = served.client_context()
            bob = await chat.connect()  # there is room for it
            assert await ann.line() == f"Welcome {bob.address} to the server!"

    async def test_does_not_wait_for_a_handshake_for_ever(self, served: Pair, clock: Clock) -> None:
        async with open_tls_chat(served, tls_handshake_timeout=10, max_clients=1) as chat:
            silent = await begin_a_handshake(chat)
            clock.advance(10)
            assert await silent.rest() == []
            assert (await chat.event(Refused)).why == "no TLS handshake"
            ann = await chat.connect()  # there is room for it
            assert await ann.line() == f"Welcome {ann.address} to the server!"

    async def test_lets_nobody_in_who_was_banned_during_the_handshake(self, served: Pair) -> None:
        async with open_tls_chat(served, max_clients=1) as chat:
            with socket.create_connection(("127.0.0.1", chat.server.port), timeout=BOUND) as sock:
                await is_full(chat)
                chat.operator.operate("/ban 127.0.0.1 --force")
                context = served.client_context()
                with await asyncio.to_thread(context.wrap_socket, sock, server_hostname="chat.example"):
                    assert (await chat.event(Refused)).why == "You are banned from this server"
            assert not [event for event in chat.events if isinstance(event, Joined)]

    async def test_lets_nobody_hold_up_the_end_by_a_handshake(self, served: Pair) -> None:
        async with open_tls_chat(served, max_clients=1) as chat:
            silent = await begin_a_handshake(chat)
            await asyncio.wait_for(chat.server.stop(), BOUND)
            assert await silent.rest() == []

    async def test_is_cut_at_once_with_abort_also_during_a_handshake(self, served: Pair) -> None:
        async with open_tls_chat(served, max_clients=2) as chat:
            (ann,) = await chat.gather("Ann")
            silent = await begin_a_handshake(chat)
            chat.server.abort()
            assert (await chat.event(Left)).reason is LeaveReason.LOST
            assert await ann.raw() == b""
            assert await silent.rest() == []

    async def test_reads_the_certificate_again_and_drops_nobody(self, served: Pair, other_pair: Pair) -> None:
        async with open_tls_chat(served) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            other_pair.copy_to(served)
            with pytest.raises(ssl.SSLCertVerificationError):
                await Client.connect(chat.server.port, context=other_pair.client_context())
            chat.operator.operate("/reload")
            chat.context = other_pair.client_context()
            cid = await chat.connect()
            assert await cid.line() == f"Welcome {cid.address} to the server!"
            bob.send("still here")
            assert "Bob: still here" in await ann.until("Bob: still here")
            served.cert.write_text("nonsense")
            chat.events.clear()
            chat.server.chat.reload()
            assert (await chat.event(Replied)).text.startswith("The TLS certificate is unchanged: ")
            dan = await chat.connect()
            assert await dan.line() == f"Welcome {dan.address} to the server!"

    async def test_with_a_certificate_that_cannot_be_used_does_not_start(
        self, pair: Pair, tmp_path: Path
    ) -> None:
        with pytest.raises(CertificateError, match="cannot read"):
            await ChatServer(Settings(port=0, tls_cert=tmp_path / "none.pem", tls_key=pair.key)).start()


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
                chat.operator.say("x" * 2000)
            await asyncio.wait_for(chat.server.stop(), BOUND)
            await ann.cut_off()

    async def test_drops_a_client_whose_backlog_the_goodbye_would_exceed_and_no_other(self) -> None:
        async with open_chat(max_backlog=100_000) as chat:
            ann, bob = await chat.gather("Ann", "Bob")
            for _ in range(4000):
                chat.operator.message(1, "x" * 2000)
            chat.server.chat.shut_down()
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
        addresses = {str(member.address): member.id for member in chat.server.members}
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
