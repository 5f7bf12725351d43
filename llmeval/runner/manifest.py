"""The manifest: who, what, with what. Written before the first call, completed after the last."""

import hashlib
import importlib.metadata
import os
import platform
import secrets
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from llmeval import __version__
from llmeval.core.records import SCHEMA, digest, utc_now
from llmeval.judges.assurance.certificate import read_certificate
from llmeval.models.identity import modules_below
from llmeval.runner.judge_factory import certificate_of
from llmeval.runner.model_roles import ModelRole
from llmeval.runner.options import Options
from llmeval.runner.plan import RunPlan, baseline_of
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


def new_run_id() -> str:
    """An id that sorts by time, such as 20260131T120000Z-3f9a1c."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def make_manifest(plan: RunPlan, options: Options, run_id: str) -> dict[str, Any]:
    """The manifest of a run that begins now."""
    suite = plan.suite
    return {
        "schema": SCHEMA,
        "run_id": run_id,
        "suite": suite.name,
        "suite_file": str(suite.path),
        "description": suite.spec.description,
        "started": utc_now(),
        "ended": None,
        "status": "running",
        "llmeval": _software(),
        "git": _git(suite.base),
        "modules": modules_below([suite.base, Path.cwd()])
        if _is_function(plan.candidate)
        else None,
        "environment": suite.environment,
        "environment_changes": list(suite.changes),
        "digests": digests(plan),
        "cases": {
            "n": len(plan.cases),
            "of": plan.cases.of,
            "source": suite.spec.cases.source
            if isinstance(suite.spec.cases.source, str)
            else "inline",
            "sample": None
            if suite.spec.cases.sample is None
            else suite.spec.cases.sample.model_dump(),
            "limit": options.limit,
        },
        "candidate": {**_seat(plan.candidate), "returned_models": [], "fingerprints": []},
        "judges": {name: _judge(plan, name) for name in plan.judges},
        "checks": _checks(plan),
        "repeats": suite.spec.repeats,
        "concurrency": options.concurrency,
        "seed": suite.spec.seed,
        **({"order_seed": run_id} if plan.may_stop else {}),
        "gate": {**gate_of(suite, options), "stop": "early" if plan.may_stop else "never"},
        "quarantine": [msgspec.to_builtins(entry) for entry in plan.quarantine.cases],
        "quarantine_ended": [msgspec.to_builtins(entry) for entry in plan.quarantine.ended],
        "warnings": list(plan.warnings),
        "retired": [msgspec.to_builtins(entry) for entry in plan.retired.cases],
        "undrawn": plan.undrawn,
        "rejudged": plan.rejudged,
        "parent_run": None,
        "command": sys.argv,
        **({} if plan.shard is None else {"shard": _shard(plan, plan.shard)}),
    }


def _is_function(seat: ModelRole) -> bool:
    return seat.caller.model.identity.get("provider") == "python"


def _shard(plan: RunPlan, shard: Shard) -> dict[str, Any]:
    """Which part this is, and what it is a part of."""
    n, cases = plan.whole
    return {"index": shard.index, "of": shard.of, "n": n, "digests": digests(plan, cases)}


def digests(plan: RunPlan, cases: str | None = None) -> dict[str, Any]:
    """What two runs must share to be the same experiment. `cases`: of the cases; default: those of
    the plan.
    """
    spec = plan.suite.spec
    cases = cases or plan.cases.digest
    checks = _checks(plan)
    prompt = [(role, template.source) for role, template in plan.prompt]
    return {
        "suite": digest(
            [cases, prompt, checks, spec.repeats, sorted(plan.judges), spec.gate.model_dump()]
        ),
        "cases": cases,
        "prompt": digest(prompt),
        "checks": digest(checks),
        "candidate": digest(plan.candidate.caller.model.identity),
        "judges": {name: judge.digest for name, judge in plan.judges.items()},
    }


def scoring_of(plan: RunPlan) -> dict[str, Any]:
    """What of a manifest says how a metric is scored."""
    judges = {name: {"when": plan.suite.judge(name).when} for name in plan.judges}
    return {"digests": digests(plan), "checks": _checks(plan), "judges": judges}


def _checks(plan: RunPlan) -> list[dict[str, Any]]:
    """The suite's checks as a manifest lists them."""
    return [{"metric": bound.metric, **bound.identity} for bound in plan.checks]


def gate_of(suite: Suite, options: Options) -> dict[str, Any]:
    """The suite's gate, with the place of its baseline as seen from anywhere.

    Raises:
        UsageError, SuiteError: as `build.baseline_of`.
    """
    gate = suite.spec.gate.model_dump()
    if gate["regression"] is not None:
        gate["regression"]["baseline"] = str(baseline_of(suite, options))
    return gate


def _seat(seat: ModelRole) -> dict[str, Any]:
    return {
        "name": seat.name,
        "identity": dict(seat.caller.model.identity),
        "host": _host(seat),
        "params": seat.spec.params,
        "on_blocked": seat.on_blocked,
    }


def _host(seat: ModelRole) -> str | None:
    """Where it ran, whether or not that is a part of what it is; None for what is no endpoint."""
    address = getattr(seat.spec, "base_url", None) or getattr(seat.spec, "url", None)
    return None if address is None else urlsplit(address).netloc.rpartition("@")[2]


def _judge(plan: RunPlan, name: str) -> dict[str, Any]:
    judge, bench, trust = plan.judges[name], plan.judge_seats[name], plan.trusts[name]
    first = judge.seats[0]
    stated, calibration = certificate_of(plan.suite, name), plan.calibrations.get(name)
    certificate = (
        read_certificate(stated) if trust.state == "TRUSTED" and stated is not None else None
    )
    return {
        "model": " + ".join(seat.name for seat in bench),
        "identity": dict(bench[0].caller.model.identity),
        "host": _host(bench[0]),
        "params": first.params,
        "prompt": first.protocol.name,
        "prompt_version": first.protocol.version,
        "seats": [_seat(seat) for seat in bench] if len(bench) > 1 else None,
        "digest": judge.digest,
        "when": plan.suite.judge(name).when,
        "attacks": plan.suite.judge(name).attacks,
        "certificate": plan.suite.judge(name).certificate,
        "trust": trust.state,
        "trust_reason": trust.reason,
        "labels": None if certificate is None else certificate.counts,
        "weighted": None if certificate is None else certificate.weighted or None,
        "certificate_digest": None if stated is None else digest(stated.read_bytes()),
        "calibration": None
        if calibration is None
        else {"method": calibration.method, **calibration.figures},
    }


def _software() -> dict[str, Any]:
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(terse=True),
        "packages": packages,
    }


def _git(directory: Path) -> dict[str, Any] | None:
    """Commit, branch and whether there are changes, of the repository that the suite lies in;
    `changes` is the sha256 of the changes to its files, None where there are none."""

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
        commit, branch = git("rev-parse", "HEAD", "--abbrev-ref", "HEAD").decode().split("\n")
        dirty = bool(git("status", "--porcelain", "--untracked-files=no"))
        changes = git("diff", "--no-ext-diff", "--no-textconv", "HEAD") if dirty else None
        seen = None if changes is None else "sha256:" + hashlib.sha256(changes).hexdigest()
        return {"commit": commit, "branch": branch, "dirty": dirty, "changes": seen}
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
