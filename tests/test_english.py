"""The English of documents and messages: .ci/english.py reads the right texts, and has no remarks about this project."""

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def english() -> ModuleType:
    path = Path(__file__).parent.parent / ".ci" / "english.py"
    spec = importlib.util.spec_from_file_location("english", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["english"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_documents_are_clean(english: ModuleType) -> None:
    pytest.importorskip("harper")
    pytest.importorskip("codespell_lib")
    assert [str(remark) for remark in english.in_documents(english.word_list())] == []


def test_the_code_is_clean(english: ModuleType) -> None:
    assert [str(remark) for remark in english.in_code(english.word_list())] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The file lies\nbeside the suite.", ["2 beside"]),
        ("Run it\nall\nthe same.", ["2 all the same"]),
        ("`beside` and [a link](beside.md) <!-- beside -->", []),
        ("```\nbeside\n```\nanew", ["4 anew"]),
        ("There is no pass. This is no pass.", ["1 is no pass"]),
        ("It is no longer there.", []),
        ("BESIDE", ["1 BESIDE"]),
        ("besides", []),
        ("The judge may be talked into it.", ["1 talked into"]),
    ],
)
def test_the_word_list_reads_prose_only(english: ModuleType, text: str, words: list[str]) -> None:
    remarks = english.of_words(english.word_list(), english.prose(text), "page.md")
    assert [f"{remark.line} {remark.words}" for remark in remarks] == words


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ('"""About the module."""', ["About the module."]),
        ('def read():\n    """Short."""', ["Short."]),
        ('def _read():\n    """It is private, and read by nobody else."""', []),
        ('KEY = "one two three"', []),
        ('raise ValueError("one two three four")', ["one two three four"]),
        ('raise ValueError(f"{n} of the cases are gone")', ["X of the cases are gone"]),
        ('x = "one two " "three four"', ["one two three four"]),
    ],
)
def test_the_texts_of_code_that_users_read(
    english: ModuleType, code: str, texts: list[str]
) -> None:
    assert [text for _, text in english.messages(ast.parse(code))] == texts


def test_spelling_is_reported_at_its_own_file_and_line(english: ModuleType) -> None:
    pytest.importorskip("codespell_lib")
    pages = {"a.md": "All is well.\nReally.", "b.md": "One\nA refernce."}  # codespell:ignore
    assert [str(remark) for remark in english.of_spelling(pages)] == [
        'b.md:2: "refernce": write reference'
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("All is well.\nThis is is wrong.", ["a.md:2"]),
        ("Otherwise the run is INVALID.", ["a.md:1"]),
        (f"The run {'reads a file and ' * 20}ends.", ["a.md:1"]),
        ("An UNTRUSTED judge decides nothing, at 0.95 or .95.", []),
    ],
)
def test_grammar_is_reported_at_its_line(english: ModuleType, text: str, shown: list[str]) -> None:
    pytest.importorskip("harper")
    remarks = english.of_grammar({"a.md": text})
    assert [f"{remark.file}:{remark.line}" for remark in remarks] == shown


def test_a_page_without_a_word_list_is_an_error(english: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "style.md"
    page.write_text("# Style\n")
    with pytest.raises(ValueError, match="no word list"):
        english.word_list(page)
