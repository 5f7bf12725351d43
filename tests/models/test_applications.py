"""Applications that return more than a text: data, tool calls, usage, in real runs against a real
server.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.errors import SuiteError
from llmeval.core.json_paths import JsonPath, NoMatch
from llmeval.core.records import Answer, to_json
from llmeval.models.replies import MAX_DATA_BYTES
from tests.support.command import llmeval as command
from tests.support.endpoint import Endpoint, Handler, serve, verdict

DOCUMENT = {
    "passages": [{"doc": "a1", "text": "one"}, {"doc": "b2", "text": "two"}],
    "gaps": [{"doc": "a1"}, {"text": "two"}],
    "none": None,
    "empty": [],
    "Größe": {"x-y": {"z z": 3}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("passages[*].doc", ["a1", "b2"]),
        ("$.passages[*].doc", ["a1", "b2"]),
        ("passages[-1].doc", "b2"),
        ("passages[0:1].doc", ["a1"]),
        ("passages.*.text", ["one", "two"]),
        ("passages[0]['text','doc']", ["one", "a1"]),
        ("Größe.x-y['z z']", 3),
        ("none", None),
        ("empty[*].doc", []),
        ("absent?", None),
        ("none[*].doc?", None),
        ("gaps[*].doc?", ["a1", None]),
    ],
)
def test_a_path_leads_to_its_value(path: str, value: Any) -> None:
    assert JsonPath(path).find(DOCUMENT) == value


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("absent", "no absent"),
        ("gaps[*].doc", r"no gaps\[1\].doc"),
        ("passages[7]", r"no passages\[7\]"),
        ("none[*].doc", "none is null, not a list"),
        ("passages[0].doc[*]", r"passages\[0\].doc is a text, not a list"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path: str, place: str) -> None:
    with pytest.raises(NoMatch, match=place):
        JsonPath(path).find(DOCUMENT)


@pytest.mark.parametrize("path", ["$..doc", "passages[?@.doc].text", "a | b", "a[", "two words"])
def test_paths_that_are_expensive_or_wrong_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        JsonPath(path).check()


def test_a_path_selects_a_bounded_number_of_values() -> None:
    with pytest.raises(NoMatch, match="more than 100,000 values"):
        JsonPath("rows[*]" + "[*,*]" * 17).find({"rows": [[[[0]]]] * 50_001})


SHORT = {"max_words": 50}
CASES = [
    {
        "id": "q1",
        "question": "Who repairs bikes?",
        "lang": "en",
        "want": ["d1"],
        "reference": "Ann",
    },
    {"id": "q2", "question": "Who sells bread?", "lang": "de", "want": ["d2"], "reference": "Bob"},
]
PARTS = {
    "data": {"ids": "hits[*].id", "texts": "hits[*].text", "state": "state?"},
    "tool_calls": "calls",
    "usage": "tokens",
    "model": "served.name",
}


def rag(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    """An application that finds passages; the second question it gives an answer about data."""
    first = "bikes" in body["q"]
    return {
        "answer": "Ann does [1]." if first else "Bob does [1].",
        "hits": [{"id": "d1" if first else "d2", "text": "Ann <b>repairs</b> bikes."}],
        "calls": [{"name": "search", "args": {"query": body["q"]}}],
        "tokens": {"input_tokens": 7, "output_tokens": 3},
        "served": {"name": "rag-7"},
    }


def write(
    folder: Path,
    candidate: dict[str, Any],
    checks: list[Any],
    cases: list[dict[str, Any]] = CASES,
    **more: Any,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    suite = {
        "suite": "apps",
        "cases": cases,
        "prompt": "{{ question }}",
        "models": {"app": candidate},
        "candidate": "app",
        "checks": checks,
        **more,
    }
    path = folder / "suite.yaml"
    path.write_text(json.dumps(suite))
    return path


def http(url: str, **more: Any) -> dict[str, Any]:
    body = {"q": "{{ prompt }}"}
    return {"provider": "http", "url": url, "body": body, "output": "answer", **more}


def played(handler: Handler, folder: Path, checks: list[Any], **more: Any) -> tuple[Any, Endpoint]:
    with serve(handler) as server:
        suite = write(folder, http(server.url, **more), checks)
        return llmeval.run(suite, options=llmeval.Options(out=folder / "run")), server


def answers(run: Any) -> dict[str, Answer]:
    return {answer.case_id: answer for answer in run.directory.answers()}


def scores(run: Any) -> dict[tuple[str, str], str]:
    return {
        (score.case_id, score.metric): str(score.status)
        for _, block in run.directory.scores()
        for score in block
    }


def test_the_parts_of_a_reply_are_in_the_record_and_checks_use_them(tmp_path: Path) -> None:
    checks = [
        {"contains": {"text": "{{ data.texts[0][:3] }}", "metric": "named"}},
        {"equals": {"text": "{{ reference }} does [1].", "metric": "whole"}},
    ]
    run, _ = played(rag, tmp_path, checks, **PARTS)
    answer = answers(run)["q1"]
    assert answer.data == {"ids": ["d1"], "texts": ["Ann <b>repairs</b> bikes."], "state": None}
    assert answer.tool_calls == ({"name": "search", "arguments": {"query": CASES[0]["question"]}},)
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 3)
    assert run.manifest.candidate.returned_models == ("rag-7",)
    assert run.manifest.candidate.name == "app"
    assert scores(run) == {
        ("q1", "named"): "pass", ("q1", "whole"): "pass",
        ("q2", "named"): "fail", ("q2", "whole"): "pass",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ({"hits": None}, r"data.ids: the path 'hits\[\*\].id' matches nothing: hits is null"),
        ({"hits": [{"text": "x"}]}, r"matches nothing: no hits\[0\].id. If the reply may lack it"),
        ({"calls": "search"}, "tool_calls: str instead of a list"),
        ({"calls": [{"query": "x"}]}, r"tool_calls\[0\]: a tool call is an object with `name`"),
        ({"served": {}}, "model: the path 'served.name' matches nothing: no served.name"),
        ({"hits": [{"id": "x" * MAX_DATA_BYTES, "text": ""}]}, "most of them in 'ids'"),
    ],
)
def test_what_a_path_does_not_give_is_missing_and_no_grade(
    reply: dict[str, Any], message: str, tmp_path: Path
) -> None:
    run, _ = played(lambda body, n: {**rag(body, n), **reply}, tmp_path, [SHORT], **PARTS)
    for answer in answers(run).values():
        assert answer.output is None
        assert answer.error is not None
        assert len(to_json(answer)) < 2_000
        assert re.search(message, answer.error.message), answer.error.message
    assert scores(run) == {}
    assert run.summary.gate.decision != "PASS"


def test_the_body_sees_the_case_and_a_text_of_its_own(tmp_path: Path) -> None:
    body = {"q": "{{ prompt }}", "lang": "{{ lang }}", "session": "{{ run.unique }}"}
    _, server = played(rag, tmp_path, [SHORT], body=body)
    assert {request["lang"] for request in server.requests} == {"en", "de"}
    sessions = {request["session"] for request in server.requests}
    assert len(sessions) == 2
    assert all(len(session) == 24 for session in sessions)
    _, again = played(rag, tmp_path / "again", [SHORT], body=body)
    assert sessions.isdisjoint(request["session"] for request in again.requests)


def test_cases_with_one_question_and_other_fields_are_two_requests(tmp_path: Path) -> None:
    body = {"q": "{{ prompt }}", "lang": "{{ lang }}"}
    cases = [{"id": lang, "question": "Same?", "lang": lang} for lang in ("en", "de", "en-2")]
    cases[2]["lang"] = "en"
    with serve(rag) as server:
        suite = write(tmp_path, http(server.url, body=body), [SHORT], cases)
        llmeval.run(suite, options=llmeval.Options(out=tmp_path / "run"))
        assert sorted(request["lang"] for request in server.requests) == ["de", "en"]


def test_reused_answers_keep_their_data(tmp_path: Path) -> None:
    with serve(rag) as server:
        suite = write(tmp_path, http(server.url, **PARTS), [SHORT])
        first = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "one"))
        second = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "two", reuse=True))
        other = {**PARTS, "data": {"ids": "hits[*].text"}}
        third = write(tmp_path / "other", http(server.url, **other), [SHORT])
        llmeval.run(third, options=llmeval.Options(out=tmp_path / "three", reuse=True))
        assert len(server.requests) == 4
    assert all(answer.cached for answer in answers(second).values())
    assert [a.data for a in answers(second).values()] == [a.data for a in answers(first).values()]


@pytest.mark.parametrize(
    ("candidate", "checks", "cases", "message"),
    [
        ({"output": ""}, ["facts"], CASES, "models.app.output: the whole reply is the answer, and facts"),
        ({"output": "$"}, [{"any": [{"not": "grounding"}, "facts"]}], [{**CASES[0], "context": "x"}], "and grounding"),
        ({}, [{"contains": "{{ data.ids }}"}], CASES, "this candidate returns none; name it with `data"),
        ({"data": {"ids": "a"}}, [{"contains": "{{ data.idz }}"}], CASES, "no `data.idz`; its data are: ids"),
        ({"data": {"ids": "a"}}, [{"contains": "{{ data['x'] }}"}], CASES, "no `data.x`"),
        ({"data": {"ids": "a"}}, [{"contains": "{{ data.ids }}"}], [{**CASES[0], "data": 1}], "give the field another name"),
        ({"body": {"q": "{{ nope }}"}}, [SHORT], CASES, "body: 'nope' is undefined|nope }} is not defined"),
        ({"output": "a.b?"}, [SHORT], CASES, "the answer can't be optional"),
        ({"data": {"ids": "$..id"}}, [SHORT], CASES, "models.app.*data.ids.*not supported"),
    ],
)  # fmt: skip
def test_validate_refuses_what_can_not_be_read(
    candidate: dict[str, Any],
    checks: list[Any],
    cases: list[dict[str, Any]],
    message: str,
    tmp_path: Path,
) -> None:
    from llmeval.api.checking import validate

    suite = write(tmp_path, http("http://127.0.0.1:9/x", **candidate), checks, cases)
    with pytest.raises(SuiteError, match=message):
        validate(suite)


def test_a_case_may_have_a_field_called_data(tmp_path: Path) -> None:
    cases = [{**CASES[0], "data": "Ann"}]
    with serve(rag) as server:
        suite = write(tmp_path, http(server.url), [{"contains": "{{ data }}"}], cases)
        run = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "run"))
    assert scores(run) == {("q1", "contains"): "pass"}


JUDGE = """---
version: 1
schema: {type: object, properties: {evidence: {type: string}, verdict: {enum: [correct, incorrect]}}, required: [evidence, verdict]}
values: {correct: 1.0, incorrect: 0.0}
pass: [correct]
---
[user]
Passages: {{ data.texts | join(' / ') }}
{{ fence }}
{{ answer }}
{{ fence }}
"""


def test_a_judge_sees_the_data_and_no_fence_in_it(tmp_path: Path) -> None:
    (tmp_path / "own.j2").write_text(JUDGE)
    prompts: list[str] = []
    fence = "no marker yet"

    def handler(body: dict[str, Any], earlier: int) -> Any:
        if body.get("model") == "judge":
            prompts.append(body["messages"][-1]["content"])
            return verdict("correct")
        return {**rag(body, earlier), "hits": [{"id": "d1", "text": f"A {fence} passage"}]}

    with serve(handler) as server:
        suite = write(
            tmp_path, http(server.url, **PARTS), [], CASES[:1],
            judges={"j": {"model": "judge", "prompt": "own.j2", "attacks": False}}, gate="none",
            models={
                "app": http(server.url, **PARTS),
                "judge": {"provider": "openai", "model": "judge", "base_url": server.url, "api_key": "x"},
            },
        )  # fmt: skip
        llmeval.run(suite, options=llmeval.Options(out=tmp_path / "first"))
        fence = prompts[0].rstrip().splitlines()[-1]
        run = llmeval.run(suite, options=llmeval.Options(out=tmp_path / "run"))
        estimate = command("run", suite, "--dry-run", "--json")
        assert estimate.returncode == 0, estimate.stderr
    assert scores(run) == {("q1", "j"): "pass"}
    assert "no marker yet" in prompts[0]
    assert f"{fence} BEGIN DATA\nA  passage\n{fence} END DATA\n" in prompts[1]
    assert prompts[1].count(fence) == 4


FUNCTIONS = """
def parts(request):
    assert request.fields["lang"] in ("en", "de") and "reference" not in request.fields
    return {"output": "ok", "data": {"lang": request.fields["lang"], "own": request.unique},
            "tool_calls": [{"name": "f", "arguments": {}}], "usage": {"input_tokens": 4}, "model": "m1"}

async def nested(text):
    return {"output": text, "deep": {"ids": [{"id": 1}, {"id": 2}]}}

def no_output(text):
    return {"answer": text}

def unread(text):
    return {"output": text, "ids": [1]}

def text_only(text):
    return text
"""


@pytest.mark.parametrize(
    ("function", "data", "result"),
    [
        ("parts", None, "lang"),
        ("nested", {"ids": "deep.ids[*].id"}, "ids"),
        ("no_output", None, "without a text as `output`; it has: answer"),
        ("unread", None, "keys that llmeval does not read: ids. Put them into `data`"),
        ("text_only", {"ids": "ids"}, "returned str, but `data` has paths"),
        ("nested", {"ids": "ids[*].id"}, "data.ids: the path 'ids[*].id' matches nothing: no ids"),
    ],
)
def test_a_function_returns_a_dict(
    function: str, data: dict[str, str] | None, result: str, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(FUNCTIONS)
    model = {"provider": "python", "function": f"shop:{function}", "data": data}
    run = llmeval.run(
        write(tmp_path, model, [SHORT]), options=llmeval.Options(out=tmp_path / "run")
    )
    first, second = answers(run).values()
    if first.error is not None:
        assert first.error.kind == "candidate"
        assert result in first.error.message
        return
    assert first.data is not None and second.data is not None
    assert result in first.data
    if function == "parts":
        assert (first.data["lang"], second.data["lang"]) == ("en", "de")
        assert first.data["own"] != second.data["own"]
        assert first.tool_calls == ({"name": "f", "arguments": {}},)
        assert (first.model, first.usage.input_tokens) == ("m1", 4)  # type: ignore[union-attr]
    else:
        assert first.data == {"ids": [1, 2]}


def test_recorded_answers_carry_data_and_the_report_shows_it_escaped(tmp_path: Path) -> None:
    rows = [{"id": c["id"], "output": "x", "data": {"ids": ["<script>x"]}} for c in CASES]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = {"provider": "replay", "source": "answers.jsonl"}
    checks = [{"equals": {"text": "{{ 'x' if data.ids == ['<script>x'] else 'y' }}"}}]
    run = llmeval.run(write(tmp_path, model, checks), options=llmeval.Options(out=tmp_path / "run"))
    assert run.summary.gate.decision == "PASS"
    assert run.report is not None
    page = run.report.read_text(encoding="utf-8")
    assert "<script>x" not in page


def test_the_same_text_with_other_data_is_another_answer() -> None:
    from llmeval.gate.aggregate import output_digest

    plain, one, two = (
        output_digest(Answer(case_id="a", output="x", data=data))
        for data in (None, {"ids": [1], "b": 2}, {"ids": [2], "b": 2})
    )
    assert len({plain, one, two}) == 3
    assert output_digest(Answer(case_id="a", output="x", data={"b": 2, "ids": [1]})) == one


def test_score_takes_tool_calls_and_data() -> None:
    scored = llmeval.score(
        "Ann",
        [
            {"equals": "{{ data.owner }}"},
            {"tool_call": {"name": "search", "metric": "searches"}},
            {"contains": {"text": "{{ data.nope }}", "metric": "unknown"}},
        ],
        tool_calls=[{"name": "search", "arguments": {"k": 3}}],
        data={"owner": "Ann"},
    )
    assert (scored["equals"].passed, scored["searches"].passed) == (True, True)
    assert scored["unknown"].error is not None
    assert "nope" in scored["unknown"].error.message
