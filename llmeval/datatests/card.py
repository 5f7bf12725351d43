"""Data set cards: what the cases of a suite are, as Markdown and as JSON.

The Markdown has the front matter of Hugging Face dataset cards
(https://github.com/huggingface/hub-docs/blob/main/datasetcard.md). The card has no date, so the
same data give the same bytes.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from llmeval import __version__
from llmeval.checks.builtin.text.language import UNDETERMINED, identify
from llmeval.core.metric_ref import cluster_key
from llmeval.datatests.accepted import read_accepted
from llmeval.datatests.check import CheckOptions, DataReport, check_data
from llmeval.datatests.findings import SuiteCase
from llmeval.datatests.suite_cases import read_cases
from llmeval.report.inert_markdown import prose
from llmeval.suite.loader import Suite

_LANGUAGE_SAMPLE = 300
_LANGUAGE_SHARE = 0.05
"""The share of the sampled cases from which a language is listed."""
_SHORTEST_TEXT = 20
"""Characters that a text needs before its language is identified."""
_MOST_SLICES = 50
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
_LICENCES = frozenset(
    "apache-2.0 mit cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0"
    " cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0"
    " cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 odc-by odbl pddl cdla-sharing-1.0"
    " cdla-permissive-1.0 cdla-permissive-2.0 bsd bsd-2-clause bsd-3-clause gpl gpl-2.0 gpl-3.0"
    " lgpl-3.0 agpl-3.0 mpl-2.0 isc unlicense wtfpl gfdl artistic-2.0 eupl-1.1 openrail".split()
)
"""The identifiers of licences that the front matter may have, as far as data sets use them."""


@dataclass
class CardFacts:
    """Counts over the cases of a suite."""

    cases: int = 0
    with_references: int = 0
    with_context: int = 0
    clusters: set[str] = field(default_factory=set)
    fields: Counter[str] = field(default_factory=Counter)
    slices: Counter[tuple[str, str]] = field(default_factory=Counter)
    texts: list[str] = field(default_factory=list)
    """The first questions, for their language."""

    def add(self, item: SuiteCase) -> None:
        """Count one case."""
        case = item.case
        self.cases += 1
        self.with_references += bool(case.references or case.facts)
        self.with_context += case.context is not None
        self.clusters.add(cluster_key(case.id, case.cluster))
        self.fields.update(case.fields)
        self.slices.update(case.tags.items())
        if len(self.texts) < _LANGUAGE_SAMPLE and len(item.question) >= _SHORTEST_TEXT:
            self.texts.append(item.question)

    def languages(self) -> tuple[str, ...]:
        """Codes of the languages that the questions are written in, the most common first."""
        codes: Counter[str] = Counter()
        for text in self.texts:
            guess = identify(text)
            if guess is not None and guess.language != UNDETERMINED:
                codes[guess.language] += 1
        least = _LANGUAGE_SHARE * len(self.texts)
        return tuple(code for code, n in codes.most_common() if n >= max(2, least))


@dataclass(frozen=True)
class DataCard:
    """The card of one suite."""

    report: DataReport
    facts: CardFacts
    languages: tuple[str, ...]
    source: str
    licence: str

    @property
    def _suite(self) -> Suite:
        return self.report.suite

    def document(self) -> dict[str, object]:
        """The card as JSON."""
        facts = self.facts
        return {
            "suite": self._suite.name,
            "description": self._suite.spec.description,
            "source": self.source,
            "licence": self.licence,
            "languages": list(self.languages),
            "cases": facts.cases,
            "clusters": len(facts.clusters),
            "with_references": facts.with_references,
            "with_context": facts.with_context,
            "fields": dict(sorted(facts.fields.items())),
            "slices": [
                {"tag": tag, "value": value, "cases": n}
                for (tag, value), n in sorted(facts.slices.items())
            ],
            "cases_digest": self.report.cases_digest,
            "findings": self.report.counts,
            "accepted": len(self.report.accepted),
            "rules": list(self.report.rules),
            "findings_digest": self.report.digest,
            "llmeval": __version__,
        }

    def front_matter(self, folder: Path) -> dict[str, object]:
        """The keys that Hugging Face reads. `folder`: of the card, for the path of the data."""
        licence = self.licence.strip().lower().replace(" ", "-")
        values: dict[str, object] = {"pretty_name": self._suite.name}
        if self.languages:
            values["language"] = list(self.languages)
        if not licence:
            values["license"] = "unknown"
        elif licence in _LICENCES:
            values["license"] = licence
        else:
            values |= {"license": "other", "license_name": self.licence}
        values["size_categories"] = [_size(self.facts.cases)]
        values["tags"] = ["evaluation", "llmeval"]
        file = self._data_file()
        if file is not None:
            path = Path(os.path.relpath(file, folder)).as_posix()
            if not path.startswith("../"):
                files = [{"split": "test", "path": path}]
                values["configs"] = [{"config_name": "default", "data_files": files}]
        return values

    def _data_file(self) -> Path | None:
        source = self._suite.spec.cases.source
        if not isinstance(source, str) or source.startswith("hf://"):
            return None
        return (self._suite.base / source).resolve()

    def markdown(self, folder: Path) -> str:
        """The card as Markdown, with its front matter."""
        head = yaml.safe_dump(self.front_matter(folder), allow_unicode=True, sort_keys=False)
        return f"---\n{head}---\n\n" + "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        facts = self.facts
        yield f"# {prose(self._suite.name, 200)}\n"
        yield f"{prose(self._suite.spec.description, 2000) or 'No description.'}\n"
        yield "| | |\n|---|---|"
        rows: dict[str, object] = {
            "source": self.source or "not stated",
            "licence": self.licence or "not stated",
            "languages": ", ".join(self.languages) or "not identified",
            "cases": f"{facts.cases:,}",
            "independent clusters": f"{len(facts.clusters):,}",
            "with references": f"{facts.with_references:,}",
            "with context": f"{facts.with_context:,}",
            "fields": ", ".join(sorted(facts.fields)),
            "digest of the cases": self.report.cases_digest,
        }
        for name, value in rows.items():
            yield f"| {name} | {prose(str(value), 600)} |"
        yield from self._slices()
        yield from self._findings()
        yield f"\nWritten by `llmeval data card`, version {__version__}."

    def _slices(self) -> Iterator[str]:
        slices = sorted(self.facts.slices.items())
        if not slices:
            return
        yield "\n## Slices\n\n| tag | value | cases |\n|---|---|---|"
        for (tag, value), n in slices[:_MOST_SLICES]:
            yield f"| {prose(tag, 100)} | {prose(value, 100)} | {n:,} |"
        if len(slices) > _MOST_SLICES:
            yield f"\nand {len(slices) - _MOST_SLICES:,} more slices."

    def _findings(self) -> Iterator[str]:
        report = self.report
        counts = Counter((each.rule, each.level) for each in report.findings)
        yield "\n## Data tests\n"
        yield (
            f"`llmeval data check` ran {len(report.rules)} rules:"
            f" {report.counts['error']:,} errors,"
            f" {report.counts['warn']:,} warnings, {report.counts['info']:,} notes,"
            f" {len(report.accepted):,} accepted. Digest of the findings: `{report.digest}`."
        )
        if counts:
            yield "\n| rule | level | findings |\n|---|---|---|"
        for (rule, level), n in counts.items():
            yield f"| {rule} | {level} | {n:,} |"
        entries = {id(each.entry): each.entry for each in report.accepted}
        if entries:
            yield "\n| accepted | reason | by | until |\n|---|---|---|---|"
        for entry in entries.values():
            until = entry.until or "no end"
            reason, by = prose(entry.reason, 400), prose(entry.by, 100)
            yield f"| {entry.rule} | {reason} | {by} | {until} |"


def data_card(suite: Suite) -> DataCard:
    """The card of a suite. Stored runs are not read, so the card depends on the data alone.

    Raises:
        SuiteError, NothingEvaluated, RuleBroken: as `check_data`.
    """
    about = read_accepted(suite)
    facts = CardFacts()
    read_cases(suite, facts.add)
    return DataCard(
        report=check_data(suite, CheckOptions()),
        facts=facts,
        languages=about.languages or facts.languages(),
        source=about.source,
        licence=about.licence,
    )


def _size(n: int) -> str:
    return next(
        (name for most, name in _SIZES if n < most), "n>1T" if n >= 10**12 else "10M<n<100M"
    )
