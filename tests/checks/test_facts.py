"""The check `facts`: each type of fact, each role, each way to say, deny, doubt or report something."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmeval.checks.base import Result
from llmeval.checks.spec import SpecError, bind
from llmeval.core.errors import CheckError
from llmeval.core.records import Answer, Case
from tests.checks.tried import marked, tried
from tests.support.tables import each_row

Y, N = True, False


def facts(must: Any, text: str, **more: Any) -> Result:
    return tried({"facts": {"must": must, **more}}, text)


def verdicts(result: Result) -> list[str]:
    assert result.details is not None
    return [fact["verdict"] for fact in result.details["facts"]]


@each_row(
    ("fact", "text", "verdict"),
    [
        # text and entities
        ("Paris", "The capital of France is Paris.", "supported"),
        ("Paris", "It is the city of Lyon.", "missing"),
        (
            {"value": "Paris", "aliases": ["City of Light"]},
            "They call it the City of Light.",
            "supported",
        ),
        ({"type": "entity", "value": "Johannes Kepler"}, "Kepler found it.", "supported"),
        (
            {"type": "entity", "value": "Marie Curie", "aliases": ["Curie"]},
            "It was Curie's work.",
            "supported",
        ),
        ({"type": "entity", "value": "wolf"}, "Wolves live there.", "supported"),
        ({"type": "entity", "value": "wolf", "inflect": False}, "Wolves live there.", "missing"),
        (
            {"type": "entity", "value": "Mississippi", "fuzzy": 0.85},
            "The Missisippi River.",
            "supported",
        ),
        ("art", "It is a start.", "missing"),
        ("São Paulo", "In Sao Paulo.", "supported"),
        ("東京", "首都は東京です。", "supported"),
        # quantities
        ({"value": 330, "unit": "m"}, "The tower is 330 metres high.", "supported"),
        ({"value": 330, "unit": "m"}, "The tower is 0.33 km high.", "supported"),
        (
            {"value": 330, "unit": "m", "subject": "tower"},
            "The tower is 250 m high.",
            "contradicted",
        ),
        ({"value": 330, "unit": "m", "tolerance": {"rel": 0.01}}, "About 329 m.", "supported"),
        (
            {"value": 330, "unit": "m", "tolerance": {"abs": 0.5}, "subject": "tower"},
            "The tower has 329 m.",
            "contradicted",
        ),
        ({"value": 42}, "There are forty-two of them.", "supported"),
        ({"value": 1234.5, "unit": "EUR"}, "It costs 1,234.50 €.", "supported"),
        ({"value": 3500000, "unit": "USD"}, "They paid $3.5 million.", "supported"),
        ({"value": 25, "unit": "%"}, "A quarter voted for it: 25 percent.", "supported"),
        # dates
        ({"type": "date", "value": "1889-03-31"}, "It opened on 31 March 1889.", "supported"),
        (
            {"type": "date", "value": "1889-03-31", "accept_precision": "year"},
            "It opened in 1889.",
            "supported",
        ),
        ({"type": "date", "value": "1889-03-31"}, "It opened on 30 March 1889.", "contradicted"),
        ({"type": "date", "value": "1889"}, "In 1889.", "supported"),
        # yes and no
        ({"type": "boolean", "value": True}, "Yes, it is.", "supported"),
        ({"type": "boolean", "value": True}, "No, it isn't.", "contradicted"),
        ({"type": "boolean", "value": False}, "No.", "supported"),
        # quotes, sets, patterns
        (
            {"type": "quote", "value": "to be, or not to be"},
            "He says: “To be, or not to be”.",
            "supported",
        ),
        ({"type": "quote", "value": "to be, or not to be"}, "He wonders about being.", "missing"),
        ({"type": "set", "value": ["red", "green"]}, "Green and red.", "supported"),
        ({"type": "set", "value": ["red", "green"]}, "Only red.", "missing"),
        ({"type": "set", "value": ["red", "green"], "match": "any"}, "Only red.", "supported"),
        (
            {"type": "set", "value": ["a1", "b2", "c3"], "ordered": True},
            "First c3, then a1, then b2.",
            "missing",
        ),
        ({"type": "regex", "value": r"ISBN \d{3}"}, "See ISBN 978.", "supported"),
        ({"type": "regex", "value": r"ISBN \d{3}"}, "See there.", "missing"),
    ],
)
def test_types_of_facts(fact: Any, text: str, verdict: str) -> None:
    result = facts(fact, text)
    assert verdicts(result) == [verdict], result.reason
    assert result.passed is (verdict == "supported")


@each_row(
    ("text", "passed"),
    [
        ("It is Paris.", Y),
        ("It is not Paris.", N),
        ("It isn't Paris, it's Lyon.", N),
        ("It was never Paris.", N),
        ("It is Lyon, not Paris.", N),
        ("It is Paris, not Lyon.", Y),
        ("Not Lyon but Paris.", Y),
        ("Not only Lyon, but also Paris.", Y),
        ("It is Lyon rather than Paris.", N),
        ("Instead of Lyon, it is Paris.", Y),
        ("Although many people say Lyon, the answer is Paris.", Y),
        ("Although many people say Paris, the answer is Lyon.", N),
        ("People often think it is Paris, but it is actually Lyon.", N),
        ("Contrary to popular belief, it is Paris.", Y),
        ("It is a common misconception that it is Paris; in fact it is Lyon.", N),
        ("The fact that it is Paris is false. It is Lyon.", N),
        ("Neither Paris nor Lyon is right.", N),
        ("It is either Paris or Lyon, I am not sure which.", N),
        ("I don't know whether it is Paris.", N),
        ("There is no doubt that it is Paris.", Y),
        ("It is none other than Paris.", Y),
        ("It is Lyon. Wait, no, it is Paris.", Y),
        ("It is Paris. Wait, no, that is wrong: it is Lyon.", N),
    ],
)
def test_what_is_denied_doubted_or_reported_is_not_stated(text: str, passed: bool) -> None:
    assert tried("facts", text, "Paris").passed is passed


@pytest.mark.parametrize(
    ("text", "references", "passed"),
    [
        ("It is the City of Light.", ("Paris", "City of Light"), Y),
        ("He was born in 1879.", ("1879",), Y),
        ("He was born in 1878.", ("1879",), N),
        ("He was born on March 14, 1879.", ("14 March 1879",), Y),
        ("about 300,000 km/s", ("300000 km/s",), Y),
        ("There are twelve.", ("12",), Y),
        ("Henry the Eighth", ("Henry VIII",), Y),
        ("", ("Paris",), N),
    ],
)
def test_plain_references_need_no_configuration(
    text: str, references: tuple[str, ...], passed: bool
) -> None:
    result = tried("facts", text, *references)
    assert result.passed is passed, result.reason
    assert result.confidence is not None
    assert 0.5 <= result.confidence <= 1


@pytest.mark.parametrize(
    ("text", "number", "passed"),
    [
        ("Es kostet 1.234,50 Euro, alles zusammen, und das ist nicht wenig.", 1234.5, Y),
        (
            "Das sind etwa zweiundvierzig Stück, und sie liegen alle in dieser großen Kiste hier vor dem Haus.",
            42,
            Y,
        ),
        ("Il y en a quatre-vingt-dix dans cette boîte, pas un de plus.", 90, Y),
        ("Il y en a soixante dans cette boîte, pas un de plus.", 90, N),
    ],
)
def test_numbers_of_other_languages(text: str, number: float, passed: bool) -> None:
    assert facts({"value": number}, text).passed is passed


def test_ranges_hold_what_lies_in_them_only_where_the_fact_allows_it() -> None:
    assert (
        facts({"value": 7, "unit": "kg", "subject": "box"}, "The box weighs 20 to 30 kg.").passed
        is False
    )
    assert facts({"value": "5 to 10", "type": "text"}, "From 5 to 10 of them.").passed is True


def test_roles() -> None:
    secret = {"value": "tonight", "role": "must_not_mention"}
    kept = {"value": 330, "unit": "m", "role": "must_not_contradict", "subject": "tower"}
    assert facts(secret, "We attack at dawn.").passed is True
    assert facts(secret, "We attack tonight.").passed is False
    assert facts([kept], "The tower is tall.").passed is True
    assert facts([kept], "The tower is 100 m tall.").passed is False
    assert (
        tried({"facts": {"must": "Paris", "must_not": "Lyon"}}, "Paris, and not Lyon.").passed
        is True
    )
    assert (
        tried({"facts": {"must": "Paris", "must_not": "Lyon"}}, "Paris and Lyon.").passed is False
    )


def test_weights_thresholds_and_the_cap() -> None:
    two = [{"value": "red", "weight": 3}, {"value": "blue", "weight": 1}]
    assert facts(two, "red").value == pytest.approx(0.75)
    assert facts(two, "red").passed is False
    assert facts(two, "red", at_least=0.7).passed is True
    height = {"value": 330, "unit": "m", "subject": "tower"}
    wrong = "Red. The tower is 100 m high."
    assert facts(["red", height], wrong).value == 0
    assert facts(["red", height], wrong, cap=False).value == pytest.approx(0.5)
    assert facts(["red", height], wrong, cap=False).passed is False


def test_conflicting_values_are_not_both_right() -> None:
    height = {"value": 330, "unit": "m", "subject": "tower"}
    assert facts(height, "The tower is 330 m high. The tower is 250 m high.").passed is False
    assert facts(height, "The tower is 330 m high. It is 250 m high.").passed is False
    assert facts(height, "The tower is 330 m high. The gate is 25 m high.").passed is True


def test_evidence_points_at_the_words_that_decide() -> None:
    text = "👩‍👩‍👧 Café: the capital is Paris, as 日本 knows."
    assert marked(tried("facts", text, "Paris"), text) == ["Paris"]
    text = "The tower is 250 m high."
    wrong = facts({"value": 330, "unit": "m", "subject": "tower"}, text)
    assert "250" in marked(wrong, text)[0]
    assert "330" in wrong.reason


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        ({"valu": 1}, "did you mean 'value'"),
        ({"type": "quantity", "value": "much"}, "is not one number"),
        ({"value": 3, "unit": "parsnips"}, "'parsnips' is not known"),
        ({"type": "date", "value": "1889-02-30"}, "there is no day"),
        ({"type": "date", "value": "1889", "precision": "day"}, "only precise to the year"),
        ({"type": "boolean", "value": "perhaps"}, "yes or no"),
        ({"type": "regex", "value": "("}, "facts"),
        ({"type": "set", "value": []}, "a list is wanted"),
        ({"type": "entity", "value": "x", "unit": "m"}, "only for facts of type quantity"),
        ({"value": "x", "weight": 0}, "weight"),
        ({"type": "txt", "value": "x"}, "did you mean 'text'"),
    ],
)
def test_a_fact_that_is_written_wrongly_is_refused(fact: Any, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        bind([{"facts": {"must": [fact]}}])


def test_facts_of_a_case_go_before_its_references() -> None:
    (bound,) = bind(["facts"])

    def said(case: Case) -> Result:
        return bound.evaluate(case, Answer(case_id="a", output="It is blue."), lambda value: value)

    assert said(Case("a", {}, references=("red",), facts=({"value": "blue"},))).passed is True
    assert said(Case("a", {})).passed is None
    with pytest.raises(CheckError, match="unknown key"):
        said(Case("a", {}, facts=({"valeu": "blue"},)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=200))
def test_any_text_gets_a_verdict(text: str) -> None:
    for reference in ("Paris", "42", "14 March 1879", "yes", "1.5 km"):
        result = tried("facts", text, reference)
        assert result.passed in (True, False)
        assert all(0 <= span.start < span.end <= len(text) for span in result.evidence)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["The sky was blue.", "Trains run on rails.", "She bought bread.", "Rain fell."]
        ),
        max_size=6,
    )
)
def test_other_sentences_do_not_change_a_verdict(others: list[str]) -> None:
    around = " ".join(others)
    assert tried("facts", f"{around} The capital is Paris. {around}", "Paris").passed is True
    assert tried("facts", f"{around} The capital is not Paris. {around}", "Paris").passed is False


def test_a_megabyte_ends() -> None:
    for unit in ("Paris ", "not ", "((", "\u202e", "“", "a" * 1000 + " "):
        result = tried("facts", unit * (1_000_000 // len(unit)), "Paris", "42")
        assert result.passed in (True, False)
    with pytest.raises(CheckError, match="more than 8,000 numbers"):
        tried("facts", "1, " * 300_000, "42")
    with pytest.raises(CheckError, match="at most 1,000,000"):
        tried("facts", "a" * 1_000_001, "Paris")
