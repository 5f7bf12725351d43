"""Crossings of monotone functions."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmeval.stats.special.roots import crossing


@settings(max_examples=40)
@given(
    st.floats(-0.999, 0.999),
    st.sampled_from([lambda x: x, lambda x: x**3, math.atan, lambda x: math.exp(5 * x)]),
)
def test_the_crossing_is_found(root: float, shape: object) -> None:
    found = crossing(lambda x: shape(x) - shape(root), -1.0, 1.0, 1e-9)  # type: ignore[operator]
    assert found == pytest.approx(root, abs=1e-4 if abs(root) < 1e-2 else 1e-7)


@pytest.mark.parametrize(("shift", "expected"), [(2.0, -1.0), (-2.0, 1.0)])
def test_without_a_crossing_it_is_the_nearer_end(shift: float, expected: float) -> None:
    assert crossing(lambda x: x + shift, -1.0, 1.0) == expected


def test_a_step_is_found_too() -> None:
    assert crossing(lambda x: math.copysign(1, x - 0.3), 0.0, 1.0, 1e-9) == pytest.approx(
        0.3, abs=1e-8
    )


def test_few_evaluations_are_needed() -> None:
    calls = []
    crossing(lambda x: calls.append(x) or x**3 + x - 1, 0.0, 1.0, 1e-9)
    assert len(calls) < 15
