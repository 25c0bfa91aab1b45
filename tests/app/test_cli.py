"""The command line: which console runs, and what problems and signals do to it."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from types import ModuleType

import pytest
from support.network import free_port
from support.waiting import BOUND

from chat_console.app import cli, environment, joining
from chat_console.app.usage import UsageError
from chat_console.server.chat import Chat
from chat_console.server.chat_server import ChatServer
from chat_console.server.cluster import clustered_server
from chat_console.server.room import notices
from chat_console.server.settings import Settings
from chat_console.server.wire import listener
from chat_console.server.wire.listener import ListenError


class RecordedConsole:
    """Stands in for both consoles: keeps what it was made with, does `task`, and returns 7."""

    last: RecordedConsole

    def __init__(self, server: ChatServer, **options: object) -> None:
        type(self).last = self
        self.server = server
        self.options = options
        self.served = False
        self.ends = 0
        self.told: list[str] = []
        self.ending: Callable[[], object] = lambda: None
        self.ended = asyncio.Event()

    async def serve(self) -> int:
        self.served = True
        await self.task()
        return 7

    async def task(self) -> None:
        pass

    def end(self) -> None:
        self.ending()
        self.ends += 1
        self.ended.set()

    def tell(self, text: str) -> None:
        self.told.append(text)


@pytest.fixture
def plain_console(monkeypatch: pytest.MonkeyPatch) -> type[RecordedConsole]:
    class RecordedPlain(RecordedConsole):
        pass

    monkeypatch.setattr(cli, "PlainConsole", RecordedPlain)
    return RecordedPlain


@pytest.fixture
def console_on_screen(monkeypatch: pytest.MonkeyPatch) -> type[RecordedConsole]:
    class RecordedApp(RecordedConsole):
        pass

    module = ModuleType("chat_console.app.console")
    module.__dict__["ConsoleApp"] = RecordedApp
    monkeypatch.setitem(sys.modules, "chat_console.app.console", module)
    monkeypatch.setattr(environment, "has_screen", lambda: True)
    return RecordedApp


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets stdin be a terminal."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


class TestOptions:
    def test_they_reach_the_server_as_settings(self, plain_console: type[RecordedConsole]) -> None:
        arguments = "--plain -p 0 --host localhost --shared-nicks --max-backlog 4096 --rate 0 --max-clients 9"
        assert cli.main(arguments.split()) == 7
        assert plain_console.last.server.settings == Settings(
            hosts=("localhost",), port=0, shared_nicks=True, max_backlog=4096, rate=0, max_clients=9
        )

    def test_theme_and_mouse_reach_the_console(self, console_on_screen: type[RecordedConsole]) -> None:
        assert cli.main(["--port", "0", "--theme", "nord", "--no-mouse"]) == 7
        kept = {"bell": True, "line_history": True}
        assert console_on_screen.last.options == {"theme": "nord", "mouse": False, **kept}
        assert cli.main(["--port", "0", "--no-bell", "--no-line-history"]) == 7
        left_out = {"bell": False, "line_history": False}
        assert console_on_screen.last.options == {"theme": None, "mouse": True, **left_out}

    def test_version_is_shown(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert cli.main(["--version"]) == cli.EXIT_OK
        assert re.fullmatch(r"chat-console \d+\.\d+\.\d+\n", capfd.readouterr().out)

    def test_help_is_shown(self, capfd: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as end:
            cli.main(["--help"])
        assert end.value.code == 0
        assert capfd.readouterr().out.startswith("usage: chat-console ")


class TestProblem:
    """What the user must mend: one line on stderr and exit code 2."""

    def test_options_that_do_not_go_together(
        self, plain_console: type[RecordedConsole], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["--plain", "--port", "0", "--tls-cert", "cert.pem"]) == cli.EXIT_USAGE == 2
        assert capfd.readouterr() == (
            "",
            "chat-console: --tls-cert and --tls-key go together: give both or neither\n",
        )
        assert not hasattr(plain_console, "last")

    def test_a_certificate_that_cannot_be_used(
        self, plain_console: type[RecordedConsole], tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        cert, key = str(tmp_path / "no.pem"), str(tmp_path / "no.key")
        assert cli.main(["--plain", "--port", "0", "--tls-cert", cert, "--tls-key", key]) == 2
        assert capfd.readouterr() == (
            "",
            f"chat-console: cannot read {cert}: No such file or directory; see --tls-cert and --tls-key\n",
        )
        assert not plain_console.last.served

    def test_a_bans_file_that_cannot_be_used(
        self, plain_console: type[RecordedConsole], tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        bans = tmp_path / "bans"
        bans.write_text("192.0.2.7 -\nnobody -\n")
        assert cli.main(["--plain", "--port", "0", "--bans", str(bans)]) == 2
        assert capfd.readouterr() == (
            "",
            f"chat-console: {bans}, line 2: 'nobody -' is not a network and a time; "
            "fix it, or name another file with --bans\n",
        )
        assert not plain_console.last.served
        assert bans.read_text() == "192.0.2.7 -\nnobody -\n"


class TestListenProblem:
    @pytest.mark.parametrize(
        ("cause", "told"),
        [
            (
                OSError(errno.EADDRINUSE, "x"),
                "port 80 on ::1 is in use; stop the program that is using it, or choose another with --port",
            ),
            (
                OSError(errno.EACCES, "x"),
                "port 80 on ::1 needs privileges; choose one from 1024 to 65535 with --port",
            ),
            (
                OSError(errno.EADDRNOTAVAIL, "x"),
                "::1 is not an address of this machine; choose one that is with --host",
            ),
            (
                socket.gaierror(socket.EAI_NONAME, "x"),
                "'::1' has no known address; give an IP address of this machine with --host",
            ),
            (
                UnicodeError("label too long"),
                "'::1' has no known address; give an IP address of this machine with --host",
            ),
            (OSError(errno.EMFILE, "Too many files"), "cannot listen on port 80 on ::1: Too many files"),
        ],
        ids=["in use", "privileged", "not ours", "unknown", "no name at all", "other"],
    )
    def test_it_says_what_and_what_to_do(
        self,
        cause: OSError | UnicodeError,
        told: str,
        plain_console: type[RecordedConsole],
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        async def start(server: ChatServer) -> None:
            raise ListenError("::1", 80, cause)

        monkeypatch.setattr(ChatServer, "start", start)
        assert cli.main(["--plain"]) == cli.EXIT_USAGE
        assert capfd.readouterr().err == f"chat-console: {told}\n"

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ("--host 127.0.0.1 --host 0.0.0.0", "0.0.0.0 covers 127.0.0.1 too; leave one of them out"),
            ("--host fe80::1", "fe80::1 needs its interface, as in fe80::1%eth0"),
            ("--port 70000", "--port must be a whole number from 0 to 65535, not 70000"),
            ("--trust school", "--trust must be networks such as 192.0.2.0/24, not 'school'"),
            ("--bans /", "/: is a directory; fix it, or name another file with --bans"),
        ],
    )
    def test_what_cannot_be_had_is_one_line_and_exit_code_2(
        self,
        options: str,
        told: str,
        plain_console: type[RecordedConsole],
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        assert cli.main(["--plain", "--port", "0", *options.split()]) == cli.EXIT_USAGE == 2
        assert capfd.readouterr() == ("", f"chat-console: {told}\n")

    @pytest.mark.parametrize("option", ["--plain", "--no-mouse"], ids=["plain", "on screen"])
    def test_a_port_in_use_is_one_line_and_exit_code_2(
        self,
        option: str,
        busy_port: int,
        console_on_screen: type[RecordedConsole],
        capfd: pytest.CaptureFixture[str],
        plain_console: type[RecordedConsole],
    ) -> None:
        assert cli.main([option, "--port", str(busy_port)]) == cli.EXIT_USAGE == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert re.fullmatch(rf"chat-console: port {busy_port} on 127\.0\.0\.1 is in use; .*\n", err)

    def test_a_foreign_address_is_one_line_and_exit_code_2(
        self, plain_console: type[RecordedConsole], capfd: pytest.CaptureFixture[str]
    ) -> None:
        # TEST-NET-3 (RFC 5737), which no machine has.
        assert cli.main(["--plain", "--port", "0", "--host", "203.0.113.1"]) == 2
        assert capfd.readouterr().err == (
            "chat-console: 203.0.113.1 is not an address of this machine; choose one that is with --host\n"
        )
        assert not plain_console.last.served

    def test_a_cluster_without_nats_py_is_one_line_and_exit_code_2(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setitem(sys.modules, "nats", None)
        monkeypatch.delitem(sys.modules, "chat_console.server.cluster.nats_log", raising=False)
        assert cli.main(["--plain", "--port", "0", "--cluster", "nats://127.0.0.1"]) == 2
        assert capfd.readouterr().err == (
            "chat-console: --cluster needs one more package: "
            f"{shlex.quote(sys.executable)} -m pip install nats-py\n"
        )

    @pytest.mark.parametrize(("options", "limit"), [("", 1000), ("--notices-up-to 0", 0)])
    def test_a_node_limits_notices_unless_it_is_told_not_to(
        self, options: str, limit: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made: list[Settings] = []

        def make(cluster: object, settings: Settings) -> ChatServer:
            made.append(settings)
            raise UsageError("enough")

        monkeypatch.setattr(clustered_server, "ClusteredServer", make)
        assert cli.main(["--plain", "--port", "0", "--cluster", "nats://127.0.0.1", *options.split()]) == 2
        assert [each.notices_up_to for each in made] == [limit]

    def test_another_module_that_is_missing_is_no_matter_of_the_options(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "chat_console.server.cluster.clustered_server", None)
        with pytest.raises(ModuleNotFoundError):
            cli.main(["--plain", "--port", "0", "--cluster", "nats://127.0.0.1"])

    def test_an_engine_that_is_not_there_is_one_line_and_exit_code_2(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(clustered_server, "ENTERING", 0.5)
        engine = f"127.0.0.1:{free_port()}"
        assert cli.main(["--plain", "--port", "0", "--cluster", f"nats://{engine}"]) == 2
        assert capfd.readouterr() == (
            "",
            f"chat-console: cannot reach the engine at {engine}: connection refused; "
            "start nats-server -js there, or name another with --cluster\n",
        )

    def test_a_privileged_port_is_one_line_and_exit_code_2(
        self,
        plain_console: type[RecordedConsole],
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        def bind(*_: object, **__: object) -> socket.socket:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(listener, "_bind", bind)
        assert cli.main(["--plain", "--port", "23"]) == 2
        assert capfd.readouterr().err == (
            "chat-console: port 23 on 127.0.0.1 needs privileges; choose one from 1024 to 65535 with --port\n"
        )


class TestWhichConsole:
    @pytest.mark.parametrize("pipe", [None, "stdin", "stdout", "stderr"])
    @pytest.mark.parametrize("driver", [None, "textual.drivers.web_driver:WebDriver"])
    def test_a_terminal_is_needed_at_all_ends_or_a_driver_in_place_of_it(
        self, pipe: str | None, driver: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(getattr(sys, name), "isatty", lambda answer=name != pipe: answer)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("TEXTUAL_DRIVER", raising=False)
        if driver:
            monkeypatch.setenv("TEXTUAL_DRIVER", driver)
        assert environment.has_screen() is (pipe is None or driver is not None)

    @pytest.mark.parametrize("term", [None, "", "dumb", "unknown"])
    @pytest.mark.parametrize("driver", [None, "textual.drivers.web_driver:WebDriver"])
    def test_a_terminal_that_can_only_print_lines_is_not_enough(
        self, term: str | None, driver: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(getattr(sys, name), "isatty", lambda: True)
        for name, value in (("TERM", term), ("TEXTUAL_DRIVER", driver)):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        assert environment.has_screen() is (driver is not None)

    def test_on_a_terminal_it_is_the_one_on_screen(
        self, console_on_screen: type[RecordedConsole], plain_console: type[RecordedConsole]
    ) -> None:
        assert cli.main(["--port", "0"]) == 7
        assert console_on_screen.last.served
        assert not hasattr(plain_console, "last")

    def test_plain_asks_for_the_plain_one(
        self, console_on_screen: type[RecordedConsole], plain_console: type[RecordedConsole]
    ) -> None:
        assert cli.main(["--port", "0", "--plain"]) == 7
        assert plain_console.last.served
        assert not hasattr(console_on_screen, "last")

    def test_without_a_terminal_it_is_the_plain_one(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(environment, "has_screen", lambda: False)
        assert cli.main(["--port", "0"]) == 7
        assert plain_console.last.served

    def test_what_the_console_cannot_do_is_one_line_and_exit_code_2(
        self,
        console_on_screen: type[RecordedConsole],
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def refuse(self: RecordedConsole, server: ChatServer, **_: object) -> None:
            console_on_screen.last = self
            self.server = server
            raise UsageError("there is no theme 'x'")

        monkeypatch.setattr(console_on_screen, "__init__", refuse)
        assert cli.main(["--port", "0", "--theme", "x"]) == 2
        assert capfd.readouterr().err == "chat-console: there is no theme 'x'\n"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", console_on_screen.last.server.port), BOUND)

    def test_a_wrong_variable_of_textuals_is_one_line_and_exit_code_2(
        self,
        console_on_screen: type[RecordedConsole],
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setenv("TEXTUAL_THEME", "nosuch")
        assert cli.main(["--port", "0"]) == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert re.fullmatch(
            r"chat-console: TEXTUAL_THEME=nosuch is invalid: set it to .*, or unset it\n", err
        )
        assert not hasattr(console_on_screen, "last")

    def test_the_plain_one_does_not_care_for_textuals_variables(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TEXTUAL_FPS", "abc")
        assert cli.main(["--plain", "--port", "0"]) == 7

    def test_textual_is_not_imported_before_the_port_is_bound(self, busy_port: int) -> None:
        program = (
            "import sys; from chat_console.app import cli; cli.environment.has_screen = lambda: True;"
            "code = cli.main(['--port', sys.argv[1]]);"
            "print(code, {'textual', 'rich'} & sys.modules.keys())"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program, str(busy_port)], capture_output=True, text=True, timeout=BOUND
        )
        assert ended.stdout == "2 set()\n"
        assert ended.stderr.count("\n") == 1


class TestPublicWarning:
    @pytest.fixture(autouse=True)
    def own_addresses(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(joining, "own_addresses", lambda: {ip_address("192.0.2.2")})

    def test_the_plain_console_tells_it_and_how_people_join(
        self, plain_console: type[RecordedConsole]
    ) -> None:
        assert cli.main(["--plain", "--port", "0", "--host", "0.0.0.0"]) == 7
        console = plain_console.last
        assert console.told == [
            notices.public_warning(encrypted=False),
            f"People join with: nc 192.0.2.2 {console.server.port}",
        ]

    def test_over_tls_it_does_not_speak_of_the_wire(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Settings, "encrypted", property(lambda self: True))
        assert cli.main(["--plain", "--port", "0", "--host", "0.0.0.0"]) == 7
        console = plain_console.last
        assert console.told == [
            "Anyone who can reach this port can join.",
            f"People join with: ncat --ssl 192.0.2.2 {console.server.port}",
        ]

    def test_a_link_to_other_nodes_that_is_not_encrypted_is_told_too(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ChatServer, "link_is_exposed", property(lambda self: True))
        link = "Nothing between the nodes is encrypted: use a tls:// URL with --cluster."
        assert cli.main(["--plain", "--port", "0"]) == 7
        assert plain_console.last.told == [link]
        assert cli.main(["--plain", "--port", "0", "--host", "0.0.0.0"]) == 7
        assert plain_console.last.told[0] == notices.public_warning(encrypted=False)
        assert plain_console.last.told[-1] == link

    def test_there_is_none_on_loopback(self, plain_console: type[RecordedConsole]) -> None:
        assert cli.main(["--plain", "--port", "0"]) == 7
        assert plain_console.last.told == []

    def test_the_console_on_screen_shows_its_own(
        self, console_on_screen: type[RecordedConsole], capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert cli.main(["--port", "0", "--host", "0.0.0.0"]) == 7
        assert capfd.readouterr() == ("", "")


class Service:
    """A service manager that is to be told how the program is."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(BOUND)

    def told(self) -> str:
        return self.socket.recv(100).decode()


class TestService:
    @pytest.fixture(params=["path", "abstract"])
    def service(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Service]:
        name = str(tmp_path / "notify") if request.param == "path" else f"chat-console-{os.getpid()}"
        service = Service(name if request.param == "path" else "\0" + name)
        monkeypatch.setenv("NOTIFY_SOCKET", name if request.param == "path" else "@" + name)
        with service.socket:
            yield service

    def test_is_told_when_the_server_listens_and_when_it_begins_to_end(
        self, service: Service, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[str] = []

        async def be_ended(self: RecordedConsole) -> None:
            told.append(service.told())
            socket.create_connection(("127.0.0.1", self.server.port), BOUND).close()
            self.end()
            told.append(service.told())

        monkeypatch.setattr(plain_console, "task", be_ended)
        assert cli.main(["--plain", "--port", "0"]) == 7
        assert told == ["READY=1", "STOPPING=1"]
        service.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            service.told()

    def test_is_told_when_a_signal_begins_the_end(
        self, service: Service, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def be_ended(self: RecordedConsole) -> None:
            assert service.told() == "READY=1"
            os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(BOUND):
                await self.ended.wait()
            assert service.told() == "STOPPING=1"

        monkeypatch.setattr(plain_console, "task", be_ended)
        assert cli.main(["--plain", "--port", "0"]) == 7

    def test_is_told_at_the_latest_when_the_console_has_ended(
        self, service: Service, plain_console: type[RecordedConsole]
    ) -> None:
        assert cli.main(["--plain", "--port", "0"]) == 7
        assert [service.told(), service.told()] == ["READY=1", "STOPPING=1"]

    @pytest.mark.parametrize(
        "address", ["", "@", "/nowhere/notify", "vsock:2:1", "x" * 5000, "/" + "x" * 5000, "\udcff"]
    )
    def test_that_cannot_be_reached_harms_nothing(
        self, address: str, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        assert cli.main(["--plain", "--port", "0"]) == 7


class TestTheEnd:
    def test_the_server_is_stopped_also_when_the_console_fails(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(self: RecordedConsole) -> None:
            raise LookupError("oops")

        monkeypatch.setattr(plain_console, "task", fail)
        with pytest.raises(LookupError, match="oops"):
            cli.main(["--plain", "--port", "0"])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", plain_console.last.server.port), BOUND)

    @pytest.mark.parametrize(
        "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
    )
    @pytest.mark.usefixtures("terminal")
    def test_the_first_signal_ends_the_console_and_the_second_cuts_the_connections(
        self,
        number: signal.Signals,
        plain_console: type[RecordedConsole],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        aborted = asyncio.Event()
        monkeypatch.setattr(ChatServer, "abort", lambda self: aborted.set())

        async def be_ended(self: RecordedConsole) -> None:
            async with asyncio.timeout(BOUND):
                os.kill(os.getpid(), number)
                await self.ended.wait()
                assert not aborted.is_set()
                os.kill(os.getpid(), signal.SIGTERM)
                await aborted.wait()
                assert self.ends == 1

        monkeypatch.setattr(plain_console, "task", be_ended)
        assert cli.main(["--plain", "--port", "0"]) == 7

    def test_without_a_terminal_sighup_reads_the_files_again_and_ends_nothing(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reloaded = asyncio.Event()
        monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
        monkeypatch.setattr(Chat, "reload", lambda self: reloaded.set())

        async def be_told(self: RecordedConsole) -> None:
            async with asyncio.timeout(BOUND):
                for _ in range(2):
                    os.kill(os.getpid(), signal.SIGHUP)
                    await reloaded.wait()
                    reloaded.clear()
            assert self.ends == 0

        monkeypatch.setattr(plain_console, "task", be_told)
        assert cli.main(["--plain", "--port", "0"]) == 7

    @pytest.mark.parametrize(
        "number",
        [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1],
        ids=lambda number: number.name,
    )
    @pytest.mark.usefixtures("terminal")
    def test_a_signal_that_was_ignored_at_the_start_stays_ignored(
        self,
        number: signal.Signals,
        plain_console: type[RecordedConsole],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def see(self: RecordedConsole) -> None:
            assert signal.getsignal(number) is signal.SIG_IGN

        monkeypatch.setattr(plain_console, "task", see)
        before = signal.signal(number, signal.SIG_IGN)
        try:
            assert cli.main(["--plain", "--port", "0"]) == 7
            assert signal.getsignal(number) is signal.SIG_IGN
        finally:
            signal.signal(number, before)

    def test_sigusr1_reads_the_certificate_again_and_ends_nothing(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reloaded = asyncio.Event()
        monkeypatch.setattr(Chat, "reload_certificate", lambda self: reloaded.set())

        async def be_told(self: RecordedConsole) -> None:
            async with asyncio.timeout(BOUND):
                for _ in range(2):
                    os.kill(os.getpid(), signal.SIGUSR1)
                    await reloaded.wait()
                    reloaded.clear()
            assert self.ends == 0

        monkeypatch.setattr(plain_console, "task", be_told)
        assert cli.main(["--plain", "--port", "0"]) == 7

    def test_ctrl_c_while_the_server_starts_is_no_error(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def start(self: ChatServer) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(BOUND)

        monkeypatch.setattr(ChatServer, "start", start)
        assert cli.main(["--plain", "--port", "0"]) == 130


class TestMissingStreams:
    def test_the_null_device_stands_in(
        self, plain_console: type[RecordedConsole], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stderr = sys.stderr
        monkeypatch.setattr(sys, "stdin", None)
        monkeypatch.setattr(sys, "stdout", None)
        assert cli.main(["--port", "0"]) == 7
        assert sys.stderr is stderr
        try:
            assert sys.stdin.read() == ""
            assert sys.stdout.write("lost")
            sys.stdout.flush()
        finally:
            os.close(sys.stdin.fileno())
            os.close(sys.stdout.fileno())
