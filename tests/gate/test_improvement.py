"""`gate.improve`: a rise against the baseline is shown, refuted, or left open."""

import json
from pathlib import Path

from tests.support.command import llmeval
from tests.support.tables import each_row

APP = """\
import os
def answer(prompt):
    kind, number = prompt.split()
    if kind == "old":
        return "yes"
    return "yes" if int(number) < int(os.environ["PASSES"]) else "no"
"""
SUITE = """\
suite: rise
cases: {{source: cases.jsonl}}
prompt: "{{{{ text }}}}"
models: {{app: {{provider: python, function: "rise_app:answer"}}}}
candidate: app
checks: [{{equals: "yes"}}]
gate:
  attempts: 1
  stop: {stop}
  regression: {{baseline: base, margins: {{"equals @ slice=old": 0.2}}}}
  improve: {improve}
"""


def write(folder: Path, improve: str, per: int = 1, stop: str = "never") -> None:
    rows = [
        {"id": f"{kind}{n}", "text": f"{kind} {n}", "tags": {"slice": kind}, "cluster": f"{kind}{n // per}"}
        for kind in ("old", "new")
        for n in range(40)
    ]  # fmt: skip
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "rise_app.py").write_text(APP)
    (folder / "suite.yaml").write_text(SUITE.format(improve=improve, stop=stop))


@each_row(
    ("improve", "passes", "per", "decision", "code"),
    [
        ('{"equals @ slice=new": 0.5}', 38, 1, "PASS", 0),
        ('{"equals @ slice=new": 0.5}', 20, 1, "INCONCLUSIVE", 4),
        ('{"equals @ slice=new": 0.5}', 4, 1, "FAIL", 1),
        ('{"equals @ slice=new": 0.5}', 0, 1, "FAIL", 1),
        ('{"equals @ slice=new": 0.85}', 40, 1, "PASS", 0),
        # The same answers in four clusters show much less.
        ('{"equals @ slice=new": 0.5}', 38, 10, "INCONCLUSIVE", 4),
    ],
)
def test_the_bounds_of_the_rise_decide(
    tmp_path: Path, improve: str, passes: int, per: int, decision: str, code: int
) -> None:
    folder = tmp_path / f"{passes}-{per}-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    write(folder, improve, per)
    llmeval("run", "suite.yaml", "--out", "base", cwd=folder, PASSES="0")
    done = llmeval("run", "suite.yaml", "--out", "run", cwd=folder, PASSES=str(passes))
    summary = json.loads((folder / "run" / "summary.json").read_text())
    rule = next(rule for rule in summary["gate"]["rules"] if rule["rule"] == "improve")
    assert (rule["decision"], done.returncode) == (decision, code), rule["reason"]
    assert "the rule demands a rise of" in rule["reason"]


@each_row(
    ("old", "new", "words"),
    [
        ("  regression: {baseline: base, margins: {\"equals @ slice=old\": 0.2}}\n", "", "state `regression`"),
        ("slice=new", "slice=none", "slice=none"),
        ("0.5", "0", "demands nothing"),
        ("0.5", "1.5", "less than or equal to 1"),
    ],
)  # fmt: skip
def test_a_rule_that_can_not_decide_is_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    write(tmp_path, '{"equals @ slice=new": 0.5}')
    text = (tmp_path / "suite.yaml").read_text()
    assert old in text
    (tmp_path / "suite.yaml").write_text(text.replace(old, new))
    done = llmeval("run", "suite.yaml", cwd=tmp_path, PASSES="0")
    assert done.returncode == 2 and words in done.stderr, done.stderr


def test_a_baseline_without_the_new_slice_is_invalid(tmp_path: Path) -> None:
    write(tmp_path, '{"equals @ slice=new": 0.5}')
    whole = (tmp_path / "cases.jsonl").read_text()
    suite = (tmp_path / "suite.yaml").read_text()
    (tmp_path / "cases.jsonl").write_text(
        "".join(line + "\n" for line in whole.splitlines() if '"old"' in line)
    )
    (tmp_path / "suite.yaml").write_text(suite.split("gate:")[0] + "gate: none\n")
    llmeval("run", "suite.yaml", "--out", "base", cwd=tmp_path, PASSES="0")
    (tmp_path / "cases.jsonl").write_text(whole)
    (tmp_path / "suite.yaml").write_text(suite)
    done = llmeval("run", "suite.yaml", "--out", "run", cwd=tmp_path, PASSES="40")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert done.returncode == 3 and "needs a first figure" in summary["gate"]["reason"]
