"""Exports, read by the programs that they are for. MLflow was tried by hand (docs/history.md)."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import parse_eval_result_entries

import llmeval
from llmeval.core.errors import UsageError
from llmeval.history.exports.eval_results import write_eval_results
from llmeval.history.exports.openmetrics import openmetrics
from llmeval.history.exports.otel import write_otel
from llmeval.history.opening import open_history
from tests.support.command import llmeval as command
from tests.support.history_runs import past_run

VALUES: dict[str, list[float | None]] = {"facts": [1.0, 0.0], "correctness": [0.75, None]}
RUN = "20260101T090000Z-000001"


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    past_run(tmp_path, RUN, VALUES)
    past_run(tmp_path, "20260102T090000Z-000002", VALUES, suite="mail", status="incomplete")
    return tmp_path


def test_parquet_has_a_row_a_verdict(reports: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables"
    done = command("history", "export", "--parquet", out, "--reports", reports, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["runs"] == 1
    rows = pq.read_table(out / "verdicts.parquet").to_pylist()
    result = {(row["metric"], row["case_id"]): (row["verdict"], row["value"]) for row in rows}
    assert result == {
        ("facts", "c0"): ("pass", 1.0), ("facts", "c1"): ("fail", 0.0),
        ("correctness", "c0"): ("pass", 0.75), ("correctness", "c1"): ("unscored", None),
    }  # fmt: skip
    (run,) = pq.read_table(out / "runs.parquet").to_pylist()
    assert (run["run_id"], run["n"]) == (RUN, 2)


def test_openmetrics_says_nan_of_what_is_neither_pass_nor_fail(reports: Path) -> None:
    with open_history(reports) as history:
        text = openmetrics(history.store, history.query, datetime(2026, 1, 3, 9, tzinfo=UTC))
    lines = text.splitlines()
    assert lines[-1] == "# EOF"
    assert 'llmeval_decision{suite="mail",rule="gate"} NaN' in lines
    assert f'llmeval_age_seconds{{suite="qa"}} {2 * 86400}' in lines
    assert 'llmeval_metric{suite="qa",metric="facts",slice="",bound="mean"} 0.5' in lines
    samples = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(samples) == len(set(samples))


def test_labels_of_openmetrics_are_escaped(tmp_path: Path) -> None:
    past_run(tmp_path, RUN, {'a"b\\c\nd': [1.0]})
    with open_history(tmp_path) as history:
        text = openmetrics(history.store, history.query, datetime(2026, 1, 3, tzinfo=UTC))
    assert 'metric="a\\"b\\\\c\\nd"' in text


def test_events_of_opentelemetry(reports: Path, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    assert write_otel([reports / "qa" / RUN], path) == 4
    (line,) = path.read_text().splitlines()
    (scope,) = json.loads(line)["resourceLogs"][0]["scopeLogs"]
    events = [
        {each["key"]: next(iter(each["value"].values())) for each in record["attributes"]}
        for record in scope["logRecords"]
    ]
    assert {record["eventName"] for record in scope["logRecords"]} == {"gen_ai.evaluation.result"}
    assert all("gen_ai.evaluation.name" in event for event in events)
    missing = next(e for e in events if e["gen_ai.evaluation.score.label"] == "unscored")
    assert "gen_ai.evaluation.score.value" not in missing
    assert missing["gen_ai.evaluation.explanation"] == "no verdict"


def test_eval_results_are_read_by_the_hub_s_library(tmp_path: Path) -> None:
    source = "hf://owner/questions@abc123?split=test"
    past_run(tmp_path, RUN, {"facts": [1.0, 0.0]}, cases={"n": 2, "source": source})
    with open_history(tmp_path) as history:
        (row,) = history.store.runs(history.query)
        path = write_eval_results(history.store, row, tmp_path / "model")
    (entry,) = parse_eval_result_entries(yaml.safe_load(path.read_text()))
    assert (entry.dataset_id, entry.task_id, entry.value) == ("owner/questions", "facts", 0.5)
    assert (entry.dataset_revision, entry.verify_token) == ("abc123", None)
    assert "n = 2" in str(entry.notes)


@pytest.mark.parametrize("source", ["data/qa.jsonl", ""])
def test_only_data_of_the_hub_has_eval_results(tmp_path: Path, source: str) -> None:
    past_run(tmp_path, RUN, {"facts": [1.0]}, cases={"n": 1, "source": source})
    with open_history(tmp_path) as history:
        (row,) = history.store.runs(history.query)
        with pytest.raises(UsageError, match="Hugging Face Hub"):
            write_eval_results(history.store, row, tmp_path)


def test_data_frames(reports: Path) -> None:
    history = llmeval.history(reports=reports, suite="qa")
    assert list(history.runs()["run_id"]) == [RUN]
    metrics = history.metrics().set_index("metric")
    assert metrics.loc["facts", "pass_rate"] == 0.5
    cases = history.cases("correctness")
    assert list(cases["verdict"]) == ["pass", "unscored"]
    assert list(llmeval.history(reports=reports, suite="none").runs()) == []


def test_an_export_says_where_to(reports: Path) -> None:
    done = command("history", "export", "--reports", reports)
    assert done.returncode == 2
    assert "--parquet DIR" in done.stderr
