"""JSON whose bytes are signed: written by RFC 8785, and read without any freedom."""

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import rfc8785

from llmeval.core.errors import StoreError

Record = TypeVar("Record", bound=msgspec.Struct)
MOST_BYTES = 64 * 2**20
"""A larger file of this kind is not read."""
_LARGEST = 2**53 - 1


def canonical_bytes(value: object) -> bytes:
    """The value as RFC 8785 writes it: equal values give equal bytes.

    Integers beyond 2^53 become text: RFC 8785 refuses them, because other readers round them.
    """
    return rfc8785.dumps(_safe(msgspec.to_builtins(value)))


def _safe(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST:
        return str(value)
    return value


def sha256_of(data: bytes) -> str:
    """The digest of bytes, as hex."""
    return hashlib.sha256(data).hexdigest()


def record_digest(record: object) -> str:
    """The sha256 of a record's canonical bytes, as hex."""
    return sha256_of(canonical_bytes(record))


def read_strict(path: Path, kind: type[Record], schema: int) -> Record:
    """A record from a JSON file without repeated or unknown keys.

    Two readers may take different values of a repeated key, so a signed file must have none. An
    unknown key would be lost in the digest.

    Raises:
        StoreError: the file can't be read, is not such a record, or has another `schema`.
    """
    return decode_strict(bounded_bytes(path), kind, schema, str(path))


def bounded_bytes(path: Path) -> bytes:
    """The content of a small file.

    Raises:
        StoreError: it can't be read, is not a plain file, or is too large.
    """
    try:
        if not path.is_file():
            raise StoreError(f"{path}: there is no such file")
        if path.stat().st_size > MOST_BYTES:
            raise StoreError(f"{path}: is larger than {MOST_BYTES // 2**20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path}: can't be read: {error.strerror or error}") from None


def decode_strict(data: bytes, kind: type[Record], schema: int, where: str) -> Record:
    """As `read_strict`, of bytes. `where`: named in the error."""
    plain = plain_strict(data, where)
    try:
        record = msgspec.convert(plain, kind)
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise StoreError(f"{where}: is not a {kind.__name__} of llmeval: {error}") from None
    stated = getattr(record, "schema", schema)
    if stated != schema:
        raise StoreError(
            f"{where}: has schema {stated}, this llmeval reads {schema}. Use the version of llmeval"
            " that wrote it"
        )
    if canonical_bytes(plain) != canonical_bytes(record):
        raise StoreError(f"{where}: holds keys or forms that a {kind.__name__} does not have")
    return record


def plain_strict(data: bytes, where: str) -> Any:
    """The content of JSON without repeated keys.

    Raises:
        StoreError: not such JSON. `where` is named in it.
    """
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise StoreError(f"{where}: is not valid JSON: {error}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        twice = next(key for key, _ in pairs if [name for name, _ in pairs].count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return mapping


def shown_bytes(record: object) -> bytes:
    """A record as a file for people: its canonical content, indented."""
    return msgspec.json.format(canonical_bytes(record), indent=2) + b"\n"
