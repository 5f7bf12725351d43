"""Run directories that were changed after they were written: every command that reads one says so,
and none says PASS.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import llmeval
from llmeval.core.checksums import sealed, unsealed
from llmeval.core.errors import StoreError
from llmeval.core.judge_probe import JudgeProbe
from llmeval.runner.options import Options
from llmeval.runner.sharding import Shard
from llmeval.store.directory import RECORDS, RunDir
from llmeval.store.writer import RunWriter
from tests.support.command import llmeval as command
from tests.support.endpoint import serve
from tests.support.rundirs import seal
from tests.support.suites import answer, write_suite

N = 30
GATE = "gate: {floors: {contains: 0.5}}\n"
Edit = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A complete run that says PASS, with a judge whose attacks were tried."""
    folder = tmp_path_factory.mktemp("original")
    with pytest.MonkeyPatch.context() as patch, serve(answer) as endpoint:
        patch.setenv("LLMEVAL_HOME", str(folder / "home"))
        suite = write_suite(folder, endpoint.url, N, GATE)
        suite.write_text(suite.read_text().replace(", attacks: false", ""))
        done = llmeval.run(suite, options=Options(out=folder / "run"))
        assert done.decision == "PASS"
        yield folder


@pytest.fixture
def run(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original / "run", tmp_path / "run")


def changed(old: bytes, new: bytes) -> Edit:
    """A replacement in the first line that has it."""

    def edit(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return edit


def sealed_anew(old: bytes, new: bytes) -> Edit:
    """A replacement in one line, whose checksum is made to fit."""

    def edit(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        at = next(index for index, line in enumerate(lines) if old in line)
        lines[at] = sealed(unsealed(lines[at]).replace(old, new))
        return b"".join(lines)

    return edit


def without(part: slice) -> Edit:
    """Some lines gone."""

    def edit(data: bytes) -> bytes:
        lines = data.splitlines(keepends=True)
        del lines[part]
        return b"".join(lines)

    return edit


TABLE: list[tuple[str, Edit, str]] = [
    ("cases.jsonl", without(slice(15, None)), r"cases\.jsonl has 15 lines, the manifest says 30"),
    ("cases.jsonl", changed(b"number 7?", b"number 8?"), r"cases\.jsonl:8: the line was changed after it was written \(checksum [0-9a-f]{16}"),
    ("cases.jsonl", lambda data: b"", r"cases\.jsonl has 0 lines, the manifest says 30"),
    ("answers.jsonl", changed(b"other-0", b"value-0"), r"answers\.jsonl:\d+: the line was changed"),
    ("answers.jsonl", without(slice(3, 4)), r"answers\.jsonl has 29 lines, the manifest says 30"),
    ("answers.jsonl", lambda data: data[:-9], r"answers\.jsonl:30: the last line is torn, though the run had ended"),
    ("answers.jsonl", lambda data: data + b'{"case', r"answers\.jsonl:31: the last line is torn"),
    ("answers.jsonl", lambda data: b"\n".join(data.splitlines()[::-1]) + b"\n", r"answers\.jsonl was changed after the run ended: its sha256"),
    ("answers.jsonl", lambda data: data.replace(b"\n", b"\r\n"), r"answers\.jsonl:1: the line does not end with a checksum"),
    ("answers.jsonl", changed(b'{"', b'{"' * 3000), r"answers\.jsonl:1: the line was changed"),
    ("scores.jsonl", changed(b'"fail","value":0.0,"passed":false', b'"pass","value":1.0,"passed":true'), r"scores\.jsonl:\d+: the line was changed"),
    ("scores.jsonl", sealed_anew(b'"fail","value":0.0,"passed":false', b'"pass","value":1.0,"passed":true'), r"scores\.jsonl was changed after the run ended"),
    ("scores.jsonl", without(slice(0, 2)), r"scores\.jsonl has \d+ lines, the manifest says \d+"),
    ("scores.jsonl", lambda data: data + sealed(unsealed(data.splitlines()[0])), r"scores\.jsonl has \d+ lines"),
    ("scores.jsonl", lambda data: re.sub(rb',"checksum":"\w+"', b"", data, count=1), r"scores\.jsonl:1: the line does not end with a checksum"),
    ("scores.jsonl", lambda data: b"\xff\x00" + data, r"scores\.jsonl:1: the line was changed"),
    ("judge_probes.jsonl", changed(b'"passed":false', b'"passed":null'), r"judge_probes\.jsonl:1: the line was changed"),
    ("judge_probes.jsonl", without(slice(0, 5)), r"judge_probes\.jsonl has \d+ lines, the manifest says \d+"),
    ("manifest.json", changed(b'"n": 30', b'"n": 15'), r"manifest\.json was changed after it was written"),
    ("manifest.json", changed(b'"contains": 0.5', b'"contains": 0.1'), r"manifest\.json was changed after it was written"),
    ("manifest.json", changed(b'"status": "complete"', b'"status": "running"'), r"manifest\.json was changed"),
    ("manifest.json", changed(b'"suite": "t"', b'"suite": "../../t"'), r"manifest\.json is not a manifest of llmeval: .*suite"),
    ("manifest.json", changed(b'"n": 30', b'"n": "30"'), r"manifest\.json is not a manifest of llmeval: .*cases\.n"),
    ("manifest.json", lambda data: data[:100], r"manifest\.json can't be read"),
    ("manifest.json", lambda data: b'{"a":' * 5000, r"manifest\.json can't be read"),
    ("manifest.json", changed(b'"schema": 3', b'"schema": 2'), r"made by an older llmeval \(format 2, this one reads format 3\): run the suite again"),
    ("manifest.json", changed(b'"schema": 3', b'"schema": 4'), r"upgrade llmeval"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "edit", "message"), TABLE)
def test_what_was_changed_is_named(run: Path, file: str, edit: Edit, message: str) -> None:
    path = run / file
    path.write_bytes(edit(path.read_bytes()))
    for words in (("report", run), ("gate", run), ("runs", "show", run)):
        done = command(*words)
        assert done.returncode == 3, (words, done.stdout, done.stderr)
        assert re.search(message, done.stderr), (words, done.stderr)
        assert "PASS" not in done.stdout
        assert "internal error" not in done.stderr


@pytest.mark.parametrize("file", RECORDS)
def test_a_file_that_is_gone_is_named(run: Path, file: str) -> None:
    (run / file).unlink()
    done = command("gate", run)
    assert done.returncode == 3
    assert re.search(rf"{file} has 0 lines, the manifest says \d+", done.stderr)


COMMANDS: dict[str, Callable[[Path, Path], tuple[object, ...]]] = {
    "report": lambda run, other: ("report", run),
    "gate": lambda run, other: ("gate", run),
    "runs show": lambda run, other: ("runs", "show", run),
    "compare": lambda run, other: ("compare", other, run),
    "baseline propose": lambda run, other: ("baseline", "propose", run, "--out", run / "lock.json"),
    "baseline approve": lambda run, other: (
        "baseline", "approve", run, "--by", "ada", "--reason", "good", "--out", run / "lock.json",
    ),
    "score": lambda run, other: ("score", run, "--out", run / "again"),
    "review": lambda run, other: ("review", run, "--no-open"),
    "labels sample": lambda run, other: ("labels", "sample", run),
    "labels stats": lambda run, other: ("labels", "stats", run),
    "run": lambda run, other: ("run", other.parent / "suite.yaml", "--out", run),
}  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS.keys())
def test_every_command_that_reads_a_run_checks_it(original: Path, run: Path, words: Any) -> None:
    path = run / "cases.jsonl"
    path.write_bytes(without(slice(15, None))(path.read_bytes()))
    done = command(*words(run, original / "run"))
    assert done.returncode == 3, done.stdout
    assert "cases.jsonl has 15 lines, the manifest says 30" in done.stderr
    assert "PASS" not in done.stdout
    assert not (run / "lock.json").exists()


def test_merge_checks_every_part(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, GATE)
        for index in (1, 2):
            llmeval.run(
                suite, options=Options(out=tmp_path / "parts" / str(index), shard=Shard(index, 2))
            )
    path = tmp_path / "parts" / "2" / "scores.jsonl"
    path.write_bytes(sealed_anew(b'"status":"fail"', b'"status":"pass"')(path.read_bytes()))
    done = command("merge", tmp_path / "parts", "--out", tmp_path / "whole")
    assert done.returncode == 3
    assert "2/scores.jsonl was changed after the run ended" in done.stderr
    assert not (tmp_path / "whole").exists()


def test_a_merged_run_is_checked_as_any_other(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path, endpoint.url, N, GATE)
        for index in (1, 2):
            llmeval.run(
                suite, options=Options(out=tmp_path / "parts" / str(index), shard=Shard(index, 2))
            )
        merged = llmeval.merge([tmp_path / "parts"], tmp_path / "whole")
    assert merged.manifest.records is not None
    assert merged.manifest.records["cases.jsonl"].lines == N
    assert [session.answers for session in merged.manifest.sessions] == [
        RunDir(tmp_path / "parts" / str(index)).manifest().cases.n for index in (1, 2)
    ]
    path = tmp_path / "whole" / "answers.jsonl"
    path.write_bytes(without(slice(0, 1))(path.read_bytes()))
    with pytest.raises(StoreError, match=r"answers\.jsonl has 29 lines, the manifest says 30"):
        merged.directory.verify()


def test_a_summary_that_was_edited(run: Path) -> None:
    """Nothing shows it; `report` computes it anew, and says so."""
    path = run / "summary.json"
    before = path.read_bytes()
    path.write_bytes(before.replace(b'"passed":24', b'"passed":30', 1))
    shown = command("runs", "show", run)
    assert (shown.returncode, "PASS" in shown.stdout) == (3, False)
    assert (
        f"summary.json was changed after it was written: `llmeval report {run}` computes it again"
        in shown.stderr
    )
    again = command("report", run)
    assert again.returncode == 0
    assert "summary.json was changed" in again.stderr
    assert path.read_bytes() == before


def test_a_summary_that_was_edited_with_its_checksum_differs_from_the_records(run: Path) -> None:
    path = run / "summary.json"
    before = path.read_bytes()
    path.write_bytes(sealed(unsealed(before).replace(b'"passed":24', b'"passed":30', 1)))
    done = command("report", run)
    assert (
        "did not match the records, and was written again: counts.passed 30, now 24" in done.stderr
    )
    assert path.read_bytes() == before


def test_a_manifest_with_other_spaces_is_the_same(run: Path) -> None:
    path = run / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=7))
    assert command("gate", run).returncode == 0


def test_records_without_a_manifest_are_not_taken_over(original: Path, run: Path) -> None:
    """Nothing says which suite and candidate they are of."""
    (run / "manifest.json").unlink()
    done = command("run", original / "suite.yaml", "--out", run)
    assert done.returncode == 3
    assert "has no manifest.json but contains cases.jsonl, answers.jsonl" in done.stderr


def test_a_torn_line_of_a_run_that_was_killed_is_left_out(run: Path) -> None:
    seal(run, status="running")
    for name in ("answers.jsonl", "scores.jsonl"):
        (run / name).write_bytes((run / name).read_bytes()[:-9])
    directory = RunDir(run)
    directory.verify()
    assert len(list(directory.answers())) == N - 1
    done = command("report", run)
    assert done.returncode == 3
    assert "INTERRUPTED" in done.stdout


def test_an_answer_whose_case_is_gone_is_never_counted(run: Path) -> None:
    """Also where the run has not ended, so that no digest of the file is known."""
    seal(run, status="running")
    path = run / "cases.jsonl"
    path.write_bytes(without(slice(15, None))(path.read_bytes()))
    done = command("report", run)
    assert done.returncode == 3
    assert re.search(
        r"cases\.jsonl: the case 'c00\d\d' is not here, though answers\.jsonl has an answer",
        done.stderr,
    )


def test_a_run_goes_on_with_the_cases_that_are_gone(original: Path, run: Path) -> None:
    seal(run, status="running")
    path = run / "cases.jsonl"
    path.write_bytes(without(slice(15, None))(path.read_bytes()))
    done = command("run", original / "suite.yaml", "--out", run)
    assert done.returncode == 0
    assert len(list(RunDir(run).cases())) == N


def test_what_is_written_into_a_run_from_outside_is_not_taken_into_its_digest(
    tmp_path: Path,
) -> None:
    writer = RunWriter(tmp_path / "run")
    writer.judge_probes([JudgeProbe(kind="attack", metric="m", judge="sha256:0", case_id="one")])
    with (tmp_path / "run" / "judge_probes.jsonl").open("ab") as file:
        file.write(sealed(b'{"kind":"attack","passed":false}'))
    stated = writer.records()["judge_probes.jsonl"]
    writer.close()
    assert stated.lines == 1


def test_a_run_that_was_killed_after_its_last_score_is_not_complete(run: Path) -> None:
    """Every answer and score is there; whether the judges' attacks were tried, nothing says."""
    seal(run, status="running")
    done = command("report", run)
    assert (done.returncode, "PASS" in done.stdout) == (3, False)
    assert "INTERRUPTED" in done.stdout
    assert (
        f"The run was interrupted: {N} of {N} answers are there." in (run / "junit.xml").read_text()
    )
