"""Parts of a message that has images: texts and images in their order, as chat endpoints read them.

The message's `content` has all of it as one text, with a placeholder for each image. Checks, judges
and pages read that text.
"""

from collections.abc import Sequence

import msgspec


class MessagePart(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text or an image."""

    text: str = ""
    """The text; empty for an image."""
    image: str = ""
    """A data URL, or an address that the endpoint loads; empty for a text."""
    name: str = ""
    """The name of the image's file or address, as pages show it."""
    detail: str = ""
    """`low`, `high` or `auto`, if the case states it."""


def as_text(parts: Sequence[MessagePart]) -> str:
    """All parts as one text, with `[image NAME]` for an image."""
    return "\n".join(f"[image {part.name}]" if part.image else part.text for part in parts)


def chat_parts(parts: Sequence[MessagePart]) -> list[dict[str, object]]:
    """The `content` of a message of chat completions."""
    return [
        {"type": "image_url", "image_url": {"url": part.image, **_detail(part)}}
        if part.image
        else {"type": "text", "text": part.text}
        for part in parts
    ]


def response_parts(parts: Sequence[MessagePart]) -> list[dict[str, object]]:
    """The `content` of an input message of the responses API."""
    return [
        {"type": "input_image", "image_url": part.image, **_detail(part)}
        if part.image
        else {"type": "input_text", "text": part.text}
        for part in parts
    ]


def _detail(part: MessagePart) -> dict[str, object]:
    return {"detail": part.detail} if part.detail else {}
