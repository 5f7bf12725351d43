"""Harper (harper-py, an optional extra) as a second reader of English, by an allow-list of its
rules.

What it adds to the rules here: possessives and contractions that need grammar, commas after
discourse markers. It takes 1.5 s to start and reads 30,000-55,000 characters a second, so a suite
must ask for it; what it finds is advice. Its other rules are style (Oxford comma, en dashes in
ranges: 26 of 99 and 3 of 17 right in our texts) or repeat ours.
"""

import importlib.util
import threading
from collections.abc import Iterator
from typing import Any

from llmeval.checks.punctuation.rules import Violation
from llmeval.checks.punctuation.view import View

ALLOWED = (
    "CapitalizePersonalPronouns",
    "CommaFixes",
    "DiscourseMarkers",
    "ElsePossessive",
    "ItsContraction",
    "ItsPossessive",
    "LetsConfusion",
    "PossessiveNoun",
    "PossessiveYour",
    "PronounContraction",
    "QuoteSpacing",
    "SentenceCapitalization",
    "TheyreConfusions",
    "UnclosedQuotes",
    "Whos",
    "WrongApostrophe",
    "YourPredicateAdjective",
)
"""Harper's rules that are asked, where the installed version has them."""
_local = threading.local()


def installed() -> bool:
    """Whether harper-py can be imported."""
    return importlib.util.find_spec("harper") is not None


def harper_findings(view: View) -> Iterator[Violation]:
    """What Harper finds in the English blocks, with places in the view's text."""
    linter = _linter()
    for run in view.runs():
        if run.locale.language != "en" or not view.text[run.start : run.end].strip():
            continue
        for lint in linter.lint(view.text[run.start : run.end], language="plaintext"):
            yield Violation(
                run.start + lint.span.start, run.start + lint.span.end, "harper", lint.message
            )


def _linter() -> Any:
    """This thread's linter, as one linter serves one thread."""
    if not hasattr(_local, "linter"):
        import harper

        linter = harper.Linter()
        valid = linter.get_default_lint_config()
        linter.set_lint_config({rule: rule in ALLOWED for rule in valid})
        _local.linter = linter
    return _local.linter
