"""The history's figures: indexing, size, and the time of each question.

    python benchmarks/history.py [--runs 1000] [--cases 1000] [--many 5000] [--postgres URL]

Writes `--runs` run directories of `--cases` cases and three metrics, indexes them, and prints how
long that takes and how large the database is. Then it fills the database with `--many` runs and
times every question that `llmeval runs` and `llmeval view` ask, with the comparison of the
directories and without it. All below a temporary folder, which is deleted.
"""

import argparse
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from llmeval.core.manifest_file import manifest_bytes, manifest_of
from llmeval.history.case_life import life_of
from llmeval.history.experiment_store import RunQuery
from llmeval.history.flaky import flaky_cases
from llmeval.history.indexing import index_run, rebuild, update
from llmeval.history.leaderboard import leaderboard_of
from llmeval.history.opening import OpenHistory, open_store
from llmeval.history.paired_verdicts import pair_verdicts
from llmeval.history.trends import trend_of
from llmeval.view.links import ServedLinks
from llmeval.view.page import Site
from llmeval.view.run_pages import case_page, run_page
from llmeval.view.suite_pages import board_page, flaky_page, home_page, suite_page
from tests.support.history_runs import past_run

METRICS = {"facts": 0.9, "correctness": 0.8, "punctuation": 0.97}
SUITES = 5
REPEATS = 5
"""Times that each question is asked; the median is printed."""


def seconds(work: Callable[[], object], times: int = REPEATS) -> float:
    """The median CPU time of some work: others may use the machine at the same time."""
    times_taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        times_taken.append(time.process_time() - began)
    return statistics.median(times_taken)


def run_id(number: int) -> str:
    """Ids sort by time: a run an hour."""
    day, hour = divmod(number, 24)
    year, day = divmod(day, 336)
    month, day = divmod(day, 28)
    return f"{2020 + year}{month + 1:02d}{day + 1:02d}T{hour:02d}0000Z-{number:06x}"


def write_runs(reports: Path, runs: int, cases: int) -> None:
    """Run directories of suites in turn. Ten templates per suite are written; the others are copies
    with another id, which is all that the index sees differently.
    """
    chance = random.Random(1)
    for number in range(runs):
        suite = f"suite{number % SUITES}"
        source = number - SUITES * 10
        target = reports / suite / run_id(number)
        if source < 0:
            values = {
                name: [float(chance.random() < rate) for _ in range(cases)]
                for name, rate in METRICS.items()
            }
            past_run(reports, run_id(number), values, suite=suite)
        else:
            copy_run(reports / suite / run_id(number % (SUITES * 10)), target, run_id(number))


def copy_run(source: Path, target: Path, name: str) -> None:
    """The same run under another id."""
    import json

    from llmeval.core.checksums import sealed, unsealed

    shutil.copytree(source, target)
    plain = json.loads((source / "manifest.json").read_text()) | {"run_id": name}
    plain["started"] = f"{name[:4]}-{name[4:6]}-{name[6:8]}T{name[9:11]}:00:00Z"
    (target / "manifest.json").write_bytes(manifest_bytes(manifest_of(plain)))
    summary = json.loads(unsealed((source / "summary.json").read_bytes())) | {"run_id": name}
    (target / "summary.json").write_bytes(sealed(json.dumps(summary).encode()))


def show(name: str, value: str, goal: str = "") -> None:
    """One line of the result."""
    print(f"{name:58} {value:>12}  {goal}", flush=True)


def database_size(path: Path) -> int:
    """Bytes of a database with its log."""
    return sum(each.stat().st_size for each in path.parent.glob(f"{path.name}*"))


def indexing(reports: Path, address: str, runs: int, cases: int) -> None:
    """Time and size of a full index, of one run, and of nothing to do."""
    store = open_store(reports, address)
    took = seconds(lambda: rebuild(store, reports), 1)
    show(f"index {runs:,} runs x {cases:,} cases x 3 metrics", f"{took:.1f} s", "<= 60 s")
    if "://" not in address:
        store.close()
        size = database_size(Path(address)) / 1e6
        show("size of the database", f"{size:.2f} MB", "2 MB")
        store = open_store(reports, address)
    one = next(iter(sorted(reports.glob("*/*"))))
    show(
        "index one run at its end",
        f"{1e3 * seconds(lambda: index_run(store, one)):.1f} ms",
        "<= 20 ms",
    )
    opened = seconds(lambda: open_store(reports, address).close())
    show("open and close the database", f"{1e3 * opened:.1f} ms")
    store.close()


def questions(reports: Path, address: str, many: int) -> None:
    """The time of each question at many runs."""
    root = reports.resolve()
    store = open_store(root, address)
    update(store, root)
    history = OpenHistory(store, root)
    query, suite = RunQuery(root=str(root)), "suite0"
    compared = seconds(lambda: update(store, root))
    show(f"compare {many:,} directories with the database", f"{1e3 * compared:.1f} ms")
    newest = store.runs(query.where("suite", suite)._replace(limit=2))
    vectors = store.vectors([row.run_id for row in newest], "facts")
    lists = store.case_lists({each.case_list for each in vectors})
    site = Site(history, ServedLinks(), "benchmark")
    work: dict[str, Callable[[], object]] = {
        "runs list (50)": lambda: store.runs(query._replace(limit=50)),
        f"runs list ({many:,})": lambda: store.runs(query),
        "runs trend, one metric": lambda: trend_of(store, query, suite, "facts"),
        "runs trend, three metrics": lambda: trend_of(store, query, suite),
        "runs case": lambda: life_of(store, query, suite, "c17"),
        "runs flaky": lambda: flaky_cases(store, query, suite),
        "runs leaderboard": lambda: leaderboard_of(store, query, suite, "facts"),
        "compare two": lambda: pair_verdicts(vectors[0], vectors[1], lists).test(),
        "view: suites": lambda: home_page(site),
        "view: one suite": lambda: suite_page(site, suite),
        "view: one run": lambda: run_page(site, newest[0].run_id),
        "view: one case": lambda: case_page(site, suite, "c17"),
        "view: flaky": lambda: flaky_page(site, suite),
        "view: leaderboard": lambda: board_page(site, suite, "facts"),
    }
    for name, each in work.items():
        each()
        show(f"{name}, {many:,} runs", f"{1e3 * seconds(each):.1f} ms", "<= 100 ms")
    store.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--many", type=int, default=5000)
    parser.add_argument("--postgres", metavar="URL", help="an empty database, instead of SQLite")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="llmeval-history-") as name:
        folder = Path(name)
        os.environ["LLMEVAL_HOME"] = str(folder / "home")
        address = arguments.postgres or str(folder / "history.sqlite3")
        write_runs(folder / "reports", arguments.runs, arguments.cases)
        indexing((folder / "reports").resolve(), address, arguments.runs, arguments.cases)
        many = folder / "many"
        write_runs(many, arguments.many, 200)
        questions(
            many, address if arguments.postgres else str(folder / "many.sqlite3"), arguments.many
        )


if __name__ == "__main__":
    main()
