"""Prompts as templates or as messages: written in place, from text files, CSV, or chats in JSON and
YAML.
"""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmeval.core.errors import SuiteError
from llmeval.importers.ledger import Ledger, SourcePlace, UnmappedError
from llmeval.importers.promptfoo.chat_images import Chat, chat_variables, content_of
from llmeval.importers.promptfoo.files import referenced
from llmeval.importers.promptfoo.templates import (
    from_environment,
    quoted_templates,
    template,
    variables,
)
from llmeval.importers.reading import read_text, read_yaml
from llmeval.importers.writing import Variable
from llmeval.suite import yaml_file

_FILES = (".txt", ".md", ".j2", ".json", ".yaml", ".yml", ".csv")
_CODE = re.compile(r"\.(?:py|js|ts|mjs|cjs|sh|bash|rb|pl)(?::\w+)?$")
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


@dataclass(frozen=True)
class Prompt:
    """One prompt: a template's `text`, or the `turns` of a chat, whose contents are templates."""

    label: str
    text: str = ""
    turns: tuple[tuple[str, str], ...] = ()
    images: Chat = ()
    """The turns of a chat with images; then `text` and `turns` are empty."""

    @property
    def variables(self) -> set[str]:
        """The names it uses."""
        texts = (self.text, *(content for _, content in self.turns))
        return chat_variables(self.images).union(*map(variables, texts))


def read_prompts(config: SourcePlace, base: Path, ledger: Ledger) -> list[Prompt]:
    """Every prompt of a configuration; without any, the variable `prompt` is the whole of it."""
    place = config.at("prompts")
    if place.value is None:
        return [Prompt("prompt", "{{ prompt }}")]
    items = (
        [place.at(name) for name in place.value] if isinstance(place.value, dict) else place.items()
    )
    prompts: list[Prompt] = []
    for item in items:
        with ledger.trying(item):
            prompts += _prompts(item, base, ledger)
    return prompts


def _prompts(item: SourcePlace, base: Path, ledger: Ledger) -> Iterator[Prompt]:
    raw = item.value
    label = ""
    if isinstance(raw, dict):
        for key in set(raw) - {"id", "label", "raw", "display"}:
            ledger.note(item.at(key), f"`{key}` of a prompt has no meaning here")
        label = str(raw.get("label") or raw.get("display") or raw.get("id") or "")
        raw = raw.get("raw") or raw.get("id")
    elif item.path and isinstance(item.path[-1], str) and item.path[-1] != "prompts":
        raw, label = item.path[-1], str(raw)  # {file: label}, as older configurations have it
    if not isinstance(raw, str):
        raise UnmappedError("a prompt is a text, a file or {id, label, raw}")
    if _CODE.search(raw) or raw.startswith(("exec:", "python:")):
        raise UnmappedError("a prompt that code makes; write its outcome as a template")
    if re.match(r"(?:langfuse|portkey|helicone|https?)://", raw):
        raise UnmappedError(
            "a prompt that is kept elsewhere; save its text to a file and name that"
        )
    if raw.startswith("file://") or ("\n" not in raw and "{{" not in raw and raw.endswith(_FILES)):
        for path in referenced(raw, base):
            yield from _of_file(path, label, ledger)
    else:
        yield _prompt(raw, label)


def _of_file(path: Path, label: str, ledger: Ledger) -> Iterator[Prompt]:
    text = read_text(path)
    if path.suffix == ".csv":
        for row in csv.DictReader(text.splitlines()):
            yield _prompt(row["prompt"], row.get("label") or label)
        return
    if path.suffix in (".yaml", ".yml"):
        place = read_yaml(path)
        if not _is_chat(place.value):
            for each in place.items():
                yield from _prompts(each, path.parent, ledger)
            return
        text = json.dumps(place.value, ensure_ascii=False)
    parts = (
        [part.strip("\n") for part in re.split(r"^---$", text, flags=re.M)]
        if path.suffix == ".txt"
        else [text]
    )
    for part in parts:
        if part.strip():
            yield _prompt(part.rstrip("\n"), label or path.stem)


def _prompt(text: str, label: str) -> Prompt:
    turns = _turns(text)
    if turns is None:
        return Prompt(label or text, _filled(text))
    if any(not isinstance(content, str) for _, content in turns):
        return Prompt(label or "chat", images=tuple(turns))
    return Prompt(
        label or "chat", turns=tuple((role, _filled(content)) for role, content in _texts(turns))
    )


def _filled(text: str) -> str:
    """The template; a `Variable` if it reads the environment."""
    filled = from_environment(text)
    return Variable(template(filled)) if isinstance(filled, Variable) else template(text)


def _is_chat(data: object) -> bool:
    return (
        isinstance(data, list)
        and bool(data)
        and all(isinstance(turn, dict) and "role" in turn for turn in data)
    )


def _texts(turns: list[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    for role, content in turns:
        yield role, str(content)


def _turns(text: str) -> list[tuple[str, object]] | None:
    """The turns of a chat in JSON or YAML; None for a text that is none."""
    if not text.lstrip().startswith(("[", "- role")):
        return None
    try:
        data: Any = (
            json.loads(quoted_templates(text))
            if text.lstrip().startswith("[")
            else yaml_file.parse(text, "prompt").data
        )
    except (ValueError, SuiteError):
        if '"role"' in text:
            raise UnmappedError(
                "a chat whose JSON is made by the template; write it as a list of messages"
            ) from None
        return None
    if not _is_chat(data):
        return None
    turns = []
    for turn in data:
        content = turn.get("content")
        if isinstance(content, list) and all(
            isinstance(part, dict) and isinstance(part.get("text"), str) for part in content
        ):
            turn["content"] = "\n".join(part["text"] for part in content)
        content = content_of(turn.get("content"))
        if turn["role"] not in _ROLES or content is None:
            raise UnmappedError(
                f"a message has one of the roles {', '.join(_ROLES)} and texts or images;"
                f" this one of {turn['role']!r} has something else, such as sound"
            )
        turns.append((_ROLES[turn["role"]], content))
    return turns
