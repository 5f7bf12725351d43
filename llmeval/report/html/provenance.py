"""Where the numbers come from: what ran, with what, what differs from the baseline, and what to be
careful about.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from llmeval.compare.differences import differing, flat, plain
from llmeval.core.results import Summary
from llmeval.report.html import words
from llmeval.report.html.totals import Totals
from llmeval.report.safe_text import count
from llmeval.report.trust import audited, distrust

Pairs = list[tuple[str, str]]


def groups(manifest: Mapping[str, Any], summary: Summary) -> list[dict[str, Any]]:
    """Titled lists of (name, value)."""
    candidate = manifest.get("candidate") or {}
    software = manifest.get("llmeval") or {}
    cases = manifest.get("cases") or {}
    run: Pairs = [
        ("Run", str(manifest.get("run_id", ""))),
        ("Suite file", str(manifest.get("suite_file", ""))),
        ("Started", str(manifest.get("started", ""))),
        ("Ended", str(manifest.get("ended") or "not ended")),
        ("Wall time", words.duration(summary.wall_s)),
        ("Status", str(manifest.get("status", summary.status))),
        ("Command", " ".join(map(str, manifest.get("command") or ()))),
        ("Code", _code(manifest.get("git"))),
        ("Environment", str(manifest.get("environment") or "default")),
        (
            "Changed by the environment",
            ", ".join(manifest.get("environment_changes") or ()) or "nothing",
        ),
    ]
    tested: Pairs = [
        ("Candidate", str(candidate.get("name", ""))),
        *flat("identity", candidate.get("identity") or {}),
        *flat("params", candidate.get("params") or {}),
        (
            "Model as returned",
            ", ".join(candidate.get("returned_models") or ()) or "the endpoint did not say",
        ),
        (
            "Fingerprints",
            ", ".join(candidate.get("fingerprints") or ()) or "the endpoint did not say",
        ),
        ("Cases", f"{cases.get('n', 0):,} from {cases.get('source', '')}"),
        ("Sample", plain(cases.get("sample")) if cases.get("sample") else "all cases"),
        ("Repeats", str(manifest.get("repeats", 1))),
        ("Seed", str(manifest.get("seed"))),
    ]
    packages = software.get("packages") or {}
    tools: Pairs = [
        ("llmeval", str(software.get("version", ""))),
        ("Python", str(software.get("python", ""))),
        ("Platform", str(software.get("platform", ""))),
        ("Packages", ", ".join(f"{name} {version}" for name, version in packages.items())),
        (
            "Checks",
            ", ".join(
                f"{c.get('metric')} v{c.get('version', 1)}" for c in manifest.get("checks") or ()
            )
            or "none",
        ),
    ]
    return [
        {"title": "Run", "pairs": run, "code": False},
        {"title": "What was tested", "pairs": tested, "code": False},
        {"title": "Digests", "pairs": flat("", manifest.get("digests") or {}), "code": True},
        {"title": "Software", "pairs": tools, "code": False},
    ]


def differences(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs from the baseline's manifest. `matters`: it touches what is measured, not only
    what is tested.
    """
    rows = differing([before, now])
    return [
        {"key": r.key, "before": r.values[0], "now": r.values[1], "matters": r.matters}
        for r in rows
    ]


def warnings(
    manifest: Mapping[str, Any], summary: Summary, totals: Totals, differing: list[dict[str, Any]]
) -> Iterator[str]:
    """What to know before relying on this run, most important first."""
    if summary.status != "complete":
        expected = (manifest.get("cases") or {}).get("n", 0) * manifest.get("repeats", 1)
        yield f"The run is incomplete: {totals.rows:,} of {count(expected, 'answer')} recorded."
    judges: Mapping[str, Any] = manifest.get("judges") or {}
    for name, judge in judges.items():
        if told := distrust(name, judge):
            yield words.minus(told)
    yield from (words.minus(told) for told in audited(summary))
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
            f" {', '.join(changed[:4])}{more}. See Provenance."
        )
    for name, total in totals.metrics.items():
        if total.quotes_missing:
            yield (
                f"Quotes by the judge of {name} that are not in the answer:"
                f" {total.quotes_missing:,} of {total.quotes:,}."
            )
    if totals.truncated:
        yield f"Cut off at the token limit: {totals.truncated:,} of {count(totals.rows, 'answer')}."
    if (manifest.get("git") or {}).get("dirty"):
        yield "The code had changes that were not committed."


def _code(git: Mapping[str, Any] | None) -> str:
    if not git:
        return "not in a git repository"
    changes = ", with changes not committed" if git.get("dirty") else ""
    return f"{str(git.get('commit'))[:12]} on {git.get('branch')}{changes}"
