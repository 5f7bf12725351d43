"""`report.html` from a run directory: one pass over the rows, then the page around them.

Rows go to a temporary file as they are read; what is held in memory is the compressed index and at
most one chunk. The file appears under its name only when it is whole.
"""

import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

import msgspec

from llmeval.core.errors import StoreError
from llmeval.core.files import write_atomically, writing
from llmeval.core.manifest import Manifest
from llmeval.core.outcome import Outcome
from llmeval.core.results import Summary
from llmeval.gate.human_labels import people_of
from llmeval.report.html.chunks import ChunkWriter, IndexWriter, block
from llmeval.report.html.embed import Embedding
from llmeval.report.html.history import History, unsteady
from llmeval.report.html.index import COLUMNS, Indexer
from llmeval.report.html.labels import read_labels
from llmeval.report.html.page import DATA_MARK, render
from llmeval.report.html.picture import picture
from llmeval.report.html.reader import Reader, ReportRow
from llmeval.report.html.totals import Totals, Verdicts
from llmeval.report.html.trend import listed, past_runs
from llmeval.report.html.triage import Triage, TriageQueue, TriageRules, triage
from llmeval.store.directory import RunDir
from llmeval.store.labels import AnswerKey


@dataclass(frozen=True)
class RunSummary:
    """A run's own words about itself."""

    manifest: Manifest
    summary: Summary


Watcher = Callable[[ReportRow, Triage], None]


def write_html(
    run: RunDir,
    path: Path,
    *,
    baseline: RunDir | None = None,
    embed: Literal["default", "all"] = "default",
    served: bool = False,
    watch: Watcher | None = None,
    told: RunSummary | None = None,
) -> None:
    """Write the report of a run as one offline file.

    Args:
        run: any run that was begun; without a summary one is computed from its records.
        path: where the page goes; replaced at once when it is complete.
        baseline: the run to compare with, row by row.
        embed: `default` holds every row up to 20,000; beyond, all that did not pass or changed and
            a random sample of the others (the index always lists all). `all` holds every row.
        served: the page comes from the review server, takes its state from there and gives labels
            to it.
        watch: is told each row and where it stands, in the order recorded.
        told: the manifest and summary to show; the run's own by default.

    Raises:
        StoreError: `run` or `baseline` is not a run directory, or has a line that is not a record;
            the page can't be written.
    """
    here, there = told or _load(run), None if baseline is None else _load(baseline)
    with writing(path), ExitStack() as stack:
        path.parent.mkdir(parents=True, exist_ok=True)
        chunks: BinaryIO = stack.enter_context(tempfile.TemporaryFile(dir=path.parent))
        rows = stack.enter_context(Reader(run))
        before = None if baseline is None else stack.enter_context(Reader(baseline))
        past = past_runs(run, here.manifest, here.summary)
        history = History(run, past[:-1])
        gathered = _gather(run, here, rows, before, chunks, embed, history, watch)
        named = listed(past, path, served)
        gathered.meta.update({"served": served, "past": named[-1 - len(history.runs) : -1]})
        other = None if there is None else (there.manifest, there.summary)
        shell = render(
            here.manifest,
            here.summary,
            gathered.totals,
            gathered.embedding,
            other,
            past,
            named,
            served,
        )
        _write(path, shell, gathered, chunks)


@dataclass(frozen=True)
class PageData:
    """What one pass over the rows left."""

    totals: Totals
    index: IndexWriter
    indexer: Indexer
    embedding: Embedding
    meta: dict[str, Any]


def _load(run: RunDir) -> RunSummary:
    manifest = run.manifest()
    if run.has_summary():
        return RunSummary(manifest, run.summary())
    from llmeval.gate.summary import summarise

    return RunSummary(manifest, summarise(run))


def _gather(
    run: RunDir,
    here: RunSummary,
    rows: Reader,
    before: Reader | None,
    chunks: BinaryIO,
    embed: str,
    history: History,
    watch: Watcher | None,
) -> PageData:
    people = read_labels(run)
    rules = TriageRules.of(here.manifest, people, _decided(run))
    totals, writer, index = (
        Totals(partial(picture, compared=before is not None)),
        ChunkWriter(chunks),
        IndexWriter(*COLUMNS),
    )
    count = rows.count()
    embedding = Embedding(count, here.summary.counts.passed * max(here.manifest.repeats, 1), embed)
    indexer = Indexer(before is not None)
    flipped = flips(rows) if here.manifest.repeats > 1 else frozenset()
    for row in rows.rows(before):
        place = triage(row, rules, row.case.id in flipped)
        if here.summary.counts.not_needed and place.state is Outcome.NOT_SCORED:
            continue  # its scoring was cut off when every rule was decided
        totals.add(row, place)
        totals.note(_verdicts(row, people))
        earlier = history.of(row.case)
        chunk = writer.add(row, earlier) if embedding.takes(row, place) else -1
        index.add(*indexer.entry(row, place, chunk, unsteady(earlier, row)))
        if watch is not None:
            watch(row, place)
    writer.flush()
    meta = {
        "run": here.manifest.run_id,
        "suite": here.manifest.suite,
        "metrics": indexer.metrics,
        "tags": indexer.tags,
        "combos": indexer.combos,
        "flags": indexer.flags,
        "baseline": before is not None,
        "rows": index.count,
        "embedded": embedding.taken,
        "probability": embedding.probability,
        "gated": sorted(rules.gated),
        "judges": {n: j.trust for n, j in here.manifest.judges.items()},
        "candidate": here.manifest.candidate.name,
        "queues": {queue.name: totals.queues[queue] for queue in TriageQueue},
    }
    return PageData(totals, index, indexer, embedding, meta)


def _decided(run: RunDir) -> Mapping[AnswerKey, bool]:
    """What people agree on; nothing where a line is no label, which is no reason not to show the
    run.
    """
    try:
        return people_of(run.path)[0]
    except StoreError:
        return {}


def _verdicts(row: ReportRow, people: Mapping[tuple[str, int, str], bool]) -> list[Verdicts]:
    found = []
    for score in row.now.scores:
        person = people.get((score.case_id, score.repeat, score.metric))
        if score.source == "judge" and score.passed is not None and person is not None:
            found.append(Verdicts(score.metric, score.passed, person, score.confidence))
    return found


def flips(rows: Reader) -> frozenset[str]:
    """Cases where a judge gave two verdicts on byte-equal answers."""
    seen: dict[int, bool] = {}
    found = set()
    for row in rows.rows():
        for score in row.now.scores:
            if score.source == "judge" and score.passed is not None:
                key = hash((row.case.id, score.metric, row.now.answer.output))
                if seen.setdefault(key, score.passed) != score.passed:
                    found.add(row.case.id)
    return frozenset(found)


def _write(path: Path, shell: str, gathered: PageData, chunks: BinaryIO) -> None:
    head, tail = shell.split(DATA_MARK)
    chunks.seek(0)
    write_atomically(
        path,
        head.encode(),
        block("meta", msgspec.json.encode(gathered.meta)),
        gathered.index.blocks(),
        iter(lambda: chunks.read(1 << 20), b""),
        tail.encode(),
    )
