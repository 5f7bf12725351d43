"""Suite files: what is accepted, and what a person is told when it is not."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import SuiteError
from llmeval.core.resources import resource
from llmeval.suite.loader import load_suite
from llmeval.suite.model_schema import ReplaySpec
from llmeval.suite.yaml_file import parse, scalar
from tests.support.command import llmeval

GOOD = """\
suite: qa
cases:
  source: cases.jsonl
prompt: "{{ question }}"
models:
  a: {provider: openai, model: m, base_url: "http://localhost:1/v1", params: {temperature: 0}}
  b: {provider: openai, model: j, base_url: "${JUDGE_URL}"}
candidate: a
checks:
  - contains: x
judges: {correctness: {model: b}}
gate: {floors: {contains: 0.5}}
environments:
  staging: {candidate: {provider: openai, model: rc, base_url: "${STAGING_URL}"}}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "qa.yaml"
    path.write_text(text)
    return path


def test_a_good_suite_loads(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, GOOD))
    assert (suite.name, suite.spec.repeats, suite.spec.gate.alpha) == ("qa", 1, 0.05)


def test_a_merged_mapping_gives_what_the_mapping_itself_does_not_state(tmp_path: Path) -> None:
    suite = load_suite(
        write(
            tmp_path,
            GOOD.replace("  a: {", "  a: &a {").replace(
                'b: {provider: openai, model: j, base_url: "${JUDGE_URL}"}', "b: {<<: *a, model: j}"
            ),
        )
    )
    a, b = (suite.spec.models[name].model_dump() for name in "ab")
    assert b == {**a, "model": "j"}
    text = "x: &x {k: 1, l: 2}\ny: &y {k: 3, m: 4}\nz: {<<: [*x, *y], m: 5}\nq: {'<<': 1}\n"
    assert parse(text, "f").data["z"] == {"k": 1, "l": 2, "m": 5}
    assert parse(text, "f").data["q"] == {"<<": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: {<<: 3}", "f:2: `<<` merges mappings"),
        ("a: &a {<<: *a, k: 1}", "f:1: a mapping merges itself"),
        (
            "a0: &a0 {k: 1}\n"
            + "".join(
                f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 9)
            ),
            "makes more than 400,000 values",
        ),
    ],
)
def test_a_merge_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message):
        parse(text, "f")


BROKEN = [
    ("checks:", "matrix: {candidate: []}\nchecks:", 9, "matrix.candidate: this is empty"),
    ("checks:", "matrix: {candidate: [a], prompt: []}\nchecks:", 9, "matrix.prompt: this is empty"),
    ("candidate: a", "candidte: a", 8, "did you mean 'candidate'?"),
    ("candidate: a\n", "", 1, "the key 'candidate' is missing"),
    ("params: {temperature: 0}", "temperature: 0", 6, "write sampling parameters under `params:`"),
    ("provider: openai, model: m", "provider: opnai, model: m", 6, "did you mean 'openai'?"),
    ("provider: openai, model: m,", "model: m,", 6, "the key 'provider' is missing"),
    (
        "{floors: {contains: 0.5}}",
        "{floors: {contains: 1.5}}",
        12,
        "less than or equal to 1 (given: 1.5)",
    ),
    ("{floors: {contains: 0.5}}", "{floor: {contains: 0.5}}", 12, "did you mean 'floors'?"),
    ("suite: qa", "suite: qa\nrepeats: 0", 2, "greater than 0"),
    ("suite: qa", "suite: q a", 1, "match pattern"),
    ("checks:", "suite: again\nchecks:", 9, "the key 'suite' is given twice"),
    ("checks:", "checks: [", 10, "not valid YAML"),
    (
        "judges: {correctness: {model: b}}",
        "judges: {correctness: {modl: b}}",
        11,
        "did you mean 'model'?",
    ),
    (
        'prompt: "{{ question }}"',
        'prompt: "{{ question }}"\nmessages: [{role: user, content: x}]',
        1,
        "not both",
    ),
    ("{model: b}", "{model: b, when: sometimes}", 11, "'always' or 'uncertain'"),
]


@pytest.mark.parametrize(("old", "new", "line", "told"), BROKEN)
def test_broken_suites_name_file_line_key_and_fix(
    tmp_path: Path, old: str, new: str, line: int, told: str
) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    assert str(caught.value).startswith(f"{path}:{line}:")
    assert told in str(caught.value)


def test_all_errors_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("candidate: a", "candidte: a").replace("0.5", "7"))
    with pytest.raises(SuiteError) as caught:
        load_suite(path)
    assert "candidte" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a", "a suite is a mapping"),
        ("", "a suite is a mapping"),
        ("a: !!python/object:x {}", "suite"),
    ],
)
def test_not_a_suite(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SuiteError, match=told):
        load_suite(write(tmp_path, text))


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="llmeval init"):
        load_suite(tmp_path / "none.yaml")


def test_variables_are_needed_only_where_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, GOOD)
    suite = load_suite(path)
    suite.model("a", ("candidate",))
    with pytest.raises(
        SuiteError,
        match=r"qa.yaml:7: models.b.base_url: the environment variable JUDGE_URL is not set",
    ):
        suite.model("b", ("judges", "correctness", "model"))
    monkeypatch.setenv("JUDGE_URL", "http://judge/v1")
    _, spec = load_suite(path).model("b", ())
    assert spec.base_url == "http://judge/v1"  # type: ignore[attr-defined]


def test_variable_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N", "3")
    monkeypatch.delenv("M", raising=False)
    text = GOOD.replace(
        "suite: qa", 'suite: qa\nrepeats: ${N}\nseed: ${M:-7}\ndescription: "$${N} and ${N}"'
    )
    spec = load_suite(write(tmp_path, text)).spec
    assert (spec.repeats, spec.seed, spec.description) == (3, 7, "${N} and 3")


def test_an_undefined_variable_in_the_suite_itself_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        SuiteError, match=r"qa.yaml:2: description: the environment variable NOPE is not set"
    ):
        load_suite(write(tmp_path, GOOD.replace("suite: qa", "suite: qa\ndescription: ${NOPE}")))


def test_an_environment_changes_only_what_it_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGING_URL", "http://staging/v1")
    suite = load_suite(write(tmp_path, GOOD), "staging")
    assert suite.changes == ("candidate",)
    name, spec = suite.model(suite.spec.candidate, ("candidate",))
    assert (name, spec.base_url) == ("rc", "http://staging/v1")  # type: ignore[attr-defined]
    with pytest.raises(
        SuiteError, match="there is no environment 'stagin'; did you mean 'staging'"
    ):
        load_suite(write(tmp_path, GOOD), "stagin")


def test_an_unset_variable_in_the_chosen_environment_names_its_line(tmp_path: Path) -> None:
    suite = load_suite(write(tmp_path, GOOD), "staging")
    with pytest.raises(SuiteError, match=r"qa.yaml:14: candidate.base_url: .*STAGING_URL"):
        suite.model(suite.spec.candidate, ("candidate",))


def test_secrets_are_known_and_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sk-very-secret")
    suite = load_suite(write(tmp_path, GOOD.replace("model: m,", 'model: m, api_key: "${KEY}",')))
    assert suite.secrets() == {"sk-very-secret"}
    assert "sk-very-secret" not in repr(suite.spec)


@pytest.mark.parametrize(
    ("text", "value"),
    [("no", "no"), ("on", "on"), ("1:30", "1:30"), ("012", 12), ("true", True), ("~", None), ("2024-01-02", "2024-01-02"),
     ("1e3", 1000.0), (".5", 0.5), ("-4", -4), ("0x1f", "0x1f")],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert scalar(text) == value
    assert parse(f"a: {text}", "f").data == {"a": value}


def test_an_alias_bomb_is_refused() -> None:
    text = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n"
        for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
    with pytest.raises(SuiteError, match="too many values"):
        parse(text, "f")


def test_prices_by_model_here_or_in_a_file(tmp_path: Path) -> None:
    def loaded(prices: str, own: str = "") -> Any:
        path = tmp_path / "s.yaml"
        path.write_text(
            "suite: s\ncases: [{id: a}]\nprompt: hi\ncandidate: x\n"
            f"models: {{x: {{provider: openai, model: big{own}}}}}\nprices: {prices}\n"
        )
        return load_suite(path).model("x", ())[1].price

    (tmp_path / "prices.yaml").write_text(
        "big: {input: 2, output: 8}\nother: {input: 1, output: 1}\n"
    )
    assert loaded("prices.yaml").output == 8
    assert loaded("{x: {input: 1, output: 3}}").output == 3
    assert loaded("{other: {input: 1, output: 3}}") is None
    assert loaded("prices.yaml", ", price: {input: 5, output: 6}").output == 6
    (tmp_path / "prices.yaml").write_text("other: {input: 1, output: 1}\nbig: {input: 2}\n")
    with pytest.raises(SuiteError, match=r"prices.yaml:2: big: not a table of prices"):
        loaded("prices.yaml")
    with pytest.raises(SuiteError, match=r"can't read gone.yaml"):
        loaded("gone.yaml")


def test_a_model_of_the_command_line_needs_no_variable_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(
        "suite: t\ncases: [{id: a, question: q, reference: r}]\nprompt: '{{ question }}'\nchecks: [facts]\n"
        "candidate: {provider: openai, model: m, base_url: '${NOT_SET_ANYWHERE}'}\n"
    )
    suite = load_suite(path)
    given = ReplaySpec(provider="replay", source="answers.jsonl")
    assert suite.model(given, ()) == ("replay", given)
    with pytest.raises(SuiteError, match="NOT_SET_ANYWHERE is not set"):
        suite.model(suite.spec.candidate, ("candidate",))


@pytest.mark.parametrize(
    ("pipe", "message"),
    [
        ("s.yaml", "s.yaml: is a pipe"),
        ("cases.jsonl", r"s.yaml:2: cases.source: cases.jsonl: is a pipe"),
        ("prompt.j2", r"s.yaml:3: prompt: prompt.j2 is a pipe"),
        ("answers.jsonl", r"answers.jsonl: is a pipe"),
        ("judge.j2", r"judge.j2: is a pipe"),
        ("certificate.json", r"certificate.json: is a pipe"),
    ],
)
def test_a_pipe_is_not_read(tmp_path: Path, pipe: str, message: str) -> None:
    """To read it would wait for a writer without end."""
    files = {
        "s.yaml": "suite: s\ncases: {source: cases.jsonl}\nprompt: prompt.j2\n"
        "models: {m: {provider: replay, source: answers.jsonl}}\ncandidate: m\n"
        "checks: [contains: x]\nallow_self_judge: true\n"
        "judges: {j: {model: m, prompt: judge.j2, certificate: certificate.json}}\n",
        "cases.jsonl": '{"id": "a", "q": "x", "question": "x", "reference": "x"}\n',
        "prompt.j2": "{{ q }}",
        "answers.jsonl": '{"id": "a", "output": "x"}\n',
        "judge.j2": (resource("prompts", "judge") / "reference.j2").read_text(),
    }
    for name, text in files.items():
        if name != pipe:
            (tmp_path / name).write_text(text)
    os.mkfifo(tmp_path / pipe)
    done = llmeval("validate", "s.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(message, done.stderr), done.stderr
