"""The parts of a model's identity: an address, headers and the modules of an application, without
secrets.

An identity is written to manifests, certificates and reports. Values that may be a key are
therefore replaced by a digest.
"""

import hashlib
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from llmeval.core.function_source import file_digest
from llmeval.core.records import canonical_json, digest

CREDENTIALS = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "api-key",
        "x-api-key",
        "cookie",
        "set-cookie",
    }
)
"""Headers that identify the caller, not the model. They change whenever a key is renewed."""
_SHORT = 16
"""Hex digits of a digest that are kept: 64 bits are enough to distinguish any two values."""
_SEGMENT = re.compile(r"[A-Za-z0-9]{16,}")
_SECRET = re.compile(r"(key|token|secret|password|passwd|auth|authorization|credentials?)$", re.I)
_OWN, _INSTALLED = "llmeval", "site-packages"
_PORTS = {"http": ":80", "https": ":443"}


def address(url: str) -> str:
    """A URL as a part of an identity: scheme, host, port, path and query, without user and
    password.

    Scheme and host are in lower case, the scheme's own port and a slash at the end are left out, as
    none of these changes where a request goes. Values of the query are digests, because an API key
    may be among them; so are parts of the path that look like one (16 or more letters and digits in
    a row, with both among them).
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(_PORTS.get(scheme, ":"))
    path = _SEGMENT.sub(_without_key, parts.path.rstrip("/"))
    values = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(
        f"{_SEGMENT.sub(_without_key, name)}={_short(value)}" for name, value in values
    )
    return f"{scheme}://{host}{path}" + (f"?{query}" if query else "")


def headers(values: Mapping[str, str]) -> dict[str, str]:
    """Headers as a part of an identity: names in lower case, values as digests, no
    `CREDENTIALS`.
    """
    named = ((name.lower().strip(), value) for name, value in values.items())
    return {name: _short(value) for name, value in sorted(named) if name not in CREDENTIALS}


def modules_below(folders: Iterable[Path]) -> str | None:
    """The digest of the imported Python modules whose files are in some folders: an application's
    own code, with the modules that it imports. None without such modules. Installed packages and
    llmeval itself are left out.
    """
    roots = {folder.resolve() for folder in folders}
    modules = []
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None)
        if not place or name.partition(".")[0] == _OWN or _INSTALLED in Path(place).parts:
            continue
        if (
            roots.intersection(Path(place).resolve().parents)
            and (content := file_digest(Path(place))) is not None
        ):
            modules.append([name, content])
    return digest(sorted(modules)) if modules else None


def without_keys(value: object) -> object:
    """JSON with a digest instead of each text whose key names a secret, such as `api_key`."""
    if isinstance(value, Mapping):
        return {key: _hidden(key, item) for key, item in value.items()}
    return [without_keys(item) for item in value] if isinstance(value, list | tuple) else value


def _hidden(key: object, item: object) -> object:
    hides = isinstance(item, str) and _SECRET.search(str(key)) is not None
    return _short(item) if hides else without_keys(item)


def _without_key(match: re.Match[str]) -> str:
    text = match[0]
    mixed = any(char.isdigit() for char in text) and any(char.isalpha() for char in text)
    return _short(text) if mixed else text


def _short(value: object) -> str:
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()[:_SHORT]
