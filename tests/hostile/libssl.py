"""TLS clients that do what Python's own cannot: they update their keys (RFC 8446, 4.6.3).

They call the OpenSSL that Python's `ssl` is built with.
"""

from __future__ import annotations

import _ssl
import ctypes
import socket
from collections.abc import Callable
from typing import Any

from .program import PATIENCE

_MOST = 1 << 16
_SSL_ERROR_WANT_READ = 2
_UPDATE_NOT_REQUESTED, _UPDATE_REQUESTED = 0, 1


class NoOpenSsl(Exception):
    """Python's `ssl` does not give away its OpenSSL."""


def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(_ssl.__file__)
    pointer, number = ctypes.c_void_p, ctypes.c_int
    signatures: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "TLS_client_method": (pointer, ()),
        "SSL_CTX_new": (pointer, (pointer,)),
        "SSL_CTX_free": (None, (pointer,)),
        "SSL_new": (pointer, (pointer,)),
        "SSL_free": (None, (pointer,)),
        "BIO_s_mem": (pointer, ()),
        "BIO_new": (pointer, (pointer,)),
        "BIO_read": (number, (pointer, ctypes.c_char_p, number)),
        "BIO_write": (number, (pointer, ctypes.c_char_p, number)),
        "SSL_set_bio": (None, (pointer, pointer, pointer)),
        "SSL_set_connect_state": (None, (pointer,)),
        "SSL_do_handshake": (number, (pointer,)),
        "SSL_get_error": (number, (pointer, number)),
        "SSL_read": (number, (pointer, ctypes.c_char_p, number)),
        "SSL_write": (number, (pointer, ctypes.c_char_p, number)),
        "SSL_key_update": (number, (pointer, number)),
    }
    for name, (result, arguments) in signatures.items():
        try:
            function: Any = getattr(library, name)
        except AttributeError:
            raise NoOpenSsl(name) from None
        function.restype = result
        function.argtypes = arguments
    return library


def is_there() -> bool:
    """Whether Python's `ssl` gives away its OpenSSL."""
    try:
        _library()
    except NoOpenSsl:
        return False
    return True


class TlsClient:
    """A client that has shaken hands over `sock`, which blocks; what it sends is made beforehand."""

    def __init__(self, sock: socket.socket) -> None:
        self._library = _library()
        self._buffer = ctypes.create_string_buffer(_MOST)
        self._context = self._library.SSL_CTX_new(self._library.TLS_client_method())
        self._ssl = self._library.SSL_new(self._context)
        self._in, self._out = (self._library.BIO_new(self._library.BIO_s_mem()) for _ in range(2))
        self._library.SSL_set_bio(self._ssl, self._in, self._out)
        self._library.SSL_set_connect_state(self._ssl)
        sock.settimeout(PATIENCE)
        while (answer := self._library.SSL_do_handshake(self._ssl)) != 1:
            if self._library.SSL_get_error(self._ssl, answer) != _SSL_ERROR_WANT_READ:
                raise ConnectionError("no TLS handshake")
            sock.sendall(self._made())
            data = sock.recv(_MOST)
            if not data:
                raise ConnectionError("the server has hung up")
            self._library.BIO_write(self._in, data, len(data))
        sock.sendall(self._made())

    def __del__(self) -> None:
        self._library.SSL_free(self._ssl)
        self._library.SSL_CTX_free(self._context)

    def key_updates(self, count: int, *, answered: bool) -> bytes:
        """So many records that update this client's key, and ask for the server's if `answered`."""
        kind = _UPDATE_REQUESTED if answered else _UPDATE_NOT_REQUESTED
        return self._repeat(count, lambda: self._library.SSL_key_update(self._ssl, kind))

    def records(self, text: bytes, count: int) -> bytes:
        """So many records, each with `text`, which is not empty."""
        return self._repeat(count, lambda: self._library.SSL_write(self._ssl, text, len(text)))

    def _repeat(self, count: int, step: Callable[[], int]) -> bytes:
        pieces: list[bytes] = []
        for _ in range(count):
            if step() <= 0 or self._library.SSL_do_handshake(self._ssl) != 1:
                raise ConnectionError("OpenSSL does not make that record")
            pieces.append(self._made())
        return b"".join(pieces)

    def _made(self) -> bytes:
        size = self._library.BIO_read(self._out, self._buffer, _MOST)
        return self._buffer.raw[: max(size, 0)]
