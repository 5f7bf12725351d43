"""The errors of pydantic in the words of the suite file: where, and what to write."""

import re
from typing import Any

from llmeval.suite import yaml_file
from llmeval.suite.strict import nearest

_SAMPLING = frozenset(
    "temperature max_tokens top_p seed stop presence_penalty frequency_penalty".split()
)


def explain(item: Any, data: Any) -> tuple[yaml_file.Path, str]:
    """pydantic's error as (path in the file, message)."""
    path, kind = real_path(item["loc"], data), item["type"]
    if kind == "missing":
        return path, f"the key {item['loc'][-1]!r} is missing"
    if kind == "unknown_key":
        key = item["ctx"]["key"]
        hint = (
            "; write sampling parameters under `params:`"
            if key in _SAMPLING and path[:1] != ("gate",)
            else ""
        )
        return (*path, key), item["msg"] + hint
    if kind == "union_tag_invalid":
        tags = re.findall(r"'([^']+)'", item["ctx"]["expected_tags"])
        return (
            *path,
            "provider",
        ), f"unknown provider {item['ctx']['tag']!r}; {nearest(item['ctx']['tag'], tags)}"
    if kind == "union_tag_not_found":
        return path, "the key 'provider' is missing: openai, transformers, http, python or replay"
    if kind == "too_short" and item.get("input") in ([], {}):
        return path, "this is empty: name at least one entry, or remove the key"
    value = item.get("input")
    shown = "" if isinstance(value, dict | list) else f" (given: {value!r})"
    return path, f"{item['msg'][:1].lower()}{item['msg'][1:]}{shown}"


def real_path(location: tuple[str | int, ...], data: object) -> yaml_file.Path:
    """pydantic's location without the names of union members, which are not in the file."""
    path: list[str | int] = []
    here: Any = data
    for part in location:
        if _inside(here, part):
            here = here[part]
            path.append(part)
    return tuple(path)


def _inside(value: object, part: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(part, int) and part < len(value)
    return isinstance(value, dict) and part in value
