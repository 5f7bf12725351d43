"""`gate.about: these_cases`: real runs of a few cases with repeats."""

import json
from pathlib import Path

import pytest

from llmeval import api
from llmeval.core.results import Decision, RuleDecision
from llmeval.runner.options import Options

MODEL = """
from pathlib import Path

def answer(prompt):
    # how many of a case's five answers are wrong, by the case's id
    lines = (Path(__file__).parent / "wrong.txt").read_text().splitlines()
    wrong = dict(line.split() for line in lines)
    name = prompt.split()[-1]
    seen[name] = seen.get(name, 0) + 1
    return "no" if seen[name] <= int(wrong.get(name, 0)) else "yes"

seen = {}
"""
SUITE = """
suite: handmade
cases: {source: cases.jsonl}
prompt: "Say yes to {{ id }}"
models: {m: {provider: python, function: "MODULE:answer"}}
candidate: m
repeats: REPEATS
checks: [CHECK]
gate:
  about: these_cases
  regression: {baseline: BASELINE, margins: {METRIC: 0.05}}
"""


class Handmade:
    """A suite of 20 cases, run as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.module = f"handmade_{folder.name.replace('-', '_')}"
        (folder / f"{self.module}.py").write_text(MODEL)
        rows = (json.dumps({"id": f"k{i}"}) for i in range(20))
        (folder / "cases.jsonl").write_text("\n".join(rows) + "\n")

    def run(
        self,
        wrong: dict[str, int],
        baseline: Path | str = "none.json",
        repeats: int = 5,
        check: str = "equals: yes",
    ) -> api.Run:
        import sys

        (self.folder / "wrong.txt").write_text("".join(f"{k} {n}\n" for k, n in wrong.items()))
        sys.modules.pop(self.module, None)
        text = SUITE.replace("MODULE", self.module).replace("REPEATS", str(repeats))
        text = text.replace("CHECK", f"{{{check}}}").replace("BASELINE", str(baseline))
        path = self.folder / "handmade.yaml"
        path.write_text(text.replace("METRIC", check.partition(":")[0]))
        return api.run(path, options=Options(use_cache=False))

    def rule(self, wrong: dict[str, int], before: dict[str, int] | None = None) -> RuleDecision:
        return self.run(wrong, self.run(before or {}).path).summary.gate.rules[-1]


@pytest.fixture
def handmade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Handmade:
    monkeypatch.delenv("GITHUB_RUN_ATTEMPT", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return Handmade(tmp_path)


def test_the_case_that_broke_is_named(handmade: Handmade) -> None:
    rule = handmade.rule({"k3": 5, "k9": 1}, {"k9": 2})
    assert rule.decision is Decision.FAIL
    assert rule.fell == ("k3",)
    assert "k3 (5 of 5 before, 0 of 5 now) passes less often" in rule.reason


@pytest.mark.parametrize(
    ("wrong", "decision"),
    [
        ({}, Decision.PASS),
        ({"k3": 2}, Decision.INCONCLUSIVE),
        ({f"k{i}": 2 for i in range(10)}, Decision.FAIL),  # none broke, but they fell together
    ],
)
def test_what_is_decided(handmade: Handmade, wrong: dict[str, int], decision: Decision) -> None:
    rule = handmade.rule(wrong)
    assert rule.decision is decision
    assert "the claim is about these cases alone" in rule.assumptions


def test_one_answer_a_case_tells_nothing(handmade: Handmade) -> None:
    baseline = handmade.run({}, repeats=1).path
    rule = handmade.run({"k3": 1}, baseline, repeats=1).summary.gate.rules[-1]
    assert rule.decision is Decision.INCONCLUSIVE
    assert "`repeats: 5` or more, in the baseline as well" in rule.reason


def test_a_metric_with_values_in_between_is_refused(handmade: Handmade) -> None:
    check = "levenshtein: {references: [yes it is], threshold: 0.1}"
    baseline = handmade.run({}, check=check).path
    rule = handmade.run({"k3": 3}, baseline, check=check).summary.gate.rules[-1]
    assert rule.decision is Decision.INVALID
    assert "has values in between" in rule.reason
