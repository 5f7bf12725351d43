"""Corrects misspelled keys of a suite file: the text of the key, and nothing else of the file."""

from dataclasses import dataclass

import yaml
from pydantic import ValidationError

from llmeval.suite import yaml_file
from llmeval.suite.explained_errors import real_path
from llmeval.suite.schema import SuiteSpec

_MOST = 50
"""Corrections of one file. One validation reports at most one key of each mapping."""


@dataclass(frozen=True)
class KeyFix:
    """One corrected key."""

    line: int
    path: str
    """Where the mapping is, such as `gate.regression`; empty at the top of the file."""
    before: str
    after: str


def fix_keys(text: str, file: str) -> tuple[str, tuple[KeyFix, ...]]:
    """A suite file with its misspelled keys corrected, and what was corrected.

    A key is corrected only if exactly one valid key is close to it, and the mapping does not have
    that one. Comments, order, quotes and everything else stay as they are.

    Args:
        text: the file's text.
        file: its name, for messages.

    Raises:
        SuiteError: the text is not YAML.
    """
    fixes: list[KeyFix] = []
    for _ in range(_MOST):
        fix, text = _fix_one(text, file)
        if fix is None:
            break
        fixes.append(fix)
    return text, tuple(fixes)


def _fix_one(text: str, file: str) -> tuple[KeyFix | None, str]:
    """The first correction that can be made, and the text with it."""
    data = yaml_file.parse(text, file).data
    try:
        SuiteSpec.model_validate(data)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            context = item.get("ctx", {})
            near = context.get("near") if item["type"] == "unknown_key" else None
            if not near:
                continue
            path = real_path(item["loc"], data)
            node = _key_node(yaml.compose(text, Loader=yaml.SafeLoader), path, context["key"])
            if node is not None:
                return _replaced(text, node, path, near)
    return None, text


def _replaced(
    text: str, node: yaml.ScalarNode, path: yaml_file.Path, near: str
) -> tuple[KeyFix | None, str]:
    """The text with another key. None where the key is not written plainly or in quotes."""
    start, end = node.start_mark.index, node.end_mark.index
    key = node.value
    written = {key: near, f'"{key}"': f'"{near}"', f"'{key}'": f"'{near}'"}.get(text[start:end])
    if written is None:
        return None, text
    fix = KeyFix(node.start_mark.line + 1, yaml_file.format_path(path), key, near)
    return fix, text[:start] + written + text[end:]


def _key_node(node: yaml.Node | None, path: yaml_file.Path, key: str) -> yaml.ScalarNode | None:
    """The node of a key in the mapping at a path; None if a merge or a tag hides it."""
    for part in path:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            node = node.value[part]
        elif isinstance(node, yaml.MappingNode):
            node = next((value for name, value in node.value if name.value == part), None)
        else:
            return None
    if not isinstance(node, yaml.MappingNode):
        return None
    keys = (name for name, _ in node.value)
    return next(
        (name for name in keys if isinstance(name, yaml.ScalarNode) and name.value == key), None
    )
