"""The data tests of a run as sentences."""

from llmeval.core.data_record import DataCheckRecord
from llmeval.report.safe_text import count

_NAMES = {"error": "error", "warn": "warning", "info": "note"}


def data_sentence(record: DataCheckRecord) -> str:
    """One sentence: what was tested, and how many findings there are."""
    if record.failed is not None:
        return f"The data tests could not be carried out: {record.failed}"
    if not record.rules:
        return "No data test ran: `levels` in the file of accepted findings turns all off."
    counts = [count(record.count(level), name) for level, name in _NAMES.items()]
    accepted = sum(each.findings for each in record.accepted)
    part = "" if record.cases == record.of else f" (the first {record.cases:,} of {record.of:,})"
    return (
        f"Data tests of {count(record.cases, 'case')}{part}: {', '.join(counts)},"
        f" {accepted:,} accepted."
    )


def data_trouble(record: DataCheckRecord | None) -> str:
    """The sentence where people must read it: the tests failed, or errors are open; else empty."""
    if record is None:
        return ""
    if record.failed is not None or not record.rules:
        return data_sentence(record)
    if not record.count("error"):
        return ""
    return f"{data_sentence(record)} `llmeval data check` shows them."
