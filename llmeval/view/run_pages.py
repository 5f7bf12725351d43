"""Pages about one run, and about one case through the runs."""

from itertools import pairwise
from pathlib import Path

from llmeval.compare.compare import compare
from llmeval.core.errors import LlmevalError, UsageError
from llmeval.core.formatting import NOTHING, percent, signed_points
from llmeval.history.case_life import CaseLife, CasePoint, life_of
from llmeval.history.rows import DecisionRow, MetricRow, RunRow
from llmeval.history.verdicts import Verdict, worst
from llmeval.report.html.comparison_page import comparison_page
from llmeval.report.html.trend import REPORT, when
from llmeval.report.html.words import duration
from llmeval.report.safe_text import count
from llmeval.store.directory import RunDir
from llmeval.view.page import NoSuchPage, Site, decided, decision_words

_FAILING = 50
"""Cases of a run that are listed."""
_TONES = {
    "pass": "pass",
    "fail": "fail",
    "unscored": "unsure",
    "needs_review": "unsure",
    "error": "invalid",
}
_DIFFERENCES = ("regression", "release")
"""Rules whose estimate is a difference."""


def run_page(site: Site, run_id: str) -> str:
    """One run: its decision, its metrics, what did not pass, and where to read more.

    Raises:
        NoSuchPage: there is no such run.
    """
    row, store = site.run(run_id), site.history.store
    word, tone = decision_words(row)
    failing, more = failing_of(site, row)
    rules = store.decisions([run_id])
    return site.render(
        "run",
        f"{word}: {when(run_id)}",
        tone,
        [(row.suite, site.links.suite(row.suite)), (when(run_id), site.links.run(run_id))],
        sentence=f"{row.passed:,} of {count(row.n, 'case')} passed. Candidate: {row.candidate}.",
        ways=_ways(site, row, rules),
        rules=[_rule(rule) for rule in rules],
        metrics=[_metric(each) for each in store.metrics([run_id], None, "")],
        failing=failing,
        more=more,
        facts=_facts(row, store.tags([run_id]).get(run_id, {})),
    )


def _ways(site: Site, row: RunRow, rules: list[DecisionRow]) -> list[tuple[str, str]]:
    """Where to go from a run."""
    query = site.query.where("suite", row.suite).where("run_id", row.run_id, "<")
    earlier = site.history.store.runs(query.where("status", "complete")._replace(limit=1))
    before = earlier[0].run_id if earlier else ""
    baseline = next((rule.baseline_run for rule in rules if rule.baseline_run), "") or ""
    there = (Path(row.path) / REPORT).is_file()
    ways = [("Open the report", site.links.report(row.run_id) if there else "")]
    if before:
        ways.append(("Compare with the run before", site.links.compare(before, row.run_id)))
    if baseline and baseline != before:
        ways.append(("Compare with the baseline", site.links.compare(baseline, row.run_id)))
    return ways


def failing_of(site: Site, row: RunRow) -> tuple[list[dict[str, object]], int]:
    """The cases of a run that do not pass, the worst first, and how many more there are."""
    vectors = site.history.store.vectors([row.run_id])
    if not vectors:
        return [], 0
    cases = site.history.store.case_lists([vectors[0].case_list])[vectors[0].case_list]
    failing = []
    for place, case_id in enumerate(cases.ids):
        verdicts = [(each.metric, worst(each.of_case(place))) for each in vectors]
        bad = [(name, v) for name, v in verdicts if v.name.lower() in _TONES and v != Verdict.PASS]
        if bad:
            failing.append((max(v for _, v in bad), case_id, bad))
    failing.sort(key=lambda each: (-each[0], each[1]))
    shown: list[dict[str, object]] = [
        {
            "id": case_id,
            "href": site.links.case(row.suite, case_id),
            "metrics": [
                (_TONES[v.name.lower()], f"{name}: {v.name.lower().replace('_', ' ')}")
                for name, v in bad
            ],
        }
        for _, case_id, bad in failing[:_FAILING]
    ]
    return shown, max(0, len(failing) - _FAILING)


def _rule(rule: DecisionRow) -> dict[str, object]:
    word, tone = decided(rule.decision)
    shown = signed_points if rule.rule in _DIFFERENCES else percent
    number = rule.rule == "limit"  # in the number's own unit
    place = f" on {rule.slice}" if rule.slice else ""
    bounds = f"{shown(rule.low)} to {shown(rule.high)}" if rule.low is not None else ""
    return {
        "name": f"{rule.rule} {rule.metric}{place}",
        "word": word,
        "tone": tone,
        "estimate": _plain(rule.estimate) if number else shown(rule.estimate),
        "bounds": f"{_plain(rule.low)} to {_plain(rule.high)}" if number else bounds,
        "threshold": _plain(rule.threshold) if number else percent(rule.threshold),
    }


def _plain(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.4g}"


def _metric(row: MetricRow) -> dict[str, object]:
    return {
        "metric": row.metric,
        "trust": row.trust,
        "rate": percent(row.pass_rate),
        "interval": f"{percent(row.low)} to {percent(row.high)}",
        "n": row.n,
    }


def _facts(row: RunRow, tags: dict[str, str]) -> list[tuple[str, str]]:
    cost = "" if row.cost_usd is None else f"${row.cost_usd:,.4g}"
    facts = [
        ("Run", row.run_id),
        ("Tags", ", ".join(f"{name}={value}" for name, value in tags.items())),
        ("Branch", row.branch or ""),
        ("Commit", f"{row.commit_id or ''}{' with uncommitted changes' if row.dirty else ''}"),
        ("Environment", row.environment or ""),
        ("Calls", f"{row.calls:,}, {row.cached:,} from the cache"),
        ("Tokens", f"{row.tokens_in:,} in, {row.tokens_out:,} out"),
        ("Cost", cost),
        ("Time", duration(row.wall_s)),
        ("Scored again from", row.parent or ""),
        ("llmeval", row.llmeval),
        ("Directory", row.path),
    ]
    return [(name, value) for name, value in facts if value]


def case_page(site: Site, suite: str, case_id: str, metric: str = "") -> str:
    """One case through the runs of its suite.

    Raises:
        NoSuchPage: no run has it.
    """
    try:
        life = life_of(site.history.store, site.query, suite, case_id, metric or None)
    except UsageError as error:
        raise NoSuchPage(str(error)) from None
    last = life.points[-1]
    return site.render(
        "case",
        case_id,
        _TONES.get(last.verdict, "plain"),
        [
            (suite, site.links.suite(suite)),
            (case_id, site.links.case(suite, case_id)),
        ],
        sentence=f"{life.words[:1].upper()}{life.words[1:]}.",
        metrics=_metrics_of(site, suite, case_id, metric, last.run_id),
        dots=[_dot(point) for point in life.points],
        flips=(
            f"Flake rate {percent(life.flake_rate)}: {count(life.flips, 'flip')} in"
            f" {count(life.pairs, 'pair')} of runs in which nothing changed."
        ),
        turns=_turns(site, life),
    )


def _metrics_of(
    site: Site, suite: str, case_id: str, metric: str, run_id: str
) -> list[tuple[str, str, bool]]:
    names = [row.metric for row in site.history.store.metrics([run_id], None, "")]
    return [
        ("all metrics", site.links.case(suite, case_id), not metric),
        *((name, site.links.case(suite, case_id, name), name == metric) for name in names),
    ]


def _dot(point: CasePoint) -> dict[str, object]:
    turn = f"{' and '.join(point.changed)} changed" if point.changed else ""
    word = point.verdict.replace("_", " ")
    return {
        "tone": _TONES.get(point.verdict, "plain"),
        "title": f"{when(point.run_id)}: {word}",
        "turn": turn,
    }


def _turns(site: Site, life: CaseLife) -> list[dict[str, object]]:
    """The runs in which the verdict or the test changed, the newest first."""
    points = life.points
    chosen = [points[0]] + [
        now for before, now in pairwise(points) if now.letter != before.letter or now.changed
    ]
    return [
        {
            "when": when(point.run_id),
            "href": site.links.run(point.run_id),
            "word": point.verdict.replace("_", " "),
            "tone": _TONES.get(point.verdict, "plain"),
            "candidate": point.candidate,
            "commit": point.commit,
            "changed": ", ".join(
                [*point.changed, *(["candidate or prompt"] if point.system else [])]
            ),
        }
        for point in reversed(chosen)
    ]


def compare_page(site: Site, first: str, second: str) -> bytes:
    """Two runs side by side, from their directories.

    Raises:
        NoSuchPage: a run is not there, or the two can't be compared.
    """
    runs = [RunDir(Path(site.run(run_id).path)) for run_id in (first, second)]
    try:
        return comparison_page(compare(runs), runs)
    except LlmevalError as error:
        raise NoSuchPage(str(error)) from None


def report_file(site: Site, run_id: str) -> Path:
    """The report of a run.

    Raises:
        NoSuchPage: it has none, or it is a link.
    """
    path = Path(site.run(run_id).path) / REPORT
    if path.is_symlink() or not path.is_file():
        raise NoSuchPage(f"the run {run_id} has no {REPORT} here: `llmeval report {run_id}`")
    return path
