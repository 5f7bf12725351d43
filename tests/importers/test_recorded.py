"""Results of DeepEval, Inspect and lm-evaluation-harness, in the forms they document: answers and
scores come through.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from llmeval.api import Run, run
from llmeval.cli.import_command import deepeval, inspect_log, lm_eval
from llmeval.core.errors import SuiteError, UsageError
from llmeval.core.records import Status
from llmeval.history.projection import project
from llmeval.runner.options import Options
from llmeval.suite.loader import load_suite


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def scores(path: str) -> dict[tuple[str, int, str], Any]:
    """By case, repeat and metric: the value, or the status of what has none."""
    return {
        (score.case_id, score.repeat, score.metric): score.status
        if score.value is None
        else score.value
        for unit in Run(path).directory.units()
        for score in unit.scores
    }


def metric(
    name: str, score: float | None, success: bool | None, threshold: float = 0.5, **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "score": score,
        "success": success,
        "threshold": threshold,
        "reason": "so",
        **more,
    }


def case(name: str, output: str | None, *metrics: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "input": f"ask {name}",
        "actualOutput": output,
        "metricsData": list(metrics),
        **more,
    }


def test_deepeval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [
        case("test_a", "one", metric("Correctness [GEval]", 0.8, True), metric("Hallucination", 0.25, True), expectedOutput="1"),
        case("test_a", "uno", metric("Correctness [GEval]", 0.3, False), metric("Hallucination", 0.75, False)),
        case("test_b", "two", metric("Correctness [GEval]", None, None, error="no JSON"), retrievalContext=["x", "y"]),
        case("test_b", None),
    ]  # fmt: skip
    (tmp_path / "run.json").write_text(
        json.dumps({"testRunData": {"testFile": "test_bot.py", "testCases": cases}})
    )
    assert (
        deepeval(tmp_path / "run.json", tmp_path / "s", reports=tmp_path / "r", as_json=True) == 0
    )
    done = told(capsys)
    assert done["suites"] == [str(tmp_path / "s" / "test-bot.yaml")]
    assert load_suite(done["suites"][0]).spec.gate.must_pass == "all", (
        "DeepEval fails when one test fails"
    )
    (path,) = done["runs"].values()
    assert scores(path) == {
        ("test-a", 0, "Correctness [GEval]"): 0.8, ("test-a", 0, "Hallucination"): 0.75,
        ("test-a", 1, "Correctness [GEval]"): 0.3, ("test-a", 1, "Hallucination"): 0.25,
        ("test-b", 0, "Correctness [GEval]"): Status.ERROR,
    }, "the lower, the better is turned round; an error of the tool is no grade"  # fmt: skip
    known = {each.id: each for each in Run(path).directory.cases()}
    assert known["test-a"].references == ("1",)
    assert known["test-b"].context == "x\n\ny"
    assert Run(path).summary.counts.errors == 1
    assert any("missing there" in note for note in done["notes"])
    assert any("the lower it is" in note for note in done["notes"])


SAMPLES = [
    {
        "id": "a/1", "epoch": epoch, "input": "Capital of Japan?", "target": ["Tokyo", "Tōkyō"], "metadata": {"area": "asia"},
        "output": {"model": "m", "choices": [{"message": {"role": "assistant", "content": text}, "stop_reason": "stop"}]},
        "scores": {"match": {"value": letter, "explanation": "as said"}, "grader": {"value": {"style": share, "tone": 1}}},
    }
    for epoch, text, letter, share in ((1, "Tokyo", "C", 0.5), (2, "Kyoto", "I", 0.25))
] + [
    {
        "id": 2, "epoch": 1, "target": "x", "attachments": {"abc": "a long question"},
        "input": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "attachment://abc"}],
        "output": {"choices": [{"message": {"content": [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "y"}]}}]},
        "scores": {"match": {"value": "P"}},
    },
    {"id": 2, "epoch": 2, "input": "", "target": "x", "error": {"message": "broke"}},
]  # fmt: skip
HEADER = {"version": 2, "status": "error", "eval": {"task": "pkg/Capitals", "model": "openai/m"}}


@pytest.mark.parametrize("form", ["json", "eval"])
def test_inspect(tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    log = tmp_path / f"log.{form}"
    if form == "json":
        log.write_text(json.dumps({**HEADER, "samples": SAMPLES}))
    else:
        with zipfile.ZipFile(log, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("header.json", json.dumps(HEADER))
            for sample in SAMPLES:
                archive.writestr(
                    f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample)
                )
    assert inspect_log(log, tmp_path / "s", reports=tmp_path / "r", as_json=True) == 0
    done = told(capsys)
    assert not load_suite(done["suites"][0]).spec.gate.decides, "Inspect only measures"
    (path,) = done["runs"].values()
    assert scores(path) == {
        ("a-1", 0, "match"): 1, ("a-1", 0, "grader/style"): 0.5, ("a-1", 0, "grader/tone"): 1,
        ("a-1", 1, "match"): 0, ("a-1", 1, "grader/style"): 0.25, ("a-1", 1, "grader/tone"): 1,
        ("2", 0, "match"): 0.5,
    }  # fmt: skip
    known = {each.id: each for each in Run(path).directory.cases()}
    assert known["a-1"].references == ("Tokyo", "Tōkyō")
    assert known["a-1"].tags == {"area": "asia"}
    assert [turn.content for turn in known["2"].messages] == ["Be kind.", "a long question"]
    assert {answer.text for answer in Run(path).directory.answers()} == {"Tokyo", "Kyoto", "y", ""}
    assert any("ended as 'error'" in note for note in done["notes"])
    row = project(Path(path), tmp_path / "r").run
    assert row.kind == "imported", "the history says that the answers are from elsewhere"


def zipped(path: Path, members: dict[str, object]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in members.items():
            archive.writestr(name, json.dumps(value))
    return path


def test_an_inspect_log_that_did_not_end_gives_its_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = {"version": 2, "eval": HEADER["eval"], "plan": {"steps": []}}
    folder = tmp_path / "logs"
    folder.mkdir()
    members = {"_journal/start.json": start, "samples/a_epoch_1.json": SAMPLES[0]}
    zipped(folder / "log.eval", members)
    (folder / "logs.json").write_text('{"log.eval": {"status": "started"}}')
    assert inspect_log(folder, tmp_path / "s", reports=tmp_path / "r", as_json=True) == 0
    assert any("ended as 'started'" in note for note in told(capsys)["notes"])


@pytest.mark.parametrize(
    ("name", "members", "words"),
    [
        ("logs.json", {}, "lists the logs of its folder"),
        ("log.json", {**HEADER, "samples": None}, "has no samples"),
        ("log.eval", {"header.json": HEADER, "summaries.json": []}, "has no samples"),
        ("log.eval", None, "was not written to its end"),
    ],
)
def test_an_inspect_file_without_samples_says_which_file_has_them(
    tmp_path: Path, name: str, members: dict[str, object] | None, words: str
) -> None:
    log = tmp_path / name
    if members is None:
        whole = zipped(tmp_path / "w.eval", {"header.json": HEADER, "samples/a.json": SAMPLES[0]})
        log.write_bytes(whole.read_bytes()[:200])
    elif name.endswith(".json"):
        log.write_text(json.dumps(members))
    else:
        zipped(log, members)
    with pytest.raises(SuiteError, match=words):
        inspect_log(log, tmp_path / "s")


def test_the_hidden_folder_of_deepeval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / ".deepeval"
    folder.mkdir()
    with pytest.raises(SuiteError, match="there is no test run in this folder"):
        deepeval(folder, tmp_path / "s")
    (folder / ".latest_test_run.json").write_text('{"testRunLink": "https://example.org/x"}')
    with pytest.raises(SuiteError, match="only a link to Confident AI"):
        deepeval(folder, tmp_path / "s")
    case = {"name": "one", "input": "q", "actualOutput": "a", "metricsData": []}
    (folder / ".latest_run_full.json").write_text(json.dumps({"testCases": [case]}))
    assert deepeval(folder, tmp_path / "s", reports=tmp_path / "r", as_json=True) == 0


def sample(doc: int, **more: Any) -> dict[str, Any]:
    return {
        "doc_id": doc, "doc": {}, "target": "4", "arguments": {"gen_args_0": {"arg_0": "2+2?", "arg_1": {}}},
        "resps": [["four"]], "filtered_resps": ["four"], "filter": "none", "metrics": ["exact_match"], "exact_match": 1.0, **more,
    }  # fmt: skip


def lines(*samples: dict[str, Any]) -> str:
    return "".join(json.dumps(each) + "\n" for each in samples)


def test_lm_eval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "out" / "model"
    folder.mkdir(parents=True)
    date = "2026-01-02T03-04-05.678"
    chat = json.dumps(
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "3+3?"}]
    )
    (folder / "samples_sums_2025-01-01T00-00-00.0.jsonl").write_text(lines(sample(9)))
    (folder / f"results_{date}.json").write_text(json.dumps({"model_name": "small", "config": {}}))
    (folder / f"samples_sums_{date}.jsonl").write_text(
        lines(
            sample(0, filter="strict"),
            sample(
                1,
                filter="strict",
                exact_match=0.0,
                arguments={"gen_args_0": {"arg_0": [chat], "arg_1": {}}},
            ),
            sample(
                0,
                filter="loose",
                exact_match=0.5,
                metrics=["exact_match", "perplexity"],
                perplexity=31.0,
            ),
        )
    )
    choice = {
        "gen_args_0": {"arg_0": "Q:", "arg_1": " no"},
        "gen_args_1": {"arg_0": "Q:", "arg_1": " yes"},
    }
    (folder / f"samples_choice_{date}.jsonl").write_text(
        lines(sample(0, arguments=choice, resps=[[["-2.5", "False"]], [["-0.5", "True"]]], target="1", metrics=["acc"], acc=1))
    )  # fmt: skip
    assert (
        lm_eval(tmp_path / "out", tmp_path / "s", "lm", reports=tmp_path / "r", as_json=True) == 0
    )
    done = told(capsys)
    by_name = {Path(suite).stem: scores(path) for suite, path in done["runs"].items()}
    assert by_name["lm-sums"] == {
        ("0", 0, "exact_match,strict"): 1, ("0", 0, "exact_match,loose"): 0.5, ("1", 0, "exact_match,strict"): 0,
    }, "the newest file of a task"  # fmt: skip
    assert by_name["lm-choice"] == {("0", 0, "acc"): 1}
    suites = {Path(suite).stem: path for suite, path in done["runs"].items()}
    (chosen,) = Run(suites["lm-choice"]).directory.units()
    assert (chosen.answer.output, chosen.case.references) == ("yes", ("yes",))
    assert [[turn.content for turn in each.messages] for each in Run(suites["lm-sums"]).directory.cases()] == [
        ["2+2?"], ["Be brief.", "3+3?"],
    ]  # fmt: skip
    assert Run(suites["lm-sums"]).manifest.description == "Answers of small."


def test_a_score_is_bound_to_its_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "samples.jsonl").write_text(lines(sample(0), sample(1)))
    lm_eval(tmp_path / "samples.jsonl", tmp_path / "s", "sums", replay=False, as_json=True)
    assert told(capsys)["runs"] == {}
    answers = tmp_path / "s" / "data" / "sums.answers.jsonl"
    answers.write_text(answers.read_text().replace("four", "five", 1))
    done = run(load_suite(tmp_path / "s" / "sums.yaml"), options=Options(out=tmp_path / "run"))
    assert (done.summary.counts.passed, done.summary.counts.errors) == (1, 1), (
        "another answer was never scored"
    )


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (deepeval, '{"a": 1}', "it has no `testCases`"),
        (deepeval, '{"testCases": []}', "has no answer"),
        (deepeval, '{"testRunLink": "https://x"}', "only a link to Confident AI"),
        (lm_eval, '{"results": {}}', "has the numbers of whole tasks, and no answer"),
        (deepeval, '{"testCases": [], "conversationalTestCases": [1]}', "conversationalTestCases: 1 conversations"),
        (deepeval, "{", "not valid JSON"),
        (inspect_log, '{"version": 2}', "it has no `eval.task`"),
        (inspect_log, "PK", "not a log of Inspect"),
        (lm_eval, '{"a": 1}', ":1: not a sample of lm_eval"),
        (lm_eval, lines(sample(0, arguments={"gen_args_0": {"arg_0": "x"}}, resps=[["-3.0"]])), ":1: holds likelihoods"),
        (lm_eval, lines(sample(0, arguments={"gen_args_0": {"arg_0": "x", "arg_1": " y"}}, resps=[[["-3.0", "True"]]])), ":1: holds likelihoods"),
    ],
)  # fmt: skip
def test_what_is_something_else_is_refused(tmp_path: Path, read: Any, text: str, said: str) -> None:
    (tmp_path / "file.json").write_text(text)
    with pytest.raises(SuiteError) as refused:
        read(tmp_path / "file.json", tmp_path / "s")
    assert said in str(refused.value)
    assert not (tmp_path / "s").exists()
    with pytest.raises(UsageError, match="no such file"):
        read(tmp_path / "none", tmp_path / "s")


def test_answers_without_scores_are_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = {
        "doc_id": 0, "target": "b", "arguments": {"gen_args_0": {"arg_0": "ask", "arg_1": {}}},
        "resps": [["an answer"]], "filter": "none", "metrics": ["f1"], "f1": ["b", [""]],
    }  # fmt: skip
    samples = tmp_path / "samples_ner_2026-01-16T10-00-00.jsonl"
    samples.write_text(json.dumps(sample) + "\n")
    assert lm_eval(samples, tmp_path / "out", reports=tmp_path / "runs", as_json=True) == 0
    printed = told(capsys)
    assert any("no score that can be taken over" in note for note in printed["notes"])
    (path,) = printed["runs"].values()
    assert scores(path) == {("0", 0, "min_words"): 1.0}
