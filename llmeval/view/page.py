"""What every page of the history needs: the data, the addresses, the words of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmeval.core.results import Decision
from llmeval.history.experiment_store import RunQuery
from llmeval.history.opening import OpenHistory
from llmeval.history.rows import RunRow
from llmeval.report.html import words
from llmeval.report.html.trend import when
from llmeval.view.links import Links
from llmeval.view.style import policy, style, templates

Crumbs = list[tuple[str, str]]
"""(name, address) of the pages above this one."""


class NoSuchPage(Exception):
    """There is nothing at this address. The text is for people."""


@dataclass(frozen=True)
class Site:
    """All pages of one history."""

    history: OpenHistory
    links: Links
    source: str
    """Where the runs come from, at the foot of each page."""

    @property
    def query(self) -> RunQuery:
        """All runs."""
        return self.history.query

    def render(self, name: str, title: str, tone: str, crumbs: Crumbs, **values: object) -> str:
        """A page from its template."""
        return (
            templates()
            .get_template(f"{name}.html.j2")
            .render(
                policy=policy(served=self.links.served),
                style=style(),
                title=title,
                tone=tone,
                crumbs=[("Suites", self.links.home()), *crumbs],
                source=self.source,
                **values,
            )
        )

    def run(self, run_id: str) -> RunRow:
        """The row of a run.

        Raises:
            NoSuchPage: there is none.
        """
        rows = self.history.store.runs(self.query._replace(run_ids=(run_id,)))
        if not rows:
            raise NoSuchPage(f"there is no run {run_id}")
        return rows[0]


def decision_words(row: RunRow) -> tuple[str, str]:
    """(word, tone) of a run: its decision, or that it has none."""
    if not row.finished:
        return {"running": "running", "partial": "partial"}.get(
            row.status, "not finished"
        ), "invalid"
    return decided(row.decision)


def decided(decision: str | None) -> tuple[str, str]:
    """(word, tone) of a decision."""
    if decision is not None and decision in Decision.__members__:
        return decision, words.TONES[Decision(decision)]
    return "no decision", "plain"


def run_line(site: Site, row: RunRow, tags: Mapping[str, str]) -> dict[str, object]:
    """A run as a row of a table."""
    word, tone = decision_words(row)
    return {
        "run_id": row.run_id,
        "when": when(row.run_id),
        "href": site.links.run(row.run_id),
        "word": word,
        "tone": tone,
        "kind": row.kind,
        "candidate": row.candidate,
        "passed": row.passed,
        "cases": row.n,
        "early": row.stopped_early,
        "branch": row.branch or "",
        "commit": row.short_commit,
        "dirty": row.dirty,
        "tags": [f"{name}={value}" for name, value in tags.items()],
    }


def run_lines(site: Site, rows: Sequence[RunRow]) -> list[dict[str, object]]:
    """Runs as rows of a table."""
    tags = site.history.store.tags([row.run_id for row in rows])
    return [run_line(site, row, tags.get(row.run_id, {})) for row in rows]
