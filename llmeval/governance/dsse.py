"""Signed statements: DSSE envelopes with Ed25519 keys.

Source: secure-systems-lab/dsse, protocol.md v1 (pre-authentication encoding) and envelope.md. The
signature is over PAE(type, body), so a statement can't be passed off as another kind of payload.
"""

import base64
import binascii
import hashlib
import json
import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llmeval.core.errors import StoreError, UsageError, install_hint

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PAYLOAD_TYPE = "application/vnd.in-toto+json"
"""Of every statement that llmeval signs."""
KEY_VARIABLE = "LLMEVAL_SIGNING_KEY"
"""Holds a private key in PEM form, where no file can: `ed25519:env`."""


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: `DSSEv1 LEN(type) type LEN(body) body`."""
    name = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def signed_envelope(payload: bytes, key: "Ed25519PrivateKey") -> bytes:
    """The envelope of a payload, as JSON."""
    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [
            {"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}
        ],
    }
    return json.dumps(envelope, indent=2).encode() + b"\n"


def payload_of(envelope: bytes, keys: "list[Ed25519PublicKey]", where: str) -> bytes:
    """The payload of an envelope that one of the keys has signed.

    Args:
        envelope: as JSON. keys: the trusted ones. where: named in errors.

    Raises:
        StoreError: no envelope, another kind of payload, or no valid signature of a trusted key.
    """
    from cryptography.exceptions import InvalidSignature

    payload, signatures = _parts(envelope, where)
    message = pre_authentication_encoding(PAYLOAD_TYPE, payload)
    for key in keys:
        for signature in signatures:
            try:
                key.verify(signature, message)
            except InvalidSignature:
                continue
            return payload
    raise StoreError(f"{where}: has no valid signature of a trusted key")


def _parts(envelope: bytes, where: str) -> tuple[bytes, list[bytes]]:
    from llmeval.governance.canonical import plain_strict

    outer = plain_strict(envelope, where)
    try:
        kind = outer["payloadType"]
        payload = base64.b64decode(outer["payload"], validate=True)
        signatures = [base64.b64decode(each["sig"], validate=True) for each in outer["signatures"]]
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise StoreError(f"{where}: is not a DSSE envelope: {error}") from None
    if kind != PAYLOAD_TYPE:
        raise StoreError(f"{where}: holds a payload of type {kind!r}, not {PAYLOAD_TYPE!r}")
    return payload, signatures


def key_id(key: "Ed25519PublicKey") -> str:
    """The sha256 of the public key (SubjectPublicKeyInfo, DER), as hex."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def private_key(reference: str) -> "Ed25519PrivateKey":
    """The key of `ed25519:FILE`, or of `ed25519:env` (the variable LLMEVAL_SIGNING_KEY).

    Raises:
        UsageError: the extra `sign` is not installed, there is no such key, it is of another kind,
            or others may read its file.
    """
    _needs_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    kind, _, place = reference.partition(":")
    if kind != "ed25519" or not place:
        raise UsageError(f"--sign {reference}: must be ed25519:FILE, ed25519:env or ssh:FILE")
    data = _variable() if place == "env" else _private_file(Path(place))
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise UsageError(f"--sign {reference}: is not a private key in PEM form: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            f"--sign {reference}: is not an Ed25519 key. Make one: `openssl genpkey -algorithm"
            " ed25519 -out key.pem`"
        )
    return key


def public_key(path: Path) -> "Ed25519PublicKey":
    """A public key in PEM form.

    Raises:
        UsageError: as `private_key`.
    """
    _needs_cryptography()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"--key {path}: is not a public key in PEM form: {error}") from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"--key {path}: is not an Ed25519 key")
    return key


def _needs_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise UsageError(f"signatures need the extra `sign`: {install_hint('sign')}") from None


def _variable() -> bytes:
    value = os.environ.get(KEY_VARIABLE, "")
    if not value:
        raise UsageError(f"--sign ed25519:env: {KEY_VARIABLE} is not set")
    return value.encode()


def _private_file(path: Path) -> bytes:
    """The content of a key's file, which nobody else may read."""
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: the key can't be read: {error.strerror or error}") from None
    if sys.platform != "win32" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            f"{path}: others may read this private key, so it proves nothing. Make a new one, or"
            f" `chmod 600 {path}`"
        )
    return data
