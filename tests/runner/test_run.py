"""A run, end to end, against a real server: counts, records, resume, faults, budgets, secrets."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.errors import NothingEvaluated, StoreError, SuiteError, UsageError
from llmeval.core.records import Status
from llmeval.core.results import Decision
from llmeval.runner.options import Options
from llmeval.runner.plan import plan
from llmeval.store.writer import RunWriter
from llmeval.suite.loader import load_suite
from tests.support.endpoint import Handler, reply, serve, verdict
from tests.support.rundirs import seal
from tests.support.suites import answer, write_suite


def run(suite: Path, out: Path | None = None, **options: Any) -> llmeval.Run:
    return llmeval.run(suite, options=Options(out=out, reports=suite.parent / "reports", **options))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_counts_what_happened(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        done = run(write_suite(tmp_path, endpoint.url, 20), tmp_path / "out")
    counts = done.summary.counts
    assert (counts.cases, counts.passed, counts.failed, counts.unscored, counts.errors) == (
        20,
        16,
        4,
        0,
        0,
    )
    assert (endpoint.count("cand"), endpoint.count("judge")) == (20, 20)
    calls = done.summary.calls
    assert (
        calls["candidate"].made,
        calls["judge:correctness"].made,
        calls["candidate"].cached,
    ) == (20, 20, 0)
    assert {m.metric: m.passed for m in done.summary.metrics} == {"contains": 16, "correctness": 16}
    for name in ("manifest.json", "summary.json", "report.html", "junit.xml", "summary.md"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    manifest = done.manifest
    assert manifest.status == "complete"
    assert manifest.candidate.returned_models == ("served-model",)
    assert manifest.candidate.fingerprints == ("fp_1",)
    assert manifest.judges["correctness"].trust == "UNTRUSTED"


def test_frames(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        done = run(write_suite(tmp_path, endpoint.url, 5))
    loaded = llmeval.load_run(done.path)
    assert (
        list(loaded.answers["case_id"]) == [f"c{i:04d}" for i in range(5)]
        or len(loaded.answers) == 5
    )
    assert loaded.scores.groupby("metric").size().to_dict() == {"contains": 5, "correctness": 5}
    assert set(loaded.cases.columns) >= {"case_id", "question", "references"}
    assert loaded.metrics.loc[loaded.metrics["metric"] == "contains", "passed"].item() == 4


def test_a_second_run_asks_the_candidate_and_no_judge(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 10)
        first = run(suite)
        second = run(suite)
        assert (endpoint.count("cand"), endpoint.count("judge")) == (20, 10)
        assert second.summary.metrics == first.summary.metrics
        assert second.summary.calls["candidate"].cached == 0
        assert second.summary.calls["judge:correctness"].cached == 10
        third = run(suite, use_cache=False)
        assert (endpoint.count("cand"), endpoint.count("judge")) == (30, 20)
        assert third.summary.calls["judge:correctness"].cached == 0


def test_the_same_command_again_goes_on(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 10)
        done = run(suite, tmp_path / "out", use_cache=False, max_calls=9)
        assert (done.summary.status, done.decision, done.summary.gate.exit_code) == (
            "incomplete",
            Decision.INVALID,
            3,
        )
        assert "--max-calls 9" in done.reason
        assert len(endpoint.requests) == 9
        done = run(suite, tmp_path / "out", use_cache=False)
        assert done.summary.status == "complete"
        assert done.summary.counts.cases == 10
        assert max(endpoint.seen.values()) == 1
        assert len(endpoint.requests) == 20


@pytest.mark.parametrize(
    ("budget", "told"),
    [({"max_cost": 0.0001}, "--max-cost 0.0001"), ({"max_minutes": 1e-9}, "--max-minutes")],
)
def test_a_run_stops_at_its_cost_or_time_and_goes_on(
    tmp_path: Path, budget: dict[str, float], told: str
) -> None:
    with serve(answer) as endpoint:
        # 15 tokens a call
        prices = "prices: {cand: {input: 1, output: 1}, judge: {input: 1, output: 1}}\n"
        suite = write_suite(tmp_path, endpoint.url, 40, extra=prices)
        part = run(suite, tmp_path / "out", use_cache=False, concurrency=2, **budget)
        assert told in part.reason
        assert part.summary.gate.exit_code == 3
        assert len(endpoint.requests) < 20
        done = run(suite, tmp_path / "out", use_cache=False, concurrency=2)
        assert (done.summary.counts.cases, done.summary.status) == (40, "complete")
        assert len(endpoint.requests) <= 82, "no recorded answer is asked for again"


def test_another_suite_may_not_go_on_there(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 3)
        run(suite, tmp_path / "out")
        suite.write_text(suite.read_text().replace("{{ question }}", "Please: {{ question }}"))
        with pytest.raises(UsageError, match="differs in: prompt"):
            run(suite, tmp_path / "out")


def test_a_torn_last_line_is_cut_off(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 6)
        first = run(suite, tmp_path / "out", use_cache=False)
        seal(tmp_path / "out", status="running")
        for name in ("answers.jsonl", "scores.jsonl", "cases.jsonl"):
            path = tmp_path / "out" / name
            path.write_bytes(path.read_bytes()[:-7])
        again = run(suite, tmp_path / "out", use_cache=False)
        assert len(endpoint.requests) <= 12 + 3
    assert again.summary.metrics == first.summary.metrics
    assert Counter(line["case_id"] for line in lines(tmp_path / "out" / "answers.jsonl")) == {
        f"c{i:04d}": 1 for i in range(6)
    }


def test_two_processes_may_not_write_one_run(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "out")
    with serve(answer) as endpoint, pytest.raises(StoreError, match="another llmeval is writing"):
        run(write_suite(tmp_path, endpoint.url, 3), tmp_path / "out")
    assert not endpoint.requests
    writer.close()


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_an_unusable_directory_is_told_before_the_first_call(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    with serve(answer) as endpoint, pytest.raises(StoreError, match="--out"):
        run(write_suite(tmp_path, endpoint.url, 3), tmp_path / place)
    assert not endpoint.requests


def faulty(body: dict[str, Any], earlier: int) -> Any:
    """Every kind of trouble once, for some request or other."""
    number = sum(map(ord, body["messages"][-1]["content"])) % 11
    if earlier == 0:
        if number == 1:
            return 500, {"error": {"message": "boom"}}, {}
        if number == 2:
            return 429, {"error": {"message": "slow"}}, {"Retry-After": "0.01"}
        if number == 3:
            return "reset"
        if number == 4:
            return 200, b'{"choices": [{"mess', {}
        if number == 5 and body["model"] == "judge":
            return "The answer looks fine to me."
    return answer({**body, "messages": body["messages"][:2]})  # a second try quotes the first


def test_faults_lose_nothing(tmp_path: Path) -> None:
    with serve(faulty) as endpoint:
        done = run(write_suite(tmp_path, endpoint.url, 60), use_cache=False)
        counts = done.summary.counts
        assert (counts.cases, counts.passed, counts.failed, counts.unscored, counts.errors) == (
            60,
            48,
            12,
            0,
            0,
        )
        assert set(endpoint.statuses) >= {200, 500, 429}
    calls = done.summary.calls
    assert calls["candidate"].made + calls["judge:correctness"].made == len(endpoint.requests)
    assert calls["candidate"].retried > 0


def refusing(model: str, status: int = 400) -> Handler:
    def handler(body: dict[str, Any], earlier: int) -> Any:
        if body["model"] == model and "number 3?" in body["messages"][-1]["content"]:
            return status, {"error": {"message": "cannot do 3"}}, {}
        return answer(body)

    return handler


def test_a_lost_answer_is_an_error_not_a_grade(tmp_path: Path) -> None:
    with serve(refusing("cand")) as endpoint:
        done = run(write_suite(tmp_path, endpoint.url, 10))
    assert (done.summary.counts.errors, done.summary.counts.passed) == (1, 7)
    assert done.summary.metrics[0].n == 9
    assert done.summary.metrics[0].errors == 1
    (lost,) = [a for a in done.directory.answers() if a.error is not None]
    assert (lost.case_id, lost.error and lost.error.kind) == ("c0003", "provider")
    assert done.decision is Decision.INVALID  # 10% lost, 2% may be
    assert done.summary.gate.exit_code == 3


def test_a_lost_verdict_is_unscored_not_a_grade(tmp_path: Path) -> None:
    with serve(refusing("judge")) as endpoint:
        done = run(
            write_suite(
                tmp_path, endpoint.url, 10, "gate: {floors: {contains: 0.3}, max_unscored: 0.2}\n"
            )
        )
    assert (done.summary.counts.unscored, done.summary.counts.failed) == (1, 2)
    judged = next(m for m in done.summary.metrics if m.metric == "correctness")
    assert (judged.n, judged.unscored) == (9, 1)
    assert done.summary.gate.exit_code == 0


def test_lost_answers_are_asked_again_on_resume(tmp_path: Path) -> None:
    with serve(refusing("cand")) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 10)
        run(suite, tmp_path / "out")
        endpoint.handler = answer
        before = len(endpoint.requests)
        done = run(suite, tmp_path / "out")
        assert len(endpoint.requests) == before + 2
    assert (done.summary.counts.errors, done.summary.counts.cases) == (0, 10)


def test_a_dead_endpoint_ends_the_run(tmp_path: Path) -> None:
    def dying(body: dict[str, Any], earlier: int) -> Any:
        return (
            answer(body)
            if len(endpoint.requests) < 30
            else (401, {"error": {"message": "gone"}}, {})
        )

    with serve(dying) as endpoint:
        done = run(
            write_suite(tmp_path, endpoint.url, 2000),
            tmp_path / "out",
            use_cache=False,
            concurrency=4,
        )
        assert len(endpoint.requests) < 100
    assert (done.summary.status, done.summary.gate.exit_code) == ("incomplete", 3)
    assert "in a row have no result" in done.reason


def test_repeats_are_reduced_within_the_case(tmp_path: Path) -> None:
    def flaky(body: dict[str, Any], earlier: int) -> Any:
        return "It is value-1." if earlier % 2 == 0 else "No idea."

    with serve(flaky) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 2, "repeats: 4\n", judge=False)
        done = run(suite)
        assert endpoint.count("cand") == 8
    metric = done.summary.metrics[0]
    assert (metric.n, metric.passed, metric.mean) == (2, 0, 0.25)
    assert len(done.answers) == 8


def test_a_check_that_crashes_is_an_error(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 4, judge=False)
        suite.write_text(
            suite.read_text().replace(
                '  - contains: "{{ reference }}"', "  - tests.support.own:crash"
            )
        )
        done = run(suite)
    assert (done.summary.counts.errors, done.summary.counts.passed) == (4, 0)
    (score,) = next(block for _, block in done.directory.scores())
    assert score.status is Status.ERROR
    assert score.error is not None
    assert (score.error.kind, "ZeroDivisionError" in score.error.message) == ("check", True)


def test_a_case_with_nothing_to_score_is_an_error(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 4, judge=False)
        suite.write_text(
            suite.read_text().replace(
                '  - contains: "{{ reference }}"', "  - tests.support.own:none"
            )
        )
        assert run(suite).summary.counts.errors == 4
        suite.write_text(suite.read_text().replace("checks:\n  - tests.support.own:none\n", ""))
        with pytest.raises(SuiteError, match=r"cases.jsonl:1: nothing to score"):
            run(suite)


def test_the_judge_may_not_be_the_candidate_unless_said(tmp_path: Path) -> None:
    with serve(
        lambda body, n: answer(body) if "BEGIN ANSWER" not in str(body) else verdict("correct")
    ) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 2)
        suite.write_text(
            suite.read_text().replace("correctness: {model: judge", "correctness: {model: cand")
        )
        with pytest.raises(
            SuiteError,
            match=r"suite.yaml:\d+: judges.correctness.model: the judge is the candidate",
        ):
            run(suite)
        assert not endpoint.requests
        suite.write_text(suite.read_text() + "allow_self_judge: true\n")
        assert run(suite).summary.counts.cases == 2


OPENAI = "{provider: openai, model: m, base_url: 'http://h/a'}"


@pytest.mark.parametrize(
    ("candidate", "judge", "same"),
    [
        (OPENAI, OPENAI.replace("}", ", params: {temperature: 1}}"), True),
        (OPENAI, OPENAI.replace("/a", "/a/"), True),
        (OPENAI, OPENAI.replace("}", ", build: b}"), True),
        (OPENAI.replace("}", ", build: b}"), OPENAI.replace("/a'", "/c', build: b"), True),
        (OPENAI, OPENAI.replace("/a", "/b"), False),
        (OPENAI, OPENAI.replace("}", ", headers: {x-route: b}}"), False),
        (OPENAI, OPENAI.replace("model: m", "model: n"), False),
        (OPENAI, "{provider: http, url: 'http://h/a'}", False),
        (
            "{provider: http, url: 'http://h/a', build: b}",
            "{provider: http, url: 'http://h/a'}",
            True,
        ),
        ("{provider: http, url: 'http://h/a'}", "{provider: http, url: 'http://h/b'}", False),
        (
            "{provider: python, function: 'json:dumps'}",
            "{provider: python, function: 'json:dumps', build: b}",
            True,
        ),
        (
            "{provider: python, function: 'json:dumps'}",
            "{provider: python, function: 'json:loads'}",
            False,
        ),
    ],
)
def test_who_is_the_candidate_itself(
    tmp_path: Path, candidate: str, judge: str, same: bool
) -> None:
    suite = write_suite(tmp_path, "http://h/v1", 2)
    text = suite.read_text().replace("candidate: cand", f"candidate: {candidate}")
    suite.write_text(text.replace("{model: judge, attacks", f"{{model: {judge}, attacks"))
    told = ""
    try:
        asyncio.run(plan(load_suite(suite), Options(use_cache=False)).close())
    except SuiteError as error:
        told = str(error)
    assert ("the judge is the candidate itself" in told) == same, told


def test_no_case_is_not_a_pass(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 0)
        with pytest.raises(NothingEvaluated):
            run(suite)


def test_secrets_are_nowhere(tmp_path: Path) -> None:
    def leaky(body: dict[str, Any], earlier: int) -> Any:
        if "number 1?" in body["messages"][-1]["content"]:
            return 400, {"error": {"message": "Incorrect API key provided: secret-key-1234"}}, {}
        return answer(body)

    with serve(leaky) as endpoint:
        done = run(write_suite(tmp_path, endpoint.url, 4), tmp_path / "out")
    written = [path for path in done.path.rglob("*") if path.is_file()]
    assert len(written) > 6
    assert not [path.name for path in written if b"secret-key-1234" in path.read_bytes()]
    assert b"Incorrect API key provided: ***" in (done.path / "answers.jsonl").read_bytes()


def test_a_floor_on_an_unknown_metric_is_refused(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 4, "gate: {floors: {containz: 0.5}}\n")
        with pytest.raises(SuiteError, match=r"no check or judge gives the metric 'containz'"):
            run(suite)


def test_rescoring_asks_the_candidate_nothing(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 10)
        first = run(suite)
        suite.write_text(
            suite.read_text().replace("  - contains", "  - max_words: 2\n  - contains")
        )
        before = endpoint.count("cand")
        from llmeval.api import rescore

        again = rescore(first.path, options=Options(reports=tmp_path / "reports"))
        assert endpoint.count("cand") == before
    assert {m.metric: m.passed for m in again.summary.metrics} == {
        "max_words": 0,
        "contains": 8,
        "correctness": 8,
    }
    assert again.manifest.parent_run == first.manifest.run_id
    assert again.manifest.candidate.identity == first.manifest.candidate.identity
    assert first.path != again.path


def test_memory_does_not_hold_the_requests(tmp_path: Path) -> None:
    """Never more cases in flight than asked for, however many there are."""
    with serve(answer, latency=0.002) as endpoint:
        run(write_suite(tmp_path, endpoint.url, 200, judge=False), concurrency=7)
        assert endpoint.most <= 7


def test_multi_turn_cases_and_the_other_providers(tmp_path: Path) -> None:
    (tmp_path / "echo_app.py").write_text("async def answer(text): return f'echo {text}'\n")
    (tmp_path / "recorded.jsonl").write_text(
        '{"id": "a", "output": "echo two"}\n{"id": "b", "output": "x"}\n'
    )
    turns = (
        "[{role: user, content: one}, {role: assistant, content: ok}, {role: user, content: two}]"
    )

    def application(body: dict[str, Any], earlier: int) -> Any:
        assert body["q"] == "two"
        return {"data": {"items": [{"text": "echo " + body["q"]}]}}

    with serve(application) as endpoint:
        providers = [
            "{provider: python, function: 'echo_app:answer'}",
            "{provider: replay, source: recorded.jsonl}",
            f"{{provider: http, url: '{endpoint.url}/ask', body: {{q: '{{{{ prompt }}}}'}}, output: 'data.items[0].text'}}",
        ]
        for index, provider in enumerate(providers):
            path = tmp_path / f"s{index}.yaml"
            path.write_text(
                f"suite: s{index}\ncases: [{{id: a, messages: {turns}}}]\ncandidate: {provider}\nchecks: [equals: echo two]\n"
            )
            done = run(path)
            assert done.summary.counts.passed == 1, (
                provider,
                [a for a in done.directory.answers()],
            )


def test_an_answer_of_a_megabyte_and_odd_characters_survives(tmp_path: Path) -> None:
    odd = "\x00\x1b[31m\u202e</script>\ud83d" + "x" * 1_000_000

    with serve(lambda body, n: reply(odd)) as endpoint:
        done = run(write_suite(tmp_path, endpoint.url, 1, judge=False))
    (stored,) = done.directory.answers()
    assert stored.output is not None
    assert len(stored.output) == len(odd)
    assert "\x1b" not in (done.path / "summary.md").read_text()
    assert "\x1b" not in (done.path / "junit.xml").read_text()
