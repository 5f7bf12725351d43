"""Makes the manifest of a run. It is written before the first call, and
completed after the last.
"""

import functools
import hashlib
import importlib.metadata
import os
import platform
import secrets
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import structs

from llmeval import __version__
from llmeval.checks.bound import BoundCheck
from llmeval.core.certificate import Certificate
from llmeval.core.files import shown_path
from llmeval.core.gate_record import GateRecord
from llmeval.core.manifest import (
    CasesRecord,
    Digests,
    GitRecord,
    Manifest,
    SampleRecord,
    ScoringInputs,
    ShardRecord,
    SoftwareRecord,
)
from llmeval.core.manifest_file import without_secrets
from llmeval.core.model_records import (
    CandidateRecord,
    JudgeArm,
    JudgeRecord,
    LabelTable,
    ModelRecord,
    PriceRecord,
    SimulatedUserRecord,
)
from llmeval.core.records import digest, utc_now
from llmeval.judges.assurance.certificate import read_certificate
from llmeval.models.identity import modules_below
from llmeval.runner.judge_factory import certificate_of
from llmeval.runner.model_roles import ModelRole
from llmeval.runner.options import Options
from llmeval.runner.plan import RunPlan, baseline_of
from llmeval.runner.script import KEPT_GOAL
from llmeval.runner.sharding import Shard
from llmeval.suite.loader import Suite

_PACKAGES = (
    "openai",
    "aiohttp",
    "transformers",
    "torch",
    "datasets",
    "pandas",
    "pydantic",
    "jinja2",
    "numpy",
)
NO_CALLS: Mapping[str, int] = {}


def new_run_id() -> str:
    """An id that sorts by time, such as 20260131T120000Z-2f9a1c. The last part is milliseconds, so
    that runs of one second are in order, and then random: each three hexadecimal digits.
    """
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%SZ}-{now.microsecond // 1000:03x}{secrets.randbelow(1 << 12):03x}"


def make_manifest(plan: RunPlan, options: Options, run_id: str) -> Manifest:
    """The manifest of a run that begins now."""
    suite = plan.suite
    spec = suite.spec.cases
    scoring = scoring_of(plan)
    gate = gate_of(suite, options)
    manifest = Manifest(
        run_id=run_id,
        suite=suite.name,
        suite_file=shown_path(suite.path),
        description=suite.spec.description,
        started=utc_now(),
        status="running",
        llmeval=software_record(),
        git=_git(suite.base),
        modules=modules_below([suite.base, Path.cwd()]) if _is_function(plan.candidate) else None,
        environment=suite.environment,
        environment_changes=tuple(suite.changes),
        digests=scoring.digests,
        cases=CasesRecord(
            n=len(plan.cases),
            of=plan.cases.of,
            source=spec.source if isinstance(spec.source, str) else "inline",
            sample=None if spec.sample is None else SampleRecord(**spec.sample.model_dump()),
            limit=options.limit,
        ),
        candidate=_candidate(plan.candidate),
        user=_user(plan),
        judges=scoring.judges,
        checks=scoring.checks,
        repeats=suite.spec.repeats,
        concurrency=options.concurrency,
        seed=suite.spec.seed,
        order_seed=run_id if plan.may_stop else None,
        gate=structs.replace(gate, stop="early" if plan.may_stop else "never"),
        measure=dict(suite.spec.measure),
        quarantine=plan.quarantine.cases,
        quarantine_ended=plan.quarantine.ended,
        warnings=plan.warnings,
        retired=plan.retired.cases,
        undrawn=plan.undrawn,
        rejudged=plan.rejudged,
        command=tuple(map(shown_path, sys.argv)),
        approvals=None if suite.spec.approvals is None else suite.spec.approvals.record(),
        shard=None if plan.shard is None else _shard(plan, plan.shard),
        selection=plan.selection,
        grid=options.grid,
        prompt=options.prompt,
    )
    return without_secrets(manifest)


def with_unfinished(
    plan: RunPlan, manifest: Manifest, elsewhere: Mapping[str, int] = NO_CALLS
) -> Manifest:
    """The manifest with the calls that are in no record: calls for cases without an answer or an
    error when the run ended.

    Args:
        plan: has the callers of this process.
        manifest: of the run.
        elsewhere: by role, such calls of other processes.
    """
    counts = dict(manifest.unfinished_calls)
    for calls_of in (unfinished_calls(plan), elsewhere):
        for role, calls in calls_of.items():
            counts[role] = counts.get(role, 0) + calls
    return structs.replace(manifest, unfinished_calls=counts)


def unfinished_calls(plan: RunPlan) -> dict[str, int]:
    """By role, the calls that are in no record yet; they are counted from 0 again."""
    roles = [("candidate", plan.candidate)]
    roles += [
        (f"judge:{name}", model_role)
        for name, model_roles in plan.judge_roles.items()
        for model_role in model_roles
    ]
    if plan.user is not None:
        roles += [("user", role) for role in plan.user.roles]
    counts: dict[str, int] = {}
    for role, model_role in roles:
        if calls := model_role.caller.sender.take_unfinished():
            counts[role] = counts.get(role, 0) + calls
    return counts


def _is_function(role: ModelRole) -> bool:
    return role.caller.model.identity.get("provider") == "python"


def _shard(plan: RunPlan, shard: Shard) -> ShardRecord:
    """The shard of this run, with the digests of the whole."""
    n, cases = plan.whole
    return ShardRecord(index=shard.index, of=shard.of, n=n, digests=digests(plan, cases))


def digests(plan: RunPlan, cases: str | None = None) -> Digests:
    """The digests that two runs must share to be the same experiment. `cases`: the digest of the
    cases; default: that of the plan.
    """
    return _digests(plan, _checks(plan), cases)


def scoring_of(plan: RunPlan) -> ScoringInputs:
    """How a plan scores."""
    checks = _checks(plan)
    return ScoringInputs(
        digests=_digests(plan, checks),
        checks=checks,
        judges={name: _judge(plan, name) for name in plan.judges},
    )


def _digests(
    plan: RunPlan, checks: tuple[dict[str, object], ...], cases: str | None = None
) -> Digests:
    cases = cases or plan.cases.digest
    spec = plan.suite.spec
    prompt = [(role, template.source) for role, template in plan.prompt]
    return Digests(
        suite=digest(
            [
                cases,
                prompt,
                *([plan.conversation] if plan.conversation else []),
                checks,
                spec.repeats,
                sorted(plan.judges),
                spec.gate.model_dump(),
            ]
        ),
        cases=cases,
        prompt=digest(prompt),
        conversation=plan.conversation,
        checks=digest(checks),
        candidate=digest(plan.candidate.caller.model.identity),
        judges={name: judge.digest for name, judge in plan.judges.items()},
    )


def _user(plan: RunPlan) -> SimulatedUserRecord | None:
    """The simulated user, as the manifest has it."""
    if plan.user is None:
        return None
    spec, judge = plan.user.spec, plan.user.judge
    return SimulatedUserRecord(
        **structs.asdict(_model(plan.user.role)),
        seed=spec.seed,
        goal=spec.goal,
        persona=spec.persona,
        stop=spec.stop,
        digest=plan.user.digest,
        judge=None if judge is None else judge.digest,
        judge_identity=None if judge is None else dict(judge.caller.model.identity),
    )


def _checks(plan: RunPlan) -> tuple[dict[str, object], ...]:
    """The suite's checks in the form of the manifest, then your own functions of single cases."""
    user = ({"metric": KEPT_GOAL, "check": KEPT_GOAL},) if plan.user is not None else ()
    return (*checks_record(plan.checks), *user, *_case_functions(plan))


def _case_functions(plan: RunPlan) -> list[dict[str, object]]:
    """The digest of the source of your own checks in single cases, by metric. The cases' digests
    contain only their names. Each shard lists the checks of all cases, so that shards agree.
    """
    cases = plan.cases.with_own_checks() if plan.shard is None else plan.cases.everything()
    sources = {
        (metric, bound.source)
        for case in cases
        if case.checks
        for bound in plan.checks_for(case)[len(plan.checks) :]
        if bound.source is not None
        for metric in bound.metrics
    }
    return [
        {"metric": metric, "in": "cases", "source": source} for metric, source in sorted(sources)
    ]


def checks_record(checks: Iterable[BoundCheck]) -> tuple[dict[str, object], ...]:
    """Checks in the form of the manifest, in plain JSON: an entry for each metric."""
    return tuple(
        msgspec.json.decode(msgspec.json.encode({"metric": metric, **bound.identity}))
        for bound in checks
        for metric in bound.metrics
    )


def gate_of(suite: Suite, options: Options) -> GateRecord:
    """The suite's gate, with the absolute path of its baseline.

    Raises:
        UsageError, SuiteError: as `plan.baseline_of`.
    """
    gate = suite.spec.gate.record()
    if gate.regression is None:
        return gate
    baseline = str(baseline_of(suite, options))
    return structs.replace(gate, regression=structs.replace(gate.regression, baseline=baseline))


def _model(role: ModelRole) -> ModelRecord:
    return ModelRecord(
        name=role.name,
        identity=dict(role.caller.model.identity),
        host=_host(role),
        params=dict(role.spec.params),
        on_blocked=role.on_blocked,
    )


def _candidate(role: ModelRole) -> CandidateRecord:
    price = role.spec.price
    return CandidateRecord(
        **structs.asdict(_model(role)),
        price=None if price is None else PriceRecord(price.input, price.output),
        on_error=role.on_error,
    )


def _host(role: ModelRole) -> str | None:
    """The host of a model, also if it is not a part of its identity; None for a model without an
    endpoint.
    """
    address = getattr(role.spec, "base_url", None) or getattr(role.spec, "url", None)
    return None if address is None else urlsplit(address).netloc.rpartition("@")[2]


def _judge(plan: RunPlan, name: str) -> JudgeRecord:
    judge, roles, trust = plan.judges[name], plan.judge_roles[name], plan.trusts[name]
    first, spec = judge.members[0], plan.suite.judge(name)
    path, calibration = certificate_of(plan.suite, name), plan.calibrations.get(name)
    certificate = read_certificate(path) if trust.state == "TRUSTED" and path is not None else None
    return JudgeRecord(
        model=" + ".join(role.name for role in roles),
        identity=dict(roles[0].caller.model.identity),
        host=_host(roles[0]),
        params=dict(first.params),
        prompt=first.protocol.name,
        prompt_version=first.protocol.version,
        seats=tuple(map(_model, roles)) if len(roles) > 1 else None,
        digest=judge.digest,
        when=spec.when,
        attacks=spec.attacks,
        certificate=spec.certificate,
        trust=trust.state,
        trust_reason=trust.reason,
        labels=None if certificate is None else _labels(certificate.counts),
        weighted=None if certificate is None else _labels(certificate.weighted),
        arms=() if certificate is None else _arms(certificate),
        certificate_digest=None if path is None else digest(path.read_bytes()),
        calibration=None
        if calibration is None
        else {"method": calibration.method, **calibration.figures},
    )


def _arms(certificate: Certificate) -> tuple[JudgeArm, ...]:
    return tuple(
        JudgeArm(
            name=arm.name,
            system=arm.system,
            sensitivity=arm.sensitivity,
            specificity=arm.specificity,
        )
        for arm in certificate.arms
        if arm.system
    )


def _labels(counts: Mapping[str, float]) -> LabelTable | None:
    """The labels of a certificate; None if it states none."""
    return msgspec.convert(counts, LabelTable) if counts else None


@functools.cache
def software_record() -> SoftwareRecord:
    """What this process runs with: read once, since what it has imported does not change."""
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return SoftwareRecord(
        version=__version__,
        python=platform.python_version(),
        platform=platform.platform(terse=True),
        packages=packages,
    )


def _git(directory: Path) -> GitRecord | None:
    """Commit, branch and uncommitted changes of the suite's repository. `changes` is the sha256 of
    the uncommitted changes, None without any.
    """

    def git(*arguments: str) -> bytes:
        environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            capture_output=True,
            timeout=10,
            env=environment,
            check=True,
        )
        return done.stdout.strip()

    try:
        commit, tree, branch = (
            git("rev-parse", "HEAD", "HEAD^{tree}", "--abbrev-ref", "HEAD").decode().split("\n")
        )
        dirty = bool(git("status", "--porcelain", "--untracked-files=no"))
        changes = git("diff", "--no-ext-diff", "--no-textconv", "HEAD") if dirty else None
        seen = None if changes is None else "sha256:" + hashlib.sha256(changes).hexdigest()
        return GitRecord(commit=commit, tree=tree, branch=branch, dirty=dirty, changes=seen)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
