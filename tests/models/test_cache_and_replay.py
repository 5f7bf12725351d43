"""The cache under two writers and when it can't be used; recorded answers; functions."""

import asyncio
import json
import multiprocessing
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.errors import ModelError, StoreError, SuiteError
from llmeval.core.records import Message
from llmeval.models.base import Reply, Request
from llmeval.models.client.cache import ALWAYS, FILE, NEVER, Cache
from llmeval.models.http import HttpEndpoint
from llmeval.models.loading import load_function
from llmeval.models.python import PythonFunction
from llmeval.models.replay import Replay
from tests.support.command import llmeval as command
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

HELLO = Request(messages=(Message("user", "hello"),))


def fill(home: str, who: int) -> None:
    async def run() -> None:
        cache = Cache(Path(home))
        calls = (
            cache.put(i.to_bytes(32, "big"), Reply(text=f"{who}"), "m", ALWAYS) for i in range(300)
        )
        kept = await asyncio.gather(*calls)
        cache.close()
        (Path(home) / f"{who}.txt").write_text("".join(each.reply.text for each in kept))

    asyncio.run(run())


def test_two_processes_share_a_cache(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=fill, args=(str(tmp_path), who)) for who in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    cache = Cache(tmp_path)
    assert cache.stats().replies == 300
    found = [cache.get(i.to_bytes(32, "big"), ALWAYS) for i in range(300)]
    stored = "".join(kept.reply.text for kept in found if kept is not None)
    assert len(stored) == 300
    assert [(tmp_path / f"{who}.txt").read_text() for who in range(2)] == [stored, stored]
    cache.close()


NOW = int(time.time())


@pytest.mark.parametrize(
    ("since", "kept"),
    [(ALWAYS, "first"), (NOW - 10, "first"), (NOW + 1000, "second"), (NEVER, "second")],
    ids=["from any run", "from ten seconds ago on", "from later on", "from no other run"],
)
def test_which_of_two_runs_is_kept(tmp_path: Path, since: float, kept: str) -> None:
    """The first reply where the second run may read it; else the second, which is what that run
    recorded.
    """

    async def run() -> list[str | None]:
        one, other = Cache(tmp_path), Cache(tmp_path)
        await one.put(b"k", Reply(text="first"), "m")
        second = await other.put(b"k", Reply(text="second"), "m", since)
        again = await other.put(b"k", Reply(text="third"), "m", since)
        read = [other.get(b"k", since), one.get(b"k", ALWAYS)]
        own = one.get(b"k", NEVER)
        one.close()
        other.close()
        assert (own is not None) == (kept == "first"), "a run reads its own row however old"
        return [found and found.reply.text for found in [second, again, *read]]

    assert asyncio.run(run()) == [kept] * 4


OLD = """
CREATE TABLE replies (key BLOB PRIMARY KEY, reply BLOB NOT NULL, model TEXT NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO replies VALUES (x'6b', x'00', 'm', 1);
"""


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (OLD, None),
        ("PRAGMA user_version = 99; CREATE TABLE replies (x);", "newer llmeval"),
        (None, "not a database"),
    ],
)
def test_a_cache_of_another_layout(tmp_path: Path, script: str | None, told: str | None) -> None:
    """An older one is emptied and used; a newer one, and what is no cache, is left alone."""
    path = tmp_path / "cache.sqlite3"
    if script is None:
        path.write_bytes(b"no database " * 100)
    else:
        database = sqlite3.connect(path)
        database.executescript(script)
        database.close()
    if told is not None:
        with pytest.raises(StoreError, match=told) as caught:
            Cache(tmp_path)
        assert "--no-cache" in str(caught.value)
        return
    one, other = Cache(tmp_path), Cache(tmp_path)
    asyncio.run(one.put(b"k", Reply(text="new"), "m"))
    found = other.get(b"k", ALWAYS)
    assert found is not None
    assert (found.reply.text, found.run, one.stats().replies) == ("new", one.run, 1)
    one.close()
    other.close()


def test_a_damaged_row_is_no_reply(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    asyncio.run(cache.put(b"k", Reply(text="x"), "m"))
    cache._writer.execute("UPDATE replies SET reply = x'0102'")
    assert cache.get(b"k") is None
    cache.close()


@pytest.mark.parametrize("damage", ["no database", "cut", "pages"])
def test_a_damaged_file_never_stops_a_run(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file is set aside, or the run continues without it; both are said once."""
    monkeypatch.setenv("LLMEVAL_HOME", str(tmp_path / "home"))
    path = tmp_path / "home" / FILE
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 30, judge=False)
        options = llmeval.Options(out=tmp_path / "run", reuse=True)
        llmeval.run(suite, options=options)
        data = path.read_bytes()
        for more in path.parent.glob(FILE + "-*"):
            more.unlink()
        broken = {
            "no database": b"no database " * 400,
            "cut": data[: len(data) // 2],
            "pages": data[:4096] + b"\x55" * (len(data) - 4096),
        }
        path.write_bytes(broken[damage])
        capsys.readouterr()
        second = llmeval.run(suite, options=replace(options, out=tmp_path / "second"))
    assert second.summary.counts.cases == 30 and second.summary.counts.errors == 0
    said = capsys.readouterr().err + "".join(second.warnings)
    assert said.count(str(path)) == 1, said
    aside = [each.name for each in path.parent.iterdir() if ".damaged-" in each.name]
    assert bool(aside) == ("a new one begins" in said)


def test_cache_check_deletes_damaged_replies(tmp_path: Path) -> None:
    home = {"LLMEVAL_HOME": str(tmp_path)}
    cache = Cache(tmp_path)
    for key in (b"a", b"b", b"c"):
        asyncio.run(cache.put(key, Reply(text="x"), "m"))
    cache._writer.execute("UPDATE replies SET reply = x'0102' WHERE key != ?", (b"b",))
    cache.close()
    for damaged in (2, 0):
        done = command("cache", "check", "--json", **home)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"damaged": damaged, "replies": 1}
    (tmp_path / FILE).write_bytes(b"no database " * 400)
    done = command("cache", "check", **home)
    assert done.returncode == 3 and str(tmp_path / FILE) in done.stderr, done.stderr


def test_a_cache_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="--no-cache"):
        Cache(tmp_path / "file")


def test_a_cache_that_cannot_be_written_ends_caching_not_the_run(tmp_path: Path) -> None:
    async def run() -> str | None:
        cache = Cache(tmp_path)
        cache._writer.execute("DROP TABLE replies")
        kept = [await cache.put(key, Reply(text="x"), "m") for key in (b"k", b"l")]
        assert [each.reply.text for each in kept] == ["x", "x"]
        warning = cache.warning
        cache.close()
        return warning

    assert "continues without it" in (asyncio.run(run()) or "")


def test_replay(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"id": "a", "output": "one"}\n\n{"id": 7, "output": "two", "repeat": 1}\n')
    replay = Replay(path)

    async def ask(case: str, repeat: int) -> str:
        return (await replay.answer(Request(messages=(), case_id=case, repeat=repeat))).text

    assert asyncio.run(ask("a", 0)) == "one"
    assert asyncio.run(ask("7", 1)) == "two"
    with pytest.raises(ModelError, match="no answer for the case 'b', repeat 0"):
        asyncio.run(ask("b", 0))
    asyncio.run(replay.close())
    assert str(replay.identity["sha256"]).startswith("sha256:")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"id": "a"}\n', r"r.jsonl:1: not \{id, output"),
        (
            '{"id": "a", "output": "x"}\n{"id": "a", "output": "y"}\n',
            r"r.jsonl:2: a second answer for 'a'",
        ),
        ("no\n", r"r.jsonl:1"),
    ],
)
def test_broken_recordings(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "r.jsonl").write_text(text)
    with pytest.raises(SuiteError, match=told):
        Replay(tmp_path / "r.jsonl")
    with pytest.raises(SuiteError, match="relative to the suite"):
        Replay(tmp_path / "none.jsonl")


def ask_function(function: Any, **options: Any) -> Reply:
    return asyncio.run(PythonFunction(function, "m:f", **options).answer(HELLO))


def test_functions() -> None:
    async def whole(request: Request) -> Reply:
        return Reply(text=request.messages[0].content.upper())

    assert ask_function(lambda text: text * 2).text == "hellohello"
    assert ask_function(whole).text == "HELLO"

    async def slow(text: str) -> str:
        await asyncio.sleep(5)
        return text

    def crash(text: str) -> str:
        raise KeyError(text)

    for function, told in (
        (lambda text: 3, "returned int"),
        (crash, "raised KeyError"),
        (slow, "within 0.01 s"),
    ):
        with pytest.raises(ModelError, match=told) as caught:
            ask_function(function, timeout=0.01 if function is slow else 10)
        assert caught.value.kind == "candidate"


@pytest.mark.parametrize(
    "name", ["no.such:f", "json:nothing", "json:decoder.none", "json:__name__"]
)
def test_functions_that_are_not_there(name: str) -> None:
    with pytest.raises(SuiteError):
        load_function(name)


@pytest.mark.parametrize(
    ("reply", "output", "expected"),
    [
        ({"output": "x"}, "output", "x"),
        ({"a": [{"b": {"c": 3}}]}, "a[0].b", '{"c": 3}'),
        ({"a": 1}, "", '{"a": 1}'),
        ({"a": 1}, "b", None),
        ({"a": []}, "a[0]", None),
        ({"a": None}, "a", None),
    ],
)
def test_an_applications_endpoint(reply: Any, output: str, expected: str | None) -> None:
    async def ask(url: str) -> str:
        model = HttpEndpoint(
            url,
            method="POST",
            headers={"X-Key": "k"},
            body={"q": "p"},
            output=output,
            render=lambda value, values: {"q": values["prompt"]},
            params={},
            timeout=5,
        )
        try:
            return (await model.answer(HELLO)).text
        finally:
            await model.close()

    with serve(lambda body, n: (200, reply, {})) as endpoint:
        if expected is None:
            with pytest.raises(ModelError, match="has no|is null"):
                asyncio.run(ask(endpoint.url))
            return
        assert asyncio.run(ask(endpoint.url)) == expected
        assert (endpoint.requests, endpoint.headers[0]["X-Key"]) == ([{"q": "hello"}], "k")
