"""Where the numbers come from: what ran, with what, what differs from the baseline, and what to be
careful about.
"""

import re
from collections.abc import Iterator
from typing import Any

from msgspec import to_builtins

from llmeval.compare.differences import differing, flat, plain
from llmeval.core.manifest import GitRecord, Manifest
from llmeval.core.results import Summary
from llmeval.report.data_words import data_trouble
from llmeval.report.html import words
from llmeval.report.html.totals import Totals
from llmeval.report.safe_text import count
from llmeval.report.trust import audited, distrust

Pairs = list[tuple[str, str]]
_DIGEST = re.compile(r"(?:sha256:)?[0-9a-f]{64}")


def groups(manifest: Manifest, summary: Summary) -> list[dict[str, object]]:
    """Titled lists of (name, value)."""
    candidate = manifest.candidate
    software = manifest.llmeval
    cases = manifest.cases
    identity = flat("identity", candidate.identity)
    digests: Pairs = [
        *flat("", to_builtins(manifest.digests)),
        *(pair for pair in identity if _DIGEST.fullmatch(pair[1])),
    ]
    run: Pairs = [
        ("Run", str(manifest.run_id)),
        ("Suite file", str(manifest.suite_file)),
        ("Started", str(manifest.started)),
        ("Ended", str(manifest.ended or "not ended")),
        ("Wall time", words.duration(summary.wall_s)),
        ("Status", str(manifest.status)),
        ("Command", " ".join(map(str, manifest.command))),
        ("Code", _code(manifest.git)),
        ("Environment", str(manifest.environment or "default")),
        (
            "Changed by the environment",
            ", ".join(manifest.environment_changes) or "nothing",
        ),
    ]
    tested: Pairs = [
        ("Candidate", candidate.name),
        *(pair for pair in identity if not _DIGEST.fullmatch(pair[1])),
        *flat("params", candidate.params),
        (
            "Model as returned",
            ", ".join(candidate.returned_models) or "the endpoint did not say",
        ),
        (
            "Fingerprints",
            ", ".join(candidate.fingerprints) or "the endpoint did not say",
        ),
        ("Cases", f"{cases.n:,} from {cases.source}"),
        ("Sample", "all cases" if cases.sample is None else plain(to_builtins(cases.sample))),
        ("Repeats", str(manifest.repeats)),
        ("Seed", str(manifest.seed)),
    ]
    tools: Pairs = [
        ("llmeval", software.version),
        ("Python", software.python),
        ("Platform", software.platform),
        ("Packages", ", ".join(f"{name} {version}" for name, version in software.packages.items())),
        (
            "Checks",
            ", ".join(f"{c.get('metric')} v{c.get('version', 1)}" for c in manifest.checks)
            or "none",
        ),
    ]
    return [
        {"title": "Run", "pairs": run, "code": False},
        {"title": "What was tested", "pairs": tested, "code": False},
        {"title": "Digests", "pairs": digests, "code": True},
        {"title": "Software", "pairs": tools, "code": False},
    ]


def differences(now: Manifest, before: Manifest) -> list[dict[str, object]]:
    """What differs from the baseline's manifest. `matters`: it touches what is measured, not only
    what is tested.
    """
    rows = differing([before, now])
    return [
        {"key": r.key, "before": r.values[0], "now": r.values[1], "matters": r.matters}
        for r in rows
    ]


def warnings(
    manifest: Manifest, summary: Summary, totals: Totals, differing: list[dict[str, Any]]
) -> Iterator[str]:
    """What to know before relying on this run, most important first."""
    if summary.status != "complete":
        expected = manifest.cases.n * manifest.repeats
        yield f"The run is incomplete: {totals.rows:,} of {count(expected, 'answer')} recorded."
    if trouble := data_trouble(manifest.data):
        yield trouble
    for name, judge in manifest.judges.items():
        if sentence := distrust(name, judge):
            yield words.minus(sentence)
    yield from (words.minus(sentence) for sentence in audited(summary))
    lost = summary.counts.errors + summary.counts.unscored
    if lost:
        yield (
            f"Without a full result: {lost:,} of {count(summary.counts.cases, 'case')} "
            f"({summary.counts.errors:,} with errors, {summary.counts.unscored:,} unscored). "
            "A missing result never counts as a pass or a failure."
        )
    changed = [row["key"].removeprefix("digests.") for row in differing if row["matters"]]
    if changed:
        more = f" and {len(changed) - 4} more" if len(changed) > 4 else ""
        yield (
            "Not measured in the same way as the baseline; what differs:"
            f" {', '.join(changed[:4])}{more}. See What was run."
        )
    for name, total in totals.metrics.items():
        if total.quotes_missing:
            yield (
                f"Quotes by the judge of {name} that are not in the answer:"
                f" {total.quotes_missing:,} of {total.quotes:,}."
            )
    if totals.truncated:
        yield f"Cut off at the token limit: {totals.truncated:,} of {count(totals.rows, 'answer')}."
    if manifest.git is not None and manifest.git.dirty:
        yield "The code had changes that were not committed."


def _code(git: GitRecord | None) -> str:
    if git is None:
        return "not in a git repository"
    changes = ", with changes not committed" if git.dirty else ""
    return f"{str(git.commit)[:12]} on {git.branch}{changes}"
