"""A pull request as CI plays it: the action's own shell steps, on a repository, an endpoint and a
forge that are real.
"""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.cli.test_suites import git
from tests.support.command import llmeval
from tests.support.endpoint import Endpoint, serve
from tests.support.forge import Forge
from tests.support.suites import answer, write_suite

ROOT = Path(__file__).parent.parent.parent
N = 60
GATE = """gate:
  floors: {contains: 0.5}
  regression: {baseline: base/t.lock.json, margins: {contains: 0.1}}
"""
BROKEN = range(10, 40)


def worse(body: dict[str, Any], earlier: int = 0) -> str:
    """Cases 10 to 39 are answered wrong; 10, 15, ... were before."""
    number = int(re.findall(r"number (\d+)", body["messages"][-1]["content"])[0])
    return "I don't know." if number in BROKEN else answer(body, earlier)


class Project(NamedTuple):
    """A repository with a suite whose baseline is approved, on a branch."""

    folder: Path
    endpoint: Endpoint
    says: list[Any]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    says: list[Any] = [answer]
    with serve(lambda body, earlier=0: says[0](body, earlier)) as endpoint:
        folder = tmp_path / "project"
        suite = write_suite(folder / "suites", endpoint.url, N, GATE, judge=False)
        suite.write_text(
            suite.read_text().replace("api_key: secret-key-1234", 'api_key: "${LLM_KEY}"')
        )
        (folder / ".gitignore").write_text("reports/\n")
        git(folder, "init", "-q", "-b", "main")
        done = llmeval("run", suite, "--out", tmp_path / "first", LLM_KEY="k")
        assert done.returncode == 3, done.stderr
        assert (
            llmeval(
                "baseline", "approve", tmp_path / "first", "--by", "ada", "--reason", "first"
            ).returncode
            == 0
        )
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "suite and baseline")
        git(folder, "checkout", "-qb", "change")
        with (folder / "suites" / "suite.yaml").open("a") as file:
            file.write("description: a change\n")
        git(folder, "commit", "-qam", "change")
        yield Project(folder, endpoint, says)


class Job(NamedTuple):
    """What a job left. `steps`: exit code and output of each shell step by name."""

    steps: dict[str, tuple[int, str]]
    outputs: dict[str, str]
    summary: str

    @property
    def code(self) -> int:
        return self.steps["Decide"][0]


def play(
    project: Project,
    forge: Forge,
    tmp_path: Path,
    *,
    secret: str = "k",
    token: str = "good",
    **inputs: str,
) -> Job:
    """The shell steps of action.yml, one after the other, as a runner of pull requests does."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    given = {name: str(each["default"]) for name, each in action["inputs"].items()} | {
        "install": "",
        "token": token,
    }
    given["arguments"] = "--no-cache"  # one endpoint plays all candidates here
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    output, summary = tmp_path / "output", tmp_path / "summary"
    output.write_text("")
    summary.write_text("")
    environment = {
        **os.environ, "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output),
        "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "o/r",
        "GITHUB_API_URL": forge.url, "PYTHONPATH": str(ROOT), **({"LLM_KEY": secret} if secret else {}),
    }  # fmt: skip
    steps: dict[str, tuple[int, str]] = {}
    for step in action["runs"]["steps"]:
        if "run" not in step or step["name"] == "Install llmeval":
            continue
        if step["name"] == "Comment" and "run" not in _outputs(output):
            continue
        env = {name: _filled(value, given, _outputs(output)) for name, value in step["env"].items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=project.folder,
            env={**environment, **env}, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        steps[step["name"]] = (done.returncode, done.stdout + done.stderr)
    return Job(steps, _outputs(output), summary.read_text())


def _outputs(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def _filled(text: str, given: dict[str, str], outputs: dict[str, str]) -> str:
    """`${{ inputs.x }}` and `${{ steps.run.outputs.x }}` as a runner fills them in."""
    text = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], text)
    return re.sub(
        r"\$\{\{ steps\.run\.outputs\.([\w-]+) \}\}", lambda match: outputs.get(match[1], ""), text
    )


def junit(project: Project) -> dict[str, str]:
    """Outcome by case of the last run."""
    path = max(project.folder.glob("reports/t/*/junit.xml"))
    return {
        case.get("name", ""): case[0].tag for case in ET.parse(path).iter("testcase") if len(case)
    }


def test_a_worse_candidate_fails_and_its_cases_are_named(
    project: Project, forge: Forge, tmp_path: Path
) -> None:
    project.says[0] = worse
    job = play(project, forge, tmp_path, changed_since="main")
    assert (job.code, job.outputs["decision"], job.outputs["status"]) == (1, "FAIL", "1")
    fell = {f"c{i:04d}" for i in BROKEN if i % 5}
    (comment,) = forge.comments.values()
    assert comment.startswith("<!-- llmeval:t -->\n## ❌ llmeval `t`: FAIL")
    named = set(re.findall(r"c00\d\d", comment.split("Worse than the baseline")[1].split("\n")[0]))
    assert named
    assert named <= fell
    assert fell <= {name for name, tag in junit(project).items() if tag == "failure"}
    annotations = [
        line for line in job.steps["Run the suites"][1].splitlines() if line.startswith("::")
    ]
    assert 1 < len(annotations) <= 10
    assert any(
        f"file=suites/cases.jsonl,line={int(name[1:]) + 1}::" in line
        for line in annotations
        for name in named
    )
    assert job.summary.startswith("<!-- llmeval:t -->")
    assert Path(project.folder / job.outputs["report"]).exists()


def test_then_a_good_candidate_passes_and_updates_the_comment(
    project: Project, forge: Forge, tmp_path: Path
) -> None:
    assert play(project, forge, tmp_path).code == 0
    assert not forge.comments, "nothing to tell"
    project.says[0] = worse
    assert play(project, forge, tmp_path).code == 1
    project.says[0] = answer
    (project.folder / "fix.txt").write_text("the fix\n")
    git(project.folder, "add", "-A")
    git(project.folder, "commit", "-qm", "fix")  # another change: its attempts begin at one
    assert play(project, forge, tmp_path).code == 0
    (comment,) = forge.comments.values()
    assert "PASS" in comment.split("\n")[1]


def test_a_broken_endpoint_is_no_verdict(project: Project, forge: Forge, tmp_path: Path) -> None:
    project.says[0] = lambda body, earlier=0: (500, {"error": {"message": "down"}}, {})
    job = play(project, forge, tmp_path, arguments="--no-cache --max-minutes 0.02")
    assert job.code == 3
    assert job.outputs["decision"] == "INVALID"


@pytest.mark.parametrize(("policy", "code"), [("fail", 4), ("warn", 0)])
def test_a_tie_is_what_the_suite_says(
    project: Project, forge: Forge, tmp_path: Path, policy: str, code: int
) -> None:
    suite = project.folder / "suites" / "suite.yaml"
    suite.write_text(
        suite.read_text().replace(
            "contains: 0.1}", f"contains: 0.02}}}}\n  on_inconclusive: {policy}\n#", 1
        )
    )
    job = play(project, forge, tmp_path)
    assert (job.code, job.outputs["decision"]) == (code, "INCONCLUSIVE"), job.steps[
        "Run the suites"
    ][1]


def test_a_fork_without_secrets_is_told_which_one(
    project: Project, forge: Forge, tmp_path: Path
) -> None:
    job = play(project, forge, tmp_path, secret="", token="read-only")
    assert job.code == 2
    assert "LLM_KEY" in job.steps["Run the suites"][1]
    assert not [body for body in project.endpoint.requests[N:]], "nothing was asked"


def test_a_fork_with_a_token_that_may_not_write_still_gets_its_verdict(
    project: Project,
    forge: Forge,
    tmp_path: Path,
) -> None:
    project.says[0] = worse
    job = play(project, forge, tmp_path, token="read-only")
    assert (job.code, forge.comments) == (1, {})
    code, said = job.steps["Comment"]
    assert code == 0
    assert "as in pull requests from forks" in said


def test_a_change_elsewhere_runs_nothing(project: Project, forge: Forge, tmp_path: Path) -> None:
    asked = len(project.endpoint.requests)
    job = play(project, forge, tmp_path, changed_since="HEAD")
    assert (job.code, len(project.endpoint.requests)) == (0, asked)
    assert "nothing to run" in job.steps["Run the suites"][1]
