"""An example of each check, for people: how a suite writes it, what passes, what fails."""

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml


class _OneLine(yaml.SafeDumper):
    """Writes a text with line ends in double quotes, as `"a\\nb"`."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style='"' if "\n" in text else None
    )


_OneLine.add_representer(str, _quoted)


class Example(NamedTuple):
    """`check`: as a suite holds it. `passes`, `fails`: answers, where they can be shown as short
    texts. `passes_with`, `fails_with`: what decides instead of a text: `tool_calls` of the answer,
    and fields of the case that the check's templates use. `context`: of the case, where the check
    needs one."""

    check: Any
    passes: str | None = None
    fails: str | None = None
    context: str | None = None
    passes_with: dict[str, Any] | None = None
    fails_with: dict[str, Any] | None = None

    @property
    def written(self) -> str:
        """The item of a suite's list of checks, on one line: `- name`, or `- name: arguments`."""
        if isinstance(self.check, str):
            return f"- {self.check}"
        # in flow style a mapping is `{name: arguments}`, whatever its arguments hold
        return f"- {_flow(self.check)[1:-1]}"

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What passes and what fails, for people: a label and text each."""
        texts = (("context", self.context), ("passes", self.passes), ("fails", self.fails))
        data = (("passes with", self.passes_with), ("fails with", self.fails_with))
        rows = [(label, text) for label, text in texts if text is not None]
        return rows + [(label, _flow(value)) for label, value in data if value is not None]


def _flow(value: object) -> str:
    """YAML on one line."""
    text = yaml.dump(
        value,
        Dumper=_OneLine,
        allow_unicode=True,
        sort_keys=False,
        width=1_000_000,
        default_flow_style=True,
    )
    return text.strip()


@cache
def _all() -> dict[str, dict[str, Any]]:
    text = (files("llmeval.checks") / "examples.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return loaded


def example(name: str) -> Example | None:
    """The example of a check; None for a check of one's own."""
    match = _all().get(name)
    return None if match is None else Example(**match)
