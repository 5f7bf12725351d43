"""Partial runs: `--case`, `--tag`, `--failed`, `--last-failed`. They never pass the gate."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, cases, write_suite


def tagged_suite(folder: Path, url: str, gate: str) -> Path:
    """20 cases; c0000, c0005, c0010 and c0015 fail."""
    path = write_suite(folder, url, 20, gate, judge=False)
    topics = ["law", "tax", "health", "work"]
    lines = [
        json.dumps({**case, "tags": {"topic": topics[at % 4], "level": "a" if at < 10 else "b"}})
        for at, case in enumerate(cases(20))
    ]
    (folder / "cases.jsonl").write_text("\n".join(lines) + "\n")
    return path


def run(suite: Path, *more: object) -> tuple[int, dict[str, Any], str]:
    done = llmeval("run", suite, "--json", "--reports", suite.parent / "r", *more, cwd=suite.parent)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def ids(summary: dict[str, Any]) -> list[str]:
    lines = (Path(summary["path"]) / "cases.jsonl").read_text().splitlines()
    return sorted(json.loads(line)["id"] for line in lines)


@pytest.mark.parametrize(
    ("options", "selected"),
    [
        (("--case", "c0001"), ["c0001"]),
        (("--case", "c0001", "--case", "c0002"), ["c0001", "c0002"]),
        (("--tag", "topic=law", "--tag", "level=b"), ["c0012", "c0016"]),
        (("--tag", "topic=law", "--tag", "topic=tax", "--tag", "level=b"),
         ["c0012", "c0013", "c0016", "c0017"]),
        (("--case", "c0001", "--case", "c0004", "--tag", "topic=law"), ["c0004"]),
    ],
)  # fmt: skip
def test_only_the_selected_cases_run_and_the_gate_stays_open(
    tmp_path: Path, options: tuple[str, ...], selected: list[str]
) -> None:
    with serve(answer) as endpoint:
        suite = tagged_suite(tmp_path, endpoint.url, "gate: {floors: {contains: 0.01}}\n")
        code, summary, _ = run(suite, *options)
        assert len(endpoint.requests) == len(selected)
    assert ids(summary) == selected
    assert (code, summary["gate"]["decision"]) == (4, "INCONCLUSIVE")
    n = len(selected)
    assert f"{n} of 20 cases {'was' if n == 1 else 'were'} selected" in summary["gate"]["reason"]


@pytest.mark.parametrize(
    ("gate", "case", "code", "decision"),
    [
        ("gate: {must_pass: all}\n", "c0001", 4, "INCONCLUSIVE"),
        ("gate: {must_pass: all}\n", "c0005", 1, "FAIL"),
        ("gate: {must_pass: all, on_inconclusive: pass}\n", "c0001", 4, "INCONCLUSIVE"),
        ("gate: {floors: {contains: 0.01}, on_inconclusive: pass}\n", "c0001", 4, "INCONCLUSIVE"),
        ("gate: none\n", "c0001", 0, None),
    ],
)
def test_no_gate_passes_on_a_part(
    tmp_path: Path, gate: str, case: str, code: int, decision: str | None
) -> None:
    with serve(answer) as endpoint:
        suite = tagged_suite(tmp_path, endpoint.url, gate)
        got, summary, _ = run(suite, "--case", case)
    assert (got, summary["gate"]["decision"]) == (code, decision)
    path = Path(summary["path"])
    assert llmeval("gate", path).returncode == code  # decided again from its records
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["selection"] == {"n": 1, "of": 20, "cases": [case], "tags": [],
                                     "failed_of": None, "last_failed": False}  # fmt: skip
    assert "PASS" not in summary["gate"]["reason"]
    for name in ("summary.md", "report.html", "junit.xml"):
        assert "1 of 20 cases" in (path / name).read_text(), name
    junit = ET.parse(path / "junit.xml").getroot()
    assert len(junit.findall(".//property[@name='partial']")) >= 1


def test_what_failed_runs_again_and_a_part_is_nothing_to_rely_on(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = tagged_suite(tmp_path, endpoint.url, "gate: {must_pass: all}\n")
        code, whole, _ = run(suite)
        assert code == 1
        failing = ["c0000", "c0005", "c0010", "c0015"]
        _, again, _ = run(suite, "--failed", whole["run_id"])
        assert ids(again) == failing
        _, last, _ = run(suite, "--last-failed", "--tag", "level=b")
        assert ids(last) == ["c0010", "c0015"]
        chosen = (Path(last["path"]) / "summary.md").read_text().replace("`", "")
        assert f"--last-failed: the failing cases of {whole['run_id']}" in chosen
        assert f"(--failed {whole['run_id']})" in (Path(again["path"]) / "summary.md").read_text()
        reports = tmp_path / "r"
        # `latest` is still the whole run, and neither counts as an attempt of its change
        decided = llmeval("gate", "latest", "--reports", reports, "--json")
        assert json.loads(decided.stdout)["run_id"] == whole["run_id"]
        assert run(suite)[1]["gate"]["decision"] == "FAIL"
        part = Path(again["path"])
        proposed = llmeval("baseline", "propose", part, "--reports", reports, cwd=tmp_path)
        assert proposed.returncode == 2
        assert "partial run" in proposed.stderr


def test_a_case_stays_in_the_last_failed_until_it_ran_again_and_passed(tmp_path: Path) -> None:
    fixed: set[str] = set()

    def reply(request: dict[str, Any], earlier: int) -> str:
        text = request["messages"][-1]["content"]
        number = int("".join(filter(str.isdigit, text)))
        return f"A{number}" if number % 5 or f"c{number:04d}" in fixed else "no idea"

    (tmp_path / "cases.jsonl").write_text(
        "".join(
            json.dumps({"id": f"c{n:04d}", "question": f"Q{n}?", "reference": f"A{n}"}) + "\n"
            for n in range(20)
        )
    )
    with serve(reply) as endpoint:
        suite = tmp_path / "t.yaml"
        suite.write_text(
            "suite: t\ncases: {source: cases.jsonl}\nprompt: '{{ question }}'\n"
            "models:\n  one: {provider: openai, model: m, api_key: k, base_url: "
            f"{endpoint.url}}}\n  two: {{provider: openai, model: n, api_key: k, base_url: "
            f"{endpoint.url}}}\ncandidate: one\nchecks: [equals: '{{{{ reference }}}}']\n"
        )
        run(suite)
        run(suite, "--case", "c0001")  # it passed: the others still fail
        fixed |= {"c0005", "c0010"}
        run(suite, "--case", "c0005")
        run(suite, "--case", "c0000", "--candidate", "two")  # another candidate changes nothing
        _, again, _ = run(suite, "--last-failed")
        assert ids(again) == ["c0000", "c0010", "c0015"]
        fixed.clear()
        run(suite, "--case", "c0005")  # it fails again
        _, again, _ = run(suite, "--last-failed")
        assert ids(again) == ["c0000", "c0005", "c0015"]
        fixed |= {"c0000", "c0005", "c0015"}
        run(suite, "--last-failed")
        code, _, errors = run(suite, "--last-failed")
    assert (code, "nothing to run again" in errors) == (2, True)


def test_a_partial_run_in_any_folder_is_never_latest(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = tagged_suite(tmp_path, endpoint.url, "gate: none\n")
        run(suite, "--case", "c0001", "--out", tmp_path / "r" / "t" / "mine")
    done = llmeval("gate", "latest", "--reports", tmp_path / "r")
    assert (done.returncode, "there is no run" in done.stderr) == (3, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--case", "c001"), "did you mean 'c0019'"),
        (("--case", "zzz"), "it has c0000, c0001"),
        (("--tag", "topc=law"), "no case has the tag 'topc'; did you mean 'topic'?"),
        (("--tag", "topic=lax"), "did you mean 'tax', 'law'?"),
        (("--tag", "topic"), "write name=value"),
        (("--case", "c0001", "--tag", "topic=law"), "no case has all of them"),
        (("--last-failed",), "there is no run of the suite t"),
        (("--failed", "x", "--last-failed"), "exclude one another"),
        (("--case", "c0001", "--shard", "1/2"), "leave out --case"),
    ],
)
def test_a_typo_is_an_error_before_the_first_call(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    with serve(answer) as endpoint:
        suite = tagged_suite(tmp_path, endpoint.url, "gate: none\n")
        code, _, errors = run(suite, *options)
        assert endpoint.requests == []
    assert code in (2, 3)
    assert message in errors


def test_nothing_failed_is_an_error_and_not_an_empty_pass(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = tagged_suite(tmp_path, endpoint.url, "gate: none\n")
        run(suite, "--case", "c0001")
        code, _, errors = run(suite, "--last-failed")
    assert code == 2
    assert "nothing to run again" in errors


def test_open_never_starts_a_browser_without_a_display(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: started.append(url) or True)
    with serve(answer) as endpoint:
        suite = tagged_suite(tmp_path, endpoint.url, "gate: none\n")
        for name, value, opened in (("CI", "true", 0), ("CI", "", 0), ("DISPLAY", ":0", 1)):
            for variable in ("CI", "DISPLAY", "WAYLAND_DISPLAY"):
                monkeypatch.delenv(variable, raising=False)
            done = llmeval("run", suite, "--open", "--reports", tmp_path / "r", **{name: value})
            assert (done.returncode, len(started)) == (0, opened)
            assert ("no display" in done.stderr) is (opened == 0)
    assert started[0].startswith("file://")
