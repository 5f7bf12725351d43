"""The lock file of a baseline holds the policy of approvals, so that nobody removes it unnoticed."""

import json
from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET

from llmeval.core.approvals import ApprovalPolicy
from llmeval.core.gate_terms import GateTerms
from llmeval.gate.approval_terms import approval_changes, approval_terms
from llmeval.gate.baseline import read_baseline
from tests.support.command import llmeval

SUITE = """\
suite: policy
cases:
  - {id: a, question: "1", reference: "one"}
  - {id: b, question: "2", reference: "two"}
prompt: "{{ question }}"
candidate: {provider: replay, source: answers.jsonl}
checks: [{contains: "{{ reference }}"}]
gate: {regression: {baseline: base.lock.json, margins: {contains: 0.99}}}
"""
POLICY = "approvals: {min: 1, roles: [owner], max_age: 90d}\n"


def run(folder: Path, name: str, policy: str) -> Path:
    (folder / "policy.yaml").write_text(SUITE + policy)
    llmeval("run", "policy.yaml", "--out", name, "--stop", "never", cwd=folder)
    return folder / name


def remarks(run: Path) -> str:
    return " ".join(json.loads((run / "summary.json").read_text())["gate"]["remarks"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose baseline was approved under a policy."""
    folder = tmp_path_factory.mktemp("policy")
    rows = [{"id": "a", "output": "one"}, {"id": "b", "output": "two"}]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run(folder, "first", "")
    baseline = ["baseline", "approve", "--by", "ada", "--reason", "x"]
    assert llmeval(*baseline, "first", cwd=folder).returncode == 0
    assert "approvals" not in json.loads((folder / "base.lock.json").read_text())["gate"]
    run(folder, "second", POLICY)
    assert "approvals" not in remarks(folder / "second")  # tighter, so it is no remark
    assert llmeval("seal", "second", cwd=folder).returncode == 0
    stated = ["--by", "ada", "--role", "owner", "--reason", "x"]
    assert llmeval("approve", "second", *stated, cwd=folder).returncode == 0
    done = llmeval(*baseline, "second", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "gate: approvals added: min 1, roles owner, max_age 90d: tighter" in done.stdout
    return folder


def test_a_removed_policy_stands_beside_the_pass(place: Path) -> None:
    kept = json.loads((place / "base.lock.json").read_text())["gate"]["approvals"]
    assert kept["rules"]["roles"] == ["owner"] and kept["digest"].startswith("sha256:")
    third = run(place, "third", "")
    told = "The gate is looser than the baseline's: approvals removed: min 1, roles owner,"
    assert told in remarks(third)
    shown = llmeval("gate", third, cwd=place)
    assert shown.returncode == 0 and "approvals removed" in shown.stdout
    summary = (third / "summary.md").read_text()
    assert "approvals removed: min 1, roles owner" in summary
    proposed = llmeval("baseline", "propose", "third", cwd=place)
    assert "gate: approvals removed" in proposed.stdout


def test_an_unchanged_policy_is_no_change(place: Path) -> None:
    same = run(place, "fourth", POLICY)
    assert json.loads((same / "summary.json").read_text())["gate_changes"] == []


def test_a_lock_without_a_policy_has_the_digest_of_older_ones(place: Path) -> None:
    lock = read_baseline(place / "first")
    assert lock.gate is not None and lock.gate.approvals is UNSET
    assert b"approvals" not in msgspec.json.encode(lock)


@pytest.mark.parametrize(
    ("before", "now", "changes"),
    [
        ({"min": 2}, {"min": 1}, [("looser", "approvals: min 2 -> 1")]),
        ({"min": 1}, {"min": 3}, [("tighter", "approvals: min 1 -> 3")]),
        ({"roles": ("owner", "risk")}, {"roles": ("owner",)}, [("looser", "approvals: role removed: risk")]),
        ({"roles": ("owner",)}, {"roles": ("risk",)}, [
            ("looser", "approvals: role removed: owner"), ("tighter", "approvals: role added: risk")]),
        ({"not_author": True}, {}, [("looser", "approvals: not_author true -> false")]),
        ({}, {"not_author": True}, [("tighter", "approvals: not_author false -> true")]),
        ({"max_age_days": 30}, {"max_age_days": 90}, [("looser", "approvals: max_age 30d -> 90d")]),
        ({"max_age_days": 30}, {}, [("looser", "approvals: max_age 30d -> none")]),
        ({}, {"max_age_days": 30}, [("tighter", "approvals: max_age none -> 30d")]),
        ({"signers": "keys"}, {}, [("looser", "approvals: signers keys -> none")]),
        ({"signers": "keys"}, {"signers": "other"}, [("changed", "approvals: signers keys -> other")]),
        ({}, {"signers": "keys"}, [("tighter", "approvals: signers none -> keys")]),
        ({}, None, [("looser", "approvals removed: min 1")]),
        (None, {"signers": "keys"}, [("tighter", "approvals added: min 1, signed (keys)")]),
        (None, None, []), ({"min": 2}, {"min": 2}, []),
    ],
)  # fmt: skip
def test_directions(
    before: dict[str, object] | None, now: dict[str, object] | None, changes: list[tuple[str, str]]
) -> None:
    one, two = (
        GateTerms(
            gate={}, approvals=approval_terms(None if each is None else ApprovalPolicy(**each))
        )  # type: ignore[arg-type]
        for each in (before, now)
    )
    assert list(approval_changes(one, two)) == changes
