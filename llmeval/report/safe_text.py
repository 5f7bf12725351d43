"""Untrusted text made safe to show: in a terminal, a CI log, XML or Markdown."""

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmeval.core.manifest import Manifest
    from llmeval.core.results import CaseCounts, Quarantined, Retired, Reused, Summary

_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-"
    "\ufffb\ufffe\uffff]"
)
_LONE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_ORDERS = re.compile(r"##(?=\[|vso\[)")
_FENCES = re.compile(r"`{3,}|~{3,}")


def visible(text: str) -> str:
    """The text with what can't be seen written out (`\\u202e`), so that it can neither hide nor
    act: control characters, ANSI escapes, text direction marks, zero-width characters. Line feeds
    and tabs stay."""
    text = _LONE.sub("\ufffd", text.replace("\r\n", "\n"))
    return _UNSEEN.sub(
        lambda match: f"\\u{ord(match[0]):04x}" if match[0] not in "\n\t" else match[0], text
    )


def one_line(text: str, width: int) -> str:
    """The text on one line, at most `width` characters, with `…` where it was cut. What CI servers
    take for an order wherever it stands in a line (`##[...]`, `##vso[...]`) is broken up.
    """
    line = _ORDERS.sub("# #", _SPACE.sub(" ", visible(text))).strip()
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def count(n: int, noun: str) -> str:
    """1 case, 2 cases, 1,000 cases: for nouns that take an s."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def fenced(text: str, limit: int = 1000) -> str:
    """A Markdown code block whose fence is longer than any in the text: nothing in it is a link,
    image or mention.
    """
    text = visible(text)
    if len(text) > limit:
        text = text[:limit].rstrip() + "\n…"
    longest = max((len(match) for match in _FENCES.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def verdict_word(summary: "Summary", manifest: "Manifest") -> str:
    """The word at the top of everything that shows a run: its decision, or that it did not come to
    its end.
    """
    if summary.status == "incomplete" and manifest.status != "complete":
        return "INCOMPLETE" if manifest.ending in ("budget", "outage", "quota") else "INTERRUPTED"
    return str(summary.gate.decision or "NO DECISION")


def outcomes(counts: "CaseCounts") -> str:
    """Cases by outcome: 64 cases: 20 passed, 16 failed, 0 unscored, 0 errors, 28 not scored yet."""
    waiting = f", {counts.not_scored:,} not scored yet" if counts.not_scored else ""
    return (
        f"{count(counts.cases, 'case')}: {counts.passed:,} passed, {counts.failed:,} failed, "
        f"{counts.unscored:,} unscored, {count(counts.errors, 'error')}{waiting}"
    )


def sessions(manifest: "Manifest") -> str:
    """When the answers were given, of a run that went on after a stop: 120 answers of 2026-11-30
    14:02, 180 of ... (UTC); empty for a run of one session."""
    found = [session for session in manifest.sessions if session.answers]
    if len(found) < 2:
        return ""
    parts = [f"{each.answers:,} of {each.started[:16].replace('T', ' ')}" for each in found]
    return f"answers of {len(found)} sessions: {', '.join(parts)} (UTC)"


def quarantined(entry: "Quarantined") -> str:
    """Why a case is in quarantine, by whom, until when, and how it does now."""
    now = {True: "it passes now", False: "it does not pass", None: "not asked"}[entry.passed]
    if not entry.expires:  # past its own `expires`, and not in the quarantine file
        return f"{entry.reason} ({now})"
    return (
        f"in quarantine until {entry.expires}, owner {entry.owner}: {entry.reason.rstrip('.')}"
        f" ({now})"
    )


def quarantine_ended(entry: "Quarantined") -> str:
    """That a case counts again, and who has to do something about it."""
    return (
        f"The quarantine of {entry.case_id} ended on {entry.expires}: it counts again."
        f" {entry.owner} fixes it, or removes or renews the entry."
    )


def retired(entry: "Retired") -> str:
    """Why a case of the baseline is not compared, by whom, and since when."""
    since = f" on {entry.date}" if entry.date else ""
    now = "asked otherwise now" if entry.changed else "not asked any more"
    return f"retired{since} by {entry.owner}: {entry.reason.rstrip('.')} ({now})"


def reused(summary: "Summary") -> str:
    """What a run took from earlier runs instead of asking; empty where it asked everything."""
    parts = _reused(summary.reuse.answers, "answer"), _reused(summary.reuse.verdicts, "verdict")
    return " ".join(filter(None, parts))


def _reused(found: "Reused", noun: str) -> str:
    oldest = f", the oldest of {found.oldest[:10]}" if found.oldest else ""
    return (
        f"{found.reused:,} of {count(found.of, noun)} reused from earlier runs{oldest}."
        if found.reused
        else ""
    )


def cell(text: str, width: int = 120) -> str:
    """Text for one cell of a Markdown table: a single line whose characters have no Markdown or
    HTML meaning.
    """
    line = one_line(text, width)
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~@&:-])", _entity, line)


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[1])};" if unicodedata.category(match[1]) != "Ll" else match[1]
