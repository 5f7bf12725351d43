"""The style sheet and the policy of the pages: the report's styles, and a few for the history."""

from functools import lru_cache
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader

from llmeval.report.html import assets
from llmeval.report.html.page import environment

_OWN = Path(__file__).parent / "templates" / "view.css"


@lru_cache(maxsize=1)
def style() -> str:
    """The style sheet of a page."""
    return assets.style() + _OWN.read_text(encoding="utf-8")


@lru_cache(maxsize=2)
def policy(*, served: bool) -> str:
    """The Content-Security-Policy: this style sheet, no script, nothing from elsewhere. A served
    page may send its form to its own server.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{assets.source_hash(style())}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'self'" if served else "form-action 'none'",
        )
    )


@lru_cache(maxsize=1)
def templates() -> Environment:
    """The pages' templates, with the parts of the report; every value is escaped."""
    shared = environment()
    assert shared.loader is not None
    own = PackageLoader("llmeval.view", "templates")
    return shared.overlay(loader=ChoiceLoader([own, shared.loader]))
