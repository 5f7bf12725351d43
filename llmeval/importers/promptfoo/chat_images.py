"""Chats with images: each case gets its own `messages`, because a suite's messages are texts."""

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from llmeval.core.templates import is_template
from llmeval.data.message_images import MAX_IMAGE
from llmeval.importers.ledger import UnmappedError
from llmeval.importers.promptfoo.templates import rendered, variables

KINDS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
"""Files of images and their types."""
_TWICE = re.compile(r"data:image/\w+;base64,(?=data:image/)")
"""promptfoo has a variable of an image as a data URL, or in older versions as base64 alone."""

IMAGE_IN_TEXT = "an image in a text: write the prompt as a chat with a part `image_url`"
Chat = tuple[tuple[str, object], ...]
"""Roles, and contents as templates: a text, or a list of parts."""


def image_of(path: Path) -> str:
    """An image's file as a data URL.

    Raises:
        UnmappedError: it is larger than a case may have.
    """
    data = path.read_bytes()
    if len(data) > MAX_IMAGE:
        raise UnmappedError(f"{path.name} is larger than {MAX_IMAGE // 2**20} MiB: make it smaller")
    kind = KINDS[path.suffix.lower()]
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def images_in(rows: Sequence[Mapping[str, object]]) -> set[str]:
    """The fields of cases that hold an image."""
    return {
        key
        for row in rows
        for key, value in row.items()
        if isinstance(value, str) and value.startswith("data:image/")
    }


def chat_cases(chat: Chat, rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """The cases with their messages, which have the images.

    Raises:
        UnmappedError: a template can't be filled.
    """
    images = images_in(rows)
    return [
        {
            **{key: value for key, value in row.items() if key not in images},
            "messages": _messages(chat, row),
        }
        for row in rows
    ]


def content_of(content: object) -> object:
    """The content of a message as llmeval writes it: a text, or a list of texts and images. None if
    it has anything else.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    parts = [_part(each) for each in content]
    return None if None in parts else parts


def chat_variables(chat: Chat) -> set[str]:
    """The names that a chat uses."""
    return set[str]().union(*(_variables(content) for _, content in chat))


def _messages(chat: Chat, values: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"role": role, "content": _single(rendered(content, values))} for role, content in chat]


def _single(content: object) -> object:
    """The content with each image's address once."""
    for part in content if isinstance(content, list) else []:
        if part["type"] == "image_url":
            image = part["image_url"]
            image["url"] = _TWICE.sub("", image["url"])
    return content


def _variables(value: object) -> set[str]:
    if isinstance(value, Mapping):
        return set[str]().union(*map(_variables, value.values()))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return set[str]().union(*map(_variables, value))
    return variables(value) if isinstance(value, str) and is_template(value) else set()


def _part(part: object) -> dict[str, object] | None:
    """A part of chat completions, of the responses API or of Anthropic's messages."""
    if not isinstance(part, dict):
        return None
    text = part.get("text")
    if part.get("type") in ("text", "input_text") and isinstance(text, str):
        return {"type": "text", "text": text}
    image = part.get("image_url")
    if part.get("type") in ("image_url", "input_image"):
        image = {"url": image} if isinstance(image, str) else image
        if isinstance(image, dict) and isinstance(image.get("url"), str):
            return {"type": "image_url", "image_url": dict(image)}
    source = part.get("source")
    if part.get("type") == "image" and isinstance(source, dict):
        data, kind = source.get("data"), source.get("media_type")
        if source.get("type") == "url" and isinstance(source.get("url"), str):
            return {"type": "image_url", "image_url": {"url": source["url"]}}
        if isinstance(data, str) and isinstance(kind, str):
            return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}
    return None
