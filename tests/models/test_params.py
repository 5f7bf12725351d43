"""Sampling parameters put together."""

from typing import Any

import pytest

from llmeval.models.params import merged, overriding

DEFAULTS = {"temperature": 0, "max_tokens": 512}


@pytest.mark.parametrize(
    ("layers", "sent"),
    [
        ([DEFAULTS], DEFAULTS),
        (
            [DEFAULTS, {"temperature": 0.6, "max_tokens": 3000}],
            {"temperature": 0.6, "max_tokens": 3000},
        ),
        (
            [DEFAULTS, {"max_tokens": 3000}, {"max_tokens": 100}],
            {"temperature": 0, "max_tokens": 100},
        ),
        ([DEFAULTS, {"temperature": None}], {"max_tokens": 512}),
        ([DEFAULTS, {"temperature": 1}, {"temperature": None}], {"max_tokens": 512}),
        (
            [DEFAULTS, {"max_completion_tokens": 500}],
            {"temperature": 0, "max_completion_tokens": 500},
        ),
        (
            [DEFAULTS, {"max_completion_tokens": 500}, {"max_tokens": 9}],
            {"temperature": 0, "max_tokens": 9},
        ),
        ([DEFAULTS, {"max_output_tokens": 5}], {"temperature": 0, "max_output_tokens": 5}),
        (
            [DEFAULTS, {"max_tokens": 9, "max_completion_tokens": 5}],
            {"temperature": 0, "max_completion_tokens": 5},
        ),
        ([DEFAULTS, {"max_tokens": None, "temperature": None}], {}),
        ([DEFAULTS, {"max_completion_tokens": None}], DEFAULTS),
        ([DEFAULTS, {"seed": 0, "stop": []}], {**DEFAULTS, "seed": 0, "stop": []}),
    ],
)
def test_later_layers_go_over_earlier_ones(
    layers: list[dict[str, Any]], sent: dict[str, Any]
) -> None:
    assert merged(*layers) == sent
    for own in layers:  # over any parameters of a model exactly the same is sent
        assert merged(own, overriding(sent, own)) == sent
