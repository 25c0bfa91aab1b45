"""What is made from the command line's parser: the options page, the man page and the completions."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chat_console.app.options import parser

ROOT = Path(__file__).parents[1]
BOUND = 60.0
OPTIONS = [option for action in parser()._actions for option in action.option_strings]


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "reference.py"))


@pytest.fixture(scope="module")
def share(reference: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("share")
    reference["write_share"](folder)
    return folder


def test_the_options_page_has_the_options_as_the_program_has_them(reference: dict[str, Any]) -> None:
    made = reference["page"]()
    assert [option for option in OPTIONS if f"`{option}" not in made] == []
    page = (ROOT / "docs" / "options.md").read_text("utf-8")
    assert page == made, "docs/options.md is out of date; run: make docs"


def test_the_man_page_has_every_option(share: Path) -> None:
    page = (share / "man/man1/chat-console.1").read_text("utf-8").replace("\\-", "-")
    assert [
        option for option in OPTIONS if option not in ("--help", "-h") and rf"\fB{option}" not in page
    ] == []
    assert [title for title in ("EXAMPLES", "EXIT STATUS", "SIGNALS") if f"\n.SH {title}\n" not in page] == []


@pytest.mark.parametrize(
    ("file", "spelling"),
    [
        ("bash-completion/completions/chat-console", " {}"),
        ("zsh/site-functions/_chat-console", "{}"),
        ("fish/vendor_completions.d/chat-console.fish", " -l {}"),
    ],
    ids=["bash", "zsh", "fish"],
)
def test_the_completions_have_every_option(file: str, spelling: str, share: Path) -> None:
    text = (share / file).read_text("utf-8")
    names = [name.lstrip("-") if "fish" in file else name for name in OPTIONS if name.startswith("--")]
    assert [name for name in names if spelling.format(name) not in text] == []


def test_bash_completes_an_option_and_a_file(share: Path, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").touch()
    script = """
        source "$1"
        for words in "--tls-" "--tls-cert ce"; do
            COMP_WORDS=(chat-console $words) COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )) COMPREPLY=()
            _shtab_chat_console
            echo "${COMPREPLY[@]}"
        done
    """
    completions = share / "bash-completion/completions/chat-console"
    done = subprocess.run(
        ["bash", "-c", script, "bash", completions],
        capture_output=True,
        text=True,
        timeout=BOUND,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines() == ["--tls-cert --tls-key", "cert.pem"], done.stderr
