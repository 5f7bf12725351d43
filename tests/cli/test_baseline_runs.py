"""A baseline of several runs and a release beside it, as people and CI use them: real runs of
recorded answers, the lock file on disk, and the gate's decision.
"""

import html
import json
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import llmeval

N = 120
SUITE = """suite: rolling
cases: {source: cases.jsonl}
prompt: "Name the colour of item {{ id }}."
models:
  app: {provider: replay, source: "${ANSWERS}"}
candidate: app
checks: [contains: "{{ reference }}"]
gate:
  attempts: 1
  regression:
    baseline: base/rolling.lock.json
    margins: {contains: 0.15}
"""
RELEASE = "    release: {margins: {contains: 0.15}}\n"


class Project:
    """A suite in a folder, with answers that are recorded run by run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lock = folder, folder / "base" / "rolling.lock.json"
        self.suite = folder / "rolling.yaml"
        self.suite.write_text(SUITE)
        cases = [{"id": f"c{n}", "reference": f"shade-{n}-end"} for n in range(N)]
        (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))

    def run(
        self,
        name: str,
        wrong: set[int],
        *more: object,
        left_out: frozenset[int] = frozenset(),
        seconds: float = 1.0,
    ) -> "subprocess.CompletedProcess[str]":
        """One run whose answers are wrong on these cases; those left out are missing. Each answer
        takes about so many seconds.
        """
        answers = self.folder / f"{name}.jsonl"
        answers.write_text(
            "".join(
                json.dumps(
                    {
                        "id": f"c{n}",
                        "output": "no idea" if n in wrong else f"shade-{n}-end",
                        "latency_ms": seconds * (1000 + n),
                    }
                )
                + "\n"
                for n in range(N)
                if n not in left_out
            )
        )
        return self.call(
            "run", self.suite, "--out", self.folder / name, *more, ANSWERS=str(answers)
        )

    def call(self, *words: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        """The command line, in this project's folder."""
        return llmeval(*words, cwd=self.folder, **environment)

    def baseline(self, verb: str, *words: object) -> "subprocess.CompletedProcess[str]":
        """`llmeval baseline VERB`, with a name and a reason where it takes them."""
        who = () if verb in ("extend", "show") else ("--by", "ada", "--reason", "release 4")
        return self.call("baseline", verb, *words, *who)

    def kept(self) -> Any:
        """The lock file."""
        return json.loads(self.lock.read_text())

    def rules(self, name: str) -> list[Any]:
        """The rules of a run, decided."""
        return list(json.loads((self.folder / name / "summary.json").read_text())["gate"]["rules"])


def draws(seed: int, wrong: int = 12, unsure: int = 24) -> set[int]:
    """Some cases are always wrong, some by the toss of a coin."""
    rng = random.Random(seed)
    return {*range(wrong), *(n for n in range(wrong, wrong + unsure) if rng.random() < 0.5)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def five(project: Project) -> list[set[int]]:
    """Five runs of one system."""
    wrong = [draws(seed) for seed in range(5)]
    for number, each in enumerate(wrong):
        project.run(f"r{number}", each)
    return wrong


def test_five_runs_make_one_baseline(project: Project) -> None:
    wrong = five(project)
    done = project.baseline("approve", *(f"r{n}" for n in range(5)))
    assert done.returncode == 0, done.stderr
    assert "the mean of 5 runs of app" in done.stdout
    kept = project.kept()
    assert len(kept["runs"]) == 5 and kept["outputs"] == []
    values = kept["metrics"]["contains"]["values"]
    means = [1 - sum(n in each for each in wrong) / 5 for n in range(N)]
    assert values == pytest.approx(means, abs=1e-9)
    spread = sum(5 / 4 * mean * (1 - mean) for mean in means) / N
    assert kept["metrics"]["contains"]["noise"] == pytest.approx(spread, abs=1e-6)
    assert project.run("same", draws(9)).returncode == 0
    assert "Each case's baseline is its mean over 5 runs." in project.rules("same")[-1]["reason"]
    lost = project.run("worse", draws(9) | set(range(60, 100)))
    assert lost.returncode == 1
    rule = project.rules("worse")[-1]
    assert rule["estimate"] == pytest.approx(
        sum((n not in draws(9) | set(range(60, 100))) - means[n] for n in range(N)) / N
    )


def test_a_run_that_stops_early_decides_by_bets(project: Project) -> None:
    five(project)
    assert project.baseline("approve", *(f"r{n}" for n in range(5))).returncode == 0
    stopped = project.run("early", draws(9) | set(range(50, N)), "--stop", "early")
    assert stopped.returncode == 1, stopped.stdout
    rule = project.rules("early")[-1]
    assert rule["n"] < N and rule["high"] <= 0, "decided before the last case"
    assert f"Decided early: {N} were planned." in rule["reason"]
    again = project.call("gate", project.folder / "early")
    assert again.returncode == 1, "read again, the stored run comes to the same decision"
    assert project.rules("early")[-1] == rule


def test_extend_is_the_same_as_approving_together(project: Project) -> None:
    wrong = five(project)
    assert project.baseline("approve", "r0").returncode == 0
    done = project.baseline("extend", "r1")  # INVALID when it ran: there was no baseline yet
    assert done.returncode == 0, done.stderr
    for number in range(2, 5):
        project.run(f"n{number}", wrong[number])
        done = project.baseline("extend", f"n{number}")
        assert done.returncode == 0, done.stderr
    grown = project.kept()
    assert "(there were 4)" in done.stdout and len(grown["runs"]) == 5
    assert len(grown["chain"]) == 1 and grown["chain"][0]["runs"] == 5
    project.lock.unlink()
    assert project.baseline("approve", "r0", "r1", *(f"n{n}" for n in range(2, 5))).returncode == 0
    together = project.kept()["metrics"]["contains"]
    assert grown["metrics"]["contains"]["values"] == together["values"]
    assert grown["metrics"]["contains"]["noise"] == pytest.approx(together["noise"], abs=1e-8)


def test_what_can_not_be_averaged_is_refused(project: Project) -> None:
    project.run("r0", draws(0))
    project.run("r1", draws(1))
    twice = project.baseline("approve", "r0", "r1", "r0")
    assert twice.returncode == 2 and "a run counts once" in twice.stderr
    text = project.suite.read_text()
    for old, new, part in (
        ("contains: 0.15", "contains: 0.2", "differs in its gate or repeats"),
        ("Name the colour", "Say the colour", "differs in its prompt"),
        ('[contains: "{{ reference }}"]', '[contains: "{{ reference }}", max_words: 9]', "checks"),
    ):
        project.suite.write_text(text.replace(old, new))
        project.run(part[-4:], draws(1))
        refused = project.baseline("approve", "r0", part[-4:])
        assert refused.returncode == 2, part
        assert part in refused.stderr and "llmeval baseline extend" in refused.stderr
    assert not project.lock.exists()


def test_a_run_that_failed_does_not_join(project: Project) -> None:
    project.run("r0", draws(0))
    assert project.baseline("approve", "r0").returncode == 0
    assert project.run("bad", draws(1) | set(range(50, N))).returncode == 1
    before = project.lock.read_bytes()
    refused = project.baseline("extend", "bad")
    assert refused.returncode == 2 and "is FAIL" in refused.stderr
    assert project.lock.read_bytes() == before


def test_a_run_from_before_the_baseline_joins_only_where_it_does_not_fail(project: Project) -> None:
    project.run("r0", draws(0))
    project.run("worse", draws(1) | set(range(50, N)))
    assert project.baseline("approve", "r0").returncode == 0
    before = project.lock.read_bytes()
    refused = project.baseline("extend", "worse")
    assert refused.returncode == 2 and "is FAIL against this baseline" in refused.stderr
    assert project.lock.read_bytes() == before


def test_another_order_of_the_cases_in_a_lock_file_is_an_edit(project: Project) -> None:
    project.run("r0", set(range(40)))
    assert project.baseline("approve", "r0").returncode == 0
    content = project.kept()
    content["cases"] = dict(reversed(content["cases"].items()))
    project.lock.write_text(json.dumps(content))
    now = project.run("now", set(range(80, N)))
    assert now.returncode == 2 and "was changed after it was approved" in now.stderr


def test_an_answer_counts_once(project: Project) -> None:
    project.run("r0", draws(0))
    project.run("r1", draws(1))
    assert project.call("score", "r0", "--out", project.folder / "again").returncode == 3
    refused = project.baseline("approve", "r0", "r1", "again")
    assert refused.returncode == 2 and "hold the same answer to the case c0" in refused.stderr
    assert project.baseline("approve", "r0", "r1").returncode == 0
    refused = project.baseline("extend", "again")
    assert refused.returncode == 2 and "is reused from the run" in refused.stderr


def test_a_case_that_one_run_misses_is_the_worst_for_both_claims(project: Project) -> None:
    for number in range(4):
        missing = frozenset({100, 101}) if number == 2 else frozenset()
        project.run(f"r{number}", set(), left_out=missing)
    assert project.baseline("approve", *(f"r{n}" for n in range(4))).returncode == 0
    column = project.kept()["metrics"]["contains"]
    assert column["gaps"] == {"c100": 0.25, "c101": 0.25}
    assert column["values"][100] == 0.75, "the least that it may be"
    project.run("now", set())
    rule = project.rules("now")[-1]
    assert "2 cases have no result in some of them" in rule["reason"]
    assert rule["low"] < -2 * 0.25 / N, "a missing result may have been a pass"
    assert rule["estimate"] == pytest.approx(2 * 0.125 / N)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"noise":', '"noise":9'),
        ('"values":[0', '"values":[1'),
        ('"by": "ada"', '"by": "bob"'),
        ('"run_id":"', '"run_id":"x'),
        ('"drops":{"contains":0.0}', '"drops":{"contains":-0.5}'),
    ],
)
def test_a_lock_file_that_was_edited_is_refused(project: Project, old: str, new: str) -> None:
    project.run("r0", draws(0))
    project.run("r1", draws(1))
    assert project.baseline("approve", "r0", "r1").returncode == 0
    done = project.baseline("release", "--out", project.lock)
    assert done.returncode == 0, done.stderr
    text = project.lock.read_text()
    assert old in text
    project.lock.write_text(text.replace(old, new, 1))
    for refused in (
        project.baseline("show", project.lock),
        project.run("now", draws(3)),
        project.baseline("approve", "r0"),
    ):
        assert refused.returncode == 2
        assert (
            "was changed after it was approved" in refused.stderr
            or "can't be read" in refused.stderr
        )
        assert str(project.lock) in refused.stderr


def test_many_small_drops_are_seen_by_the_release(project: Project) -> None:
    project.suite.write_text(SUITE + RELEASE)
    project.run("r0", draws(0))
    assert project.baseline("approve", "r0").returncode == 0
    project.run("none", draws(1))
    reason = project.rules("none")[-1]["reason"]
    assert "names none" in reason and "llmeval baseline release" in reason
    assert project.rules("none")[-1]["decision"] == "INVALID"
    assert project.baseline("release", "r0").returncode == 0
    weeks: list[tuple[str, str]] = []
    for week in range(1, 6):
        project.run(f"w{week}", draws(0) | set(range(50, 50 + 3 * week)))
        rolling, release = project.rules(f"w{week}")
        assert (rolling["rule"], release["rule"]) == ("regression", "release")
        weeks.append((rolling["decision"], release["decision"]))
        if release["decision"] == "FAIL":
            break
        assert project.baseline("approve", f"w{week}").returncode == 0
    assert weeks[-1][1] == "FAIL" and all(rolling != "FAIL" for rolling, _ in weeks), weeks
    assert "contains since the release fell by" in release["reason"]
    assert "worse than the release" in release["reason"]
    shown = project.baseline("show", project.lock).stdout
    assert "Chain of baselines" in shown and "points below the release" in shown
    document = json.loads(project.call("baseline", "show", project.lock, "--json").stdout)
    assert len(document["chain"]) == len(weeks) + 1, (
        "the first one, the release; each week approved"
    )
    drops = [link["drops"]["contains"] for link in document["chain"][1:]]
    assert drops[0] == 0 and drops == sorted(drops)
    assert "No drop since the release" in (project.folder / f"w{week}" / "report.html").read_text()


def test_a_mean_does_not_hold_which_cases_passed(project: Project) -> None:
    project.suite.write_text(SUITE.replace("contains: 0.15", "contains pass: 0.15"))
    for number in range(2):
        project.run(f"r{number}", draws(number))
    assert project.baseline("approve", "r0").returncode == 0
    assert project.run("one", draws(3)).returncode == 0, "a single run holds it"
    project.lock.unlink()
    assert project.baseline("approve", "r0", "r1").returncode == 0
    project.run("now", draws(3))
    rule = project.rules("now")[-1]
    assert rule["decision"] == "INVALID" and "is the mean of 2 runs" in rule["reason"]
    assert "Write the margin without `pass`" in rule["reason"]


def test_numbers_are_compared_with_each_of_the_last_runs(project: Project) -> None:
    project.suite.write_text(SUITE.replace("contains: 0.15", "latency.p50: 20%, latency: 20%"))
    for number in range(6):
        project.run(f"r{number}", set(), seconds=100.0 if number == 0 else 1.0 + 0.01 * number)
    assert project.baseline("approve", *(f"r{n}" for n in range(6))).returncode == 0
    kept = project.kept()["numbers"]["latency"]
    assert kept["runs"] == 5 and kept["values"][10] == pytest.approx(
        [1.01 * (1 + 0.01 * number) for number in range(1, 6)]
    ), "the first of six runs is left out"
    assert project.run("same", set(), seconds=1.03).returncode == 0
    for rule in project.rules("same"):
        assert rule["n"] == N and rule["estimate"] == pytest.approx(0, abs=0.01)
        assert f"on {N} answers, each paired with those of 5 runs" in rule["reason"]
    assert project.run("slow", set(), seconds=1.6).returncode == 1
    assert {rule["decision"] for rule in project.rules("slow")} == {"FAIL"}
    assert len(project.rules("slow")[0]["fell"]) == 10
    absent = frozenset(range(3))
    project.run("few", set(), left_out=absent, seconds=1.03)
    assert "3 of 120 answers of this run have no latency" in project.rules("few")[-1]["reason"]


def test_a_release_takes_numbers_and_every_metric(project: Project) -> None:
    margins = '{"*": 0.15, latency.p50: {margin: 20%, on_inconclusive: warn}}'
    project.suite.write_text(SUITE + RELEASE.replace("{contains: 0.15}", margins))
    project.run("r0", draws(0))
    assert project.baseline("approve", "r0").returncode == 0
    assert project.baseline("release", "r0").returncode == 0
    assert project.run("same", draws(0)).returncode == 0
    rules = project.rules("same")
    assert [(rule["rule"], rule["metric"]) for rule in rules] == [
        ("regression", "contains"),
        ("release", "contains"),
        ("release", "latency.p50"),
    ]
    assert "rise of the margin or more from the release" in rules[-1]["reason"]
    assert rules[-1]["on_inconclusive"] == "warn"
    assert project.run("slow", draws(0), seconds=2.0).returncode == 1
    slow = project.rules("slow")[-1]
    assert (slow["rule"], slow["decision"]) == ("release", "FAIL")
    assert "larger than in the release" in slow["reason"]


def test_a_margin_of_the_release_names_what_there_is(project: Project) -> None:
    for margins, part in (
        ("{containz: 0.1}", "no check or judge gives the metric 'containz'"),
        ("{contains: 5}", "5 points are 0.05"),
        ("{cases: 0.1}", "a metric of floors only"),
    ):
        project.suite.write_text(SUITE + RELEASE.replace("{contains: 0.15}", margins))
        refused = project.run("no", set())
        assert refused.returncode == 2 and part in refused.stderr, refused.stderr
        assert "release" in refused.stderr


ODD = set(range(60, 100))


@pytest.mark.parametrize(
    ("wrong", "decision"),
    [
        (draws(0) | ODD, "FAIL"),
        (draws(0) - set(range(11)) | set(range(50, 70)), "INCONCLUSIVE"),
    ],
    ids=["FAIL", "INCONCLUSIVE"],
)
def test_a_release_that_is_not_pass_needs_a_reason_of_its_own(
    project: Project, wrong: set[int], decision: str
) -> None:
    project.suite.write_text(SUITE + RELEASE)
    project.run("r0", draws(0))
    assert project.baseline("approve", "r0").returncode == 0
    assert project.baseline("release", "r0").returncode == 0
    project.run("next", wrong)
    before = project.lock.read_bytes()
    refused = project.baseline("release", "next")
    assert refused.returncode == 2, refused.stdout
    assert f"it is {decision}" in refused.stderr and "--despite TEXT" in refused.stderr
    assert project.baseline("release", "next", "--despite", " ").returncode == 2
    assert project.lock.read_bytes() == before
    done = project.baseline("release", "next", "--despite", "the old data had wrong references")
    assert done.returncode == 0, done.stderr
    kept = project.kept()["release"]["approved"]["accepted"]
    assert kept == {"decision": decision, "reason": "the old data had wrong references"}
    shown = project.baseline("show", project.lock).stdout
    assert f"It was {decision}, accepted: the old data had wrong references" in shown
    project.run("now", draws(0))
    sentence = f"was {decision}, and ada accepted it: the old data had wrong references."
    for page in ("summary.json", "summary.md", "report.html"):
        assert sentence in html.unescape((project.folder / "now" / page).read_text()), page


def test_a_failed_run_that_was_approved_is_no_release_without_a_reason(project: Project) -> None:
    project.run("r0", draws(0))
    assert project.baseline("approve", "r0").returncode == 0
    assert project.run("bad", draws(0) | ODD).returncode == 1
    assert project.baseline("approve", "bad").returncode == 0
    for name in (("bad",), ("--out", project.lock)):
        refused = project.baseline("release", *name)
        assert refused.returncode == 2 and "it is FAIL" in refused.stderr, name
    project.run("now", draws(0) | ODD)
    reason = json.loads((project.folder / "now" / "summary.json").read_text())["gate"]["reason"]
    assert "was FAIL, and ada accepted it: release 4." in reason
    project.run("good", draws(0))
    assert project.baseline("approve", "good").returncode == 0
    refused = project.baseline("release", "good", "--despite", "nothing to excuse")
    assert refused.returncode == 2 and "this one is PASS" in refused.stderr
    assert project.baseline("release", "good").returncode == 0


def test_records_that_changed_since_make_no_baseline(project: Project) -> None:
    project.run("r0", draws(0))
    assert project.baseline("approve", "r0").returncode == 0
    project.run("r1", draws(1))
    scores = project.folder / "r1" / "scores.jsonl"
    scores.write_text(scores.read_text().replace('"value":1.0', '"value":0.0', 1))
    before = project.lock.read_bytes()
    for verb in ("approve", "extend", "release"):
        refused = project.baseline(verb, "r1")
        assert refused.returncode == 3 and "was changed" in refused.stderr, verb
    assert project.lock.read_bytes() == before


def test_a_lock_file_of_another_suite_is_not_overwritten(project: Project) -> None:
    project.run("r0", draws(0))
    assert project.baseline("approve", "r0").returncode == 0
    project.suite.write_text(SUITE.replace("suite: rolling", "suite: other"))
    project.run("o0", draws(0))
    for verb in ("approve", "extend", "release"):
        refused = project.baseline(verb, "o0")
        assert refused.returncode == 2, verb
        assert "other" in refused.stderr and "rolling" in refused.stderr


@pytest.mark.parametrize("change", [{"digest": ""}, {"schema": 1}, {"schema": 1, "digest": ""}])
def test_an_edited_release_does_not_survive_the_next_approval(
    project: Project, change: dict[str, Any]
) -> None:
    project.run("r0", draws(0))
    assert project.baseline("approve", "r0").returncode == 0
    assert project.baseline("release", "r0").returncode == 0
    content = project.kept()
    values = content["release"]["metrics"]["contains"]["values"]
    content["release"]["metrics"]["contains"]["values"] = [0] * len(values)
    project.lock.write_text(json.dumps(content | change))
    done = project.baseline("approve", "r0")
    assert done.returncode == 2 or project.kept()["release"] is None
