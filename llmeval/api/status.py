"""`llmeval status`: how old are the model, the data, the judges, the baseline and the labels?

The times come from records, never from times of files: a checkout sets those to now.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from llmeval.core.errors import LlmevalError
from llmeval.core.manifest import Manifest
from llmeval.core.results import Summary
from llmeval.history.runs import recorded
from llmeval.monitor.staleness import PartAge
from llmeval.store.directory import LABELS
from llmeval.suite.loader import Suite
from llmeval.suite.monitor_schema import MaxAges


def status_of(suite: Suite, reports: Path = Path("reports")) -> list[PartAge]:
    """The parts of a suite, each with its age.

    Judges and labels are left out of a suite without a judge, the baseline of one that compares
    nothing.

    Args:
        suite: the suite.
        reports: the folder of its runs.
    """
    ages = MaxAges() if suite.spec.monitor is None else suite.spec.monitor.max_age
    runs = list(complete_runs_of(suite, reports))
    manifests = [manifest for _, manifest, _ in runs]
    parts = [
        PartAge("model", _since(manifests, "candidate"), ages.model, "its first run"),
        PartAge("data", _since(manifests, "cases"), ages.data, "the first run with these cases"),
        *_judges(suite, ages.judge),
    ]
    regression = suite.spec.gate.regression
    if regression is not None:
        since = _approved(suite.base / regression.baseline) if regression.baseline else None
        parts.append(PartAge("baseline", since, ages.baseline, "its approval"))
    if suite.spec.judges:
        newest = max((each for path, _, _ in runs for each in _labelled(path)), default=None)
        parts.append(PartAge("labels", newest, ages.labels, "the newest label"))
    return parts


def complete_runs_of(suite: Suite, reports: Path) -> Iterator[tuple[Path, Manifest, Summary]]:
    """The complete runs of the whole suite, the newest first."""
    for path, manifest, summary in recorded(reports):
        if manifest.suite != suite.name or manifest.is_part:
            continue
        if summary is not None and summary.status == "complete":
            yield path, manifest, summary


def _since(manifests: list[Manifest], what: str) -> datetime | None:
    """When the newest run's candidate or cases first ran, without a change since."""
    first: Manifest | None = None
    for manifest in manifests:
        if first is not None and _digest(manifest, what) != _digest(first, what):
            break
        first = manifest
    return None if first is None else moment(first.started)


def _digest(manifest: Manifest, what: str) -> str:
    return manifest.digests.candidate if what == "candidate" else manifest.digests.cases


def _judges(suite: Suite, most: int) -> Iterator[PartAge]:
    from llmeval.judges.assurance.certificate import read_certificate

    for name, judge in suite.spec.judges.items():
        since = None
        try:
            if judge.certificate is not None:
                certificate = read_certificate(suite.base / judge.certificate)
                since = moment(certificate.made) if certificate.trusted else None
        except LlmevalError:
            since = None
        yield PartAge(f"judge {name}", since, most, "its certificate")


def _approved(path: Path) -> datetime | None:
    from llmeval.gate.baseline import read_any

    try:
        lock = read_any(path)
    except LlmevalError:
        return None
    return None if lock.approved is None else moment(lock.approved.at)


def _labelled(path: Path) -> Iterator[datetime]:
    from llmeval.store.labels import read

    for label in read(path / LABELS):
        time = moment(label.at)
        if time is not None:
            yield time


def moment(text: str) -> datetime | None:
    """A recorded time, UTC; None where it can't be read."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
