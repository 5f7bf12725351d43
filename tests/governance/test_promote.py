"""`llmeval promote`: a link to weights moves only to what a passing, sealed run has tested."""

import json
import shutil
from pathlib import Path

import pytest

from llmeval.governance.audit import append_event, read_chain
from llmeval.models.local import threads
from tests.support.command import llmeval
from tests.support.rundirs import seal
from tests.support.tables import each_row

threads.prepare()
pytest.importorskip("torch")

from tests.models.test_local_model import make_model  # noqa: E402

SUITE = """\
suite: weights
cases:
  - {{id: a, question: "the cat", reference: x}}
  - {{id: b, question: "12", reference: x}}
prompt: "{{{{ question }}}}"
models:
  ours: {{provider: transformers, model: models/v1, device: cpu, params: {{max_tokens: 2}}}}
candidate: ours
checks: [{{max_words: {words}}}]
gate: {gate}
{more}
"""
PASSES = {"words": 500, "gate": "{must_pass: all}", "more": ""}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights, a copy of them, and a run of each outcome."""
    folder = tmp_path_factory.mktemp("promote")
    make_model(folder / "models" / "v1")
    shutil.copytree(folder / "models" / "v1", folder / "models" / "copy")
    suites = {
        "passed": PASSES,
        "failed": {**PASSES, "words": 0},
        "open": {**PASSES, "gate": "{floors: {max_words: 0.9}}"},
        "none": {**PASSES, "gate": "none"},
        "approved": {**PASSES, "more": "approvals: {min: 1, roles: [owner]}"},
    }
    for name, values in suites.items():
        (folder / f"{name}.yaml").write_text(SUITE.format(**values))
        llmeval("run", f"{name}.yaml", "--out", f"runs/{name}", cwd=folder)
    llmeval("run", "passed.yaml", "--case", "a", "--out", "runs/partial", cwd=folder)
    return folder


@pytest.fixture
def place(project: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    copied = Path(shutil.copytree(project, tmp_path / "place"))
    for manifest in copied.glob("runs/*/manifest.json"):
        content = json.loads(manifest.read_text())
        assert content["status"] == "complete"
    return copied


def promoted(place: Path, run: str = "runs/passed", *more: object) -> tuple[int, str]:
    done = llmeval("promote", run, "--to", "models/production", *more, cwd=place)
    return done.returncode, done.stdout + done.stderr


def test_a_pass_is_promoted_and_the_switch_is_recorded(place: Path) -> None:
    (place / "models" / "v0").mkdir()
    (place / "models" / "production").symlink_to("v0")
    append_event(place / "audit.jsonl", "ada", "started", "chain")
    code, printed = promoted(place, "runs/passed", "--by", "ada", "--model", "models/v1")
    assert code == 0, printed
    assert (place / "models" / "production").readlink() == Path("v1")
    assert sorted(path.name for path in (place / "models").iterdir()) == [
        "copy", "production", "v0", "v1",
    ]  # fmt: skip
    document = json.loads(promoted(place, "runs/passed", "--model", "models/v1", "--json")[1])
    assert document["changed"] is False and document["overridden_by"] == []


def test_the_event_is_in_the_chain(place: Path) -> None:
    append_event(place / "audit.jsonl", "ada", "started", "chain")
    assert promoted(place, "runs/passed", "--by", "ada")[0] == 0
    last = read_chain(place / "audit.jsonl").events[-1]
    assert (last.actor, last.action) == ("ada", "promoted")
    assert last.object.startswith("run ") and last.digest is not None


def test_a_copy_of_the_weights_is_the_same_model(place: Path) -> None:
    (place / "models" / "copy" / "training.json").write_text("{}")
    assert promoted(place, "runs/passed", "--model", "models/copy")[0] == 0


@each_row(
    ("run", "words"),
    [
        ("failed", "its decision is FAIL"),
        ("open", "its decision is INCONCLUSIVE"),
        ("none", "its decision is none"),
        ("partial", "partial run"),
        ("approved", "the suite demands approvals"),
    ],
)
def test_what_is_no_pass_is_refused(project: Path, run: str, words: str) -> None:
    code, printed = promoted(project, f"runs/{run}", "--model", "models/v1")
    assert code != 0 and words in printed, printed
    assert not (project / "models" / "production").is_symlink()


def test_other_bytes_are_refused_also_with_the_same_size_and_time(place: Path) -> None:
    import os

    path = place / "models" / "copy" / "model.safetensors"
    assert promoted(place, "runs/passed", "--model", "models/copy")[0] == 0  # digests are cached
    before, data = path.stat(), bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    code, printed = promoted(place, "runs/passed", "--model", "models/copy")
    assert code == 2 and "model.safetensors" in printed


def test_a_changed_run_a_folder_and_a_missing_seal_are_refused(place: Path) -> None:
    (place / "models" / "production").mkdir()
    code, printed = promoted(place, "runs/passed", "--model", "models/v1")
    assert code == 2 and "only a link can be switched" in printed
    (place / "models" / "production").rmdir()
    run = place / "runs" / "passed"
    (run / "seal.json").rename(run / "kept")
    assert promoted(place, "runs/passed", "--model", "models/v1")[0] != 0
    (run / "kept").rename(run / "seal.json")
    seal(run, seed=7)
    code, printed = promoted(place, "runs/passed", "--model", "models/v1")
    assert code == 2 and "not what was sealed" in printed


def test_a_cell_of_a_grid_needs_the_other_cells(place: Path) -> None:
    again = (
        "  again: {provider: transformers, model: models/v1, params: {max_tokens: 3}}\ncandidate:"
    )
    text = (place / "passed.yaml").read_text()
    (place / "passed.yaml").write_text(text.replace("candidate:", again))
    done = llmeval("run", "passed.yaml", "--candidate", "ours,again", "--out", "grid", cwd=place)
    assert done.returncode == 0, done.stderr
    runs = sorted(path.parent for path in (place / "grid").glob("*/manifest.json"))
    assert len(runs) == 2
    assert promoted(place, str(runs[0]))[0] == 0
    shutil.rmtree(runs[1])
    code, printed = promoted(place, str(runs[0]))
    assert code == 2 and "grid lacks the cell" in printed


def test_an_override_passes_with_its_name_shown_and_a_rejection_stops_it(place: Path) -> None:
    run = place / "runs" / "failed"
    by = ("--role", "owner", "--reason", "urgent", "--out", run / "approvals")
    override = ("approve", run, *by, "--decision", "override", "--until", "2999-01-01")
    assert llmeval(*override, "--by", "Eve", cwd=place).returncode == 0
    code, printed = promoted(place, "runs/failed", "--model", "models/v1")
    assert code == 0 and "Overridden by Eve (owner)" in printed, printed
    assert llmeval(
        "approve", run, *by, "--decision", "reject", "--by", "Ben", cwd=place
    ).returncode == 0  # fmt: skip
    assert promoted(place, "runs/failed", "--model", "models/v1")[0] == 2


def test_a_candidate_in_place_is_the_one_that_the_suite_names(place: Path) -> None:
    text = (place / "passed.yaml").read_text()
    table, _, rest = text.partition("candidate: ours\n")
    before, _, model = table.partition("models:\n  ours: ")
    (place / "passed.yaml").write_text(f"{before}candidate: {model}{rest}")
    llmeval("run", "passed.yaml", "--out", "runs/in-place", cwd=place)
    code, printed = promoted(place, "runs/in-place")
    assert code == 0, printed
    assert (place / "models" / "production").resolve() == (place / "models" / "v1").resolve()
