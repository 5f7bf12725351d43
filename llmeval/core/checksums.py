"""Checksums of what a run records: a checksum in each line, a digest of each file, a digest of the
manifest.

They show damage and edits by hand. They are not a signature: a person who rewrites the records, the
manifest and all digests is not detected.
"""

import hashlib
from collections.abc import Mapping

import msgspec

from llmeval.core.records import digest

_FIELD = b',"checksum":"'
_END = b'"}\n'
_BYTES = 8
_TAIL = len(_FIELD) + 2 * _BYTES + len(_END)


def sealed(record: bytes) -> bytes:
    """A record as a line of a file: with `checksum` as its last field, and the newline.

    The checksum is BLAKE2b (RFC 7693) with 8 bytes of output, as 16 hex digits, over the bytes of
    the line before `,"checksum"`.

    Args:
        record: one JSON object with at least one field, as `records.to_json` gives it.
    """
    body = record[:-1]
    return b"".join((body, _FIELD, _checksum(body), _END))


def unsealed(line: bytes) -> bytes:
    """The record of a line, without its checksum and newline (if it has them)."""
    body = line.removesuffix(b"\n")
    return body[: 1 - _TAIL] + b"}"


def problem(line: bytes) -> str:
    """What is wrong with the checksum of a line that ends with a newline; empty if nothing is."""
    if line[-_TAIL : -_TAIL + len(_FIELD)] != _FIELD or not line.endswith(_END):
        return "the line does not end with a checksum: llmeval did not write it, or it was edited"
    stated, computed = line[-_TAIL + len(_FIELD) : -len(_END)], _checksum(line[:-_TAIL])
    if stated != computed:
        return (
            "the line was changed after it was written "
            f"(checksum {stated.decode(errors='replace')}, its content has {computed.decode()})"
        )
    return ""


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_BYTES).hexdigest().encode()


def manifest_digest(manifest: Mapping[str, object]) -> str:
    """The digest of a manifest's content (`digest` itself left out): sha256 over its canonical
    JSON.

    Layout does not matter: the same content with other spaces has the same digest.
    """
    content = {key: value for key, value in manifest.items() if key != "digest"}
    return digest(msgspec.json.decode(msgspec.json.encode(content)))


def digest_number(digest: str) -> int:
    """A sha256 digest as a number, to be added up."""
    return int(digest.removeprefix("sha256:"), 16)


def digest_of_sum(total: int) -> str:
    """The digest of a set of cases: the sum of their digests modulo 2**256. Their order does not
    matter.
    """
    return f"sha256:{total % 2**256:064x}"
