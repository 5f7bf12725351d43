"""examples/loop, in short: real commands, files and gates; only the model and the training are fake.

A fake model is a folder whose generation_config.json says which messages it knows.
"""

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from llmeval.models.base import Reply, Request
from llmeval.models.local import TransformersModel
from tests.support.command import llmeval

pytest.importorskip("torch")
pytest.importorskip("transformers")
MODULES = ("data", "loop")


@pytest.fixture
def loop(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    folder = tmp_path / "loop"
    shutil.copytree(repository / "examples" / "loop", folder)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    module = importlib.import_module("loop")
    monkeypatch.setattr(TransformersModel, "answer", fake_answer)
    yield module
    for name in MODULES:
        sys.modules.pop(name, None)


async def fake_answer(model: TransformersModel, request: Request) -> Reply:
    """The label of a message that the model knows; else a wrong one."""
    import data

    folder = Path(model._located.folder)
    known = json.loads((folder / "generation_config.json").read_text())["knows"]
    text = request.messages[-1].content
    item = max((each for each in data.ITEMS if f" {each}" in text), key=len)
    for new in (False, True):
        for _, department, template in data.templates(new=new, training=False):
            if template.format(item=item) in text:
                known_here = ("new" if new else "old") in known
                wrong = "rentals" if department != "rentals" else "stock"
                label = {"department": department if known_here else wrong, "item": item}
                return Reply(text=json.dumps(label))
    raise AssertionError(text)


def fake_training(name: str, rows: str, start: str | None, epochs: int, rate: float) -> None:
    folder = Path("work/models") / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_text(rows)
    knows = [part for part in ("old", "new") if f"train-{part}" in rows]
    (folder / "generation_config.json").write_text(json.dumps({"knows": knows}))


def in_process(*arguments: object, **variables: str) -> int:
    done = llmeval(*arguments, cwd=Path.cwd(), **variables)
    return done.returncode


def test_the_loop_stops_the_bad_model_and_promotes_the_good_one(loop: ModuleType) -> None:
    loop.Loop(in_process, fake_training, window=120).play()
    assert Path("work/models/production").resolve().name == "v2"
    assert json.loads(Path("work/runs/bad/summary.json").read_text())["gate"]["decision"] == "FAIL"
    rules = json.loads(Path("work/runs/v2/summary.json").read_text())["gate"]["rules"]
    assert {rule["rule"] for rule in rules} >= {"floor", "regression", "improve"}


def test_a_retraining_that_changes_nothing_is_not_released(loop: ModuleType) -> None:
    def useless(name: str, rows: str, start: str | None, epochs: int, rate: float) -> None:
        fake_training(
            name, rows.replace("train-new", "other") if name == "v2" else rows, start, 2, 1
        )

    with pytest.raises(loop.LoopError, match="test v2: exit code 1"):
        loop.Loop(in_process, useless, window=120).play()
    assert Path("work/models/production").resolve().name == "v1"


def test_training_and_suites_share_no_template(loop: ModuleType) -> None:
    import data

    for new, least in ((False, 80), (True, 30)):
        trained, tested = (
            {text for *_, text in data.templates(new=new, training=part)} for part in (True, False)
        )
        assert len(tested) >= least and not trained & tested
