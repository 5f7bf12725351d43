"""Suites that can't fail, or can't run: `validate` and `run` refuse them alike, and no request
reaches the server.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.api import validate
from llmeval.core.errors import LlmevalError, UsageError
from llmeval.runner.options import Options
from llmeval.suite.loader import load_suite
from tests.support.command import llmeval as command
from tests.support.endpoint import Endpoint, reply, serve

ROWS = [
    {"id": "a", "question": "number 1?", "reference": "one", "tags": {"topic": "law"}},
    {"id": "b", "question": "number 2?", "reference": "two"},
    {"id": "c", "question": "number 3?", "context": "three"},
]
BARE = [{"id": row["id"], "question": row["question"]} for row in ROWS]
BASE: dict[str, str] = {
    "cases": "cases.jsonl",
    "prompt": '"{{ question }}"',
    "candidate": "{provider: openai, model: cand, base_url: '$URL', api_key: key-12345}",
    "checks": "[max_words: 60]",
}


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serve(lambda body, earlier: "It is one.") as server:
        yield server


def write(folder: Path, url: str, rows: list[dict[str, Any]] | None = None, **keys: str) -> Path:
    """A suite of `BASE` with some keys changed; `$URL` in a value is the server."""
    (folder / "cases.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in ROWS if rows is None or row) or "\n"
    )
    if rows is not None:
        (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [f"{key}: {value}" for key, value in {**BASE, **keys}.items() if value]
    path = folder / "suite.yaml"
    path.write_text("suite: s\n" + "\n".join(lines).replace("$URL", url) + "\n")
    return path


def refusal(act: Any) -> tuple[int, str]:
    """Exit code and message of what is refused."""
    with pytest.raises(LlmevalError) as caught:
        act()
    return int(caught.value.exit_code), str(caught.value)


JUDGE = "{correctness: {model: {provider: openai, model: judge, base_url: '$URL', api_key: k}, attacks: false%s}}"
REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "no field": ({"prompt": "Say something."}, "prompt: the prompt uses no field of the case"),
    "no field in messages": (
        {
            "prompt": "",
            "messages": "[{role: system, content: Be brief.}, {role: user, content: Go on.}]",
        },
        "messages: the prompt uses no field",
    ),
    "single braces": ({"prompt": '"Answer: {question}"'}, "{question} has single braces"),
    "a name no case has": ({"prompt": '"{{ qestion }}"'}, "'qestion' is undefined"),
    "empty prompt": ({"prompt": '""'}, "the prompt is empty"),
    "blank prompt file": ({"prompt": "blank.txt"}, "the prompt is empty"),
    "a file with another ending": (
        {"prompt": "faq.prompt"},
        "'faq.prompt' is a file, but would be sent as text",
    ),
    "a file that is missing": ({"prompt": "prompts/none.tmpl"}, "looks like the path of a file"),
    "a template file that is missing": ({"prompt": "none.j2"}, "can't read none.j2"),
    "an undefined name in a check": (
        {"checks": "[contains: '{{ refernce }}']"},
        "checks[0]: contains: {{ refernce }} is not defined",
    ),
    "an undefined name of one case": (
        {"checks": "[contains: '{{ reference }}']"},
        "cases.jsonl:3)",
    ),
    "an argument that is no number": (
        {"checks": "[max_words: '{{ question }}']"},
        "max_words: max:",
    ),
    "a check that applies nowhere": (
        {"checks": "[max_words: 60, quotes_verbatim]", "rows": "bare"},
        "applies to no case",
    ),
    "nothing to score": (
        {"checks": "[facts]", "rows": "bare"},
        "checks: nothing to score: no check or judge applies",
    ),
    "a judge without references": (
        {"judges": JUDGE % "", "rows": "bare"},
        "judges.correctness: correctness applies to no",
    ),
    "the metric of whole cases": (
        {"checks": "[max_words: {max: 60, metric: cases}]"},
        "no check may be named 'cases'",
    ),
    "a judge of that name": (
        {"judges": JUDGE.replace("correctness", "cases") % ""},
        "no judge may be named 'cases'",
    ),
    "a metric nobody gives": ({"gate": "{floors: {max_word: 0.5}}"}, "gives the metric 'max_word'"),
    "a slice that is not": (
        {"gate": "{floors: {'max_words @ topic=lwa': 0.5}}"},
        "no case has topic=lwa; did you mean 'law'",
    ),
    "a tag that is not": (
        {"gate": "{floors: {'cases @ topc=law': 0.5}}"},
        "no case has the tag 'topc'; did you mean 'topic'",
    ),
    "a metric that is not in its slice": (
        {
            "checks": "[max_words: 60, grounding]",
            "gate": "{floors: {'grounding @ topic=law': 0.5}}",
        },
        "grounding applies to no case of this slice",
    ),
    "whole cases in margins": (
        {"gate": "{regression: {baseline: b.json, margins: {cases: 0.05}}}"},
        "'cases' is a metric of floors only",
    ),
    "a floor of nothing": ({"gate": "{floors: {max_words: 0}}"}, "a floor of 0 can't fail"),
    "an id that is not": (
        {"gate": "{must_pass: [a, bb]}"},
        "gate.must_pass: there is no case 'bb'; did you mean 'b'",
    ),
    "no id": ({"gate": "{must_pass: []}"}, "`must_pass` is `all`, a list of case ids, or one tag"),
    "a gate that is no gate": ({"gate": "off"}, "`gate` must be a mapping of rules, or `none`"),
    "the candidate as judge": (
        {"judges": JUDGE.replace("judge, ", "cand, ") % ""},
        "the judge is the candidate itself",
    ),
    "a bad address": (
        {"candidate": "{provider: openai, model: m, base_url: 'ftp//x', api_key: k}"},
        "not an http(s) address",
    ),
    "a function that is not": (
        {"candidate": "{provider: python, function: 'nowhere_at_all:f'}"},
        "can't import nowhere_at_all",
    ),
    "a check that is not": ({"checks": "['nowhere_at_all:f']"}, "can't import nowhere_at_all"),
    "recorded answers that are missing": (
        {"candidate": "{provider: replay, source: none.jsonl}"},
        "none.jsonl",
    ),
    "weights that are missing": (
        {"candidate": "{provider: transformers, model: ./weights}"},
        "no model folder ./weights",
    ),
    "a variable that is not set": (
        {"candidate": "{provider: openai, model: m, base_url: '${LLMEVAL_NOT_SET}', api_key: k}"},
        "LLMEVAL_NOT_SET is not set",
    ),
    "a certificate that is missing": (
        {"judges": JUDGE % ", certificate: none.json"},
        "there is no certificate",
    ),
    "a certificate that is none": (
        {"judges": JUDGE % ", certificate: broken.json"},
        "can't be read as a judge's certificate",
    ),
    "a baseline that is none": (
        {"gate": "{regression: {baseline: broken.json, margins: {max_words: 0.05}}}"},
        "broken.json",
    ),
    "a quarantine that is missing": ({"gate": "{quarantine: none.yaml}"}, "can't read none.yaml"),
    "a quarantined case that is not": ({"gate": "{quarantine: aside.yaml}"}, "s has no case 'zz'"),
    "cases that are missing": ({"cases": "none.jsonl"}, "none.jsonl"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_validate_and_run_refuse_alike(tmp_path: Path, endpoint: Endpoint, name: str) -> None:
    keys, told = dict(REFUSED[name][0]), REFUSED[name][1]
    (tmp_path / "blank.txt").write_text("\n\n")
    (tmp_path / "faq.prompt").write_text("{{ question }}")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "aside.yaml").write_text(
        "- {case: zz, reason: flaky, owner: ada, expires: 2999-01-01}\n"
    )
    rows = BARE if keys.pop("rows", "") else ROWS
    if "facts" not in str(keys) and "reference" not in str(keys) and rows is ROWS:
        rows = [{**row, "reference": "one"} for row in ROWS]
    suite = write(tmp_path, endpoint.url, rows, **keys)
    checked = refusal(lambda: validate(suite))
    ran = refusal(lambda: llmeval.run(suite, options=Options(out=tmp_path / "run")))
    assert checked == ran
    assert checked[0] == 2 and told in checked[1], checked[1]
    assert not endpoint.requests and not (tmp_path / "run" / "answers.jsonl").exists()


@pytest.mark.parametrize(
    ("rows", "keys", "told"),
    [
        (
            ROWS,
            {"checks": "[max_words: 60, facts]"},
            "facts does not apply to 1 of 3 cases, first c (cases.jsonl:3)",
        ),
        (
            ROWS,
            {"checks": "[max_words: 60, grounding]"},
            "grounding does not apply to 2 of 3 cases, first a",
        ),
        (ROWS, {"checks": "[facts]"}, "no check or judge applies to 1 of 3 cases, first c"),
        (
            ROWS,
            {"prompt": '"{{ id }}: {question}"'},
            "{question} has single braces, so it is sent literally",
        ),
    ],
)
def test_what_concerns_some_cases_is_a_warning_everywhere(
    tmp_path: Path, endpoint: Endpoint, rows: list[dict[str, Any]], keys: dict[str, str], told: str
) -> None:
    suite = write(tmp_path, endpoint.url, rows, gate="none", **keys)
    (line,) = (
        line
        for line in validate(suite)["warnings"]
        if told in line.replace(str(tmp_path) + "/", "")
    )
    heard: list[str] = []
    done = llmeval.api.run(suite, options=Options(out=tmp_path / "run"), warn=heard.append)
    assert line in heard and done.report is not None
    plain = (tmp_path / "run" / "summary.md").read_text().replace("`", "")
    shown = told.partition(", first")[0].replace("`", "")
    assert shown in plain and shown.replace("'", "&#39;") in done.report.read_text()


@pytest.mark.parametrize(
    ("rows", "keys"),
    [
        (ROWS[:1], {"prompt": "Say one."}),  # one case may have a prompt of its own
        (
            ROWS,
            {"prompt": '"{{ question }} Answer as {\\"answer\\": text}, {topic}"'},
        ),  # braces that are no field's
        (
            [{**row, "messages": [{"role": "user", "content": "Hi"}]} for row in ROWS],
            {"prompt": ""},
        ),
        (ROWS, {"checks": "[contains: \"{{ reference | default('one') }}\"]"}),
        (ROWS, {"prompt": '"{{ question }} Is it yes/no? See a.b"'}),
        ([{**row, "checks": [{"contains": "{{ question }}"}]} for row in ROWS], {"checks": ""}),
    ],
)
def test_what_is_meant_is_not_refused(
    tmp_path: Path, endpoint: Endpoint, rows: list[dict[str, Any]], keys: dict[str, str]
) -> None:
    assert validate(write(tmp_path, endpoint.url, rows, **keys))["warnings"] == []
    assert not endpoint.requests


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({}, "--max-cost needs a price for cand"),
        (
            {
                "candidate": BASE["candidate"][:-1] + ", price: {input: 1, output: 1}}",
                "judges": JUDGE % "",
            },
            "for judge",
        ),
    ],
)
def test_a_cap_on_cost_needs_prices(
    tmp_path: Path, endpoint: Endpoint, keys: dict[str, str], told: str
) -> None:
    rows = [{**row, "reference": "one"} for row in ROWS]
    suite = write(tmp_path, endpoint.url, rows, **keys)
    with pytest.raises(UsageError, match=told):
        llmeval.run(suite, options=Options(out=tmp_path / "run", max_cost=0.01))
    assert not endpoint.requests


def test_a_reply_of_unknown_cost_is_the_last(tmp_path: Path) -> None:
    rows = [{"id": str(i), "question": f"number {i}?"} for i in range(40)]
    priced = BASE["candidate"][:-1] + ", price: {input: 1, output: 1}}"
    with serve(lambda body, earlier: reply("It is one.", usage=None)) as endpoint:
        suite = write(tmp_path, endpoint.url, rows, candidate=priced)
        options = Options(out=tmp_path / "run", max_cost=100, use_cache=False)
        done = llmeval.run(suite, options=options)
        assert len(endpoint.requests) == 1
    assert (done.decision, done.summary.gate.exit_code) == ("INVALID", 3)
    assert "came without its usage" in done.reason
    free = priced.replace("input: 1, output: 1", "input: 0, output: 0")
    with serve(lambda body, earlier: reply("It is one.", usage=None)) as endpoint:
        done = llmeval.run(
            write(tmp_path, endpoint.url, rows, candidate=free),
            options=Options(out=tmp_path / "free", max_cost=100, use_cache=False),
        )
        assert (done.decision, len(endpoint.requests)) == ("PASS", 40)


def test_the_command_says_so_too(tmp_path: Path, endpoint: Endpoint) -> None:
    wrong = [*ROWS[:2], {**ROWS[2], "reference": "three"}]
    suite = write(tmp_path, endpoint.url, wrong, checks="[contains: '{{ reference }}']")
    failed = command("run", suite, "--out", tmp_path / "failed")
    assert (
        failed.returncode == 1 and "2 of 3 cases fail: b (contains), c (contains)." in failed.stdout
    )
    suite = write(
        tmp_path, endpoint.url, wrong, checks="[contains: '{{ reference }}']", gate="none"
    )
    measured = command("run", suite, "--out", tmp_path / "measured")
    assert measured.returncode == 0 and "no gate: nothing was decided" in measured.stdout
    for name in ("summary.md", "summary.json", "junit.xml", "report.html"):
        text = (tmp_path / "measured" / name).read_text()
        assert "no gate: nothing was decided" in text, name
    refused = command("validate", write(tmp_path, endpoint.url, wrong, prompt='"{question}"'))
    assert (
        refused.returncode == 2
        and "suite.yaml:3: prompt: {question} has single braces" in refused.stderr
    )


def test_a_gate_that_only_measures_survives_an_environment(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    suite = write(tmp_path, endpoint.url, gate="none", environments="{twice: {repeats: 2}}")
    assert not load_suite(suite, "twice").spec.gate.decides


@pytest.mark.parametrize(
    ("wanted", "told"), [("[c]", None), ("[cc]", "there is no case 'cc'"), ("{topic: law}", None)]
)
def test_a_sample_may_leave_out_what_a_rule_names(
    tmp_path: Path, endpoint: Endpoint, wanted: str, told: str | None
) -> None:
    cases = "{source: cases.jsonl, sample: {n: 1, seed: 2}}"
    suite = write(
        tmp_path,
        endpoint.url,
        [*BARE, {**ROWS[0], "id": "d"}],
        cases=cases,
        gate=f"{{must_pass: {wanted}}}",
    )
    if told is None:
        assert validate(suite)["cases"] == 1
    else:
        assert told in refusal(lambda: validate(suite))[1]


@pytest.mark.parametrize(
    ("gate", "must_pass"),
    [
        ("", "all"),
        ("{}", "all"),
        ("null", "all"),
        ("{alpha: 0.1, max_unscored: 0.1}", "all"),
        ("{floors: {}}", "all"),
        ("{must_pass: [7, a]}", ["7", "a"]),
        ("{must_pass: {tier: 1}}", {"tier": "1"}),
        ("{floors: {max_words: 0.5}}", None),
        ("none", None),
    ],
)
def test_a_gate_without_a_rule_is_that_every_case_passes(
    tmp_path: Path, gate: str, must_pass: Any
) -> None:
    found = load_suite(write(tmp_path, "http://127.0.0.1:9/v1", gate=gate)).spec.gate
    assert found.must_pass == must_pass
    assert found.decides is (gate != "none")
