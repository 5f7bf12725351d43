"""Untrusted text made safe to show: in a terminal, a CI log, XML or Markdown."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmeval.core.manifest import Manifest
    from llmeval.core.results import CaseCounts, Quarantined, Retired, Reused, Summary

_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f"  # controls: C0, DEL, C1
    "\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c"  # text direction
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2028\u2029\u2060-\u2065"
    "\u206a-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"  # no width
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<![^\u0000-\u02ff])\ufe0f"
    "|(?<![\u0600-\u109f])[\u200c\u200d]|[\u200c\u200d](?![\u0600-\u109f])"
)
"""What nobody sees (Unicode's Default_Ignorable_Code_Point) or what acts (Bidi_Control, Cc). The
emoji selector U+FE0F stays behind a sign that may be one, and joiners stay between the letters of
Arabic, Indic and Burmese scripts, whose spelling needs them.
"""
_LONE = re.compile("[\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_ORDERS = re.compile(r"#(?=#\[|#vso\[)|:(?=:[A-Za-z][\w-]*[^\n]*::)")


def visible(text: str) -> str:
    """The text with what can't be seen written out (`\\u202e`), so that it can neither hide nor
    act: control characters, ANSI escapes, text direction marks, zero-width characters. Line feeds
    and tabs stay. The form is that of JSON, so a JSON document keeps its meaning."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return _UNSEEN.sub(_escaped, _LONE.sub("\ufffd", text.replace("\r\n", "\n")))


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def one_line(text: str, width: int) -> str:
    """The text on one line, at most `width` characters, with `…` where it was cut. What CI servers
    take for an order wherever it stands in a line (`##[...]`, `##vso[...]`, `::error ..::`) is
    broken up.
    """
    line = _ORDERS.sub(r"\g<0> ", _SPACE.sub(" ", visible(text))).strip()
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def count(n: int, noun: str) -> str:
    """1 case, 2 cases, 1,000 cases: for nouns that take an s."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


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
    answered = [session for session in manifest.sessions if session.answers]
    if len(answered) < 2:
        return ""
    parts = [f"{each.answers:,} of {each.started[:16].replace('T', ' ')}" for each in answered]
    return f"answers of {len(answered)} sessions: {', '.join(parts)} (UTC)"


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


def _reused(counts: "Reused", noun: str) -> str:
    oldest = f", the oldest of {counts.oldest[:10]}" if counts.oldest else ""
    return (
        f"{counts.reused:,} of {count(counts.of, noun)} reused from earlier runs{oldest}."
        if counts.reused
        else ""
    )
