"""The records on disk fit their schemas, and a manifest of any other shape is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from msgspec import structs

import llmeval
from llmeval.core.errors import LlmevalError, StoreError
from llmeval.core.gate_record import GateRecord, RegressionRecord
from llmeval.core.manifest import Manifest
from llmeval.core.record_files import BESIDE, FILES, field_docs, nested, record_schemas
from llmeval.core.review_records import CaseComment
from llmeval.gate.summary import summarise
from llmeval.runner.options import Options
from llmeval.store.case_comments import add_comments
from llmeval.store.directory import LABELS, RunDir
from llmeval.store.labels import BASELINE_LABELS, append, read
from llmeval.store.writer import write_manifest
from llmeval.suite.gate_schema import GateSpec, RegressionSpec
from tests.support.command import llmeval as command
from tests.support.endpoint import serve
from tests.support.rundirs import write_raw
from tests.support.suites import answer, write_suite

N = 12
CERTIFICATES = Path(__file__).parents[2] / "suites" / "certificates"
SWAPS: tuple[Any, ...] = (None, True, -1, 0.5, "", "x", [], ["x"], {}, {"x": 1})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with checks, a judge and its attacks, a gate, labels, a draw and a lock file."""
    folder = tmp_path_factory.mktemp("records")
    with pytest.MonkeyPatch.context() as patch, serve(answer) as endpoint:
        patch.setenv("LLMEVAL_HOME", str(folder / "home"))
        suite = write_suite(folder, endpoint.url, N, "gate: {floors: {contains: 0.3}}\n")
        suite.write_text(suite.read_text().replace(", attacks: false", ""))
        path = folder / "run"
        llmeval.run(suite, options=Options(out=path))
    sheet = folder / "sheet.csv"
    assert command("labels", "sample", path, "--n", 6, "--out", sheet).returncode == 0
    sheet.write_text(
        "case_id,metric,verdict\n" + "".join(f"c000{i},correctness,pass\n" for i in range(4))
    )
    done = command("labels", "import", sheet, "--run", path, "--reviewer", "ada")
    assert done.returncode == 0, done.stderr
    # labels of the baseline's answers have the same form
    append(path, read(path / LABELS), BASELINE_LABELS)
    assert command("review", "assign", path, "--to", "ada:3", "--to", "ben:3").returncode == 0
    case = next(RunDir(path).outlines())
    comment = CaseComment(
        comment_id="comment-1", suite="qa", case_id=case.id, case_digest=case.digest, text="odd"
    )
    add_comments(path, [comment])
    done = command("runs", "tag", path, "release=1.2")
    assert done.returncode == 0, done.stderr
    lock = path / "NAME.lock.json"
    words = ("baseline", "approve", path, "--by", "ada", "--reason", "good", "--out", lock)
    done = command(*words)
    assert done.returncode == 0, done.stderr
    return path


def valid(schema: dict[str, Any], text: str) -> None:
    problems = [
        error.message for error in jsonschema_rs.validator_for(schema).iter_errors(json.loads(text))
    ]
    assert not problems, (problems[:3], text[:300])


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_a_run_writes_fits_its_schema(run: Path, file: Any) -> None:
    pattern = file.name.replace("NAME", "*").replace("ID", "*")
    text = "".join(path.read_text() for path in sorted(run.glob(pattern)))
    schema = record_schemas()[file.name]
    for record in text.splitlines() if file.lines else [text]:
        valid(schema, record)
    assert text.strip(), "nothing was validated"


def test_files_beside_a_suite_fit_their_schemas(run: Path) -> None:
    schemas = record_schemas()
    valid(schemas["NAME.lock.json"], (run / "NAME.lock.json").read_text())
    certificates = list(CERTIFICATES.glob("*.json"))
    assert certificates
    for certificate in certificates:
        valid(schemas["certificate.json"], certificate.read_text())


def test_a_schema_refuses_what_a_reader_refuses(run: Path) -> None:
    schema = record_schemas()["scores.jsonl"]
    line = json.loads((run / "scores.jsonl").read_text().splitlines()[0])
    for change in ({"status": "good"}, {"value": 2}, {"case_id": None}, {"checksum": "0"}):
        assert not jsonschema_rs.is_valid(schema, {**line, **change}), change


def test_the_command_prints_every_schema(run: Path) -> None:
    done = command("schema", "--records")
    assert done.returncode == 0
    schemas = json.loads(done.stdout)
    assert schemas.keys() == {file.name for file in (*FILES, *BESIDE)}
    for schema in schemas.values():
        jsonschema_rs.validator_for(schema)
    assert command("schema", "--records", "--checks").returncode == 2


def test_every_field_is_documented() -> None:
    for file in (*FILES, *BESIDE):
        for record in nested(file.record):
            bare = [name for name, text in field_docs(record).items() if not text]
            assert not bare, (record.__name__, bare)


def test_the_record_of_a_gate_has_every_key_of_a_suite() -> None:
    """A key that a suite states and the manifest drops would be compared with nothing."""
    for spec, record in ((GateSpec, GateRecord), (RegressionSpec, RegressionRecord)):
        assert set(spec.model_fields) == {field.name for field in structs.fields(record)}


def test_keys_of_a_newer_writer_are_kept(run: Path, tmp_path: Path) -> None:
    manifest = structs.replace(RunDir(run).manifest(), other_keys={"hue": {"a": 1}})
    write_manifest(tmp_path, manifest)
    loaded = RunDir(tmp_path).manifest()
    assert loaded.other_keys == {"hue": {"a": 1}}
    assert json.loads((tmp_path / "manifest.json").read_text())["hue"] == {"a": 1}
    write_manifest(tmp_path, structs.replace(loaded, status="incomplete"))
    assert RunDir(tmp_path).manifest().other_keys == {"hue": {"a": 1}}


def test_a_manifest_of_another_shape_is_refused_or_read(run: Path, tmp_path: Path) -> None:
    """Whatever JSON stands at any place of it: no error but those that are meant for people."""
    original = json.loads((run / "manifest.json").read_text())
    records = {
        name: (run / name).read_bytes()
        for name in ("cases.jsonl", "answers.jsonl", "scores.jsonl", "judge_probes.jsonl")
    }
    for name, content in records.items():
        (tmp_path / name).write_bytes(content)
    refused = read = 0
    for place in places(original):
        if place in {("digest",), ("records",)} or place[0] == "records":
            continue
        for value in SWAPS:
            write_raw(tmp_path, changed(original, place, value))
            try:
                manifest = RunDir(tmp_path).manifest()
            except StoreError as error:
                refused += 1
                assert "manifest.json" in str(error)
                continue
            read += 1
            assert isinstance(manifest, Manifest)
            if len(place) == 1 or place[0] in ("gate", "judges", "cases"):
                try:
                    summarise(RunDir(tmp_path))
                except LlmevalError:
                    continue
    assert refused > 500 and read > 50, (refused, read)


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield (*at, key)
        yield from places(each, (*at, key))


def changed(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return copy
