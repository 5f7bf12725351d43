"""Model output made harmless to look at: characters that hide, reorder or ring are shown by name
instead.

Covers C0 and C1 controls (so ANSI escapes too), bidirectional controls (Unicode UAX #9), zero-width
and filler characters, and tag characters (U+E0000 block), which carry text that nobody sees.
`static/js/hidden.js` holds the same table.
"""

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e"
    "\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
    "|\r(?!\n)"
    "|(?<=[\x00-\x7f])[\u200c\u200d]"
)
_CONTROLS = (
    "NUL",
    "SOH",
    "STX",
    "ETX",
    "EOT",
    "ENQ",
    "ACK",
    "BEL",
    "BS",
    "HT",
    "LF",
    "VT",
    "FF",
    "CR",
    "SO",
    "SI",
    "DLE",
    "DC1",
    "DC2",
    "DC3",
    "DC4",
    "NAK",
    "SYN",
    "ETB",
    "CAN",
    "EM",
    "SUB",
    "ESC",
    "FS",
    "GS",
    "RS",
    "US",
)
_DELETE = 0x7F


def has_hidden(text: str) -> bool:
    """Whether a reader would see something else than what is there."""
    return not _harmless(text) and _HIDDEN.search(text) is not None


def visible(text: str) -> str:
    """The text with each hidden character replaced by a sign that shows it: `⟨ESC⟩`, `⟨U+202E⟩`."""
    return text if _harmless(text) else _HIDDEN.sub(_sign, text)


def clip(text: str, size: int) -> str:
    """At most `size` characters on one line, made visible; an ellipsis says that there is more."""
    line = " ".join(text[: size * 4].split())
    cut = len(line) > size or len(text) > size * 4
    # the ellipsis is put last: a text of ASCII alone is known to be harmless without a search
    return f"{visible(line[: size - 1].rstrip())}…" if cut else visible(line)


def shorten(text: str, size: int) -> str:
    """At most about `size` characters with their lines kept, made visible; says how many are left
    out.
    """
    if len(text) <= size:
        return visible(text)
    return f"{visible(text[:size])} … [{len(text) - size:,} more characters]"


def _harmless(text: str) -> bool:
    """A fast answer for most texts. Not `isprintable` alone: Unicode calls some fillers letters."""
    return text.isascii() and text.isprintable()


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return f"⟨{_CONTROLS[code]}⟩"
    return "⟨DEL⟩" if code == _DELETE else f"⟨U+{code:04X}⟩"
