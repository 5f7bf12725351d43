"""The store that workers share, on a real PostgreSQL server: each request is sent once, whoever
dies.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmeval.core.errors import LlmevalError, StoreError, UsageError
from llmeval.models.base import Reply
from llmeval.models.client.cache import ALWAYS, NEVER
from llmeval.models.client.shared_bucket import SharedBucket
from llmeval.models.client.shared_store import SharedStore
from llmeval.models.client.store_session import VERSION, StoreSession
from llmeval.runner.shared_budget import SharedBudget
from tests.support.postgres import (
    PostgresServer,
    _account,
    _free_port,
    _run,
    running_server,
)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    yield from running_server()


@pytest.fixture
def url(server: PostgresServer) -> str:
    return server.database()


def key(number: int) -> bytes:
    return number.to_bytes(32)


async def work(store: SharedStore, n: int, sent: Counter[int], since: float = ALWAYS) -> list[str]:
    """The texts of n requests, each sent only if the store has no reply."""

    async def one(number: int) -> str:
        kept = await store.claim(key(number), since)
        if kept is None:
            sent[number] += 1
            await asyncio.sleep(0.002)
            reply = Reply(text=f"{number} by {store.run}")
            kept = await store.put(key(number), reply, "m", since)
            store.release(key(number), since)
        return kept.reply.text

    return list(await asyncio.gather(*map(one, range(n))))


@pytest.mark.parametrize(
    ("groups", "since", "calls"),
    [(("", ""), ALWAYS, 1), (("", ""), NEVER, 2), (("a", "a"), NEVER, 1), (("a", "b"), NEVER, 2)],
    ids=["pinned", "not pinned", "one group", "two groups"],
)
def test_two_workers_send_each_request_once(
    url: str, groups: tuple[str, str], since: float, calls: int
) -> None:
    """Two runs of a candidate without a `build` share nothing, unless they are one group."""
    sent: Counter[int] = Counter()

    async def both() -> tuple[list[str], list[str]]:
        stores = [SharedStore(url, group) for group in groups]
        first, second = await asyncio.gather(*(work(store, 200, sent, since) for store in stores))
        for store in stores:
            store.close()
        return first, second

    first, second = asyncio.run(both())
    assert set(sent.values()) == {calls}
    assert (first == second) == (calls == 1)


def test_callers_of_one_process_wait_for_one_another(url: str) -> None:
    sent: Counter[int] = Counter()

    async def both() -> None:
        store = SharedStore(url)
        await asyncio.gather(work(store, 50, sent), work(store, 50, sent))
        store.close()

    asyncio.run(both())
    assert set(sent.values()) == {1}


def test_a_claim_that_is_given_up_is_free(url: str) -> None:
    """The call failed, or the waiter was cancelled: the next worker makes it."""

    async def run() -> None:
        one, two = SharedStore(url), SharedStore(url)
        assert await one.claim(key(1), ALWAYS) is None
        waits = asyncio.create_task(two.claim(key(1), ALWAYS))
        await asyncio.sleep(0.1)
        assert not waits.done()
        waits.cancel()
        again = asyncio.create_task(two.claim(key(1), ALWAYS))
        one.release(key(1), ALWAYS)
        assert await again is None
        assert (await two.put(key(1), Reply(text="b"), "m", ALWAYS)).reply.text == "b"
        assert (await one.put(key(1), Reply(text="a"), "m", ALWAYS)).reply.text == "b"
        read = await one.read(key(1), ALWAYS)
        assert read is not None and (read.reply.text, read.run) == ("b", two.run)
        one.close()
        two.close()

    asyncio.run(asyncio.wait_for(run(), 20))


CLAIMS = """
import asyncio, sys, time
from llmeval.models.client.shared_store import SharedStore

async def claim():
    store = SharedStore(sys.argv[1])
    assert await store.claim((1).to_bytes(32), 0.0) is None
    print("claimed", flush=True)
    time.sleep(60)

asyncio.run(claim())
"""


def test_the_claims_of_a_killed_worker_are_taken_over(url: str) -> None:
    worker = subprocess.Popen([sys.executable, "-c", CLAIMS, url], stdout=subprocess.PIPE)
    assert worker.stdout is not None and worker.stdout.readline() == b"claimed\n"

    async def take_over() -> None:
        store = SharedStore(url)
        waits = asyncio.create_task(store.claim(key(1), ALWAYS))
        await asyncio.sleep(0.3)
        assert not waits.done()
        os.kill(worker.pid, signal.SIGKILL)
        assert await asyncio.wait_for(waits, 10) is None
        store.close()

    asyncio.run(take_over())
    worker.wait()
    worker.stdout.close()


def test_a_session_that_ends_is_replaced(server: PostgresServer, url: str) -> None:
    """As after a restart of the server: claims stay, and no request is sent twice."""
    import psycopg

    sent: Counter[int] = Counter()

    async def run() -> None:
        one, two = SharedStore(url), SharedStore(url)
        assert await one.claim(key(9), ALWAYS) is None
        with psycopg.connect(server.address(), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid !="
                " pg_backend_pid() AND backend_type = 'client backend'"
            )
        assert (await one.put(key(9), Reply(text="9"), "m", ALWAYS)).reply.text == "9"
        kept = await two.claim(key(9), ALWAYS)
        assert kept is not None and kept.reply.text == "9"
        await asyncio.gather(work(one, 8, sent), work(two, 8, sent))
        one.close()
        two.close()

    asyncio.run(asyncio.wait_for(run(), 30))
    assert set(sent.values()) == {1}


def test_a_restart_of_the_server_is_survived(server: PostgresServer, url: str) -> None:
    account, sent = _account(server.folder), Counter[int]()

    def restart() -> None:
        _run(account, "pg_ctl", "-D", server.folder / "data", "-m", "fast", "-w", "restart")

    async def run() -> None:
        one, two = SharedStore(url), SharedStore(url)
        both = asyncio.gather(*(work(store, 2000, sent) for store in (one, two)))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(restart)
        first, second = await both
        assert first == second and len(first) == 2000
        one.close()
        two.close()

    asyncio.run(asyncio.wait_for(run(), 60))
    assert set(sent) == set(range(2000))


def test_a_server_that_stays_away_ends_the_run(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmeval.models.client.store_session.RECONNECT_SECONDS", 0.1)

    async def run() -> None:
        store = SharedStore(url)
        store._session._url = "postgresql://u:p@127.0.0.1:1/x"
        store._session._db.close()
        with pytest.raises(StoreError, match="stopped answering"):
            await store.claim(key(1), ALWAYS)

    asyncio.run(run())


def test_a_damaged_reply_is_made_again(url: str) -> None:
    import psycopg

    async def run() -> None:
        store = SharedStore(url)
        with psycopg.connect(url, autocommit=True) as other:
            other.execute(
                "INSERT INTO replies (key, reply, run, owner) VALUES (%s, 'junk', 'r', 0)",
                (key(1),),
            )
        assert await asyncio.wait_for(store.claim(key(1), ALWAYS), 10) is None
        store.close()

    asyncio.run(run())


def test_a_rate_is_shared(url: str) -> None:
    """Two workers, 6 a minute: 20 calls each are 39 too many at once, and 10 s a call."""

    async def run() -> float:
        stores = [SharedStore(url), SharedStore(url)]
        buckets = [SharedBucket(store, "requests m", 6) for store in stores]
        waits = [await bucket.take(1) for _ in range(20) for bucket in buckets]
        for store in stores:
            store.close()
        return waits[-1]

    assert 300 < asyncio.run(run()) <= 390


def test_money_is_shared_by_a_group(url: str) -> None:
    async def run() -> list[str | None]:
        store = SharedStore(url, "g")
        budgets = [SharedBudget(store, "g", None, 1.0, None) for _ in range(2)]
        budgets[0].spend(0.7, of="m")
        budgets[1].spend(0.7, of="m")
        await asyncio.sleep(0.5)
        later = SharedBudget(store, "g", None, 1.0, None)
        other = SharedBudget(store, "h", None, 1.0, None)
        assert other.may_call() and not later.may_call()
        store.close()
        return [later.stopped, other.stopped]

    assert asyncio.run(run()) == ["--max-cost 1 is used up by the workers of g", None]


def test_old_replies_are_pruned_and_live_claims_stay(url: str) -> None:
    async def run() -> None:
        store = SharedStore(url)
        await store.put(key(1), Reply(text="a"), "m", ALWAYS)
        assert await store.claim(key(2), ALWAYS) is None
        session = StoreSession(url)
        assert [session.prune(3600), session.prune(0), session.prune(0)] == [0, 1, 0]
        session.close()
        store.close()

    asyncio.run(run())


def test_a_role_that_may_only_read(server: PostgresServer, url: str) -> None:
    import psycopg

    async def run() -> None:
        store = SharedStore(url)
        await store.put(key(1), Reply(text="a"), "m", ALWAYS)
        store.close()
        with psycopg.connect(url, autocommit=True) as admin:
            admin.execute("CREATE ROLE reader LOGIN PASSWORD 'reader-secret'")
            admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        reader = SharedStore(
            url.replace(f"{server.user}:{server.password}", "reader:reader-secret")
        )
        assert reader.warning is not None and "read-only" in reader.warning
        kept = await reader.claim(key(1), ALWAYS)
        assert kept is not None and kept.reply.text == "a"
        assert await reader.claim(key(2), ALWAYS) is None
        assert (await reader.put(key(2), Reply(text="b"), "m", ALWAYS)).reply.text == "b"
        assert await reader.read(key(2), ALWAYS) is None
        reader.close()

    asyncio.run(asyncio.wait_for(run(), 20))


@pytest.mark.parametrize(
    ("wrong", "kind", "message"),
    [
        ("postgresql://tester:pw-secret-1@127.0.0.1:{port}/postgres", UsageError, "login"),
        ("postgresql://tester:{password}@127.0.0.1:{port}/no_such", UsageError, "does not exist"),
        ("postgresql://tester:{password}@127.0.0.1:1/x", StoreError, "can't be reached"),
        ("postgresql://tester:pw-sec@ret-1@127.0.0.1:{port}/x", UsageError, "percent form"),
        ("postgresql://tester:pw-secret-1@127.0.0.1:x/y", UsageError, "percent form"),
        ("sqlite:///pw-secret-1", UsageError, "write postgresql://"),
    ],
)
def test_a_wrong_address_is_refused_without_its_password(
    server: PostgresServer, wrong: str, kind: type[LlmevalError], message: str
) -> None:
    stated = wrong.format(port=server.port, password=server.password)
    with pytest.raises(kind, match=message) as caught:
        SharedStore(stated)
    assert "secret-1" not in str(caught.value) and server.password not in str(caught.value)


def test_tables_of_a_newer_llmeval_are_refused(url: str) -> None:
    import psycopg

    SharedStore(url).close()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("UPDATE llmeval_store SET version = %s", (VERSION + 1,))
    with pytest.raises(UsageError, match="newer llmeval"):
        SharedStore(url)


POOLER = Path("/usr/sbin/pgbouncer")


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_between_transactions_is_refused(
    server: PostgresServer, url: str, tmp_path: Path, mode: str
) -> None:
    if not POOLER.exists():
        pytest.skip("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    port, name = _free_port(), url.rsplit("/", 1)[1]
    (server.folder / "users").write_text(f'"{server.user}" "{server.password}"\n')
    settings = server.folder / f"{mode}.ini"
    settings.write_text(
        f"[databases]\n{name} = host=127.0.0.1 port={server.port}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\npool_mode = {mode}\n"
        f"auth_type = plain\nauth_file = {server.folder / 'users'}\n"
        "default_pool_size = 5\nserver_round_robin = 1\n"
    )
    account = _account(server.folder)
    who = [] if account is None else ["-u", account.pw_name]
    pooler = subprocess.Popen(
        [POOLER, *who, settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    pooled = url.replace(f":{server.port}/", f":{port}/")
    try:
        error: LlmevalError | None = StoreError("can't be reached")
        for _ in range(100):
            if error is None or "can't be reached" not in str(error):
                break
            try:
                SharedStore(pooled).close()
                error = None
            except LlmevalError as caught:
                error = caught
        assert (error is None) == (mode == "session")
        assert error is None or "transaction mode" in str(error)
    finally:
        pooler.terminate()
        pooler.wait()
