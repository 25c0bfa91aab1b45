"""The private names of Textual that the product leans on, each with its signature: all that there are.

When one of these tests fails with a new Textual, docs/architecture.md says what the name is for.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from support.waiting import until
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.widgets import Label

import chat_console.app
import chat_console.widgets


def modules() -> Iterator[ModuleType]:
    """All modules of the console; the program's entry point would start it."""
    for package in (chat_console.app, chat_console.widgets):
        for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


OF_NAMED_TUPLES = {"_asdict", "_make", "_replace"}
"""Public, as the documentation of `typing.NamedTuple` says."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("_")


def own_names(tree: ast.AST) -> set[str]:
    """The private names that a module or a class defines: functions, classes, variables and attributes."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                found.add(name)
            case ast.Name(name, ast.Store()):
                found.add(name)
            case ast.Attribute(ast.Name("self"), name, ast.Store()):
                found.add(name)
            case _:
                pass
    return set(filter(is_private, found))


def inherited_names(module: ModuleType) -> set[str]:
    """The private names that classes of `module` inherit from classes of ours in other files."""
    found: set[str] = set()
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__ == module.__name__:
            for base in kind.__mro__[1:]:
                if base.__module__.startswith("chat_console."):
                    found |= own_names(ast.parse(textwrap.dedent(inspect.getsource(base))))
    return found


@cache
def assigned(base: type) -> set[str]:
    """The private attributes of `base`, and of whatever stands in the same file."""
    source = Path(inspect.getfile(base)).read_text()
    return set(re.findall(r"\bself\.(_\w+)\b[^=\n()]*=[^=]", source))


def test_it_knows_what_the_sequences_of_terminals_mean() -> None:
    assert str(inspect.signature(XTermParser)) == "(debug: 'bool' = False) -> 'None'"
    assert str(inspect.signature(XTermParser.feed)) == "(self, data: 'str') -> 'Iterable[Message]'"
    events = list(XTermParser().feed("\x1b[A"))
    assert [event.key for event in events if isinstance(event, Key)] == ["up"]


async def test_it_says_whether_a_layout_is_due() -> None:
    async with App[None]().run_test() as pilot:
        await pilot.pause()
        screen = pilot.app.screen
        assert screen._layout_required is False
        screen.refresh(layout=True)
        assert screen._layout_required is True


def test_it_asks_for_the_size_of_the_terminal() -> None:
    assert str(inspect.signature(LinuxDriver._get_terminal_size)) == "(self) -> 'tuple[int, int]'"
    assert "self._get_terminal_size()" in inspect.getsource(LinuxDriver.start_application_mode)


async def test_it_hands_over_what_has_changed_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(inspect.signature(App._display)) == (
        "(self, screen: 'Screen', renderable: 'RenderableType | None') -> 'None'"
    )
    assert list(inspect.signature(LayoutUpdate).parameters) == ["strips", "region"]
    assert list(inspect.signature(ChopsUpdate).parameters) == ["chops", "spans", "chop_ends"]
    displayed: list[object] = []
    async with App[None]().run_test() as pilot:
        monkeypatch.setattr(App, "_display", lambda *arguments: displayed.append(arguments[-1]))
        pilot.app.screen.refresh(layout=True)
        await until(lambda: any(isinstance(update, LayoutUpdate) for update in displayed))
        await pilot.app.mount(label := Label("before"))
        label.update("after")
        await until(lambda: any(isinstance(update, ChopsUpdate) for update in displayed))


async def test_it_counts_the_batches_that_are_under_way() -> None:
    async with App[None]().run_test() as pilot:
        assert pilot.app._batch_count == 0
        with pilot.app.batch_update():
            assert pilot.app._batch_count == 1
    assert "if self._batch_count:" in inspect.getsource(App._display)


def test_the_product_uses_no_other_private_name() -> None:
    used: set[str] = set()
    for module in modules():
        tree = ast.parse(inspect.getsource(module))
        own = own_names(tree) | inherited_names(module) | OF_NAMED_TUPLES
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(str(source), names):
                    words = [*source.split("."), *(alias.name for alias in names)]
                    used |= {f"{source}.{word}" for word in words if is_private(word)}
                case ast.Attribute(value, name) if is_private(name):
                    of_super = isinstance(value, ast.Call)
                    if of_super or name not in own:
                        used.add(name)
                case _:
                    pass
    assert used == {
        "textual._compositor._compositor",
        "textual._xterm_parser._xterm_parser",
        "_batch_count",
        "_display",
        "_get_terminal_size",
        "_layout_required",
    }


def test_no_private_name_of_the_product_hides_another_of_textuals() -> None:
    hidden: set[str] = set()
    for module in modules():
        for _, kind in inspect.getmembers(module, inspect.isclass):
            bases = [base for base in kind.__mro__[1:] if base.__module__.startswith("textual")]
            if kind.__module__ != module.__name__ or not bases:
                continue
            own = own_names(ast.parse(textwrap.dedent(inspect.getsource(kind))))
            for base in bases:
                hidden |= {f"{kind.__name__}.{name}" for name in own & (assigned(base) | set(vars(base)))}
    assert hidden == {"NonBlockingDriver._get_terminal_size", "PaintingApp._display"}
