"""What `llmeval doctor SUITE` checks.

The suite file, the key, the endpoint and the first answer of each model, and the certificate of
each judge.
"""

import asyncio
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmeval.api.judge_diagnosis import judged, stated_fix
from llmeval.api.machine_diagnosis import Diagnosis
from llmeval.core.errors import LlmevalError, ModelError, RequestAdapted
from llmeval.core.redaction import redact
from llmeval.report.safe_text import count
from llmeval.suite.model_schema import ReplaySpec

if TYPE_CHECKING:
    from llmeval.runner.plan import RunPlan
    from llmeval.suite.loader import Suite
    from llmeval.suite.model_schema import BaseModelSpec

_SECONDS = 30
_UNREACHED = ("can't connect", "no answer within", "the connection broke", "ClientConnector")
_FIXES = (
    ("HTTP 401", "the key is refused: is it the right one, for this endpoint?"),
    ("HTTP 403", "the key may not use this model: ask whoever gave it, or name another model"),
    ("HTTP 404", "is `model` a name that is served there, and does `base_url` end in /v1?"),
    ("HTTP 429", "the endpoint asks for less, or a quota is used up: look at the account"),
)
_OPENAI = "api.openai.com"


def diagnose_suite(path: Path, environment: str | None, *, ask: bool) -> Iterator[Diagnosis]:
    """What stands between this suite and a run.

    Args:
        path: the suite file.
        environment: one of its environments.
        ask: whether each model is sent one short question, which costs a call.
    """
    from llmeval.runner.plan import inspect_suite
    from llmeval.suite.loader import load_suite

    try:
        suite = load_suite(path, environment)
        facts = inspect_suite(suite)
    except LlmevalError as error:
        yield Diagnosis("suite", "bad", str(error), f"correct it, then: llmeval validate {path}")
        return
    yield Diagnosis(
        "suite",
        "ok",
        f"{path}: {count(facts['cases'], 'case')}, {count(len(facts['rules']), 'rule')}",
    )
    for warning in facts["warnings"]:
        yield Diagnosis("suite", "note", warning)
    fine, waiting = True, set[str]()
    for role, reference, key in _used(suite):
        judges = key[0] == "judges"
        for finding in _model(suite, role, reference, key, ask=ask and not judges):
            fine = fine and finding.state != "bad"
            if finding.state == "note":
                waiting.add(str(key[1]) if judges else role)
            if finding.state != "ok" or not judges or not ask:
                yield finding
    if suite.spec.judges and fine:
        yield from _judges(suite, ask=ask, waiting=waiting)


def _used(suite: "Suite") -> list[tuple[str, Any, tuple[str | int, ...]]]:
    """(role, model, key) of each model that a run would ask, once."""
    used: list[tuple[str, Any, tuple[str | int, ...]]] = [
        ("candidate", suite.spec.candidate, ("candidate",))
    ]
    for name, judge in suite.spec.judges.items():
        used += [(f"judge {name}", model, ("judges", name, *key)) for key, model in judge.models]
    models = [model for _, model, _ in used]
    return [entry for index, entry in enumerate(used) if entry[1] not in models[:index]]


def _model(
    suite: "Suite",
    role: str,
    reference: "str | BaseModelSpec",
    key: tuple[str | int, ...],
    *,
    ask: bool,
) -> Iterator[Diagnosis]:
    from llmeval.models.factory import make_model
    from llmeval.models.local import pull
    from llmeval.models.local.extra import require_extra
    from llmeval.suite.model_schema import ReplaySpec, SystemOneSpec, TransformersSpec

    try:
        name, spec = suite.model(reference, key)
        what = f"{role} ({name})"
        if isinstance(spec, TransformersSpec):
            require_extra()
            bundled = {model.name for model in pull.available()}
            if spec.model in bundled and not pull.is_pulled(spec.model):
                yield Diagnosis(
                    what,
                    "note",
                    "its weights are not here yet",
                    f"llmeval models pull {spec.model}",
                )
                return
        model = make_model(spec, suite.base)
    except LlmevalError as error:
        yield Diagnosis(role, "bad", str(error), _fix(str(error)))
        return
    keyless = _without_key(spec)
    if keyless is not None:
        yield Diagnosis(what, "bad", *keyless)
        return
    if not ask or isinstance(spec, ReplaySpec | SystemOneSpec):
        asyncio.run(model.close())
        yield Diagnosis(what, "ok", "can be made" + ("" if ask else "; not asked"))
        return
    yield asyncio.run(_asked(suite, what, model))


def _without_key(spec: "BaseModelSpec") -> tuple[str, str] | None:
    """(what is missing, the fix) for OpenAI's own endpoint without a key; others may need none."""
    address, key = getattr(spec, "base_url", ""), getattr(spec, "api_key", None)
    if _OPENAI not in address or getattr(spec, "client", None) or os.environ.get("OPENAI_API_KEY"):
        return None
    if key is not None and key.get_secret_value():
        return None
    return f"no key for {_OPENAI}", "export OPENAI_API_KEY=..., or name another endpoint"


async def _asked(suite: "Suite", what: str, model: Any) -> Diagnosis:
    """One short question, sent once and not kept."""
    import time

    from llmeval.core.records import Message
    from llmeval.models.base import Request

    started = time.perf_counter()
    try:
        async with asyncio.timeout(_SECONDS):
            request = Request(
                messages=(Message("user", "Reply with the word OK."),), params={"max_tokens": 16}
            )
            try:
                reply = await model.answer(request)
            except RequestAdapted:  # only the name of the limit: nothing else of it is a default
                reply = await model.answer(request)
    except TimeoutError:
        return Diagnosis(
            what,
            "bad",
            f"no answer within {_SECONDS} s",
            "is it still loading? Raise its `timeout` if so",
        )
    except ModelError as error:
        message = redact(str(error))
        return Diagnosis(what, "bad", message, _fix(message))
    finally:
        await model.close()
    text = re.sub(r"\s+", " ", redact(reply.text)).strip()
    return Diagnosis(what, "ok", f"answers in {time.perf_counter() - started:.1f} s: {text[:40]!r}")


def _fix(message: str) -> str:
    stated = stated_fix(message)
    if stated:
        return stated
    for mark, fix in _FIXES:
        if mark in message:
            return fix
    if any(mark in message for mark in _UNREACHED):
        return "start the server, or correct its address; a proxy is taken from HTTPS_PROXY"
    return (
        ""
        if any(word in message for word in ("pip install", "set it", "did you mean"))
        else "correct it in the suite"
    )


def _judges(suite: "Suite", *, ask: bool, waiting: set[str]) -> Iterator[Diagnosis]:
    """A verdict of each judge, and its certificate. `waiting`: judges whose weights are not on this
    machine.
    """
    from llmeval.runner.options import Options
    from llmeval.runner.plan import plan

    try:
        planned = plan(suite, Options(use_cache=False))
    except LlmevalError as error:
        yield Diagnosis("judges", "bad", str(error), "correct it in the suite")
        return
    yield from asyncio.run(_verdicts(planned, ask=ask, waiting=waiting))
    for name, trust in planned.trusts.items():
        trusted = trust.state == "TRUSTED"
        fix = (
            ""
            if trusted
            else "a rule on it neither PASSes nor FAILs; docs/trust.md: llmeval judge certify"
        )
        yield Diagnosis(
            f"certificate {name}",
            "ok" if trusted else "note",
            f"{trust.state}: {trust.reason}",
            fix,
        )


async def _verdicts(planned: "RunPlan", *, ask: bool, waiting: set[str]) -> list[Diagnosis]:
    """A finding for each model of each judge. Closes the plan."""
    findings: list[Diagnosis] = []
    try:
        for name, judge in planned.judges.items():
            if not ask or name in waiting:
                continue
            stated = planned.suite.judge(name)
            for member, role in zip(judge.members, planned.judge_roles[name], strict=True):
                if not isinstance(role.spec, ReplaySpec):
                    what = f"judge {name} ({role.name})"
                    findings.append(await judged(what, member, logprobs=stated.logprobs))
    finally:
        await planned.close()
    return findings
