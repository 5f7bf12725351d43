"""The judges of a suite: one model, a panel or a cascade for each, all with one protocol."""

import functools
from collections.abc import Mapping
from pathlib import Path

from llmeval.core.errors import SuiteError
from llmeval.core.records import digest
from llmeval.judges.assurance.certificate import read_certificate
from llmeval.judges.calibration_map import Calibration, calibration_of
from llmeval.judges.cascade import Cascade
from llmeval.judges.ensemble import MemberVerdict
from llmeval.judges.judge import Judge
from llmeval.judges.panel import Panel
from llmeval.judges.protocol import Criterion, Protocol, load_protocol, parse_criteria
from llmeval.judges.verdict_source import ProbabilityVerdicts, ReplyVerdicts
from llmeval.models.identity import address
from llmeval.runner.budget import cost_of
from llmeval.runner.model_roles import ModelRole
from llmeval.suite.judge_schema import JudgeSpec
from llmeval.suite.loader import Suite
from llmeval.suite.model_schema import BaseModelSpec, SystemOneSpec, TransformersSpec
from llmeval.suite.yaml_file import Path as KeyPath


def make_judge(suite: Suite, name: str, model_roles: tuple[ModelRole, ...]) -> MemberVerdict:
    """One model, a panel or a cascade, all with one protocol."""
    spec, protocol = suite.judge(name), protocol_of(suite, name)
    criteria = criteria_of(suite, name, protocol)
    if spec.votes > 1 and all(_decides(spec, model_role.spec) for model_role in model_roles):
        message = (
            "a decision model gives the same verdict each time; `votes` is for judges that write a"
            " reply"
        )
        raise suite.error(("judges", name, "votes"), message)
    judges = []
    for model_role in model_roles:
        decides = _decides(spec, model_role.spec)
        if decides and (
            protocol.decision is None
            or (protocol.each and protocol.needs != "criteria" and not criteria)
        ):
            raise suite.error(
                ("judges", name, "prompt"),
                f"a decision model can't use the protocol {protocol.name!r}",
            )
        judges.append(
            Judge(
                name,
                model_role.caller,
                protocol,
                spec.params,
                criteria=criteria,
                source=ProbabilityVerdicts(protocol)
                if decides
                else ReplyVerdicts(protocol, logprobs=spec.logprobs),
                votes=1 if decides else spec.votes,
                cost=functools.partial(cost_of, price=model_role.spec.price),
            )
        )
    if spec.panel:
        return Panel(name, judges)
    return Cascade(name, judges, spec.band, spec.audit) if spec.cascade else judges[0]


def pairwise_judge(suite: Suite, name: str, judge: MemberVerdict) -> Judge:
    """The first model of a suite's judge with the protocol `pairwise`.

    Raises:
        SuiteError: it is a decision model, and that protocol has no question for one.
    """
    model_role = judge.members[0]
    if isinstance(model_role.source, ProbabilityVerdicts):
        raise suite.error(
            ("judges", name), "a comparison of two answers needs a judge that writes a reply"
        )
    return Judge(
        name, model_role.caller, load_protocol("pairwise", suite.base), suite.judge(name).params
    )


def _decides(spec: JudgeSpec, model: BaseModelSpec) -> bool:
    """Whether this model gives probabilities instead of a reply."""
    return isinstance(model, SystemOneSpec) or (
        spec.readout and isinstance(model, TransformersSpec)
    )


def criteria_of(suite: Suite, name: str, protocol: Protocol) -> tuple[Criterion, ...]:
    raw = suite.judge(name).criteria
    path: KeyPath = ("judges", name, "criteria")
    if raw and protocol.needs != "criteria" and not protocol.criteria:
        raise suite.error(
            path, f"the protocol {protocol.name!r} has no criteria; use `rubric` or `style`"
        )
    try:
        return parse_criteria(raw, f"judge {name}")
    except SuiteError as error:
        raise suite.error(path, str(error)) from None


def protocol_of(suite: Suite, name: str) -> Protocol:
    try:
        return load_protocol(suite.judge(name).prompt, suite.base)
    except SuiteError as error:
        raise suite.error(("judges", name, "prompt"), str(error)) from None


def judge_warnings(suite: Suite) -> list[str]:
    """Warnings about these judges, before any of them is called."""
    return [
        f"judges.{name}: decides if the facts check is not sure, but has no certificate."
        " Untrusted judges have made verdicts worse than that check alone: name a `certificate`"
        " (`llmeval judge certify`), or remove the judge"
        for name, spec in suite.spec.judges.items()
        if spec.when == "uncertain" and spec.certificate is None
    ]


def calibrations_of(suite: Suite, judges: Mapping[str, MemberVerdict]) -> dict[str, Calibration]:
    """By metric, the calibration map for the judge's probabilities, if its certificate has one."""
    paths = {name: path for name in judges if (path := certificate_of(suite, name)) is not None}
    calibrations = {
        name: calibration_of(read_certificate(path), judges[name].digest)
        for name, path in paths.items()
    }
    return {name: each for name, each in calibrations.items() if each is not None}


def certificate_of(suite: Suite, name: str) -> Path | None:
    path = suite.judge(name).certificate
    return None if path is None else suite.base / path


def refuse_self_judge(
    suite: Suite, candidate: ModelRole, judges: dict[str, tuple[ModelRole, ...]]
) -> None:
    """Refuse a judge that is the candidate, unless the suite allows it. Raises SuiteError."""
    if suite.spec.allow_self_judge:
        return
    for name, model_roles in judges.items():
        for number, model_role in enumerate(model_roles):
            if _aliases(suite, candidate) & _aliases(suite, model_role):
                raise suite.error(
                    ("judges", name, *suite.judge(name).models[number][0]),
                    "the judge is the candidate itself; name another model, or write"
                    " `allow_self_judge: true` in the suite",
                )


def _aliases(suite: Suite, model_role: ModelRole) -> set[str]:
    """What identifies a model: its build and its address; for local weights the name or folder.
    Other parameters do not make it another judge.
    """
    if isinstance(model_role.spec, TransformersSpec):
        folder = suite.base / model_role.spec.model
        place = str(folder.resolve()) if folder.is_dir() else model_role.spec.model
        return {digest(["transformers", place, model_role.spec.revision])}
    identity, spec = model_role.caller.model.identity, model_role.spec
    stated = getattr(spec, "base_url", None) or getattr(spec, "url", None)
    places = {identity.get("url"), None if stated is None else address(stated)} - {None}
    keys = [["url", place] for place in places] or [[]]
    if identity.get("build"):
        keys.append(["build", identity["build"]])
    # an `http` application has no model name: its address or build identifies it
    name = None if identity.get("provider") == "http" else identity.get("model")
    common = [identity.get("provider"), name, identity.get("headers"), identity.get("client")]
    return {digest([*common, *each]) for each in keys}
