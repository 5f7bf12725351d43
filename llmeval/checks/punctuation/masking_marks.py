"""Parts that are not prose, recognised by their first mark: formulas, tags, notes, entities,
handles, smileys, paths.

Every pattern is bounded or possessive, so that a search stays linear, and runs only where its mark
occurs.
"""

import re
from typing import NamedTuple

_NUMBER = r"[ ]?[+-]?[0-9.∞]{1,12}+[ ]?"


class MaskingRule(NamedTuple):
    """A kind of part that is not prose, recognised by its first mark. A test reads each example."""

    name: str
    mark: str
    """The characters it may begin with."""
    pattern: str
    """What follows the mark."""
    prose: str
    """A text that has one."""
    gone: str
    """What is masked of it."""


MARKED = (
    MaskingRule("display", "$", r"\$[^$]{1,2000}+\$\$", "So $$a ,b$$ holds.", "$$a ,b$$"),
    MaskingRule(
        # A digit after the closing `$` is a price: `$5 and $10`. A formula stands on one line.
        "formula",
        "$",
        r"(?=[^\s$])[^$\n]{1,200}+(?<![\s\\])\$(?![0-9])",
        "So $a ,b$ holds.",
        "$a ,b$",
    ),
    MaskingRule(
        "brackets",
        "\\",
        r"\[(?:[^\\]|\\(?![\[\]])){1,2000}+\\\]",
        r"So \[a ,b\] holds.",
        r"\[a ,b\]",
    ),
    MaskingRule(
        "parentheses",
        "\\",
        r"\((?:[^\\\n]|\\(?![()])){1,500}+\\\)",
        r"So \(a ,b\) holds.",
        r"\(a ,b\)",
    ),
    MaskingRule(
        "tag",
        "<",
        r"(?:[a-zA-Z][a-zA-Z0-9-]*+(?:[\s/][^<>]{0,400}+)?|/[a-zA-Z][a-zA-Z0-9-]*+[ ]?"
        r"|!--[^<>]{0,2000}+)/?>",
        'A <b class="x">word</b>.',
        '<b class="x">',
    ),
    MaskingRule(
        "mail address",
        "<",
        r"mailto:[^<>\s]++>",
        "Write <mailto:a@b.example> now.",
        "<mailto:a@b.example>",
    ),
    MaskingRule("heart", "<", r"3(?<!\w<3)(?![0-9])", "I <3 it.", "<3"),
    MaskingRule(
        "target",
        "]",
        r"\((?:[^()\s]|\([^()\s]{0,200}+\)){0,1000}+(?:[ ]\"[^\"\n]{0,300}+\")?\)",
        'A [link](http://a.b "A title") here.',
        '(http://a.b "A title")',
    ),
    MaskingRule(
        "note",
        "[",
        r"\^?[0-9]{1,3}(?:[ ]?[,–-][ ]?[0-9]{1,3}){0,8}\]|\^\w{1,30}+\]",
        "Known.[1, 2] So.",
        "[1, 2]",
    ),
    MaskingRule(
        # `f(0, 1)` is a call, so that no word stands before the bracket.
        "interval",
        "[(",
        rf"(?<!\w\(){_NUMBER}[,;]{_NUMBER}[\])]",
        "It lies in (0 ,1] here.",
        "(0 ,1]",
    ),
    MaskingRule(
        "source", "【", r"[0-9]{1,3}(?:[:†][^】\n]{0,40}+)?】", "Known.【3†x】 So.", "【3†x】"
    ),
    MaskingRule(
        "entity",
        "&",
        r"(?:[a-zA-Z]{2,10}+|\#[0-9]{1,6}+|\#x[0-9a-fA-F]{1,6}+);",
        "A &nbsp; B.",
        "&nbsp;",
    ),
    MaskingRule(
        # Not inside a word or after another `@` or `#`.
        "handle",
        "@#",
        r"(?<![\w@].)[A-Za-z_][\w.-]{0,60}+(?<![.-])",
        "By @ann.b and #tag.",
        "@ann.b",
    ),
    MaskingRule(
        "emoji name", ":", r"(?<!\w:)[a-z_]{2,20}+:(?!\w)", "Fine :thumbs_up: so.", ":thumbs_up:"
    ),
    MaskingRule(
        # Not inside a word, a time or a path; eyes may be left out before a blank.
        "smiley",
        ":;=",
        r"(?<![\w:;].)[-'o^]?[)(DPpOo|3/\\\]\[](?![\w/(])|(?<![:;].)-?[)(](?=\s|\Z)",
        "Nice :-) day.",
        ":-)",
    ),
    MaskingRule("smiley after a bracket", "(", r"[:;](?!\w)", "Nice (: day.", "(:"),
    MaskingRule(
        # At least two parts, so that `and/or` is none, and a start that prose does not have.
        "path",
        "/~.",
        r"(?<![\w./~].)(?:(?<=/)[A-Za-z_.]|(?<=~)/[A-Za-z_.]"
        r"|(?<=\.)\.?/[A-Za-z_.])[\w.-]*+(?:/[\w.-]++)++/?",
        "Edit /etc/hosts.allow now.",
        "/etc/hosts.allow",
    ),
    MaskingRule("name with a dot", ".", r"(?<![\w.].)[A-Z]{2,5}+\b", "In .NET it is so.", ".NET"),
)
SPECIAL = ("display", "brackets", "tag", "target", "note", "source")
"""Those that are not masked as one word; a match has them as its group."""


def _class(characters: str) -> str:
    return f"[{re.escape(characters)}]"


def marked_pattern() -> "re.Pattern[str]":
    """All of them in one: a set of characters first, which few places hold, then the branches of
    each."""
    branches = (
        f"(?<={_class(row.mark)})"
        + (f"(?P<{row.name}>{row.pattern})" if row.name in SPECIAL else f"(?:{row.pattern})")
        for row in MARKED
    )
    marks = "".join(dict.fromkeys("".join(row.mark for row in MARKED)))
    return re.compile(f"{_class(marks)}(?:{'|'.join(branches)})")
