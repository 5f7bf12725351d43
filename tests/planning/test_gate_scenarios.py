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


def test_the_readme_shows_rows_of_the_documents() -> None:
    def table(page: str) -> list[str]:
        text = (ROOT / page).read_text(encoding="utf-8")
        inside = text.split("<!-- gates -->")[1].split("<!-- /gates -->")[0]
        return [line for line in inside.splitlines() if line.startswith("|")]

    short = table("README.md")
    assert len(short) == 10
    assert set(short) <= set(table("docs/benchmarks.md"))


def test_tables_replace_what_lies_between_the_comments() -> None:
    page = "a\n<!-- gates -->\nold\n<!-- /gates -->\nb\n"
    assert gates_publish.between(page, "gates", "new\n") == (
        "a\n<!-- gates -->\n\nnew\n\n<!-- /gates -->\nb\n"
    )
    with pytest.raises(ValueError, match="there is no"):
        gates_publish.between("a", "gates", "new\n")
