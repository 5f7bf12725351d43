"""What counts as another attempt of the same change."""

from pathlib import Path
from typing import Any

import pytest

from llmeval.core.results import CaseCounts, Decision, GateResult, Summary
from llmeval.runner.attempts import attempts_seen
from llmeval.store.directory import SUMMARY, summary_bytes
from llmeval.store.writer import write_manifest
from tests.support.manifests import GATE, manifest_record

TREE = {"commit": "1", "tree": "t"}


def record(**changes: Any) -> Any:
    plain = {
        "run_id": "20260102T120000Z-b",
        "started": "2026-01-02T12:00:00Z",
        "cases": {"n": 10},
        "gate": {**GATE, "attempts": 10},
        "git": TREE,
    }
    return manifest_record(**{**plain, **changes})


def stored(folder: Path, decision: Decision | None = Decision.FAIL, **changes: Any) -> Path:
    earlier = {"run_id": "20260102T110000Z-a", "started": "2026-01-02T11:00:00Z"}
    manifest = record(**{**earlier, **changes})
    run = folder / manifest.run_id
    run.mkdir(parents=True)
    write_manifest(run, manifest)
    gate = GateResult(decision=decision, exit_code=1)
    summary = Summary(
        suite="s", run_id=manifest.run_id, status="complete", counts=CaseCounts(), gate=gate
    )
    (run / SUMMARY).write_bytes(summary_bytes(summary))
    return folder


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"git": {"commit": "2", "tree": "t"}}, True),  # a commit that changes nothing
        ({"git": {"commit": "1", "tree": "other"}}, False),
        ({"git": {**TREE, "changes": "sha256:1"}}, False),
        ({"digests": {"cases": "sha256:0", "judges": {}, "candidate": "other"}}, False),
        ({"digests": {"cases": "sha256:0", "judges": {}, "prompt": "other"}}, False),
        ({"digests": {"cases": "other", "judges": {}}}, False),
        ({"digests": {"cases": "other", "judges": {}}, "cases": {"n": 9, "limit": 9}}, True),
        ({"digests": {"cases": "other", "judges": {}}, "cases": {"n": 4, "limit": 4}}, False),
        ({"started": "2026-01-01T12:00:00Z"}, False),  # of the night before
        ({"decision": Decision.INVALID}, False),
        ({"decision": None}, False),
        ({"parent_run": "r"}, False),
    ],
)
def test_what_is_an_earlier_attempt(tmp_path: Path, changes: dict[str, Any], counts: bool) -> None:
    made = attempts_seen(record(), stored(tmp_path, **changes), {}).record
    assert made is not None
    assert [each.run_id for each in made.earlier] == ["20260102T110000Z-a"] * counts


@pytest.mark.parametrize(
    ("variables", "earlier", "ci"),
    [
        ({"GITHUB_RUN_ATTEMPT": "2"}, 1, 2),
        ({"SYSTEM_JOBATTEMPT": "3"}, 1, 3),
        ({"BUILDKITE_RETRY_COUNT": "1"}, 1, 2),
        ({"GITHUB_RUN_ATTEMPT": "none"}, 1, None),
        ({"GITHUB_RUN_ATTEMPT": "1", "GITHUB_EVENT_NAME": "schedule"}, 0, None),
        ({"CI_PIPELINE_SOURCE": "schedule"}, 0, None),
        ({"BUILD_REASON": "Schedule"}, 0, None),
    ],
)
def test_what_the_ci_server_adds(
    tmp_path: Path, variables: dict[str, str], earlier: int, ci: int | None
) -> None:
    made = attempts_seen(record(), stored(tmp_path), variables).record
    assert made is not None
    assert (len(made.earlier), made.ci) == (earlier, ci)


def test_a_gate_of_one_attempt_counts_none(tmp_path: Path) -> None:
    assert attempts_seen(record(gate=GATE), stored(tmp_path), {}).record is None
