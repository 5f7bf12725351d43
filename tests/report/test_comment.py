"""The comment on a pull request, against a real HTTP server that keeps comments."""

import json
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import UsageError
from llmeval.report.ci.comment import (
    CommentError,
    link_to_artifact,
    publish,
    report_address,
    thread_of,
)
from tests.support.forge import Forge

FIRST, OTHER = "<!-- llmeval:a -->", "<!-- llmeval:b -->"


def github(forge: Forge, tmp_path: Path, event: Any = None, token: str = "good") -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"pull_request": {"number": 7}} if event is None else event))
    return {
        "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": token, "GITHUB_API_URL": forge.url,
        "GITHUB_EVENT_PATH": str(path),
    }  # fmt: skip


def test_one_comment_a_suite_kept_up_to_date(forge: Forge, tmp_path: Path) -> None:
    thread = thread_of(github(forge, tmp_path))
    assert publish(thread, f"{FIRST}\nPASS", news=False) == "quiet"
    assert publish(thread, f"{FIRST}\nFAIL", news=True) == "created"
    assert publish(thread, f"{OTHER}\nFAIL", news=True) == "created"
    assert publish(thread, f"{FIRST}\nFAIL", news=True) == "unchanged"
    assert publish(thread, f"{FIRST}\nPASS", news=False) == "updated"
    assert forge.comments == {1: f"{FIRST}\nPASS", 2: f"{OTHER}\nFAIL"}
    assert ("PATCH", "/repos/o/r/issues/comments/1") in forge.seen
    assert ("POST", "/repos/o/r/issues/7/comments") in forge.seen


def test_a_comment_is_found_behind_a_hundred_others(forge: Forge, tmp_path: Path) -> None:
    forge.comments = {number: "hello" for number in range(1, 151)} | {151: f"{FIRST}\nold"}
    assert publish(thread_of(github(forge, tmp_path)), f"{FIRST}\nnew", news=True) == "updated"
    assert forge.comments[151] == f"{FIRST}\nnew"


def test_a_fork_may_not_write_and_is_told_what_to_do(forge: Forge, tmp_path: Path) -> None:
    with pytest.raises(
        CommentError,
        match=r"HTTP 403: the token may not write here, as in pull requests from forks",
    ):
        publish(thread_of(github(forge, tmp_path, token="read-only")), FIRST, news=True)
    after = {"workflow_run": {"pull_requests": [{"number": 7}]}}
    assert publish(thread_of(github(forge, tmp_path, after)), FIRST, news=True) == "created"


def test_gitlab_notes(forge: Forge) -> None:
    environment = {
        "GITLAB_CI": "true", "CI_API_V4_URL": forge.url, "CI_PROJECT_ID": "12", "CI_MERGE_REQUEST_IID": "3", "GITLAB_TOKEN": "good",
    }  # fmt: skip
    thread = thread_of(environment)
    assert publish(thread, f"{FIRST}\na", news=True) == "created"
    assert publish(thread, f"{FIRST}\nb", news=True) == "updated"
    assert ("PUT", "/projects/12/merge_requests/3/notes/1") in forge.seen


@pytest.mark.parametrize(
    ("missing", "told"),
    [("GITHUB_TOKEN", "GITHUB_TOKEN or GH_TOKEN is not set"), ("GITHUB_EVENT_PATH", "not about a pull request"),
     ("GITHUB_ACTIONS", "GitHub Actions or GitLab CI")],
)  # fmt: skip
def test_what_is_missing_is_named(forge: Forge, tmp_path: Path, missing: str, told: str) -> None:
    environment = github(forge, tmp_path)
    del environment[missing]
    with pytest.raises(UsageError, match=told):
        thread_of(environment)
    assert not forge.seen


@pytest.mark.parametrize("account", [None, {"id": 5, "type": "User"}])
def test_a_comment_of_another_account_is_left_alone(
    forge: Forge, tmp_path: Path, account: dict[str, Any] | None
) -> None:
    """Whoever posts the marker first could change our text to PASS later."""
    forge.account = account
    forge.comments, forge.authors = {1: f"{FIRST}\nPASS"}, {1: {"id": 666, "type": "User"}}
    thread = thread_of(github(forge, tmp_path))
    assert publish(thread, f"{FIRST}\nFAIL", news=True) == "created"
    assert publish(thread, f"{FIRST}\nPASS", news=False) == "updated"
    assert forge.comments == {1: f"{FIRST}\nPASS", 2: f"{FIRST}\nPASS"}
    assert not [path for method, path in forge.seen if method == "PATCH" and path.endswith("/1")]


@pytest.mark.parametrize(
    ("environment", "link"),
    [
        ({"GITHUB_SERVER_URL": "https://g.example", "LLMEVAL_ARTIFACT_URL": "https://g.example/o/r/actions/runs/1/artifacts/2"},
         "https://g.example/o/r/actions/runs/1/artifacts/2"),
        ({"CI_SERVER_URL": "https://g.example", "CI_JOB_URL": "https://g.example/o/r/-/jobs/7"},
         "https://g.example/o/r/-/jobs/7/artifacts/browse"),
        ({"GITHUB_SERVER_URL": "https://g.example", "LLMEVAL_ARTIFACT_URL": "https://g.example.evil/x"}, ""),
        ({"GITHUB_SERVER_URL": "https://g.example", "LLMEVAL_ARTIFACT_URL": "https://g.example/) @a"}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_only_link_is_to_the_artifact_of_the_server(
    environment: dict[str, str], link: str
) -> None:
    text = link_to_artifact(environment)
    assert text == (f"\n[The report and the files of the run]({link})\n" if link else "")


@pytest.mark.parametrize(
    ("environment", "stated", "address"),
    [
        ({}, None, ""),
        ({}, "https://p.example/qa/report.html", "https://p.example/qa/report.html"),
        ({"CI_JOB_URL": "https://g.example/o/r/-/jobs/7", "CI_SERVER_URL": "https://g.example"}, None,
         "https://g.example/o/r/-/jobs/7/artifacts/file/reports/a/report.html"),
        ({"CI_JOB_URL": "https://g.example.evil/7", "CI_SERVER_URL": "https://g.example"}, None, ""),
    ],
)  # fmt: skip
def test_where_the_report_can_be_opened(
    tmp_path: Path, environment: dict[str, str], stated: str | None, address: str
) -> None:
    run = tmp_path / "reports" / "a"
    variables = {"CI_PROJECT_DIR": str(tmp_path), **environment}
    assert report_address(variables, run, stated) == address


@pytest.mark.parametrize(
    "stated", ["javascript:alert(1)", "https://a/b) [x](https://c", "https://a/#b"]
)
def test_an_address_that_ends_a_link_is_refused(tmp_path: Path, stated: str) -> None:
    with pytest.raises(UsageError, match="--report-url"):
        report_address({}, tmp_path, stated)
