"""Shards: who has which case, what a part says, and a run put together from parts."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.errors import StoreError, UsageError
from llmeval.core.records import Case
from llmeval.gate.baseline import baseline_of_run
from llmeval.runner.options import Options
from llmeval.runner.sharding import Shard, parse_shard
from tests.support.command import llmeval as command
from tests.support.endpoint import Endpoint, serve, verdict
from tests.support.rundirs import seal
from tests.support.suites import answer, write_suite

N = 60
GATE = "gate: {floors: {contains: 0.6, correctness: 0.9}, stop: early}\n"


def test_every_case_has_one_shard_and_no_cluster_is_torn() -> None:
    cases = [Case(f"c{i}", {}, cluster=f"k{i // 5}" if i % 2 else None) for i in range(1000)]
    shards = [Shard(index, 4) for index in range(1, 5)]
    held = {case.id: [shard.index for shard in shards if shard.holds(case)] for case in cases}
    assert all(len(indices) == 1 for indices in held.values())
    assert all(150 < sum(held[case.id] == [index] for case in cases) < 350 for index in range(1, 5))
    by_cluster: dict[str, set[int]] = {}
    for case in cases:
        if case.cluster is not None:
            by_cluster.setdefault(case.cluster, set()).update(held[case.id])
    assert all(len(indices) == 1 for indices in by_cluster.values())


def array(task: int, low: int, high: int, count: int = 0, *, step: int = 1) -> dict[str, str]:
    """What SLURM tells a task of an array."""
    values = {"ID": task, "MIN": low, "MAX": high, "STEP": step, "COUNT": count or high - low + 1}
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in values.items()}


@pytest.mark.parametrize(("text", "environment", "expected"), [
    ("2/3", {}, (2, 3)),
    ("auto", {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, (2, 3)),
    ("auto", {"CI_NODE_TOTAL": "1"}, (1, 1)),
    ("auto", {"JOB_COMPLETION_INDEX": "0", "LLMEVAL_SHARDS": "8"}, (1, 8)),
    ("auto", {"LLMEVAL_SHARD_INDEX": "7", "LLMEVAL_SHARDS": "8"}, (8, 8)),
    ("auto", array(5, 4, 7), (2, 4)), ("auto", array(0, 0, 3), (1, 4)),
    ("auto", array(5, 1, 9, 5, step=2), (3, 5)),
    ("auto", {**array(2, 1, 4), "LLMEVAL_SHARDS": "4"}, (2, 4)),
    ("auto", {**array(2, 1, 4), "CI_NODE_TOTAL": "1"}, (2, 4)),
    ("auto", {**array(2, 1, 4), "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "4"}, (2, 4)),
    ("auto", {"CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "3"}, (1, 3)),
    ("auto", {"BUILDKITE_PARALLEL_JOB": "2", "BUILDKITE_PARALLEL_JOB_COUNT": "3"}, (3, 3)),
    ("auto", {"SYSTEM_JOBPOSITIONINPHASE": "3", "SYSTEM_TOTALJOBSINPHASE": "3"}, (3, 3)),
    ("auto", {"LLMEVAL_SHARD": "1/2", "CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "3"}, (1, 2)),
])  # fmt: skip
def test_which_part_this_is(
    text: str, environment: dict[str, str], expected: tuple[int, int]
) -> None:
    assert parse_shard(text, environment) == Shard(*expected)


@pytest.mark.parametrize(("text", "environment", "told"), [
    ("0/3", {}, "the first part is 1, the last 3"), ("4/3", {}, "the last 3"), ("2", {}, "write i/N"),
    ("auto", {"JOB_COMPLETION_INDEX": "0"}, "Set LLMEVAL_SHARDS"),
    ("auto", {"JOB_COMPLETION_INDEX": "8", "LLMEVAL_SHARDS": "8"}, "the last 8"),
    ("auto", array(3, 1, 9, 3), "not the whole of a range"),
    ("auto", {**array(3, 3, 3), "LLMEVAL_SHARDS": "4"}, "not the whole of a range"),
    ("auto", {"SLURM_ARRAY_TASK_ID": "1"}, "not five whole numbers"),
    ("auto", {**array(2, 1, 4), "CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "3"}, "disagree"),
    ("auto", {}, "no variable states"), ("auto", {"CI_NODE_INDEX": "x", "CI_NODE_TOTAL": "3"}, "not two whole numbers"),
])  # fmt: skip
def test_what_is_no_part(text: str, environment: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_shard(text, environment)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serve(answer) as running:
        yield running


@pytest.fixture(scope="module")
def suite(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_suite(tmp_path_factory.mktemp("suite"), endpoint.url, N, GATE)


@pytest.fixture(scope="module")
def parts(suite: Path) -> Path:
    folder = suite.parent / "parts"
    for index in (1, 2, 3):
        llmeval.run(
            suite,
            options=Options(
                out=folder / f"job-{index}" / "run", shard=Shard(index, 3), use_cache=False
            ),
        )
    return folder


def test_a_part_decides_nothing(suite: Path, parts: Path) -> None:
    run = llmeval.load_run(parts / "job-2" / "run")
    assert (run.decision, run.summary.gate.exit_code, run.summary.gate.rules) == (None, 0, ())
    assert run.summary.gate.reason.startswith("Shard 2 of 3 ran completely. A part decides nothing")
    assert 0 < run.summary.counts.cases < N
    assert run.manifest.shard is not None and run.manifest.shard.n == N
    assert "Shard 2 of 3" in (run.path / "summary.md").read_text()
    with pytest.raises(UsageError, match="can't be a baseline: shard 2 of 3"):
        baseline_of_run(run.directory)
    with pytest.raises(UsageError, match="--shard with --stop early"):
        llmeval.run(suite, options=Options(reports=parts, shard=Shard(1, 3), stop="early"))


def test_parts_together_are_the_whole_run(suite: Path, parts: Path, tmp_path: Path) -> None:
    whole = llmeval.run(
        suite, options=Options(out=tmp_path / "whole", stop="never", use_cache=False)
    ).summary
    done = command("merge", parts, "--out", tmp_path / "merged", "--json")
    assert done.returncode == whole.gate.exit_code == 4, done.stderr
    merged = llmeval.load_run(tmp_path / "merged")
    assert merged.summary.metrics == whole.metrics
    assert merged.summary.counts == whole.counts
    assert merged.summary.gate == whole.gate
    assert merged.summary.calls.keys() == whole.calls.keys()
    assert merged.summary.calls["candidate"].made == N
    assert (merged.path / "report.html").exists()
    manifest = merged.manifest
    assert manifest.digests == llmeval.load_run(tmp_path / "whole").manifest.digests
    assert [origin.shard for origin in manifest.merged_from] == ["1", "2", "3"]
    assert manifest.shard is None
    again = command("merge", parts, "--out", tmp_path / "merged")
    assert again.returncode == 3 and "already contains a run" in again.stderr


def test_other_rules_at_the_merge(suite: Path, parts: Path, tmp_path: Path) -> None:
    mild = suite.with_name("mild.yaml")
    mild.write_text(suite.read_text().replace(GATE, "gate: {floors: {contains: 0.5}}\n"))
    done = llmeval.merge([parts], tmp_path / "merged", suite=mild)
    assert [rule.metric for rule in done.summary.gate.rules] == ["contains"]
    assert done.summary.gate.exit_code == 0


def test_what_does_not_belong_together(suite: Path, parts: Path, tmp_path: Path) -> None:
    def told(*folders: Path) -> str:
        with pytest.raises(StoreError) as caught:
            llmeval.merge(folders, tmp_path / "merged")
        assert caught.value.exit_code == 3
        assert not (tmp_path / "merged").exists()
        return str(caught.value)

    jobs = [parts / f"job-{index}" for index in (1, 2, 3)]
    assert "missing: shard 2/3" in told(jobs[0], jobs[2])
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in (jobs[0] / "run").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    assert "are the same shard" in told(*jobs, copy)
    assert "there is no run directory" in told(tmp_path / "nothing")
    foreign = _changed(
        copy,
        {
            "shard": {
                **_manifest(copy)["shard"],
                "digests": {**_manifest(copy)["shard"]["digests"], "suite": "x"},
            }
        },
    )
    assert "not of the same run; they differ in: suite" in told(foreign, *jobs[1:])


def test_a_part_that_did_not_end_is_named(parts: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in (parts / "job-1" / "run").iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    _changed(copy, {"status": "incomplete"})
    with pytest.raises(
        StoreError, match=r"shard 1 of 3 .* is incomplete; end it first: llmeval run .* --shard 1/3"
    ):
        llmeval.merge([copy, parts / "job-2", parts / "job-3"], tmp_path / "merged")
    _changed(copy, {"status": "complete"})
    cases = (copy / "cases.jsonl").read_text().splitlines(keepends=True)
    (copy / "cases.jsonl").write_text("".join(cases[1:]))
    seal(copy)
    with pytest.raises(StoreError, match=rf"the shards have {N - 1} of {N} cases: shard 1 of 3"):
        llmeval.merge([copy, parts / "job-2", parts / "job-3"], tmp_path / "merged")


def test_a_part_without_cases_is_a_part(endpoint: Endpoint, tmp_path: Path) -> None:
    suite = write_suite(tmp_path, endpoint.url, 2)
    for index in range(1, 6):
        done = llmeval.run(
            suite, options=Options(out=tmp_path / "parts" / str(index), shard=Shard(index, 5))
        )
        assert done.summary.gate.exit_code == 0
    assert llmeval.merge([tmp_path / "parts"], tmp_path / "merged").summary.counts.cases == 2


def _manifest(run: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((run / "manifest.json").read_text())
    return loaded


def _changed(run: Path, changes: dict[str, Any]) -> Path:
    return seal(run, **changes)


@pytest.mark.parametrize("pinned", [True, False])
def test_two_processes_on_one_cache_record_the_same_answers_of_one_build(
    tmp_path: Path, pinned: bool
) -> None:
    """The endpoint never says the same twice; whoever loses the race takes the winner's answer. Of
    what has no build each run has answers of its own."""
    said = itertools.count()
    with serve(lambda body, earlier: f"answer {next(said)}", latency=0.05) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 40, judge=False)
        if pinned:
            suite.write_text(
                suite.read_text().replace("model: cand,", "model: cand, build: cand@1,")
            )
        arguments = [sys.executable, "-m", "llmeval", "run", str(suite), "--concurrency", "4"]
        runs = [
            subprocess.Popen([*arguments, "--out", str(tmp_path / name)]) for name in ("a", "b")
        ]
        assert [run.wait(60) for run in runs] == [0, 0]
    one, other = (
        {a.case_id: a.text for a in llmeval.load_run(tmp_path / n).directory.answers()}
        for n in ("a", "b")
    )
    assert (one == other) == pinned
    assert len(set(one.values())) == len(set(other.values())) == 40


def test_the_first_part_tries_the_attacks_for_all(tmp_path: Path) -> None:
    with serve(
        lambda body, earlier: verdict("incorrect") if body["model"] == "judge" else "Nothing."
    ) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 4)
        suite.write_text(suite.read_text().replace("attacks: false", "attacks: true"))
        parts = [tmp_path / "parts" / str(index) for index in (1, 2)]
        for index, part in enumerate(parts, 1):
            llmeval.run(suite, options=Options(out=part, shard=Shard(index, 2)))
    merged = llmeval.merge(parts, tmp_path / "merged")
    tried = [
        list(llmeval.load_run(path).directory.judge_probes()) for path in (*parts, merged.path)
    ]
    assert tried[0] and not tried[1] and tried[2] == tried[0]
