"""The options: what each means, what it is by default, and what is no option at all."""

from __future__ import annotations

import argparse
import re
import resource
from dataclasses import fields
from pathlib import Path

import pytest

from chat_console.app import options, usage
from chat_console.app.options import parser, settings
from chat_console.app.usage import UsageError
from chat_console.server.settings import Settings

INFINITE = resource.RLIM_INFINITY


class OpenFiles:
    """The system's limits of open files, in place of those of this process."""

    RLIMIT_NOFILE = resource.RLIMIT_NOFILE
    RLIM_INFINITY = INFINITE

    def __init__(self, soft: int, hard: int) -> None:
        self.soft = soft
        self.hard = hard

    def getrlimit(self, which: int) -> tuple[int, int]:
        assert which == self.RLIMIT_NOFILE
        return self.soft, self.hard

    def setrlimit(self, which: int, limits: tuple[int, int]) -> None:
        assert which == self.RLIMIT_NOFILE
        self.soft, self.hard = limits


@pytest.fixture
def open_files(monkeypatch: pytest.MonkeyPatch) -> OpenFiles:
    """Plenty of them, unless the test says otherwise."""
    limits = OpenFiles(1024, 1 << 20)
    monkeypatch.setattr(options, "resource", limits)
    return limits


def made_of(arguments: str) -> Settings:
    return settings(parser().parse_args(arguments.split()))


@pytest.fixture
def help_text(monkeypatch: pytest.MonkeyPatch) -> str:
    """The help on a terminal so wide that each option has a line, blanks made one."""
    monkeypatch.setenv("COLUMNS", "400")
    # Behind an option that fills its column argparse begins a new line.
    text = re.sub(r"\n {9,}", " ", parser().format_help())
    return re.sub(" +", " ", text)


class TestSettings:
    def test_the_defaults_are_those_of_the_settings_but_for_the_number_of_users(
        self, open_files: OpenFiles
    ) -> None:
        assert made_of("") == Settings(max_clients=10_000)
        assert Settings().port == 1234

    def test_each_option_reaches_its_setting(self, open_files: OpenFiles) -> None:
        arguments = (
            "-p 0 --host localhost --tls-cert cert.pem --tls-key key.pem --shared-nicks --rate 2.5 --burst 7 "
            "--notices-up-to 500 --max-clients 100 --max-per-ip 3 --connect-rate 6.5 --connect-burst 4 "
            "--max-backlog 4096 --stall-timeout 1.5 --bans bans.txt "
            "--trust 192.0.2.0/24 --trust ::ffff:198.51.100.0/120"
        )
        assert made_of(arguments) == Settings(
            hosts=("localhost",),
            port=0,
            tls_cert=Path("cert.pem"),
            tls_key=Path("key.pem"),
            notices_up_to=500,
            shared_nicks=True,
            rate=2.5,
            burst=7,
            max_clients=100,
            max_per_ip=3,
            connect_rate=6.5,
            connect_burst=4,
            trusted=("192.0.2.0/24", "::ffff:198.51.100.0/120"),
            max_backlog=4096,
            stall_timeout=1.5,
            bans_file=Path("bans.txt"),
        )

    def test_the_console_has_options_of_its_own(self) -> None:
        none = parser().parse_args([])
        switches = ("plain", "no_mouse", "no_bell", "no_line_history", "version")
        assert not any(getattr(none, name) for name in (*switches, "theme"))
        given = parser().parse_args(
            "--plain --no-mouse --no-bell --no-line-history --theme nord --version".split()
        )
        assert all(getattr(given, name) is True for name in switches)
        assert given.theme == "nord"

    def test_a_host_given_twice_is_listened_on_once(self, open_files: OpenFiles) -> None:
        hosts = "--host ::1 --host 127.0.0.1 --host ::1"
        assert made_of(hosts).hosts == ("::1", "127.0.0.1")

    @pytest.mark.parametrize("limit", ["rate", "max-clients", "max-per-ip", "connect-rate", "notices-up-to"])
    def test_zero_lifts_a_limit(self, limit: str, open_files: OpenFiles) -> None:
        assert getattr(made_of(f"--{limit} 0"), limit.replace("-", "_")) == 0

    @pytest.mark.parametrize("given", ["--tls-cert cert.pem", "--tls-key key.pem"])
    def test_a_certificate_and_its_key_go_together(self, given: str, open_files: OpenFiles) -> None:
        with pytest.raises(UsageError, match=r"^--tls-cert and --tls-key go together: give both or neither$"):
            made_of(given)
        assert open_files.soft == 1024

    def test_no_limit_on_notices_can_be_told_from_no_answer(self) -> None:
        assert parser().parse_args([]).notices_up_to is None
        assert parser().parse_args(["--notices-up-to", "0"]).notices_up_to == 0


class TestOpenFiles:
    @pytest.mark.parametrize(
        ("soft", "hard", "raised_to", "max_clients"),
        [
            pytest.param(1024, 4096, 4096, 4032, id="up to the hard limit"),
            pytest.param(1024, 1 << 20, 1 << 20, 10_000, id="more than the default needs"),
            pytest.param(4096, 4096, 4096, 4032, id="raised already"),
            pytest.param(256, INFINITE, 10_064, 10_000, id="no hard limit: as many as the default needs"),
            pytest.param(50_000, INFINITE, 50_000, 10_000, id="no hard limit, and raised further already"),
            pytest.param(20, 40, 40, 1, id="hardly any: one user all the same"),
        ],
    )
    def test_the_soft_limit_is_raised_and_the_default_number_of_users_fits(
        self, soft: int, hard: int, raised_to: int, max_clients: int, open_files: OpenFiles
    ) -> None:
        open_files.soft, open_files.hard = soft, hard
        assert made_of("").max_clients == max_clients
        assert (open_files.soft, open_files.hard) == (raised_to, hard)

    def test_more_users_than_the_default_may_be_asked_for(self, open_files: OpenFiles) -> None:
        assert made_of("--max-clients 50000").max_clients == 50_000

    def test_more_than_the_system_allows_is_refused_with_what_it_allows(self, open_files: OpenFiles) -> None:
        open_files.soft, open_files.hard = 256, 1024
        assert made_of("--max-clients 960").max_clients == 960
        with pytest.raises(UsageError) as error:
            made_of("--max-clients 961")
        assert str(error.value) == (
            "--max-clients 961 needs 1025 open files and the system allows 1024; "
            "raise the limit (ulimit -n), or ask for at most 960"
        )

    def test_the_limits_of_this_process_can_be_read_and_set(self) -> None:
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            options.settings(parser().parse_args([]))
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            assert hard == before[1]
            assert hard in (soft, INFINITE)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)


class TestHelp:
    def test_it_names_every_option_and_nothing_else(self, help_text: str) -> None:
        known = (
            "help version host port tls-cert tls-key notices-up-to shared-nicks welcome rate burst "
            "max-clients max-per-ip connect-rate connect-burst trust max-backlog stall-timeout bans "
            "history history-days history-private log log-format replay cluster room node cluster-hold "
            "cluster-storage cluster-replicas cluster-ca cluster-cert cluster-key cluster-creds plain theme "
            "no-mouse no-bell no-line-history"
        )
        assert re.findall(r"^ (?:-\w(?: \w+)?, )?--([a-z-]+)", help_text, re.MULTILINE) == known.split()

    @pytest.mark.parametrize(
        ("option", "unit", "default"),
        [
            ("--rate N", "lines per second from one user, 0.4 KiB each", Settings().rate),
            ("--burst N", "lines a user may send at once", Settings().burst),
            ("--max-clients N", "users connected", "the limit on open files less 64, at most 10000"),
            ("--max-per-ip N", "users from one address, loopback excepted", Settings().max_per_ip),
            ("--connect-rate N", "new connections per minute from one address", Settings().connect_rate),
            ("--connect-burst N", "new connections at once", Settings().connect_burst),
            ("--max-backlog BYTES", "reads too slowly", Settings().max_backlog),
            ("--stall-timeout SECONDS", "reads nothing for this long", Settings().stall_timeout),
            ("--host ADDR", "listen on this address", f"{Settings().hosts[0]}, this machine only"),
            ("--notices-up-to N", "with more users than this", "0; 1000 with --cluster"),
            ("--welcome FILE", "show this text to everyone who joins, at most 4096 bytes", "none"),
            ("--bans FILE", "keep the bans in this file", "in memory only"),
        ],
    )
    def test_each_limit_has_its_unit_and_its_default(
        self, option: str, unit: str, default: object, help_text: str
    ) -> None:
        (line,) = [line for line in help_text.splitlines() if line.startswith(f" {option} ")]
        assert unit in line
        assert line.endswith(f"(default: {default})")

    @pytest.mark.parametrize(
        "limit", ["--rate", "--max-clients", "--max-per-ip", "--connect-rate", "--notices-up-to"]
    )
    def test_it_says_where_zero_means_no_limit(self, limit: str, help_text: str) -> None:
        (line,) = [line for line in help_text.splitlines() if line.startswith(f" {limit} ")]
        assert "; 0 = no limit" in line

    def test_it_fits_a_terminal_of_80_columns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        assert max(map(len, parser().format_help().splitlines())) <= 80


# What is no option, or no value of one


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--bogus", "unrecognized arguments: --bogus"),
        ("surplus", "unrecognized arguments: surplus"),
        ("--po 1", "unrecognized arguments: --po 1"),
        ("--port", "argument -p/--port: expected one argument"),
        ("--port x", "argument -p/--port: 'x' is not a whole number"),
        ("--max-clients 1.5", "argument --max-clients: '1.5' is not a whole number"),
        ("--rate x", "argument --rate: 'x' is not a number"),
        ("--max-per-ip x", "argument --max-per-ip: 'x' is not a whole number"),
        ("--bans=", "argument --bans: a file needs a name"),
        ("--welcome=", "argument --welcome: a file needs a name"),
        ("--tls-cert= --tls-key=", "argument --tls-cert: a file needs a name"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_with_exit_code_2(
    arguments: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parser().parse_args(arguments.split())
    assert end.value.code == 2
    assert capfd.readouterr() == ("", f"chat-console: {told}; chat-console --help shows all options\n")


def test_it_stays_one_line_whatever_was_given(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--a\nb\x1b[31m\udcff"])
    assert capfd.readouterr().err == (
        "chat-console: unrecognized arguments: --ab; chat-console --help shows all options\n"
    )


class TestWelcome:
    def test_is_read_from_a_file(self, open_files: OpenFiles, tmp_path: Path) -> None:
        file = tmp_path / "welcome"
        file.write_bytes("\ufeffGrüße!\r\n\r\nType /help.\n\n".encode())
        assert made_of(f"--welcome {file}").welcome.splitlines() == ["Grüße!", "", "Type /help."]

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (None, "cannot read {file}: No such file or directory; see --welcome"),
            (b"Gr\xfc\xdfe", "{file} is not UTF-8 text; see --welcome"),
            (b"x" * 4097, "{file} is longer than 4096 bytes; shorten it, or see --welcome"),
            ("é".encode() * 2049, "{file} is longer than 4096 bytes; shorten it, or see --welcome"),
        ],
        ids=["missing", "latin-1", "too long", "too long in bytes"],
    )
    def test_that_cannot_be_used_is_refused_with_the_reason(
        self, content: bytes | None, told: str, open_files: OpenFiles, tmp_path: Path
    ) -> None:
        file = tmp_path / "welcome"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(UsageError) as error:
            made_of(f"--welcome {file}")
        assert str(error.value) == told.format(file=file)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--port 65536", "--port must be a whole number from 0 to 65535, not 65536"),
        ("--port -1", "--port must be a whole number from 0 to 65535, not -1"),
        ("--rate -1", "--rate must be 0 or a number from 0.001 to 1000000, not -1.0"),
        ("--rate nan", "--rate must be 0 or a number from 0.001 to 1000000, not nan"),
        ("--burst 0", "--burst must be a whole number from 1 to 1000000, not 0"),
        ("--connect-rate inf", "--connect-rate must be 0 or a number from 0.001 to 1000000, not inf"),
        ("--connect-burst 0", "--connect-burst must be a whole number from 1 to 1000000, not 0"),
        ("--max-clients -1", "--max-clients must be a whole number from 0 to 1000000, not -1"),
        ("--max-backlog 1023", "--max-backlog must be a whole number from 1024 to 1073741824, not 1023"),
        ("--stall-timeout 0", "--stall-timeout must be a number from 1 to 86400, not 0.0"),
        ("--trust school", "--trust must be networks such as 192.0.2.0/24, not 'school'"),
        ("--trust 192.0.2.0/33", "--trust must be networks such as 192.0.2.0/24, not '192.0.2.0/33'"),
        ("--host \x00", "--host must be printable text without surrounding blanks, not '\\x00'"),
    ],
)
def test_a_value_that_the_settings_refuse_is_told_by_its_option(
    arguments: str, told: str, open_files: OpenFiles
) -> None:
    with pytest.raises(UsageError) as error:
        made_of(arguments)
    assert str(error.value) == told
    assert open_files.soft == 1024


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("1234", 1234), ("007", 7), ("65535", 65535), ("-1", -1)]
)
def test_a_whole_number_is_decimal_digits(text: str, number: int) -> None:
    assert usage.whole_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["", "-", "+1", "--1", " 1", "1 ", "1.5", "1e3", "0x10", "1_000", "\u0663", "\u00b2", "many", "9" * 5000],
)
def test_all_else_is_no_whole_number(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not a whole number$"):
        usage.whole_number(text)


@pytest.mark.parametrize(
    ("text", "number"), [("1", 1.0), ("2.5", 2.5), (".5", 0.5), ("1e1", 10.0), ("-1", -1.0)]
)
def test_a_number_may_have_a_fraction(text: str, number: float) -> None:
    assert usage.number(text) == number


@pytest.mark.parametrize("text", ["", "1,5", "many", "1_0", "\u0661"])
def test_all_else_is_no_number(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not a number$"):
        usage.number(text)


def test_every_setting_that_is_not_inner_has_an_option() -> None:
    inner = {
        "held_grace",
        "max_line",
        "max_subnegotiation",
        "read_size",
        "read_slice",
        "flush_slice",
        "close_grace",
        "stop_grace",
        "listen_queue",
        "tls_handshake_timeout",
    }
    names = {
        "hosts": "host",
        "bans_file": "bans",
        "trusted": "trust",
        "history_file": "history",
        "recorded": "log",
    }
    expected = {names.get(field.name, field.name) for field in fields(Settings)} - inner
    assert expected <= vars(parser().parse_args([])).keys()
