"""A change walks from its run to an approved baseline; a stranger verifies it with public keys."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from llmeval.core.approvals import ApprovalPolicy
from llmeval.governance.approvals import author_digest, check_policy, read_approvals
from llmeval.governance.audit import append_event, check_anchor, join_branches, read_chain
from llmeval.governance.verify import check_seal
from tests.support.command import llmeval

SUITE = """\
suite: walk
cases:
  - {id: a, question: "1", reference: "one"}
  - {id: b, question: "2", reference: "two"}
prompt: "{{ question }}"
models:
  words: {provider: python, function: "walk_app:answer", build: "1"}
candidate: words
checks: [facts]
gate: {floors: {facts: 0.05}}
approvals: {min: 2, roles: [owner, risk], not_author: true, max_age: 90d, signers: allowed_signers}
"""
APP = "def answer(prompt): return {'1': 'one', '2': 'two'}[prompt]\n"
PEOPLE = ("ada", "ben", "eve")


class Place(NamedTuple):
    """A repository with a sealed run, and keys outside of it."""

    folder: Path
    keys: Path

    @property
    def run(self) -> Path:
        return self.folder / "run"

    def approve(self, by: str, role: str, *more: object, key: str | None = None) -> int:
        signer = self.keys / (key or by)
        return llmeval(
            "approve", self.run, "--by", by, "--role", role, "--reason", "read it", "--ssh", signer,
            *more, cwd=self.folder,
        ).returncode  # fmt: skip

    def verify(self, *more: object) -> dict[str, object]:
        told = llmeval(
            "verify", self.run, "--signers", self.keys / "allowed_signers", "--json", *more,
            cwd=self.folder,
        )  # fmt: skip
        document = json.loads(told.stdout)
        assert told.returncode == (0 if document["verified"] else 1)
        return document

    def problems(self, *more: object) -> str:
        return " | ".join(map(str, self.verify(*more)["problems"]))  # type: ignore[call-overload]


def shell(*command: object, cwd: Path) -> None:
    subprocess.run([*map(str, command)], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("walk")
    folder, keys = root / "repository", root / "keys"
    folder.mkdir()
    keys.mkdir()
    lines = []
    for name in PEOPLE:
        shell("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", keys / name, cwd=keys)
        public = (keys / f"{name}.pub").read_text().split()
        lines.append(f'{name} namespaces="llmeval" {public[0]} {public[1]}')
    shell("openssl", "genpkey", "-algorithm", "ed25519", "-out", "machine.pem", cwd=keys)
    (keys / "machine.pem").chmod(0o600)
    shell("openssl", "pkey", "-in", "machine.pem", "-pubout", "-out", "machine.pub", cwd=keys)
    (keys / "allowed_signers").write_text("\n".join(lines) + "\n")
    shutil.copy(keys / "allowed_signers", folder / "allowed_signers")
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "walk_app.py").write_text(APP)
    shell("git", "init", "-q", cwd=folder)
    shell("git", "add", ".", cwd=folder)
    author = ["-c", "user.name=eve", "-c", "user.email=eve@example.com"]
    shell("git", *author, "commit", "-qm", "a change", cwd=folder)
    assert llmeval("run", "suite.yaml", "--out", "run", cwd=folder).returncode == 0
    return Place(folder, keys)


@pytest.fixture
def place(original: Place, tmp_path: Path) -> Place:
    folder = Path(shutil.copytree(original.folder, tmp_path / "repository"))
    return Place(folder, original.keys)


def approved(place: Place) -> Place:
    folder = place.run / "approvals"
    assert place.approve("ada", "owner", "--out", folder) == 0
    assert place.approve("ben", "risk", "--out", folder) == 0
    return place


def test_the_walk(place: Place) -> None:
    machine = place.keys / "machine.pem"
    folder = ("--approvals", place.run / "approvals")
    assert llmeval("attest", place.run, "--sign", f"ed25519:{machine}").returncode == 0
    assert "0 of 2 people approve" in place.problems(*folder)
    approved(place)
    document = place.verify(*folder, "--key", place.keys / "machine.pub")
    assert document["verified"], document["problems"]
    payload = json.loads((place.run / "attestation.json").read_text())
    assert payload["predicate"]["result"] == "PASSED"
    assert payload["predicate"]["passedTests"] == ["floor facts"]
    before = predicate(place, "attestation.svr.json")
    assert "LLMEVAL_APPROVED" not in before["properties"] and before["verifier"]["policies"] == []
    elsewhere = llmeval("attest", place.run)
    assert elsewhere.returncode == 0
    unchecked = predicate(place, "attestation.evaluation.json")["approvals"]
    assert all("no signature was checked" in row["ignored"] for row in unchecked)
    sign = ("--sign", f"ed25519:{machine}")
    assert llmeval("attest", place.run, *sign, cwd=place.folder).returncode == 0
    after = predicate(place, "attestation.svr.json")
    assert "LLMEVAL_APPROVED" in after["properties"]
    assert after["verifier"]["policies"][0]["name"] == "approvals"
    stated = predicate(place, "attestation.evaluation.json")
    assert [(row["by"], row["decision"], row["signed"], row["ignored"]) for row in
            sorted(stated["approvals"], key=lambda row: row["by"])] == [
        ("ada", "approve", True, ""), ("ben", "approve", True, ""),
    ]  # fmt: skip
    assert stated["overridden"] is False
    approve = ("baseline", "approve", place.run, "--by", "ada", "--reason", "walked", "--out")
    assert llmeval(*approve, place.folder / "walk.lock.json", cwd=place.folder).returncode == 0
    assert place.verify(*folder, "--key", place.keys / "machine.pub")["verified"]


def predicate(place: Place, name: str) -> Any:
    return json.loads((place.run / name).read_text())["predicate"]


def test_statements_show_an_override_next_to_the_result(place: Place) -> None:
    suite = place.folder / "suite.yaml"
    suite.write_text(
        suite.read_text().replace("0.05}}", "0.999}}").replace("not_author: true, ", "")
        + "# a gate that two cases can't meet\n"
    )
    llmeval("run", "suite.yaml", "--out", "failed", cwd=place.folder)
    run = place.folder / "failed"
    for name, role in (("ada", "owner"), ("ben", "risk")):
        done = llmeval(
            "approve", run, "--by", name, "--role", role, "--reason", "ship it", "--ssh",
            place.keys / name, "--decision", "override", "--until", "2999-01-01",
            "--out", run / "approvals", cwd=place.folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert llmeval("attest", run, cwd=place.folder).returncode == 0
    result = json.loads((run / "attestation.json").read_text())["predicate"]
    assert result["result"] == "FAILED", "an override changes no result"
    names = {each["name"] for each in result["configuration"]}
    assert {"override:ada", "override:ben"} <= names
    stated = json.loads((run / "attestation.evaluation.json").read_text())["predicate"]
    assert stated["overridden"] is True and stated["decision"] in ("FAIL", "INCONCLUSIVE")
    svr = run / "attestation.svr.json"
    assert not svr.exists() or "LLMEVAL_APPROVED" not in svr.read_text()


def test_baseline_needs_the_approvals(original: Place, tmp_path: Path) -> None:
    """In the repository itself: the suite names its signers, and the seal their digest."""
    command = (
        "baseline",
        "approve",
        "run",
        "--by",
        "ada",
        "--reason",
        "x",
        "--out",
        tmp_path / "l",
    )
    told = llmeval(*command, cwd=original.folder)
    assert told.returncode == 2
    assert "demands approvals" in told.stderr
    try:
        assert original.approve("ada", "owner") == original.approve("ben", "risk") == 0
        assert llmeval(*command, cwd=original.folder).returncode == 0
        signers = original.folder / "allowed_signers"
        before = signers.read_text()
        signers.write_text(before + before.replace("eve", "mallory"))
        told = llmeval(*command, cwd=original.folder)
        assert "not the file of signers" in told.stderr
        signers.write_text(before)
    finally:
        shutil.rmtree(original.folder / "approvals")


def test_who_counts(place: Place) -> None:
    folder = place.run / "approvals"
    more = ("--approvals", folder)
    place.approve("ada", "owner", "--out", folder)
    place.approve("eve", "risk", "--out", folder)
    assert "1 of 2" in place.problems(*more)
    assert "author of the change" in str(place.verify(*more)["notes"])
    place.approve("ben", "owner", "--out", folder)
    assert "in the role risk" in place.problems(*more)
    place.approve("ben", "risk", "--decision", "reject", "--out", folder)
    assert "ben (risk) rejects" in place.problems(*more)
    place.approve("ben", "risk", "--out", folder)
    assert place.problems(*more) == ""


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        pytest.param(lambda place, file: edited(file, reason="other"), "signature", id="edited"),
        pytest.param(lambda place, file: Path(f"{file}.sig").unlink(), "signature", id="unsigned"),
        pytest.param(
            lambda place, file: edited(file, by="ben"), "signature", id="in another's name"
        ),
        pytest.param(
            lambda place, file: place.approve("ada", "owner", "--out", file.parent, key="eve"),
            "signature",
            id="another's key",
        ),
        pytest.param(lambda place, file: edited(file, seal="0" * 64), "another seal", id="replayed"),
        pytest.param(
            lambda place, file: edited(file, until="2020-01-01"), "ended on", id="out of date"
        ),
        pytest.param(
            lambda place, file: edited(file, at="2020-01-01T00:00:00Z"), "older than", id="old"
        ),
        pytest.param(
            lambda place, file: edited(file, at="2999-01-01T00:00:00Z"), "future", id="future"
        ),
    ],
)  # fmt: skip
def test_tampered_approvals_do_not_count(place: Place, tamper: object, problem: str) -> None:
    approved(place)
    (file,) = (place.run / "approvals").glob("*-ada-*.json")
    tamper(place, file)  # type: ignore[operator]
    document = place.verify("--approvals", place.run / "approvals")
    assert not document["verified"]
    assert problem in str(document["notes"])


def test_two_names_with_one_key_are_one_person(place: Place) -> None:
    folder, keys = place.run / "approvals", place.folder / "signers"
    lines = (place.keys / "allowed_signers").read_text()
    keys.write_text(lines + lines.splitlines()[0].replace("ada", "ada.second") + "\n")
    place.approve("ada", "owner", "--out", folder)
    place.approve("ada.second", "risk", "--out", folder, key="ada")
    told = llmeval("verify", place.run, "--signers", keys, "--approvals", folder)
    assert told.returncode == 1
    assert "sign with the same key" in told.stdout


@pytest.mark.parametrize(
    "hide",
    [
        lambda file: Path(f"{file}.sig").unlink(),
        lambda file: edited(file, at="2020-01-01T00:00:00Z"),
        lambda file: edited(file, by="eve"),
    ],
)
def test_a_rejection_can_not_be_hidden(place: Place, hide: object) -> None:
    approved(place)
    folder = place.run / "approvals"
    place.approve("zoe", "risk", "--decision", "reject", "--out", folder, key="eve")
    (file,) = folder.glob("*-zoe-*.json")
    hide(file)  # type: ignore[operator]
    assert "rejects the run" in place.problems("--approvals", folder)


def test_the_suite_decides_which_approvals_a_run_needs(place: Place) -> None:
    """A run that was made while `approvals` was not in the suite."""
    suite = place.folder / "suite.yaml"
    text = suite.read_text()
    suite.write_text(text[: text.index("approvals:")])
    assert llmeval("run", "suite.yaml", "--out", "other", cwd=place.folder).returncode == 0
    suite.write_text(text)
    command = (
        "baseline",
        "approve",
        "other",
        "--by",
        "eve",
        "--reason",
        "x",
        "--out",
        "l.lock.json",
    )
    told = llmeval(*command, cwd=place.folder)
    assert told.returncode == 2
    assert "demands other approvals" in told.stderr


def edited(file: Path, **changes: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_without_keys_a_signed_policy_is_not_met(place: Place) -> None:
    approved(place)
    told = llmeval("verify", place.run, "--approvals", place.run / "approvals")
    assert told.returncode == 1
    assert "name the file of keys that you trust" in told.stdout.replace("\n", " ")


def test_an_unreadable_approval_is_not_passed_over(place: Place) -> None:
    approved(place)
    (place.run / "approvals" / "x.json").write_text('{"run_id": "a", "run_id": "b"}')
    told = llmeval("verify", place.run, "--approvals", place.run / "approvals")
    assert told.returncode == 3


@pytest.mark.parametrize(
    "change",
    ["payload", "type", "signature", "key", "swapped", "kind", "subject", "plain", "unsigned"],
)
def test_changed_statements(place: Place, change: str) -> None:
    machine = place.keys / "machine.pem"
    approved(place)
    llmeval("attest", place.run, "--sign", f"ed25519:{machine}")
    path = place.run / "attestation.dsse.json"
    envelope = json.loads(path.read_text())
    key = place.keys / "machine.pub"
    if change == "payload":
        envelope["payload"] = envelope["payload"].replace("a", "b", 1)
    elif change == "type":
        envelope["payloadType"] = "application/json"
    elif change == "signature":
        envelope["signatures"][0]["sig"] = "AAAA"
    elif change == "key":
        shell("openssl", "genpkey", "-algorithm", "ed25519", "-out", "x.pem", cwd=place.folder)
        shell("openssl", "pkey", "-in", "x.pem", "-pubout", "-out", "x.pub", cwd=place.folder)
        key = place.folder / "x.pub"
    elif change == "kind":
        envelope = json.loads((place.run / "attestation.svr.dsse.json").read_text())
    elif change == "plain":
        plain = place.run / "attestation.json"
        plain.write_bytes(plain.read_bytes().replace(b"PASSED", b"WARNED"))
    elif change == "unsigned":
        path.unlink()
        problems = place.problems("--approvals", place.run / "approvals", "--key", key)
        assert "attestation.json: is not signed" in problems
        return
    else:
        shutil.copytree(place.run, place.folder / "other")
        llmeval("seal", place.folder / "other")
        (place.folder / "other" / "labels.jsonl").write_text("")
        llmeval("seal", place.folder / "other", "--again")
        subject = f"run=sha256:{check_seal(place.run).digest}"  # names the other run's seal
        more = ("--subject", subject) if change == "subject" else ()
        llmeval("attest", place.folder / "other", "--sign", f"ed25519:{machine}", *more)
        envelope = json.loads((place.folder / "other" / "attestation.dsse.json").read_text())
    path.write_text(json.dumps(envelope))
    problems = place.problems("--approvals", place.run / "approvals", "--key", key)
    assert "attestation.dsse.json" in problems


def test_a_key_that_others_may_read_is_refused(place: Place) -> None:
    key = place.folder / "open.pem"
    shutil.copy(place.keys / "machine.pem", key)
    key.chmod(0o644)
    told = llmeval("attest", place.run, "--sign", f"ed25519:{key}")
    assert told.returncode == 2
    assert "others may read" in told.stderr


def chain(path: Path, count: int) -> Path:
    for number in range(count):
        append_event(path, "ada", "approved", f"run {number}")
    return path


def test_chain_shows_edits_and_an_anchor_shows_a_cut(tmp_path: Path) -> None:
    path = chain(tmp_path / "audit.jsonl", 5)
    lines = path.read_bytes().splitlines(keepends=True)
    whole = read_chain(path)
    assert whole.problems == ()
    for changed in (
        [*lines[:2], lines[2].replace(b"run 2", b"run 9"), *lines[3:]],
        [lines[0], lines[2], lines[1], *lines[3:]],
        [*lines[:2], *lines[3:]],
        [*lines, lines[4]],
        [*lines, b'{"torn'],
        lines[1:],
    ):
        path.write_bytes(b"".join(changed))
        assert read_chain(path).problems
    path.write_bytes(b"".join(lines[:3]))
    cut = read_chain(path)
    assert cut.problems == ()
    assert check_anchor(cut, whole.ends[0])
    assert not check_anchor(whole, whole.ends[0][:12])


def test_two_branches_are_joined(tmp_path: Path) -> None:
    path = chain(tmp_path / "audit.jsonl", 2)
    base = path.read_bytes()
    chain(path, 1)
    one = path.read_bytes()[len(base) :]
    path.write_bytes(base)
    append_event(path, "ben", "rejected", "run 7")
    path.write_bytes(path.read_bytes() + one)  # what git's union merge makes
    assert len(read_chain(path).ends) == 2
    told = llmeval("audit", "verify", path)
    assert told.returncode == 1
    assert join_branches(path, "ada") is not None
    assert join_branches(path, "ada") is None
    append_event(path, "ada", "approved", "run 8")
    assert llmeval("audit", "verify", path).returncode == 0


def test_an_event_that_was_killed_half_way_is_replaced(tmp_path: Path) -> None:
    path = chain(tmp_path / "audit.jsonl", 2)
    path.write_bytes(path.read_bytes() + b'{"action":"appr')
    append_event(path, "ada", "approved", "run 9")
    check = read_chain(path)
    assert check.problems == ()
    assert len(check.events) == 3


def test_a_whole_event_without_its_newline_is_kept(tmp_path: Path) -> None:
    path = chain(tmp_path / "audit.jsonl", 2)
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert read_chain(path).problems == ()
    append_event(path, "ada", "approved", "run 9")
    check = read_chain(path)
    assert check.problems == ()
    assert len(check.events) == 3


def test_authors_of_changes_that_nobody_committed_are_unknown(place: Place) -> None:
    from llmeval.governance.authors import authors_of
    from llmeval.store.directory import RunDir

    manifest = RunDir(place.run).manifest()
    assert manifest.git is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_DIR", "/nowhere")
        assert author_digest("eve@example.com") in authors_of(manifest, place.folder, None)
    dirty = replace(manifest, git=replace(manifest.git, dirty=True))
    assert authors_of(dirty, place.folder, None) == ()
    shallow = place.folder / ".git" / "shallow"
    shallow.write_text(f"{manifest.git.commit}\n")
    assert authors_of(manifest, place.folder, "2020-01-01T00:00:00Z") == ()


def test_an_expired_key_does_not_count(place: Place) -> None:
    approved(place)
    text = (place.keys / "allowed_signers").read_text()
    signers = place.folder / "expired"
    signers.write_text(text.replace("ada ", 'ada valid-before="20200101" ', 1))
    told = llmeval(
        "verify", place.run, "--signers", signers, "--approvals", place.run / "approvals"
    )
    assert told.returncode == 1
    assert "1 of 2 people approve" in told.stdout


@pytest.mark.parametrize(
    ("first", "second"),
    [("ada", "Ada"), ("Andr\u00e9", "Andre\u0301"), ("Stra\u00dfe", "STRASSE"), ("a b", "a  b")],
)
def test_two_spellings_of_a_name_are_one_person(place: Place, first: str, second: str) -> None:
    """Without keys too: two people must not be one name, written in two ways."""
    folder = place.run / "approvals"
    for by, role in ((first, "owner"), (second, "risk")):
        assert place.approve("ada", role, "--out", folder) == 0
        (written,) = folder.glob("*-ada-*.json")
        edited(written, by=by)
        written.rename(folder / f"{role}.json")
    seal = check_seal(place.run).seal
    approvals = read_approvals([folder], seal.run_id)
    assert len(approvals) == 2
    problems = check_policy(seal, approvals, ApprovalPolicy(min=2), None).problems
    assert problems == ("1 of 2 people approve the run",)
    assert author_digest(first) == author_digest(second)
