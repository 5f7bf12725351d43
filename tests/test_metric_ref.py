"""What several rooms must agree on: metric references, clusters, the question of a case, numbers."""

import pytest

from llmeval.core.formatting import percent, percent_of, points, round_percent, signed_points
from llmeval.core.metric_ref import cluster_key, parse_metric_ref, slice_label
from llmeval.core.question import question_of
from llmeval.core.records import Case, Message

REFERENCES = [
    ("facts", "facts", None),
    (" facts ", "facts", None),
    ("facts @ topic=law", "facts", ("topic", "law")),
    ("facts@topic = tax law", "facts", ("topic", "tax law")),
    ("facts @ topic=a=b", "facts", ("topic", "a=b")),
]


@pytest.mark.parametrize(("key", "metric", "where"), REFERENCES)
def test_references(key: str, metric: str, where: tuple[str, str] | None) -> None:
    assert parse_metric_ref(key) == (metric, where)
    if where is not None:
        label = slice_label(where)
        assert parse_metric_ref(f"{metric} @ {label}") == (metric, where)


def test_cases_without_a_cluster_are_clusters_of_their_own() -> None:
    assert cluster_key("a", None) != cluster_key("b", None)
    assert cluster_key("a", "x") == cluster_key("b", "x") == "x"
    assert cluster_key("x", None) != cluster_key("a", "x")


FIRST = (Message("user", "first?"), Message("assistant", "yes"), Message("user", "second?"))
QUESTIONS = [
    (Case("c", {"question": "q", "prompt": "p"}), "q"),
    (Case("c", {"instruction": "i", "query": "y"}), "y"),
    (Case("c", {"question": "q"}, messages=FIRST), "second?"),
    (Case("c", {"question": 3, "input": "n"}), "n"),
    (Case("c", {"text": "t"}), ""),
]


@pytest.mark.parametrize(("case", "asked"), QUESTIONS)
def test_the_question_of_a_case(case: Case, asked: str) -> None:
    assert question_of(case) == asked


def test_numbers_as_people_read_them() -> None:
    assert (percent(0.875), percent(None), percent_of(0.9875)) == ("87.5%", "–", "98.75%")
    assert (round_percent(0.8), round_percent(0.825)) == ("80%", "82.5%")
    assert [signed_points(each) for each in (0.025, -0.04, 0.0001, None)] == [
        "+2.5",
        "−4.0",
        "0.0",
        "–",
    ]
    assert points(0.115) == "11.5 points"
