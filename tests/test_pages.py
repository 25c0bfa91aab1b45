"""The pages: as short as they should be, their links lead somewhere, and the files they name exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
PACKAGES = ("app", "server", "widgets")


def anchors(page: Path) -> set[str]:
    """The names by which a link may lead to a heading of `page`, as GitHub and GitLab make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").split()) <= 600


def test_every_link_leads_somewhere() -> None:
    broken: list[tuple[str, str]] = []
    for page in PAGES:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
            file, _, anchor = link.partition("#")
            target = page.parent / file if file else page
            if link.startswith("https://"):
                continue
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append((page.name, link))
    assert broken == []


def test_the_architecture_names_every_file_of_the_product() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    named: set[str] = set()
    for row in re.findall(r"^\| (`[^|]*\.(?:py|tcss)`) \|", text, re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([^`]*)`", row):
            # A row names its folder once.
            folder = name.rpartition("/")[0] or folder
            named.add(f"{folder}/{name.rpartition('/')[2]}".lstrip("/"))
    files = {
        path.relative_to(ROOT).as_posix().removeprefix("server/")
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", ".tcss") and path.name != "__init__.py"
    }
    assert named == files
