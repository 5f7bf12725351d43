"""Margins and limits that so few cases can never decide."""

from typing import Any

import pytest

from llmeval.core.records import Case
from llmeval.planning.margin_reach import StatedRules, never_decided, rate_margins
from llmeval.suite.gate_schema import GateSpec


def rules(gate: dict[str, Any]) -> StatedRules:
    spec = GateSpec.model_validate({"attempts": 1, **gate})
    return StatedRules(spec.record(), ("a", "a.x", "a.y"), ("steps",))


def cases(n: int, size: int = 1) -> list[Case]:
    return [
        Case(
            f"c{i}",
            {},
            tags={"lang": "de" if i < 10 else "en"},
            cluster=f"g{i // size}" if size > 1 else None,
        )
        for i in range(n)
    ]


def margins(**stated: object) -> dict[str, Any]:
    return {"regression": {"baseline": "b", "margins": stated}}


@pytest.mark.parametrize(
    ("gate", "n", "size", "told"),
    [
        (margins(a=0.05), 58, 1, "margins.a: 58 cases can't rule out a drop of 5.0 points"),
        (margins(a=0.05), 59, 1, ""),
        (margins(a=0.05), 200, 20, "200 cases in 10 clusters can't rule out"),
        (
            margins(**{"a.* @ lang=*": 0.1}),
            200,
            1,
            "margins.a.x @ lang=de: 10 cases can't rule out",
        ),
        (margins(**{"latency.p95": "20%"}), 98, 1, "98 cases can't compare p95 at 95% confidence"),
        (margins(**{"latency.p95": "20%"}), 99, 1, ""),
        (margins(steps="20%"), 29, 1, "29 cases are too few for a mean"),
        ({"limits": {"latency.p95": 2}}, 58, 1, "limits.latency.p95: 58 cases can't show p95"),
        ({"limits": {"latency.p95": 2}}, 59, 1, ""),
        ({"limits": {"steps @ lang=*": 2}}, 60, 1, "limits.steps @ lang=de: 10 cases are too few"),
    ],
)
def test_what_can_never_be_decided(gate: dict[str, Any], n: int, size: int, told: str) -> None:
    found = never_decided(rules(gate), cases(n, size))
    assert (told in found[0]) if told else not found


def test_margins_of_rates_alone_are_sized() -> None:
    stated = margins(**{"a.*": 0.1, "a.x": 0.2, "a pass": 0.3, "latency.p95": "20%", "steps": 0.1})
    found = {key: limit.value for key, limit in rate_margins(rules(stated), cases(4)).items()}
    assert found == {"a.x": 0.2, "a.y": 0.1, "a": 0.3}
