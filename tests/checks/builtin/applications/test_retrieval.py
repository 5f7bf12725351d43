"""`retrieval` against published and closed forms, and `cites_only`."""

import math
from typing import Any

import pytest

from llmeval.checks.builtin.applications.retrieval import measures
from llmeval.checks.builtin.sources.cited_ids import CASES, cited_ids
from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from tests.checks.tried import marked, tried

# Järvelin and Kekäläinen's measure on the example that Wikipedia works out (Discounted cumulative
# gain, "Example"): gains 3, 2, 3, 0, 1, 2 in the order of the ranks, and two more documents of gain
# 3 and 2 that are not retrieved. It states DCG 6.861, ideal DCG 8.740, nDCG 0.785.
GRADED = {"d1": 3.0, "d2": 2.0, "d3": 3.0, "d5": 1.0, "d6": 2.0, "d7": 3.0, "d8": 2.0}


def test_ndcg_is_the_published_one() -> None:
    got = ["d1", "d2", "d3", "d4", "d5", "d6"]
    assert measures(got, GRADED, 6)["ndcg"] == pytest.approx(0.785, abs=5e-4)


# (got, relevant, k, hit, recall, precision, mrr, ndcg), each worked out by hand
CLOSED: list[tuple[list[str], list[str], int | None, float, float, float, float, float]] = [
    (["a"], ["a"], None, 1, 1, 1, 1, 1),
    (["x", "a"], ["a"], None, 1, 1, 1 / 2, 1 / 2, 1 / math.log2(3)),
    (["x", "y", "a"], ["a", "b"], 3, 1, 1 / 2, 1 / 3, 1 / 3, (1 / 2) / (1 + 1 / math.log2(3))),
    (["x", "y", "a"], ["a", "b"], 2, 0, 0, 0, 0, 0),
    (["a", "b"], ["b", "a"], 5, 1, 1, 2 / 5, 1, 1),
    (["a", "a", "b"], ["a", "b"], 2, 1, 1 / 2, 1 / 2, 1, 1 / (1 + 1 / math.log2(3))),
    ([], ["a"], None, 0, 0, 0, 0, 0),
    (["a"], ["a", "b"], None, 1, 1 / 2, 1, 1, 1 / (1 + 1 / math.log2(3))),
]


@pytest.mark.parametrize("row", CLOSED, ids=[str(row[:3]) for row in CLOSED])
def test_closed_forms(row: tuple[Any, ...]) -> None:
    got, relevant, k, *expected = row
    result = tried({"retrieval": {"got": got, "relevant": relevant, "k": k}}, "x")
    values = {name: part.value for name, part in result.metrics.items()}
    wanted = dict(zip(("hit", "recall", "precision", "mrr", "ndcg"), expected, strict=True))
    assert values == pytest.approx(wanted)
    assert result.passed is (wanted["hit"] == 1)


@pytest.mark.parametrize(
    ("arguments", "passed", "reason"),
    [
        ({"got": ["a", "x"], "relevant": ["a", "b"]}, True, "1 of 2 relevant ids in 2"),
        (
            {"got": ["a", "x", "b"], "relevant": ["a", "b"], "k": 2, "at_least": {"recall": 1}},
            False,
            "recall 0.5 too low: 1 of 2 relevant ids in 2, the first at rank 1,"
            " missing: “b” (rank 3)",
        ),
        ({"got": [], "relevant": ["a"]}, False, "nothing was retrieved"),
        ({"got": None, "relevant": "a"}, False, "nothing was retrieved"),
        ({"got": [7, "8"], "relevant": ["7", 8]}, True, "2 of 2"),
        ({"got": ["a"], "relevant": []}, None, "nothing is relevant"),
        ({"got": ["a"], "relevant": {"b": 0}}, None, "nothing is relevant"),
    ],
)
def test_retrieval_says_why(arguments: dict[str, Any], passed: bool | None, reason: str) -> None:
    result = tried({"retrieval": arguments}, "x")
    assert result.passed is passed
    assert reason in result.reason


@pytest.mark.parametrize(
    "arguments",
    [
        {"got": [{"id": "a"}], "relevant": ["a"]},
        {"got": ["a"], "relevant": ["a"], "k": 0},
        {"got": ["a"], "relevant": {"a": -1}},
        {"got": ["a"], "relevant": ["a"], "at_least": {"recal": 0.5}},
        {"got": [True], "relevant": ["a"]},
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match="retrieval"):
        bind([{"retrieval": arguments}])


def test_its_metrics_are_stated_before_the_run() -> None:
    first, second = bind(
        [
            {"retrieval": {"got": "{{ a }}", "relevant": "{{ b }}"}},
            {"retrieval": {"got": ["a"], "relevant": ["a"], "metric": "search"}},
        ],
        is_template=lambda value: "{{" in str(value),
    )
    assert first.metrics[:3] == ("retrieval", "retrieval.hit", "retrieval.recall")
    assert second.metrics[-1] == "search.ndcg"


@pytest.mark.parametrize(("text", "known", "expected"), CASES, ids=[row[0] for row in CASES])
def test_what_is_cited(text: str, known: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert tuple(place.id for place in cited_ids(text, known)) == expected


@pytest.mark.parametrize(
    ("text", "arguments", "passed", "wrong"),
    [
        ("Yes [kb-1].", {"among": ["kb-1", "kb-2"]}, True, []),
        ("Yes [KB-1], no [kb-9].", {"among": ["kb-1"]}, False, ["[kb-9]"]),
        ("Yes [1], no (source 4).", {"among": [1, 2, 3]}, False, ["(source 4)"]),
        ("Yes [returns].", {"among": ["returns"]}, True, []),
        ("Yes.", {"among": ["kb-1"]}, None, []),
        ("Yes.", {"among": ["kb-1"], "min": 1}, False, []),
        ("Yes [kb-1].", {"among": []}, False, ["[kb-1]"]),
    ],
)
def test_cites_only(
    text: str, arguments: dict[str, Any], passed: bool | None, wrong: list[str]
) -> None:
    result = tried({"cites_only": arguments}, text)
    assert result.passed is passed
    assert marked(result, text) == wrong


def test_ids_that_are_no_list_are_an_error_of_the_check() -> None:
    (bound,) = bind([{"cites_only": {"among": "{{ x }}"}}], is_template=lambda value: True)
    answer = Answer(case_id="a", output="x")
    with pytest.raises(CheckError, match="among"):
        bound.evaluate(Case("a", {}), answer, lambda value: {"among": {"a": 1}})
