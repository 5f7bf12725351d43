"""The recipes for other servers: their shell lines run, and say what they are to say."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.endpoint import serve
from tests.support.forge import Forge
from tests.support.suites import answer, write_suite

ROOT = Path(__file__).parent.parent.parent
GATE = "gate: {floors: {contains: %s}}\n"


def shell(tmp_path: Path, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A script as a CI server's shell runs it, with `llmeval` on its path and nothing to
    install.
    """
    bin_ = tmp_path / "bin"
    bin_.mkdir(exist_ok=True)
    (bin_ / "python3").write_text("#!/bin/sh\nexit 0\n")
    (bin_ / "python3").chmod(stat.S_IRWXU)
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


GREEN, YELLOW, RED = "green", "yellow", "red"
STATES = {0: GREEN, 1: RED, 2: RED, 3: RED, 4: RED, 5: RED, 130: RED}
"""What a job becomes by the exit code of `llmeval run`: PASS, FAIL, a wrong suite, INVALID,
INCONCLUSIVE, nothing evaluated, interrupted.
"""


def stub(tmp_path: Path, code: int) -> Path:
    """A folder for `PATH` in which every command is there and `llmeval` exits with this code."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    for name, does in (("llmeval", f"exit {code}"), ("python3", "exit 0"), ("gh", "echo 7")):
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(stat.S_IRWXU)
    return folder


def azure() -> list[dict[str, Any]]:
    """The steps of the Azure pipeline."""
    steps: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "ci" / "azure.yml").read_text())[
        "steps"
    ]
    return steps


def jenkins(code: int) -> str:
    """The state of the build by the Jenkinsfile's own conditions, for an exit code."""
    text = (ROOT / "docs" / "ci" / "Jenkinsfile").read_text()
    for operator, number, call in re.findall(r"if \(status (==|!=) (\d+)\) \{ (\w+)\(", text):
        if (code == int(number)) is (operator == "=="):
            return {"unstable": YELLOW, "error": RED}[call]
    return GREEN


@pytest.mark.parametrize(("code", "state"), STATES.items())
def test_the_state_of_the_job_by_exit_code(tmp_path: Path, code: int, state: str) -> None:
    path = f"{stub(tmp_path, code)}:{os.environ['PATH']}"
    for script in ("\n".join(component()["script"]), _bash(azure())):
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path, env={"PATH": path, "HOME": str(tmp_path)}, check=False,
        )  # fmt: skip
        assert done.returncode == code
    assert jenkins(code) == (YELLOW if code == 3 else state), "nothing but a pass is green"


@pytest.mark.parametrize(("floor", "code"), [(0.3, 0), (0.99, 1)])
def test_the_gitlab_component(tmp_path: Path, floor: float, code: int) -> None:
    job = component()
    with serve(answer) as endpoint:
        write_suite(tmp_path / "suites", endpoint.url, 40, GATE % floor, judge=False)
        done = shell(tmp_path, "\n".join(job["script"]), GITLAB_CI="true")
    assert done.returncode == code, done.stderr
    for kind in ("junit", "metrics"):
        assert list(tmp_path.glob(job["artifacts"]["reports"][kind])), (
            f"GitLab reads a file that is not there: {kind}"
        )


def test_the_azure_pipeline(tmp_path: Path) -> None:
    steps = azure()
    with serve(answer) as endpoint:
        write_suite(tmp_path / "suites", endpoint.url, 40, GATE % 0.99, judge=False)
        done = shell(tmp_path, _bash(steps), TF_BUILD="True")
    assert done.returncode == 1, done.stderr
    issues = [line for line in done.stderr.splitlines() if line.startswith("##vso[")]
    assert issues[0].startswith("##vso[task.logissue type=error;sourcepath=suites/suite.yaml]")
    # of equal cases those come first whose answers came first
    assert any(
        re.search(r"sourcepath=suites/cases.jsonl;linenumber=\d+\]", line) for line in issues
    )
    summary = next(line for line in issues if "task.uploadsummary" in line)
    assert Path(summary.partition("]")[2]).is_file()
    (published,) = (
        step["inputs"] for step in steps if step.get("task", "").startswith("PublishTestResults")
    )
    assert list(tmp_path.glob(published["testResultsFiles"]))
    assert all(step["condition"] == "always()" for step in steps[-2:])


def test_the_jenkins_pipeline_calls_what_there_is(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "ci" / "Jenkinsfile").read_text()
    assert text.count("{") == text.count("}")
    command = text.split("script: '.venv/bin/")[1].split("')")[0]
    with serve(answer) as endpoint:
        write_suite(tmp_path / "suites", endpoint.url, 40, GATE % 0.3, judge=False)
        done = shell(tmp_path, command)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("reports/*/*/junit.xml"))


def test_the_recipe_for_forks_writes_the_comment_itself_from_records(
    tmp_path: Path, forge: Forge
) -> None:
    (job,) = yaml.safe_load((ROOT / "docs" / "ci" / "github-forks.yml").read_text())[
        "jobs"
    ].values()
    assert not [step for step in job["steps"] if "checkout" in step.get("uses", "")]
    for step in job["steps"]:
        assert "${{" not in step["run"], "values reach the shell as variables, never as its text"
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path / "suites", endpoint.url, 20, GATE % 0.99, judge=False)
        run = tmp_path / "records" / "t" / "1"
        done = shell(tmp_path, f"llmeval run {suite} --out {run} --format plain")
    assert done.returncode == 1, done.stderr
    (run / "summary.md").write_text("<!-- llmeval:t -->\n## PASS @octocat\n")
    gh = tmp_path / "bin" / "gh"
    gh.write_text("#!/bin/sh\necho 7\n")
    gh.chmod(stat.S_IRWXU)
    known = {"GITHUB_REPOSITORY": "o/r", "GITHUB_API_URL": forge.url, "GH_TOKEN": "good"}
    done = shell(tmp_path, job["steps"][-1]["run"], **known)
    assert done.returncode == 0, done.stderr
    (comment,) = forge.comments.values()
    assert "FAIL" in comment.split("\n")[1] and "octocat" not in comment
    answers = run / "answers.jsonl"
    answers.write_text(answers.read_text().replace("other-0", "value-0"))
    done = shell(tmp_path, job["steps"][-1]["run"], **known)
    assert done.returncode == 3 and "answers.jsonl" in done.stderr, "changed records are refused"


def _bash(steps: list[dict[str, Any]]) -> str:
    return "\n".join(step["bash"] for step in steps if "bash" in step)


def test_the_documented_inputs_and_outputs_are_those_of_the_action() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    text = (ROOT / "docs" / "ci.md").read_text()
    for kind in ("inputs", "outputs"):
        table = text.split(f"<!-- {kind} of action.yml -->")[1].split("\n\n")[0]
        rows = [row.strip("|").split("|") for row in table.split("\n") if row.startswith("| `")]
        shown = {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}
        wanted = {}
        for name, about in action[kind].items():
            default = (
                [f"`{about['default']}`" if about["default"] else "empty"]
                if kind == "inputs"
                else []
            )
            wanted[name] = [*default, about["description"]]
        assert shown == wanted


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
