"""The programs of examples/loop without weights: commands in this process, fake training and
answers. A fake model is a folder whose generation_config.json says which messages it knows.
"""

import importlib
import json
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from llmeval.models.base import Reply, Request
from llmeval.models.local import TransformersModel
from tests.support.command import ROOT, llmeval

MODULES = ("data", "loop", "serve", "steps", "traffic", "labels")
WRONG_FROM = 7
"""Every answer to one of this many templates of the old departments is wrong."""


@contextmanager
def loop_folder(tmp_path: Path, patch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A copy of the example as the current folder, with fake answers; gives the module `loop`."""
    folder = tmp_path / "loop"
    hidden = shutil.ignore_patterns(
        "work", "approvals", "audit.jsonl", "release.lock.json", "__pycache__"
    )
    shutil.copytree(ROOT / "examples" / "loop", folder, ignore=hidden)
    patch.chdir(folder)
    patch.syspath_prepend(str(folder))
    patch.setenv("PYTHONPATH", str(ROOT))
    module = importlib.import_module("loop")
    patch.setattr(TransformersModel, "answer", fake_answer)
    try:
        yield module
    finally:
        for name in MODULES:
            sys.modules.pop(name, None)


async def fake_answer(model: TransformersModel, request: Request) -> Reply:
    """The label of a message that the model knows; else a wrong one."""
    import data

    folder = Path(model._located.folder)
    parts = json.loads((folder / "generation_config.json").read_text())["knows"]
    text = request.messages[-1].content
    item = max((each for each in data.ITEMS if f" {each}" in text), key=len)
    for new in (False, True):
        for training in (False, True):
            for number, (_, department, template) in enumerate(
                data.templates(new=new, training=training)
            ):
                if template.format(item=item) in text:
                    right = ("new" if new else "old") in parts and (new or number % WRONG_FROM)
                    wrong = "rentals" if department != "rentals" else "stock"
                    label = {"department": department if right else wrong, "item": item}
                    return Reply(text=json.dumps(label))
    raise AssertionError(text)


def fake_training(name: str, rows: str) -> None:
    """A folder that is a model for `llmeval`, and knows the parts whose files it was trained on."""
    folder = Path("work/models") / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_text(rows)
    parts = [part for part in ("old", "new") if f"train-{part}" in rows]
    (folder / "generation_config.json").write_text(json.dumps({"knows": parts}))


class FakePrograms:
    """What `Programs` of the example does, in this process. `useless`: v2 learns nothing new."""

    def __init__(self, *, useless: bool = False) -> None:
        self.useless = useless

    def llmeval(self, *arguments: object, **variables: str) -> int:
        """`llmeval ARGUMENTS`."""
        done = llmeval(*arguments, cwd=Path.cwd(), **variables)
        self.newest = done
        return done.returncode

    def train(self, name: str, rows: str, start: str | None, epochs: int, rate: float) -> None:
        """As the example's, without weights."""
        useless = self.useless and name == "v2"
        fake_training(name, rows.replace("train-new", "other") if useless else rows)

    def serve(self, model: str, log: str) -> "FakeServer":
        """The example's server in a thread of this process."""
        return FakeServer(Path("work/models") / model, Path("work") / log)


class FakeServer:
    """The server of serve.py, with fake answers."""

    def __init__(self, model: Path, log: Path) -> None:
        serve = importlib.import_module("serve")
        self._service = serve.Service(str(model), log)
        self._server = serve.AnswerServer(("127.0.0.1", 0), serve.handler_of(self._service))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.port = self._server.server_port
        self._open = True

    def close(self) -> None:
        """End it; a second call does nothing."""
        if self._open:
            self._open = False
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._service.close()


_STUB = """\
#!{python}
import sys
from tests.support import fake_loop
sys.exit(fake_loop.{function}())
"""


def write_stubs(folder: Path) -> None:
    """Programs `llmeval` and `python` for recipes: real, but for training and answers."""
    folder.mkdir()
    for name, function in (("llmeval", "stub_llmeval"), ("python", "stub_python")):
        path = folder / name
        path.write_text(_STUB.format(python=sys.executable, function=function))
        path.chmod(0o755)


def stub_llmeval() -> None:
    """`llmeval`, with fake answers."""
    from llmeval.cli.main import main

    sys.path.insert(0, str(Path.cwd()))  # `data` of the example
    TransformersModel.answer = fake_answer  # type: ignore[method-assign]
    main()


def stub_python() -> int:
    """`python`, with a fake train.py."""
    import subprocess

    words = sys.argv[1:]
    if words[0] != "train.py":
        return subprocess.run([sys.executable, *words], check=False).returncode
    out = words[words.index("--out") + 1]
    fake_training(Path(out).name, words[words.index("--data") + 1])
    return 0
