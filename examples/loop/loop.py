"""The loop, from the first training to the retrained release. One command plays it offline:

    python loop.py

Every step is a command of llmeval that a shell, a Makefile or an orchestrator runs as well. A step
with another exit code than the expected one ends the loop; a second call continues after the last
step that was done. `rm -r work` begins again.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import data
from steps import WORK, LoopError, Programs, Server, Steps
from traffic import Shop

RUNS = WORK / "runs"
BASELINE = Path("release.lock.json")
PRODUCTION = WORK / "models" / "production"
OLD, NEW = "work/data/train-old.jsonl", "work/data/train-new.jsonl"
QUIET, LABELLED, CANARY, LAST = 30, 35, 36, 48
"""Days: the last one without rentals, the last one before the labels, the one of the canary, and
the last one of the play."""


class Loop:
    """The steps, in their order."""

    def __init__(self, programs: Programs, count: int = 128) -> None:
        self._programs = programs
        self._steps = Steps()
        self._server: Server | None = None
        self._shop = Shop(WORK, self._first_day(), count)

    def _first_day(self) -> date:
        """Day 1: the last day of the play is yesterday."""
        file = WORK / "first-day.txt"
        if not file.exists():
            first = datetime.now(UTC).date() - timedelta(days=LAST)
            file.write_text(f"{first}\n", "utf-8")
        return date.fromisoformat(file.read_text("utf-8").strip())

    def play(self) -> None:
        """Play all of it.

        Raises:
            LoopError: a step did not end as expected.
        """
        try:
            self.first_release()
            self.watch()
            self.refresh_the_data()
            self.refuse_the_bad_one()
            self.release_the_retrained_one()
            self.recover()
        finally:
            if self._server is not None:
                self._server.close()
        self.show()

    def first_release(self) -> None:
        """Train on six departments, test, approve, promote, and keep the baseline."""
        self._do("write the data", lambda: data.write_first(WORK / "data"))
        self._llmeval("begin the chain of events", "audit", "start", ".", "--by", "release-manager")
        self._llmeval("check the data", "data", "check", "first.yaml")
        self._do("train v1", lambda: self._programs.train("v1", OLD, None, 2, 2e-3))
        self._test("v1", "first.yaml", 0)
        self._promote("v1", 2, "promote v1 without an approval")
        self._approve("v1", "First release.")
        self._promote("v1", 0)
        self._baseline("v1", "First release.")

    def watch(self) -> None:
        """Serve v1. 30 quiet days, then rentals; the monitor looks at each day that is over."""
        self._serve("production", "served.jsonl")
        self._traffic("days 1 to 30", list(range(1, QUIET + 1)))
        self._monitor("days 1 to 30", 0)
        for day in range(data.FIRST_NEW_DAY, LABELLED + 1):
            self._traffic(f"day {day}", [day])
            self._monitor(f"day {day}", 0, 1)
        if not self._alarm_days():
            raise LoopError("the change of day 31 raised no alarm")
        days = [self._day_run(QUIET), self._day_run(LABELLED)]
        label = ("--unpaired", "--label", "$.department")
        self._llmeval("compare two days", "compare", *days, *label)

    def refresh_the_data(self) -> None:
        """The trigger decides; its action adds labelled traffic to training set and suite."""
        self._llmeval("what to do", "trigger", "evaluate", "release.yaml", "--reports", RUNS)
        fire = ("evaluate", "release.yaml", "--reports", RUNS, "--fire")
        self._llmeval("fire: label the traffic", "trigger", *fire)
        self._llmeval("check the extended data", "data", "check", "first.yaml")
        # what is served, on the extended suite: the baseline of the retraining
        self._test("v1-extended", "first.yaml", 0, model="v1")
        self._approve("v1-extended", "The served model on the extended suite.")
        self._baseline("v1-extended", "The served model on the extended suite.")

    def refuse_the_bad_one(self) -> None:
        """Training on the new messages alone forgets the old ones; the gate stops it."""
        self._do("train bad", lambda: self._programs.train("bad", NEW, "v1", 6, 1e-3))
        self._test("bad", "release.yaml", 1)
        self._promote("bad", 2)

    def release_the_retrained_one(self) -> None:
        """From the base with old and new messages: tested, approved, and compared live."""
        rows = f"{OLD},{NEW}:2"
        self._do("train v2", lambda: self._programs.train("v2", rows, None, 2, 2e-3))
        self._test("v2", "release.yaml", 0)
        self._approve("v2", "Not worse on the old messages, and better on rentals.")
        self._canary()
        self._promote("v2", 0)
        self._baseline("v2", "The second release.")

    def recover(self) -> None:
        """Serve v2, until the alarm ends."""
        self._serve("production", "served.jsonl")
        self._traffic(f"days {CANARY + 1} to {LAST}", list(range(CANARY + 1, LAST + 1)))
        self._monitor(f"days {CANARY} to {LAST}", 0)

    def show(self) -> None:
        """Write the pages, and print what happened."""
        self._llmeval("verify the chain of events", "audit", "verify", ".")
        self._llmeval("verify the release", "verify", RUNS / "release" / "v2")
        pages = ("--export", WORK / "pages", "--reports", RUNS)
        self._llmeval("write the pages", "view", *pages)
        print("\n".join([*self._steps.table(), "", *self._results()]), flush=True)

    def _canary(self) -> None:
        """One day on which v2 answers each message too; the customers get the answer of v1."""
        name = f"traffic of day {CANARY}, also to the canary"

        def act() -> None:
            assert self._server is not None
            canary = self._programs.serve("v2", "canary.jsonl")
            try:
                self._shop.send([CANARY], self._server.port, canary.port)
            finally:
                canary.close()
            self._shop.join("canary.jsonl", "canary")
            self._shop.join("served.jsonl", "traffic")

        self._serve("production", "served.jsonl")
        self._do(name, act)
        files = (WORK / "traffic", WORK / "canary")
        words = ("compare", "--live", *files, "--suite", "release.yaml")
        self._llmeval("compare the canary", *words)
        self._stop("v1")

    def _do(self, name: str, act: Callable[[], object], *expected: int) -> int:
        return self._steps.do(name, act, expected or (0,))

    def _llmeval(self, name: str, *words: object, codes: tuple[int, ...] = (0,)) -> int:
        return self._do(name, lambda: self._programs.llmeval(*words, PYTHON=sys.executable), *codes)

    def _test(self, name: str, suite: str, code: int, model: str = "") -> None:
        folder, run = str(WORK / "models" / (model or name)), RUNS / "release" / name
        words = ("run", suite, "--out", run, "--reports", RUNS)

        def act() -> int:
            # of a call that was stopped: its answers come from the cache
            shutil.rmtree(run, ignore_errors=True)
            return self._programs.llmeval(*words, LOOP_MODEL=folder)

        self._do(f"test {name}", act, code)

    def _approve(self, name: str, reason: str) -> None:
        words = ("approve", RUNS / "release" / name, "--by", "Ada", "--role", "release-manager")
        self._llmeval(f"approve {name}", *words, "--reason", reason)

    def _promote(self, name: str, code: int, title: str = "") -> None:
        words = ("promote", RUNS / "release" / name, "--to", PRODUCTION, "--by", "Ada")
        folder = str(WORK / "models" / name)
        act = lambda: self._programs.llmeval(*words, LOOP_MODEL=folder)  # noqa: E731
        self._do(title or f"promote {name}", act, code)

    def _baseline(self, name: str, reason: str) -> None:
        words = ("baseline", "approve", RUNS / "release" / name, "--by", "Ada", "--out", BASELINE)
        self._llmeval(f"baseline {name}", *words, "--reason", reason, "--expires", "2099-01-01")

    def _serve(self, model: str, log: str) -> None:
        """Serve a model, unless one is served; a call that continues starts it again."""
        if self._server is None:
            self._server = self._programs.serve(model, log)

    def _stop(self, name: str) -> None:
        def act() -> None:
            assert self._server is not None
            self._server.close()

        self._do(f"stop serving {name}", act)
        if self._server is not None:
            self._server.close()
        self._server = None

    def _traffic(self, name: str, days: list[int]) -> None:
        def act() -> None:
            assert self._server is not None
            self._shop.send(days, self._server.port)
            self._shop.join("served.jsonl", "traffic")

        self._do(f"traffic of {name}", act)

    def _monitor(self, name: str, *codes: int) -> int:
        words = ("monitor", "release.yaml", "--once", "--reports", RUNS)
        return self._llmeval(f"monitor {name}", *words, codes=codes)

    def _looks(self) -> list[data.Row]:
        return data.read_lines(RUNS / "release" / "monitor" / "looks.jsonl")

    def _day_run(self, day: int) -> Path:
        date_ = self._shop.date_of(day)
        run = next(row["run"] for row in self._looks() if row["day"] == date_)
        return RUNS / "release" / "monitor" / str(run)

    def _alarm_days(self) -> list[int]:
        """The days with an open alarm."""
        first = date.fromisoformat(self._shop.date_of(1))
        return [
            (date.fromisoformat(str(row["day"])) - first).days + 1
            for row in self._looks()
            if "alarm" in _states(row)
        ]

    def _results(self) -> list[str]:
        lines = [f"{'run':<16}{'decision':<14}{'old messages':>14}{'rentals':>12}"]
        for name in ("v1", "v1-extended", "bad", "v2"):
            lines.append(self._result(name))
        days = self._alarm_days()
        lines += [
            "",
            f"Rentals began on day {data.FIRST_NEW_DAY}. The alarm began on day {days[0]} and ended"
            f" on day {days[-1] + 1}.",
            f"The canary answered day {CANARY} too. v2 is served since day {CANARY + 1}.",
            f"Served: {os.readlink(PRODUCTION)}. Pages: {WORK / 'pages' / 'index.html'}.",
            f"Events: {len(data.read_lines(Path('audit.jsonl')))} in audit.jsonl.",
        ]
        return lines

    def _result(self, name: str) -> str:
        summary = json.loads((RUNS / "release" / name / "summary.json").read_text("utf-8"))
        shares = {
            metric["slice"].rpartition("=")[2]: f"{metric['passed']} of {metric['n']}"
            for metric in summary["metrics"]
            if metric["metric"] == "equals" and metric["slice"]
        }
        old, new = (shares.get(part, "-") for part in ("old", "new"))
        return f"{name:<16}{summary['gate']['decision']:<14}{old:>14}{new:>12}"


def _states(row: data.Row) -> set[str]:
    counts = row["counts"]
    assert isinstance(counts, list)
    return {str(each["state"]) for each in counts}


def main() -> None:
    """Play the loop in the folder of the example."""
    os.chdir(Path(__file__).parent)
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    os.environ.setdefault(
        "OMP_WAIT_POLICY", "passive"
    )  # threads that wait leave the core to others
    try:
        Loop(Programs()).play()
    except LoopError as error:
        sys.exit(f"loop: {error}")


if __name__ == "__main__":
    main()
