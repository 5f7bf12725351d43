"""The history takes the pass that writes the reports: the same rows as from the records."""

from pathlib import Path

from llmeval.core.records import Label
from llmeval.history.projection import project
from llmeval.history.run_verdicts import RunVerdicts
from llmeval.report.run_view import view_run
from llmeval.store.directory import RunDir
from llmeval.store.labels import append
from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.rundirs import seal
from tests.support.suites import answer, write_suite

GATE = "repeats: 2\ngate: {floors: {contains: 0.3, correctness: {min: 0.3, scale: judge}}}\n"


def made_run(tmp_path: Path) -> Path:
    """A run with a check, a judge, two answers a case, and a case in quarantine."""
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, 12, GATE)
        done = llmeval("run", suite, "--out", tmp_path / "reports" / "t" / "run")
    assert done.returncode in (0, 1), done.stderr
    run = tmp_path / "reports" / "t" / "run"
    case = next(iter(RunDir(run).outlines())).id
    return seal(
        run,
        quarantine=[{"case_id": case, "reason": "unsure", "owner": "ada", "expires": "2099-01-01"}],
    )


def taken(run: Path) -> RunVerdicts:
    directory = RunDir(run)
    verdicts = RunVerdicts(run, directory.manifest())
    view_run(directory, None, [verdicts.add_case], [verdicts.take])
    return verdicts


def test_the_pass_gives_the_rows_of_the_records(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    read = project(run, run.parent.parent)
    assert project(run, run.parent.parent, taken(run)) == read
    assert {vector.metric for vector in read.vectors} >= {"correctness"}
    assert any(4 in vector.verdicts for vector in read.vectors)  # the quarantine


def test_labels_that_came_after_the_pass_are_read(tmp_path: Path) -> None:
    run = made_run(tmp_path)
    verdicts = taken(run)
    assert verdicts.are_current
    case = next(iter(RunDir(run).outlines())).id
    label = Label(
        case_id=case,
        metric="correctness",
        human_verdict="pass",
        reviewer="ada",
        at="2026-12-01T00:00:00Z",
    )
    append(run, [label])
    assert not verdicts.are_current
    assert project(run, run.parent.parent, verdicts) == project(run, run.parent.parent)
