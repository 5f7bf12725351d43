"""From a run to labels to a certificate, as a person would do it on the command line."""

import csv
import json
from pathlib import Path

from tests.support.command import llmeval
from tests.support.endpoint import serve
from tests.support.suites import answer, write_suite


def test_from_a_run_to_a_certificate(tmp_path: Path) -> None:
    run, sheet = tmp_path / "run", tmp_path / "sheet.csv"
    home = {"LLMEVAL_HOME": str(tmp_path / "home")}
    with serve(answer) as endpoint:
        suite = write_suite(tmp_path / "suite", endpoint.url, 300)
        assert llmeval("run", suite, "--out", run, **home).returncode == 0
        drawn = json.loads(
            llmeval("labels", "sample", run, "--n", "110", "--out", sheet, "--json").stdout
        )
        assert [(part["answers"], part["drawn"]) for part in drawn["strata"]] == [
            (60, 55),
            (240, 55),
        ]
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.DictReader(file))
        for row in table:
            row["verdict"] = "pass" if "value-" in row["answer"] else "fail"
        with sheet.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
        taken = json.loads(
            llmeval("labels", "import", sheet, "--run", run, "--reviewer", "ada", "--json").stdout
        )
        assert (taken["added"], taken["refused"]) == (110, [])
        stats = json.loads(llmeval("labels", "stats", run, "--json").stdout)
        assert stats["metrics"][0]["judge"]["counts"] == {
            "pass_pass": 55, "pass_fail": 0, "fail_pass": 0, "fail_fail": 55
        }  # fmt: skip
        assert "ada 110" in llmeval("labels", "stats", run).stdout
        exported = llmeval("labels", "export", run).stdout.splitlines()
        assert len(exported) == 110 and json.loads(exported[0])["sampling"] == "stratified"
        out = tmp_path / "c.json"
        made = llmeval(
            "judge", "certify", suite, "--labels", run, "--out", out, "--probes", "--json", **home
        )
        assert made.returncode == 0, made.stderr
        probed = llmeval("judge", "probe", f"{suite}:correctness", "--labels", run, **home)
    certificate = json.loads(made.stdout)
    assert (
        certificate["trusted"]
        and certificate["labels"] == 110
        and certificate["provenance"]["random"]
    )
    assert [group["name"] for group in certificate["arms"]] == ["cand"]
    assert [each["found"] for each in certificate["probes"]] == [False] * 6
    (line,) = (line for line in probed.stdout.splitlines() if line.startswith("verbosity"))
    assert line.split() == ["verbosity", "110", "0", "0", "1", "7.3", "pt", "160", "none"]
    assert "# TRUSTED" in out.with_suffix(".md").read_text()


def test_wrong_labels_are_usage_errors(tmp_path: Path) -> None:
    with serve(answer) as endpoint:
        suite, run = write_suite(tmp_path / "suite", endpoint.url, 5), tmp_path / "run"
        assert llmeval("run", suite, "--out", run, "--no-cache").returncode == 0
    other = tmp_path / "l.jsonl"
    other.write_text('{"case_id": "nobody", "verdict": "pass"}\n')
    done = llmeval("labels", "import", other, "--run", run)
    assert done.returncode == 2 and "no answer to 'nobody'" in done.stderr
    done = llmeval("labels", "sample", run, "--metric", "style")
    assert done.returncode == 2 and "it has: contains, correctness" in done.stderr
