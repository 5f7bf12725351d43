"""Reads `manifest.json`, and checks it against its own digest and the types of `Manifest`.

A directory may come from anyone. A value of another type is refused here, so that no reader has to
handle it.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from llmeval.core.checksums import manifest_digest
from llmeval.core.errors import StoreError
from llmeval.core.files import read_regular
from llmeval.core.manifest import Manifest
from llmeval.core.records import SCHEMA
from llmeval.core.redaction import has_secret, redact_value

_KEYS = {field.name for field in structs.fields(Manifest)} - {"other_keys"}
_FIRST = ("schema", "run_id", "suite", "suite_file", "description", "started", "ended", "status")
"""Keys at the beginning of the file, because people look for them first."""


class _NamedCheck(msgspec.Struct):
    metric: str


def read_manifest(path: Path) -> Manifest:
    """A manifest from its file.

    Raises:
        StoreError: the file is missing, was made by another version, was changed by hand, or a
            value has the wrong type.
    """
    try:
        loaded = msgspec.json.decode(read_regular(path), type=dict[str, Any])
    except FileNotFoundError:
        raise StoreError(
            f"{path.parent} has no {path.name}: it is not a run directory, or the run ended before"
            " its first call"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"{path} can't be read: {error}") from None
    check_schema(loaded.get("schema"), path)
    try:
        manifest = manifest_of(loaded)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{path} is not a manifest of llmeval: {error}") from None
    if manifest_digest(loaded) != manifest.digest:
        raise StoreError(
            f"{path} was changed after it was written: its digest does not match its content. "
            "Take it from a copy of the run, or run the suite again"
        )
    return manifest


def manifest_of(loaded: dict[str, object]) -> Manifest:
    """A manifest from its JSON.

    Raises:
        ValueError: a value is missing or has the wrong type; names its key.
    """
    fields = {key: value for key, value in loaded.items() if key in _KEYS}
    others = {key: value for key, value in loaded.items() if key not in _KEYS}
    manifest = msgspec.convert(fields, Manifest)
    for number, check in enumerate(manifest.checks):
        try:
            msgspec.convert(check, _NamedCheck)
        except ValueError as error:
            raise ValueError(f"{error} - at `$.checks[{number}]`") from None
    return structs.replace(manifest, other_keys=others)


def manifest_bytes(manifest: Manifest) -> bytes:
    """The content of `manifest.json`, with the digest of what it holds."""
    content: dict[str, Any] = msgspec.to_builtins(without_secrets(manifest))
    others = content.pop("other_keys")
    content = {**{key: content[key] for key in _FIRST}, **content, **others}
    sealed = {**content, "digest": manifest_digest(content)}
    return json.dumps(sealed, indent=2, ensure_ascii=False).encode() + b"\n"


def without_secrets(manifest: Manifest) -> Manifest:
    """The manifest with `***` instead of secrets, except in names that become folders."""
    content: dict[str, Any] = msgspec.to_builtins(manifest)
    if not has_secret(msgspec.json.encode(content)):
        return manifest
    kept = {key: content[key] for key in ("suite", "run_id", "digests")}
    redacted = {key: redact_value(value) for key, value in content.items()}
    return msgspec.convert({**redacted, **kept}, Manifest)


def check_schema(schema: object, path: Path) -> None:
    """Refuse a file of another format of the run directory.

    Raises:
        StoreError: says who made it, and what to do.
    """
    if isinstance(schema, int) and schema < SCHEMA:
        raise StoreError(
            f"{path} was made by an older llmeval (format {schema}, this one reads format"
            f" {SCHEMA}): run the suite again"
        )
    if schema != SCHEMA:
        raise StoreError(
            f"{path} has schema {schema}, this llmeval reads up to {SCHEMA}: upgrade llmeval"
        )
