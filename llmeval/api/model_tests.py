"""Tests of `llmeval doctor --ci` that call the models: the candidate's answers and the judges'
verdicts.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from llmeval.api.infrastructure_tests import InfrastructureTest
from llmeval.core.errors import LlmevalError, RequestAdapted
from llmeval.core.records import Case, Message
from llmeval.core.redaction import redact
from llmeval.core.templates import case_values
from llmeval.suite.model_schema import ReplaySpec, SystemOneSpec

if TYPE_CHECKING:
    from llmeval.models.base import Model, Reply, Request
    from llmeval.runner.plan import RunPlan

CALLS = 3
"""Calls of the candidate: two equal ones, and one more for the latency."""
_NAMES = ("endpoint: candidate", "latency: candidate", "same answer twice: candidate")


async def candidate_tests(planned: "RunPlan", max_latency: float) -> list[InfrastructureTest]:
    """Whether the candidate answers a case of the suite, how fast, and the same twice."""
    endpoint, latency, same = _NAMES
    spec = planned.candidate.spec
    if isinstance(spec, ReplaySpec):
        why = "the candidate is stored answers"
        return [InfrastructureTest(name, "skipped", why) for name in _NAMES]
    replies: list[tuple[str, float]] = []
    try:
        for _ in range(CALLS):
            async with asyncio.timeout(spec.timeout):
                started = time.perf_counter()
                reply = await _answer(planned)
                replies.append((reply.text, time.perf_counter() - started))
    except TimeoutError:
        problem = f"no answer within {spec.timeout:g} s"
    except LlmevalError as error:
        problem = redact(str(error))
    except Exception as error:  # of a `python` candidate
        problem = f"{type(error).__name__}: {redact(str(error))}"
    else:
        slowest = max(seconds for _, seconds in replies)
        return [
            _endpoint(endpoint, replies),
            _latency(latency, slowest, max_latency),
            _same(same, spec.params, [text for text, _ in replies]),
        ]
    unknown = "could not be carried out, because the candidate does not answer"
    fix = "start the endpoint, or correct its address, key or model in the suite"
    return [
        InfrastructureTest(endpoint, "failed", problem, fix),
        InfrastructureTest(latency, "error", unknown, fix),
        InfrastructureTest(same, "error", unknown, fix),
    ]


def _endpoint(name: str, replies: list[tuple[str, float]]) -> InfrastructureTest:
    empty = sum(not text.strip() for text, _ in replies)
    if empty:
        return InfrastructureTest(
            name,
            "failed",
            f"{empty} of {len(replies)} answers are empty",
            "raise `max_tokens`, or check the path of the answer in the reply",
        )
    return InfrastructureTest(name, "passed", f"{len(replies)} answers")


def _latency(name: str, slowest: float, most: float) -> InfrastructureTest:
    if slowest > most:
        return InfrastructureTest(
            name,
            "failed",
            f"the slowest of {CALLS} answers took {slowest:.1f} s, more than {most:g} s",
            "wait until the endpoint is warm, or raise --max-latency",
            slowest,
        )
    return InfrastructureTest(
        name, "passed", f"the slowest of {CALLS} answers took {slowest:.1f} s", seconds=slowest
    )


def _same(name: str, params: dict[str, object], texts: list[str]) -> InfrastructureTest:
    if params.get("temperature") != 0 and params.get("seed") is None:
        return InfrastructureTest(
            name, "skipped", "the suite states neither `temperature: 0` nor a `seed`"
        )
    if len(set(texts)) > 1:
        return InfrastructureTest(
            name,
            "failed",
            f"{CALLS} equal requests gave {len(set(texts))} different answers",
            "use `repeats`, so that the gate knows the variance, or fix the server's batching",
        )
    return InfrastructureTest(name, "passed", f"{CALLS} equal requests gave the same answer")


async def _answer(planned: "RunPlan") -> "Reply":
    model: Model = planned.candidate.caller.model
    request = _request(planned, model)
    try:
        return await model.answer(request)
    except RequestAdapted:  # the next attempt is sent without the refused part
        return await model.answer(request)


def _request(planned: "RunPlan", model: "Model") -> "Request":
    """The request of the first case, as a run sends it."""
    from msgspec import structs

    from llmeval.runner.requests import CandidateRequests

    case = next(iter(planned.cases))
    requests = CandidateRequests(model, "doctor", by_case=planned.by_case)
    request = requests.request(case, 0, _messages(planned, case))
    params = {k: v for k, v in planned.candidate.spec.params.items() if v is not None}
    return structs.replace(request, params=params)


def _messages(planned: "RunPlan", case: Case) -> tuple[Message, ...]:
    if case.messages:
        return case.messages
    values = case_values(case)
    written = tuple(Message(role, text.render(values)) for role, text in planned.prompt)
    return written or (Message("user", "Reply with the word OK."),)


async def judge_tests(planned: "RunPlan") -> list[InfrastructureTest]:
    """For each judge: whether its reply follows the schema, and its anchors."""
    if not planned.judges:
        why = "the suite has no judge"
        return [InfrastructureTest(name, "skipped", why) for name in ("schema", "anchors")]
    tests: list[InfrastructureTest] = []
    for name in planned.judges:
        tests += await _schemas(planned, name)
        tests.append(await _anchors(planned, name))
    return tests


async def _schemas(planned: "RunPlan", name: str) -> list[InfrastructureTest]:
    from llmeval.api.judge_diagnosis import judged

    judge, stated = planned.judges[name], planned.suite.judge(name)
    tests = []
    for member, role in zip(judge.members, planned.judge_roles[name], strict=True):
        test = f"schema: judge {name} ({role.name})"
        if isinstance(role.spec, ReplaySpec | SystemOneSpec):
            tests.append(InfrastructureTest(test, "skipped", "its verdicts have no schema"))
            continue
        result = await judged(test, member.uncached(), logprobs=stated.logprobs)
        if result.state == "ok":
            tests.append(InfrastructureTest(test, "passed", result.detail))
        elif result.detail.startswith("not asked"):
            tests.append(InfrastructureTest(test, "error", result.detail, result.fix))
        else:
            tests.append(InfrastructureTest(test, "failed", result.detail, result.fix))
    return tests


async def _anchors(planned: "RunPlan", name: str) -> InfrastructureTest:
    from llmeval.judges.assurance.anchors import anchor_scores, outcome
    from llmeval.judges.assurance.certificate import read_certificate

    test, stated = f"anchors: judge {name}", planned.suite.judge(name).certificate
    if stated is None:
        return InfrastructureTest(test, "skipped", "the judge names no certificate")
    try:
        certificate = read_certificate(planned.suite.base / stated)
        if planned.trusts[name].state != "TRUSTED" or not certificate.anchors:
            return InfrastructureTest(
                test,
                "error" if certificate.anchors else "skipped",
                "the certificate is not valid for this judge"
                if certificate.anchors
                else "the certificate has no anchors",
                "see the test of the certificate" if certificate.anchors else "",
            )
        scores = await anchor_scores(planned.judges[name], certificate)
    except LlmevalError as error:
        return InfrastructureTest(
            test, "error", f"could not be carried out: {redact(str(error))}", "correct this first"
        )
    figures, trust = outcome(certificate, scores, ())
    changed = f"{figures.changed} of {figures.n} verdicts changed since the certificate"
    if figures.n < len(scores) / 2:
        return InfrastructureTest(
            test,
            "error",
            f"only {figures.n} of {len(scores)} anchors could be judged",
            "see the test of the judge's schema",
        )
    if trust is not None:
        fix = "another model answers under this name: certify the judge again"
        return InfrastructureTest(test, "failed", trust.reason, fix)
    return InfrastructureTest(test, "passed", changed)
