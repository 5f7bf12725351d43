"""`llmeval monitor SUITE --once`, from the command line: states, exit codes, and what is refused."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from llmeval.api.monitor_files import look_and_write
from llmeval.core.errors import LlmevalError, StoreError, UsageError
from llmeval.core.monitor_record import MonitorRecord
from llmeval.governance.audit import append_event
from llmeval.monitor.journal import Journal, hash_of_record
from llmeval.suite.loader import load_suite
from tests.runner.test_anchors import labels
from tests.support.command import ROOT, llmeval
from tests.support.endpoint import serve, verdict
from tests.support.suites import answer
from tests.support.tables import each_row
from tests.support.traffic import (
    FIRST_DAY,
    day_of,
    learn,
    traffic_line,
    write_monitored,
    write_traffic,
)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose monitor has learned from 28 days."""
    folder = tmp_path_factory.mktemp("learned")
    write_monitored(folder)
    learn(folder)
    assert once(folder)["state"] == "no traffic"
    return folder


@pytest.fixture
def folder(learned: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(learned, tmp_path / "copy")
    return tmp_path / "copy"


def once(folder: Path, **environment: str) -> dict[str, Any]:
    """One call; gives its JSON with the exit code that the process had."""
    done = llmeval(
        "monitor", "suite.yaml", "--once", "--json", cwd=folder,
        LLMEVAL_HOME=str(folder / "home"), **environment,
    )  # fmt: skip
    document: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    assert done.returncode == document.get("exit_code", done.returncode)
    return {**document, "code": done.returncode, "stderr": done.stderr}


def looks(folder: Path) -> Path:
    return folder / "reports" / "shop" / "monitor" / "looks.jsonl"


def metric(folder: Path, name: str) -> list[Any]:
    """The values of a metric, as Prometheus reads metrics.txt."""
    text = (looks(folder).parent / "metrics.txt").read_text()
    families = list(text_string_to_metric_families(text))
    return [sample for family in families for sample in family.samples if sample.name == name]


def decision(folder: Path) -> float:
    (sample,) = metric(folder, "llmeval_decision")
    assert sample.labels == {"suite": "shop", "rule": "monitor"}
    return float(sample.value)


def test_a_drop_raises_the_alarm_and_good_days_end_it(folder: Path) -> None:
    write_traffic(folder, [0.9] * 2, first=28)
    assert (once(folder)["code"], decision(folder)) == (0, 1.0)
    write_traffic(folder, [0.4] * 3, first=30)
    alarmed = once(folder)
    assert (alarmed["code"], decision(folder)) == (1, 0.0)
    (stream,) = alarmed["streams"]
    assert stream["alarm"]["since"] == day_of(30) and stream["alarm"]["rate"] < 0.7
    page = (looks(folder).parent / "monitor.html").read_text()
    assert "ALARM" in page and "still open" in page and "<script" not in page
    bounds = {each.labels["bound"] for each in metric(folder, "llmeval_metric")}
    assert bounds == {"low", "mean", "high"}
    (evidence,) = metric(folder, "llmeval_drift_evidence")
    assert evidence.value >= stream["evidence"] >= 730
    write_traffic(folder, [1.0] * 12, first=33)
    assert once(folder)["code"] == 0


def test_two_calls_on_a_day_are_one_look(folder: Path) -> None:
    write_traffic(folder, [0.4] * 3, first=28)
    first = once(folder)
    before = looks(folder).read_bytes()
    second = once(folder)
    assert (first["code"], second["code"]) == (1, 1) and second["added"] == []
    assert looks(folder).read_bytes() == before


def test_no_new_day_is_no_traffic_and_not_quiet(folder: Path) -> None:
    suite = load_suite(folder / "suite.yaml")
    later = datetime(2027, 1, 1, tzinfo=UTC)
    outcome = look_and_write(suite, reports=folder / "reports", now=later)
    assert outcome.code == 5 and "says" not in outcome.reason
    assert decision(folder) != decision(folder)  # NaN
    write_traffic(folder, [0.9] * 2, answers=3, first=28)
    path = folder / "suite.yaml"
    path.write_text(path.read_text().replace("[polite]", "[polite], rate: 1.0e-9"))
    outcome = look_and_write(load_suite(path), reports=folder / "reports", now=later)
    assert outcome.code == 5 and "none of 6 answers was sampled" in outcome.reason


def test_missing_scores_make_the_look_invalid(folder: Path) -> None:
    lines = [traffic_line(28, number, True, output=None) for number in range(20)]
    (folder / "logs" / "028.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    results = [once(folder) for _ in range(3)]
    assert [each["code"] for each in results] == [3, 3, 3]
    assert "100.0% of the scores of polite are missing" in results[0]["reason"]
    assert decision(folder) != decision(folder)
    write_traffic(folder, [0.9], first=29)
    after = once(folder)
    assert after["code"] == 0 and any("left out" in each for each in after["notes"])


def test_a_canary_that_fails_makes_the_look_invalid(folder: Path) -> None:
    path = folder / "suite.yaml"
    (folder / "canary.yaml").write_text(
        "suite: canary\ncases: [{id: a, question: Where?, reference: there}]\n"
        "prompt: '{{ question }}'\ncandidate: {provider: replay, source: recorded.jsonl}\n"
        "checks: [{contains: '{{ reference }}'}]\n"
    )
    path.write_text(path.read_text().replace("[polite]", "[polite], canary: canary.yaml"))
    write_traffic(folder, [0.1] * 5, first=28)
    result = once(folder)
    assert result["code"] == 3 and "canary.yaml is FAIL" in result["reason"]
    (folder / "recorded.jsonl").write_text('{"id": "a", "output": "ok, there"}\n')
    assert once(folder)["code"] == 1


def test_a_judge_that_has_changed_makes_the_look_invalid_not_drift(tmp_path: Path) -> None:
    changed = False

    def handler(body: dict[str, Any], earlier: int) -> str:
        if changed and "other-" in body["messages"][-1]["content"]:
            return verdict("correct")
        return answer(body)

    with serve(handler) as endpoint:
        path = write_monitored(
            tmp_path, "metrics: [correctness]",
            f"models: {{judge: {{provider: openai, model: judge, base_url: '{endpoint.url}', api_key: k-12345678}}}}\n"
            "judges: {correctness: {model: judge, attacks: false, certificate: c.json}}\n",
        )  # fmt: skip
        (tmp_path / "cases.jsonl").write_text(
            "".join(
                json.dumps({"id": f"c{i:04d}", "question": f"What is number {i}?", "reference": f"value-{i}"}) + "\n"
                for i in range(120)
            )
        )  # fmt: skip
        text = path.read_text()
        path.write_text(text.replace(text.splitlines()[1], "cases: cases.jsonl"))
        home = {"LLMEVAL_HOME": str(tmp_path / "home")}
        made = llmeval("judge", "certify", path, "--labels", labels(tmp_path / "l.jsonl"), **home)
        assert made.returncode == 0, made.stderr

        def write(day: int) -> None:
            lines = [
                traffic_line(day, i, True, input=f"What is number {i}?", output=f"It is value-{i}.", reference=f"value-{i}")
                for i in range(6)
            ]  # fmt: skip
            (tmp_path / "logs" / f"{day}.jsonl").write_text(
                "".join(json.dumps(x) + "\n" for x in lines)
            )

        write(0)
        assert once(tmp_path)["code"] == 4
        changed = True
        write(1)
        result = once(tmp_path)
    assert result["code"] == 3 and "the judge of correctness: it has changed" in result["reason"]
    records = Journal(looks(tmp_path).parent).records
    assert [(each.kind, each.cause) for each in records] == [("look", ""), ("invalid", "judge")]


@each_row(
    "change, message",
    [
        (("contains: {text: ok,", "contains: {text: o,"), "the checks or judges differ"),
        (("[polite]", "[polite], tolerance: 0.5"), "the settings of `monitor` differ"),
        (("[polite]", "[polite], slices: [a=b]"), "the settings of `monitor` differ"),
        (("[polite]", "[polite], redact: false"), "the settings of `monitor` differ"),
    ],
)
def test_a_changed_suite_is_refused_until_someone_acknowledges(
    learned: Path, change: tuple[str, str], message: str
) -> None:
    path = learned / "suite.yaml"
    original = path.read_text()
    day = write_traffic(learned, [0.9], first=28)
    try:
        path.write_text(original.replace(*change))
        result = once(learned)
    finally:
        path.write_text(original)
        day.unlink()
    assert result["code"] == 2 and message in result["stderr"]
    assert decision(learned) != decision(learned)


def test_an_acknowledgement_begins_a_new_reference(folder: Path) -> None:
    write_traffic(folder, [0.4] * 3, first=28)
    assert once(folder)["code"] == 1
    for arguments in (["--by", "Ann"], ["--by", " ", "--reason", "x"]):
        refused = llmeval("monitor", "suite.yaml", "--acknowledge", *arguments, cwd=folder)
        assert refused.returncode == 2
    taken = ["monitor", "suite.yaml", "--acknowledge", "--by", "Ann", "--reason", "new catalogue"]
    assert llmeval(*taken, cwd=folder).returncode == 0
    assert llmeval(*taken, cwd=folder).returncode == 2  # nothing to acknowledge any more
    write_traffic(folder, [0.4] * 2, first=31)
    result = once(folder)
    assert result["code"] == 4 and result["streams"][0]["learning_day"] == 2
    newest = Journal(looks(folder).parent).records[-3]
    assert (newest.kind, newest.by, newest.reason) == ("acknowledged", "Ann", "new catalogue")


def _edit(folder: Path) -> None:
    path = looks(folder)
    path.write_bytes(path.read_bytes().replace(b'"passed":1', b'"passed":2', 1))


def _edit_and_hash(folder: Path) -> None:
    """A line is changed together with its own hash."""
    lines = looks(folder).read_bytes().splitlines()
    record = msgspec.json.decode(lines[3], type=MonitorRecord)
    record = msgspec.structs.replace(record, lines=1)
    record = msgspec.structs.replace(record, hash=hash_of_record(record))
    lines[3] = msgspec.json.encode(record)
    looks(folder).write_bytes(b"\n".join(lines) + b"\n")


def _cut(folder: Path) -> None:
    lines = looks(folder).read_bytes().splitlines(keepends=True)
    looks(folder).write_bytes(b"".join(lines[:-2]))


def _delete(folder: Path) -> None:
    looks(folder).unlink()


def _delete_head(folder: Path) -> None:
    (looks(folder).parent / "looks.head").unlink()


@each_row("damage", [_edit, _edit_and_hash, _cut, _delete, _delete_head])
def test_a_damaged_chain_decides_nothing(
    learned: Path, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    copy = tmp_path / damage.__name__
    shutil.copytree(learned, copy)
    damage(copy)
    result = once(copy)
    assert result["code"] == 3 and "restore the folder from a backup" in result["stderr"]


def test_the_audit_chain_shows_that_both_files_were_cut(folder: Path) -> None:
    chain = folder / "audit.jsonl"
    append_event(chain, "Ann", "started", "audit.jsonl")
    monitor = looks(folder).parent
    kept = {name: (monitor / name).read_bytes() for name in ("looks.jsonl", "looks.head")}
    write_traffic(folder, [0.4] * 3, first=28)
    assert once(folder)["code"] == 1
    assert '"alarm raised"' in chain.read_text()
    for name, content in kept.items():
        (monitor / name).write_bytes(content)
    result = once(folder)
    assert result["code"] == 3 and "its lines were removed or rewritten" in result["stderr"]


def test_traffic_that_shrinks_or_is_rewritten_changes_no_look(folder: Path) -> None:
    before = looks(folder).read_bytes()
    write_traffic(folder, [0.1] * 28, answers=40)
    result = once(folder)
    assert looks(folder).read_bytes() == before
    assert any("560 answers came after the look at their day" in each for each in result["notes"])
    shutil.rmtree(folder / "logs")
    with pytest.raises(UsageError, match="there is no such file or folder"):
        look_and_write(load_suite(folder / "suite.yaml"), reports=folder / "reports")


def test_a_clock_that_was_set_back_decides_nothing(folder: Path) -> None:
    early = datetime.combine(FIRST_DAY, datetime.min.time(), UTC)
    with pytest.raises(StoreError, match="Correct the clock"):
        look_and_write(load_suite(folder / "suite.yaml"), reports=folder / "reports", now=early)


def test_ten_times_less_traffic_goes_on(folder: Path) -> None:
    """Days with fewer than 5 answers are joined."""
    write_traffic(folder, [1.0] * 6, answers=2, first=28)
    assert once(folder)["code"] == 0
    newest = once(folder)["streams"][0]
    assert newest["answers"] == 6


def test_less_traffic_is_an_alarm_only_by_the_rule_volume(folder: Path) -> None:
    path = folder / "suite.yaml"
    write_traffic(folder, [1.0], answers=6, first=28)
    assert once(folder)["code"] == 0
    path.write_text(path.read_text().replace("[polite]", "[polite], volume: 0.4"))
    alarmed = once(folder)
    assert (alarmed["code"], decision(folder)) == (1, 0.0)
    assert (
        "6 answers on 2026-03-29; the median day of the reference has 20" in alarmed["volume_alarm"]
    )
    path.write_text(path.read_text().replace("volume: 0.4", "volume: 0.3"))
    assert once(folder)["code"] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX matter")
def test_kill_9_at_any_moment_leaves_a_state_that_continues(tmp_path: Path) -> None:
    write_monitored(tmp_path)
    write_traffic(tmp_path, [0.9] * 7, answers=6)
    command = [sys.executable, "-m", "llmeval", "monitor", "suite.yaml", "--once", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LLMEVAL_HOME": str(tmp_path / "home")}
    rng = random.Random(4)
    killed = 0
    for _ in range(3):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )  # fmt: skip
        marker = looks(tmp_path)
        before = marker.stat().st_size if marker.exists() else 0
        while process.poll() is None and (not marker.exists() or marker.stat().st_size == before):
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.3))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
    assert killed >= 1
    result = once(tmp_path)
    assert result["code"] == 4 and result["streams"][0]["learning_day"] == 7
    days = [each.day for each in Journal(looks(tmp_path).parent).records]
    assert days == [day_of(number) for number in range(7)]


def test_one_process_at_a_time(folder: Path) -> None:
    from llmeval.monitor.journal import locked

    suite = load_suite(folder / "suite.yaml")
    with locked(looks(folder).parent), pytest.raises(LlmevalError, match="another process"):
        look_and_write(suite, reports=folder / "reports")


def test_the_group_has_a_default_command(tmp_path: Path) -> None:
    path = write_monitored(tmp_path)
    assert "give --once or --acknowledge" in llmeval("monitor", path).stderr
    assert "simulate" in llmeval("monitor", "--help").stdout
    days = tmp_path / "days.jsonl"
    days.write_text('{"day": 1, "n": 10, "passed": 9}\n')
    assert llmeval("monitor", "simulate", path, "--days", days).returncode == 4
