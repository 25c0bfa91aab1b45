"""The shared log on real NATS servers: all read the same, whatever happens to the engine and the network."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from support.certificates import Authority, Pair
from support.nats_engine import Engine, Servers, ask
from support.proxy import Proxy
from support.waiting import until

from chat_console.server.cluster.engine import EngineError

from .conftest import Node

Make = Callable[..., Node]

OPENED = ("opened",)
CHECK_LOGIN = "check user and password, or the file of --cluster-creds"


@pytest.fixture
async def proxy(shared: Engine) -> AsyncIterator[Proxy]:
    """A network between a node and the shared engine."""
    async with Proxy(shared.port) as proxy:
        yield proxy


async def both(node: Make, **settings: Any) -> tuple[Node, Node]:
    """Two nodes whose logs are open."""
    paris, rome = node(node="paris", **settings), node(node="rome", **settings)
    await asyncio.gather(paris.start(), rome.start())
    return paris, rome


async def until_open_again(*nodes: Node) -> None:
    for each in nodes:
        await until(lambda each=each: each.told.count(OPENED) > 1 and each.told[-1] == OPENED)


async def agree(*nodes: Node) -> None:
    """Hold that the nodes can still write, and that all have read the same since the first wrote."""
    for each in nodes:
        await each.say(b"from %d" % each.process)
    await until(lambda: all(each.positions[-1] == max(nodes[0].positions) for each in nodes))
    for each in nodes[1:]:
        assert each.entries == nodes[0].entries
        assert each.positions == nodes[0].positions


class TestLog:
    async def test_has_one_order_for_all_nodes(self, shared: Engine, node: Make, room: str) -> None:
        nodes = [node(urls=shared.url, room=room, node=name) for name in ("paris", "rome", "oslo")]
        await asyncio.gather(*(each.start() for each in nodes))
        for number in range(50):
            for each in nodes:
                each.log.append(b"%d of %d" % (number, each.process))
        await until(lambda: all(len(each.entries) == 150 for each in nodes))
        assert nodes[0].entries == nodes[1].entries == nodes[2].entries
        assert nodes[0].positions == nodes[1].positions == list(range(1, 151))
        for each in nodes:
            assert each.told == [OPENED]
            name = each.log.settings.node
            assert [data for who, data in each.entries if who == name] == [
                b"%d of %d" % (number, each.process) for number in range(50)
            ]

    async def test_tells_since_when_an_entry_is_there(self, shared: Engine, node: Make, room: str) -> None:
        paris = node(urls=shared.url, room=room)
        await paris.start()
        before = time.time()
        await paris.say(b"hello")
        assert before - 1 < paris.times[0] < time.time() + 1

    async def test_shows_a_newcomer_the_newest_entry_alone(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        paris = node(urls=shared.url, room=room)
        await paris.start()
        for data in (b"one", b"two", b"three"):
            await paris.say(data)
        rome = node(urls=shared.url, room=room, node="rome")
        await rome.start()
        await paris.say(b"four")
        await until(lambda: rome.data == [b"three", b"four"])
        assert rome.told == [OPENED]

    async def test_carries_a_message_to_one_process(self, shared: Engine, node: Make, room: str) -> None:
        paris, rome = await both(node, urls=shared.url, room=room)
        paris.log.send("rome", rome.process, b"the state")
        paris.log.send("rome", rome.process + 1000, b"for another process")
        paris.log.send("rome", rome.process, b"its end")
        await until(lambda: b"its end" in rome.messages)
        assert (rome.messages, paris.messages) == ([b"the state", b"its end"], [])

    async def test_carries_more_than_the_engine_sends_at_once(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        paris, rome = await both(node, urls=shared.url, room=room)
        for number in range(200):
            paris.log.append(b"%d " % number + b"x" * (100 << 10))
        await until(lambda: len(rome.data) == 200)
        assert [int(data.split()[0]) for data in rome.data] == list(range(200))
        assert rome.told == paris.told == [OPENED]

    async def test_lets_other_work_run_while_it_reads(self, shared: Engine, node: Make, room: str) -> None:
        paris = node(urls=shared.url, room=room)
        await paris.start()
        turns: list[int] = []
        loop = asyncio.get_running_loop()

        def turn() -> None:
            turns.append(len(paris.data))
            if len(paris.data) < 500:
                loop.call_soon(turn)

        paris.on_entry = lambda: time.sleep(0.001)
        for number in range(500):
            paris.log.append(b"%d" % number)
        await until(lambda: paris.data)
        turn()
        await until(lambda: len(paris.data) == 500)
        assert max(after - before for before, after in pairwise(turns)) < 100

    async def test_drops_what_is_appended_before_it_is_open(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        paris = node(urls=shared.url, room=room)
        paris.log.append(b"too early")
        paris.log.send("paris", paris.process, b"too early")
        await paris.start()
        await paris.say(b"hello")
        assert (paris.data, paris.messages) == ([b"hello"], [])

    async def test_drops_what_is_more_than_may_wait(self, shared: Engine, node: Make, room: str) -> None:
        paris = node(urls=shared.url, room=room)
        await paris.start()
        for number in range(5000):
            paris.log.append(b"%d" % number)
        await paris.say(b"after")
        assert paris.data[:1025] == [*(b"%d" % number for number in range(1024)), b"after"]

    async def test_tells_nothing_more_once_it_is_stopped(self, shared: Engine, node: Make, room: str) -> None:
        paris, rome = await both(node, urls=shared.url, room=room)
        await rome.log.stop()
        await rome.log.stop()
        await paris.say(b"hello")
        assert (rome.told, rome.data) == ([OPENED], [])

    async def test_can_be_stopped_before_it_is_started(self, node: Make) -> None:
        await node(urls="nats://127.0.0.1:1").log.stop()

    async def test_goes_on_where_its_reader_fails(self, shared: Engine, node: Make, room: str) -> None:
        failures: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, about: failures.append(about))
        paris = node(urls=shared.url, room=room)
        await paris.start()

        def fail() -> None:
            raise ZeroDivisionError

        paris.on_entry = fail
        await paris.say(b"one")
        await paris.say(b"two")
        assert [type(about["exception"]) for about in failures] == [ZeroDivisionError] * 2
        assert paris.told == [OPENED]

    async def test_is_made_once_by_nodes_that_come_at_the_same_time(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        # With the same settings the engine would let each make it.
        nodes = [
            node(urls=shared.url, room=room, node=f"n{number}", storage=("memory", "file")[number % 2])
            for number in range(8)
        ]
        await asyncio.gather(*(each.start() for each in nodes))
        await nodes[0].say(b"hello")
        await until(lambda: all(each.data == [b"hello"] for each in nodes))
        assert all(each.told == [OPENED] for each in nodes)


class TestEngine:
    """What happens to the engine."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    async def test_that_is_started_again_has_another_log_in_memory(
        self, engine: Engine, node: Make, number: signal.Signals
    ) -> None:
        await engine.start()
        paris, rome = await both(node, urls=engine.url)
        await agree(paris, rome)
        engine.stop(number)
        await paris.until_told("closed")
        await rome.until_told("closed")
        assert paris.log.trouble
        paris.log.append(b"while it is away")
        await engine.start()
        await until_open_again(paris, rome)
        assert paris.log.trouble == ""
        assert ("lost", "it is another log") in paris.told
        assert ("lost", "it is another log") in rome.told
        await paris.say(b"after")
        await until(lambda: b"after" in rome.data)
        assert b"while it is away" not in rome.data

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    async def test_that_is_started_again_has_the_same_log_in_a_file(
        self, engine: Engine, node: Make, number: signal.Signals
    ) -> None:
        await engine.start()
        paris, rome = await both(node, urls=engine.url, storage="file")
        await agree(paris, rome)
        engine.stop(number)
        await paris.until_told("closed")
        await rome.until_told("closed")
        await engine.start()
        await until_open_again(paris, rome)
        await agree(paris, rome)
        assert [told for told in (*paris.told, *rome.told) if told[0] == "lost"] == []

    async def test_that_stands_still_loses_nothing(self, engine: Engine, node: Make) -> None:
        await engine.start()
        paris, rome = await both(node, urls=engine.url)
        await agree(paris, rome)
        engine.pause()
        await paris.until_told("closed", "no answer")
        await rome.until_told("closed", "no answer")
        engine.resume()
        await until_open_again(paris, rome)
        await agree(paris, rome)
        assert [told for told in (*paris.told, *rome.told) if told[0] == "lost"] == []

    async def test_whose_stream_is_deleted_gets_another(self, shared: Engine, node: Make, room: str) -> None:
        paris, rome = await both(node, urls=shared.url, room=room)
        await agree(paris, rome)
        await ask(shared.url, f"STREAM.DELETE.CHAT_{room}")
        await until_open_again(paris, rome)
        assert ("lost", "it is another log") in paris.told
        await paris.say(b"after")
        await until(lambda: b"after" in rome.data)

    async def test_whose_consumer_is_deleted_gets_another(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        paris, rome = await both(node, urls=shared.url, room=room)
        await agree(paris, rome)
        consumers = (await ask(shared.url, f"CONSUMER.NAMES.CHAT_{room}"))["consumers"]
        assert len(consumers) == 2
        for name in consumers:
            await ask(shared.url, f"CONSUMER.DELETE.CHAT_{room}.{name}")
        await until_open_again(paris, rome)
        await agree(paris, rome)
        # Nothing is said of that to a consumer to which entries are pushed.
        assert paris.told == rome.told == [OPENED, ("closed", "no answer"), OPENED]

    async def test_whose_last_entry_is_another_has_lost_what_came_before(
        self, shared: Engine, proxy: Proxy, node: Make, room: str
    ) -> None:
        stream = {"name": f"CHAT_{room}", "subjects": [f"chat.{room}.log.*"], "storage": "memory"}
        await ask(shared.url, f"STREAM.CREATE.CHAT_{room}", stream)
        paris = node(urls=f"nats://{proxy.address}", room=room)
        rome = node(urls=shared.url, room=room, node="rome")
        await asyncio.gather(paris.start(), rome.start())
        await paris.say(b"zero")
        await paris.say(b"one")
        proxy.cut()
        answer = await ask(shared.url, f"STREAM.MSG.DELETE.CHAT_{room}", {"seq": 2})
        assert answer["success"]
        await until(lambda: proxy.sent.count(b"CONSUMER.CREATE") == 2)
        # Not open yet, since the entry that it awaits does not come.
        rome.log.send("paris", paris.process, b"the state")
        await rome.say(b"two")
        await until_open_again(paris)
        lost = ("lost", "its last entry is another one")
        closed = [("closed", "the connection was lost"), ("closed", "the log has changed")]
        assert paris.told == [OPENED, *closed, lost, OPENED]
        await until(lambda: paris.data == [b"zero", b"one", b"two"])
        assert paris.messages == []

    async def test_that_comes_later_is_waited_for(self, engine: Engine, node: Make) -> None:
        await engine.start()
        engine.stop()
        paris = node(urls=engine.url)
        starting = asyncio.create_task(paris.start())
        await paris.until_told("closed", "connection refused")
        assert not starting.done()
        await engine.start()
        await starting
        assert paris.told[-1] == OPENED

    async def test_that_stays_away_is_told_once(self, engine: Engine, node: Make) -> None:
        await engine.start()
        engine.stop()
        async with Proxy(engine.port) as proxy:
            paris = node(urls=f"nats://{proxy.address}")
            starting = asyncio.create_task(paris.start())
            await until(lambda: proxy.connections == 4)
            starting.cancel()
            await asyncio.wait({starting})
            await paris.log.stop()
        assert [told[0] for told in paris.told] == ["closed"]

    async def test_with_a_server_that_is_away_has_others(
        self, engine: Engine, shared: Engine, node: Make, room: str
    ) -> None:
        await engine.start()
        engine.stop()
        for _ in range(4):  # the first is chosen by chance
            await node(urls=(engine.url, shared.url), room=room).start()

    @pytest.mark.slow
    async def test_of_three_servers_goes_on_without_the_one_that_led(
        self, tmp_path: Path, node: Make
    ) -> None:
        servers = Servers(tmp_path)
        try:
            await servers.start()
            paris, rome = await both(node, urls=servers.urls, replicas=3)
            await agree(paris, rome)
            about = await ask(servers.urls, "STREAM.INFO.CHAT_lobby")
            assert (about["config"]["num_replicas"], len(about["cluster"]["replicas"])) == (3, 2)
            servers.named(about["cluster"]["leader"]).stop(signal.SIGKILL)
            await agree(paris, rome)
            assert [told for told in (*paris.told, *rome.told) if told[0] == "lost"] == []
        finally:
            servers.stop()


class TestNetwork:
    """What happens between a node and the engine."""

    async def test_that_is_cut_loses_nothing(
        self, shared: Engine, proxy: Proxy, node: Make, room: str
    ) -> None:
        paris = node(urls=f"nats://{proxy.address}", room=room)
        rome = node(urls=shared.url, room=room, node="rome")
        await asyncio.gather(paris.start(), rome.start())
        await agree(paris, rome)
        proxy.cut()
        for data in (b"one", b"two", b"three"):
            await rome.say(data)
        await until_open_again(paris)
        await agree(paris, rome)
        assert paris.told == [OPENED, ("closed", "the connection was lost"), OPENED]

    async def test_that_is_blocked_loses_nothing(
        self, shared: Engine, proxy: Proxy, node: Make, room: str
    ) -> None:
        paris = node(urls=f"nats://{proxy.address}", room=room)
        rome = node(urls=shared.url, room=room, node="rome")
        await asyncio.gather(paris.start(), rome.start())
        await agree(paris, rome)
        proxy.block()
        for data in (b"one", b"two", b"three"):
            await rome.say(data)
        await paris.until_told("closed", "no answer")
        proxy.unblock()
        await until_open_again(paris)
        await agree(paris, rome)
        assert {told[0] for told in paris.told} == {"opened", "closed"}

    async def test_that_is_blocked_with_much_to_write_is_given_up_too(
        self, proxy: Proxy, node: Make, room: str
    ) -> None:
        paris = node(urls=f"nats://{proxy.address}", room=room)
        await paris.start()
        proxy.block()
        data = bytes(500 << 10)
        for _ in range(400):  # more than the network and the client of NATS let wait
            paris.log.append(data)
            await asyncio.sleep(0)
        await paris.until_told("closed", "no answer")
        proxy.unblock()
        await until_open_again(paris)
        await paris.say(b"after")

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            (b"-ERR 'Unknown Protocol Operation'\r\n", "unknown protocol operation"),
            (b"MSG x 4 $JS.ACK.s.c.1.9.9.1700000000000000000.0 1\r\nx\r\n", "entries got lost on their way"),
            (
                b"HMSG x 4 57 57\r\nNATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 9\r\n\r\n\r\n",
                "entries got lost on their way",
            ),
            (
                b"HMSG x 4 34 34\r\nNATS/1.0 409 Consumer Deleted\r\n\r\n\r\n",
                "the engine has ended the reading",
            ),
        ],
    )
    async def test_over_which_something_odd_comes_is_connected_anew(
        self, proxy: Proxy, node: Make, room: str, said: bytes, why: str
    ) -> None:
        paris = node(urls=f"nats://{proxy.address}", room=room)
        await paris.start()
        await paris.say(b"before")
        proxy.say(said + said)
        await until_open_again(paris)
        await paris.say(b"after")
        assert paris.told == [OPENED, ("closed", why), OPENED]
        assert paris.data == [b"before", b"after"]


class TestRefusal:
    """What the engine does not take."""

    async def test_of_an_entry_that_is_too_long_is_told(self, shared: Engine, node: Make, room: str) -> None:
        paris = node(urls=shared.url, room=room)
        await paris.start()
        paris.log.append(bytes((1 << 20) + 1))
        await paris.say(bytes(1 << 20))
        assert paris.refusals == ["1048577 bytes are more than it takes in one message"]
        assert (len(paris.data), paris.told) == (1, [OPENED])

    async def test_by_a_full_stream_is_told_when_an_entry_comes_again(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        stream = {"name": f"CHAT_{room}", "subjects": [f"chat.{room}.log.*"], "storage": "memory"}
        about = await ask(
            shared.url, f"STREAM.CREATE.CHAT_{room}", {**stream, "max_bytes": 2000, "discard": "new"}
        )
        assert "error" not in about
        paris = node(urls=shared.url, room=room)
        await paris.start()
        paris.log.append(bytes(3000))
        await paris.say(b"hello")
        assert paris.refusals == []
        for _ in range(2):
            paris.log.append(bytes(3000))
        await until(lambda: paris.refusals)
        assert paris.refusals == ["maximum bytes exceeded"]
        assert paris.told == [OPENED]

    async def test_where_no_stream_takes_the_entries_is_told(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        paris = node(urls=shared.url, room=room)
        await paris.start()
        config = (await ask(shared.url, f"STREAM.INFO.CHAT_{room}"))["config"]
        answer = await ask(
            shared.url, f"STREAM.UPDATE.CHAT_{room}", {**config, "subjects": [f"elsewhere.{room}"]}
        )
        assert "error" not in answer
        for _ in range(2):
            paris.log.append(b"hello")
        await until(lambda: paris.refusals)
        assert paris.refusals == [f"no stream takes what is written to chat.{room}.log.paris"]

    async def test_of_nothing_is_told_of_an_entry_that_comes_again(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        paris = node(urls=shared.url, room=room)
        await paris.start()
        for _ in range(2):
            paris.log.append(b"hello")
        await until(lambda: paris.data == [b"hello"] * 2)
        await paris.say(b"after")
        assert paris.refusals == []


class TestEngineThatCannotBeUsed:
    @pytest.mark.parametrize(
        ("config", "jetstream", "settings", "why"),
        [
            ("", None, {}, "the engine has no JetStream for this login"),
            ("", "max_mem: 1M, max_file: 9G", {}, "raise its max_mem"),
            ("", "max_mem: 9G, max_file: 1M", {"storage": "file"}, "raise its max_file"),
            ("max_payload: 65536", "max_mem: 9G", {}, "at most 65536 bytes in a message"),
            ("", "max_mem: 9G", {"replicas": 3}, "use --cluster-replicas 1"),
        ],
    )
    async def test_says_what_to_do(
        self,
        tmp_path: Path,
        node: Make,
        config: str,
        jetstream: str | None,
        settings: dict[str, Any],
        why: str,
    ) -> None:
        engine = Engine(tmp_path / "engine", config, jetstream)
        try:
            await engine.start()
            paris = node(urls=engine.url, **settings)
            with pytest.raises(EngineError, match=why):
                await paris.start()
            assert paris.told == []
        finally:
            engine.stop()

    async def test_says_that_another_stream_has_the_entries(
        self, shared: Engine, node: Make, room: str
    ) -> None:
        about = await ask(
            shared.url, "STREAM.CREATE.OTHER", {"name": "OTHER", "subjects": [f"chat.{room}.>"]}
        )
        assert "error" not in about
        with pytest.raises(EngineError, match=f"another stream has the entries of CHAT_{room}"):
            await node(urls=shared.url, room=room).start()


PAGE = Path(__file__).parents[3] / "docs" / "cluster.md"
PERMISSIONS = PAGE.read_text("utf-8").partition("    authorization")[2].partition("\n\n")[0]
PERMISSIONS = "authorization" + PERMISSIONS.replace("$PARIS", "paris-secret").replace("$ROME", "rome-secret")
"""What users are told to put into the engine's configuration."""


class Intruder:
    """A client with the login of a node that tries what a node does not do."""

    def __init__(self) -> None:
        self.client = Client()
        self.denied: list[str] = []

    async def connect(self, engine: Engine, name: str) -> None:
        await self.client.connect(
            [engine.url],
            user=name,
            password=f"{name}-secret",
            inbox_prefix=f"_INBOX_{name}",
            error_cb=self._on_error,
            allow_reconnect=False,
        )

    async def until_denied(self, what: str) -> None:
        await until(lambda: any(what.lower() in denied for denied in self.denied))

    async def _on_error(self, error: Exception) -> None:
        self.denied.append(str(error).lower())


class TestLogin:
    """Who may use the engine, and for what."""

    @pytest.fixture
    async def guarded(self, engine: Engine) -> Engine:
        engine.config = PERMISSIONS
        await engine.start()
        return engine

    def url(self, engine: Engine, login: str) -> str:
        return f"nats://{login}@{engine.address}"

    async def test_with_the_fewest_permissions_is_enough(self, guarded: Engine, node: Make) -> None:
        paris = node(urls=self.url(guarded, "paris:paris-secret"))
        rome = node(urls=self.url(guarded, "rome:rome-secret"), node="rome")
        await asyncio.gather(paris.start(), rome.start())
        await agree(paris, rome)
        paris.log.send("rome", rome.process, b"the state")
        await until(lambda: rome.messages == [b"the state"])
        for number in range(100):  # enough for flow control
            paris.log.append(b"%d " % number + bytes(100 << 10))
        await until(lambda: len(rome.data) == 102)
        assert paris.told == rome.told == [OPENED]
        assert paris.refusals == rome.refusals == []

    async def test_does_not_let_a_node_act_as_another(self, guarded: Engine, node: Make) -> None:
        rome = node(urls=self.url(guarded, "rome:rome-secret"), node="rome")
        await rome.start()
        await rome.say(b"before")
        intruder = Intruder()
        await intruder.connect(guarded, "paris")
        try:
            for subject in (
                "chat.lobby.log.rome",
                "$JS.API.STREAM.DELETE.CHAT_lobby",
                "$JS.API.STREAM.PURGE.CHAT_lobby",
                "$JS.API.STREAM.UPDATE.CHAT_lobby",
                "$JS.API.STREAM.MSG.GET.CHAT_lobby",
                "$JS.API.CONSUMER.NAMES.CHAT_lobby",
            ):
                await intruder.client.publish(subject, b"forged")
                await intruder.until_denied(f'publish to "{subject}"')
            for subject in (f"chat.lobby.to.rome.{rome.process:012x}", "chat.lobby.log.*", "_INBOX_rome.>"):
                await intruder.client.subscribe(subject)
                await intruder.until_denied(f'subscription to "{subject}"')
        finally:
            await intruder.client.close()
        await rome.say(b"after")
        assert rome.data == [b"before", b"after"]

    async def test_that_is_wrong_is_told_at_once(self, guarded: Engine, node: Make) -> None:
        for login in ("paris:wrong", "nobody:paris-secret", "token"):
            with pytest.raises(EngineError, match="the engine refuses the login of paris: check user"):
                await node(urls=self.url(guarded, login)).start()
        with pytest.raises(EngineError, match="the engine refuses the login of paris"):
            await node(urls=guarded.url).start()

    async def test_that_becomes_wrong_is_told_and_tried_again(self, guarded: Engine, node: Make) -> None:
        paris = node(urls=self.url(guarded, "paris:paris-secret"))
        await paris.start()
        guarded.stop()
        guarded.config = PERMISSIONS.replace("paris-secret", "new")
        await guarded.start()
        await paris.until_told("closed", f"the engine refuses the login of paris: {CHECK_LOGIN}")
        guarded.stop()
        guarded.config = PERMISSIONS
        await guarded.start()
        await until_open_again(paris)

    async def test_that_comes_from_a_file(self, guarded: Engine, node: Make, tmp_path: Path) -> None:
        creds = tmp_path / "creds"
        creds.write_text("paris:paris-secret\n")
        await node(urls=guarded.url, creds=creds).start()

    async def test_that_is_a_token(self, engine: Engine, node: Make) -> None:
        engine.config = "authorization { token: secret }"
        await engine.start()
        await node(urls=self.url(engine, "secret")).start()

    async def test_with_a_key_needs_the_package_for_it(
        self, shared: Engine, node: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "nkeys", None)
        creds = tmp_path / "creds"
        creds.write_text("-----BEGIN NATS USER JWT-----\n")
        with pytest.raises(EngineError, match="pip install nkeys"):
            await node(urls=shared.url, creds=creds).start()

    async def test_of_another_node_is_told_with_what_it_lacks(self, guarded: Engine, node: Make) -> None:
        with pytest.raises(EngineError, match=r"does not let this login read chat\.lobby\.to\.oslo\."):
            await node(urls=self.url(guarded, "paris:paris-secret"), node="oslo").start()

    async def test_that_may_not_write_is_told(self, engine: Engine, node: Make) -> None:
        engine.config = PERMISSIONS.replace("chat.lobby.log.paris", "chat.lobby.nothing")
        await engine.start()
        paris = node(urls=self.url(engine, "paris:paris-secret"))
        await paris.start()
        paris.log.append(b"hello")
        await until(lambda: paris.refusals)
        told = "the engine does not let this login write to chat.lobby.log.paris"
        assert paris.refusals == [f"{told}: give paris the permissions of docs/cluster.md"]
        assert paris.told == [OPENED]


def tls(pair: Pair, more: str = "") -> str:
    return f'tls {{ cert_file: "{pair.cert}", key_file: "{pair.key}", {more} }}'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.self_signed("engine", "IP:127.0.0.1")


class TestTls:
    @pytest.fixture
    async def encrypted(self, engine: Engine, pair: Pair) -> Engine:
        engine.config = tls(pair) + "\n" + PERMISSIONS
        await engine.start()
        return engine

    def url(self, engine: Engine) -> str:
        return f"tls://paris:paris-secret@{engine.address}"

    async def test_with_the_certificate_that_is_expected(
        self, encrypted: Engine, node: Make, pair: Pair, caplog: pytest.LogCaptureFixture
    ) -> None:
        paris = node(urls=self.url(encrypted), ca=pair.cert)
        await paris.start()
        await paris.say(b"hello")
        encrypted.stop()
        await paris.until_told("closed")
        await paris.log.stop()
        assert caplog.messages == []  # they would end up on stderr, in the console

    async def test_with_a_certificate_that_nobody_vouches_for_is_refused(
        self, encrypted: Engine, node: Make
    ) -> None:
        with pytest.raises(EngineError, match=r"the certificate of 127.0.0.1:\d+ is refused \(self.signed"):
            await node(urls=self.url(encrypted)).start()

    async def test_with_a_certificate_for_another_name_is_refused(
        self, engine: Engine, node: Make, authority: Authority
    ) -> None:
        other = authority.self_signed("other", "DNS:nats1.example")
        engine.config = tls(other)
        await engine.start()
        with pytest.raises(EngineError, match=r"is refused .*IP address mismatch"):
            await node(urls=self.url(engine), ca=other.cert).start()

    async def test_is_wanted_by_the_engine(self, encrypted: Engine, node: Make) -> None:
        paris = node(urls=f"nats://paris:paris-secret@{encrypted.address}")
        with pytest.raises(EngineError, match=r"certificate of 127.0.0.1:\d+ is refused"):
            await paris.start()

    async def test_that_the_engine_does_not_have_keeps_the_password_from_it(
        self, shared: Engine, proxy: Proxy, node: Make, pair: Pair
    ) -> None:
        paris = node(urls=f"tls://paris:paris-secret@{proxy.address}", ca=pair.cert)
        with pytest.raises(EngineError, match="does not encrypt: give it a certificate"):
            await paris.start()
        assert b"CONNECT" in proxy.sent
        assert b"secret" not in proxy.sent

    async def test_with_a_certificate_of_the_node(
        self, engine: Engine, node: Make, authority: Authority, pair: Pair
    ) -> None:
        own = authority.self_signed("paris")
        engine.config = tls(pair, f'verify: true, ca_file: "{own.cert}"')
        await engine.start()
        await node(urls=f"tls://{engine.address}", ca=pair.cert, cert=own.cert, key=own.key).start()
        with pytest.raises(EngineError, match="wants a certificate of paris: give --cluster-cert"):
            await node(urls=f"tls://{engine.address}", ca=pair.cert).start()
