"""What observers of a run get, in which order, and what is on disk by then."""

from pathlib import Path

import pytest

import llmeval
from llmeval.core.results import Summary
from llmeval.runner.options import Options
from llmeval.store.run_observer import RunStart
from llmeval.store.run_store import RunStore
from llmeval.store.units import Unit
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

N = 12


class Events:
    """Keeps what it gets. `fail_at`: the number of the unit at which it raises."""

    def __init__(self, folder: Path, fail_at: int = 0) -> None:
        self.folder, self.fail_at = folder, fail_at
        self.names: list[str] = []
        self.units: list[Unit] = []
        self.cases = 0

    def planned(self, start: RunStart) -> None:
        self.names.append("planned")
        assert (start.counters.total, start.counters.done) == (N, 0)
        assert start.manifest.status == "running"

    def unit_done(self, unit: Unit) -> None:
        self.names.append("unit")
        self.units.append(unit)
        for file in ("answers.jsonl", "scores.jsonl"):
            assert f'"{unit.case.id}"' in (self.folder / file).read_text(), "recorded before"
        if len(self.units) == self.fail_at:
            raise RuntimeError("the observer is broken")

    def ended(self) -> None:
        self.names.append("ended")

    def decided(self, run: RunStore, summary: Summary) -> None:
        self.names.append("decided")
        assert run.has_summary()
        self.cases = summary.counts.cases


def observe(tmp_path: Path, events: Events) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N)
        llmeval.run(suite, options=Options(out=tmp_path / "run"), observers=[events])


def test_events_come_in_their_order_and_each_unit_once(tmp_path: Path) -> None:
    events = Events(tmp_path / "run")
    observe(tmp_path, events)
    assert events.names == ["planned", *["unit"] * N, "ended", "decided"]
    assert len({unit.case.id for unit in events.units}) == N
    assert all(len(unit.scores) == 2 for unit in events.units)
    assert events.cases == N


def test_a_broken_observer_ends_the_run_and_hears_of_the_end(tmp_path: Path) -> None:
    events = Events(tmp_path / "run", fail_at=3)
    with pytest.raises(RuntimeError, match="the observer is broken"):
        observe(tmp_path, events)
    assert events.names == ["planned", "unit", "unit", "unit", "ended"]
