"""Signatures by ssh keys: the keys that people have, and the file that git uses for them."""

import base64
import binascii
import hashlib
import re
import subprocess
from pathlib import Path

from llmeval.core.errors import UsageError

NAMESPACE = "llmeval"
"""Of signatures by ssh keys: a signature for git is not one for llmeval."""
_SECONDS = 60
_PRINCIPAL = re.compile(r"[\w.@+-]+\Z")
"""Names that can't be taken for a pattern or an option of ssh-keygen."""


def sign_file(path: Path, key: Path) -> Path:
    """Sign a file with an ssh key: the signature is in `<name>.sig`.

    Raises:
        UsageError: ssh-keygen is missing, or refuses the key.
    """
    place = Path(f"{path}.sig")
    place.unlink(missing_ok=True)
    done = _keygen(["-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(path.absolute())])
    if done.returncode or not place.is_file():
        why = done.stderr.decode(errors="replace").strip().splitlines()
        raise UsageError(f"{key}: {why[-1] if why else 'ssh-keygen wrote no signature'}")
    return place


def is_signed_by(data: bytes, signature: Path, name: str, signers: Path) -> bool:
    """Whether the signature is one of that person over these bytes.

    Args:
        data: what was signed. signature: the file of the signature.
        name: the person, as the file of signers names them; another form of name is never valid.
        signers: the file `allowed_signers` of ssh (man ssh-keygen).

    Raises:
        UsageError: ssh-keygen is missing, or there is no such file of signers.
    """
    if not signers.is_file():
        raise UsageError(f"{signers}: there is no such file of signers (man ssh-keygen)")
    if not _PRINCIPAL.match(name) or not signature.is_file():
        return False
    command = [
        "-Y",
        "verify",
        "-f",
        str(signers),
        "-I",
        name,
        "-n",
        NAMESPACE,
        "-s",
        str(signature),
    ]
    return _keygen(command, data).returncode == 0


def signing_key(signature: Path) -> str | None:
    """The digest of the public key within a signature; None where it can't be read.

    Source: PROTOCOL.sshsig of OpenSSH: `SSHSIG`, a version of four bytes, then the public key
    with its length before it.
    """
    try:
        lines = signature.read_text(encoding="ascii").split("-----")[2]
        data = base64.b64decode("".join(lines.split()), validate=True)
    except (OSError, ValueError, IndexError, binascii.Error):
        return None
    if data[:6] != b"SSHSIG" or len(data) < 14:
        return None
    length = int.from_bytes(data[10:14], "big")
    key = data[14 : 14 + length]
    return hashlib.sha256(key).hexdigest() if key and len(key) == length else None


def _keygen(arguments: list[str], data: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            input=data,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"ssh-keygen could not be run: {error}") from None
