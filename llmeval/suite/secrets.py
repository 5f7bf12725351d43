"""The secrets of a suite: keys, credentials in addresses, and values of environment variables."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, SecretStr

from llmeval.core.errors import SuiteError
from llmeval.core.files import irregular_kind
from llmeval.suite import yaml_file

_NAMED = re.compile(r"(key|token|secret|password|passwd|auth|authorization|credentials?)$", re.I)
"""Names of values that are secret wherever they are written."""


def secrets_in(value: object, name: str = "") -> Iterator[str]:
    """Secrets below a value of a suite: `api_key` and headers, users and passwords and queries of
    addresses, and texts under a name such as `token`.
    """
    if isinstance(value, SecretStr):
        if secret := value.get_secret_value():
            yield secret
            yield secret.removeprefix("Bearer ").removeprefix("Basic ")
    elif isinstance(value, BaseModel):
        for key in type(value).model_fields:
            yield from secrets_in(getattr(value, key), key)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from secrets_in(item, str(key))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from secrets_in(item, name)
    elif isinstance(value, str):
        if _NAMED.search(name):
            yield value
        if "://" in value:
            yield from _in_address(value)


def secrets_written_in(path: Path) -> set[str]:
    """Keys that stand in a suite file as they are: values of headers, and what `secrets_in` names.

    The file is not loaded as a suite: no variable has to be set, and no code runs. Empty if it
    can't be read.
    """
    if irregular_kind(path):
        return set()
    try:
        content = yaml_file.parse(path.read_text(encoding="utf-8"), str(path)).data
    except (OSError, ValueError, SuiteError):
        return set()
    values = {*secrets_in(content), *_headers(content)}
    return {
        part
        for value in values
        if "${" not in value
        for part in (value, value.removeprefix("Bearer ").removeprefix("Basic "))
    }


def _headers(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "headers" and isinstance(item, Mapping):
                yield from (text for text in item.values() if isinstance(text, str))
            else:
                yield from _headers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _headers(item)


def _in_address(text: str) -> Iterator[str]:
    try:
        parts = urlsplit(text)
    except ValueError:
        return
    if parts.password:
        yield f"{unquote(parts.username or '')}:{unquote(parts.password)}"
        yield unquote(parts.password)
    elif parts.username:
        yield unquote(parts.username)
    for name, value in parse_qsl(parts.query):
        if _NAMED.search(name) or name.lower() in ("sig", "code", "signature"):
            yield value
