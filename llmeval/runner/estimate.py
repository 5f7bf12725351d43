"""An estimate of the calls, tokens and cost of a run, before anything is sent.

The length of answers can't be computed from the prompts. If the suite has run before, calls and
tokens come from the records of that run. Else they are assumed, and the estimate says so.
"""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import structs

from llmeval.core.conversation import TURNS, messages_of, sent_before
from llmeval.core.errors import LlmevalError, StoreError
from llmeval.core.records import Answer, AnswerTurn, Case, Message, Usage
from llmeval.core.templates import DATA
from llmeval.judges.assurance.attacks import CASE, asked, attacks_for
from llmeval.judges.cascade import Cascade
from llmeval.judges.ensemble import MemberVerdict
from llmeval.runner.model_roles import ModelRole
from llmeval.runner.plan import RunPlan
from llmeval.runner.simulated_user import SimulatedUser
from llmeval.store.directory import RunDir, complete_runs

CHARS_PER_TOKEN = 4
TYPICAL_ANSWER, TYPICAL_VERDICT = 150, 60
"""Assumed tokens of an answer without a limit on its length, and of a verdict."""
LOOKED_AT = 2000
"""The most records of an earlier run that are read."""


class TypicalUsage(NamedTuple):
    """One role in an earlier run: calls per answer (without retries), and tokens per call."""

    calls: float
    input_tokens: float
    output_tokens: float


class PastUsage(NamedTuple):
    """An earlier run of the suite. `roles`: the roles whose endpoint counted tokens."""

    run_id: str
    roles: dict[str, TypicalUsage]


def estimate(planned: RunPlan, reports: Path) -> list[dict[str, object]]:
    """One row for each role: calls, input and output tokens, cost if prices are stated, and the
    source of the numbers (`based_on`).

    Retries and cache hits are not included. Without an earlier run of this candidate below
    `reports`, tokens are characters / 4 (for English text; other scripts need more). An answer then
    has half of `max_tokens`, but no more than a typical answer, and every answer is judged.
    """
    units = len(planned.cases) * planned.suite.spec.repeats
    past = _latest(reports / planned.suite.name, planned.candidate.name)
    rows = [_row("candidate", planned.candidate, units, past, lambda: _candidate(planned))]
    if planned.user is not None:
        user = planned.user
        rows.append(_row("user", user.role, units, past, lambda: _user(planned, user)))
    for name, judge in planned.judges.items():
        model_role = planned.judge_roles[name][0]
        rows.append(
            _row(
                f"judge:{name}", model_role, units, past, lambda judge=judge: _judge(planned, judge)
            )
        )
        if planned.tries_judges and planned.suite.judge(name).attacks:
            tries = len(attacks_for(judge, "")) * len(judge.members)
            rows.append(
                _row(
                    f"attacks:{name}", model_role, tries, None, lambda judge=judge: _attacked(judge)
                )
            )
    return rows


def _row(
    role: str, model_role: ModelRole, units: int, past: PastUsage | None, assume: Any
) -> dict[str, object]:
    usual = None if past is None else past.roles.get(role)
    typical: TypicalUsage = usual or assume()
    calls = round(units * typical.calls)
    input_tokens = round(calls * typical.input_tokens)
    output_tokens = round(calls * typical.output_tokens)
    price = model_role.spec.price
    return {
        "role": role,
        "model": model_role.name,
        "calls": calls,
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cost_usd": None
        if price is None
        else (input_tokens * price.input + output_tokens * price.output) / 1e6,
        "based_on": past.run_id if usual and past is not None else None,
    }


def _candidate(planned: RunPlan) -> TypicalUsage:
    calls = sent = 0
    for case in planned.cases:
        answer = _filler(planned, case)
        requests = [
            structs.replace(answer, turns=answer.turns[:number])
            for number in range(1, len(answer.turns) + 1)
        ]
        for request in requests or [answer]:
            calls += 1
            sent += _size(sent_before(planned.messages(case), request))
    return TypicalUsage(
        calls / max(1, len(planned.cases)),
        sent / max(1, calls) / CHARS_PER_TOKEN,
        _answer_tokens(planned),
    )


def _user(planned: RunPlan, user: SimulatedUser) -> TypicalUsage:
    """The simulated user: a call for each message up to `max_turns`, and one of its judge."""
    calls = sent = 0
    for case in planned.cases:
        scripted = 0 if planned.script is None else len(planned.script.texts(case))
        turns = _filler(planned, case).turns
        for number in range(scripted, len(turns)):
            calls += 1
            sent += _size(user.messages(case, turns[:number]))
        if user.judge is not None:
            calls += 1
            sent += 2 * _size(messages_of(turns))
    tokens = sent / max(1, calls) / CHARS_PER_TOKEN
    return TypicalUsage(calls / max(1, len(planned.cases)), tokens, TYPICAL_VERDICT)


def _filler(planned: RunPlan, case: Case) -> Answer:
    """An answer of typical length; of a conversation with as many turns as it may have."""
    text = "word " * _answer_tokens(planned)
    messages = () if planned.script is None else planned.script.texts(case)
    if planned.script is not None and planned.user is not None:
        more = planned.script.most_turns(case) - len(messages)
        messages = (*messages, *["word " * TYPICAL_VERDICT] * more)
    turns = tuple(AnswerTurn(user=message, output=text) for message in messages)
    return Answer(case_id=case.id, output=text, turns=turns)


def _size(messages: Sequence[Message]) -> int:
    return sum(len(message.content) for message in messages)


def _judge(planned: RunPlan, judge: MemberVerdict) -> TypicalUsage:
    calls = sent = 0
    for case in planned.cases:
        prompt = _prompt_size(judge, case, _filler(planned, case), planned)
        calls += prompt is not None
        sent += prompt or 0
    if not isinstance(judge, Cascade):
        calls *= len(
            judge.members
        )  # further judges of a cascade depend on the verdict of the first
    return TypicalUsage(
        calls / max(1, len(planned.cases)), sent / max(1, calls) / CHARS_PER_TOKEN, TYPICAL_VERDICT
    )


def _prompt_size(judge: MemberVerdict, case: Case, filler: Answer, planned: RunPlan) -> int | None:
    """Characters in the prompts for judging one answer. The data of an answer are unknown before
    the answer, so a prompt that uses them counts only its question and answer.
    """
    sent = sent_before(planned.messages(case), filler)
    turns = judge.members[0].protocol.turns
    unknown = {DATA, TURNS} - case.fields.keys()
    if any(unknown & template.variables for _, template in turns):
        return len(filler.text) + _size(sent)
    return judge.prompt_size(case, filler, sent)


def _attacked(judge: MemberVerdict) -> TypicalUsage:
    try:
        size = judge.prompt_size(CASE, Answer(case_id="", output="word " * 20), asked())
    except LlmevalError:
        size = None  # a template that needs fields which the attacks' case lacks is not attacked
    return TypicalUsage(
        size is not None, (size or 0) / CHARS_PER_TOKEN / len(judge.members), TYPICAL_VERDICT
    )


def _answer_tokens(planned: RunPlan) -> int:
    params = planned.candidate.spec.params
    allowed = params.get("max_completion_tokens") or params.get("max_tokens")
    return min(TYPICAL_ANSWER, allowed // 2) if isinstance(allowed, int) else TYPICAL_ANSWER


def _latest(folder: Path, candidate: str) -> PastUsage | None:
    """The newest complete run of this candidate below `folder` with counts of tokens."""
    for run, _ in complete_runs(folder):
        try:
            manifest = run.manifest()
            roles = _roles(run) if manifest.candidate.name == candidate else {}
        except StoreError:
            continue
        if roles:
            return PastUsage(manifest.run_id, roles)
    return None


def _roles(run: RunDir) -> dict[str, TypicalUsage]:
    answers = list(itertools.islice(run.answers(), LOOKED_AT))
    calls = [(len(answer.turns) or 1, answer.usage) for answer in answers]
    users = [(a.user.attempts or 1, a.user.usage) for a in answers if a.user is not None]
    roles = {"candidate": _typical(len(answers), calls)}
    roles |= {"user": _typical(len(answers), users)} if users else {}
    scores = [
        s
        for _, block in itertools.islice(run.scores(), LOOKED_AT)
        for s in block
        if s.source == "judge"
    ]
    for metric in {score.metric for score in scores}:
        # a panel's score has the calls and the tokens of all its judges
        usages = [
            (s.attempts or 1, s.usage)
            for s in scores
            if s.metric == metric and (s.attempts or s.cached)
        ]
        roles[f"judge:{metric}"] = _typical(len(answers), usages)
    return {role: typical for role, typical in roles.items() if typical is not None}


def _typical(units: int, usages: Sequence[tuple[int, Usage | None]]) -> TypicalUsage | None:
    """The averages from (calls, total tokens) of each answer. Cached answers have no tokens and are
    left out.
    """
    counted = [
        (calls, usage) for calls, usage in usages if usage is not None and usage.input_tokens
    ]
    paid = sum(calls for calls, _ in counted)
    if not paid or not units:
        return None
    input_tokens = sum(usage.input_tokens or 0 for _, usage in counted)
    output_tokens = sum(usage.output_tokens or 0 for _, usage in counted)
    return TypicalUsage(
        sum(calls for calls, _ in usages) / units, input_tokens / paid, output_tokens / paid
    )
