"""A regression decided by people's labels, as a person does it on the command line: two runs, a
sheet, labels, and the gate again. The judge prefers the candidate's style.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmeval.store.draws import read_draws
from tests.support.command import llmeval
from tests.support.endpoint import Endpoint, serve, verdict
from tests.support.suites import write_suite

N = 300
GATE = "gate: {regression: {baseline: base.lock.json, margins: {correctness: 0.1}}, attempts: 1}\n"
STYLE = "Certainly! "


def chance(*what: object) -> float:
    """A number in [0, 1) that is fixed by what it is for."""
    digest = hashlib.blake2b(repr(what).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


class World:
    """Candidates and a judge. `drop`: how much less often the new model is right. The judge passes
    85 % of the good answers in the old style, 95 % of those in the new one, and a tenth of the bad.
    """

    def __init__(self, drop: float) -> None:
        self.drop, self.model = drop, "old"

    def says(self, body: dict[str, Any], earlier: int = 0) -> str:
        """The endpoint."""
        text = body["messages"][-1]["content"]
        if body["model"] == "judge":
            shown = re.search(r"=== BEGIN ANSWER\n(.*?)\n===", text, re.S)
            assert shown is not None
            passing = 0.1 if "other-" in shown[1] else 0.95 if STYLE in shown[1] else 0.85
            number = re.search(r"(?:value|other)-(\d+)", shown[1])
            assert number is not None
            right = chance("judge", number[1], STYLE in shown[1]) < passing
            return verdict("correct" if right else "incorrect", shown[1] if right else "")
        found = re.search(r"number (\d+)", text)
        assert found is not None
        good = chance("case", found[1]) < 0.85
        if self.model == "new":
            good = good and chance("new", found[1]) >= self.drop / 0.85
        style = STYLE if self.model == "new" else ""
        return f"{style}It is {'value' if good else 'other'}-{found[1]}."


@pytest.fixture
def endpoint(request: pytest.FixtureRequest) -> Iterator[tuple[World, Endpoint]]:
    world = World(request.param)
    with serve(world.says) as served:
        yield world, served


def two_runs(folder: Path, world: World, url: str) -> Path:
    """The candidate's run; the baseline's is approved, below the folder of reports."""
    suite = write_suite(folder, url, N, GATE)
    home = str(folder / "home")
    base, new = folder / "reports" / "t" / "base", folder / "reports" / "t" / "new"
    llmeval("run", suite, "--out", base, "--no-cache", LLMEVAL_HOME=home)
    done = llmeval(
        "baseline", "approve", base, "--by", "ada", "--reason", "first",
        "--out", folder / "base.lock.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    world.model = "new"
    done = llmeval("run", suite, "--out", new, "--no-cache", LLMEVAL_HOME=home)
    assert done.returncode == 4, done.stdout + done.stderr
    said = " ".join(done.stdout.replace("│", " ").split())  # the line breaks anywhere
    assert "llmeval labels sample RUN --for regression" in said
    return new


def sample(run: Path, sheet: Path, *more: object) -> dict[str, Any]:
    """Draw, as JSON."""
    done = llmeval(
        "labels", "sample", run, "--for", "regression", "--out", sheet,
        "--reports", run.parent.parent, "--json", *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def fill(sheet: Path, rows: int | None = None) -> list[dict[str, str]]:
    """People label as it is, all rows or the first ones."""
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    for row in table[:rows]:
        row["verdict"] = "pass" if "value-" in row["answer"] else "fail"
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return table


def take_in(sheet: Path, run: Path) -> dict[str, Any]:
    """Import, as JSON."""
    done = llmeval("labels", "import", sheet, "--run", run, "--reviewer", "ada", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def gate(run: Path) -> tuple[int, dict[str, Any]]:
    """The exit code and the rule."""
    done = llmeval("gate", run, "--json")
    (rule,) = json.loads(done.stdout)["gate"]["rules"]
    return done.returncode, rule


@pytest.mark.parametrize(("endpoint", "code"), [(0.0, 0), (0.2, 1)], indirect=["endpoint"])
def test_labels_decide_whatever_the_judge_prefers(
    tmp_path: Path, endpoint: tuple[World, Endpoint], code: int
) -> None:
    world, served = endpoint
    run, sheet = two_runs(tmp_path, world, served.url), tmp_path / "sheet.csv"
    drawn = sample(run, sheet, "--n", 200)
    assert drawn["n"] == 200 and sum(part["drawn"] for part in drawn["strata"]) == 100
    assert [part["verdict"] for part in drawn["strata"]] == [
        "both_pass", "fell", "rose", "both_fail"
    ]  # fmt: skip
    table = fill(sheet)
    assert all(
        one["case_id"] == two["case_id"] for one, two in zip(table[::2], table[1::2], strict=True)
    )
    first = [STYLE in row["answer"] for row in table[::2]]
    assert 30 < sum(first) < 70  # which answer stands first says nothing
    assert take_in(sheet, run) == {"added": 200, "known": 0, "empty": 0, "refused": []}
    assert take_in(sheet, run)["known"] == 200
    found, rule = gate(run)
    assert found == code, rule["reason"]
    assert "200 labels on 100 of 300 paired cases" in rule["reason"]
    assert "as good as labels on" in rule["reason"] and "96.25% bounds" in rule["reason"]
    assert len(llmeval("labels", "export", run).stdout.splitlines()) == 200


@pytest.mark.parametrize("endpoint", [0.0], indirect=True)
def test_a_sheet_filled_in_part_decides_nothing_that_the_whole_would_not(
    tmp_path: Path, endpoint: tuple[World, Endpoint]
) -> None:
    world, served = endpoint
    run, sheet = two_runs(tmp_path, world, served.url), tmp_path / "sheet.csv"
    sample(run, sheet, "--n", 200)
    fill(sheet, 150)
    assert take_in(sheet, run)["added"] == 150
    code, rule = gate(run)
    assert code == 4
    assert "50 of the drawn answers have no label that people agree on" in rule["reason"]
    again = sample(run, tmp_path / "again.csv", "--n", 200)
    assert [part["drawn"] for part in again["strata"]] == [
        part.drawn for part in read_draws(run)[0].strata
    ]
    other = sample(run, tmp_path / "other.csv", "--n", 40, "--seed", 1)
    first, second = read_draws(run)
    assert not first.drawn.keys() & second.drawn.keys() and other["n"] == 40


@pytest.mark.parametrize("endpoint", [0.0], indirect=True)
def test_labels_that_cannot_count_are_refused(
    tmp_path: Path, endpoint: tuple[World, Endpoint]
) -> None:
    world, served = endpoint
    run, sheet = two_runs(tmp_path, world, served.url), tmp_path / "sheet.csv"
    sample(run, sheet, "--n", 20)
    fill(sheet)
    sheet.write_text(re.sub(r"sha256:[0-9a-f]+", "", sheet.read_text()))
    done = llmeval("labels", "import", sheet, "--run", run, "--reviewer", "ada")
    assert done.returncode == 2
    assert "does not say which one it is about" in done.stderr
    done = llmeval("labels", "sample", run, "--for", "regression", "--reports", tmp_path / "none")
    assert done.returncode == 2
    assert "--baseline-run DIR" in done.stderr


@pytest.mark.parametrize("endpoint", [0.0], indirect=True)
def test_labels_of_one_baseline_run_do_not_decide_against_a_mean(
    tmp_path: Path, endpoint: tuple[World, Endpoint]
) -> None:
    world, served = endpoint
    run, sheet = two_runs(tmp_path, world, served.url), tmp_path / "sheet.csv"
    sample(run, sheet, "--n", 20)
    fill(sheet)
    take_in(sheet, run)
    assert "20 labels on 10 of 300" in gate(run)[1]["reason"]
    world.model = "old"
    night = run.parent / "night"
    done = llmeval(
        "run", tmp_path / "suite.yaml", "--out", night, "--no-cache",
        LLMEVAL_HOME=str(tmp_path / "home"),
    )  # fmt: skip
    assert done.returncode in (0, 4), done.stdout + done.stderr
    done = llmeval("baseline", "extend", night)
    assert done.returncode == 0, done.stderr
    done = llmeval(
        "labels", "sample", run, "--for", "regression", "--out", tmp_path / "more.csv",
        "--reports", run.parent.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rule = gate(run)[1]
    assert "labels on" not in rule["reason"], "labels drawn for the one run do not fit the mean"
    assert "is its mean over 2 runs" in rule["reason"]
