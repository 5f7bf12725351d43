"""The baseline's run is found where it is, and the page does without it where it is not."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llmeval.core.manifest import Manifest
from llmeval.core.records import to_json
from llmeval.core.results import Decision, RuleDecision
from llmeval.gate.baseline import baseline_of_run, lock_bytes
from llmeval.report.baseline_run import baseline_run
from llmeval.report.html import write_html
from llmeval.report.html.words import certainty
from llmeval.report.write import HTML, write_results
from llmeval.store.directory import SUMMARY, RunDir, summary_bytes
from tests.report import html_samples as samples
from tests.support.manifests import GATE, manifest_record

OLD = "20261101T000000Z-aaaaaa"
RULES = {
    "floors": {},
    "alpha": 0.05,
    "beta": 0.05,
    "max_unscored": 0.5,
    "on_inconclusive": "fail",
    "regression": None,
}


def runs(tmp_path: Path, where: str) -> tuple[RunDir, Path]:
    """A run whose gate names a lock file of another run, which lies in `where`; gives both."""
    before = samples.sample_run(
        tmp_path / "reports" / where, 25, hostile=False, run_id=OLD, gate=RULES
    )
    lock = tmp_path / "qa.lock.json"
    lock.write_bytes(lock_bytes(baseline_of_run(RunDir(before))))
    gate = {**RULES, "regression": {"baseline": str(lock), "margins": {"correctness": 0.05}}}
    return RunDir(
        samples.sample_run(tmp_path / "reports" / "now", 25, quality=0.5, gate=gate)
    ), before


@pytest.mark.parametrize("where", [OLD, "another-name"])
def test_the_locked_run_is_found_beside_this_one(tmp_path: Path, where: str) -> None:
    run, before = runs(tmp_path, where)
    found = baseline_run(run, run.manifest())
    assert found is not None and found.path.resolve() == before.resolve()
    write_html(run, run.path / HTML, baseline=found)
    page = (run.path / HTML).read_text()
    assert "Against the baseline" in page and OLD in page


def test_a_run_that_is_gone_or_broken_is_left_out(tmp_path: Path) -> None:
    run, before = runs(tmp_path, OLD)
    (before / SUMMARY).unlink()
    assert baseline_run(run, run.manifest()) is None
    (before / "manifest.json").write_text("{")
    assert baseline_run(run, run.manifest()) is None
    write_results(run)
    assert "Against the baseline" not in (run.path / HTML).read_text()


def compared(regression: Any) -> Manifest:
    return manifest_record(gate={**GATE, "regression": regression})


@pytest.mark.parametrize(
    "regression", [None, {"margins": {}}, {"baseline": "/nowhere/x.lock.json"}]
)
def test_without_a_baseline_there_is_none(tmp_path: Path, regression: Any) -> None:
    run = RunDir(samples.sample_run(tmp_path / "run", 5))
    assert baseline_run(run, compared(regression)) is None


def test_a_directory_may_be_named_but_not_the_run_itself(tmp_path: Path) -> None:
    run, before = runs(tmp_path, "elsewhere")
    found = baseline_run(run, compared({"baseline": str(before)}))
    assert found is not None and found.path == before
    assert baseline_run(run, compared({"baseline": str(run.path)})) is None


def test_a_rule_says_how_sure_it_is_and_which_cases_fell(tmp_path: Path) -> None:
    rule = RuleDecision(
        rule="regression", metric="correctness", decision=Decision.FAIL, estimate=-0.2, low=-0.3, high=-0.1, threshold=0.05,
        baseline=OLD, reason="It fell.", level=0.95, n=25, tipping_point=0.043, assumptions=("The cases are the same.",),
        fell=("geo-00000", "<b>"),
    )  # fmt: skip
    assert certainty(rule) == (
        "Bounds at 95% confidence, 25 pairs. Tipping point: an error of 4.3 points that favours one side would overturn this decision."
    )
    run = RunDir(samples.sample_run(tmp_path / "run", 25))
    summary = run.summary()
    gate = msgspec.structs.replace(summary.gate, rules=(rule,))
    changed = msgspec.structs.replace(summary, gate=gate)
    (run.path / SUMMARY).write_bytes(summary_bytes(changed))
    write_html(run, run.path / HTML)
    page = (run.path / HTML).read_text()
    assert "The cases are the same." in page and "Tipping point" in page
    assert '<a href="#case=geo-00000">geo-00000</a>' in page and "#case=%3Cb%3E" in page
    old = json.loads(to_json(changed))
    assert (
        certainty(
            msgspec.convert(
                {**old["gate"]["rules"][0], "level": None, "tipping_point": None}, RuleDecision
            )
        )
        == ""
    )
