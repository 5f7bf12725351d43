"""The seal of a run, and what `verify` says when something was changed afterwards."""

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest

from llmeval.core.errors import LlmevalError, StoreError, UsageError
from llmeval.core.merkle import cases_root, merkle_root
from llmeval.core.seal import Seal
from llmeval.governance.canonical import decode_strict, plain_strict
from llmeval.governance.recompute import recomputed
from llmeval.governance.seal import SEAL, read_seal, seal_run
from llmeval.governance.verify import check_seal
from tests.support.command import llmeval

SUITE = """\
suite: sealed
cases:
  - {id: a, question: "1", reference: "one"}
  - {id: b, question: "2", reference: "two"}
  - {id: c, question: "3", reference: "three"}
prompt: "{{ question }}"
models:
  words: {provider: python, function: "sealed_app:answer", build: "1"}
candidate: words
checks: [facts, {max_words: 3}]
gate:
  floors: {facts: 0.05}
  regression: {baseline: base.lock.json, margins: {facts: 0.9}}
"""
APP = "def answer(prompt): return {'1': 'one', '2': 'two', '3': 'three'}[prompt]\n"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete run that was compared with an approved baseline, and sealed at its end."""
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "sealed_app.py").write_text(APP)
    llmeval("run", "suite.yaml", "--out", "first", cwd=folder)
    done = llmeval(
        "baseline", "approve", "first", "--by", "ada", "--reason", "first", "--expires",
        "2099-01-01", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    llmeval("run", "suite.yaml", "--out", "run", cwd=folder)
    return folder / "run"


@pytest.fixture
def run(sealed: Path, tmp_path: Path) -> Path:
    """A copy that a test may change; in another place than where it was sealed."""
    return Path(shutil.copytree(sealed, tmp_path / "run"))


def test_a_run_seals_itself_and_verifies(run: Path) -> None:
    check = check_seal(run)
    assert check.problems == ()
    names = [file.path for file in check.seal.files]
    assert "inputs/baseline.lock.json" in names
    assert [file.path for file in check.seal.inputs] == [
        "base.lock.json", "sealed_app.py", "suite.yaml",
    ]  # fmt: skip
    told = llmeval("verify", run)
    assert told.returncode == 0
    assert "✔" in told.stdout


def test_every_flipped_byte_is_found(run: Path) -> None:
    rng = random.Random(3)
    for file in read_seal(run).files:
        path = run / file.path
        data = path.read_bytes()
        for place in rng.sample(range(len(data)), 12):
            changed = bytearray(data)
            changed[place] ^= 1 << rng.randrange(8)
            path.write_bytes(changed)
            problems = check_seal(run).problems
            assert any(file.path in each for each in problems), (file.path, place)
        path.write_bytes(data)
    assert check_seal(run).verified


def test_a_flipped_byte_of_the_seal_is_found(run: Path) -> None:
    """Either the seal can't be read, or it no longer fits; its digest is always another one."""
    data, digest = (run / SEAL).read_bytes(), check_seal(run).digest
    rng = random.Random(4)
    for place in rng.sample(range(len(data)), 60):
        changed = bytearray(data)
        changed[place] ^= 1 << rng.randrange(7)
        (run / SEAL).write_bytes(changed)
        try:
            check = check_seal(run)
        except LlmevalError:
            continue
        # spaces and the sealing time say nothing about the run; approvals name the digest
        white = changed.translate(None, b" \n\t\r") == data.translate(None, b" \n\t\r")
        assert check.problems or check.digest != digest or white


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(lambda run: (run / "answers.jsonl").unlink(), "is missing", id="file gone"),
        pytest.param(
            lambda run: (run / "judge_probes.jsonl").write_text("{}"), "does not cover it",
            id="a record that nobody sealed",
        ),
        pytest.param(lambda run: _linked(run / "scores.jsonl"), "is a link", id="link"),
        pytest.param(lambda run: _edit(run, path="../x"), "leaves the directory", id="path"),
        pytest.param(lambda run: _edit(run, drop="scores.jsonl"), "does not cover", id="left out"),
        pytest.param(lambda run: _add(run, "report.html"), "not a file that llmeval seals", id="more"),
        pytest.param(
            lambda run: _add(run, "inputs/scores.jsonl"), "not a file that llmeval seals",
            id="a copy with the name of a record",
        ),
        pytest.param(
            lambda run: _edit(run, baseline="summary.json"), "can only be", id="other baseline",
        ),
        pytest.param(lambda run: _edit(run, decision="FAIL"), "says FAIL", id="decision"),
        pytest.param(lambda run: _edit(run, cases_root="0" * 64), "cases_root", id="data"),
        pytest.param(lambda run: _edit(run, run_id="other"), "is of run other", id="run"),
        pytest.param(lambda run: _edit(run, previous="0" * 64), "is missing", id="history"),
        pytest.param(
            lambda run: _edit(run, baseline=None), "come to something else", id="baseline",
        ),
    ],
)  # fmt: skip
def test_tampering(run: Path, change: object, problem: str) -> None:
    change(run)  # type: ignore[operator]
    assert any(problem in each for each in check_seal(run).problems)
    told = llmeval("verify", run, "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["verified"] is False


def _linked(path: Path) -> None:
    copy = path.with_name("copy")
    path.rename(copy)
    path.symlink_to(copy)


def _add(run: Path, name: str) -> None:
    """Seal one more file, which has a true digest."""
    path = run / name
    path.write_bytes(b"{}\n")
    digest = hashlib.sha256(b"{}\n").hexdigest()
    files = json.loads((run / SEAL).read_text())["files"]
    _edit(run, files=[*files, {"path": name, "sha256": digest, "bytes": 3}])


def _edit(run: Path, path: str | None = None, drop: str | None = None, **changes: object) -> None:
    seal = json.loads((run / SEAL).read_text()) | changes
    if drop is not None:
        seal["files"] = [file for file in seal["files"] if file["path"] != drop]
    if path is not None:
        seal["files"][0]["path"] = path
    (run / SEAL).write_text(json.dumps(seal))


def test_the_decision_is_computed_from_the_records(run: Path) -> None:
    """A summary that was made to fit its checksums, its digest and its seal is still found."""
    from llmeval.core.checksums import sealed as with_checksum
    from llmeval.core.checksums import unsealed

    path = run / "summary.json"
    summary = json.loads(unsealed(path.read_bytes()))
    summary["counts"]["passed"] = 2
    path.write_bytes(with_checksum(json.dumps(summary).encode()))
    seal = json.loads((run / SEAL).read_text())
    for file in seal["files"]:
        if file["path"] == "summary.json":
            data = path.read_bytes()
            file |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (run / SEAL).write_text(json.dumps(seal))
    (problem,) = check_seal(run).problems
    assert "counts.passed 2, now 3" in problem


def test_new_labels_need_a_new_seal(run: Path) -> None:
    before = check_seal(run)
    (run / "labels.jsonl").write_text("")
    assert check_seal(run).verified  # people go on labelling
    done = seal_run(run)
    assert done.written
    assert done.seal.previous == before.digest
    assert check_seal(run).verified
    (run / "seals" / f"{before.digest}.json").write_text("{}")
    with pytest.raises(LlmevalError):
        check_seal(run)


@pytest.mark.parametrize("name", ["inputs", "seals", "labels.jsonl"])
def test_no_link_is_followed_while_sealing(run: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / "elsewhere"
    if name.endswith("jsonl"):
        target.write_text("a secret")
    else:
        target.mkdir()
        shutil.rmtree(run / name, ignore_errors=True)
    (run / name).symlink_to(target)
    with pytest.raises(StoreError, match="is a link"):
        seal_run(run)
    assert target.is_file() or not list(target.iterdir())


def test_a_seal_that_fits_is_kept(run: Path) -> None:
    assert not seal_run(run).written
    assert llmeval("seal", run).stdout.startswith("Unchanged")


def test_a_changed_run_is_not_sealed_silently(run: Path) -> None:
    path = run / "answers.jsonl"
    path.write_bytes(path.read_bytes().replace(b"three", b"eerht"))
    with pytest.raises(StoreError):
        seal_run(run)
    told = llmeval("seal", run)
    assert told.returncode == 2
    assert "--again" in told.stderr


def test_an_approval_that_was_valid_then_is_valid_now(run: Path) -> None:
    lock = run / "inputs" / "baseline.lock.json"
    text = json.loads(lock.read_text())
    text["approved"]["expires"] = "2026-01-01"  # the digest of a lock file leaves out this day
    lock.write_text(json.dumps(text))
    seal = read_seal(run)
    assert "expired" in str(recomputed(run, seal).gate.rules)
    old = Seal(
        **{name: getattr(seal, name) for name in seal.__struct_fields__}
        | {"sealed_at": "2025-12-31T00:00:00Z"}
    )
    assert "expired" not in str(recomputed(run, old).gate.rules)


def test_an_incomplete_run_has_no_seal(run: Path) -> None:
    from tests.support.rundirs import seal as consistent

    consistent(run, status="incomplete")
    with pytest.raises(UsageError, match="incomplete"):
        seal_run(run)


@pytest.mark.parametrize(
    "data",
    [b'{"schema":1,"schema":1}', b"{", b"\xff", b"[" * 100_000, b'{"a":{"b":1,"b":2}}'],
)
def test_json_with_freedom_is_refused(data: bytes) -> None:
    with pytest.raises(StoreError):
        plain_strict(data, "x.json")


def test_unknown_keys_and_versions_are_refused(run: Path) -> None:
    seal = json.loads((run / SEAL).read_text())
    for change, word in (({"extra": 1}, "keys or forms"), ({"schema": 2}, "has schema 2")):
        with pytest.raises(StoreError, match=word):
            decode_strict(json.dumps(seal | change).encode(), Seal, 1, "seal.json")


def test_merkle_root_of_the_standard() -> None:
    """The tree of RFC 9162, section 2.1.5, by its definition: the left part of n leaves has the
    largest power of two below n.
    """

    def tree(leaves: list[bytes]) -> bytes:
        if len(leaves) == 1:
            return hashlib.sha256(b"\x00" + leaves[0]).digest()
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        return hashlib.sha256(b"\x01" + tree(leaves[:split]) + tree(leaves[split:])).digest()

    for size in range(1, 20):
        leaves = [bytes([number]) for number in range(size)]
        assert merkle_root(leaves) == tree(leaves)


def test_root_of_cases_does_not_depend_on_their_order() -> None:
    cases = [("b", "sha256:2"), ("a", "sha256:1"), ("é", "sha256:3")]
    assert cases_root(cases) == cases_root(reversed(cases))
    assert cases_root(cases) != cases_root(cases[:2])
    assert cases_root([]) == hashlib.sha256(b"").hexdigest()
