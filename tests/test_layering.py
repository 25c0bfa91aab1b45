"""Imports point one way: app to widgets and to server, and inside server to the room."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "package", "server", "widgets")
COMMON = ("addresses", "rate", "repeats", "settings", "timing")
"""Of the server what all its folders may use."""

ALLOWED = {
    "app": ("app", "server", "widgets"),
    "package": ("server", "app.cli"),
    "server": ("server",),
    "server/room": ("server.room", *(f"server.{name}" for name in COMMON)),
    "server/wire": ("server.wire", "server.chat", "server.room", *(f"server.{name}" for name in COMMON)),
    "server/gate": ("server.gate", "server.room", "server.lock_file", *(f"server.{name}" for name in COMMON)),
    "server/history": (
        *("server.history", "server.room", "server.lock_file"),
        *(f"server.{name}" for name in COMMON),
    ),
    "server/cluster": (
        *("server.cluster", "server.order", "server.room"),
        *("server.chat", "server.chat_server", "server.details", "server.gate"),  # clustered_server.py
        *(f"server.{name}" for name in COMMON),
    ),
    "widgets": ("widgets", "server.room.text"),
}
PURE = (
    *("event_stream", "minutes", "mutes", "order", *COMMON, "gate/refusals"),
    *(
        "wire/backlog",
        "wire/codec",
        "wire/framing",
        "wire/greetings",
        "wire/inbox",
        "wire/outbox",
        "wire/searches",
        "wire/turns",
    ),
    *("cluster/alone", "cluster/donor", "cluster/entering", "cluster/intake", "cluster/log"),
    *("cluster/lateness", "cluster/link_report"),
    *("cluster/membership", "cluster/news", "cluster/notices", "cluster/operations", "cluster/outgoing"),
    *("cluster/replica", "cluster/shown", "cluster/site", "cluster/state", "cluster/untrusted"),
    "cluster/wire",
    *("cluster/continuity", "cluster/jetstream", "cluster/log", "cluster/settings"),
    *("history/notices", "history/records", "history/setback", "history/trigrams"),
    *(f"room/{path.stem}" for path in sorted((ROOT / "server/room").glob("*.py"))),
)
"""Of the server what gets the time, and all else that happens, from those that call it."""

# Of these, what turns an IP address into text and back depends on nothing.
HARMLESS = tuple(f"socket.{one}" for one in ("AF_INET", "AF_INET6", "inet_ntop", "inet_pton"))
IMPURE = ("asyncio", "os", "random", "select", "socket", "ssl", "threading", "time")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def folder_of(path: Path) -> str:
    return path.parent.relative_to(ROOT).as_posix()


def package_of(path: Path) -> str:
    return ".".join(["chat_console", *(part for part in folder_of(path).split("/") if part != "package")])


def imports(source: str, package: str) -> Iterator[str]:
    """The dotted names of all that `source`, a module of `package`, imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imports_of(path: Path) -> set[str]:
    return set(imports(path.read_text("utf-8"), package_of(path)))


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("import chat_console.server.room.room", "chat_console.server.room.room"),
        ("from chat_console.server import room", "chat_console.server.room"),
        ("from .entry import Entry", "chat_console.widgets.entry.Entry"),
        ("from . import entry", "chat_console.widgets.entry"),
        ("from ..server.room.text import clean", "chat_console.server.room.text.clean"),
        ("from .. import server", "chat_console.server"),
        ("def late():\n    from ..app import cli", "chat_console.app.cli"),
    ],
)
def test_an_import_is_found_in_whatever_form(statement: str, name: str) -> None:
    assert list(imports(statement, "chat_console.widgets")) == [name]


def test_every_folder_has_its_rule() -> None:
    assert {folder_of(path) for path in MODULES} == set(ALLOWED)


def test_a_module_imports_only_what_its_folder_may_know() -> None:
    wrong = {
        str(path.relative_to(ROOT)): others
        for path in MODULES
        if (
            others := [
                name
                for name in imports_of(path)
                if within(name, ("chat_console",))
                and not within(name, tuple(f"chat_console.{one}" for one in ALLOWED[folder_of(path)]))
            ]
        )
    }
    assert wrong == {}


def test_the_server_needs_nothing_but_the_standard_library_and_one_module_nats() -> None:
    known = {*sys.stdlib_module_names, "chat_console"}
    paths = [path for path in MODULES if folder_of(path).startswith("server")]
    others = {
        (path.stem, name.split(".")[0])
        for path in paths
        for name in imports_of(path)
        if name.split(".")[0] not in known
    }
    assert others == {("nats_log", "nats")}


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_knows_no_socket_loop_or_clock(name: str) -> None:
    path = ROOT / "server" / f"{name}.py"
    known = imports_of(path)
    assert [one for one in known if within(one, IMPURE) and one not in HARMLESS] == []
    ours = {
        one.removeprefix("chat_console.server.").rpartition(".")[0].replace(".", "/")
        for one in known
        if within(one, ("chat_console.server",))
    }
    assert ours <= {*PURE, "room", "cluster"}  # `from . import notices` names the folder


def loaded_with(modules: list[str]) -> list[str]:
    """What is loaded once `modules` are imported in a process of their own."""
    program = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; "
    program += "print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, *modules], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


def modules_in(*folders: str, but: tuple[str, ...] = ()) -> list[str]:
    """The modules in folders that begin so; none that runs the program, none in the folders `but`."""
    return [
        ".".join([package_of(path), path.stem]).removesuffix(".__init__")
        for path in MODULES
        if folder_of(path).startswith(folders) and folder_of(path) not in but and path.stem != "__main__"
    ]


def test_importing_the_library_loads_nothing_of_textual_or_the_program() -> None:
    loaded = loaded_with(modules_in("server"))
    assert "chat_console.server.wire.outbox" in loaded
    assert [name for name in loaded if within(name, ("textual", "rich", "chat_console.app"))] == []


def test_importing_the_server_and_the_program_loads_nothing_of_the_cluster() -> None:
    loaded = loaded_with(modules_in("app", "package", "server", but=("server/cluster",)))
    assert "chat_console.app.cli" in loaded and "chat_console.server.chat" in loaded
    assert [name for name in loaded if within(name, ("nats", "chat_console.server.cluster"))] == []
