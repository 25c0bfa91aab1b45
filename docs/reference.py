"""Make what comes from the command line's parser: the tables of the options, the man page, the completions.

.venv/bin/python docs/reference.py            write the tables into docs/options.md
.venv/bin/python docs/reference.py DIR        write the man page and the completions under DIR
"""

import argparse
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from chat_console.app.options import parser

PAGE = Path(__file__).with_name("options.md")
MAN_SECTIONS = Path(__file__).with_name("man.inc")
BEGIN, END = "<!-- begin: made by `make docs` -->\n", "<!-- end -->\n"

COMPLETIONS = {
    "bash": "bash-completion/completions/chat-console",
    "zsh": "zsh/site-functions/_chat-console",
    "fish": "fish/vendor_completions.d/chat-console.fish",
}
"""Where each shell looks, below the `share` of an installation."""


def page() -> str:
    """Return docs/options.md with the tables that the parser makes."""
    head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{''.join(tables())}{END}{tail}"


def tables() -> Iterator[str]:
    """Yield a table for each group of options."""
    for group in parser()._action_groups:
        rows = [row(action) for action in group._group_actions]
        if rows:
            title = (group.title or "")[:1].upper() + (group.title or "")[1:]
            head = "| option | meaning | default |\n|---|---|---|\n"
            yield f"\n### {title}\n\n{head}{''.join(rows)}"
    yield "\n"


def row(action: argparse.Action) -> str:
    """Return the row of one option: its spellings, what it means, and its default where help tells one."""
    value = f" {action.metavar}" if action.metavar else ""
    options = ", ".join(f"`{option}{value}`" for option in action.option_strings)
    text = (action.help or "") % {**vars(action), "prog": "chat-console"}
    meaning, default = re.fullmatch(r"(.*?)(?: \(default: (.*)\))?", text).groups("")
    return f"| {options} | {escaped(meaning)} | {escaped(default)} |\n"


def escaped(text: str) -> str:
    """Return `text` for a cell of a table; options in it become code."""
    return re.sub(r"(?<!\S)(--[a-z-]+)", r"`\1`", text.replace("|", r"\|"))


def write_share(share: Path) -> None:
    """Write the man page and the completions where an installation has them, below `share`."""
    for name, text in {"man/man1/chat-console.1": man_page(), **completions()}.items():
        file = share / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        print(file)


def man_page() -> str:
    """Return the man page; its date is that of SOURCE_DATE_EPOCH, where it is set."""
    from argparse_manpage.manpage import Manpage

    made = Manpage(parser())
    made.description = "run a chat room that people join with nc or telnet"
    made.source = f"chat-console {version('tcp-chat-console')}"
    made.manual = "User Commands"
    made.parse_include(MAN_SECTIONS)
    return str(made)


def completions() -> dict[str, str]:
    """Return the completions of each shell, by the file they belong in."""
    import shtab

    options = parser()
    for action in options._actions:
        if action.metavar == "FILE":
            action.complete = shtab.FILE
    return {file: shtab.complete(options, shell) for shell, file in COMPLETIONS.items()}


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_share(Path(sys.argv[1]))
    else:
        PAGE.write_text(page(), "utf-8")
