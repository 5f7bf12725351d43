"""The recipes of examples/loop: the bad model is not promoted, the good one is. Everything is real
but the training and the answers; `llmeval` and `python` on the PATH are stubs for these two.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.command import ROOT
from tests.support.fake_loop import FakePrograms, loop_folder, write_stubs

pytest.importorskip("torch")
pytest.importorskip("transformers")
ORCHESTRATORS = ROOT / ".venv-orchestrators" / "bin" / "python"
"""Dagster and Luigi have an environment of their own (`.ci/run`)."""
OLD, NEW = "work/data/train-old.jsonl", "work/data/train-new.jsonl"
GOOD, BAD = ("v2", f"{OLD},{NEW}:2"), ("bad", NEW)


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which v1 is released, and is the baseline on the extended suite."""
    folder = tmp_path_factory.mktemp("released")
    write_stubs(folder / "bin")
    with pytest.MonkeyPatch.context() as patch, loop_folder(folder, patch):
        import data

        programs = FakePrograms()
        words = [sys.executable, "data.py", "--new"]
        subprocess.run(words, check=True)
        assert Path(data.__file__).parent == Path.cwd()
        programs.train("v1", OLD, None, 1, 1.0)
        run, out = "work/runs/release/v1", "release.lock.json"
        by = ("--by", "Ada", "--reason", "first")
        for line in (
            ("run", "first.yaml", "--out", run, "--reports", "work/runs"),
            ("approve", run, *by, "--role", "release-manager"),
            ("baseline", "approve", run, *by, "--out", out, "--expires", "2099-01-01"),
        ):
            code = programs.llmeval(*line, LOOP_MODEL="work/models/v1")
            assert code == 0, programs.newest.stderr + programs.newest.stdout
    return folder


@pytest.fixture
def folder(released: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(released, tmp_path / "copy")
    return tmp_path / "copy" / "loop"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Variables of a recipe's process, with the stubs first on the PATH."""
    path = f"{folder.parent / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    home = str(folder.parent / "home")
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "LLMEVAL_HOME": home, **more}


def with_orchestrators(name: str) -> str:
    """The Python that has this package; skips the test where none has."""
    if ORCHESTRATORS.exists():
        return str(ORCHESTRATORS)
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: see .ci/run")
    return sys.executable


def make(folder: Path, name: str, rows: str) -> int:
    """`make release`; the bad model is trained first, since the Makefile trains the good one."""
    target = "release"
    if name != "v2":
        subprocess.run(["python", "train.py", "--data", rows, "--out", f"work/models/{name}"],
                       check=True, cwd=folder, env=environment(folder))  # fmt: skip
        target = "promote"
    words = ["make", "-s", target, f"NAME={name}", "BY=Ada"]
    return subprocess.run(words, check=False, cwd=folder, env=environment(folder)).returncode


def github(folder: Path, name: str, rows: str) -> int:
    """The `run` steps of the workflow, job by job; the first that fails ends it."""
    workflow = yaml.safe_load((folder / "recipes" / "github.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    env = environment(folder, **workflow["env"], GITHUB_ACTOR="Ada")
    for step in steps:
        line = step["run"].replace(f"{OLD},{NEW}:2", rows)
        if line.startswith("pip install"):
            continue
        if code := subprocess.run(
            ["bash", "-ec", line], check=False, cwd=folder, env=env
        ).returncode:
            return code
    return 0


def dagster(folder: Path, name: str, rows: str) -> int:
    """`dagster asset materialize`."""
    env = environment(folder, LOOP_NAME=name, LOOP_ROWS=rows, LOOP_APPROVER="Ada",
                      DAGSTER_HOME=str(folder / "recipes"))  # fmt: skip
    words = [with_orchestrators("dagster"), "-m", "dagster", "asset", "materialize"]
    words += ["-f", "recipes/dagster_defs.py", "--select", "*"]
    return subprocess.run(words, check=False, cwd=folder, env=env, capture_output=True).returncode


def luigi(folder: Path, name: str, rows: str) -> int:
    """`luigi`, with the exit code of a failed task."""
    env = environment(folder)
    env["PYTHONPATH"] += f":{folder / 'recipes'}"
    words = [
        with_orchestrators("luigi"),
        "-m",
        "luigi",
        "--module",
        "luigi_flow",
        "Promote",
        "--by",
        "Ada",
    ]
    words += ["--name", name, "--rows", rows, "--local-scheduler", "--retcode-task-failed", "1"]
    return subprocess.run(words, check=False, cwd=folder, env=env, capture_output=True).returncode


RECIPES = (make, github, dagster, luigi)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.__name__)
def test_a_recipe_stops_the_bad_model_and_promotes_the_good_one(
    folder: Path, recipe: Callable[[Path, str, str], int]
) -> None:
    name = recipe.__name__
    if name == "make" and shutil.which("make") is None:
        pytest.skip("make is not installed")
    production = folder / "work/models/production"
    bad = ("v2", NEW) if name == "github" else BAD
    assert recipe(folder, *bad) != 0
    assert not production.is_symlink()
    for left in ("models", "runs/release"):
        shutil.rmtree(folder / "work" / left / "v2", ignore_errors=True)
    assert recipe(folder, *GOOD) == 0
    assert production.resolve().name == "v2"
