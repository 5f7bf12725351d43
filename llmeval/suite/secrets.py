"""The secrets of a suite: keys, credentials in addresses, and values of environment variables."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, SecretStr

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
