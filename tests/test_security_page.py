"""The page on security: each protection that it names is held by tests, and those exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "SECURITY.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]
NAMES = sorted(set(re.findall(r"`(tests/[^`]*)`", PAGE)))


def defined_in(path: Path) -> set[str]:
    """The tests of a module, those in a class with its name before theirs."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        names |= {
            prefix + each.name for each in inside if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return names


def test_every_test_that_is_named_exists() -> None:
    named: dict[str, set[str]] = {}
    for name in NAMES:
        module, _, test = name.partition("::")
        assert test.rpartition("::")[2].startswith("test_"), name
        named.setdefault(module, set()).add(test)
    missing = {
        f"{module}::{test}" for module, tests in named.items() for test in tests - defined_in(ROOT / module)
    }
    assert missing == set()


def test_every_threat_has_an_answer_and_a_test() -> None:
    for row in ROWS:
        _, threat, answer, tests, end = row.split("|")
        assert threat.strip(), row
        assert answer.strip().endswith("."), row
        assert all(f"`{name}`" in tests for name in re.findall(r"tests/[^`]*", tests)), row
        assert "`tests/" in tests, row
        assert not end, row


def test_the_page_has_the_whole_table() -> None:
    assert len(ROWS) > 25
    assert len(NAMES) > len(ROWS)
