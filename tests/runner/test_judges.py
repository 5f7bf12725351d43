"""Panels, cascades and decision models as a suite names them, over real HTTP."""

import re
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.certificate import Certificate
from llmeval.core.errors import SuiteError
from llmeval.core.records import to_json
from llmeval.runner.options import Options
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite


def endpoint(body: dict[str, Any], earlier: int) -> Any:
    """Candidate, judge, and a decision model that is sure of every even number only."""
    if "questions" not in body:
        return answer(body, earlier)
    number = int(re.findall(r"\d+", body["state"]["question"])[0])
    right = body["state"]["reference_answers"][0] in body["state"]["answer"]
    sure = (0.99 if right else 0.01) if number % 2 == 0 else 0.5
    options = body["questions"]["verdict"]["criteria"]
    shares = {word: {"correct": sure, "incorrect": 1 - sure}.get(word, 0.0) for word in options}
    return {"answers": {"verdict": {"type": "choice", "choice": "?", "probabilities": shares}}}


def suite(folder: Path, url: str, judge: str) -> Path:
    path = write_suite(folder, url, n=10)
    text = path.read_text().replace("{model: judge, attacks: false}", judge)
    path.write_text(
        text.replace(
            "models:\n",
            f"models:\n  jev: {{provider: systemone, model: jev, base_url: '{url}', api_key: k}}\n",
        )
    )
    return path


def run(folder: Path, judge: str) -> tuple[llmeval.Run, dict[str, int]]:
    with serve(endpoint) as served:
        done = llmeval.run(
            suite(folder, served.url, judge), options=Options(out=folder / "r", use_cache=False)
        )
        return done, {name: served.count(name) for name in ("judge", "jev")}


def test_a_cascade_of_a_decision_model_and_a_judge(tmp_path: Path) -> None:
    done, calls = run(tmp_path, "{cascade: [jev, judge], audit: 0, attacks: false}")
    assert calls == {"judge": 5, "jev": 10}
    assert done.summary.counts.passed == 8
    assert done.manifest.judges["correctness"].model == "jev + judge"
    assert done.summary.calls["judge:correctness"].made == 15


def test_audits_of_a_cascade_are_weighed_and_told(tmp_path: Path) -> None:
    done, calls = run(tmp_path, "{cascade: [jev, judge], audit: 1, attacks: false}")
    assert calls == {"judge": 10, "jev": 10}
    (audit,) = (
        metric.audit
        for metric in done.summary.metrics
        if metric.metric == "correctness" and not metric.slice
    )
    assert audit is not None and (audit.sure, audit.audited) == (5, 5)
    told = f"the next judge contradicts {audit.contradicted} of 5 audited verdicts"
    assert told in (done.path / "summary.md").read_text()
    assert told.capitalize() in (done.path / "report.html").read_text()


def test_a_decision_model_alone_and_a_panel(tmp_path: Path) -> None:
    done, calls = run(tmp_path / "a", "{model: jev, attacks: false}")
    assert calls == {"judge": 0, "jev": 10}
    assert {score.confidence for _, block in done.directory.scores() for score in block} >= {
        0.5,
        0.99,
    }
    done, calls = run(tmp_path / "b", "{panel: [jev, judge, jev], attacks: false}")
    assert calls == {"judge": 10, "jev": 10}  # identical requests in flight are one call
    assert done.summary.counts.cases == 10


@pytest.mark.parametrize(
    ("judge", "told"),
    [
        ("{attacks: true}", "one of `model`, `panel` and `cascade`"),
        ("{model: judge, panel: [jev]}", "one of `model`, `panel` and `cascade`"),
        ("{model: judge, votes: 2}", "odd number"),
        ("{cascade: [jev, judge], band: [0.9, 0.1]}", "low below high"),
        ("{model: judge, criteria: [It is short.]}", "has no criteria"),
        ("{model: judge, prompt: rubric, criteria: [{nam: x}]}", "a criterion is"),
        ("{model: jev, prompt: grounded}", "a decision model can't use"),
        ("{panel: [judge, nobody]}", "nobody"),
    ],
)
def test_what_a_suite_may_not_say(tmp_path: Path, judge: str, told: str) -> None:
    with pytest.raises(SuiteError, match=re.escape(told)):
        run(tmp_path, judge)


def test_a_decision_model_is_no_candidate(tmp_path: Path) -> None:
    path = suite(tmp_path, "http://127.0.0.1:1/v1", "{model: judge}")
    path.write_text(path.read_text().replace("candidate: cand", "candidate: jev"))
    with pytest.raises(SuiteError, match="not the candidate"):
        llmeval.run(path, options=Options(out=tmp_path / "r"))


def test_what_no_judge_is_sure_of_waits_for_a_person_and_a_label_decides_it(tmp_path: Path) -> None:
    """Half of the verdicts are open: nothing is lost, no floor on them passes, and labels close
    them.
    """
    from llmeval.core.records import Label
    from llmeval.core.results import Decision
    from llmeval.store.labels import append

    gate = "gate: {floors: {correctness: 0.3}}\n"
    with serve(endpoint) as served:
        path = suite(tmp_path, served.url, "{cascade: [jev], audit: 0, attacks: false}")
        path.write_text(path.read_text().replace("gate: none\n", gate))
        done = llmeval.run(path, options=Options(out=tmp_path / "r", use_cache=False))
    counts = done.summary.counts
    assert (counts.needs_review, counts.unscored, counts.cases) == (
        4,
        0,
        10,
    )  # the fifth fails a check: no label changes that
    metric = next(each for each in done.summary.metrics if each.metric == "correctness")
    assert (metric.n, metric.needs_review) == (5, 5)
    rule = done.summary.gate.rules[0]
    assert rule.decision is Decision.INCONCLUSIVE
    assert "5 more need review by a person" in rule.reason
    open_ = [
        key[0]
        for key, block in done.directory.scores()
        if any(s.status == "needs_review" for s in block)
    ]
    append(
        done.path,
        [Label(case_id=name, metric="correctness", human_verdict="pass") for name in open_],
    )
    again = llmeval.api.finish(llmeval.load_run(done.path)).summary
    metric = next(each for each in again.metrics if each.metric == "correctness")
    assert (again.counts.needs_review, metric.n, metric.needs_review) == (0, 10, 0)
    assert (
        metric.passed
        == next(m for m in done.summary.metrics if m.metric == "correctness").passed + 5
    )


def test_a_decision_model_does_not_vote(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="gives the same verdict each time"):
        run(tmp_path, "{model: jev, votes: 3}")
    _, calls = run(
        tmp_path / "mixed", "{cascade: [jev, judge], votes: 3, audit: 0, attacks: false}"
    )
    assert calls["jev"] == 10


def test_a_certificates_map_mends_the_probabilities_of_a_run(tmp_path: Path) -> None:
    stated = {
        "brier": 0.3,
        "calibration": {"method": "platt", "slope": 0.5, "intercept": 0.0, "brier_held_out": 0.2},
    }
    file = tmp_path / "x.json"
    with serve(endpoint) as served:
        path = suite(tmp_path, served.url, "{model: jev, attacks: false, certificate: x.json}")
        digest = ""
        for _ in range(2):  # the second time the certificate is of this very judge
            made = Certificate(
                judge=digest, trusted=False, reason="few labels", probabilities=stated
            )
            file.write_bytes(to_json(made))
            done = llmeval.run(path, options=Options(reports=tmp_path / "r"))
            judge = done.manifest.judges["correctness"]
            seen = {
                round(score.confidence or 0, 2)
                for _, block in done.directory.scores()
                for score in block
            }
            assert ((0.99 in seen), judge.calibration is None) == (not digest, not digest)
            digest = judge.digest
    assert 0.91 in seen  # odds of 99 become odds of about 10
    assert judge.calibration is not None and judge.calibration["method"] == "platt"
    assert (judge.certificate_digest or "").startswith("sha256:")
