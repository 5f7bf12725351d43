"""`report.html` from one pass over a run's rows: each is taken as it is read, the page is written
around them.

Rows go to a temporary file as they are read; what is held in memory is the compressed index and at
most one chunk. The file appears under its name only when it is whole.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, NamedTuple

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.files import write_atomically, writing
from llmeval.core.manifest import Manifest
from llmeval.core.outcome import Outcome
from llmeval.core.records import to_json
from llmeval.core.results import Summary
from llmeval.gate.human_labels import DecidedUnit, decide_unit, people_of
from llmeval.gate.run_pass import aggregate_run, read_run
from llmeval.gate.summary import summary_of
from llmeval.report.html.chunks import ChunkWriter, IndexWriter, block
from llmeval.report.html.embed import Embedding
from llmeval.report.html.history import History, unsteady
from llmeval.report.html.index import COLUMNS, Indexer
from llmeval.report.html.labels import read_labels
from llmeval.report.html.page import DATA_MARK, render
from llmeval.report.html.part_pages import PAGED_FROM, PageLinks, PartPages
from llmeval.report.html.picture import picture
from llmeval.report.html.reviewer_table import reviewers_section
from llmeval.report.html.row import ReportRow, row_of
from llmeval.report.html.totals import Totals, Verdicts
from llmeval.report.html.trend import PastRun, earlier_runs, listed
from llmeval.report.html.triage import Triage, TriageQueue, TriageRules, triage
from llmeval.store.case_comments import comments_near, shown
from llmeval.store.directory import ANSWERS, CaseOutline, RunDir, UnitKey
from llmeval.store.labels import AnswerKey
from llmeval.store.units import StoredUnit

Embed = Literal["default", "all"]
Watcher = Callable[[ReportRow, Triage], None]


def write_html(
    run: RunDir,
    path: Path,
    *,
    baseline: RunDir | None = None,
    embed: Embed = "default",
    served: bool = False,
    watch: Watcher | None = None,
) -> None:
    """Write the report of a run as one offline file.

    Args:
        run: any run that was begun; without a summary one is computed from its records.
        path: where the page goes; replaced at once when it is complete.
        baseline, embed, served, watch: as for `PageWriter`.

    Raises:
        StoreError: `run` or `baseline` is not a run directory, or has a line that is not a record;
            the page can't be written.
    """
    manifest = run.manifest()
    with PageWriter(
        run, manifest, path, baseline=baseline, embed=embed, served=served, watch=watch
    ) as page:
        if run.has_summary():
            summary = run.summary()
            read_run(run, _decided(run), [page.add_case], [page.take])
        else:
            summary = summary_of(
                aggregate_run(run, manifest, [page.add_case], [page.take]), manifest
            )
        page.write(summary)


class PageWriter:
    """Takes the cases of a run, then its answers, then its summary. A context manager: it holds a
    temporary file and the baseline's records.

    Args:
        run: where the records are.
        manifest: the run's, maybe with another gate than it was made by.
        path: where the page goes; replaced at once when it is complete.
        baseline: the run to compare with, row by row.
        embed: `default` holds every row up to 20,000; beyond, all that did not pass or changed and
            a random sample of the others (the index lists all). Of more than 100,000 rows the page
            lists those that it holds, and all are on further pages (`part_pages`). `all` holds
            every row in one page.
        served: the page comes from the review server, takes its state from there and gives labels
            to it.
        watch: takes each row and where it stands, in the order of the page.
    """

    def __init__(
        self,
        run: RunDir,
        manifest: Manifest,
        path: Path,
        *,
        baseline: RunDir | None = None,
        embed: Embed = "default",
        served: bool = False,
        watch: Watcher | None = None,
    ) -> None:
        self._run, self._manifest, self._path = run, manifest, path
        self._served, self._watch = served, watch
        self._baseline = None if baseline is None else load_summary(baseline)
        self._past = earlier_runs(run, manifest)
        self._history = History(self._past)
        # a review server decides which comments a reviewer may see before the vote
        self._comments = [] if served else comments_near(run.path, manifest.suite)
        self._commented = {comment.case_id for comment in self._comments}
        self._digests: dict[str, str] = {}
        self._people = read_labels(run)
        self._rules = TriageRules.of(manifest, self._people)
        rows = len(run.index(ANSWERS))
        paged = rows > PAGED_FROM and embed == "default" and not served
        self._embedding = Embedding(rows, embed, paged=paged)
        compared = baseline is not None
        self._totals = Totals(partial(picture, compared=compared))
        self._index, self._indexer = IndexWriter(*COLUMNS), Indexer(compared)
        self._stack = ExitStack()
        self._before = None if baseline is None else self._stack.enter_context(baseline.open())
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._chunks: BinaryIO = self._stack.enter_context(
                tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 (the stack closes it)
            )
            self._parts = PartPages(path)
        self._stack.callback(self._parts.close)
        self._listed: Counter[TriageQueue] = Counter()
        self._writer = ChunkWriter(self._chunks)
        self._repeats: list[ReportRow] = []
        self._stopped = manifest.status == "complete" and manifest.may_stop
        self._cut_off: list[UnitKey] = []

    def __enter__(self) -> "PageWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add_case(self, case: CaseOutline) -> None:
        """Take a case of the run, before its answers."""
        self._history.add_case(case)
        if case.id in self._commented:
            self._digests[case.id] = case.digest

    def take(self, decided: DecidedUnit[StoredUnit]) -> None:
        """Take an answer. Repeats of a case that come one after the other are compared."""
        row = row_of(decided, self._before)
        if self._repeats and self._repeats[0].case.id != row.case.id:
            self._add_repeats()
        self._repeats.append(row)

    def write(self, summary: Summary, notes: Sequence[str] = ()) -> None:
        """Write the page, after the last answer. `notes`: about the seal of the run."""
        with writing(self._path):
            self._add_repeats()
            self._add_cut_off(summary)
            self._writer.flush()
            past = [*self._past, PastRun.of(self._run, self._manifest, summary)]
            self._parts.remove_old()
            ranges = self._parts.ranges()
            for number, part in enumerate(ranges):
                self._write(
                    self._parts.folder / part.file,
                    PageText(summary, past, notes, PageLinks(ranges, self._path, number)),
                    ListedRows(part.rows, part.rows, 1.0, self._parts.queues(number)),
                    self._parts.blocks(number),
                )
            self._chunks.seek(0)
            self._write(
                self._path,
                PageText(summary, past, notes, PageLinks(ranges, self._path)),
                ListedRows(
                    self._index.count,
                    self._embedding.taken,
                    self._embedding.probability,
                    self._listed,
                ),
                chain(self._index.blocks(), iter(lambda: self._chunks.read(1 << 20), b"")),
            )

    def _add_repeats(self) -> None:
        rows, self._repeats = self._repeats, []
        flipped = len(rows) > 1 and flips(rows)
        for row in rows:
            if self._stopped and row.outcome is Outcome.NOT_SCORED:
                self._cut_off.append((row.case.id, row.now.answer.repeat))
            else:
                self._add(row, flipped)

    def _add_cut_off(self, summary: Summary) -> None:
        """Answers without their judge's verdict in a run that stopped early: they were not needed,
        unless the rules that the run is decided by now need them.
        """
        if summary.counts.not_needed or not self._cut_off:
            return
        with self._run.open() as units:
            people = _decided(self._run)
            for unit in filter(None, map(units.unit, self._cut_off)):
                self._add(row_of(decide_unit(unit, people), self._before), False)

    def _add(self, row: ReportRow, flipped: bool) -> None:
        place = triage(row, self._rules, flipped)
        self._totals.add(row, place)
        self._totals.note(_verdicts(row, self._people))
        earlier = self._history.of(row.case)
        taken, swings = self._embedding.takes(row, place), unsteady(earlier, row)

        def entry(chunk: int) -> tuple[object, ...]:
            return self._indexer.entry(row, place, chunk, swings)

        if taken or not self._embedding.paged:
            self._listed[place.queue] += 1
            self._index.add(*entry(self._writer.add(row, earlier) if taken else -1))
        if self._embedding.paged:
            self._parts.add(place.queue, lambda writer: writer.add(row, earlier), entry)
        if self._watch is not None:
            self._watch(row, place)

    def _meta(self) -> dict[str, object]:
        """What the page's script needs besides the rows."""
        manifest, indexer = self._manifest, self._indexer
        return {
            "run": manifest.run_id,
            "suite": manifest.suite,
            "metrics": indexer.metrics,
            "tags": indexer.tags,
            "combos": indexer.combos,
            "flags": indexer.flags,
            "baseline": self._before is not None,
            "gated": sorted(self._rules.gated),
            "judges": {name: judge.trust for name, judge in manifest.judges.items()},
            "candidate": manifest.candidate.name,
            "served": self._served,
            "comments": self._shown_comments(),
        }

    def _shown_comments(self) -> list[dict[str, object]]:
        """The comments on the cases of the run."""
        return [
            {
                "case_id": each.comment.case_id,
                "text": each.comment.text,
                "author": each.comment.author,
                "at": each.comment.at,
                "void": each.void,
            }
            for each in shown(self._comments, self._digests)
        ]

    def _write(
        self,
        path: Path,
        text: "PageText",
        rows: "ListedRows",
        blocks: Iterable[bytes],
    ) -> None:
        """Write one page. `blocks`: the data of its rows."""
        named = listed(text.past, path, self._served)
        shell = render(
            self._manifest,
            text.summary,
            self._totals,
            self._embedding,
            self._baseline,
            text.past,
            named,
            self._served,
            text.notes,
            # in a review nobody sees votes before their own
            None if self._served else reviewers_section(self._run),
            text.links,
        )
        past = named[-1 - len(self._history.runs) : -1]
        meta = {**self._meta(), **rows.counts(), "past": past}
        head, tail = shell.split(DATA_MARK)
        path.parent.mkdir(exist_ok=True)
        write_atomically(
            path, head.encode(), block("meta", msgspec.json.encode(meta)), blocks, tail.encode()
        )


class ListedRows(NamedTuple):
    """The rows that a page lists."""

    rows: int
    embedded: int
    """Those whose texts it holds."""
    probability: float
    """With which a row that only passes is embedded."""
    queues: Mapping[TriageQueue, int]
    """Rows by queue."""

    def counts(self) -> dict[str, object]:
        """What the page's script needs of them."""
        queues = {queue.name: self.queues.get(queue, 0) for queue in TriageQueue}
        return {**self._asdict(), "queues": queues}


class PageText(NamedTuple):
    """What a page says besides its rows."""

    summary: Summary
    past: list[PastRun]
    notes: Sequence[str]
    links: PageLinks


def load_summary(run: RunDir) -> tuple[Manifest, Summary]:
    """A run's manifest and summary; the summary is computed where the run never came to its end."""
    manifest = run.manifest()
    if run.has_summary():
        return manifest, run.summary()
    return manifest, summary_of(aggregate_run(run, manifest), manifest)


def _decided(run: RunDir) -> Mapping[AnswerKey, bool]:
    """What people agree on; nothing where a line is no label, which is no reason not to show the
    run.
    """
    try:
        return people_of(run.path)[0]
    except StoreError:
        return {}


def _verdicts(row: ReportRow, people: Mapping[AnswerKey, bool]) -> list[Verdicts]:
    """The judges' verdicts that a person gave one beside."""
    verdicts = []
    for score in row.now.scores if people else ():
        person = people.get(AnswerKey(score.case_id, score.repeat, score.metric))
        if score.source == "judge" and score.passed is not None and person is not None:
            verdicts.append(Verdicts(score.metric, score.passed, person, score.confidence))
    return verdicts


def flips(rows: list[ReportRow]) -> bool:
    """Whether a judge gave two verdicts on byte-equal answers, among the repeats of one case."""
    seen: dict[tuple[str, str | None, bytes], bool] = {}
    return any(
        seen.setdefault(
            (score.metric, row.now.answer.output, to_json(row.now.answer.data)), score.passed
        )
        != score.passed
        for row in rows
        for score in row.now.scores
        if score.source == "judge" and score.passed is not None
    )
