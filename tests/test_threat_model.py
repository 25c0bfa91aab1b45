"""The threat model: each protection that it names is held by tests, and those exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]


def defined_in(path: Path) -> set[str]:
    """The tests of a module, those in a class with its name before theirs; none where there is no module."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body if path.exists() else ():
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        names |= {
            prefix + each.name for each in inside if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return names


def test_every_test_that_is_named_exists() -> None:
    named: dict[str, set[str]] = {}
    for module, test in re.findall(r"`(tests/[^`:]*)::([^`]*)`", PAGE):
        named.setdefault(module, set()).add(test)
    missing = {
        module: others for module, tests in named.items() if (others := tests - defined_in(ROOT / module))
    }
    assert missing == {}
    assert all(test.rpartition("::")[2].startswith("test_") for tests in named.values() for test in tests)


def test_every_threat_has_an_answer_and_a_test() -> None:
    assert len(ROWS) > 25
    for row in ROWS:
        _, threat, answer, tests, end = row.split("|")
        assert threat.strip() and not end
        assert answer.strip().endswith("."), threat
        assert re.fullmatch(r"( `tests/[^` ]+`)+ ", tests), threat
