"""Keys of rules: wildcards, the pass rate, and statistics of numbers."""

import pytest

from llmeval.core.numbers import NumberRef, parse_number, show_number
from llmeval.core.rule_keys import RuleKey, expand_key, matches, parse_rule_key

METRICS = ["json_fields", "json_fields.total", "json_fields.vat", "tools", "not tool_call"]
SLICES = {("lang", "de"), ("lang", "en"), ("tier", "gold")}


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("tools", ["tools"]),
        ("json_fields.*", ["json_fields.total", "json_fields.vat"]),
        ("json_fields*", ["json_fields", "json_fields.total", "json_fields.vat"]),
        ("tools @ lang=*", ["tools @ lang=de", "tools @ lang=en"]),
        ("json_fields.* @ lang=d*", ["json_fields.total @ lang=de", "json_fields.vat @ lang=de"]),
        ("*.vat pass @ tier=*", ["json_fields.vat pass @ tier=gold"]),
        ("not *", ["not tool_call"]),
        ("nothing.*", []),
        ("tools @ region=*", []),
    ],
)
def test_a_key_names_rules(key: str, rules: list[str]) -> None:
    assert [rule.text for rule in expand_key(key, METRICS, SLICES)] == rules


def test_only_the_star_is_special() -> None:
    assert not matches("json_fields.*", "json_fieldsXtotal")
    assert not matches("a?", "ab")
    assert matches("a[1]*", "a[1]b")


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("tools pass", RuleKey("tools", None, True)),
        ("tools pass @ lang=de", RuleKey("tools", ("lang", "de"), True)),
        ("compass", RuleKey("compass", None, False)),
        ("not tool_call", RuleKey("not tool_call", None, False)),
    ],
)
def test_pass_is_a_word_of_its_own(key: str, parts: RuleKey) -> None:
    assert parse_rule_key(key) == parts


@pytest.mark.parametrize(
    ("metric", "ref"),
    [
        ("latency", NumberRef("latency", "mean")),
        ("latency.p95", NumberRef("latency", "p95")),
        ("latency_p95", NumberRef("latency", "p95")),
        ("cost.mean", NumberRef("cost", "mean")),
        ("steps_p50", NumberRef("steps", "p50")),
        ("wait_p95", NumberRef("wait_p95", "mean")),
        ("latency.p0", None),
        ("latency.p100", None),
        ("speed.p95", None),
        ("latency.max", None),
    ],
)
def test_a_statistic_of_a_number(metric: str, ref: NumberRef | None) -> None:
    assert parse_number(metric, ["latency", "cost", "steps", "wait_p95"]) == ref


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (2.3149, "latency", "2.31 s"),
        (0.07549, "latency", "0.0755 s"),
        (0.0, "cost", "$0"),
        (0.00012, "cost", "$0.00012"),
        (1234.4, "tokens", "1,234 tokens"),
        (4.0, "steps", "4"),
    ],
)
def test_numbers_have_units(value: float, name: str, text: str) -> None:
    assert show_number(value, name) == text
