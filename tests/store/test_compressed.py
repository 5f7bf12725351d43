"""Large files of records are compressed when their run is complete; every reader takes both forms.

The limit is 0 here, so that small runs have compressed records.
"""

import json
import os
import random
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import llmeval
from llmeval.core.errors import StoreError
from llmeval.governance.pack_check import verify_pack
from llmeval.governance.seal import SEAL
from llmeval.governance.verified_run import Trusted
from llmeval.history.projection import project
from llmeval.runner import merge
from llmeval.runner.options import Options
from llmeval.store import compressed, writer
from llmeval.store.directory import ANSWERS, CASES, SCORES, SUMMARY, RunDir
from llmeval.store.record_lines import lines, on_disk, open_records, size_of
from llmeval.store.writer import RunWriter
from tests.support.command import llmeval as command

N = 60
SUITE = """suite: packed
cases: cases.jsonl
prompt: "{{ question }}"
candidate: {provider: replay, source: answers.jsonl}
checks:
  - contains: "{{ reference }}"
gate: {floors: {contains: 0.5}}
"""


@pytest.fixture(autouse=True)
def no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LIMIT", 0)
    monkeypatch.setattr(merge, "LIMIT", 0)
    monkeypatch.setattr(compressed, "_FRAME", 2_000)  # several frames, so that places matter


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("packed")
    rows = [{"id": f"c{i}", "question": f"What is {i}?", "reference": f"no {i}"} for i in range(N)]
    replies = [{"id": f"c{i}", "output": f"It is no {i}.\rÄ\u2028" * (i % 7 + 1)} for i in range(N)]
    for name, records in (("cases", rows), ("answers", replies)):
        text = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text)
    (folder / "suite.yaml").write_text(SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMEVAL_HOME", str(folder / "home"))
        yield folder / "suite.yaml"


@pytest.fixture
def run(suite: Path, tmp_path: Path) -> Path:
    """A complete run with compressed records."""
    path = tmp_path / "reports/packed/run"
    llmeval.run(suite, options=Options(out=path))
    names = sorted(file.name for file in path.glob("*.jsonl*"))
    assert names == [f"{name}.zst" for name in (ANSWERS, CASES, SCORES)]
    return path


def plain_copy(run: Path) -> Path:
    copy = run.with_name("plain")
    shutil.copytree(run, copy)
    for name in (ANSWERS, CASES, SCORES):
        compressed.expand(copy / name)
        (copy / f"{name}.zst").unlink()
    return copy


def test_both_forms_are_read_alike(run: Path) -> None:
    copy = plain_copy(run)
    assert list(RunDir(run).units()) == list(RunDir(copy).units())
    offsets = RunDir(run).answer_offsets()
    assert offsets == RunDir(copy).answer_offsets()
    assert all(
        RunDir(run).answer_at(place) == RunDir(copy).answer_at(place) for place in offsets.values()
    )
    assert size_of(run / ANSWERS) == (copy / ANSWERS).stat().st_size
    rows = [project(path, path.parent) for path in (run, copy)]
    assert rows[0].metrics == rows[1].metrics and rows[0].vectors == rows[1].vectors
    summary = (run / SUMMARY).read_bytes()
    for path in (run, copy):
        done = command("report", path)
        assert done.returncode == 0, done.stderr
        assert (path / SUMMARY).read_bytes() == summary


def test_any_part_of_the_content_is_read(run: Path) -> None:
    content = b"".join(line for _, line in lines(run / ANSWERS))
    random_places = random.Random(5)
    with open_records(run / ANSWERS) as file:
        for _ in range(200):
            begin, size = random_places.randrange(len(content)), random_places.randrange(5_000)
            assert file.read(begin, size) == content[begin : begin + size]
        assert file.read(len(content) + 5, 10) == b""


@pytest.mark.parametrize("words", ["compare", "runs case", "verify", "report"])
def test_commands(run: Path, words: str) -> None:
    arguments: dict[str, list[object]] = {
        "compare": [run, plain_copy(run)],
        "runs case": ["packed", "c1", "--reports", run.parent.parent],
    }
    done = command(*words.split(), *arguments.get(words, [run]))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_seal_is_of_the_bytes_on_the_disk(run: Path, tmp_path: Path) -> None:
    sealed = {file["path"] for file in json.loads((run / SEAL).read_text())["files"]}
    assert {f"{name}.zst" for name in (ANSWERS, CASES, SCORES)} <= sealed
    pack = tmp_path / "pack.zip"
    done = command("evidence", run, "--out", pack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert verify_pack(pack, Trusted()).verified
    (run / ANSWERS).write_bytes(b"".join(line for _, line in lines(run / ANSWERS)))
    done = command("verify", run)
    assert done.returncode != 0
    assert f"{ANSWERS}: is in the directory" in done.stdout + done.stderr


def test_opening_a_complete_run_changes_no_byte(run: Path, suite: Path) -> None:
    before = {file.name: file.read_bytes() for file in run.glob("*.zst")}
    done = command("run", suite, "--out", run)
    assert done.returncode == 2 and "is complete" in done.stderr
    assert {file.name: file.read_bytes() for file in run.glob("*.jsonl*")} == before
    assert command("verify", run).returncode == 0


def test_appending_makes_the_file_plain(run: Path) -> None:
    answer = next(RunDir(run).answers())
    before = [line for _, line in lines(run / ANSWERS)]
    opened = RunWriter(run)
    opened.answer(answer)
    assert not (run / f"{ANSWERS}.zst").exists()
    opened.close()
    after = [line for _, line in lines(run / ANSWERS)]
    assert after[:-1] == before and len(after) == N + 1
    assert on_disk(run / CASES).name == f"{CASES}.zst"


@pytest.mark.parametrize(
    ("kept", "message"),
    [(-1, "torn"), (-100, "torn"), (3, "torn"), (0, "lines"), (None, "lines")],
)
def test_a_cut_file_of_a_complete_run_is_refused(run: Path, kept: int | None, message: str) -> None:
    path = run / f"{ANSWERS}.zst"
    if kept is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(StoreError, match=message):
        RunDir(run).verify()
    assert command("report", run).returncode == 3


def test_a_torn_frame_of_a_run_that_goes_on_costs_only_that_frame(run: Path) -> None:
    path = run / f"{ANSWERS}.zst"
    whole = [line for _, line in lines(run / ANSWERS)]
    (run / "manifest.json").unlink()
    path.write_bytes(path.read_bytes()[:-10])
    kept = [line for _, line in lines(run / ANSWERS)]
    assert 0 < len(kept) < N and kept == whole[: len(kept)]
    opened = RunWriter(run)
    assert opened.count(ANSWERS) == len(kept)
    opened.close()


def test_every_changed_byte_is_noticed(run: Path) -> None:
    path = run / f"{SCORES}.zst"
    data = path.read_bytes()
    content = [line for _, line in lines(run / SCORES)]
    places = random.Random(7)
    for _ in range(60):
        damaged = bytearray(data)
        damaged[places.randrange(len(data))] ^= 1 << places.randrange(8)
        path.write_bytes(damaged)
        try:
            RunDir(run).verify()
        except StoreError:
            continue
        # a bit of a frame's header that means nothing: the content is the same
        assert [line for _, line in lines(run / SCORES)] == content


def test_frames_that_other_programs_write_are_refused(run: Path) -> None:
    path = run / f"{ANSWERS}.zst"
    stream = compressed.zstd.ZstdCompressor()  # states no size
    path.write_bytes(stream.compress(b"{}\n") + stream.flush())
    with pytest.raises(StoreError, match="another program"):
        RunDir(run).verify()


def test_a_pack_with_a_huge_frame_is_refused_before_it_is_unpacked(
    run: Path, tmp_path: Path
) -> None:
    pack, changed = tmp_path / "pack.zip", tmp_path / "changed.zip"
    assert command("evidence", run, "--out", pack).returncode == 0
    bomb = compressed.zstd.compress(bytes(200 << 20))
    with zipfile.ZipFile(pack) as source, zipfile.ZipFile(changed, "w") as target:
        for entry in source.infolist():
            is_answers = entry.filename.endswith(f"{ANSWERS}.zst")
            target.writestr(entry, bomb if is_answers else source.read(entry))
    with pytest.raises(StoreError, match="too many"):
        verify_pack(changed, Trusted())


def test_compressed_shards_are_merged_into_a_compressed_run(suite: Path, tmp_path: Path) -> None:
    for shard in ("1/2", "2/2"):
        out = tmp_path / "shards" / shard[0]
        assert command("run", suite, "--shard", shard, "--out", out).returncode == 0
        assert on_disk(out / ANSWERS).name == f"{ANSWERS}.zst"
    whole = tmp_path / "reports/packed/whole"
    done = command("merge", tmp_path / "shards", "--out", whole, "--reports", tmp_path / "reports")
    assert done.returncode == 0, done.stderr
    assert not (whole / ANSWERS).exists() and len(list(RunDir(whole).answers())) == N
    assert command("verify", whole).returncode == 0


def test_an_interrupted_compression_leaves_a_run_that_is_read(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = plain_copy(run)

    def stop(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", stop)
    with pytest.raises(KeyboardInterrupt):
        compressed.compress(copy / ANSWERS)
    monkeypatch.undo()
    assert (copy / ANSWERS).exists() and (copy / f"{ANSWERS}.zst").exists()
    RunDir(copy).verify()
    assert len(list(RunDir(copy).answers())) == N
    assert os.stat(copy / f"{ANSWERS}.zst").st_mode & 0o777 == 0o600
