"""Environment variables in a suite file: `${NAME}` and `${NAME:-default}`."""

import os
import re
from typing import Any

from llmeval.suite import yaml_file

_VARIABLE = re.compile(
    r"(?P<escaped>\$)?\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
)


def expand(value: object, path: yaml_file.Path, undefined: dict[yaml_file.Path, str]) -> Any:
    """`value` with `${NAME}` and `${NAME:-default}` replaced; `$${NAME}` stays `${NAME}`."""
    if isinstance(value, dict):
        return {key: expand(item, (*path, key), undefined) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, (*path, index), undefined) for index, item in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value

    def replace(match: re.Match[str]) -> str:
        if match["escaped"]:
            return match[0][1:]
        found = os.environ.get(match["name"]) or match["default"]
        if found is None:
            undefined[path] = match["name"]
            return match[0]
        return found

    whole = _VARIABLE.fullmatch(value)
    text = _VARIABLE.sub(replace, value)
    return (
        yaml_file.scalar(text) if whole and not whole["escaped"] and path[-1] != "api_key" else text
    )
