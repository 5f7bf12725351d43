"""The history is a projection: the same rows in SQLite and PostgreSQL, and again after it was
deleted, damaged or cut off.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmeval.core.errors import StoreError
from llmeval.history.experiment_store import ExperimentStore, RunQuery
from llmeval.history.indexing import index_run, rebuild, update
from llmeval.history.opening import FILE, index_finished, open_history, open_store
from llmeval.history.sqlite import network_file_system, open_sqlite
from llmeval.store.run_tags import change_tags
from tests.support.command import llmeval
from tests.support.history_runs import git, past_run
from tests.support.postgres import PostgresServer, running_server

ID = "202601{:02d}T090000Z-{:06x}"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    yield from running_server()


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "own.sqlite3")
    running: PostgresServer = request.getfixturevalue("server")
    return running.database()


def folder_of_runs(reports: Path) -> Path:
    for day in range(1, 4):
        past_run(
            reports,
            ID.format(day, day),
            {"facts": [1.0, 0.0, None, 1.0], "correctness": [1.0, 0.25, 0.75, 1.0]},
            git=git("main", f"a{day}"),
        )
    past_run(reports, ID.format(4, 4), {"facts": [1.0, 1.0]}, suite="other")
    change_tags(reports / "qa" / ID.format(2, 2), {"release": "1.2"})
    return reports


def test_both_databases_hold_the_same_rows(tmp_path: Path, server: PostgresServer) -> None:
    reports = folder_of_runs(tmp_path / "reports")
    dumps = []
    for address in (str(tmp_path / "a.sqlite3"), server.database()):
        store = open_store(reports, address)
        update(store, reports)
        dumps.append(store.dump())
        store.close()
    assert dumps[0] == dumps[1]
    assert sum('"runs"' in line for line in dumps[0]) == 4


def test_a_store_answers_what_the_directories_say(tmp_path: Path, address: str) -> None:
    reports = folder_of_runs(tmp_path / "reports")
    with open_history(reports, address) as history:
        rows = history.store.runs(history.query.where("suite", "qa"))
        assert [row.run_id for row in rows] == [ID.format(day, day) for day in (3, 2, 1)]
        assert (rows[0].branch, rows[0].short_commit) == ("main", "a300000")
        tagged = history.store.runs(history.query._replace(tags=(("release", "1.2"),)))
        assert [row.run_id for row in tagged] == [ID.format(2, 2)]
        (vector,) = history.store.vectors([rows[0].run_id], "facts")
        assert list(vector.verdicts) == [1, 0, 2, 1]
        (graded,) = history.store.vectors([rows[0].run_id], "correctness")
        assert graded.values == (1.0, 0.25, 0.75, 1.0)
        cases = history.store.case_lists([vector.case_list])[vector.case_list]
        assert cases.ids == ("c0", "c1", "c2", "c3")


def test_a_run_indexed_twice_is_one_run(tmp_path: Path, address: str) -> None:
    run = past_run(tmp_path / "reports", ID.format(1, 1), {"facts": [1.0]})
    store = open_store(tmp_path / "reports", address)
    before = (index_run(store, run.path), store.dump())
    assert (index_run(store, run.path), store.dump()) == before
    assert before[0] == []
    store.close()


def test_another_run_of_the_same_id_is_refused(tmp_path: Path, address: str) -> None:
    reports = tmp_path / "reports"
    kept = past_run(reports, ID.format(1, 1), {"facts": [1.0]})
    forged = past_run(tmp_path / "b", ID.format(1, 1), {"facts": [1.0, 1.0]})
    forged.path.rename(kept.path.with_name("restored"))
    store = open_store(reports, address)
    report = update(store, reports)
    assert all_paths(store) == [str(kept.path)]
    assert ["another run of this id" in row.reason for row in report.skipped] == [True]
    store.close()


def test_deleting_the_database_changes_no_answer(tmp_path: Path) -> None:
    reports, file = folder_of_runs(tmp_path / "reports"), tmp_path / "h.sqlite3"
    store = open_sqlite(file, reports)
    for path in sorted(reports.glob("*/*")):  # as runs end, one by one
        index_run(store, path)
    first = store.dump()
    store.close()
    for each in tmp_path.glob("h.sqlite3*"):
        each.unlink()
    with open_history(reports, str(file)) as history:
        assert history.store.dump() == first


def test_what_changed_is_read_again_and_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    reports = folder_of_runs(tmp_path / "reports")
    with open_history(reports) as history:
        assert history.report.indexed == 4
    run = reports / "qa" / ID.format(1, 1)
    change_tags(run, {"note": "x"})
    gone = reports / "qa" / ID.format(3, 3)
    gone.rename(tmp_path / "elsewhere")
    with open_history(reports) as history:
        assert history.report[:3] == (3, 1, 1)
        assert history.store.tags([run.name]) == {run.name: {"note": "x"}}
        assert gone.name not in {row.run_id for row in history.store.runs(history.query)}


@pytest.mark.parametrize("content", [b"not a database at all, but some text", b"\0" * 4096])
def test_a_damaged_file_is_moved_away_and_built_again(tmp_path: Path, content: bytes) -> None:
    reports, file = folder_of_runs(tmp_path / "reports"), tmp_path / "h.sqlite3"
    file.write_bytes(content)
    with open_history(reports, str(file)) as history:
        assert len(history.store.runs(history.query)) == 4
        assert history.store.name == str(file)


def test_a_copy_of_a_run_in_another_folder_changes_nothing_here(tmp_path: Path) -> None:
    reports = folder_of_runs(tmp_path / "reports")
    shutil.copytree(reports, tmp_path / "artifact")
    with open_history(reports) as history, open_history(tmp_path / "artifact") as other:
        assert other.report.indexed == 4
        assert len(history.store.runs(history.query)) == 4
        assert history.store.dump() != []
    with open_history(reports) as history:
        assert history.report.indexed == 0


def test_another_schema_is_dropped_and_built_again(tmp_path: Path) -> None:
    reports, file = folder_of_runs(tmp_path / "reports"), tmp_path / "h.sqlite3"
    with open_history(reports, str(file)) as history:
        rows = history.store.dump()
    raw = sqlite3.connect(file)
    with raw:
        raw.execute("UPDATE meta SET content = '0'")
        raw.execute("ALTER TABLE runs ADD COLUMN old TEXT")
    raw.close()
    with open_history(reports, str(file)) as history:
        assert history.store.dump() == rows


def test_a_folder_that_is_read_only_is_answered_from_memory(tmp_path: Path) -> None:
    reports = folder_of_runs(tmp_path / "reports")
    (tmp_path / "file").write_text("in the way")
    warned: list[str] = []
    with open_history(reports, str(tmp_path / "file" / "h.sqlite3"), warned.append) as history:
        assert len(history.store.runs(history.query)) == 4
    assert "read instead" in warned[0]


def test_directories_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    reports = folder_of_runs(tmp_path / "reports")
    torn = reports / "qa" / ID.format(2, 2) / "scores.jsonl"
    torn.write_bytes(torn.read_bytes()[:-30])
    newer = reports / "qa" / ID.format(1, 1) / "manifest.json"
    newer.write_text(newer.read_text().replace('"schema": 3', '"schema": 9'))
    with open_history(reports) as history:
        reasons = {Path(row.path).name: row.reason for row in history.report.skipped}
        assert "upgrade llmeval" in reasons[ID.format(1, 1)]
        assert "torn" in reasons[ID.format(2, 2)]
        assert len(history.store.runs(history.query)) == 2


_ENDLESS = """
import sys
from pathlib import Path
from llmeval.history.indexing import rebuild
from llmeval.history.opening import open_store
store = open_store(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    rebuild(store, Path(sys.argv[1]))
"""


def test_a_kill_while_indexing_costs_nothing(tmp_path: Path) -> None:
    reports = folder_of_runs(tmp_path / "reports")
    with open_history(reports) as history:
        rows = history.store.dump()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for delay in (0.01, 0.05, 0.1):
        writer = subprocess.Popen(
            [sys.executable, "-c", _ENDLESS, reports], env=environment, stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        with open_history(reports) as history:
            assert history.store.dump() == rows


def test_a_server_that_is_down_never_fails_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = past_run(tmp_path / "reports", ID.format(1, 1), {"facts": [1.0]})
    monkeypatch.setenv("LLMEVAL_HISTORY", "postgresql://me:geheim-geheim@127.0.0.1:1/db")
    line = index_finished(run.path)
    assert "`llmeval history index` adds it" in line
    assert "geheim" not in line
    with pytest.raises(StoreError, match="can't be used") as caught:
        open_history(tmp_path / "reports")
    assert "geheim" not in str(caught.value)


def test_a_history_on_a_network_file_system_is_recognised(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    home = tmp_path / "home"
    mounts.write_text(
        "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        f"31 22 0:40 / {home} rw shared:2 - nfs4 server:/home rw\n"
        f"32 31 8:2 / {home}/local rw - ext4 /dev/sdb1 rw\n"
    )
    kinds = [network_file_system(home / place, mounts) for place in ("x", "local/x", "../x")]
    assert kinds == ["nfs4", "", ""]


def test_two_writers_wait_for_each_other(tmp_path: Path, address: str) -> None:
    reports = folder_of_runs(tmp_path / "reports")
    stores = [open_store(reports, address), open_store(reports, address)]
    for store in (*stores, *stores):
        rebuild(store, reports)
    assert stores[0].dump() == stores[1].dump()
    for store in stores:
        store.close()


def test_the_default_file_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMEVAL_HOME", str(tmp_path / "home"))
    open_store(tmp_path).close()
    assert (tmp_path / "home" / FILE).stat().st_mode & 0o077 == 0


def all_paths(store: ExperimentStore) -> list[str]:
    return [row.path for row in store.runs(RunQuery())]


def test_runs_of_another_machine_are_compared_by_their_verdicts(
    tmp_path: Path, server: PostgresServer
) -> None:
    """As `compare` does with the directories."""
    address, reports, here = server.database(), tmp_path / "there", tmp_path / "here"
    good, bad = [1.0] * 24 + [0.0] * 6, [1.0] * 12 + [0.0] * 18
    judges = {"digests": {"judges": {"correctness": "sha256:" + "e5" * 32}}}
    for day, values, about in ((1, good, {}), (2, bad, {}), (3, bad, judges)):
        metrics = {"facts": values, "correctness": values}
        past_run(reports, ID.format(day, day), metrics, git=git("main", f"a{day}"), **about)
    past_run(reports, ID.format(4, 4), {"facts": [1.0]}, suite="other")
    store = open_store(reports, address)
    update(store, reports)
    store.close()
    here.mkdir()

    def compared(*names: str, code: int = 0) -> str:
        done = llmeval("compare", *names, "--history", address, "--reports", here)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    first, third = ID.format(1, 1), ID.format(3, 3)
    document = json.loads(compared(first, "qa/main@latest", "--json"))
    assert (document["first"], document["second"]) == (first, third)
    correctness, facts = document["changes"]
    assert correctness["not_compared"] == "another judge"
    usual = llmeval("compare", reports / "qa" / first, reports / "qa" / third, "--json")
    (overall,) = (each for each in json.loads(usual.stdout)["metrics"] if each["metric"] == "facts")
    assert facts["n"] == 30
    assert overall["difference"] == pytest.approx(facts["difference"])
    shown = compared(first, third)
    assert "−40.0" in shown and "correctness: not compared" in shown
    assert "is of the suite" in compared(first, ID.format(4, 4), code=2)
    assert "are the same run" in compared(first, first, code=2)
    assert "in the history postgresql://" in compared(first, "none", code=3)
    assert "the history has no answers" in compared(first, third, "--best", code=2)
