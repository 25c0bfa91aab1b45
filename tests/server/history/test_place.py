"""The history's file: who may have it, and whether it is still where it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chat_console.server.history.place import HistoryError, Place, is_on_network


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0, 0o077])
def test_only_its_owner_may_read_it(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        place = Place(path)
    finally:
        os.umask(before)
    assert mode(path) == mode(path.with_name("chat.db-lock")) == 0o600
    assert place.is_empty
    place.close()


def test_it_is_for_one_server_at_a_time(path: Path) -> None:
    first = Place(path)
    with pytest.raises(HistoryError, match=r"chat\.db is in use by another chat-console; end that one"):
        Place(path)
    first.close()
    assert sorted(each.name for each in path.parent.iterdir()) == ["chat.db"]
    Place(path).close()


@pytest.mark.parametrize("name", ["chat.db", "chat.db-lock"])
def test_a_symbolic_link_is_not_followed(path: Path, name: str) -> None:
    target = path.with_name("target")
    path.with_name(name).symlink_to(target)
    with pytest.raises(HistoryError, match=r"is a symbolic link; name the file itself"):
        Place(path)
    assert not target.exists()


def test_a_file_with_other_names_is_refused(path: Path) -> None:
    path.touch()
    os.link(path, path.with_name("other"))
    with pytest.raises(HistoryError, match=r"has other names too \(hard links\)"):
        Place(path)


def test_what_is_no_file_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(HistoryError, match=r"is not a regular file"):
        Place(path)
    path.rmdir()
    os.mkfifo(path)
    with pytest.raises(HistoryError, match=r"is not a regular file"):
        Place(path)


def test_a_file_of_somebody_else_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(HistoryError, match=r"belongs to somebody else"):
        Place(path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"^cannot open .*chat\.db: No such file or directory$"):
        Place(tmp_path / "none" / "chat.db")


def test_whoever_was_refused_holds_nothing(path: Path) -> None:
    path.mkdir()
    before = os.listdir("/proc/self/fd") if Path("/proc/self/fd").exists() else []
    for _ in range(3):
        with pytest.raises(HistoryError):
            Place(path)
    path.rmdir()
    if before:
        assert len(os.listdir("/proc/self/fd")) == len(before)
    Place(path).close()


def test_it_knows_whether_it_was_taken_away(path: Path) -> None:
    place = Place(path)
    assert place.is_there()
    path.rename(path.with_name("old.db"))
    assert not place.is_there()
    path.touch()
    assert not place.is_there()
    path.with_name("old.db").rename(path)
    assert place.is_there()
    place.close()


MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:30 / /home rw shared:2 - nfs4 server:/home rw
31 30 0:31 / /home/local rw shared:3 - ext4 /dev/vdb rw
32 22 0:32 / /mnt/my\040share rw - cifs //server/share rw
33 22 0:33 / /twice rw - nfs server:/a rw
34 33 0:34 / /twice rw - ext4 /dev/vdc rw
broken
"""


@pytest.mark.parametrize(
    ("folder", "is_remote"),
    [
        ("/var", False),
        ("/home/ann", True),
        ("/home/local/x", False),
        ("/mnt/my share", True),
        ("/twice", False),
    ],
)
def test_a_network_file_system_is_recognised(tmp_path: Path, folder: str, *, is_remote: bool) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    assert is_on_network(Path(folder, "chat.db"), mounts) == is_remote


def test_without_a_list_of_mounts_none_is(tmp_path: Path) -> None:
    assert not is_on_network(tmp_path / "chat.db", tmp_path / "none")
