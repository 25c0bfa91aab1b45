"""Imports point one way: app to widgets and to server, which know neither each other nor app."""

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
ALLOWED = {
    "app": ("chat_console.app", "chat_console.server", "chat_console.widgets"),
    "package": ("chat_console.server", "chat_console.app.cli"),
    "server": ("chat_console.server",),
    "widgets": ("chat_console.widgets", "chat_console.server.text"),
}
PURE = (
    *("addresses", "backlog", "commands", "events", "framing", "greetings", "inbox", "listing", "names"),
    *("notices", "outbox", "rate", "refusals", "room", "settings", "text", "turns", "unicode_ranges"),
)
"""Of the server what gets the time, and all else that happens, from those that call it."""

IMPURE = ("asyncio", "os", "random", "select", "socket", "ssl", "threading", "time")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).glob("**/*.py"))]


def imports(source: str, package: str) -> Iterator[str]:
    """The dotted names of all that `source`, a module of `package`, imports, wherever in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("import chat_console.server.room", "chat_console.server.room"),
        ("from chat_console.server import room", "chat_console.server.room"),
        ("from .entry import Entry", "chat_console.widgets.entry.Entry"),
        ("from . import entry", "chat_console.widgets.entry"),
        ("from ..server.text import clean", "chat_console.server.text.clean"),
        ("from .. import server", "chat_console.server"),
        ("def late():\n    from ..app import cli", "chat_console.app.cli"),
    ],
)
def test_an_import_is_found_in_whatever_form(statement: str, name: str) -> None:
    assert list(imports(statement, "chat_console.widgets")) == [name]


def test_every_package_is_looked_at() -> None:
    assert {path.parent.name for path in MODULES} == set(PACKAGES)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_its_package_may_know(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    dotted = "chat_console" if package == "package" else f"chat_console.{package}"
    ours = [name for name in imports(path.read_text("utf-8"), dotted) if within(name, ("chat_console",))]
    assert [name for name in ours if not within(name, ALLOWED[package])] == []


@pytest.mark.parametrize("path", sorted((ROOT / "server").glob("*.py")), ids=lambda path: path.name)
def test_the_server_needs_nothing_but_the_standard_library(path: Path) -> None:
    others = [
        name
        for name in imports(path.read_text("utf-8"), "chat_console.server")
        if name.split(".")[0] not in {*sys.stdlib_module_names, "chat_console"}
    ]
    assert others == []


@pytest.mark.parametrize("name", PURE)
def test_what_is_pure_knows_no_socket_loop_or_clock(name: str) -> None:
    package = "chat_console.server"
    tree = ast.parse((ROOT / "server" / f"{name}.py").read_text("utf-8"))
    # What only a type checker imports is known by name alone.
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    known = set(imports(ast.unparse(tree), package))
    assert [one for one in known if within(one, IMPURE)] == []
    ours = {one.removeprefix(f"{package}.").split(".")[0] for one in known if within(one, (package,))}
    assert ours <= set(PURE)


def test_importing_the_library_loads_nothing_of_textual_or_the_program() -> None:
    modules = [
        "chat_console",
        *(f"chat_console.server.{path.stem}" for path in (ROOT / "server").glob("*.py")),
    ]
    program = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; "
    program += "print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, *modules], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = done.stdout.split()
    assert "chat_console.server.chat_server" in loaded
    assert [name for name in loaded if within(name, ("textual", "rich", "chat_console.app"))] == []
