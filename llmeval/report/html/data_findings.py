"""The section of the page on the data tests at the time of the run."""

from llmeval.core.manifest import Manifest
from llmeval.report.data_words import data_sentence
from llmeval.report.safe_text import count

_LEVELS = {"error": "error", "warn": "warning", "info": "note"}


def data_section(manifest: Manifest) -> dict[str, object] | None:
    """The values of the template; None for a run without data tests."""
    record = manifest.data
    if record is None:
        return None
    return {
        "sentence": data_sentence(record),
        "digest": record.digest,
        "rules": len(record.rules),
        "open": [
            (each.rule, _LEVELS[each.level], count(each.findings, "finding"), each.first)
            for each in record.open
        ],
        "accepted": [
            (each.rule, count(each.findings, "finding"), each.reason, each.by, each.until or "")
            for each in record.accepted
        ],
    }
