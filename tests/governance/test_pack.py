"""Evidence packs: what is in them, and which ones `verify` refuses."""

import json
import shutil
import stat
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import StoreError
from llmeval.core.monitor_record import MonitorRecord, StreamCount
from llmeval.governance import clause_map, pack_check
from llmeval.governance.monitoring_summary import monitoring_summary
from llmeval.governance.pack import zip_bytes
from llmeval.governance.pack_check import verify_pack
from llmeval.governance.verified_run import Trusted
from llmeval.monitor.journal import Journal
from tests.support.command import llmeval

SUITE = """\
suite: packed
cases:
  - {id: a, question: "1", reference: "one"}
  - {id: b, question: "2", reference: "two"}
prompt: "{{ question }}"
models:
  words: {provider: python, function: "packed_app:answer", build: "1"}
candidate: words
checks: [facts]
gate: {floors: {facts: 0.05}}
approvals: {min: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A suite with a chain of events, an approved run, and its pack."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "packed_app.py").write_text(
        "def answer(prompt): return {'1': 'one', '2': 'two'}[prompt]\n"
    )
    for command in (
        ("audit", "start", "audit.jsonl", "--by", "ada"),
        ("run", "suite.yaml", "--out", "run"),
        ("approve", "run", "--by", "ada", "--role", "owner", "--reason", "read it"),
        ("attest", "run"),
        ("evidence", "run", "--out", "pack.zip", "--map", "eu-ai-act", "--map", "iso-42001"),
    ):
        done = llmeval(*command, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def entries(pack: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(pack) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_pack_verifies_in_another_place(folder: Path, tmp_path: Path) -> None:
    pack = Path(shutil.copy(folder / "pack.zip", tmp_path))
    done = llmeval("verify", pack, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    (run,) = json.loads(done.stdout)["runs"].values()
    assert run["decision"] == "PASS"
    assert "approve by ada (owner): read it" in run["notes"]
    files = entries(pack)
    kinds = {pack_check.is_inside(name) for name in files}
    assert kinds == {True}
    table = files["maps/eu-ai-act.md"].decode()
    assert "no labels in this pack" in table
    assert "no audit chain" not in table
    assert "compl" not in (table + files["README.md"].decode()).lower().replace("complete", "")


def test_the_same_run_gives_the_same_bytes(folder: Path) -> None:
    again = folder / "again.zip"
    maps = ("--map", "eu-ai-act", "--map", "iso-42001")
    assert llmeval("evidence", "run", "--out", again, *maps, cwd=folder).returncode == 0
    assert again.read_bytes() == (folder / "pack.zip").read_bytes()


def test_each_changed_file_is_named(folder: Path, tmp_path: Path) -> None:
    files = entries(folder / "pack.zip")
    pack = tmp_path / "changed.zip"
    for name in files.keys() - {"index.json"}:
        pack.write_bytes(zip_bytes({**files, name: files[name] + b" "}))
        assert any(name in each for each in verify_pack(pack, Trusted()).problems), name
        pack.write_bytes(zip_bytes({key: files[key] for key in files if key != name}))
        assert verify_pack(pack, Trusted()).problems, name
    pack.write_bytes(zip_bytes({**files, "runs/x/seal.json": b"{}"}))
    assert any("does not name it" in each for each in verify_pack(pack, Trusted()).problems)


def test_a_consistent_index_does_not_hide_a_changed_record(folder: Path, tmp_path: Path) -> None:
    """The index is not what a run is held against: its seal and its records are."""
    from llmeval.governance.canonical import sha256_of

    files = entries(folder / "pack.zip")
    (name,) = (each for each in files if each.endswith("answers.jsonl"))
    files[name] = files[name].replace(b"two", b"owt")
    index = json.loads(files["index.json"])
    for each in index["files"]:
        if each["path"] == name:
            each["sha256"] = sha256_of(files[name])
    files["index.json"] = json.dumps(index).encode()
    pack = tmp_path / "changed.zip"
    pack.write_bytes(zip_bytes(files))
    assert any(
        "answers.jsonl: was changed" in each for each in verify_pack(pack, Trusted()).problems
    )


def test_a_cut_chain_in_a_pack(folder: Path, tmp_path: Path) -> None:
    from llmeval.governance.canonical import sha256_of

    files = entries(folder / "pack.zip")
    data = files["audit/1.jsonl"].splitlines(keepends=True)[0]
    files["audit/1.jsonl"] = data
    index = json.loads(files["index.json"])
    for each in index["files"]:
        if each["path"] == "audit/1.jsonl":
            each |= {"sha256": sha256_of(data), "bytes": len(data)}
    files["index.json"] = json.dumps(index).encode()
    (tmp_path / "cut.zip").write_bytes(zip_bytes(files))
    problems = verify_pack(tmp_path / "cut.zip", Trusted()).problems
    assert any("the end of the chain was cut" in each for each in problems)


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        pytest.param([entry("../x")], "leaves the folder", id="above"),
        pytest.param([entry("/x")], "leaves the folder", id="absolute"),
        pytest.param([entry("a\\..\\x")], "leaves the folder", id="backslash"),
        pytest.param([entry("c:x")], "leaves the folder", id="drive"),
        pytest.param([entry("a/./x")], "leaves the folder", id="dot"),
        pytest.param([entry("a//x")], "leaves the folder", id="empty part"),
        pytest.param([entry("x", stat.S_IFLNK | 0o777)], "is not a file", id="link"),
        pytest.param([entry("x", stat.S_IFIFO | 0o644)], "is not a file", id="pipe"),
        pytest.param([entry("x/")], "plain path", id="folder"),
        pytest.param([entry("x"), entry("X")], "twice", id="twice"),
        pytest.param([entry("x"), entry("x/y")], "below a file", id="below a file"),
    ],
)
def test_refused_entries(
    folder: Path, tmp_path: Path, added: list[zipfile.ZipInfo], problem: str
) -> None:
    pack = Path(shutil.copy(folder / "pack.zip", tmp_path))
    with zipfile.ZipFile(pack, "a") as archive:
        for each in added:
            archive.writestr(each, b"")
    with pytest.raises(StoreError, match=problem):
        verify_pack(pack, Trusted())
    assert llmeval("verify", pack).returncode == 3


def test_a_bomb_is_refused_before_it_is_unpacked(folder: Path, tmp_path: Path) -> None:
    pack = Path(shutil.copy(folder / "pack.zip", tmp_path))
    with zipfile.ZipFile(pack, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(pack_check._SMALL + 2**20))
    with pytest.raises(StoreError, match="too many"):
        verify_pack(pack, Trusted())


def test_a_size_that_is_not_true_is_refused(folder: Path, tmp_path: Path) -> None:
    pack = tmp_path / "lies.zip"
    pack.write_bytes(zip_bytes({**entries(folder / "pack.zip"), "zzz": bytes(100_000)}))
    data = pack.read_bytes()
    pack.write_bytes(data.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(StoreError):
        verify_pack(pack, Trusted())


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06" + bytes(18), b"no pack at all" * 10])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(data)
    assert llmeval("verify", tmp_path / "x.zip").returncode == 3


def test_a_changed_run_is_not_packed(folder: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(folder / "run", tmp_path / "run"))
    (run / "scores.jsonl").write_bytes(b"")
    done = llmeval("evidence", run, "--out", tmp_path / "x.zip")
    assert done.returncode == 2
    assert not (tmp_path / "x.zip").exists()


@pytest.mark.parametrize("name", clause_map.names())
def test_each_map_names_kinds_that_exist(name: str) -> None:
    clauses = clause_map.read_map(name)
    assert clause_map.unknown_kinds(clauses) == []
    assert clauses.not_supplied
    assert "comply" not in str(clauses)
    assert "complies" not in str(clauses)


def test_release_needs_a_new_check_of_each_map() -> None:
    newest = max(clause_map.read_map(name).checked.day for name in clause_map.names())
    assert clause_map.outdated(newest) == []
    assert len(clause_map.outdated(newest + timedelta(days=181))) == len(clause_map.names())
    assert isinstance(newest, date)


def looked(day: str, state: str, **more: Any) -> MonitorRecord:
    counts = (StreamCount(metric="facts", answers=20, passed=18, state=state),)  # type: ignore[arg-type]
    fields: dict[str, Any] = {"kind": "look", "counts": counts, "sampled": 20, **more}
    return MonitorRecord(
        seq=1, prev=None, hash="0" * 64, day=day, at=f"{day}T23:00:00Z", suite="packed", **fields
    )


def test_the_monitoring_of_a_suite_is_in_the_pack(folder: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(folder, tmp_path / "place"))
    (place / "monitor").mkdir()
    journal = Journal(place / "monitor")
    journal.append(looked("2026-03-01", "quiet"))
    journal.append(looked("2026-03-02", "alarm"))
    journal.append(looked("2026-03-03", "alarm", kind="invalid", cause="judge", counts=()))
    command = ("evidence", "run", "--out", "pack.zip", "--map", "eu-ai-act", "--json")
    assert llmeval(*command, cwd=place).returncode == 0
    held = entries(place / "pack.zip")
    summary = held["monitoring/1.md"].decode()
    assert "| facts | alarm | 1 | 2026-03-02 |" in summary
    assert "| Days that count | 2 |" in summary and "1 (judge)" in summary
    assert held["monitoring/1.jsonl"] == journal.path.read_bytes()
    assert "monitoring" in held["maps/eu-ai-act.md"].decode().partition("Annex IV 9")[2]
    assert verify_pack(place / "pack.zip", Trusted()).verified
    lines = journal.path.read_text().splitlines(keepends=True)
    for changed, text in (
        ([lines[0].replace('"passed":18', '"passed":19'), *lines[1:]], "Line 1 was changed"),
        (lines[1:], "Line 1 was changed, or a line before it is missing"),
        ([lines[0], "{}\n"], "Line 2 is not a line"),
        ([lines[0].replace('"suite":"packed"', '"suite":"other"')], "Line 1 was changed"),
    ):
        journal.path.write_text("".join(changed))
        assert text in monitoring_summary(journal.path, "packed")
