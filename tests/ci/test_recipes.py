"""The recipes for other servers: their shell lines run, and say what they are to say."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite

ROOT = Path(__file__).parent.parent.parent
GATE = "gate: {floors: {contains: %s}}\n"


def shell(tmp_path: Path, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A script as a CI server's shell runs it, with `llmeval` on its path and nothing to
    install.
    """
    bin_ = tmp_path / "bin"
    bin_.mkdir(exist_ok=True)
    for name, does in (
        ("llmeval", f'exec {sys.executable} -m llmeval "$@"'),
        ("python3", "exit 0"),
    ):
        (bin_ / name).write_text(f"#!/bin/sh\n{does}\n")
        (bin_ / name).chmod(stat.S_IRWXU)
    known = {
        **os.environ,
        "PATH": f"{bin_}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        **environment,
    }
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path, env=known, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip


def component() -> Any:
    """The GitLab job, its inputs filled in with their defaults."""
    head, body = (ROOT / "docs" / "ci" / "gitlab.yml").read_text().split("\n---\n")
    for name, given in yaml.safe_load(head)["spec"]["inputs"].items():
        body = body.replace(f"$[[ inputs.{name} ]]", str(given["default"]))
    return yaml.safe_load(body)["llmeval"]


@pytest.mark.parametrize(("floor", "code"), [(0.3, 0), (0.99, 1)])
def test_the_gitlab_component(tmp_path: Path, floor: float, code: int) -> None:
    job = component()
    with serve(answer) as endpoint:
        write_suite(tmp_path / "suites", endpoint.url, 40, GATE % floor, judge=False)
        done = shell(tmp_path, "\n".join(job["script"]), GITLAB_CI="true")
    assert done.returncode == code, done.stderr
    for kind in ("junit", "metrics"):
        assert list(tmp_path.glob(job["artifacts"]["reports"][kind])), (
            f"GitLab is told of a file that is not there: {kind}"
        )


def test_the_jenkins_pipeline_calls_what_there_is(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "ci" / "Jenkinsfile").read_text()
    assert text.count("{") == text.count("}")
    command = text.split("script: '.venv/bin/")[1].split("')")[0]
    with serve(answer) as endpoint:
        write_suite(tmp_path / "suites", endpoint.url, 40, GATE % 0.3, judge=False)
        done = shell(tmp_path, command)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("reports/*/*/junit.xml"))


def test_the_github_workflow_uses_inputs_that_the_action_has() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    workflow = yaml.safe_load((ROOT / "docs" / "ci" / "github.yml").read_text())
    steps = [
        step
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "llmeval@" in step.get("uses", "")
    ]
    assert len(steps) == 1
    for step in steps:
        assert set(step["with"]) <= set(action["inputs"])
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), (
            "values reach the shell as variables, never as its text"
        )


@pytest.mark.parametrize(("floor", "lost", "code"), [(0.3, None, 0), (0.99, None, 1), (0.3, 2, 3)])
def test_the_nightly_jobs_of_the_github_workflow(
    tmp_path: Path, floor: float, lost: int | None, code: int
) -> None:
    jobs = yaml.safe_load((ROOT / "docs" / "ci" / "github.yml").read_text())["jobs"]
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path / "suites", endpoint.url, 60, GATE % floor, judge=False)
        suite.rename(suite.with_name("qa.yaml"))
        for shard in jobs["nightly"]["strategy"]["matrix"]["shard"]:
            if shard != lost:
                done = shell(tmp_path, _lines(jobs["nightly"]), SHARD=str(shard))
                assert done.returncode == 0, done.stderr
        done = shell(tmp_path, _lines(jobs["nightly-gate"]))
    assert done.returncode == code, done.stderr
    assert len(endpoint.requests) == 60 or lost, "each case is asked once"
    assert lost is None or "shard 2" in done.stderr.lower(), "the missing one is named"


def test_the_quick_tier_asks_a_sample_of_the_same_suite(tmp_path: Path) -> None:
    step = yaml.safe_load((ROOT / "docs" / "ci" / "github.yml").read_text())["jobs"][
        "pull-request"
    ]["steps"][-1]
    quick = "environments: {quick: {cases: {source: cases.jsonl, sample: {n: 20, seed: 7}}}}\n"
    with serve(answer) as endpoint:
        write_suite(tmp_path / "suites", endpoint.url, 60, GATE % 0.3 + quick, judge=False)
        done = shell(tmp_path, f"llmeval run suites {step['with']['arguments']}")
    assert done.returncode == 0, done.stderr
    assert len(endpoint.requests) == 20


def _lines(job: Any) -> str:
    return "\n".join(step["run"] for step in job["steps"] if "run" in step)


def test_the_pre_commit_hook(tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    good = write_suite(tmp_path / "suites", "http://127.0.0.1:9/v1", 5, judge=False)
    bad = good.with_name("bad.yaml")
    bad.write_text(good.read_text().replace("contains:", "contians:"))
    assert shell(tmp_path, f"{hook['entry']} suites/suite.yaml").returncode == 0
    done = shell(tmp_path, f"{hook['entry']} suites/suite.yaml suites/bad.yaml")
    assert done.returncode == 2
    assert "bad.yaml" in done.stderr
    assert "contians" in done.stderr
