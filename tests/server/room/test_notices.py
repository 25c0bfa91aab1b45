"""Every sentence that the server sends, letter for letter."""

from __future__ import annotations

import pytest

from chat_console.server.addresses import Address, Endpoint, Network, network_of
from chat_console.server.room import notices
from chat_console.server.room.commands import Role, help_for

SEVEN = network_of("192.0.2.7")


@pytest.mark.parametrize(
    ("notice", "sentence"),
    [
        (notices.server_started(12345), "Server started on port 12345"),
        (notices.welcome(Address("127.0.0.1", 41050)), "Welcome 127.0.0.1|41050 to the server!"),
        (notices.you_are_now("Malcolm"), "You are now Malcolm"),
        (notices.is_now("127.0.0.1|41050", "Malcolm"), "127.0.0.1|41050 is now Malcolm"),
        (notices.said("Malcolm", ["Hello"]), "Malcolm: Hello"),
        (notices.said("Malcolm", ["one", "two"]), "Malcolm: one\nMalcolm: two"),
        (notices.said(notices.OPERATOR, ["Hello users!"]), "Operator: Hello users!"),
        (notices.private("Jimmy", "Hey, how's it going?"), "Jimmy(private): Hey, how's it going? "),
        (
            notices.operator_private("Operator", "You're my favorite <3"),
            "Operator (private): You're my favorite <3 ",
        ),
        (notices.message_sent(1, "Malcolm"), "Message sent to 1 users of name Malcolm"),
        (notices.listed([("127.0.0.1|41050", "Malcolm")]), "127.0.0.1|41050 as Malcolm"),
        (notices.listed([("::1|1", "::1|1"), ("::1|2", "Bob")]), "::1|1 as ::1|1\n::1|2 as Bob"),
        (notices.no_other_users(), "No other users connected"),
        (notices.no_users(), "No users connected"),
        (notices.has_left("Malcolm"), "Malcolm has left the server."),
        (notices.you_have_left(), "You have left the server"),
        (notices.kicked(1), "Kicked 1 people."),
        (notices.muted(), "You are muted"),
        (notices.no_longer_muted(), "You are no longer muted"),
        (notices.is_muted("Bob"), "Bob is muted"),
        (notices.is_muted("Bob", 600), "Bob is muted for 10m"),
        (notices.is_muted("Bob", 600, "insults"), "Bob is muted for 10m (insults)"),
        (notices.is_unmuted("Bob"), "Bob is no longer muted"),
        (notices.was_not_muted("Bob"), "Bob was not muted"),
        (notices.was_kicked("Ann, Bob"), "Ann, Bob was kicked"),
        (notices.was_sent("Bob"), "sent to Bob"),
        (notices.nobody_called("Karm", "karim"), "nobody here is called Karm (karim?)"),
        (notices.nobody_called("Karm", None), "nobody here is called Karm"),
        (notices.already_left(), "this user has already left"),
        (
            notices.silenced("Bob", ["hey", "you"]),
            "Bob, who is muted, said: hey\nBob, who is muted, said: you",
        ),
        (notices.muted_count(1), "Muted 1 people."),
        (notices.unmuted_count(0), "Unmuted 0 people."),
        (notices.server_full(), "Server is full"),
        (notices.too_many_connections(), "Too many connections from your address"),
        (notices.banned(), "You are banned from this server"),
        (
            notices.ban_added([SEVEN, network_of("192.0.2.0/24")], 7200),
            "Banned 192.0.2.7, 192.0.2.0/24 for 2h.",
        ),
        (notices.ban_lifted("192.0.2.0/24"), "Lifted the ban on 192.0.2.0/24."),
        (notices.bans_listed([]), "Nobody is banned"),
        (notices.no_such_ban("192.0.2.7"), "There is no ban on 192.0.2.7. Type /bans."),
        (
            notices.not_an_address("Bob"),
            "Bob is not a user here, an IP address or a network such as 192.0.2.0/24",
        ),
        (
            notices.ban_of_loopback("127.0.0.1", "/ban Bob 2h --force"),
            "127.0.0.1 is this machine itself; to ban it anyway, type: /ban Bob 2h --force",
        ),
        (notices.bans_reloaded(2, 0), "Reloaded the bans file: 2 bans in force."),
        (notices.bans_reloaded(2, 3), "Reloaded the bans file: 2 bans in force. Dropped 3 people."),
        (notices.bans_not_read("bans: gone"), "The bans are unchanged: bans: gone"),
        (
            notices.bans_not_written("Disk full"),
            "Could not write the bans file (Disk full): this change lasts only until the server stops.",
        ),
        (
            notices.certificate_reloaded(),
            "Reloaded the TLS certificate: new connections use it.",
        ),
        (
            notices.certificate_refused("cert.pem: expired"),
            "The TLS certificate is unchanged: cert.pem: expired",
        ),
        (
            notices.no_certificate(),
            "This server does not use TLS: there is no certificate to reload.",
        ),
        (
            notices.nothing_to_reload(),
            "Nothing to reload: no TLS certificate and no bans file.",
        ),
        (
            notices.refused(3, "Server is full", "192.0.2.7"),
            "Refused 3 connections, the last from 192.0.2.7: Server is full",
        ),
        (notices.was_dropped("Bob", "read too slowly"), "Bob was dropped: read too slowly"),
        (notices.failed("Bob", "KeyError: 1"), "Error while serving Bob: KeyError: 1"),
        (notices.no_handshake(), "no TLS handshake"),
        (notices.lines_dropped(3), "3 lines over its rate limit dropped"),
        (notices.not_printed(2, notices.nobody_reads()), "2 lines were not printed: nobody read them"),
        (notices.cannot_print("Broken pipe"), "cannot print any more: Broken pipe"),
        (notices.cannot_print_for_now("Disk full"), "cannot print for now: Disk full"),
        (notices.left("Bob", "kicked", ""), "Bob left: kicked"),
        (notices.left("Bob", "kicked", "too loud"), "Bob left: kicked (too loud)"),
        (
            notices.join_with(Endpoint("192.0.2.7", 1234), encrypted=False),
            "People join with: nc 192.0.2.7 1234",
        ),
        (
            notices.join_with(Endpoint("2001:db8::7", 1234), encrypted=True),
            "People join with: ncat --ssl 2001:db8::7 1234",
        ),
        (notices.shutting_down(), "Server is shutting down"),
        (notices.invalid_nickname(), "Invalid nickname: use 1-20 of A-Z a-z 0-9 _ - ."),
        (notices.reserved_nickname("Root"), "Nickname Root is reserved"),
        (notices.nickname_in_use("Bob"), "Nickname Bob is already in use"),
        (notices.too_long(2048), "Message too long (max 2048 bytes)"),
        (notices.nothing_left(), "Nothing of that line could be shown"),
        (notices.usage("/msg <recipient> <message>"), "Usage: /msg <recipient> <message>"),
        (
            notices.came_and_went(1204, 1180, 103_402),
            "1,204 users joined and 1,180 left; 103,402 are here.",
        ),
        (
            notices.listed_in_part([("192.0.2.7|41050", "Bob")], 999_800),
            "192.0.2.7|41050 as Bob\n… and 999,800 others. Type /list WORD for names with WORD.",
        ),
        (notices.more_with(1804, "bob"), "… and 1,804 others with bob."),
        (notices.nobody_with("zoe", others=True), "No other users with zoe"),
        (notices.nobody_with("zoe", others=False), "No users with zoe"),
        (notices.unknown_command("/foo"), "Unknown command /foo. Type /help."),
    ],
    ids=lambda value: "" if value.startswith(("\n", " ")) else value,
)
def test_the_wording_is_the_wire_contract(notice: str, sentence: str) -> None:
    assert notice == sentence


def test_the_help_of_a_client() -> None:
    assert help_for(Role.CLIENT, encrypted=False).split("\n") == [
        "/nick <name>                take a nickname: 1-20 of A-Z a-z 0-9 _ - .",
        "/msg <recipient> <message>  send a private message",
        "/list [word]                show who is here, or only names with a word",
        "/help                       show the commands",
        "/quit                       leave",
        "text                        say something to everybody; //text says /text",
        "Nothing on the wire is encrypted: anyone on the network path can read it.",
    ]


def test_the_help_of_the_operator() -> None:
    usages = [
        "/msg <recipient> <message>",
        "/kick <recipient> [reason]",
        "/mute <recipient> [10m] [reason]",
        "/unmute <recipient>",
        "/ban <recipient|address|network> [2h] [reason] [--force]",
        "/unban <address|network>",
        "/bans",
        "/reload",
        "/list [word]",
        "/help",
        "/quit",
        "text",
    ]
    *lines, warning = help_for(Role.OPERATOR, encrypted=False).split("\n")
    assert [line[:58].rstrip() for line in lines] == usages
    assert lines[2][58:] == "mute a user, optionally for a time; the reason is logged"
    assert lines[-1][58:] == "say something to everybody; //text says /text"
    assert warning == "Nothing on the wire is encrypted: anyone on the network path can read it."


def test_only_so_many_networks_are_named() -> None:
    networks = [Network(4, number, 32) for number in range(7)]
    some = "0.0.0.0, 0.0.0.1, 0.0.0.2, 0.0.0.3, 0.0.0.4 and 2 more"
    assert notices.ban_added(networks, None) == f"Banned {some} until unbanned."
    assert notices.ban_asked(networks, ["Ann"]).startswith(f"Banning {some} drops Ann.")


def test_only_so_many_are_named_who_would_be_dropped() -> None:
    assert notices.ban_question(SEVEN, ["Ann", "Bob"]) == "Ban 192.0.2.7? This drops Ann, Bob."
    names = [f"u{number}" for number in range(30)]
    for question in (notices.ban_question(SEVEN, names), notices.ban_asked([SEVEN], names)):
        assert "drops u0, u1, u2, u3, u4 and 25 more." in question


@pytest.mark.parametrize("role", Role)
def test_the_help_over_tls_does_not_warn_of_the_wire(role: Role) -> None:
    assert "encrypted" not in help_for(role, encrypted=True)


def test_the_warning_of_a_public_port_is_one_plain_sentence() -> None:
    assert notices.public_warning(encrypted=False) == (
        "Anyone who can reach this port can join, and nothing on the wire is encrypted."
    )
    assert notices.public_warning(encrypted=True) == "Anyone who can reach this port can join."


@pytest.mark.parametrize(
    ("seconds", "span"),
    [
        (None, "until unbanned"),
        (0.2, "for 1s"),
        (59, "for 59s"),
        (60, "for 1m"),
        (61, "for 61s"),
        (119.6, "for 2m"),
        (600, "for 10m"),
        (3600, "for 1h"),
        (5400, "for 90m"),
        (7200, "for 2h"),
        (86_400, "for 1d"),
        (90_000, "for 25h"),
        (604_800, "for 7d"),
    ],
)
def test_a_time_to_come_is_told_in_the_largest_unit_that_rounds_little(
    seconds: float | None, span: str
) -> None:
    assert notices.bans_listed([(SEVEN, seconds)] * 2) == f"192.0.2.7 {span}\n192.0.2.7 {span}"
