"""The files that a suite consists of. If one of them changes, the suite must run again."""

import re
from collections.abc import Iterator
from pathlib import Path

from llmeval.suite.loader import Suite

_FUNCTION = re.compile(r"([A-Za-z_][\w.]*):[A-Za-z_]\w*\Z")
_LONGEST = 1000
"""A longer text is a prompt, not a path."""


def files_of(suite: Suite) -> set[Path]:
    """The suite's own file and every file that a value in it names: cases, prompts, certificates,
    baselines, and the modules of `module:function`. What these files read themselves is not
    followed."""
    named = {suite.path.resolve()}
    for text in _texts(suite.document.data):
        for path in _paths(text):
            try:
                file = (suite.base / path).resolve()
                if file.is_file():
                    named.add(file)
            except (OSError, ValueError):  # no path at all
                continue
    return named


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _paths(text: str) -> Iterator[str]:
    if not text or len(text) > _LONGEST or "\n" in text:
        return
    yield text
    module = _FUNCTION.match(text)
    if module is not None:
        path = module[1].replace(".", "/")
        yield f"{path}.py"
        yield f"{path}/__init__.py"
