"""Yesterday's answers: a run never passes for what it has not asked, and says what it took from
earlier runs.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import Endpoint, Handler, serve, verdict
from tests.support.rundirs import seal

N = 12
DAY = 86400
DAY_OF_ANSWERS = "2026-01-02"


def right(body: dict[str, Any], earlier: int = 0) -> Any:
    """The application as it should be, and a judge that is always content."""
    if body["model"] == "judge":
        return verdict("correct")
    number = re.findall(r"\d+", body["messages"][-1]["content"])[-1]
    return f"It is value-{number}."


def broken(body: dict[str, Any], earlier: int = 0) -> Any:
    """The same application after an update."""
    return "Internal error."


def first_of(says: list[Handler]) -> Handler:
    """Answers by whatever handler is the first of a list at that time."""

    def handler(body: dict[str, Any], earlier: int) -> Any:
        return says[0](body, earlier)

    return handler


@dataclass
class Bench:
    """A suite in a folder, and runs of it through the command line."""

    folder: Path
    url: str = ""
    model: str = ""
    judge: bool = False
    runs: list[Path] = field(default_factory=list)

    def write(
        self, model: str, question: str = "What is number {i}?", gate: str = "contains: 0.5"
    ) -> None:
        rows = [
            {"id": f"c{i}", "question": question.format(i=i), "reference": f"value-{i}"}
            for i in range(N)
        ]
        (self.folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        judge = (
            f"judges: {{correctness: {{model: {{provider: openai, model: judge, base_url: '{self.url}/j', api_key: k}}, "
            "attacks: false}}\n"
        )
        (self.folder / "suite.yaml").write_text(
            "suite: t\ncases: cases.jsonl\nprompt: '{{ question }}'\n"
            f"candidate: {model}\nchecks: [{{contains: '{{{{ reference }}}}'}}]\n"
            f"{judge if self.judge else ''}gate: {{floors: {{{gate}}}}}\n"
        )

    def run(self, *arguments: object, out: str | None = None) -> "subprocess.CompletedProcess[str]":
        self.runs.append(self.folder / (out or f"run{len(self.runs)}"))
        return llmeval(
            "run", self.folder / "suite.yaml", "--out", self.runs[-1], *arguments, cwd=self.folder
        )

    @property
    def summary(self) -> dict[str, Any]:
        """Of the last run."""
        found: dict[str, Any] = json.loads((self.runs[-1] / "summary.json").read_text())
        return found


def openai(url: str, **more: str) -> str:
    told = "".join(f", {key}: {value}" for key, value in more.items())
    return f"{{provider: openai, model: cand, base_url: '{url}', api_key: k, timeout: 5{told}}}"


def http(url: str, **more: str) -> str:
    told = "".join(f", {key}: {value}" for key, value in more.items())
    body = "{model: cand, messages: [{content: '{{ prompt }}'}]}"
    return f"{{provider: http, url: '{url}', body: {body}, output: 'choices[0].message.content'{told}}}"


@pytest.fixture
def application(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def shift(seconds: int) -> None:
    """Make every row of the cache older."""
    with sqlite3.connect(Path(os.environ["LLMEVAL_HOME"]) / "cache.sqlite3") as database:
        database.execute("UPDATE replies SET at = at - ?", (seconds,))
    database.close()


@pytest.mark.parametrize("make", [openai, http])
def test_an_application_that_broke_since_the_last_run_does_not_pass(
    application: Bench, make: Callable[..., str]
) -> None:
    says: list[Handler] = [right]
    with serve(first_of(says)) as endpoint:
        application.write(make(endpoint.url))
        first = application.run()
        says[0] = broken
        second = application.run()
        assert (first.returncode, second.returncode) == (0, 1), second.stderr
        assert len(endpoint.requests) == 2 * N
    assert application.summary["reuse"]["answers"] == {"reused": 0, "of": N, "oldest": None}
    assert "earlier runs" not in first.stdout + second.stdout


@pytest.mark.parametrize("more", [(), ("--refresh",), ("--no-cache",)])
def test_a_server_that_is_off_makes_the_run_invalid(
    application: Bench, more: tuple[str, ...]
) -> None:
    with serve(right) as endpoint:
        application.write(openai(endpoint.url))
        assert application.run().returncode == 0
    done = application.run("--max-minutes", "0.05", *more)
    assert done.returncode == 3
    assert application.summary["gate"]["decision"] == "INVALID"
    assert application.summary["calls"].get("candidate", {}).get("cached", 0) == 0


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (openai("{}"), openai("{}/blue")),
        (openai("{}"), openai("{}?deployment=blue")),
        (openai("{}", headers="{x-route: green}"), openai("{}", headers="{x-route: blue}")),
        (openai("{}", build="app@1"), openai("{}", build="app@1", headers="{x-route: blue}")),
        (openai("{}", build="app@1"), openai("{}", build="app@2")),
        (openai("{}", build="app@1"), openai("{}")),
        (openai("{}"), openai("{}", params="{seed: 3}")),
    ],
)
def test_what_may_answer_otherwise_is_asked_even_with_reuse(
    application: Bench, before: str, now: str
) -> None:
    """Another path, query, header, build or provider: none of it is the model that answered
    before.
    """
    with serve(right) as endpoint:
        for model in (before, now):
            asked = len(endpoint.requests)
            application.write(
                model.replace("{}", endpoint.url).replace("{{", "{").replace("}", "}")
            )
            assert application.run("--reuse").returncode == 0
            assert len(endpoint.requests) - asked == N


def test_an_edited_function_is_asked_again(application: Bench) -> None:
    (application.folder / "shop.py").write_text(
        "def reply(text): return 'It is value-' + text.rstrip('?').split()[-1]\n"
    )
    application.write("{provider: python, function: 'shop:reply', build: shop-1}")
    assert [application.run().returncode, application.run().returncode] == [0, 0]
    assert application.summary["reuse"]["answers"]["reused"] == N
    (application.folder / "shop.py").write_text("def reply(text): return 'I can not say.'\n")
    assert application.run().returncode == 1
    assert application.summary["reuse"]["answers"]["reused"] == 0
    application.write("{provider: python, function: 'shop:reply'}")
    assert [application.run().returncode, application.run().returncode] == [1, 1]
    assert application.summary["reuse"]["answers"]["reused"] == 0, (
        "a function without a build is never reused"
    )


def test_a_build_that_is_stated_is_reused_and_everything_says_so(application: Bench) -> None:
    with serve(right) as endpoint:
        application.write(openai(endpoint.url, build="app@1"))
        application.run()
        shift(int(time.time()) - 1767355200)  # 2026-01-02, noon
        done = application.run("--format", "github")
        assert len(endpoint.requests) == N
    assert done.returncode == 0
    told = f"{N} of {N} answers reused from earlier runs, the oldest of {DAY_OF_ANSWERS}."
    assert "PASS" in done.stdout and told in " ".join(done.stdout.replace("│", " ").split())
    assert told in done.stderr, "the line of a CI log"
    run = application.runs[-1]
    first = json.loads((application.runs[0] / "manifest.json").read_text())["run_id"]
    for line in (run / "answers.jsonl").read_text().splitlines():
        answer = json.loads(line)
        assert (answer["reused_from"], answer["answered_at"][:10], answer["cached"]) == (
            first,
            DAY_OF_ANSWERS,
            True,
        )
    assert application.summary["reuse"]["answers"] == {
        "reused": N,
        "of": N,
        "oldest": answer["answered_at"],
    }
    assert told in (run / "summary.md").read_text()
    hero = (
        (run / "report.html").read_text().partition('id="decision"')[2].partition("</section>")[0]
    )
    assert told in hero
    gate = ET.parse(run / "junit.xml").getroot()[0]
    assert gate.findtext("system-out") == told
    assert gate.find("properties/property[@name='answers_reused']").get("value") == f"{N}/{N}"  # type: ignore[union-attr]
    (run / "summary.json").unlink()
    assert llmeval("report", run).returncode == 0
    assert told in (run / "report.html").read_text(), "it is read from the records alone"


def test_reuse_and_refresh(application: Bench) -> None:
    says: list[Handler] = [right]
    application.judge = True
    with serve(first_of(says)) as endpoint:
        application.url = endpoint.url
        application.write(openai(endpoint.url))
        assert application.run().returncode == 0
        assert counts(endpoint) == (N, N)
        says[0] = lambda body, earlier: right(body) if body["model"] == "judge" else broken(body)
        assert application.run("--reuse").returncode == 0
        assert counts(endpoint) == (N, N)
        assert {name: found["reused"] for name, found in application.summary["reuse"].items()} == {
            "answers": N,
            "verdicts": N,
        }
        assert application.run("--refresh").returncode == 1
        assert counts(endpoint) == (2 * N, 2 * N)
        assert {name: found["reused"] for name, found in application.summary["reuse"].items()} == {
            "answers": 0,
            "verdicts": 0,
        }


def counts(endpoint: Endpoint) -> tuple[int, int]:
    return endpoint.count("cand"), endpoint.count("judge")


@pytest.mark.parametrize(
    "more",
    [("--reuse", "--refresh"), ("--no-cache", "--reuse"), ("--no-cache", "--refresh")],
    ids=str,
)
def test_options_that_contradict_each_other(application: Bench, more: tuple[str, ...]) -> None:
    application.write(openai("http://127.0.0.1:9/v1"))
    done = application.run(*more)
    assert done.returncode == 2
    assert "--no-cache, --reuse and --refresh" in done.stderr


def test_refreshed_answers_are_the_ones_that_later_runs_reuse(application: Bench) -> None:
    said = iter(range(10**6))
    with serve(lambda body, earlier: f"{right(body)} ({next(said)})") as endpoint:
        application.write(openai(endpoint.url, build="app@1"))
        application.run()
        application.run("--refresh")
        assert application.summary["reuse"]["answers"]["reused"] == 0
        application.run()
        assert application.summary["reuse"]["answers"]["reused"] == N
        assert len(endpoint.requests) == 2 * N
    texts = [(run / "answers.jsonl").read_text() for run in application.runs]
    outputs = [sorted(json.loads(line)["output"] for line in text.splitlines()) for text in texts]
    assert outputs[0] != outputs[1] == outputs[2]


@pytest.mark.parametrize("more", [(), ("--refresh",)], ids=str)
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX matter")
def test_a_run_that_was_killed_asks_nothing_twice(
    application: Bench, more: tuple[str, ...]
) -> None:
    """What came back before the kill is read, from the records or from the cache, even where
    nothing of other runs is.
    """
    application.judge = True
    with serve(right, latency=0.05) as endpoint:
        application.url = endpoint.url
        application.write(openai(endpoint.url))
        command = [sys.executable, "-m", "llmeval", "run", application.folder / "suite.yaml", "--out", application.folder / "k",
                   "--concurrency", "2", *more]  # fmt: skip
        process = subprocess.Popen(
            command, cwd=application.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while len(endpoint.requests) < 9 and process.poll() is None:
            time.sleep(0.002)
        process.kill()
        process.wait(30)
        assert application.run("--concurrency", "2", *more, out="k").returncode == 0
        assert len(endpoint.requests) <= 2 * N + 2, "only what was in flight is asked again"
        assert application.summary["reuse"]["answers"]["reused"] == 0
        asked = len(endpoint.requests)
        for name in (
            "answers.jsonl",
            "scores.jsonl",
        ):  # the records end before the reply that came last
            path = application.folder / "k" / name
            path.write_text("".join(line + "\n" for line in path.read_text().splitlines()[:-4]))
        seal(application.folder / "k", status="running", ended=None, ending=None)
        assert application.run("--concurrency", "2", *more, out="k").returncode == 0
        assert len(endpoint.requests) == asked, "these replies are in the cache"
        assert application.summary["reuse"]["answers"]["reused"] == 0
        ended = application.run("--concurrency", "2", *more, out="k")
    assert ended.returncode == 2, "a run that ended before must not look like one of now"
    assert "and is complete" in ended.stderr


def test_equal_requests_of_one_run_are_one_call(application: Bench) -> None:
    with serve(lambda body, earlier: "It is value-1.") as endpoint:
        application.write(openai(endpoint.url), question="What is number 1?", gate="contains: 0.01")
        application.run("--concurrency", "1")
        assert len(endpoint.requests) == 1
        application.run("--concurrency", "1")
        assert len(endpoint.requests) == 2


def test_verdicts_are_kept_for_thirty_days(application: Bench) -> None:
    application.judge = True
    with serve(right) as endpoint:
        application.url = endpoint.url
        application.write(openai(endpoint.url))
        application.run()
        shift(29 * DAY)
        done = application.run()
        assert counts(endpoint) == (2 * N, N)
        assert f"{N} of {N} verdicts reused from earlier runs, the oldest of " in " ".join(
            done.stdout.split()
        )
        lines = map(json.loads, (application.runs[-1] / "scores.jsonl").read_text().splitlines())
        line = next(
            each for each in lines if each["source"] == "judge" and each["status"] != "not_scored"
        )
        assert line["answered_at"] and line["reused_from"]
        shift(2 * DAY)
        application.run()
        assert counts(endpoint) == (3 * N, 2 * N)
        assert application.summary["reuse"]["verdicts"] == {"reused": 0, "of": N, "oldest": None}
        application.run()
        assert counts(endpoint) == (4 * N, 2 * N), "the new verdicts are the ones that are reused"


UNUSABLE = ["I would rather not say.", '{"verdict": "perhaps"}', "{", ""]


@pytest.mark.parametrize("said", UNUSABLE)
def test_unusable_verdicts_are_asked_for_again(application: Bench, said: str) -> None:
    says = [said]
    application.judge = True

    def handler(body: dict[str, Any], earlier: int) -> Any:
        return says[0] if body["model"] == "judge" and says[0] is not None else right(body)

    with serve(handler) as endpoint:
        application.url = endpoint.url
        application.write(openai(endpoint.url, build="app@1"))
        assert application.run().returncode == 3
        assert application.summary["counts"]["unscored"] == N
        assert endpoint.count("judge") == 3 * N
        says[0] = verdict("correct")
        assert application.run().returncode == 0
        assert application.summary["counts"]["unscored"] == 0
        assert endpoint.count("judge") == 4 * N


def test_answers_that_were_cut_off_are_asked_for_again(application: Bench) -> None:
    def cut(body: dict[str, Any], earlier: int) -> Any:
        message = {"role": "assistant", "content": right(body)}
        return {
            "model": "x",
            "choices": [{"index": 0, "message": message, "finish_reason": "length"}],
        }

    with serve(cut) as endpoint:
        application.write(openai(endpoint.url, build="app@1"))
        application.run()
        application.run()
        assert len(endpoint.requests) == 2 * N


def test_two_deployments_at_one_gateway_are_two_models(application: Bench) -> None:
    """The model's name is the same at both; only the path differs, and the judge is no
    self-judge.
    """
    application.judge = True
    with serve(
        lambda body, earlier: verdict("correct") if "Reference" in str(body) else right(body)
    ) as endpoint:
        application.url = endpoint.url
        application.write(openai(f"{endpoint.url}/a").replace("model: cand", "model: judge"))
        done = application.run("--limit", "2")
        assert "the judge is the candidate itself" not in done.stderr
        judge = json.loads((application.runs[-1] / "manifest.json").read_text())["judges"][
            "correctness"
        ]
        application.url = f"{endpoint.url}/other"
        application.write(openai(f"{endpoint.url}/a"))
        application.run("--limit", "2")
        other = json.loads((application.runs[-1] / "manifest.json").read_text())["judges"][
            "correctness"
        ]
        assert judge["digest"] != other["digest"], "no certificate of one is the other's"
        application.write(openai(f"{endpoint.url}/other/j/").replace("model: cand", "model: judge"))
        assert "the judge is the candidate itself" in application.run("--limit", "2").stderr


def test_scoring_again_says_whose_answers_these_are(application: Bench) -> None:
    with serve(right) as endpoint:
        application.write(openai(endpoint.url))
        application.run()
    done = llmeval(
        "score", application.runs[0], "--out", application.folder / "again", cwd=application.folder
    )
    assert f"{N} of {N} answers reused from earlier runs" in " ".join(done.stdout.split())


def test_a_cache_of_before_is_replaced_without_a_word(application: Bench, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with sqlite3.connect(home / "cache.sqlite3") as database:
        database.execute(
            "CREATE TABLE replies (key BLOB PRIMARY KEY, reply BLOB, model TEXT, at INTEGER) WITHOUT ROWID"
        )
        database.execute("INSERT INTO replies VALUES (x'00', x'00', 'm', 1)")
    database.close()
    shown = llmeval("cache", "stats", "--json", LLMEVAL_HOME=str(home))
    assert json.loads(shown.stdout)["replies"] == 0, shown.stderr
