"""An example of each check, for people: how a suite writes it, what passes, what fails."""

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml


class Example(NamedTuple):
    """`check`: as a suite holds it. `passes`, `fails`: answers, where they can be shown as short texts.
    `context`: of the case, where the check needs one."""

    check: Any
    passes: str | None = None
    fails: str | None = None
    context: str | None = None

    @property
    def written(self) -> str:
        """The line of a suite."""
        text = yaml.safe_dump([self.check], allow_unicode=True, sort_keys=False, width=1000, default_flow_style=None)
        return str(text).strip().removeprefix("[").removesuffix("]")


@cache
def _all() -> dict[str, dict[str, Any]]:
    text = (files("llmeval.checks") / "examples.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded


def example(name: str) -> Example | None:
    """The example of a check; None for a check of one's own."""
    found = _all().get(name)
    return None if found is None else Example(**found)
