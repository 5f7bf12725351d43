"""Tags of runs: names and values that people give a run after it ended, such as release=1.2."""

import re

import msgspec

from llmeval.core.errors import UsageError

TAGS_SCHEMA = 1
"""The format of `tags.json`."""
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")
_MOST = 200


class RunTags(msgspec.Struct, frozen=True, kw_only=True):
    """`tags.json`: the tags of a run. They are notes of people: no rule and no digest uses them."""

    schema: int = TAGS_SCHEMA
    """The format of the file."""
    tags: dict[str, str] = {}
    """Values by name."""


def parse_tag(text: str) -> tuple[str, str]:
    """A tag from `name=value`.

    Raises:
        UsageError: the name is not a letter followed by letters, digits, `_`, `.` or `-`; or the
            value is empty, longer than 200 characters, or holds a control character.
    """
    name, equals, value = text.partition("=")
    if not equals or not _KEY.match(name):
        raise UsageError(
            f"{text!r} is not a tag: write NAME=VALUE, such as release=1.2; a name begins with a"
            " letter and has letters, digits, `_`, `.` and `-`"
        )
    if not value or len(value) > _MOST or not value.isprintable():
        raise UsageError(
            f"the value of the tag {name} must have 1 to {_MOST} characters on one line"
        )
    return name, value
