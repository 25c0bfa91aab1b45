"""The bans file: what it may hold, how it is written, and who may use it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chat_console.server.addresses import network_of
from chat_console.server.gate import bans_file as module
from chat_console.server.gate.bans_file import BansFile, BansFileError, Line


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bans"


@pytest.fixture
def file(path: Path) -> Iterator[BansFile]:
    file = BansFile(path)
    yield file
    file.close()


def ban(network: str, end: int | None = None, text: str = "") -> Line:
    return Line(network_of(network), end, text)


def visible(directory: Path) -> set[str]:
    return {each.name for each in directory.iterdir()} - {".bans.lock"}


class TestReading:
    def test_gives_each_ban_with_its_end(self, file: BansFile, path: Path) -> None:
        path.write_text("192.0.2.0/24 -\n2001:db8::7/128 1700003600\n192.0.2.7 0\n")
        assert file.read() == [
            ban("192.0.2.0/24"),
            ban("2001:db8::7", 1_700_003_600),
            ban("192.0.2.7", 0),
        ]

    def test_gives_blank_lines_and_comments_too(self, file: BansFile, path: Path) -> None:
        path.write_text("# who spoiled it\n\n  \t\n192.0.2.7 -  # a spammer\n\t# the end \u2028 of it")
        assert file.read() == [
            Line(None, None, "# who spoiled it"),
            Line(None),
            Line(None),
            ban("192.0.2.7", None, "  # a spammer"),
            Line(None, None, "# the end \u2028 of it"),
        ]

    @pytest.mark.parametrize(
        "content",
        [
            b"\xef\xbb\xbf192.0.2.7 -\n192.0.2.8 -\n",
            b"192.0.2.7 -\r\n192.0.2.8 -\r\n",
            b"192.0.2.7 -\r192.0.2.8 -",
            b"  192.0.2.7\t-\n192.0.2.8/32 -#x\n",
            b"::ffff:192.0.2.7 -\n::ffff:c000:208/128 -\n",
        ],
        ids=["byte-order mark", "CRLF", "CR", "blanks", "IPv4 in IPv6"],
    )
    def test_takes_what_editors_make_of_it(self, file: BansFile, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        assert [line.network for line in file.read()] == [network_of("192.0.2.7"), network_of("192.0.2.8")]

    def test_of_one_that_is_missing_or_empty_gives_nothing(self, file: BansFile, path: Path) -> None:
        assert file.read() == []
        assert not path.exists()
        path.write_text("")
        assert file.read() == []

    def test_of_one_that_is_missing_can_be_an_error(self, file: BansFile, path: Path) -> None:
        with pytest.raises(BansFileError) as raised:
            file.read(missing_ok=False)
        assert str(raised.value) == f"{path}: No such file or directory"

    @pytest.mark.parametrize(
        ("content", "line"),
        [
            ("Bob -\n", "line 1: 'Bob -'"),
            ("192.0.2.7 -\n\n192.0.2.8", "line 3: '192.0.2.8'"),
            ("192.0.2.7 soon\n", "line 1"),
            ("192.0.2.7/24 -\n", "line 1"),
            ("192.0.2.7 - -\n", "line 1"),
            ("192.0.2.7 -x\n", "line 1"),
            ("- 192.0.2.7\n", "line 1"),
            ("::ffff:192.0.2.0/24 -\n", "line 1"),
            ("192.0.2.7 -5\n", "line 1"),
            ("192.0.2.7 +5\n", "line 1"),
            ("192.0.2.7 1e9\n", "line 1"),
            ("192.0.2.7 1.5\n", "line 1"),
            ("192.0.2.7 inf\n", "line 1"),
            ("192.0.2.7 nan\n", "line 1"),
            ("192.0.2.7 1_0\n", "line 1"),
            ("192.0.2.7 \u0661\u0662\n", "line 1"),
            ("192.0.2.\u0667 -\n", "line 1"),
            (f"192.0.2.7 {'9' * 13}\n", "line 1"),
            (f"192.0.2.7 {'9' * 5000}\n", "line 1"),
            (f"192.0.2.7/{'9' * 5000} -\n", "line 1"),
            ("192.0.2.7 -\0\n", "line 1: '192.0.2.7 -\\x00'"),
        ],
    )
    def test_refuses_all_else_with_the_line(
        self, file: BansFile, path: Path, content: str, line: str
    ) -> None:
        path.write_text(content)
        with pytest.raises(BansFileError) as raised:
            file.read()
        message = str(raised.value)
        assert message.startswith(f"{path}, {line}")
        assert message.endswith("is not a network and a time; fix it")
        assert len(message) < 200 + len(str(path))
        assert message.isprintable()

    def test_takes_the_latest_end_that_a_ban_can_have(self, file: BansFile, path: Path) -> None:
        path.write_text(f"192.0.2.7 {'9' * 12}\n")
        assert file.read() == [ban("192.0.2.7", 10**12 - 1)]

    def test_of_what_is_not_text_is_refused(self, file: BansFile, path: Path) -> None:
        path.write_bytes(b"\xff\xfe")
        with pytest.raises(BansFileError, match=r"utf-8.*; fix it$"):
            file.read()

    def test_that_fails_is_told(self, file: BansFile, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: Path) -> bytes:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        path.write_text("")
        monkeypatch.setattr(Path, "read_bytes", fail)
        with pytest.raises(BansFileError) as raised:
            file.read()
        assert str(raised.value) == f"{path}: Permission denied; fix it"

    def test_of_what_has_become_a_fifo_does_not_wait(self, file: BansFile, path: Path) -> None:
        os.mkfifo(path)
        with pytest.raises(BansFileError, match="is not a regular file"):
            file.read()


class TestWriting:
    def test_makes_what_is_read_again(self, file: BansFile, path: Path) -> None:
        lines = [
            Line(None, None, "# who spoiled it"),
            ban("192.0.2.0/24", None, " # all of them"),
            Line(None),
            ban("2001:db8::7", 1_700_003_600),
        ]
        file.write(lines)
        assert path.read_text() == (
            "# who spoiled it\n192.0.2.0/24 - # all of them\n\n2001:db8::7/128 1700003600\n"
        )
        assert file.read() == lines

    def test_is_for_the_operators_eyes_alone_also_where_it_was_not(self, file: BansFile, path: Path) -> None:
        path.write_text("")
        path.chmod(0o644)
        file.read()
        file.write([])
        assert path.stat().st_mode & 0o7777 == 0o600

    def test_is_one_step_and_leaves_nothing_else_behind(
        self, file: BansFile, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file.write([ban("192.0.2.7")])
        before = path.read_text()
        synced: list[str] = []

        def fsync(descriptor: int) -> None:
            # What is written is complete and not yet in the place of the old.
            (new,) = visible(path.parent) - {"bans"}
            synced.append((path.parent / new).read_text())
            assert path.read_text() == before

        monkeypatch.setattr(os, "fsync", fsync)
        file.write([ban("192.0.2.8")])
        assert synced == [path.read_text()]
        assert visible(path.parent) == {"bans"}

    def test_loses_nothing_that_somebody_else_has_written(self, file: BansFile, path: Path) -> None:
        path.write_text("192.0.2.7 -\n")
        file.read()
        file.write([ban("192.0.2.7"), ban("192.0.2.8")])
        with path.open("a") as editor:
            editor.write("192.0.2.9 -\n")
        before = path.read_text()
        with pytest.raises(OSError, match="somebody else has changed it; type /reload to read it"):
            file.write([])
        assert path.read_text() == before
        lines = file.read()
        file.write(lines)
        path.unlink()  # which nobody can lose anything by
        file.write(lines)
        assert file.read() == lines

    @pytest.mark.parametrize("there", [True, False])
    def test_through_a_link_replaces_what_it_leads_to(self, tmp_path: Path, there: bool) -> None:
        (tmp_path / "kept").mkdir()
        (tmp_path / "here").mkdir()
        target, link = tmp_path / "kept" / "target", tmp_path / "here" / "bans"
        link.symlink_to("../kept/target")
        if there:
            target.write_text("192.0.2.7 -\n")
        file = BansFile(link)
        assert len(file.read()) == there
        file.write([ban("192.0.2.8")])
        file.close()
        assert link.is_symlink()
        assert not target.is_symlink()
        assert target.read_text() == "192.0.2.8/32 -\n"
        assert list((tmp_path / "here").iterdir()) == [link]
        assert list((tmp_path / "kept").iterdir()) == [target]


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fsync_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", no_space)


def replace_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "replace", no_space)


def mkstemp_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.tempfile, "mkstemp", lambda **_: no_space())


class TestFullDisk:
    @pytest.mark.parametrize("fault", [mkstemp_fails, fsync_fails, replace_fails])
    def test_leaves_the_old_file_and_is_told(
        self,
        file: BansFile,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
        fault: Callable[[pytest.MonkeyPatch], None],
    ) -> None:
        file.write([ban("192.0.2.7")])
        before = path.read_bytes()
        fault(monkeypatch)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            file.write([ban("192.0.2.8")])
        assert path.read_bytes() == before
        assert visible(path.parent) == {"bans"}

    def test_is_told_also_where_the_new_file_cannot_be_removed(
        self, file: BansFile, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        fsync_fails(monkeypatch)
        with monkeypatch.context() as patch:
            patch.setattr(os, "unlink", no_space)
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                file.write([])
        assert not path.exists()


class TestUse:
    """Whether a server may use it: that is found out when it starts."""

    def refusal(self, path: Path) -> str:
        with pytest.raises(BansFileError) as raised:
            BansFile(path)
        return str(raised.value)

    def test_of_a_directory_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "none" / "bans"
        assert self.refusal(path) == f"{path}: No such file or directory; fix it"

    def test_of_a_directory_that_cannot_be_written_is_refused(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**_: object) -> None:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(module.tempfile, "mkstemp", fail)
        assert self.refusal(path) == f"{path}: Permission denied; fix it"
        assert list(path.parent.iterdir()) == []

    def test_of_a_directory_is_refused(self, tmp_path: Path) -> None:
        assert self.refusal(tmp_path) == f"{tmp_path}: is a directory; fix it"
        assert self.refusal(Path("/")) == "/: is a directory; fix it"
        assert list(tmp_path.iterdir()) == []

    def test_of_what_a_file_must_not_replace_is_refused(self, path: Path) -> None:
        assert self.refusal(Path("/dev/null")) == "/dev/null: is not a regular file; fix it"
        os.mkfifo(path)  # which would be read for ever
        assert self.refusal(path) == f"{path}: is not a regular file; fix it"

    def test_of_links_in_a_circle_is_refused(self, path: Path) -> None:
        path.symlink_to(path)
        assert self.refusal(path) == f"{path}: {os.strerror(errno.ELOOP)}; fix it"

    def test_by_a_second_server_is_refused(self, file: BansFile, path: Path) -> None:
        assert self.refusal(path) == f"{path} is in use by another server; stop it"
        file.write([ban("192.0.2.7")])  # by which the file is another one
        assert self.refusal(path) == f"{path} is in use by another server; stop it"

    def test_by_a_second_server_through_a_link_is_refused(self, file: BansFile, path: Path) -> None:
        link = path.with_name("link")
        link.symlink_to(path)
        assert self.refusal(link) == f"{link} is in use by another server; stop it"

    def test_by_the_next_server_is_allowed(self, path: Path) -> None:
        for _ in range(2):
            file = BansFile(path)
            file.close()
            file.close()
            assert list(path.parent.iterdir()) == []

    def test_after_a_crash_is_allowed(self, path: Path) -> None:
        lock = path.with_name(".bans.lock")
        lock.write_text("")
        file = BansFile(path)
        assert self.refusal(path) == f"{path} is in use by another server; stop it"
        file.close()

    def test_is_not_gained_by_the_lock_of_one_who_is_just_leaving(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import fcntl

        flock = fcntl.flock
        lock = path.with_name(".bans.lock")
        steps = iter([lock.unlink, lambda: (lock.unlink(), lock.write_text("")), lambda: None])

        def late(descriptor: int, how: int) -> None:
            next(steps)()
            flock(descriptor, how)

        monkeypatch.setattr(fcntl, "flock", late)
        file = BansFile(path)
        monkeypatch.undo()
        assert next(steps, None) is None
        assert self.refusal(path) == f"{path} is in use by another server; stop it"
        file.close()

    @pytest.mark.parametrize("lacking", ["the module", "the file system"])
    def test_goes_without_locks_where_there_are_none(
        self, path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
    ) -> None:
        def fail(*_: int) -> None:
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

        if lacking == "the module":
            monkeypatch.setitem(sys.modules, "fcntl", None)
        else:
            monkeypatch.setattr("fcntl.flock", fail)
        files = [BansFile(path), BansFile(path)]
        files[1].write([ban("192.0.2.7")])
        assert files[0].read() == [ban("192.0.2.7")]
        assert list(path.parent.iterdir()) == [path]
        for file in files:
            file.close()
