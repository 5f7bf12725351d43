"""The rules by id: what each demands, how grave a breach is, and for which languages. The list is
closed.
"""

from typing import Literal, NamedTuple

Severity = Literal["error", "advice", "off"]


class Rule(NamedTuple):
    """One rule. `severity` is the default; `require` in a suite makes an error of it, `ignore`
    drops it.
    """

    id: str
    severity: Severity
    locales: str
    what: str


class Violation(NamedTuple):
    """A breach: code points [start, end), the rule's id, and what to change."""

    start: int
    end: int
    rule: str
    message: str


_RULES = (
    Rule("space-before", "error", "all", "no space before a mark (French: only before ; : ! ?)"),
    Rule(
        "space-after",
        "error",
        "all but zh, ja",
        "a space after a mark or closing bracket that a word follows",
    ),
    Rule("multi-space", "error", "all", "one space between words"),
    Rule("inner-space", "error", "all", "no space just inside brackets and quotes"),
    Rule("fr-space", "error", "fr", "a space before ; : ! ? and inside « »"),
    Rule("fr-nbsp", "advice", "fr", "that space is a no-break space"),
    Rule("doubled", "error", "all", "no mark twice in a row"),
    Rule("clash", "error", "all", "no two marks in a row that exclude each other"),
    Rule("ellipsis", "error", "all", "an ellipsis has three dots (Chinese: six, as ……)"),
    Rule("leading", "error", "all", "no paragraph starts with a mark that belongs after a word"),
    Rule("unbalanced", "error", "all", "every bracket and quote opens and closes"),
    Rule(
        "quote-style", "error", "all", "a quote closes with the mark that matches its opening one"
    ),
    Rule("terminal", "error", "all with end marks", "prose ends with a terminal mark"),
    Rule("wrong-end", "error", "all", "prose does not end with a comma or semicolon"),
    Rule("missing-stop", "error", "en", "a stop before a word that opens a new sentence"),
    Rule("lower-start", "error", "all with capitals", "a sentence starts with a capital"),
    Rule("lone-i", "error", "en", "the pronoun I is a capital"),
    Rule(
        "apostrophe",
        "error",
        "all; en, fr",
        "an apostrophe is not an accent (o´clock); contractions and elisions have theirs",
    ),
    Rule("es-open", "error", "es", "a question opens with ¿, an exclamation with ¡"),
    Rule(
        "half-width",
        "error",
        "zh, ja",
        "marks next to Chinese or Japanese characters are full-width",
    ),
    Rule("full-width", "error", "all but zh, ja", "marks between Latin letters are not full-width"),
    Rule("half-colon", "advice", "zh, ja", "the colon after a label is full-width"),
    Rule(
        "half-bracket",
        "advice",
        "zh, ja",
        "brackets around Chinese or Japanese text are full-width",
    ),
    Rule("cjk-space", "advice", "zh, ja", "no space after a full-width mark"),
    Rule("mixed-quotes", "advice", "all", "straight or curly quotes, not both"),
    Rule("mixed-dashes", "advice", "all", "one kind of dash"),
    Rule("mixed-ellipses", "advice", "all", "... or …, not both"),
    Rule("serial-comma", "advice", "en", "a comma before the last item of a list always or never"),
    Rule("list-ends", "advice", "all", "the items of a list all end with a mark, or none"),
    Rule(
        "short-terminal",
        "off",
        "all with end marks",
        "fragments, headings and list items end with a mark too",
    ),
    Rule(
        "harper",
        "advice",
        "en",
        "Harper, a grammar checker, advises it (asked for by harper: true)",
    ),
)
RULES = {rule.id: rule for rule in _RULES}
