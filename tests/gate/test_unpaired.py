"""`regression: {paired: false}`: two windows of other cases, decided by their means."""

import json
from pathlib import Path

from tests.support.command import llmeval
from tests.support.tables import each_row

SUITE = """\
suite: windows
cases: {{source: {window}.jsonl}}
prompt: "{{{{ text }}}}"
candidate: {{provider: replay, source: {window}.answers.jsonl}}
checks: [{{equals: "yes"}}]
gate:
  attempts: 1
  {rule}
"""
RULE = "regression: {{baseline: before, paired: false, margins: {{{key}: 0.15}}}}"


def write_window(folder: Path, name: str, passes: int, per: int, missing: int = 0) -> None:
    """100 cases of which the first `passes` pass, in clusters of `per`; the last `missing` have no
    answer.
    """
    rows = [
        {"id": f"{name}{n}", "text": f"{name} {n}", "cluster": f"{n // per}", "tags": {"a": "b"}}
        for n in range(100)
    ]
    answers = [
        {"id": f"{name}{n}", "output": "yes" if n < passes else "no"}
        if n < 100 - missing
        else {"id": f"{name}{n}", "output": None, "error": "timeout"}
        for n in range(100)
    ]
    for path, lines in ((f"{name}.jsonl", rows), (f"{name}.answers.jsonl", answers)):
        (folder / path).write_text("".join(json.dumps(line) + "\n" for line in lines))


def decide(folder: Path, key: str = "equals", rule: str = "") -> tuple[int, dict[str, object]]:
    """Run both windows; the exit code and the newest rule of the second."""
    stated = rule or RULE.format(key=key)
    for window, gate in (("before", "floors: {equals: 0.01}"), ("now", stated)):
        (folder / "suite.yaml").write_text(SUITE.format(window=window, rule=gate))
        done = llmeval("run", "suite.yaml", "--out", window, cwd=folder)
    if not (folder / "now" / "summary.json").exists():
        return done.returncode, {"reason": done.stderr}
    gate_ = json.loads((folder / "now" / "summary.json").read_text())["gate"]
    return done.returncode, next(row for row in gate_["rules"] if row["rule"] == "regression")


@each_row(
    ("passes", "per", "missing", "code", "words"),
    [
        (90, 1, 0, 0, "is excluded"),
        (88, 1, 0, 0, "excluded"),
        (60, 1, 0, 1, "lower for sure"),
        (82, 1, 0, 4, "can't decide"),
        (60, 20, 0, 4, "in 5 and 5 clusters"),
        (92, 1, 2, 0, "0 and 2 of them missing"),
    ],
)
def test_the_windows_decide(
    tmp_path: Path, passes: int, per: int, missing: int, code: int, words: str
) -> None:
    folder = tmp_path / f"{passes}-{per}-{missing}"
    folder.mkdir()
    write_window(folder, "before", 90, per)
    write_window(folder, "now", passes, per, missing)
    result, rule = decide(folder)
    assert (result, words in str(rule["reason"])) == (code, True), rule


@each_row(
    ("rule", "words"),
    [
        (RULE.format(key='"equals @ a=b"'), "INVALID"),
        (RULE.format(key="latency.p95"), "INVALID"),
        ("regression: {baseline: before, paired: false, margins: {equals: .1}}\n  about: these_cases",
         "leave out `about: these_cases`"),
        ("regression: {baseline: before, paired: false, margins: {equals: .1}}\n  stop: early",
         "leave out `stop: early`"),
        ("regression: {baseline: before, paired: false, margins: {equals: .1}}\n"
         "  improve: {equals: .1}", "leave it out of `paired: false`"),
    ],
)  # fmt: skip
def test_what_needs_pairs_is_refused(tmp_path: Path, rule: str, words: str) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    write_window(folder, "before", 90, 1)
    write_window(folder, "now", 90, 1)
    code, decided = decide(folder, rule=rule)
    assert code in (2, 3)
    assert words in str(decided.get("decision", "")) + str(decided["reason"])


def test_a_gate_that_gives_up_its_pairs_is_looser(tmp_path: Path) -> None:
    write_window(tmp_path, "before", 90, 1)
    paired = "regression: {baseline: lock, margins: {equals: 0.15}}"
    (tmp_path / "suite.yaml").write_text(SUITE.format(window="before", rule=paired))
    words = ("--by", "Ada", "--reason", "first", "--out", "lock")
    llmeval("run", "suite.yaml", "--out", "before", cwd=tmp_path)
    (tmp_path / "suite.yaml").write_text(
        SUITE.format(window="before", rule="floors: {equals: 0.5}\n  " + paired)
    )
    llmeval("run", "suite.yaml", "--out", "base", "--baseline", "before", cwd=tmp_path)
    assert llmeval("baseline", "approve", "base", *words, cwd=tmp_path).returncode == 0
    unpaired = paired.replace("lock,", "lock, paired: false,")
    write_window(tmp_path, "now", 90, 1)
    (tmp_path / "suite.yaml").write_text(
        SUITE.format(window="now", rule="floors: {equals: 0.5}\n  " + unpaired)
    )
    done = llmeval("run", "suite.yaml", "--out", "now", cwd=tmp_path)
    assert "paired true -> false" in (tmp_path / "now" / "summary.md").read_text() + done.stdout
