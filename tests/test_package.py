"""The package as it is installed: what it exports, its types, its commands, and the README's example."""

from __future__ import annotations

import ast
import builtins
import json
import re
import signal
import socket
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

import chat_console
from chat_console.server.room import events

ROOT = Path(__file__).parents[1]
BOUND = 60.0
(EXAMPLE,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)

EVENTS = {kind.__name__ for kind in get_args(chat_console.Event)}
EXPORTS = EVENTS | {
    "Outcome",
    "Address",
    "BansFileError",
    "CertificateError",
    "ChatServer",
    "Details",
    "Endpoint",
    "Event",
    "HistoryError",
    "LeaveReason",
    "ListenError",
    "Member",
    "OperatorSession",
    "PublicEvent",
    "RoomEvent",
    "ServerEvent",
    "Settings",
    "SettingsError",
    "Subscriber",
    "__version__",
}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder to import from in which the package has the shape of the wheel's."""
    site = tmp_path / "site"
    package = site / "chat_console"
    package.mkdir(parents=True)
    for file in (ROOT / "package").iterdir():
        if file.is_file():
            (package / file.name).symlink_to(file)
    for name in ("app", "server", "widgets"):
        (package / name).symlink_to(ROOT / name)
    return site


class TestExports:
    def test_are_these(self) -> None:
        assert set(chat_console.__all__) == EXPORTS
        assert chat_console.__all__ == sorted(chat_console.__all__)

    def test_are_all_that_the_package_shows(self) -> None:
        public = {
            name
            for name, value in vars(chat_console).items()
            if not name.startswith("_") and not isinstance(value, ModuleType)
        }
        assert public == EXPORTS - {"__version__"}

    def test_hold_every_error_that_they_say_they_raise(self) -> None:
        exported = [getattr(chat_console, name) for name in EXPORTS]
        classes = [value for value in exported if isinstance(value, type)]
        described = [value for each in classes for value in (each, *vars(each).values())]
        pages = "\n".join(
            doc for value in described if isinstance(doc := getattr(value, "__doc__", None), str)
        )
        raised = set(re.findall(r"^ +(\w+Error): ", pages, re.MULTILINE))
        assert {"ListenError", "SettingsError", "TypeError"} <= raised
        assert raised <= EXPORTS | set(vars(builtins))

    def test_are_what_the_server_defines(self) -> None:
        assert {"Said", "Left", "Messaged"} <= EVENTS
        assert all(getattr(chat_console, name) is getattr(events, name) for name in EVENTS)
        assert chat_console.LeaveReason is events.LeaveReason

    def test_tell_the_events_for_everybody_from_those_for_operators(self) -> None:
        of_the_room, of_the_server = map(get_args, (chat_console.RoomEvent, chat_console.ServerEvent))
        assert get_args(chat_console.PublicEvent) == (*of_the_room, *of_the_server)
        assert EVENTS - {kind.__name__ for kind in get_args(chat_console.PublicEvent)} == {
            "Messaged",
            "OperatorMessaged",
            "Replied",
            "Silenced",
        }


class TestDistribution:
    def test_has_the_version_that_the_package_says(self) -> None:
        # Where they differ the package has to be installed anew.
        assert version("tcp-chat-console") == chat_console.__version__

    def test_has_one_command(self) -> None:
        (command,) = entry_points(group="console_scripts", name="chat-console")
        assert command.dist is not None
        assert (command.dist.name, command.value) == ("tcp-chat-console", "chat_console.app.cli:main")

    @pytest.mark.parametrize(
        "command",
        [
            (sys.executable, "-m", "chat_console"),
            (sys.executable, "-m", "chat_console.app"),
            (str(Path(sys.executable).with_name("chat-console")),),
        ],
        ids=["package", "app", "command"],
    )
    @pytest.mark.parametrize("folder", [ROOT, Path("/")], ids=["in the clone", "elsewhere"])
    def test_runs(self, command: tuple[str, ...], folder: Path) -> None:
        done = subprocess.run(
            [*command, "--version"], capture_output=True, text=True, timeout=BOUND, cwd=folder
        )
        assert done.stdout == f"chat-console {chat_console.__version__}\n", done.stderr

    def test_runs_in_the_clone_also_where_it_is_installed_as_a_wheel(self, installed: Path) -> None:
        program = "import sys; sys.path[:0] = ['', sys.argv[1]]; from chat_console import app; print(app)"
        done = subprocess.run(
            [sys.executable, "-ISc", program, str(installed)],
            capture_output=True,
            text=True,
            timeout=BOUND,
            cwd=ROOT,
        )
        assert str(installed) in done.stdout, done.stderr


class TestExample:
    def test_passes_strict_type_checks_as_the_package_does(self, installed: Path, tmp_path: Path) -> None:
        (tmp_path / "example.py").write_text(EXAMPLE, "utf-8")
        settings = {
            "typeCheckingMode": "strict",
            "extraPaths": [str(installed)],
            "include": ["example.py", *(f"site/chat_console/{name}.py" for name in ("__init__", "__main__"))],
        }
        (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
        assert (installed / "chat_console" / "py.typed").exists()
        done = subprocess.run(
            [Path(sys.executable).with_name("basedpyright"), "--project", tmp_path, "--outputjson"],
            capture_output=True,
            text=True,
            timeout=BOUND,
        )
        report = json.loads(done.stdout)
        assert report["generalDiagnostics"] == []
        assert report["summary"]["filesAnalyzed"] == 3
        # mypy --strict infers no answer of a function.
        functions = [node for node in ast.walk(ast.parse(EXAMPLE)) if isinstance(node, ast.AsyncFunctionDef)]
        assert functions
        assert all(function.returns for function in functions)

    def test_tells_what_happens_and_says_goodbye_at_its_end(self) -> None:
        assert "port=12345" in EXAMPLE
        program = EXAMPLE.replace("port=12345", "port=0")
        with subprocess.Popen(
            [sys.executable, "-u", "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            try:
                assert running.stdout
                started = re.fullmatch(r"Started\(.*port=(\d+)\),\)\)\n", running.stdout.readline())
                assert started
                with (
                    socket.create_connection(("127.0.0.1", int(started[1])), BOUND) as client,
                    client.makefile("rw", encoding="utf-8") as lines,
                ):
                    lines.write("hello\n")
                    lines.flush()
                    assert running.stdout.readline().startswith("Joined(")
                    assert re.fullmatch(r"Said\(.*texts=\('hello',\)\)\n", running.stdout.readline())
                    running.send_signal(signal.SIGINT)
                    _, *goodbye = lines.readlines()
                assert goodbye == ["Server is shutting down\n", "You have left the server\n"]
                assert running.communicate(timeout=BOUND)[1].endswith("\nKeyboardInterrupt\n")
            finally:
                running.kill()


def test_every_folder_of_the_product_is_in_the_wheel() -> None:
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    folders = {
        folder.parent.relative_to(ROOT).as_posix()
        for package in ("app", "server", "widgets", "package")
        for folder in (ROOT / package).rglob("__init__.py")
    }
    assert set(tables["package-dir"].values()) == folders
    assert set(tables["packages"]) == set(tables["package-dir"])
