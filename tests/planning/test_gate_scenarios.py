"""The benchmark that plays llmeval next to other gates: its scenarios are what they say."""

import sys
from pathlib import Path

import numpy as np
import pytest

from llmeval.core.results import Decision

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benchmarks"))

import gates  # noqa: E402
import gates_publish  # noqa: E402
from gates_figures import (  # noqa: E402
    STORED,
    GateFigures,
    ScenarioFigures,
    ToolShares,
    from_json,
    to_json,
)
from gates_scenarios import SCENARIOS, GateScenario  # noqa: E402

NAMED = {scenario.name: scenario for scenario in SCENARIOS}


def test_there_are_28_scenarios_with_and_without_a_drop() -> None:
    assert len(NAMED) == len(SCENARIOS) == 28
    assert sum(each.unchanged for each in SCENARIOS) == 13
    assert sum(each.worse for each in SCENARIOS) == 14


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_a_scenario_has_the_drop_that_it_states(scenario: GateScenario) -> None:
    source = np.random.default_rng(1)
    if scenario.change is not None or scenario.falls is not None or not scenario.models[0].exact:
        pytest.skip("its drop is not in all records")
    drops = [
        float(sides.baseline.mean() - sides.candidate.mean())
        for _ in range(60)
        for sides in scenario.draw(source).sides
    ]
    assert np.mean(drops) == pytest.approx(scenario.drop, abs=0.025)


@pytest.mark.parametrize(
    "name", ["-20, the cases that fell are removed", "unchanged, untrusted judge"]
)
def test_llmeval_can_not_tell_where_cases_are_gone_or_the_judge_is_untrusted(name: str) -> None:
    recorded = NAMED[name].draw(np.random.default_rng(2))
    verdicts = {tool.name: tool.verdict(recorded) for tool in (*gates.OWN[:3], gates.RULES[0])}
    assert set(verdicts.values()) & {Decision.PASS, Decision.FAIL} == {
        verdicts[gates.RULES[0].name]
    }


def test_a_broken_case_is_seen_by_the_rule_for_these_cases() -> None:
    recorded = NAMED["-5: one of 20 cases breaks, 5 answers"].draw(np.random.default_rng(3))
    assert gates.these_cases(recorded) is Decision.FAIL


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md"])
def test_the_documents_show_the_stored_figures(page: str) -> None:
    """`python benchmarks/gates_publish.py` writes them."""
    figures = from_json(STORED.read_bytes())
    assert [each.name for each in figures.scenarios] == list(NAMED)
    text = (ROOT / page).read_text(encoding="utf-8")
    stored = gates_publish.pages(figures)[page]
    assert gates_publish.between(text, "gates", stored) == text
    assert stored.count("\n| llmeval, ") >= 3


def test_a_row_is_the_mean_and_the_worst_of_its_scenarios() -> None:
    shares = [
        ScenarioFigures("unchanged", True, False, {"t": ToolShares(0.01, 0.9)}),
        ScenarioFigures("unchanged, noisy", True, False, {"t": ToolShares(0.03, 0.5)}),
        ScenarioFigures("-5", False, True, {"t": ToolShares(0.2, 0.125)}),
        ScenarioFigures("-5, other", False, True, {"t": ToolShares(0.4, 0.375)}),
        ScenarioFigures("-2", False, False, {"t": ToolShares(1.0, 0.0)}),
    ]
    figures = from_json(to_json(GateFigures(300, ["t", "peer 1.0"], [], shares, [])))
    assert gates_publish.short_table(figures).splitlines()[2:] == [
        "| t | 2.0 (3.0) | 25 (38) | 28 | 30 | 20/68/12 |"
    ]


def test_tables_replace_what_lies_between_the_comments() -> None:
    page = "a\n<!-- gates -->\nold\n<!-- /gates -->\nb\n"
    assert gates_publish.between(page, "gates", "new\n") == (
        "a\n<!-- gates -->\n\nnew\n\n<!-- /gates -->\nb\n"
    )
    with pytest.raises(ValueError, match="there is no"):
        gates_publish.between("a", "gates", "new\n")
