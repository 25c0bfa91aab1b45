"""What the search index has of a text: every three characters in a row. Pure."""

from __future__ import annotations

from collections.abc import Sequence


class _Spread(dict[int, str | int]):
    """A table for `str.translate`, filled as it is used."""

    def __missing__(self, code: int) -> str | int:
        pair = chr(0xE000 + (code >> 8)) + chr(0xF000 + (code & 0xFF))
        value: str | int = pair if _is_dense(code) else _EMOJI + pair if _is_emoji(code) else code
        self[code] = value
        return value


_EMOJI = "\uf100"
_SPREAD = _Spread()


def fold(text: str) -> str:
    """Return `text` as searches compare it: without case, in every script (Unicode, 3.13, toCasefold)."""
    return text.casefold()


def spread(text: str) -> str:
    """Make two characters of each that is a syllable or word by itself (Chinese, Japanese, Korean), and three
    of each emoji: then two of the former, or one of the latter, have a trigram.

    What they become is in the private-use area, of which chat text has nothing: no two texts become one but
    those that differ in case alone.
    """
    # What is ASCII FTS5 folds by itself.
    return text if text.isascii() else fold(text).translate(_SPREAD)


def trigrams(text: str) -> list[str]:
    """Return every three characters in a row of the spread `text`, each once; none if it has fewer."""
    wide = spread(fold(text))
    return list(dict.fromkeys(wide[at : at + 3] for at in range(len(wide) - 2)))


def matching(texts: Sequence[str]) -> str:
    """Return the FTS5 query for rows that have all trigrams of `texts`; empty if they have none."""
    found = dict.fromkeys(each for text in texts for each in trigrams(text))
    quoted = [each.replace('"', '""') for each in found]
    return " AND ".join(f'"{each}"' for each in quoted)


def _is_dense(code: int) -> bool:
    return (
        0x2E80 <= code <= 0x9FFF
        or 0xAC00 <= code <= 0xD7FF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x3FFFF
    )


def _is_emoji(code: int) -> bool:
    return 0x1F000 <= code <= 0x1FAFF or 0x2600 <= code <= 0x27BF
