"""One search for all patterns gives the same candidates as one search for each."""

from hypothesis import given
from hypothesis import strategies as st

from llmeval.checks.builtin.safety.privacy import _all_forms
from llmeval.checks.builtin.safety.secret_forms import FORMS
from llmeval.checks.builtin.text.prefilter import Prefilter
from llmeval.checks.builtin.text.regex import compile_pattern, find_all


def one_by_one(patterns: list[str], text: str) -> list[int]:
    return [n for n, each in enumerate(patterns) if any(find_all(compile_pattern(each), text))]


def test_every_form_is_a_candidate_in_its_example() -> None:
    forms, prefilter = _all_forms()
    assert prefilter._together is not None
    patterns = [pattern for _, pattern, _ in forms]
    for form in FORMS:
        for text in (form.example, f"é {form.example} ü", f"\ud800 {form.example}"):
            assert set(one_by_one(patterns, text)) <= set(prefilter.candidates(text)), text
    for text in ("ann@example.com", "ann@münchen.example", "4111 1111 1111 1111", "nothing"):
        assert one_by_one(patterns, text) == list(prefilter.candidates(text))


@given(st.text("ab1@.$\n é", max_size=30))
def test_generated_texts(text: str) -> None:
    patterns = ["a+b", r"\d@", "é$", r"(?i)B\.a", r"a(?=b)"]
    found = one_by_one(patterns, text)
    assert set(found) <= set(Prefilter(patterns).candidates(text))
    ascii_only = patterns[:2]
    assert one_by_one(ascii_only, text) == list(Prefilter(ascii_only).candidates(text)) or (
        not text.isascii()
    )
