"""Untrusted text as Markdown in which nothing acts, and which people can also read as plain text.

GitHub and GitLab look for mentions, references and addresses in the rendered page, after Markdown
has removed escapes and entities. So `\\@name` and `&#64;name` still notify a person. They skip only
what is code. Every text that may act therefore becomes a code span, a code block or `<code>`.

Sources: GitHub Docs, "Autolinked references and URLs" and "Writing mathematical expressions";
gjtorikian/html-pipeline, mention filter (`pre`, `code`, `a`, `style` and `script` are skipped);
GitLab Docs, "GitLab-specific references" and "Quick actions" (a command starts a line).
"""

import html
import re

from llmeval.report.safe_text import one_line, visible

_TICKS = re.compile(r"`+")
_FENCES = re.compile(r"`{3,}|~{3,}")
_PLAIN = re.compile(
    r"[(\"'“‘„«]*(?:[-−+±](?=\d))?(?:[^\W_]+(?:[.,:/'’_=+×–—-][^\W_]+)*)[.,;:?!%°)\"'”’»…]*"
    r"|[(]?[–=≥≤±·…][.,;)]*|\.\.\."
)
"""A word that Markdown shows as it is written: letters and digits, joined by signs that have no
meaning between them, with quotes, brackets and punctuation around it.
"""
_ACTS = re.compile(
    r"(?i:https?:|ftp:|mailto:|xmpp:|www\.)"
    r"|(?<![0-9A-Fa-f])[0-9A-Fa-f]{7,64}(?![0-9A-Fa-f])"
    r"|(?i:\b[a-z][a-z0-9_]*-\d)"
    r"|(?i:\bGHSA-|\bCVE-)"
    r"|:[\w+-]+:"
)
"""Plain words that a server still links: addresses, hashes of commits, keys of tickets such
as GH-12, and shortcodes of emoji.
"""
_STARTS_BLOCK = re.compile(r"\d+[.)]|[=–…]|\.\.\.")
_QUOTED = re.compile(r"`([^`]+)`")
_PUNCTUATION = re.compile(r"[.,;:]*$")
_INDENT = "  "


def code(text: str, width: int = 120) -> str:
    """The text as a code span of one line, also within a cell of a table; a dash for an empty text.

    A vertical bar becomes `│`: in a table, what escapes it depends on the backslashes before it.

    Args:
        text: anything.
        width: characters of the text; it is cut with an ellipsis.
    """
    line = one_line(text, width).replace("|", "│")
    if not line:
        return "–"
    ticks = "`" * (max((len(run) for run in _TICKS.findall(line)), default=0) + 1)
    pad = " " if "`" in (line[0], line[-1]) else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def prose(text: str, width: int = 600) -> str:
    """A sentence on one line: its plain words stay, and the others become code spans.

    Args:
        text: anything, such as the reason of a rule with the name of a metric in it.
        width: characters of the text; it is cut with an ellipsis.
    """
    parts: list[str] = []
    unsafe: list[str] = []
    for number, word in enumerate(one_line(text, width).split(" ")):
        if _acts(word, first=number == 0):
            unsafe.append(word)
            continue
        parts += [*_spans(unsafe), word]
        unsafe = []
    return " ".join([*parts, *_spans(unsafe)])


def _spans(words: list[str]) -> list[str]:
    """Words next to each other as one code span, with the punctuation behind it."""
    text = " ".join(words)
    inner = _PUNCTUATION.sub("", text)
    if quoted := _QUOTED.fullmatch(inner):  # a code span already
        return [code(quoted[1], len(text)) + text[len(inner) :]]
    return [code(inner, len(text)) + text[len(inner) :]] if inner else [code(text)] * bool(text)


def fenced(text: str, limit: int = 1000) -> str:
    """The text as a code block whose fence is longer than any in the text. Each line is indented,
    so that none starts with what GitLab takes for a command (`/close`) or for the end of the block.
    """
    text = visible(text)
    if len(text) > limit:
        text = text[:limit].rstrip() + "\n…"
    longest = max((len(match) for match in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    lines = "\n".join(f"{_INDENT}{line}" for line in text.split("\n"))
    return f"{fence}text\n{lines}\n{fence}"


def html_code(text: str, width: int = 120) -> str:
    """The text as `<code>` on one line, for places where Markdown is not read."""
    return f"<code>{html.escape(one_line(text, width), quote=False)}</code>"


def _acts(word: str, *, first: bool) -> bool:
    """Whether a word may act. `first`: it starts the sentence, where `1.` and `-` make a list."""
    if not _PLAIN.fullmatch(word) or _ACTS.search(word):
        return True
    return first and bool(_STARTS_BLOCK.fullmatch(word))
