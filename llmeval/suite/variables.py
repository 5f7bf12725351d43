"""Environment variables in a suite file: `${NAME}` and `${NAME:-default}`."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmeval.suite import yaml_file
from llmeval.suite.model_schema import OpenAISpec
from llmeval.suite.schema import SuiteSpec

_VARIABLE = re.compile(
    r"(?P<escaped>\$)?\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
)

_DEFAULT = "OPENAI_API_KEY"


@dataclass
class Variables:
    """The environment variables that a suite file uses, collected while it is read.

    The environment comes first, then `file`: the variables of `.env` next to the suite.
    """

    file: Mapping[str, str] = field(default_factory=dict)
    """By name, what `.env` next to the suite contains."""
    from_file: set[str] = field(default_factory=set)
    """The names of the variables whose value comes from that file."""
    undefined: dict[yaml_file.Path, str] = field(default_factory=dict)
    """By path, a variable that is not set."""
    values: dict[str, str] = field(default_factory=dict)
    """By name, the values that the environment has. Defaults stand in the file, so they are public.
    """

    def expand(self, value: object, path: yaml_file.Path) -> Any:
        """`value` with `${NAME}` and `${NAME:-default}` replaced; `$${NAME}` stays `${NAME}`.

        The value of a variable stays a text, except below `params`: sampling parameters are
        numbers.
        """
        if isinstance(value, dict):
            return {key: self.expand(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expand(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        text = _VARIABLE.sub(lambda match: self._of(match, path), value)
        whole = _VARIABLE.fullmatch(value)
        return yaml_file.scalar(text) if whole and "params" in path else text

    def _of(self, match: re.Match[str], path: yaml_file.Path) -> str:
        if match["escaped"]:
            return match[0][1:]
        value = self.value(match["name"])
        if value:
            self.values[match["name"]] = value
            return value
        if match["default"] is None:
            self.undefined[path] = match["name"]
            return match[0]
        return match["default"]

    def value(self, name: str) -> str | None:
        """The value of a variable; None if it is not set. An empty one counts as not set."""
        if name in os.environ:
            return os.environ[name] or None
        value = self.file.get(name)
        if value:
            self.from_file.add(name)
        return value

    def default_key(self, spec: SuiteSpec) -> str | None:
        """OPENAI_API_KEY of `.env`, if a model would use that variable and the environment has
        none.
        """
        models: list[object] = [*spec.models.values(), spec.candidate]
        for judge in spec.judges.values():
            models += [judge.model, *judge.panel, *judge.cascade]
        needed = any(isinstance(model, OpenAISpec) and model.api_key is None for model in models)
        return self.value(_DEFAULT) if needed and _DEFAULT not in os.environ else None

    def secrets(self, public: Iterable[str]) -> set[str]:
        """The values that are secret: all but those of the variables that are `public`."""
        return {value for name, value in self.values.items() if name not in set(public)}
