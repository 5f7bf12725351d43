"""JUnit XML for CI servers: the decision, the gate's rules, and every case.

`failure` means quality, `error` means that a result is missing (candidate, judge, infrastructure),
`skipped` means that nothing was decided. Names are stable and carry no numbers, because servers
compare runs by (classname, name). The first test case is the decision itself: it passes only if the
decision is PASS, so no reader of JUnit shows a run green that is INCONCLUSIVE or INVALID.

Cases that fail within what the gate allows are `skipped`, so that a server's red and the exit code
agree. Cases in quarantine and cases that a person has to decide are `skipped` too: they are neither
passed nor failed. A case without a result is an `error`, unless the run stopped early and did not
need it.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal

import msgspec

from llmeval.core.files import store_error, write_atomically, writing
from llmeval.core.manifest import Manifest
from llmeval.core.outcome import Outcome
from llmeval.core.results import Decision, GateResult, RuleDecision, Summary
from llmeval.gate.human_labels import DecidedUnit
from llmeval.report.failing_cases import FailingCase, failing_case
from llmeval.report.junit_xml import JUnitCase, JUnitSuite, document
from llmeval.report.safe_text import quarantined, reused, verdict_word
from llmeval.store.units import StoredUnit

JUnitCases = Literal["all", "failed"]
"""Which cases `junit.xml` holds. `failed`: those that did not pass."""
MAX_TEXTS = 1000
"""Cases that did not pass whose question and answers are in the file, in the order of the run."""
_MAX_TEXT = 1200
_MAX_REASON = 300


class _Line(msgspec.Struct, array_like=True):
    """One answer, as it is kept until the decision is there."""

    case_id: str
    repeat: int
    outcome: Outcome
    source: str
    seconds: float | None
    reason: str = ""
    text: str = ""


_LINE = msgspec.json.Decoder(_Line)


class JUnitWriter:
    """Takes the answers of a run, then its summary. A context manager: it holds a temporary file,
    so its memory does not grow with the run.

    Args:
        path: where the file goes; replaced at once when it is complete.
        manifest: the run's, maybe with another gate than it was made by.
        which: which cases the file holds.
    """

    def __init__(self, path: Path, manifest: Manifest, which: JUnitCases = "all") -> None:
        self._path, self._manifest, self._which = path, manifest, which
        self._texts, self._answered, self._last = 0, 0, ""
        self._stack = ExitStack()
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lines: BinaryIO = self._stack.enter_context(
                tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 (the stack closes it)
            )

    def __enter__(self) -> "JUnitWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._stack.close()
        except OSError as problem:  # on a full disk; what was raised before says more
            if error is None:
                raise store_error(self._path, problem) from None

    def take(self, decided: DecidedUnit[StoredUnit]) -> None:
        """Take an answer."""
        unit, outcome = decided.unit, decided.outcome
        answer = unit.answer
        self._answered += answer.case_id != self._last
        self._last = answer.case_id
        if outcome is Outcome.PASS and self._which == "failed":
            return
        seconds = None if answer.latency_ms is None else answer.latency_ms / 1000
        line = _Line(answer.case_id, answer.repeat, outcome, unit.case.source, seconds)
        if outcome is not Outcome.PASS:
            case = failing_case(decided)
            line.reason = case.reason
            if self._texts < MAX_TEXTS:
                self._texts += 1
                line.text = _text(case)
        with writing(self._path):
            self._lines.write(msgspec.json.encode(line) + b"\n")

    def write(self, summary: Summary, cause: str = "") -> None:
        """Write `junit.xml`, after the last answer. `cause`: the commonest error."""
        name = f"llmeval.{summary.suite}"
        about = {"timestamp": str(self._manifest.started).rstrip("Z")}
        properties = {
            "run_id": self._manifest.run_id,
            "candidate": self._manifest.candidate.name,
            **_partial(self._manifest),
            **_reuse(summary),
        }
        output = reused(summary)
        with writing(self._path), tempfile.TemporaryFile(dir=self._path.parent) as file:
            gate = JUnitSuite(f"{name}.gate", properties, about, BytesIO(), output=output)
            gate.add(_decision(summary, self._manifest, cause))
            for rule in summary.gate.rules:
                gate.add(_rule(rule, fails=summary.gate.exit_code != 0))
            cases = JUnitSuite(f"{name}.cases", properties, about, file)
            for case in self._cases(summary):
                cases.add(case)
            cases.close()
            write_atomically(self._path, document(name, (gate, cases)))

    def _cases(self, summary: Summary) -> Iterator[JUnitCase]:
        """Every case, those without an answer as one."""
        aside = {entry.case_id: quarantined(entry) for entry in summary.quarantine}
        seen = set()
        fails = summary.gate.exit_code != 0
        self._lines.seek(0)
        for data in self._lines:
            line = _LINE.decode(data)
            set_aside = aside.get(line.case_id)
            if set_aside is not None:
                seen.add(line.case_id)
                yield _skipped(line, f"set aside: {set_aside}")
            else:
                yield _case(line, fails=fails, early=bool(summary.counts.not_needed))
        for case_id, reason in aside.items():
            if case_id not in seen:
                yield _skipped(_Line(case_id, 0, Outcome.PASS, "", None), f"set aside: {reason}")
        if (missing := self._manifest.cases.n - self._answered) > 0:
            yield _unanswered(missing, summary)


def _decision(summary: Summary, manifest: Manifest, cause: str) -> JUnitCase:
    """The decision of the run. Only PASS passes."""
    gate = summary.gate
    word = verdict_word(summary, manifest)
    case = JUnitCase("decision", {"file": str(manifest.suite_file)})
    if gate.decision is Decision.PASS and word == "PASS" and not gate.exit_code:
        return case
    case.tag, case.type = _decision_tag(gate, word), word
    case.message = f"{word}: {gate.reason}"
    case.text = "" if cause in gate.reason else cause
    return case


def _decision_tag(gate: GateResult, word: str) -> str:
    if gate.decision is Decision.FAIL:
        return "failure"
    if gate.decision is Decision.INCONCLUSIVE:
        return "failure" if gate.exit_code else "skipped"
    measured_only = gate.decision is None and word == "NO DECISION" and not gate.exit_code
    return "skipped" if measured_only else "error"


def _rule(rule: RuleDecision, *, fails: bool) -> JUnitCase:
    parts = (rule.rule, rule.metric or rule.number, rule.slice and f"@ {rule.slice}")
    case = JUnitCase(" ".join(part for part in parts if part))
    if rule.decision is not Decision.PASS:
        case.tag = _rule_tag(rule, fails)
        case.type, case.message = str(rule.decision), rule.reason
    return case


def _rule_tag(rule: RuleDecision, fails: bool) -> str:
    if rule.decision is Decision.INVALID:
        return "error"
    return "failure" if rule.decision is Decision.FAIL or fails else "skipped"


def _case(line: _Line, *, fails: bool, early: bool) -> JUnitCase:
    case = _named(line)
    if line.outcome is Outcome.PASS:
        return case
    case.type, reason = str(line.outcome), line.reason
    case.tag = "skipped"
    if line.outcome is Outcome.NEEDS_REVIEW:
        reason = f"needs review: {reason}"
    elif line.outcome is Outcome.NOT_SCORED and early:
        reason = f"not needed, as every rule was decided: {reason}"
    elif line.outcome.missing:
        case.tag = "error"
    elif fails:
        case.tag = "failure"
    else:
        reason = f"failed, within what the gate allows: {reason}"
    case.message = reason if line.text else reason[:_MAX_REASON]
    case.text = line.text
    return case


def _skipped(line: _Line, reason: str) -> JUnitCase:
    case = _named(line)
    case.tag, case.message = "skipped", reason
    return case


def _unanswered(missing: int, summary: Summary) -> JUnitCase:
    """The cases of the run that have no record."""
    case = JUnitCase("cases without an answer", type="missing")
    early = bool(summary.counts.not_needed)
    why = "every rule was decided without them" if early else "the run did not come to its end"
    case.tag, case.message = "skipped" if early else "error", f"{missing:,}: {why}"
    return case


def _named(line: _Line) -> JUnitCase:
    """A test case by its name, with file and line of the data, and the seconds of its call."""
    name = line.case_id if not line.repeat else f"{line.case_id}#{line.repeat}"
    file, _, number = line.source.rpartition(":")
    where = {"file": file, "line": number} if file and number.isdigit() else {}
    time = {} if line.seconds is None else {"time": f"{line.seconds:.3f}"}
    return JUnitCase(name, {**where, **time})


def _text(case: FailingCase) -> str:
    """What each part of a check says, the question and the answers."""
    details = [reason for reason in case.reasons.values() if reason not in case.reason]
    parts = [
        ("Details", "\n".join(details)),
        ("Question", case.question),
        ("Expected", case.expected),
        ("Answer", case.output or "(no answer)"),
    ]
    return "\n\n".join(f"{name}: {text[:_MAX_TEXT]}" for name, text in parts if text)


def _partial(manifest: Manifest) -> dict[str, str]:
    """How many of the cases a partial run has."""
    part = manifest.selection
    return {} if part is None else {"partial": f"{part.n}/{part.of}"}


def _reuse(summary: Summary) -> dict[str, str]:
    """How much came from earlier runs; nothing where all was called."""
    if not reused(summary):
        return {}
    answers, verdicts = summary.reuse.answers, summary.reuse.verdicts
    return {
        "answers_reused": f"{answers.reused}/{answers.of}",
        "verdicts_reused": f"{verdicts.reused}/{verdicts.of}",
    }
