"""The same run by each executor: one process, shards, and workers. The summaries are equal, and a
worker that ends costs no result.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from llmeval.core.errors import StoreError, UsageError
from llmeval.runner.batches import UnitBatch
from llmeval.runner.options import Options, workers_of
from tests.support.command import ROOT, llmeval
from tests.support.endpoint import Endpoint, serve
from tests.support.ray_cluster import Cluster
from tests.support.suites import answer, write_suite
from tests.support.tables import each_row
from tests.support.workers import ThreadWorkers, comparable_summary

CASES = 60


def execute(
    executor: str, suite: Path, out: Path, *more: object, **variables: str
) -> "tuple[int, str]":
    """Run a suite; the exit code and the messages. A real cluster has a process of its own."""
    if executor == "ray":
        process = subprocess.run(
            [sys.executable, "-m", "llmeval", "run", suite, "--out", out, *map(str, more)],
            env={**os.environ, **variables}, cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return process.returncode, process.stderr
    if executor != "shard":
        way = [] if executor == "local" else ["--executor", "ray", "--workers", "2"]
        done = llmeval("run", suite, "--out", out, *way, *more, **variables)
        return done.returncode, done.stderr
    for part in ("1/2", "2/2"):
        llmeval("run", suite, "--shard", part, "--out", out / "parts" / part[0], *more)
    done = llmeval("merge", out / "parts", "--suite", suite, "--out", out)
    return done.returncode, done.stderr


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> type[ThreadWorkers]:
    monkeypatch.setattr("llmeval.runner.ray_cluster.RayWorkers", ThreadWorkers)
    monkeypatch.setattr(ThreadWorkers, "ends", staticmethod(lambda batch: False))
    return ThreadWorkers


class Undisturbed(NamedTuple):
    """A run in one process, and what it took. The others are compared with it."""

    endpoint: Endpoint
    suite: Path
    exit_code: int
    calls: int
    summary: bytes


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    extra = "repeats: 2\ngate: {floors: {contains: 0.6, correctness: 0.5}}\n"
    folder = tmp_path_factory.mktemp("undisturbed")
    with serve(answer) as endpoint:
        suite = write_suite(folder, endpoint.url, CASES, extra)
        code, _ = execute("local", suite, folder / "out", LLMEVAL_HOME=str(folder / "home"))
        calls = len(endpoint.requests)
        yield Undisturbed(endpoint, suite, code, calls, comparable_summary(folder / "out"))


@pytest.mark.parametrize(
    "executor", ["local", "shard", "workers", pytest.param("ray", marks=pytest.mark.ray)]
)
def test_each_executor_gives_the_same_summary(
    undisturbed: Undisturbed, tmp_path: Path, executor: str, request: pytest.FixtureRequest
) -> None:
    """`workers`: those of a cluster as threads, with the same batches. `ray`: a real cluster."""
    options: list[object] = []
    variables = {}
    if executor == "workers":
        request.getfixturevalue("workers")
    if executor == "ray":
        pytest.importorskip("ray", reason="the extra `ray` is not installed")
        cluster: Cluster = request.getfixturevalue("cluster")
        options = ["--executor", f"ray://{cluster.address}"]
        variables = {k: v for k, v in cluster.environment.items() if k.startswith("RAY_")}
    before = len(undisturbed.endpoint.requests)
    out = tmp_path / "out"
    code, message = execute(executor, undisturbed.suite, out, *options, **variables)
    assert code == undisturbed.exit_code, message
    assert len(undisturbed.endpoint.requests) - before == undisturbed.calls
    assert comparable_summary(out) == undisturbed.summary


def poison(name: str, times: int) -> Callable[[UnitBatch], bool]:
    """Ends the worker of each batch with a case, so many times."""
    ended: list[UnitBatch] = []

    def ends(batch: UnitBatch) -> bool:
        hit = len(ended) < times and any(unit.case.id == name for unit in batch.units)
        ended.extend([batch] * hit)
        return hit

    return ends


@pytest.mark.parametrize(("times", "missing"), [(1, False), (2, False), (3, True)])
def test_a_worker_that_ends(
    tmp_path: Path,
    workers: type[ThreadWorkers],
    monkeypatch: pytest.MonkeyPatch,
    times: int,
    missing: bool,
) -> None:
    """A batch is done again, twice. Its units then count as missing, and no unit of another batch
    does.
    """
    monkeypatch.setattr(workers, "ends", staticmethod(poison("c0017", times)))
    monkeypatch.setattr("llmeval.runner.batches.MOST_UNITS", 8)
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, CASES, judge=False)
        out = tmp_path / "out"
        code, _ = execute("workers", suite, out, "--concurrency", "4")
        lines = [json.loads(line) for line in (out / "answers.jsonl").read_text().splitlines()]
        failed = {line["case_id"] for line in lines if line["error"]}
        assert len(lines) == len({line["case_id"] for line in lines}) == CASES
        assert len(endpoint.requests) == CASES, "the cache has the replies of a worker that ended"
        assert (code, "c0017" in failed) == ((3, True) if missing else (0, False))
        assert len(failed) <= 8
        assert {line["error"]["kind"] for line in lines if line["error"]} == {"worker"} & {
            "worker" if missing else ""
        }
        if missing:  # the same command does them again
            monkeypatch.setattr(workers, "ends", staticmethod(lambda batch: False))
            assert execute("local", suite, out)[0] == 0


def test_an_early_stop_and_a_resumed_run(
    tmp_path: Path, workers: type[ThreadWorkers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate sees the units as they arrive; answers that are recorded are not requested again."""
    monkeypatch.setattr("llmeval.runner.batches.MOST_UNITS", 8)
    with serve(answer) as endpoint:
        suite = write_suite(
            tmp_path, endpoint.url, 400, "gate: {floors: {contains: 0.3}, stop: early}\n"
        )
        code, _ = execute("workers", suite, tmp_path / "early", "--concurrency", "2")
        manifest = json.loads((tmp_path / "early" / "manifest.json").read_text())
        assert (code, manifest["ending"]) == (0, "decided")
        assert len(endpoint.requests) < 2 * 400
        suite = write_suite(tmp_path / "b", endpoint.url, CASES)
        out = tmp_path / "b" / "out"
        llmeval("run", suite, "--out", out, "--max-calls", "41", "--no-cache")
        before = len(endpoint.requests)
        assert execute("workers", suite, out, "--no-cache")[0] == 0
        assert len(endpoint.requests) - before <= 2 * CASES - 41 + 2


ROWS: list[tuple[list[str], str]] = [
    (["--executor", "spark"], "write local, ray, or ray://HOST:PORT"),
    (["--executor", "ray://"], "write local, ray, or ray://HOST:PORT"),
    (["--workers", "2"], "--workers is an option of --executor ray"),
    (["--executor", "ray", "--workers", "0"], "--workers must be from 1"),
    (["--executor", "ray", "--max-calls", "5"], "--max-calls holds for one process"),
    (["--executor", "ray", "--max-cost", "5"], "LLMEVAL_RUN_GROUP must name the run"),
    (["--executor", "ray", "--candidate", "cand,judge"], "not a grid"),
    (["--executor", "ray://h:1"], "RAY_AUTH_TOKEN is not set"),
]


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite whose endpoint nobody calls."""
    return write_suite(tmp_path_factory.mktemp("suite"), "http://127.0.0.1:9/v1", 3)


@each_row(("options", "message"), ROWS)
def test_what_workers_can_not_do(offline: Path, options: list[str], message: str) -> None:
    done = llmeval("run", offline, "--reports", offline.parent / "r", *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_limit_per_minute_needs_a_store(tmp_path: Path, workers: type[ThreadWorkers]) -> None:
    suite = write_suite(tmp_path, "http://127.0.0.1:9/v1", 3)
    limits = "api_key: secret-key-1234, limits: {requests_per_minute: 60}"
    suite.write_text(suite.read_text().replace("api_key: secret-key-1234", limits, 1))
    code, message = execute("workers", suite, tmp_path / "out")
    assert code == 2
    assert "holds for all workers only with a store" in message


def test_the_number_of_workers() -> None:
    assert [workers_of("local", None), workers_of("ray", None), workers_of("ray://h:1", 7)] == [
        None, 2, 7,
    ]  # fmt: skip


def test_a_result_that_lacks_units_is_an_error(
    tmp_path: Path, workers: type[ThreadWorkers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing passes that no worker returned."""
    from dataclasses import replace

    from llmeval import api
    from tests.support import workers as support

    whole: Any = support.ThreadWorker.run

    async def short(self: object, batch: UnitBatch) -> object:
        result = await whole(self, batch)
        return replace(result, done=result.done[:-1])

    monkeypatch.setattr(support.ThreadWorker, "run", short)
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 5, judge=False)
        with pytest.raises(StoreError, match="returned 2 of 3 results|of 1 results|of 2 results"):
            api.run(suite, options=Options(out=tmp_path / "out", workers=2))
    with pytest.raises(UsageError):
        Options(workers=0).check()


@pytest.mark.parametrize(
    ("printed", "tls", "error"),
    [
        ("refused", "", None),
        ("open", "", UsageError),
        ("open", "1", UsageError),
        ("failed: no answer", "", StoreError),
        ("", "", StoreError),
        ("failed: no answer", "1", None),
    ],
)
def test_a_cluster_that_answers_without_a_token_is_refused(
    monkeypatch: pytest.MonkeyPatch, printed: str, tls: str, error: type[Exception] | None
) -> None:
    """What the probe can't find out counts as unprotected, unless TLS asks for a certificate."""
    from llmeval.runner import ray_cluster

    monkeypatch.setattr(ray_cluster, "_PROBE", f"print({printed!r})")
    monkeypatch.setenv("RAY_USE_TLS", tls)
    if error is None:
        ray_cluster._refuse_open("127.0.0.1:9")
    else:
        with pytest.raises(error, match="without a token|unknown whether"):
            ray_cluster._refuse_open("127.0.0.1:9")


def test_answers_without_a_call_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recorded answers come faster than they are counted; then the pipeline waits."""
    from llmeval.runner.pipeline import Pipeline

    taken: Any = Pipeline._taken
    sizes: list[int] = []

    def noted(self: Pipeline) -> object:
        batch = taken(self)
        sizes.append(len(batch))
        return batch

    monkeypatch.setattr(Pipeline, "_taken", noted)
    monkeypatch.setattr("llmeval.runner.pipeline.MOST_READY", 10)
    names = [f"c{n}" for n in range(100)]
    (tmp_path / "cases.jsonl").write_text("".join(f'{{"id": "{n}", "q": "?"}}\n' for n in names))
    (tmp_path / "a.jsonl").write_text("".join(f'{{"id": "{n}", "output": "x"}}\n' for n in names))
    (tmp_path / "suite.yaml").write_text(
        "suite: t\ncases: cases.jsonl\nprompt: '{{ q }}'\n"
        "candidate: {provider: replay, source: a.jsonl}\nchecks: [{contains: x}]\ngate: none\n"
    )
    done = llmeval("run", tmp_path / "suite.yaml", "--out", tmp_path / "out", "--concurrency", "4")
    assert done.returncode == 0, done.stderr
    assert sum(sizes) == 100
    assert max(sizes) <= 10 + 2 * 4
