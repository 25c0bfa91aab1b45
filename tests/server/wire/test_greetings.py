"""Other protocols are known by their first bytes, however these come; what people write is none of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chat_console.server.wire.greetings import Greeting

TLS_HELLO = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(range(200))
PROXY_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\1\x7f\0\0\1\x9c\x40\x04\xd2"

FOREIGN = {
    "HTTP": [
        b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        b"GET / HTTP/1.0\n\n",
        b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /" + b"a%20" * 20_000,
        b"PROPFIND /" + b"a" * 3000 + b" HTTP/1.1\r\n",
        *(
            verb + b" /index.html?q=1 HTTP/1.1\r\n"
            for verb in b"GET HEAD POST PUT DELETE OPTIONS TRACE PATCH PROPFIND MKCOL M-SEARCH PURGE".split()
        ),
        b"CONNECT example.org:443 HTTP/1.1\r\n",
        b"GET http://example.org/ HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"GET /a path with blanks HTTP/1.1\r\n",
        b"GET index.html HTTP/1.0\r\n",
        b"GET /\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\r\n\r\nGET / HTTP/1.1\r\n",
        b"GET / HTTP/1.0",
        b"HTTP/1.1 200 OK\r\n",
        b"OPTIONS / RTSP/1.0\r\n\r\n",
        b"DESCRIBE rtsp://example.org/x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n",
        b"INVITE sip:bob@example.org SIP/2.0\r\n",
        b"SIP/2.0 200 OK\r\n",
    ],
    "TLS": [TLS_HELLO, b"\x16\x03\x03", b"\x15\x03\x01\0\x02\x02\x28"],
    "SSH": [b"SSH-2.0-OpenSSH_9.2\r\n", b"SSH-1.99-x\n", b"SSH-2.0-"],
    "SMTP": [b"EHLO masscan\r\n", b"EHLO\r\n", b"EHLO [127.0.0.1]\n", b"HELO example.org\r\n", b"LHLO x\r\n"],
    "IRC": [
        b"NICK bob\r\nUSER bob 0 * :Bob\r\n",
        b"NICK bob\nUSER bob localhost host :bob\n",
        b"USER bob 0 * :Bob\r\nNICK bob\r\n",
        b"USER bob localhost host :Bob\r\nNICK bob\r\n",
        b"USER bob localhost host bob\r\nNICK bob\r\n",
        b"USER bob 8 x :Bob\r\n",
        b"PASS secret\r\nNICK bob\r\nUSER bob 8 * :Bob B\r\n",
        b"CAP LS 302\r\nNICK bob\r\n",
        b"CAP LS\r\n",
        b"CAP REQ :sasl\r\n",
        b"USER anonymous\r\nPASS guest@\r\n",
    ],
    "PROXY": [
        b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nhello\r\n",
        b"PROXY UNKNOWN\r\nhello\r\n",
        PROXY_2,
    ],
    "binary": [
        b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",  # RDP
        b"\0\0\0\x85\xffSMBr\0\0\0\0",
        b"\0\0\0\x08\x04\xd2\x16/",  # PostgreSQL
        b"\x05\x01\0",  # SOCKS
        b"\0\x1e\0\x06\x01\0\0\x01",  # DNS
        b"0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0",  # LDAP
        b"\x80.\x01\0\x02\0",  # SSL 2
        b"l\0\x0b\0\0\0\0\0",  # X11
        b"JRMI\0\x02K",
        b"AMQP\0\0\t\x01",
        b"\x13BitTorrent protocol\0\0\0\0",
        b"\0",
        b"\0\0\n",
    ],
}

HONEST = [
    b"hello\n",
    b"hello",
    b"hi",
    b"",
    b"\n\r\n\nhello\r\n",
    b"/nick Bob\n",
    b"/list\n/quit\n",
    b"GET up, stand up\n",
    b"GET /r/python, it is good\n",
    b"I love HTTP/2\n",
    b"LOVE HTTP/2\n",
    b"PUT it down\r\n",
    b"POST / is a path, is it not?\n",
    b"HTTP/2 is fine\n",
    b"NICK is my name\nhello\n",
    b"NICK bob\nhello\n",
    b"NICK bob\n",
    b"NICK bob",
    b"NICK bob\n" + b"x" * 600 + b"\n",
    b"PASS me the salt\n",
    b"PASS\n",
    b"USER friendly?\nI think so\n",
    b"user friendly?\n",
    b"nick bob\nuser bob\n",
    b"USER friendly is good :)\nyes\n",
    b"USER story 5 points to do\nwho takes it?\n",
    b"USER 1 2 3 4\nare mine\n",
    b"CAP is mine\n",
    b"HELO everybody\n",
    b"HELO\n",
    b"EHLO my friends\n",
    b"SSH is what I use\n",
    b"PROXY wars\n",
    b"\x16 is Ctrl-V\n",
    b"HELLO WORLD, THIS IS A LONG LINE IN CAPITALS " * 40 + b"\n",
    b"x" * 5000,
    b"X" * 5000 + b"\n",
    b"\n" * 5000 + b"GET / HTTP/1.1\n",
    "Привет всем\n".encode(),
    "Привет всем\n".encode("cp1251"),
    "Что за я\n".encode("cp1251"),
    "Grüße\n".encode("latin-1"),
    "你好\n".encode(),
    "hello\nall\n".encode("utf-16-le"),
    "hello\nall\n".encode("utf-16-be"),
    "hello\n".encode("utf-16"),
    b"hel\0lo\n",
    b"hi\r\0yo\r\0",
    b"\x1b[A\x1bOP/msg Operator hi\n",
    b"\x01\x05\x0b\n",
    # What `plink -telnet` sends first, and what a telnet sends for Ctrl-C.
    b"\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03",
    b"\xff\xf4\xff\xfd\x06",
    b"GE\xff\xf4\xff\xfd\x06",
    b"NICK bob\r\n\xff\xf4\xff\xfd\x06",
    b"\xff\xfa\x1f\0\x50\0\x18\xff\xf0GET / HTTP/1.1\n",
]


def read(pieces: list[bytes]) -> tuple[str, bytes]:
    """What is known behind `pieces` and the end of the input, and what of them may be read as lines."""
    greeting = Greeting()
    given = b""
    for piece in pieces:
        given += piece if greeting.is_over else greeting.receive(piece)
        if greeting.protocol:
            break
    if not greeting.is_over:
        given += greeting.end()
    return greeting.protocol, given


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 1 << 20])
@pytest.mark.parametrize(
    ("protocol", "data"),
    [(protocol, data) for protocol, examples in FOREIGN.items() for data in examples],
    ids=lambda value: ascii(value[:40]),
)
def test_another_protocol_is_known_in_pieces_of_any_size_and_nothing_of_it_is_given(
    protocol: str, data: bytes, size: int
) -> None:
    assert read(cut(data, size)) == (protocol, b"")


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 1 << 20])
@pytest.mark.parametrize("data", HONEST, ids=lambda data: ascii(data[:40]))
def test_what_a_person_or_a_telnet_sends_is_given_as_it_came(data: bytes, size: int) -> None:
    assert read(cut(data, size)) == ("", data)


@pytest.mark.parametrize(
    ("data", "protocol"),
    [
        (TLS_HELLO[:3], "TLS"),
        (b"SSH-2.0-", "SSH"),
        (b"PROXY TCP4 ", "PROXY"),
        (b"\0\0", "binary"),
        (b"\xff\xf4", ""),
    ],
)
def test_what_can_be_known_before_the_end_of_the_line_is(data: bytes, protocol: str) -> None:
    greeting = Greeting()
    assert greeting.receive(data[:-1]) == b""
    assert not greeting.is_over
    assert greeting.receive(data[-1:]) == (b"" if protocol else data)
    assert greeting.is_over
    assert greeting.protocol == protocol


WORDS = [
    b"GET",
    b"NICK",
    b"USER",
    b"PASS",
    b"EHLO",
    b"CAP LS",
    b"SSH-2.0-",
    b"PROXY TCP4 ",
    b" ",
    b"/",
    b"HTTP/1.1",
]
WORDS += [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\xff\xfb\x01",
    b"\xff",
    b"x",
    b"hello",
    b"\x16\x03\x01",
    b"\x05",
    b":",
    b"*",
]
DATA = st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=12).map(b"".join)


@given(DATA, st.integers(1, 9))
@example(b"helloGETGETGETGET\0\x16\x03\x01", 1)
@example(b"\0\xff\xfb\x01\n", 1)
@example(b"X" * 3000 + b"\0\0\n", 9)
def test_pieces_make_no_difference(data: bytes, size: int) -> None:
    whole = read([data])
    assert read(cut(data, size)) == whole
    assert whole in (("", data), (whole[0], b""))


@given(DATA)
def test_no_more_than_two_lines_are_held_back(data: bytes) -> None:
    greeting = Greeting()
    greeting.receive(data + b"x" * 2100 + b"\n" + b"x" * 2100)
    assert greeting.is_over
