"""One comment a suite on a pull or merge request, kept up to date: found again by the marker in its
first line.

Source: GitHub REST API, "Issue comments"; GitLab REST API, "Notes".
"""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from llmeval.core.errors import LlmevalError, UsageError
from llmeval.report.ci.format import Format, detect

_TIMEOUT = 30.0
_PAGE = 100
_ADDRESS = re.compile(r"https?://[A-Za-z0-9._~:/-]+")


class CommentError(LlmevalError):
    """The server did not take the comment."""


class Thread(NamedTuple):
    """Where comments are. `one`: the address of one comment, with `{id}`; `headers`: the token;
    `me`: the address of the token's account.
    """

    all: str
    one: str
    change: str
    headers: dict[str, str]
    me: str


def thread_of(
    environment: Mapping[str, str], number: int | None = None, format_: Format = Format.AUTO
) -> Thread:
    """The pull or merge request that this job is about.

    Args:
        environment: variables of the CI server, and GITHUB_TOKEN or GITLAB_TOKEN.
        number: of the request, where the job's event does not say.
        format_: which server; default: by its variables.

    Raises:
        UsageError: no such server, no request, or no token; says which variable is missing.
    """
    server = detect(environment) if format_ is Format.AUTO else format_
    if server is Format.GITHUB:
        return _github(environment, number)
    if server is Format.GITLAB:
        return _gitlab(environment, number)
    raise UsageError(
        "a comment needs GitHub Actions or GitLab CI around it; summary.md in the run's directory"
        " is its text"
    )


def _github(environment: Mapping[str, str], number: int | None) -> Thread:
    repository, token = (
        _need(environment, "GITHUB_REPOSITORY"),
        _need(environment, "GITHUB_TOKEN", "GH_TOKEN"),
    )
    number = number or _pull_request(environment.get("GITHUB_EVENT_PATH"))
    api = environment.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    base = f"{api}/repos/{repository}/issues"
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    address = f"{base}/{number}/comments"
    return Thread(address, f"{base}/comments/{{id}}", "PATCH", headers, f"{api}/user")


def _gitlab(environment: Mapping[str, str], number: int | None) -> Thread:
    api, project = _need(environment, "CI_API_V4_URL"), _need(environment, "CI_PROJECT_ID")
    number = number or int(_need(environment, "CI_MERGE_REQUEST_IID"))
    base = f"{api}/projects/{urllib.parse.quote(project, safe='')}/merge_requests/{number}/notes"
    headers = {"PRIVATE-TOKEN": _need(environment, "GITLAB_TOKEN")}
    return Thread(base, f"{base}/{{id}}", "PUT", headers, f"{api}/user")


def _need(environment: Mapping[str, str], *names: str) -> str:
    for name in names:
        if environment.get(name):
            return environment[name]
    raise UsageError(
        f"{' or '.join(names)} is not set: a comment can't be written without it (docs/ci.md has"
        " the recipe)"
    )


def _pull_request(event: str | None) -> int:
    """The request's number from the job's event; also of a workflow that runs after another one."""
    payload: Any = (
        json.loads(Path(event).read_text(encoding="utf-8"))
        if event and Path(event).exists()
        else {}
    )
    runs = (payload.get("workflow_run") or {}).get("pull_requests") or [{}]
    number = (payload.get("pull_request") or {}).get("number") or runs[0].get("number")
    if number is None:
        raise UsageError("this job is not about a pull request; name one with --number")
    return int(number)


def publish(thread: Thread, text: str, *, news: bool) -> str:
    """Write the comment: over the one with the same first line, or a new one.

    A comment of another account is left alone. Its author could change the text afterwards, so that
    a failed run reads as PASS.

    Args:
        text: its first line is the marker.
        news: whether there is something to tell; without, no new comment is begun, and one that is
            there is updated.

    Returns:
        created, updated, unchanged or quiet.

    Raises:
        CommentError: the server refused; says why and what to do.
    """
    marker = text.split("\n", 1)[0]
    for comment in _comments(thread):
        if str(comment.get("body") or "").startswith(marker) and _is_own(thread, comment):
            if comment["body"].strip() == text.strip():
                return "unchanged"
            _ask(thread, thread.change, thread.one.format(id=comment["id"]), {"body": text})
            return "updated"
    if not news:
        return "quiet"
    _ask(thread, "POST", thread.all, {"body": text})
    return "created"


def _is_own(thread: Thread, comment: Mapping[str, Any]) -> bool:
    """Whether the account that asks wrote a comment. The token of a GitHub job has no account that
    can be asked for: it writes as a bot, and so do its comments.
    """
    author = comment.get("user") or comment.get("author")
    if not isinstance(author, dict):
        return True
    try:
        account = _ask(thread, "GET", thread.me)
    except CommentError:
        return author.get("type") == "Bot"
    return isinstance(account, dict) and account.get("id") == author.get("id")


def link_to_artifact(environment: Mapping[str, str]) -> str:
    """A sentence with a link to the files of the run, as the CI server itself names them; empty
    where it names none.

    Args:
        environment: variables of the CI server, and LLMEVAL_ARTIFACT_URL, which action.yml sets.
    """
    job = environment.get("CI_JOB_URL")
    address = environment.get("LLMEVAL_ARTIFACT_URL") or (job and f"{job}/artifacts/browse") or ""
    server = environment.get("GITHUB_SERVER_URL") or environment.get("CI_SERVER_URL") or ""
    if not server or not address.startswith(f"{server}/") or not _ADDRESS.fullmatch(address):
        return ""
    return f"\n[The report and the files of the run]({address})\n"


def report_address(environment: Mapping[str, str], run: Path, stated: str | None = None) -> str:
    """Where people can open the run's `report.html`; empty where nobody knows.

    Args:
        environment: variables of the CI server. GitLab opens single files of an artifact; GitHub's
            artifacts are zip files, which have no such address.
        run: the run's directory.
        stated: the address that the user names. It wins.

    Raises:
        UsageError: the stated address is not one of http or https, or has characters that end a
            link.
    """
    if stated:
        if not _ADDRESS.fullmatch(stated):
            raise UsageError(
                f"--report-url {stated[:200]}: write an address such as"
                " https://pages.example.org/qa/report.html, without # and ?"
            )
        return stated
    job, project = environment.get("CI_JOB_URL", ""), environment.get("CI_PROJECT_DIR", "")
    server = environment.get("CI_SERVER_URL", "")
    report = run.resolve() / "report.html"
    if not job or not project or not report.is_relative_to(Path(project).resolve()):
        return ""
    inside = report.relative_to(Path(project).resolve()).as_posix()
    address = f"{job}/artifacts/file/{urllib.parse.quote(inside)}"
    is_own = bool(server) and address.startswith(f"{server}/")
    return address if is_own and _ADDRESS.fullmatch(address.replace("%", "")) else ""


def _comments(thread: Thread) -> Iterator[dict[str, Any]]:
    page = 1
    while True:
        listed = _ask(thread, "GET", f"{thread.all}?per_page={_PAGE}&page={page}")
        yield from listed
        if len(listed) < _PAGE:
            return
        page += 1


def _ask(thread: Thread, method: str, url: str, body: Mapping[str, str] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {**thread.headers, "Content-Type": "application/json", "User-Agent": "llmeval"}
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as reply:
            return json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        hint = ""
        if error.code in (401, 403, 404):
            hint = (
                ": the token may not write here, as in pull requests from forks; docs/ci.md has the"
                " recipe for those"
            )
        raise CommentError(f"{method} {url}: HTTP {error.code}{hint}") from None
    except (OSError, ValueError) as error:
        raise CommentError(f"{method} {url}: {error}") from None
