"""For tests that people write: a suite as an assertion, checks on an answer, and a run read case by
case.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from llmeval.api import PathLike, Run, run
from llmeval.core.errors import UsageError
from llmeval.core.outcome import Outcome
from llmeval.core.records import Answer, AnswerTurn, Case, Score
from llmeval.report.failing_cases import FailingCase, failing_cases
from llmeval.report.safe_text import count, quarantined, reused
from llmeval.suite.loader import Suite, load_suite

if TYPE_CHECKING:
    from llmeval.runner.options import Options

_SHOWN = 10
_EXCERPT = 300
_EVERY = 2**31


@dataclass(frozen=True)
class CaseResult:
    """The outcome of one case. `message`: why, for people."""

    outcome: str
    """`passed`, `failed`, `missing` (no usable answer or verdict), `allowed` (it did not pass, and
    the gate or a quarantine allows that) or `needs_review` (a person decides)."""
    message: str = ""


def assert_suite(
    path: PathLike, *, environment: str | None = None, options: "Options | None" = None
) -> Run:
    """Run a suite and assert what its gate decides; with `gate: none`, that every case passes.
    Gives the run.

    Args:
        path: the suite file.
        environment: a name under the suite's `environments`.
        options: as for `llmeval.run`.

    Raises:
        AssertionError: it does not hold; with the reason, the cases to look at and the report's
            place.
        LlmevalError: as `llmeval.run`.
    """
    __tracebackhide__ = True
    done = run(path, environment=environment, options=options)
    if done.interrupted:
        raise KeyboardInterrupt
    message = gate_trouble(done)
    if message is None and done.decision is None and done.troubles:
        message = (
            f"{done.summary.suite}: {count(len(done.troubles), 'case')} did not pass"
            f" ({done.summary.gate.reason})"
        )
    if message is not None:
        raise AssertionError("\n".join([message, *_worst(done), f"Report: {done.report}"]))
    return done


def gate_trouble(done: Run) -> str | None:
    """What a run's decision has against it, rule by rule; None where it exits with 0."""
    gate = done.summary.gate
    if gate.exit_code == 0:
        return None
    lines = [f"{done.summary.suite}: {gate.decision}: {gate.reason}"]
    return "\n".join(
        lines
        + [f"  {rule.decision}: {rule.reason}" for rule in gate.rules if rule.reason != gate.reason]
    )


def score(
    output: str,
    checks: Sequence[str | dict[str, object]],
    *,
    reference: str | Sequence[str] = (),
    context: str | None = None,
    facts: Sequence[dict[str, object]] = (),
    tool_calls: Sequence[dict[str, object]] = (),
    data: dict[str, object] | None = None,
    turns: Sequence[dict[str, object]] = (),
    **fields: object,
) -> dict[str, Score]:
    """Scores of one answer by checks, by metric. No model is asked.

    Args:
        output: the answer.
        checks: as in a suite: a name, or {name: argument}; also own checks, `module:function`.
        reference: a right answer, or several.
        context: the text it must be grounded in.
        facts: as in a case.
        tool_calls: the tools that the answer calls, in order: {"name": ..., "arguments": {...}}.
        data: what the application returned next to the text; `{{ data.ids }}` in a check.
        turns: the conversation that ends with the answer: {"user": ..., "output": ...}, and for a
            turn with calls or data its `tool_calls` and `data`. Unless the whole answer has its
            own, the calls of all turns and the data of the last turn count.
        fields: whatever else the checks' templates use, such as `question`.

    Raises:
        UsageError: a check or a turn is not written right.
    """
    from llmeval.checks.spec import SpecError, bind
    from llmeval.core.templates import is_template
    from llmeval.models.loading import load_function
    from llmeval.runner.scoring import check_answer

    references = (reference,) if isinstance(reference, str) else tuple(reference)
    case = Case("test", fields, references=references, context=context, facts=tuple(facts))
    try:
        bound = bind(list(checks), is_template=is_template, load=load_function)
    except SpecError as error:
        raise UsageError(f"checks: {error}") from None
    played = _turns(turns, output)
    answer = Answer(
        case_id=case.id,
        output=output,
        tool_calls=tuple(tool_calls) or tuple(call for turn in played for call in turn.tool_calls),
        data=data if data is not None or not played else played[-1].data,
        turns=played,
    )
    scores = (one for item in bound for one in check_answer(item, case, answer))
    return {one.metric: one for one in scores}


def _turns(turns: Sequence[dict[str, object]], output: str) -> tuple[AnswerTurn, ...]:
    """The turns of `score`. The last one may leave out its output, which is the answer.

    Raises:
        UsageError: a turn has a wrong form, or the last reply is not the answer.
    """
    stated = [dict(turn) for turn in turns]
    if stated:
        stated[-1].setdefault("output", output)
    try:
        played = msgspec.convert(stated, tuple[AnswerTurn, ...])
    except msgspec.ValidationError as error:
        raise UsageError(f"turns: {error}; a turn is {{'user': ..., 'output': ...}}") from None
    if played and played[-1].output != output:
        raise UsageError("turns: the output of the last turn must be the answer, or be left out")
    return played


def run_cases(
    suite: PathLike,
    environment: str | None,
    out: Path,
    only: Collection[str] | None,
    *,
    use_cache: bool = True,
    reuse: bool = False,
    refresh: bool = False,
) -> Run:
    """Run a suite into a directory.

    Args:
        only: ids of some of its cases; then nothing is decided, as they are a part.
        use_cache, reuse, refresh: as in `Options`.
    """
    from llmeval.runner.options import Options

    loaded = load_suite(suite, environment)
    options = Options(out=out, use_cache=use_cache, reuse=reuse, refresh=refresh)
    if only is None:
        return run(loaded, options=options)
    return run(
        _without_rules(loaded),
        options=replace(options, stop="never"),
        only=lambda case: case.id in only,
    )


def _without_rules(suite: Suite) -> Suite:
    return replace(
        suite, spec=suite.spec.model_copy(update={"gate": suite.spec.gate.without_rules()})
    )


def case_results(done: Run) -> dict[str, CaseResult]:
    """The outcome of each case of a run. A case that did not pass is allowed if the gate's rules
    still hold.
    """
    summary = done.summary
    holds = summary.gate.decision is not None and summary.gate.exit_code == 0
    found = {key[0]: CaseResult("passed") for key in done.directory.answer_offsets()}
    for trouble in reversed(failing_cases(done.directory, done.manifest, summary, _EVERY)):
        if trouble.outcome is Outcome.NEEDS_REVIEW:
            found[trouble.case_id] = CaseResult(
                "needs_review", "no judge is sure: a person decides (`llmeval review`)"
            )
            continue
        outcome = "allowed" if holds else "failed" if trouble.outcome is Outcome.FAIL else "missing"
        found[trouble.case_id] = CaseResult(outcome, _told(trouble))
    for entry in summary.quarantine:
        if entry.case_id in found and not entry.passed:
            found[entry.case_id] = CaseResult("allowed", quarantined(entry))
    return found


def _told(trouble: FailingCase) -> str:
    """One case that did not pass, over several lines."""
    lines = [trouble.reason]
    lines += [f"Asked:    {trouble.question}"] if trouble.question else []
    lines += [f"Answered: {trouble.output}"] if trouble.output else []
    return "\n".join(lines)


def reuse_told(done: Run) -> str:
    """What a run took from earlier runs, in a sentence; empty where it asked everything."""
    return reused(done.summary)


def _worst(done: Run) -> list[str]:
    return [
        f"  {trouble.case_id}: {trouble.reason[:_EXCERPT]}" for trouble in done.troubles[:_SHOWN]
    ]
