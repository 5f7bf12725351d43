"""The page without a browser: its policy, its size, what it says, what it holds."""

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from llmeval.core.errors import StoreError
from llmeval.core.records import digest
from llmeval.core.results import CaseCounts, Decision, GateResult, RuleDecision, Summary
from llmeval.report.html import assets, embed, part_pages, write_html
from llmeval.report.html import build as html_build
from llmeval.report.html import page as page_text
from llmeval.report.html.embed import ALL_UP_TO, Embedding
from llmeval.report.html.totals import Totals
from llmeval.report.html.triage import TriageQueue
from llmeval.report.html.words import headline, short_and_rest
from llmeval.store.directory import RunDir
from tests.report import html_samples as samples
from tests.support.manifests import GATE
from tests.support.rundirs import record_lines, seal


class Page(HTMLParser):
    """A page read by a parser that is not ours: elements, text, data blocks."""

    def __init__(self, path: Path) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: dict[str, str] = {}
        self.text = ""
        self.style = self.script = ""
        self._inside: str | None = None
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append((tag, found))
        self._inside = tag if tag in ("script", "style") else self._inside
        if tag == "script":
            self._inside = (
                f"block {found['id']}"
                if found.get("type") == "application/octet-stream"
                else "script"
            )

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            self.text += data
        elif self._inside.startswith("block "):
            self.blocks[self._inside[6:]] = data
        else:
            setattr(self, self._inside, getattr(self, self._inside) + data)

    def unpack(self, name: str) -> str:
        return gzip.decompress(base64.b64decode(self.blocks[name])).decode()

    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.unpack("meta"))
        return found

    def rows(self) -> list[dict[str, Any]]:
        chunks = sorted(
            (n for n in self.blocks if n.startswith("chunk-")), key=lambda n: int(n[6:])
        )
        return [row for name in chunks for row in json.loads(self.unpack(name))]

    def index(self) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {}
        for line in self.unpack("index").splitlines():
            for name, values in json.loads(line).items():
                columns.setdefault(name, []).extend(values)
        return columns


def build(path: Path, run: Path, **options: Any) -> Page:
    write_html(RunDir(run), path / "report.html", **options)
    return Page(path / "report.html")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Page:
    root = tmp_path_factory.mktemp("compared")
    before = samples.sample_run(
        root / "before", 60, quality=0.85, hostile=False, run_id="20261101T000000Z-aaaaaa"
    )
    run = samples.sample_run(root / "run", 60, quality=0.6)
    return build(root, run, baseline=RunDir(before))


def test_cases_that_are_not_to_be_looked_at_first_are_counted() -> None:
    """So that the number on the button and the failed cases add up."""
    totals = Totals(lambda row, place: {})
    totals.cases.update({TriageQueue.NEW: 48})
    assert page_text.not_to_review(totals) == ""
    totals.cases.update({TriageQueue.UNTRUSTED: 1, TriageQueue.FIXED: 2, TriageQueue.REST: 3})
    assert page_text.not_to_review(totals) == (
        "Not among them, but also without a pass: 1 case that only a judge that is not trusted"
        " fails; 5 cases without all their scores yet."
    )


def test_the_policy_allows_exactly_the_pages_own_script_and_style(compared: Page) -> None:
    policy = next(
        a["content"]
        for t, a in compared.tags
        if t == "meta" and a.get("http-equiv") == "Content-Security-Policy"
    )
    for text in (compared.script, compared.style):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in (policy or "")
    assert "default-src 'none'" in (policy or "")
    assert "unsafe" not in (policy or "")


def test_nothing_on_the_page_points_outside(compared: Page) -> None:
    for tag, attributes in compared.tags:
        for name in ("src", "href", "srcset", "action", "formaction", "poster", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith("#") or _is_icon(tag, name, value), (
                tag,
                name,
                value,
            )
        assert not [name for name in attributes if name.startswith("on")], tag
        assert "style" not in attributes, (tag, attributes)


def _is_icon(tag: str, name: str, value: str) -> bool:
    return (tag, name) == ("link", "href") and value.startswith("data:image/svg+xml;base64,")


@pytest.mark.parametrize(
    ("decision", "colour"),
    [
        (Decision.PASS, "177245"),
        (Decision.FAIL, "b3261e"),
        (Decision.INCONCLUSIVE, "875800"),
        (Decision.INVALID, "7a3597"),
    ],
)
def test_the_tab_shows_the_decision(tmp_path: Path, decision: Decision, colour: str) -> None:
    summary = Summary(
        suite="qa",
        run_id="r1",
        status="complete",
        counts=CaseCounts(cases=1, passed=1),
        gate=GateResult(decision=decision, exit_code=1, reason="why"),
    )
    about = samples.manifest("r1", 1)
    answers = [samples.Answer(case_id="c", output="a")]
    run = samples.write_run(
        tmp_path / "run", [samples.Case("c", {"question": "q"})], answers, [], summary, about
    )
    write_html(RunDir(run), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text()
    assert f"<title>{decision} · qa · llmeval</title>" in html
    icon = re.search('<link rel="icon" href="data:image/svg[+]xml;base64,(.*?)">', html)
    assert icon is not None
    assert colour in base64.b64decode(icon[1]).decode()


def test_a_long_warning_keeps_its_statistics_for_a_click() -> None:
    reason = "on 202 labels its sensitivity is 0.33 (0.25 to 0.43), " * 4
    assert short_and_rest(f"The judge of m is UNTRUSTED: {reason.strip(', ')}") == (
        "The judge of m is UNTRUSTED.",
        f"O{reason.strip(', ')[1:]}.",
    )
    assert short_and_rest("The judge of m is UNTRUSTED: no labels.") == (
        "The judge of m is UNTRUSTED: no labels.",
        "",
    )


def test_shell_budget() -> None:
    template = (Path(assets.__file__).parent / "static" / "report.html.j2").read_text()
    shell = (template + assets.style() + assets.script()).encode()
    assert len(shell) <= 160_000
    assert len(gzip.compress(shell)) <= 46_000


def test_joined_script_has_no_imports_and_parses(tmp_path: Path) -> None:
    assert not re.search(r"^(import|export) ", assets.script(), re.M)
    assert "</script" not in assets.script()
    assert "</style" not in assets.style()
    assert "innerHTML" not in assets.script()
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; the browser tests cover the same")
    (tmp_path / "page.mjs").write_text(assets.script())
    done = subprocess.run(
        [node, "--check", str(tmp_path / "page.mjs")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_row_is_held_as_it_was_recorded(compared: Page) -> None:
    rows = {row["case"]["id"]: row for row in compared.rows()}
    assert len(rows) == 60
    hostile = rows["his-00009"]
    assert hostile["now"]["answer"]["output"] == samples.HOSTILE
    assert hostile["before"]["answer"]["output"] != samples.HOSTILE
    assert len(rows["geo-00012"]["now"]["answer"]["output"]) == 1_000_000
    index = compared.index()
    assert sorted(index["id"]) == sorted(rows)
    assert len({len(column) for column in index.values()}) == 1


def test_triage_is_told_in_the_index(compared: Page) -> None:
    index, rows = compared.index(), compared.rows()
    meta = json.loads(compared.unpack("meta"))
    for case, queue, now, was in zip(
        index["id"], index["queue"], index["now"], index["was"], strict=True
    ):
        row = next(row for row in rows if row["case"]["id"] == case)
        status = {score["metric"]: score["status"] for score in row["now"]["scores"]}
        before = {score["metric"]: score["status"] for score in row["before"]["scores"]}
        assert [status.get(m, "-")[0] for m in meta["metrics"][: len(now)]] == list(now)
        assert len(was) <= len(meta["metrics"])
        lost = row["now"]["answer"].get("error") or "unscored" in status.values()
        dropped = any(s == "fail" and before.get(m) == "pass" for m, s in status.items())
        if lost:
            assert queue == 1
        elif dropped:
            assert queue == 2
        elif "fail" in status.values():
            assert queue in (4, 5)
        else:
            assert queue in (6, 7, 8)


def test_the_first_page_says_it_without_script(compared: Page) -> None:
    assert "FAIL" in compared.text
    assert re.search(
        r"correctness \d+\.\d% \(at most \d+\.\d% at 95% confidence\) is below the floor of 80%\.",
        compared.text,
    )
    assert "The judge of correctness is UNTRUSTED: its certificate is void" in compared.text
    assert "topic" in compared.text
    assert "history · correctness" in compared.text
    assert "regressed" in compared.text
    assert "HTTP 503 from models.example" in compared.text
    assert "\x1b" not in compared.text
    assert "\u202e" not in compared.text
    assert "\x00" not in compared.text
    assert "⟨U+202E⟩" in compared.text


def test_differences_from_the_baseline_are_named(tmp_path: Path) -> None:
    before = samples.sample_run(
        tmp_path / "before", 8, hostile=False, run_id="20261101T000000Z-aaaaaa"
    )
    run = samples.sample_run(tmp_path / "run", 8, hostile=False)
    about = json.loads((run / "manifest.json").read_text())
    about["digests"]["judges"]["correctness"] = "sha256:other"
    seal(run, digests=about["digests"])
    page = build(tmp_path, run, baseline=RunDir(before))
    assert (
        "Not measured in the same way as the baseline; what differs: judges.correctness."
        in page.text
    )
    assert "digests.candidate" in page.text


def test_triage_in_the_order_of_work(tmp_path: Path) -> None:
    """One row of each queue, worst last in the run."""
    kinds = {
        "rest": ("pass", "pass", "pass", "pass"),
        "fixed": ("fail", "fail", "pass", "pass"),
        "known": ("fail", "fail", "fail", "fail"),
        "new": (None, None, "fail", "fail"),
        "disagrees": ("pass", "fail", "pass", "fail"),
        "regressed": ("pass", "pass", "fail", "fail"),
        "problem": ("pass", "pass", "unscored", "fail"),
    }
    runs: dict[str, tuple[list[Any], list[Any], list[Any]]] = {
        "before": ([], [], []),
        "run": ([], [], []),
    }
    for name, states in kinds.items():
        for run, pair in (("before", states[:2]), ("run", states[2:])):
            if None not in pair:
                cases, answers, scores = runs[run]
                cases.append(samples.Case(name, {"question": name}, digest=digest(name)))
                answers.append(samples.Answer(case_id=name, output=name))
                scores.extend(
                    _score(name, metric, state)
                    for metric, state in zip(("facts", "truth"), pair, strict=True)
                )
    about = {
        "judges": {"truth": {"prompt": "reference", "trust": "TRUSTED"}},
        "checks": [{"metric": "facts"}],
    }
    for name, (cases, answers, scores) in runs.items():
        summary = samples.summary_of(name, [], [], [])
        samples.write_run(
            tmp_path / name, cases, answers, scores, summary, samples.manifest(name, 7, **about)
        )
    page = build(tmp_path, tmp_path / "run", baseline=RunDir(tmp_path / "before"))
    index = page.index()
    assert index["queue"] == [8, 7, 5, 4, 3, 2, 1]
    assert index["why"][4] == "truth says fail but facts says pass"


def _score(case: str, metric: str, state: str | None) -> Any:
    passed = {"pass": True, "fail": False}.get(state or "")
    value = None if passed is None else float(passed)
    return samples.Score(
        case_id=case, metric=metric, status=samples.Status(state), value=value, passed=passed
    )


def test_people_and_judge_are_held_against_each_other(tmp_path: Path) -> None:
    run = samples.sample_run(tmp_path / "run", 20, quality=1.0, hostile=False)
    label = {
        "case_id": "geo-00000",
        "metric": "correctness",
        "human_verdict": "fail",
        "judge_verdict": "pass",
    }
    agreed = {**label, "case_id": "sci-00002", "human_verdict": "pass"}
    text = "".join(json.dumps(each) + "\n" for each in (label, agreed, {"case_id": 7}))
    (run / "labels.jsonl").write_text(text)
    page = build(tmp_path, run)
    assert "agrees on 1 of 2 labelled answers" in page.text
    assert any(a.get("class") == "chart reliability" for t, a in page.tags if t == "svg")
    index = page.index()
    assert index["queue"][index["id"].index("geo-00000")] == 3
    assert (
        index["why"][index["id"].index("geo-00000")] == "a person says fail, correctness says pass"
    )


def test_equal_answers_with_two_verdicts_are_shown(tmp_path: Path) -> None:
    cases = [samples.Case("c", {"question": "q"})]
    answers = [samples.Answer(case_id="c", repeat=i, output="the same") for i in range(2)]
    scores = [
        samples.Score(
            case_id="c",
            repeat=i,
            metric="m",
            source="judge",
            status=status,
            value=value,
            passed=value == 1,
        )
        for i, (status, value) in enumerate(
            [(samples.Status.PASS, 1.0), (samples.Status.FAIL, 0.0)]
        )
    ]
    about = samples.manifest("r", 1, repeats=2)
    run = samples.write_run(
        tmp_path / "run", cases, answers, scores, samples.summary_of("r", [], [], []), about
    )
    index = build(tmp_path, run).index()
    assert index["queue"] == [3, 3]
    assert index["rep"] == [0, 1]


def bare(path: Path, **changes: Any) -> Path:
    """A run with nothing in it."""
    summary = Summary(
        suite="qa",
        run_id="r1",
        status="incomplete",
        counts=CaseCounts(),
        gate=GateResult(decision=None, exit_code=5),
        **changes,
    )
    return samples.write_run(
        path,
        [],
        [],
        [],
        summary,
        samples.manifest("r1", 0, judges={}, status="incomplete", ended=None),
    )


def test_a_run_of_nothing(tmp_path: Path) -> None:
    page = build(tmp_path, bare(tmp_path / "run"))
    assert "INTERRUPTED" in page.text
    assert "No case was evaluated." in page.text
    assert page.rows() == []
    assert page.index() == {} or page.index()["id"] == []


def test_a_run_of_errors_only(tmp_path: Path) -> None:
    cases, answers = [], []
    for case, answer, _ in samples.records(5, 1, 1.0):
        cases.append(case)
        answers.append(
            samples.Answer(case_id=answer.case_id, error=samples.ErrorInfo("provider", "refused"))
        )
    gate = GateResult(
        decision=Decision.INVALID,
        exit_code=3,
        reason="All was lost.",
        rules=(
            RuleDecision(rule="max_unscored", decision=Decision.INVALID, reason="All was lost."),
        ),
    )
    summary = Summary(
        suite="qa", run_id="r1", status="complete", counts=CaseCounts(cases=5, errors=5), gate=gate
    )
    page = build(
        tmp_path,
        samples.write_run(tmp_path / "run", cases, answers, [], summary, samples.manifest("r1", 5)),
    )
    assert "INVALID" in page.text
    assert "All was lost." in page.text
    assert set(page.index()["queue"]) == {1}


def test_a_run_without_summary_is_counted_from_its_records(tmp_path: Path) -> None:
    run = samples.sample_run(tmp_path / "run", 12, hostile=False, status="running", ended=None)
    (run / "summary.json").unlink()
    with (run / "answers.jsonl").open("ab") as file:
        file.write(b'{"case_id":"torn')
    page = build(tmp_path, run)
    assert "12 cases" in page.text
    assert len(page.rows()) == 12


def test_the_last_record_of_a_key_counts(tmp_path: Path) -> None:
    run = samples.sample_run(tmp_path / "run", 6, hostile=False)
    answer = samples.Answer(case_id="geo-00000", output="said again", attempts=1)
    score = samples.Score(
        case_id="geo-00000",
        metric="punctuation",
        status=samples.Status.PASS,
        value=1.0,
        passed=True,
    )
    for name, record in (("answers.jsonl", answer), ("scores.jsonl", score)):
        with (run / name).open("ab") as file:
            file.write(record_lines([record]))
    seal(run)
    rows = [row for row in build(tmp_path, run).rows() if row["case"]["id"] == "geo-00000"]
    assert [row["now"]["answer"]["output"] for row in rows] == ["said again"]
    assert [score["metric"] for score in rows[0]["now"]["scores"]] == ["punctuation"]


def test_a_line_that_is_no_record_is_named(tmp_path: Path) -> None:
    run = samples.sample_run(tmp_path / "run", 3, hostile=False)
    (run / "answers.jsonl").write_bytes(b'{"case_id": 7}\n')
    seal(run)
    with pytest.raises(StoreError, match=r"answers\.jsonl, byte 0"):
        write_html(RunDir(run), tmp_path / "report.html")
    assert not list(tmp_path.glob("*report.html*"))


def test_equal_runs_give_equal_pages(tmp_path: Path) -> None:
    run = samples.sample_run(tmp_path / "run", 30)
    first, second = (tmp_path / name for name in ("a.html", "b.html"))
    write_html(RunDir(run), first)
    write_html(RunDir(run), second)
    assert first.read_bytes() == second.read_bytes()


def test_large_runs_hold_what_matters_and_a_recorded_sample() -> None:
    rows = list(_placed(1000))
    embedding = Embedding(2 * ALL_UP_TO, "default")
    assert embedding.probability == 0.05
    taken = [(place.queue, embedding.takes(row, place)) for row, place in rows]
    assert all(held for queue, held in taken if queue < 8)
    passing = [held for queue, held in taken if queue == 8]
    assert 0.02 < sum(passing) / len(passing) < 0.09
    everything = Embedding(2 * ALL_UP_TO, "all")
    assert all(everything.takes(row, place) for row, place in rows)


def _placed(n: int) -> Any:
    from llmeval.gate.human_labels import decide_unit
    from llmeval.report.html.row import row_of
    from llmeval.report.html.triage import TriageRules, triage
    from llmeval.store.units import StoredUnit

    for case, answer, scores in samples.records(n, 1, 0.7):
        row = row_of(decide_unit(StoredUnit(case, answer, tuple(scores), b"{}", b"{}", ()), {}))
        yield row, triage(row, TriageRules())


UNSURE = (
    "m 78.0% (between 73.0% and 83.0% at 95% confidence) is too uncertain to tell whether it reaches"
    " the floor of 80%."
)


@pytest.mark.parametrize(
    ("decision", "estimate", "low", "high", "expected"),
    [
        (
            Decision.FAIL,
            0.71,
            0.65,
            0.76,
            "m 71.0% (at most 76.0% at 95% confidence) is below the floor of 80%.",
        ),
        (Decision.INCONCLUSIVE, 0.78, 0.73, 0.83, UNSURE),
        (
            Decision.PASS,
            0.9,
            0.858,
            0.93,
            "The rule holds: m at 90.0%, at least 85.8% at 95% confidence, with a floor of 80%.",
        ),
    ],
)
def test_headlines(
    decision: Decision, estimate: float, low: float, high: float, expected: str
) -> None:
    found = samples.metric("m", round(200 * estimate), 200)
    assert headline(gate_of(decision, estimate, low, high), [found], 0.05) == expected


def test_a_headline_never_contradicts_its_interval() -> None:
    """74.3% with a 95% interval that reaches beyond the floor: the one-sided bound decides, so that
    is what is said.
    """
    found = samples.metric("m", 75, 101)
    assert found.high is not None
    assert found.high > 0.8
    said = headline(gate_of(Decision.FAIL, 0.743, 0.66, 0.795), [found], 0.05)
    assert said == "m 74.3% (at most 79.5% at 95% confidence) is below the floor of 80%."


def gate_of(decision: Decision, estimate: float, low: float, high: float) -> GateResult:
    rule = RuleDecision(
        rule="floor",
        metric="m",
        decision=decision,
        estimate=estimate,
        low=low,
        high=high,
        threshold=0.8,
    )
    return GateResult(decision=decision, exit_code=1, rules=(rule,))


def test_contradictions_of_an_untrusted_judge_come_last(tmp_path: Path) -> None:
    """The check passes and the judge fails: a disagreement where the judge is trusted. The gate's
    metric comes first among the failures, also in the reason.
    """
    for trust, queue in (("TRUSTED", 3), ("UNTRUSTED", 6)):
        cases = [samples.Case(name, {"question": name}, digest=digest(name)) for name in "ab"]
        answers = [samples.Answer(case_id=name, output=name) for name in "ab"]
        scores = [
            _score("a", "facts", "pass"), _score("a", "truth", "fail"),
            _score("b", "style", "fail"), _score("b", "facts", "fail"),
            _score("b", "truth", "fail"),
        ]  # fmt: skip
        about = samples.manifest(
            "r", 2, judges={"truth": {"prompt": "reference", "trust": trust}},
            checks=[{"metric": "facts"}, {"metric": "style"}],
            gate={**GATE, "floors": {"facts": 0.5}},
        )  # fmt: skip
        summary = samples.summary_of("r", [], [], [])
        run = samples.write_run(tmp_path / trust, cases, answers, scores, summary, about)
        index = build(tmp_path, run).index()
        queues = dict(zip(index["id"], index["queue"], strict=True))
        assert (queues["a"], queues["b"]) == (queue, 4)
        assert index["why"][index["id"].index("b")].startswith("facts:")


def _links(page: Page) -> list[str]:
    """The links to the pages with all answers, and back."""
    links = [attrs.get("href") or "" for tag, attrs in page.tags if tag == "a"]
    return [link for link in links if "answers-" in link or link == "../report.html"]


def test_a_large_report_has_pages_with_all_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html_build, "PAGED_FROM", 50)
    monkeypatch.setattr(part_pages, "PART_ROWS", 25)
    monkeypatch.setattr(embed, "ALL_UP_TO", 5)
    monkeypatch.setattr(embed, "SAMPLE", 10)
    run = samples.sample_run(tmp_path / "run", 60, quality=0.6)
    report = build(tmp_path, run)
    parts = [Page(tmp_path / "report" / f"answers-{n:03}.html") for n in (1, 2, 3)]
    listed = [case for part in parts for case in part.index()["id"]]
    assert [len(part.index()["id"]) for part in parts] == [25, 25, 10]
    assert listed == [case.id for case in RunDir(run).outlines()]
    for part in parts:
        meta = part.meta()
        assert sum(meta["queues"].values()) == meta["rows"] == meta["embedded"]
        assert -1 not in part.index()["chunk"]
    mine = report.meta()
    assert 5 <= mine["rows"] == mine["embedded"] == len(report.index()["id"]) < 30
    assert "All 60 answers, on 3 pages" in report.text
    assert _links(report) == [f"report/answers-{n:03}.html#view=cases" for n in (1, 2, 3)]
    assert "Answers 26 to 50 of 60" in parts[1].text
    assert _links(parts[1]) == [
        "answers-001.html#view=cases",
        "answers-003.html#view=cases",
        "../report.html",
    ]
    (tmp_path / "report" / "notes.txt").write_text("of a person")
    everything = build(tmp_path, run, embed="all")
    assert everything.meta()["embedded"] == 60
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["notes.txt"]
