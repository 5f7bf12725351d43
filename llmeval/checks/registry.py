"""Finding checks by name. The registry is closed: what is not in it is an error, never a pass.

`index.py` says which module each check lives in, so that a suite that uses three checks imports
three modules. `docs/generate.py` writes it; a test compares it with the modules.
"""

import difflib
import importlib
import pkgutil
from functools import lru_cache

from llmeval import checks
from llmeval.checks.base import _REGISTRY, CheckType
from llmeval.checks.index import HOMES

_WITH_CHECKS = ("builtin", "facts", "ifeval", "punctuation")
"""The packages whose modules may hold checks; the other modules serve these."""


@lru_cache(maxsize=1)
def _load_all() -> None:
    """Import every module that may hold a check, so that all checks are registered."""
    for name in _WITH_CHECKS:
        package = importlib.import_module(f"{checks.__name__}.{name}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def all_checks() -> dict[str, CheckType]:
    """Every check by name, sorted."""
    _load_all()
    return dict(sorted(_REGISTRY.items()))


def find(name: str) -> CheckType:
    """One check.

    Raises:
        ValueError: there is none of that name; the message names the nearest ones.
    """
    if name in HOMES:
        importlib.import_module(f"{checks.__name__}.{HOMES[name]}")
        return _REGISTRY[name]
    close = difflib.get_close_matches(name, HOMES, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(repr(word) for word in close)}? " if close else ""
    raise ValueError(f"unknown check {name!r}; {hint}`llmeval checks list` shows all")
