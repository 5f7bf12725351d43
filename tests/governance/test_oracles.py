"""What llmeval signs and writes, read by programs that share no code with it."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from llmeval.governance.dsse import pre_authentication_encoding
from tests.support.command import llmeval

SUITE = """\
suite: oracle
cases: [{id: a, question: "1", reference: "one"}, {id: b, question: "2", reference: "two"}]
prompt: "{{ question }}"
models: {words: {provider: python, function: "oracle_app:answer", build: "1"}}
candidate: words
checks: [facts]
gate: {floors: {facts: 0.05}}
"""
NAMES = ("attestation", "attestation.svr", "attestation.evaluation")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with statements signed by both kinds of keys."""
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "oracle_app.py").write_text(
        "def answer(prompt): return {'1': 'one', '2': 'two'}[prompt]\n"
    )
    shell("openssl", "genpkey", "-algorithm", "ed25519", "-out", "ci.pem", cwd=folder)
    (folder / "ci.pem").chmod(0o600)
    shell("openssl", "pkey", "-in", "ci.pem", "-pubout", "-out", "ci.pub", cwd=folder)
    shell("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "ada", cwd=folder)
    kind, key, *_ = (folder / "ada.pub").read_text().split()
    (folder / "allowed_signers").write_text(f'ada namespaces="llmeval" {kind} {key}\n')
    for command in (
        ("run", "suite.yaml", "--out", "run"),
        ("attest", "run", "--sign", "ed25519:ci.pem"),
        ("approve", "run", "--by", "ada", "--role", "owner", "--reason", "x", "--ssh", "ada"),
    ):
        done = llmeval(*command, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def shell(*command: object, cwd: Path, data: bytes = b"", ok: bool = True) -> None:
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, input=data, capture_output=True, check=False
    )
    assert (done.returncode == 0) == ok, done.stderr.decode()


@pytest.mark.parametrize("name", NAMES)
def test_statements_are_valid_for_in_toto(folder: Path, name: str) -> None:
    statements = pytest.importorskip(
        "in_toto_attestation.v1.statement", reason="the oracle is in the extra `dev`"
    )
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2

    text = (folder / "run" / f"{name}.json").read_text()
    message = json_format.Parse(text, statement_pb2.Statement())
    statements.Statement.copy_from_pb(message).validate()
    broken = json.loads(text) | {"_type": "https://in-toto.io/Statement/v0"}
    message = json_format.Parse(json.dumps(broken), statement_pb2.Statement())
    with pytest.raises(ValueError, match="type"):
        statements.Statement.copy_from_pb(message).validate()


@pytest.mark.parametrize("name", NAMES)
def test_envelopes_are_valid_for_securesystemslib(folder: Path, name: str) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="the oracle is in the extra `dev`")
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    data = json.loads((folder / "run" / f"{name}.dsse.json").read_text())
    (signature,) = data["signatures"]
    public = load_pem_public_key((folder / "ci.pub").read_bytes())
    key = SSlibKey.from_crypto(public, keyid=signature["keyid"])
    assert signature["keyid"] in dsse.Envelope.from_dict(json.loads(json.dumps(data))).verify(
        [key], 1
    )
    data["payload"] = base64.b64encode(base64.b64decode(data["payload"]) + b" ").decode()
    with pytest.raises(VerificationError):
        dsse.Envelope.from_dict(data).verify([key], 1)


def test_an_envelope_is_valid_for_openssl(folder: Path, tmp_path: Path) -> None:
    envelope = json.loads((folder / "run" / "attestation.dsse.json").read_text())
    signature, message = tmp_path / "signature", tmp_path / "message"
    signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    payload = base64.b64decode(envelope["payload"])
    command = ("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "ci.pub")
    command += ("-sigfile", str(signature), "-in", str(message))
    for kind, ok in (("application/vnd.in-toto+json", True), ("application/json", False)):
        message.write_bytes(pre_authentication_encoding(kind, payload))
        shell(*command, cwd=folder, ok=ok)


def test_signatures_of_people_are_valid_for_ssh(folder: Path) -> None:
    assert llmeval("attest", "run", "--sign", "ssh:ada", cwd=folder).returncode == 0
    (approval,) = (folder / "approvals").glob("*.json")
    for path in (approval, folder / "run" / "attestation.json"):
        verify = (
            "ssh-keygen",
            "-Y",
            "verify",
            "-f",
            "allowed_signers",
            "-I",
            "ada",
            "-s",
            f"{path}.sig",
        )
        data = path.read_bytes()
        shell(*verify, "-n", "llmeval", cwd=folder, data=data)
        shell(*verify, "-n", "git", cwd=folder, data=data, ok=False)
        shell(*verify, "-n", "llmeval", cwd=folder, data=data + b" ", ok=False)
