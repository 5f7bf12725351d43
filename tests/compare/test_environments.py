"""`llmeval env diff`: two servers differ in one thing at a time, and each difference has a name."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import llmeval as library
from llmeval.compare.environments import compare_environments
from llmeval.core.manifest import Manifest
from llmeval.core.manifest_file import manifest_of
from llmeval.runner.options import Options
from llmeval.store.directory import MANIFEST
from tests.support.command import llmeval
from tests.support.endpoint import Endpoint, reply, serve
from tests.support.manifests import manifest_record
from tests.support.suites import answer, write_suite
from tests.support.tables import each_row

Servers = tuple[Endpoint, Endpoint]
STATED: dict[str, Any] = {}
"""What the second server states about itself, over the usual reply."""


def _second(body: dict[str, Any], earlier: int) -> dict[str, Any]:
    return reply(answer(body, earlier), **STATED)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with serve(answer) as first, serve(_second) as second:
        yield first, second


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("LLMEVAL_HOME", str(tmp_path / "home"))
    STATED.clear()
    yield tmp_path
    STATED.clear()


def suite_of(
    folder: Path, servers: Servers, params: str = "", model: str = "cand", more: str = ""
) -> Path:
    """A suite with the environments `staging` (the first server) and `production` (the second)."""
    first, second = (endpoint.url for endpoint in servers)

    def cand(url: str, name: str, end: str) -> str:
        return f"{{cand: {{provider: openai, model: {name}, base_url: '{url}', api_key: k{end}}}}}"

    extra = (
        "environments:\n"
        f"  staging: {{models: {cand(first, 'cand', '')}}}\n"
        f"  production: {{models: {cand(second, model, params)}{more}}}\n"
    )
    return write_suite(folder, first, n=4, extra=extra)


def run_of_environment(suite: Path, environment: str, reports: Path) -> Path:
    options = Options(reports=reports, use_cache=False)
    return library.run(suite, options=options, environment=environment).path


def edited(suite: Path, before: str, now: str) -> None:
    text = suite.read_text(encoding="utf-8")
    assert before in text
    suite.write_text(text.replace(before, now), encoding="utf-8")


def other_case(suite: Path) -> None:
    path = suite.parent / "cases.jsonl"
    path.write_text(path.read_text().replace("What is number 3?", "Which is number 3?"))


EXPECTED = {"environment: name", "endpoint: url"}
"""Between two equal servers only the addresses differ, and both environments list `models.cand`."""
Change = Callable[[Path], None]
CHANGES: list[tuple[str, dict[str, Any], Change | None, dict[str, str], set[str], set[str]]] = [
    ("nothing", {}, None, {}, set(), set()),
    ("returned model", {"model": "other-build"}, None, {}, {"model returned: returned_models"}, set()),
    ("fingerprint", {"system_fingerprint": "fp_2"}, None, {}, {"model returned: fingerprints"}, set()),
    ("parameter", {}, None, {"params": ", params: {temperature: 0.5}"}, set(), {"parameters: params.temperature"}),
    ("requested model", {"model": "new"}, None, {"model": "cand-2"}, set(),
     {"model requested: model", "model returned: returned_models"}),
    ("prompt", {}, lambda s: edited(s, '"{{ question }}"', '"Answer: {{ question }}"'), {}, {"prompt: prompt"}, set()),
    ("judge", {}, lambda s: edited(s, "attacks: false", "attacks: false, when: always, params: {top_p: 0.5}"), {},
     {"judge correctness: params.top_p"}, set()),
    ("data", {}, other_case, {}, {"data: cases"}, set()),
    ("check", {}, lambda s: edited(s, '"{{ reference }}"', '"value"'), {}, {"checks: contains"}, set()),
    ("repeats", {}, None, {"more": ", repeats: 2"}, set(), {"gate: repeats"}),
]  # fmt: skip


@each_row("row", CHANGES, ids=lambda row: row[0].replace(" ", "-"))
def test_each_difference_between_two_servers_is_named(
    row: tuple[str, dict[str, Any], Change | None, dict[str, str], set[str], set[str]],
    folder: Path,
    servers: Servers,
) -> None:
    _, states, change, of_suite, unexpected, expected = row
    STATED.clear()
    suite = suite_of(folder, servers, **of_suite)
    one = run_of_environment(suite, "staging", folder / "reports")
    STATED.update(states)
    if change is not None:
        change(suite)
    two = run_of_environment(suite, "production", folder / "reports")
    done = llmeval("env", "diff", one, two, "--json")
    assert done.returncode == (1 if unexpected else 0), done.stderr
    document = json.loads(done.stdout)
    rows = document["differences"]
    named = {f"{each['group']}: {each['key']}" for each in rows if not each["expected"]}
    listed = {f"{each['group']}: {each['key']}" for each in rows if each["expected"]}
    assert named == unexpected
    assert listed - {"environment: changes"} == EXPECTED | expected
    shown = llmeval("env", "diff", one, two).stdout
    assert all(name in shown for name in named | listed)
    assert ("No unexpected difference" in shown) == (not unexpected)


def test_package_versions_of_the_manifest_are_compared(folder: Path, servers: Servers) -> None:
    suite = suite_of(folder, servers)
    runs = [
        run_of_environment(suite, name, folder / "reports") for name in ("staging", "production")
    ]
    plain = json.loads((runs[1] / MANIFEST).read_text())
    plain["llmeval"]["packages"]["jinja2"] = "0.0.1"
    one, two = (manifest_of(json.loads((runs[0] / MANIFEST).read_text())), manifest_of(plain))
    (difference,) = compare_environments(one, two).unexpected
    assert (difference.group, difference.key, difference.values[1]) == (
        "software", "jinja2", "0.0.1",
    )  # fmt: skip


def test_gate_and_run_name_the_environment_of_their_baseline(
    folder: Path, servers: Servers
) -> None:
    suite = suite_of(folder, servers)
    edited(
        suite, "gate: none", "gate: {regression: {baseline: b.lock.json, margins: {contains: 0.5}}}"
    )
    reports = folder / "reports"
    one = run_of_environment(suite, "staging", reports)
    edited(suite, "attacks: false", "attacks: false, params: {top_p: 0.5}")
    where = ("--reports", reports)
    approval = ("--by", "ada", "--reason", "first")
    done = llmeval("baseline", "approve", one, *approval)
    assert done.returncode == 0, done.stderr
    ran = llmeval("run", suite, "--env", "production", "--no-cache", *where)
    notice = (
        f"the baseline's run {one.name} differs from this run: environment staging -> production;"
        " judge correctness: params.top_p."
    )
    assert notice in ran.stderr
    # `latest` would not do: both runs may be of one second
    two = next(path for path in one.parent.iterdir() if path.name not in (one.name, "partial"))
    assert notice in llmeval("gate", two, *where, "--baseline", f"run:{one.name}").stderr
    ran = llmeval("run", suite, "--env", "staging", "--no-cache", *where)
    assert "environment staging" not in ran.stderr and "params.top_p" in ran.stderr
    edited(suite, "attacks: false, params: {top_p: 0.5}", "attacks: false")
    ran = llmeval("run", suite, "--env", "staging", "--no-cache", *where)
    assert "differs from this run" not in ran.stderr


def test_two_environments_of_a_suite_before_any_run(folder: Path, servers: Servers) -> None:
    suite = suite_of(folder, servers, params=", params: {temperature: 0.5}")
    sent = len(servers[0].requests) + len(servers[1].requests)
    done = llmeval("env", "diff", suite, "--env", "staging", "--env", "production")
    assert done.returncode == 0, done.stderr
    assert "parameters: params.temperature  – -> 0.5" in done.stdout
    assert "The build fingerprint of the endpoint: no answer states it." in done.stdout
    assert len(servers[0].requests) + len(servers[1].requests) == sent


@each_row("words, code, message", [
    (["latest"], 2, "name two runs"), (["SUITE", "--env", "staging", "--env", "staging"], 2, "stated twice"),
    (["SUITE", "--env", "stagin"], 2, "did you mean 'staging'"), (["one", "two"], 3, "there is no run"),
])  # fmt: skip
def test_wrong_usage_names_the_fix(
    words: list[str], code: int, message: str, folder: Path, servers: Servers
) -> None:
    suite = suite_of(folder, servers)
    named = [str(suite) if word == "SUITE" else word for word in words]
    done = llmeval("env", "diff", *named, "--reports", folder / "reports")
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr


def environment_manifest(name: str | None, changes: tuple[str, ...], model: str) -> Manifest:
    candidate = {"name": "c", "identity": {"model": model}, "returned_models": ["m"]}
    return manifest_record(environment=name, environment_changes=list(changes), candidate=candidate)


@each_row("one, two, unexpected", [
    (("staging", ("models.c",)), ("production", ("models.c",)), False),
    ((None, ()), ("production", ("candidate",)), False),
    (("staging", ("models.c",)), ("staging", ("models.c",)), True),
    (("staging", ("models.other",)), ("production", ("models.other", "cases")), True),
])  # fmt: skip
def test_only_keys_of_another_environment_account_for_a_difference(
    one: tuple[str | None, tuple[str, ...]],
    two: tuple[str | None, tuple[str, ...]],
    unexpected: bool,
) -> None:
    comparison = compare_environments(
        environment_manifest(*one, "a"), environment_manifest(*two, "b")
    )
    model = [each for each in comparison.differences if each.key == "model"]
    assert [each.expected for each in model] == [not unexpected]
