"""`llmeval launch`: the manifests are read, and their shell steps are played with two workers."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.support.command import ROOT, llmeval
from tests.support.endpoint import serve
from tests.support.program import program
from tests.support.suites import answer, write_suite

SBATCH = """#!/bin/bash
# A scheduler of one machine: it runs the tasks of an array at the same time.
for argument; do case $argument in
  --wrap=*) step=${argument#--wrap=};;
  --array=1-*) n=${argument#--array=1-};;
esac; done
export SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=${n:-} SLURM_ARRAY_TASK_COUNT=${n:-}
for i in $(seq "${n:-1}"); do
  SLURM_ARRAY_TASK_ID=${n:+$i} sh -c "$step" >&2 &
done
for job in $(jobs -p); do wait "$job" || exit 1; done
echo "7;cluster"
"""


@pytest.fixture(scope="module")
def command() -> Iterator[Path]:
    with program() as path:
        yield path


@pytest.fixture
def folder(tmp_path: Path, command: Path) -> Path:
    """With `llmeval` and `sbatch` as programs."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "llmeval").symlink_to(command)
    (tmp_path / "bin" / "sbatch").write_text(SBATCH)
    (tmp_path / "bin" / "sbatch").chmod(0o755)
    return tmp_path


def shell(step: str, folder: Path, variables: Mapping[str, str]) -> "subprocess.Popen[str]":
    environment = {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LLMEVAL_HOME": str(folder),
        **variables,
    }
    return subprocess.Popen(
        ["bash", "-c", step], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def played(steps: list[tuple[str, Mapping[str, str]]], folder: Path) -> None:
    """Run steps at the same time; each ends well."""
    processes = [shell(step, folder, variables) for step, variables in steps]
    printed = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(steps), printed


def test_kubernetes(folder: Path) -> None:
    with serve(answer) as endpoint:
        write_suite(folder, endpoint.url, 12, judge=False)
        done = llmeval("launch", "k8s", "suite.yaml", "--shards", 2, "--image", "x:1", cwd=folder)
        run, decide = yaml.safe_load_all(done.stdout)
        spec = run["spec"]
        assert (spec["completionMode"], spec["completions"]) == ("Indexed", 2)
        assert spec["backoffLimitPerIndex"] == 2
        assert spec["template"]["spec"]["restartPolicy"] == "Never"
        rules = {rule["action"]: rule for rule in spec["podFailurePolicy"]["rules"]}
        assert rules["FailIndex"]["onExitCodes"]["values"] == [2]
        assert rules["Count"]["onExitCodes"]["values"] == [3]
        assert "onPodConditions" in rules["Ignore"]

        def step(job: Mapping[str, object]) -> tuple[str, dict[str, str]]:
            (container,) = job["spec"]["template"]["spec"]["containers"]  # type: ignore[index]
            text = container["command"][2].replace("/runs/", f"{folder}/runs/")
            return text, {each["name"]: each["value"] for each in container["env"]}

        command, variables = step(run)
        played([(command, {**variables, "JOB_COMPLETION_INDEX": str(i)}) for i in range(2)], folder)
        played([step(decide)], folder)
        assert len(endpoint.requests) == 12
    assert list(folder.glob("runs/*/merged/summary.json"))


def test_slurm(folder: Path) -> None:
    with serve(answer) as endpoint:
        write_suite(folder, endpoint.url, 12, judge=False)
        done = llmeval("launch", "slurm", "suite.yaml", "--shards", 2, cwd=folder)
        played([(done.stdout, {})], folder)
        assert len(endpoint.requests) == 12
    assert list(folder.glob("llmeval-runs/*/merged/summary.json"))


def test_github(folder: Path) -> None:
    with serve(answer) as endpoint:
        write_suite(folder, endpoint.url, 12, judge=False)
        done = llmeval("launch", "github", "suite.yaml", "--shards", 2, cwd=folder)
        jobs = yaml.safe_load(done.stdout)["jobs"]
        shard, decide = jobs["shard"], jobs["decide"]
        (command,) = [s["run"] for s in shard["steps"] if "llmeval run" in s.get("run", "")]
        (merge,) = [s["run"] for s in decide["steps"] if "llmeval merge" in s.get("run", "")]
        assert decide["needs"] == "shard" and not shard["strategy"]["fail-fast"]

        def variables(index: int) -> dict[str, str]:
            context = {
                "strategy.job-index": str(index),
                "strategy.job-total": str(len(shard["strategy"]["matrix"]["shard"])),
                "github.run_id": "5",
                "secrets.LLMEVAL_STORE": "",
            }
            return {
                name: re.sub(r"\$\{\{ (\S+) \}\}", lambda match: context[match[1]], text)
                for name, text in shard["env"].items()
            }

        played([(command, variables(i)) for i in range(2)], folder)
        played([(merge, {})], folder)
        assert len(endpoint.requests) == 12
    assert list(folder.glob("llmeval-runs/*/merged/summary.json"))
