"""A key is planted in each place that may have one. The endpoint sends back everything that it
receives. No file and no output contains the key.
"""

import json
import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import Endpoint, reply, serve

KEY = "sk-plant+ed/42=zebra"
"""With characters that URLs and JSON write otherwise."""
OPENAI = "candidate: {provider: openai, model: m, base_url: '{url}', {more}}"
HTTP = "candidate: {provider: http, url: '{url}/app', output: answer, {more}}"
VAR = "'${PLANTED}'"
PLACES = {
    "api_key of a variable": OPENAI.replace("{more}", f"api_key: {VAR}"),
    "api_key as text": OPENAI.replace("{more}", f"api_key: '{KEY}'"),
    "header": OPENAI.replace("{more}", f"headers: {{X-Team: {VAR}}}"),
    "header authorization": OPENAI.replace("{more}", f"headers: {{Authorization: 'Bearer {KEY}'}}"),
    "header with text around": OPENAI.replace("{more}", "headers: {X-Team: 'team ${PLANTED} end'}"),
    "query of the address": OPENAI.replace("'{url}'", "'{url}?api-version=1&key=" + quote(KEY, safe="") + "'").replace("{more}", "api_key: x"),
    "query of a variable": OPENAI.replace("'{url}'", "'{url}?v=${PLANTED}'").replace("{more}", "api_key: x"),
    "path of a variable": OPENAI.replace("'{url}'", "'{url}/${PLANTED}'").replace("{more}", "api_key: x"),
    "params": OPENAI.replace("{more}", f"params: {{user: {VAR}}}"),
    "params by name": OPENAI.replace("{more}", f"params: {{access_token: '{KEY}'}}"),
    "extra_body": OPENAI.replace("{more}", f"params: {{metadata: {{a: [{VAR}]}}}}"),
    "model name": OPENAI.replace("model: m", f"model: {VAR}").replace("{more}", "api_key: x"),
    "build, which is not sent": OPENAI.replace("{more}", f"build: {VAR}"),
    "key of the environment": OPENAI.replace("{more}", "timeout: 20"),
    "http body": HTTP.replace("{more}", f"body: {{q: 'PROMPT', token: {VAR}}}"),
    "http body as text": HTTP.replace("{more}", f"body: {{q: 'PROMPT', password: '{KEY}'}}"),
    "http header": HTTP.replace("{more}", f"headers: {{Cookie: 'session={KEY}'}}"),
    "http address": HTTP.replace("'{url}/app'", "'{url}/${PLANTED}/app'").replace("{more}", "timeout: 20"),
    "http query": HTTP.replace("'{url}/app'", "'{url}/app?token=" + quote(KEY, safe="") + "'").replace("{more}", "timeout: 20"),
}  # fmt: skip
TEXTS = {
    "prompt": ("prompt: '", "prompt: '${PLANTED} "),
    "description": ("suite: plant", "suite: plant\ndescription: 'about ${PLANTED}'"),
    "case": ("question: Where", "note: '${PLANTED}', question: Where"),
    "tag": ("question: Where", "tags: {team: '${PLANTED}'}, question: Where"),
    "check": ("contains: '{{", "contains: '${PLANTED} {{"),
    "reason of a case": ("reference: Here", "reference: 'Here ${PLANTED}'"),
}  # fmt: skip
SUITE = """\
suite: plant
cases: [{id: a, question: Where, reference: Here}, {id: b, question: When, reference: Now}]
prompt: '{{ question }}'
gate: none
checks: [{contains: '{{ reference }}'}]
{candidate}
"""


@pytest.fixture
def echo() -> Iterator[Endpoint]:
    """Sends back the address, all headers and the body; with the status that the test sets."""

    def handler(body: dict[str, Any], earlier: int) -> Any:
        text = f"bad: {endpoint.paths[-1]} {endpoint.headers[-1]} {json.dumps(body)}"
        if "/app" in endpoint.paths[-1].partition("?")[0]:
            answer: dict[str, Any] = {"answer": text, "error": text}
        else:
            answer = {**reply(text, model=text, system_fingerprint=text), "error": None}
        return status[0], answer if status[0] == 200 else {"error": {"message": text}}, {}

    status = [200]
    with serve(handler) as endpoint:
        endpoint.wanted = status  # type: ignore[attr-defined]
        yield endpoint


def written(folder: Path) -> list[str]:
    """Files below a folder that contain the key in any form, also packed in the cache."""
    forms = [form.encode() for form in (KEY, quote(KEY, safe=""), quote(KEY), KEY[:12])]
    leaks = []
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "suite.yaml":
            data = path.read_bytes()
            if path.suffix == ".sqlite3":
                data += unpacked(path)
            leaks += [f"{path.name}: {form!r}" for form in forms if form in data]
    return leaks


def unpacked(path: Path) -> bytes:
    """Every value of a database (the cache, the history), decompressed where it is packed."""
    values = []
    with sqlite3.connect(path) as db:
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            for row in db.execute(f'SELECT * FROM "{name}"'):
                values += [
                    value if isinstance(value, bytes) else str(value).encode() for value in row
                ]
    return b"".join(value + _decompressed(value) for value in values)


def _decompressed(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""


def play(
    tmp_path: Path,
    suite: str,
    arguments: list[object],
    only: tuple[str, ...] = (),
    **environment: str,
) -> None:
    """Every command that may show the key; or the commands in `only`."""
    path = tmp_path / "suite.yaml"
    path.write_text(suite)
    environment["LLMEVAL_HOME"] = str(tmp_path / "home")
    commands: list[list[object]] = [
        ["run", path, "--out", tmp_path / "run", *arguments],
        ["run", path, "--out", tmp_path / "json", "--json", *arguments],
        ["report", tmp_path / "run"],
        ["runs", "show", tmp_path / "run"],
        ["run", path, "--dry-run", *arguments],
        ["doctor", path],
        ["validate", path, "--json"],
    ]
    for command in commands:
        if only and command[0] not in only:
            continue
        done = llmeval(*command, cwd=tmp_path, **environment)
        said = done.stdout + done.stderr
        assert "internal error" not in said, said
        for form in (KEY, quote(KEY, safe=""), quote(KEY), KEY[:12]):
            assert form not in said, (command[0], said)
    assert written(tmp_path) == []


ON_ERRORS = ("run", "doctor")
"""The commands that send requests: what the endpoint refuses changes only what they show."""


@pytest.mark.parametrize(
    ("status", "only"), [(200, ()), (401, ON_ERRORS), (404, ON_ERRORS)], ids=["200", "401", "404"]
)
@pytest.mark.parametrize("place", PLACES)
def test_no_file_has_the_key(
    tmp_path: Path, echo: Endpoint, place: str, status: int, only: tuple[str, ...]
) -> None:
    echo.wanted[0] = status  # type: ignore[attr-defined]
    candidate = PLACES[place].replace("{url}", echo.url).replace("PROMPT", "{{ prompt }}")
    suite = SUITE.replace("{candidate}", candidate)
    environment = {"PLANTED": KEY, **({"OPENAI_API_KEY": KEY} if "environment" in place else {})}
    play(tmp_path, suite, [], only, **environment)
    if "not sent" in place:
        return
    sent = f"{echo.requests} {echo.headers} {echo.paths}"
    assert any(form in sent for form in (KEY, quote(KEY), quote(KEY, safe=""))), "not sent"


@pytest.mark.parametrize("place", TEXTS)
def test_no_file_has_the_variable(tmp_path: Path, echo: Endpoint, place: str) -> None:
    candidate = OPENAI.replace("{more}", "api_key: x").replace("{url}", echo.url)
    suite = SUITE.replace("{candidate}", candidate)
    assert TEXTS[place][0] in suite
    play(tmp_path, suite.replace(*TEXTS[place]), [], PLANTED=KEY)


JUDGES = {
    "api_key": OPENAI.replace("{more}", f"api_key: '{KEY}'"),
    "header of a variable": OPENAI.replace("{more}", f"headers: {{X-Team: {VAR}}}"),
    "query of the address": OPENAI.replace("'{url}'", "'{url}?key=" + quote(KEY, safe="") + "'").replace("{more}", "api_key: x"),
    "model name": OPENAI.replace("model: m", f"model: {VAR}").replace("{more}", "api_key: x"),
}  # fmt: skip


@pytest.mark.parametrize("place", JUDGES)
def test_no_file_has_the_key_of_a_judge(tmp_path: Path, echo: Endpoint, place: str) -> None:
    judge = JUDGES[place].replace("{url}", echo.url).replace("candidate: ", "")
    candidate = OPENAI.replace("{more}", "api_key: x").replace("{url}", echo.url)
    suite = SUITE.replace("{candidate}", candidate.replace("model: m", "model: other"))
    play(
        tmp_path, f"{suite}judges: {{right: {{model: {judge}, attacks: false}}}}\n", [], PLANTED=KEY
    )
    sent = f"{echo.requests} {echo.headers} {echo.paths}"
    assert any(form in sent for form in (KEY, quote(KEY), quote(KEY, safe=""))), "not sent"


def test_the_pytest_plugin_shows_no_key(tmp_path: Path, echo: Endpoint) -> None:
    """A failing suite as a test, and the assertion of `assert_suite`."""
    candidate = PLACES["api_key of a variable"].replace("{url}", echo.url)
    path = tmp_path / "plant.eval.yaml"
    path.write_text(SUITE.replace("{candidate}", candidate))
    (tmp_path / "test_it.py").write_text(
        "import llmeval\n\ndef test_it():\n    llmeval.assert_suite('plant.eval.yaml')\n"
    )
    environment = {**os.environ, "PLANTED": KEY, "LLMEVAL_HOME": str(tmp_path / "home")}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--llmeval-reuse",
        ".",
    ]
    command += ["--junitxml", str(tmp_path / "junit.xml"), "--showlocals"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and b"plant" in said, said
    assert KEY.encode() not in said and KEY[:12].encode() not in said
    assert [each for each in written(tmp_path) if "eval.yaml" not in each] == []


@pytest.mark.parametrize("status", [200, 401])
def test_a_candidate_of_the_command_line(tmp_path: Path, echo: Endpoint, status: int) -> None:
    echo.wanted[0] = status  # type: ignore[attr-defined]
    candidate = OPENAI.replace("{more}", "api_key: x").replace("{url}", echo.url)
    suite = SUITE.replace("{candidate}", candidate)
    stated = f'{{provider: openai, model: m, base_url: "{echo.url}", api_key: "{KEY}"}}'
    play(tmp_path, suite, ["--candidate", stated])


@pytest.mark.parametrize("stated", [
    f"{{provider: openai, api_key: '{KEY}'}}", f"{{provider: openai, model: m, api_kee: '{KEY}'}}",
    f"{{provider: openai, model: m, api_key: ['{KEY}']}}", f"{{api_key: '{KEY}'", f"{{model: m, api_key: '{KEY}'}}",
])  # fmt: skip
def test_a_wrong_candidate_is_refused_without_its_key(
    tmp_path: Path, echo: Endpoint, stated: str
) -> None:
    candidate = OPENAI.replace("{more}", "api_key: x").replace("{url}", echo.url)
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.replace("{candidate}", candidate))
    done = llmeval("run", suite, "--candidate", stated, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "--candidate" in done.stderr
    assert KEY[:12] not in done.stderr


@pytest.mark.parametrize("edit", [
    ("api_key: '${PLANTED}'", "api_key: ['${PLANTED}']"), ("api_key: '${PLANTED}'", "api_kye: '${PLANTED}'"),
    ("api_key: '${PLANTED}'", f"api_kye: '{KEY}'"), ("api_key: '${PLANTED}'", f"api_key: ['{KEY}']"),
    ("api_key: '${PLANTED}'", f"headers: {{A: {{b: '{KEY}'}}}}"), ("base_url: '", f"base_url: 'ftp://u:{KEY}@"),
    ("provider: openai", "provider: '${PLANTED}'"), ("gate: none", "gate: '${PLANTED}'"),
], ids=str)  # fmt: skip
def test_a_wrong_suite_is_refused_without_its_key(
    tmp_path: Path, echo: Endpoint, edit: tuple[str, str]
) -> None:
    candidate = PLACES["api_key of a variable"].replace("{url}", echo.url)
    suite = SUITE.replace("{candidate}", candidate)
    assert edit[0] in suite
    path = tmp_path / "suite.yaml"
    path.write_text(suite.replace(*edit))
    for command in ("validate", "run", "doctor"):
        done = llmeval(command, path, cwd=tmp_path, PLANTED=KEY)
        assert done.returncode in (2, 3), done.stdout + done.stderr
        assert KEY[:12] not in done.stdout + done.stderr


def test_a_public_variable_is_shown(tmp_path: Path, echo: Endpoint) -> None:
    candidate = OPENAI.replace("{more}", "build: '${PLANTED}'").replace("{url}", echo.url)
    suite = SUITE.replace("{candidate}", candidate)
    path = tmp_path / "suite.yaml"
    path.write_text("public: [PLANTED]\n" + suite)
    llmeval("run", path, "--out", tmp_path / "run", cwd=tmp_path, PLANTED="release-2026-11")
    assert "release-2026-11" in (tmp_path / "run" / "manifest.json").read_text()


def test_a_manifest_with_a_hidden_value_is_compared_with_the_next_run(
    tmp_path: Path, echo: Endpoint
) -> None:
    candidate = OPENAI.replace("{more}", "build: '${PLANTED}'").replace("{url}", echo.url)
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE.replace("{candidate}", candidate))
    for _ in range(2):  # the second run looks for an unfinished one
        done = llmeval("run", path, cwd=tmp_path, PLANTED=KEY)
        assert "internal error" not in done.stderr and done.returncode == 0, done.stderr
