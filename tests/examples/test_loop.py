"""examples/loop, in short: real commands, files and gates; only training and answers are fake."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.fake_loop import FakePrograms, loop_folder

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture
def loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    with loop_folder(tmp_path, monkeypatch) as module:
        yield module


def test_training_and_suite_share_no_template(loop: ModuleType) -> None:
    import data

    for new, least in ((False, 80), (True, 30)):
        trained, tested = (
            {text for *_, text in data.templates(new=new, training=part)} for part in (True, False)
        )
        assert len(tested) >= least and not trained & tested


def test_the_loop_stops_the_bad_model_and_promotes_the_good_one(
    loop: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    programs = FakePrograms()
    loop.Loop(programs, count=100).play()
    assert Path("work/models/production").resolve().name == "v2"
    text = capsys.readouterr().out
    assert "alarm began on day 3" in text and "FAIL" in text
    rules = json.loads(Path("work/runs/release/v2/summary.json").read_text())["gate"]["rules"]
    assert {rule["rule"] for rule in rules} >= {"floor", "regression", "improve"}
    events = [json.loads(line) for line in Path("audit.jsonl").read_text().splitlines()]
    assert {"started", "approved", "baseline set", "promoted", "alarm raised", "trigger fired",
            "canary compared", "alarm ended"} <= {each["action"] for each in events}  # fmt: skip
    steps = Path("work/steps.jsonl").read_text()
    loop.Loop(programs, count=100).play()  # nothing is left to do
    assert Path("work/steps.jsonl").read_text() == steps
