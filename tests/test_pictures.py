"""The pictures of the pages show the console as it is; docs/picture.py draws them anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MOST = 100_000
"""How many bytes a picture may take."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All pictures, drawn just now, by file name."""
    folder = tmp_path_factory.mktemp("pictures")
    subprocess.run([sys.executable, ROOT / "docs" / "picture.py", "--to", folder], check=True, timeout=170)
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


def test_each_picture_shows_the_console_as_it_is(drawn: dict[str, str]) -> None:
    kept = {path.name: path.read_text("utf-8") for path in (ROOT / "docs").glob("console*.svg")}
    assert drawn.keys() == kept.keys()
    changed = [name for name, picture in drawn.items() if kept[name] != picture]
    assert not changed, "docs/picture.py draws them otherwise by now"


def test_no_picture_is_large(drawn: dict[str, str]) -> None:
    assert max(len(picture.encode()) for picture in drawn.values()) <= MOST


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("console", ["30 users", "to quentin", "we talk after the lesson", "more like it", "away"]),
        ("console-light", ["30 users", "to quentin"]),
        ("console-first", ["nc 127.0.0.1 1234", "0 users"]),
        ("console-find", ["find", "TCP is a stream"]),
        ("console-inbox", ["to quentin", "Karim is insulting me"]),
        ("console-dialog", ["Mute", "karim"]),
        ("console-away", ["away 22:42"]),
        ("console-80x24", ["30 users", "to quentin"]),
        ("console-40x12", ["30 users", "to quentin"]),
    ],
)
def test_each_shows_what_it_is_for(drawn: dict[str, str], name: str, words: list[str]) -> None:
    text = drawn[f"{name}.svg"].replace("&#160;", " ")
    for word in words:
        assert word in text
