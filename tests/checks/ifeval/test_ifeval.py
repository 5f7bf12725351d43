"""IFEval checks: what the public ids mean where a simple reading would go wrong, and the agreement benchmark."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from llmeval.checks.base import Result
from llmeval.checks.spec import SpecError, bind
from llmeval.core.records import Answer, Case
from tests.support.tables import each_row


def run(name: str, text: str, **arguments: Any) -> Result:
    """What a check says about one text."""
    (bound,) = bind([{name: arguments}])
    return bound.evaluate(
        Case(id="1", fields={}), Answer(case_id="1", output=text), lambda value: value
    )


@each_row(
    ("relation", "count", "passes"),
    [
        ("less than", 2, True),
        ("less than", 3, False),
        ("at least", 3, True),
        ("at least", 2, False),
        ("at most", 3, True),
        ("at most", 4, False),
        ("al menos", 3, True),
        ("como máximo", 3, True),
        ("como máximo", 4, False),
        ("moins de", 3, False),
        ("au moins", 3, True),
        ("au plus", 3, True),
        ("以上", 3, True),
        ("未満", 3, False),
    ],
)
def test_relations_of_every_language(relation: str, count: int, passes: bool) -> None:
    result = run(
        "length_constraints:number_words",
        " ".join(["word"] * count),
        num_words=3,
        relation=relation,
    )
    assert result.passed is passes


def test_keywords_are_found_inside_words_only_where_the_public_definition_does_so() -> None:
    assert run("keywords:existence", "start", keywords=["art"]).passed is True
    assert run("keywords:existence", "start", keywords=["art"], whole_words=True).passed is False
    assert run("keywords:forbidden_words", "start", forbidden_words=["art"]).passed is True


def test_keywords_are_texts_not_patterns() -> None:
    assert run("keywords:existence", "I write C", keywords=["C++"]).passed is False
    assert (
        run("keywords:frequency", "a.b axb", keyword="a.b", frequency=1, relation="at least").passed
        is True
    )
    assert (
        run("keywords:frequency", "a.b axb", keyword="a.b", frequency=2, relation="at least").passed
        is False
    )


def test_a_title_or_item_without_a_stop_is_no_sentence_of_its_own() -> None:
    text = "<<A title>>\n\n- one item\n- another item.\n\nThe end."
    assert (
        run("length_constraints:number_sentences", text, num_sentences=2, relation="at most").passed
        is True
    )
    assert (
        run(
            "length_constraints:number_sentences", text, num_sentences=2, relation="less than"
        ).passed
        is False
    )


def test_a_last_sentence_without_a_stop_counts() -> None:
    assert (
        run(
            "length_constraints:number_sentences", "One. Two", num_sentences=2, relation="at least"
        ).passed
        is True
    )


def test_numbers_of_list_items_are_no_sentences() -> None:
    text = "1. Take it.\n2. Use it."
    assert (
        run(
            "length_constraints:number_sentences", text, num_sentences=3, relation="less than"
        ).passed
        is True
    )


@pytest.mark.parametrize(
    "start", ["Summary:", "**Summary:**", '"Summary', "# Summary.", "summary,"]
)
def test_marks_round_the_first_word_of_a_paragraph_do_not_count(start: str) -> None:
    arguments = {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "summary"}
    assert (
        run(
            "length_constraints:nth_paragraph_first_word", f"One.\n\n{start} it is", **arguments
        ).passed
        is True
    )


@pytest.mark.parametrize("start", ["Summary-like", "Summary's", "Summaryx"])
def test_the_first_word_of_a_paragraph_is_a_whole_word(start: str) -> None:
    arguments = {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "summary"}
    assert run("length_constraints:nth_paragraph_first_word", start, **arguments).passed is False


def test_the_first_word_may_be_a_phrase() -> None:
    arguments = {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "En mi opinión"}
    assert (
        run(
            "es:length_constraints:nth_paragraph_first_word", "En mi opinión, sí.", **arguments
        ).passed
        is True
    )


def test_a_letter_may_be_any_character_and_none_is_made_up() -> None:
    assert (
        run(
            "keywords:letter_frequency",
            "a! b!",
            letter="!",
            let_frequency=2,
            let_relation="at least",
        ).passed
        is True
    )
    with pytest.raises(SpecError, match="one character"):
        bind(
            [
                {
                    "keywords:letter_frequency": {
                        "letter": "",
                        "let_frequency": 2,
                        "let_relation": "at least",
                    }
                }
            ]
        )


def test_a_missing_relation_is_an_error_not_a_random_one() -> None:
    with pytest.raises(SpecError, match="relation"):
        bind([{"length_constraints:number_words": {"num_words": 3}}])


@pytest.mark.parametrize(
    "name", ["keywords:nothing_such", "en:keywords:existence", "change_case:klingon_capital"]
)
def test_an_unknown_id_is_an_error(name: str) -> None:
    with pytest.raises(SpecError, match="unknown check"):
        bind([{name: {}}])


def test_case_is_judged_alone_where_the_text_has_no_clear_language() -> None:
    assert run("change_case:english_capital", "FAREWISE").passed is True
    assert run("change_case:english_capital", "Farewise").passed is False
    names = "ZOLTAN, MIREILLE, KWAME, INGRID, ANANYA, PIOTR, YUKI, CHIDI, SIOBHAN, LARS, NGUYEN, FATIMA, OKSANA, RHYS"
    assert run("change_case:english_capital", names).passed is True
    assert run("language:response_language", names, language="en").passed is False


@pytest.mark.parametrize(
    ("text", "count"), [("LIFE'S I", 2), ("HIGH-QUALITY", 1), ("**BIG**, (NEW)", 2), ("Wi-Fi a", 0)]
)
def test_words_in_capitals(text: str, count: int) -> None:
    name = "change_case:capital_word_frequency"
    assert run(name, text, capital_frequency=count, capital_relation="at least").passed is True
    assert run(name, text, capital_frequency=count + 1, capital_relation="at least").passed is False


def test_a_quotation_wrapped_over_lines_is_not_taken_for_speech() -> None:
    text = "「静かな夜。星を見た。\n美しい朝。」"
    assert run("ja:detectable_format:nominal_ending", text, count=2).passed is True


def test_deep_json_is_a_fail_not_a_crash() -> None:
    assert run("detectable_format:json_format", "[" * 100_000).passed is False


def benchmark(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "checks_ifeval", repository / "benchmarks" / "checks_ifeval.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_the_benchmark_counts_agreement_by_id_and_language(
    repository: Path, tmp_path: Path
) -> None:
    module = benchmark(repository)
    write(
        tmp_path / "prompts.jsonl",
        [
            {
                "id": "p1",
                "instruction_id_list": ["punctuation:no_comma", "punctuation:no_comma"],
                "kwargs": [{}, {}],
            },
            {"id": "p2", "instruction_id_list": ["es:punctuation:no_comma"], "kwargs": [{}]},
        ],
    )
    write(
        tmp_path / "responses.jsonl",
        [
            {"prompt_id": "p1", "model": "m", "response": "a, b", "follow_strict": [False, True]},
            {"prompt_id": "p2", "model": "m", "response": "a b", "follow_strict": [True]},
        ],
    )
    rows = list(module.compare(tmp_path, "all"))
    assert [(row.official, row.ours) for row in rows] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    report = module.table(rows)
    assert report["all"] == {"n": 3, "same": 2, "share": 0.6667}
    assert report["language"]["en"]["same"] == 1
    assert report["language"]["es"]["same"] == 1
    assert report["id"]["punctuation:no_comma"] == {"n": 2, "same": 1, "share": 0.5}
    halves = [len(list(module.compare(tmp_path, half))) for half in "ab"]
    assert sum(halves) == 3


def test_the_benchmark_says_not_measured_without_data(repository: Path, tmp_path: Path) -> None:
    script = repository / "benchmarks" / "checks_ifeval.py"
    done = subprocess.run(
        [sys.executable, str(script), "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=repository,
        env={"PYTHONPATH": str(repository), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    assert "not measured" in done.stdout
