"""Which run is the newest: the one that began last, whatever its directory is called."""

from pathlib import Path

from llmeval.history.runs import LATEST, find, list_runs
from tests.support.runs import run_of


def test_runs_are_ordered_by_time_and_not_by_the_names_of_directories(tmp_path: Path) -> None:
    for name, run_id in (
        ("zulu", "20260101T000000Z-aaaaaa"),
        ("20260102T000000Z-bbbbbb", "20260102T000000Z-bbbbbb"),
        ("alpha", "20260103T000000Z-cccccc"),
    ):
        run = run_of(tmp_path / "qa" / run_id, {"m": [1.0, 0.0]})
        run.path.rename(run.path.with_name(name))
    assert find(Path(LATEST), tmp_path).name == "alpha"
    names = [Path(str(run["path"])).name for run in list_runs(tmp_path)]
    assert names == ["alpha", "20260102T000000Z-bbbbbb", "zulu"]
