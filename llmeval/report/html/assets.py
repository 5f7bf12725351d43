"""The page's own style and script, in one piece each, and the policy that lets nothing else run.

`static/css/*.css` are joined in the order of `_STYLES`. `static/js/*.js` are ES modules that import
each other while they are developed and tested. A page of one file can't import, so they are joined
in the order of their imports, without the words `import` and `export`. Therefore their top-level
names must differ (`node --check` in the tests sees it). Indents and comments that have their lines
to themselves are removed: the reader downloads what runs. No string may span lines.
"""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

_STATIC = Path(__file__).parent / "static"
_IMPORT = re.compile(r"""^import\s[^;]*?from\s+["']\./(?P<name>[\w.-]+)["'];\n""", re.M)
_EXPORT = re.compile(r"^export (?=const |let |function |async function |class )", re.M)
_COMMENT = re.compile(r"^[ \t]*(?://.*|/\*[\s\S]*?\*/[ \t]*)\n", re.M)
"""Comments that have their lines to themselves; types in comments are among them."""
_INDENT = re.compile(r"^[ \t]+", re.M)
_AROUND, _AFTER_COLON = re.compile(r"\s*([{};,])\s*"), re.compile(r":\s+")
"""Spaces that CSS does not need; none of its strings holds such signs."""
REPORT, COMPARE = "main.js", "compare.js"
"""The scripts of the pages, each with the modules that it imports."""
_STYLES = (
    "theme",
    "base",
    "summary",
    "tables",
    "charts",
    "sections",
    "list",
    "case",
    "application",
    "answers",
    "narrow",
    "print",
)
"""In this order: what comes later wins over what comes earlier."""


@lru_cache(maxsize=2)
def style(entry: str = REPORT) -> str:
    """The style sheet of a page."""
    text = "".join(
        (_STATIC / "css" / f"{name}.css").read_text(encoding="utf-8")
        for name in _STYLES
        if name != "answers" or entry == COMPARE
    )
    return _AFTER_COLON.sub(":", _AROUND.sub(r"\1", _slim(text)))


@lru_cache(maxsize=2)
def script(entry: str = REPORT) -> str:
    """The script of a page, joined from its modules; depended-on modules first."""
    done: dict[str, str] = {}

    def visit(name: str) -> None:
        if name in done:
            return
        text = (_STATIC / "js" / name).read_text(encoding="utf-8")
        for match in _IMPORT.finditer(text):
            visit(match["name"])
        done[name] = _EXPORT.sub("", _IMPORT.sub("", text)).strip()

    visit(entry)
    return "\n".join(_slim(text) for text in done.values())


def _slim(text: str) -> str:
    return "\n".join(line for line in _INDENT.sub("", _COMMENT.sub("", text)).splitlines() if line)


def policy(served: bool = False, *, scripted: bool = True, entry: str = REPORT) -> str:
    """The Content-Security-Policy: only the one script and the one style sheet, by hash; nothing is
    fetched. A page that is `served` may speak to its own server; one that is not `scripted` runs
    nothing at all.

    Trusted Types are required and none may be created, so no text can become markup or script by
    mistake.
    """
    return "; ".join(
        (
            "default-src 'none'",
            *([f"script-src '{source_hash(script(entry))}'"] if scripted else []),
            f"style-src '{source_hash(style(entry))}'",
            "img-src data:",
            *(["connect-src 'self'"] if served else []),
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def source_hash(text: str) -> str:
    """The hash of a script or style sheet, as a Content-Security-Policy states it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
