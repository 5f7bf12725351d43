"""Pages about suites: all of them; one with its trends, runs, flaky cases and leaderboard."""

from collections import Counter
from typing import get_args

from llmeval.core.errors import UsageError
from llmeval.core.formatting import percent
from llmeval.history.experiment_store import SuiteRuns
from llmeval.history.flaky import LAST as FLAKY_LAST
from llmeval.history.flaky import flaky_cases
from llmeval.history.leaderboard import By, RunBoard, leaderboard_of
from llmeval.history.rows import RunRow
from llmeval.history.trends import Trend, trend_of
from llmeval.report.comparison_words import ranks
from llmeval.report.html import strips
from llmeval.report.html.trend import when
from llmeval.report.safe_text import count
from llmeval.view.monitor_pages import monitor_state
from llmeval.view.page import NoSuchPage, Site, decided, decision_words, run_lines
from llmeval.view.trend_chart import drawn, spark, unbroken

ROWS = 50
"""Runs of a table; older ones are on the next page."""
_SPARK = 20
"""Runs of a spark line."""
_CASES = 200
"""Flaky cases on a page."""
_ORDER = (
    "FAIL",
    "INVALID",
    "not finished",
    "running",
    "partial",
    "INCONCLUSIVE",
    "no decision",
    "PASS",
)
"""Suites that need attention first."""


def home_page(site: Site) -> str:
    """All suites: the newest run of each, and where its deciding metric goes."""
    root = site.query.root
    lines = [_suite_line(site, each) for each in site.history.store.suites(root)]
    lines.sort(key=lambda line: (_ORDER.index(str(line["state"])), str(line["name"])))
    states = Counter((str(line["state"]), str(line["tone"])) for line in lines)
    counts = [
        (state, tone, n)
        for state, tone, n in sorted(
            ((state, tone, n) for (state, tone), n in states.items()),
            key=lambda each: _ORDER.index(each[0]),
        )
    ]
    skipped = [(row.path, row.reason) for row in site.history.report.skipped]
    tone = str(lines[0]["tone"]) if lines else "plain"
    title = _home_title(counts, len(lines))
    return site.render("home", title, tone, [], suites=lines, counts=counts, skipped=skipped[:ROWS])


def _home_title(counts: list[tuple[str, str, int]], suites: int) -> str:
    if not counts:
        return "No runs yet"
    state, _, n = counts[0]
    if n == suites:
        return f"All {n} suites: {state}" if n > 1 else f"1 suite: {state}"
    return f"{n} of {suites} suites: {state}"


def _suite_line(site: Site, suite: SuiteRuns) -> dict[str, object]:
    row = site.run(suite.newest)
    word, tone = decision_words(row)
    trend = _deciding_trend(site, suite.suite)
    return {
        "name": suite.suite,
        "href": site.links.suite(suite.suite),
        "state": word,
        "tone": tone,
        "runs": suite.runs,
        "when": when(row.run_id),
        "run_href": site.links.run(row.run_id),
        "metric": "" if trend is None else trend.metric,
        "spark": "" if trend is None else spark(trend),
        "text": "" if trend is None else unbroken(trend.words),
        "monitor": monitor_state(site, suite.suite),
        "monitor_href": site.links.monitor(suite.suite),
    }


def _deciding_trend(site: Site, suite: str) -> Trend | None:
    """The trend of the metric that decided the newest complete run."""
    store, query = site.history.store, site.query.where("suite", suite)
    rows = store.runs(query.where("status", "complete")._replace(limit=1))
    if not rows:
        return None
    rules = [rule for rule in store.decisions([rows[0].run_id]) if rule.metric and not rule.slice]
    decisive = [rule.metric for rule in rules if rule.decision == rows[0].decision]
    measured = [row.metric for row in store.metrics([rows[0].run_id], None, "")]
    named = [
        name for name in (*decisive, *(r.metric for r in rules), *measured) if name in measured
    ]
    trends = trend_of(store, site.query, suite, named[0], "", _SPARK) if named else []
    return trends[0] if trends else None


def suite_page(site: Site, suite: str, branch: str = "", before: str = "") -> str:
    """One suite: trends of its metrics, and its runs.

    Raises:
        NoSuchPage: it has no run.
    """
    store = site.history.store
    counts = {each.suite: each.runs for each in store.suites(site.query.root)}
    if suite not in counts:
        raise NoSuchPage(f"there is no run of a suite {suite}")
    query = site.query.where("suite", suite).where("branch", branch or None)
    page = query.where("run_id", before or None, "<")
    rows = store.runs(page._replace(limit=ROWS + 1))
    newest = store.runs(site.query.where("suite", suite)._replace(limit=1))[0]
    word, tone = decision_words(newest)
    trends = trend_of(store, query, suite)
    older = site.links.suite(suite, branch, rows[ROWS - 1].run_id) if len(rows) > ROWS else ""
    served = site.links.served
    return site.render(
        "suite",
        f"{suite}: {word}",
        tone,
        [(suite, site.links.suite(suite))],
        sentence=_suite_sentence(newest, trends),
        ways=[
            ("Latest run", site.links.run(newest.run_id)),
            ("Leaderboard", site.links.board(suite)),
            ("Flaky cases", site.links.flaky(suite)),
            *_monitor_way(site, suite),
        ],
        branches=_branches(site, suite, branch),
        trends=[drawn(trend) for trend in trends],
        left_out=trends[0].left_out if trends else 0,
        rows=run_lines(site, rows[:ROWS]),
        compare=site.links.compare() if served and len(rows) > 1 else "",
        newest=site.links.suite(suite, branch) if before else "",
        older=older,
        total=counts[suite],
    )


def _monitor_way(site: Site, suite: str) -> list[tuple[str, str]]:
    state = monitor_state(site, suite)
    return [] if state is None else [(state.text, site.links.monitor(suite))]


def _suite_sentence(newest: RunRow, trends: list[Trend]) -> str:
    down = [trend for trend in trends if trend.words.startswith(("down", "fell"))]
    text = f"{newest.passed:,} of {count(newest.n, 'case')} passed on {when(newest.run_id)}."
    if down:
        text += f" {down[0].metric} {down[0].words}."
    return text


def _branches(site: Site, suite: str, branch: str) -> list[tuple[str, str, bool]]:
    if not site.links.served:
        return []
    names = site.history.store.branches(site.query.root, suite)
    return [
        ("all branches", site.links.suite(suite), not branch),
        *((name, site.links.suite(suite, name), name == branch) for name in names[:20]),
    ]


def flaky_page(site: Site, suite: str) -> str:
    """Cases that change although nothing of the test changed."""
    cases = flaky_cases(site.history.store, site.query, suite)
    shown = [
        {
            "id": case.case_id,
            "href": site.links.case(suite, case.case_id, case.metric)
            or site.links.case(suite, case.case_id),
            "metric": case.metric,
            "flips": f"{case.flips} of {case.pairs}"
            + (f", {case.split} split" if case.split else ""),
            "rate": percent(case.rate),
            "letters": case.letters,
        }
        for case in cases[:_CASES]
    ]
    names = len({case.case_id for case in cases})
    return site.render(
        "flaky",
        f"{count(names, 'flaky case')}",
        "unsure" if cases else "pass",
        [(suite, site.links.suite(suite)), ("Flaky cases", site.links.flaky(suite))],
        sentence=f"In the newest {FLAKY_LAST} complete runs of {suite}.",
        cases=shown,
        more=max(0, len(cases) - _CASES),
    )


def board_page(site: Site, suite: str, metric: str = "", by: str = "candidate") -> str:
    """The leaderboard of a suite.

    Raises:
        NoSuchPage: an unknown way to rank.
    """
    store = site.history.store
    if by not in get_args(By):
        raise NoSuchPage(f"nothing is ranked by {by}")
    ranked: By = by  # type: ignore[assignment]
    try:
        board = leaderboard_of(store, site.query, suite, metric or None, ranked, common=True)
        problem = ""
    except UsageError as error:
        board, problem = None, str(error)
    rows = store.runs(
        site.query.where("suite", suite).where("status", "complete")._replace(limit=1)
    )
    names = sorted({m.metric for m in store.metrics([row.run_id for row in rows], None, "")})
    current = metric if board is None else board.metric
    return site.render(
        "board",
        f"Leaderboard of {suite}",
        "plain",
        [(suite, site.links.suite(suite)), ("Leaderboard", site.links.board(suite))],
        sentence=_board_sentence(board),
        metric=current,
        by=by,
        problem=problem,
        metrics=[(name, site.links.board(suite, name, by), name == current) for name in names],
        bys=[(each, site.links.board(suite, current, each), each == by) for each in get_args(By)],
        **_board_rows(site, board),
    )


def _board_sentence(board: RunBoard | None) -> str:
    if board is None or len(board.entries) < 2:
        return ""
    first = [entry.name for entry in board.entries if entry.best == 1]
    if len(first) == 1:
        return f"{first[0]} is shown to be the best on {board.metric}."
    return f"{len(first)} share the first place on {board.metric}: the tests can't tell them apart."


def _board_rows(site: Site, board: RunBoard | None) -> dict[str, object]:
    entries = () if board is None else board.entries
    axis = strips.axis_for([entry.mean for entry in entries])
    rows = []
    for entry in entries:
        word, tone = decided(entry.decision)
        rows.append(
            {
                "rank": ranks(entry.best, entry.worst),
                "name": entry.name,
                "mean": percent(entry.mean),
                "early": entry.stopped_early,
                "strip": strips.strip(
                    axis, percent(entry.mean), "plain", estimate=entry.mean, low=None, high=None
                ),
                "word": word,
                "tone": tone,
                "when": when(entry.run_id),
                "href": site.links.run(entry.run_id),
            }
        )
    return {
        "rows": rows,
        "axis": strips.axis_svg(axis),
        "n": 0 if board is None else board.n,
        "left_out": "" if board is None else "; ".join(board.left_out),
    }
