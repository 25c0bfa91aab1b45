"""The names of the widgets, by which CSS and queries find them: Textual's own are among what they find."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

import pytest
import textual
from textual.dom import DOMNode

import chat_console.app
import chat_console.widgets


def node_classes(package: ModuleType) -> set[str]:
    """The names of all that can be on a screen and that `package` defines, in whatever module."""
    names: set[str] = set()
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name.endswith("__main__"):
            continue
        try:
            found = vars(importlib.import_module(module.name))
        except ImportError:  # a module for another system, or for an extra that is not installed
            continue
        names |= {
            name
            for name, value in found.items()
            if isinstance(value, type) and issubclass(value, DOMNode) and value.__module__ == module.name
        }
    return names


@pytest.mark.filterwarnings("ignore")
def test_no_widget_bears_the_name_of_one_of_textuals() -> None:
    own = node_classes(chat_console.app) | node_classes(chat_console.widgets)
    textuals = node_classes(textual)
    assert {"CommandLine", "MessageLog", "UserList", "ConsoleApp", "KeyBar"} <= own
    assert {"CommandInput", "CommandPalette", "Input", "Toast"} <= textuals
    assert not own & textuals
