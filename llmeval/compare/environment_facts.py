"""What a manifest records about the circumstances of a run, as single facts with the keys of
`environments:` that account for them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from llmeval.compare.differences import flat, plain
from llmeval.core.manifest import GitRecord, Manifest, SoftwareRecord
from llmeval.core.model_records import JudgeRecord, ModelRecord
from llmeval.gate.gate_terms import terms_of

RETURNED = "model returned"
"""The group of what the endpoint returns about itself. No suite file states it."""
RESIDUAL = "digest"
"""The last part of the key of a digest. It is compared only where no other fact of its group
differs, because it is computed from them and from texts that the manifest does not hold.
"""
_PLACE = ("url", "build", "headers", "api", "client", "method", "session")
_JUDGE = ("prompt", "prompt_version", "when", "attacks", "certificate", "certificate_digest")
_PARAMETERS = ("on_blocked", "on_error", "price")


class EnvironmentFact(NamedTuple):
    """One recorded fact."""

    group: str
    key: str
    text: str
    keys: tuple[str, ...] = ()
    """The keys of an environment that may change it: `candidate`, `models.NAME`, `cases`."""


def facts_of(manifest: Manifest) -> Iterator[EnvironmentFact]:
    """All facts of a manifest that are compared."""
    yield EnvironmentFact("environment", "suite", manifest.suite)
    yield EnvironmentFact("environment", "name", manifest.environment or "none")
    changes = ", ".join(sorted(manifest.environment_changes))
    yield EnvironmentFact("environment", "changes", changes or "nothing")
    yield from _candidate(manifest)
    yield from _conversation(manifest)
    for name, judge in manifest.judges.items():
        yield from _judge(name, judge, manifest)
    yield from _data(manifest)
    yield from _rules(manifest)
    yield from _software(manifest)


def _candidate(manifest: Manifest) -> Iterator[EnvironmentFact]:
    candidate = manifest.candidate
    yield EnvironmentFact("model requested", "name", candidate.name, ("candidate",))
    keys = ("candidate", f"models.{candidate.name}")
    yield from _model("", candidate, keys)
    record = msgspec.to_builtins(candidate)
    for name in _PARAMETERS:
        yield EnvironmentFact("parameters", name, plain(record[name]), keys)
    for name in ("returned_models", "fingerprints"):
        yield EnvironmentFact(RETURNED, name, ", ".join(record[name]))
    yield EnvironmentFact("model requested", RESIDUAL, manifest.digests.candidate, keys)


def _model(
    prefix: str,
    model: ModelRecord | JudgeRecord,
    keys: tuple[str, ...],
    group: str | None = None,
) -> Iterator[EnvironmentFact]:
    """Identity, address and parameters of a model. `group`: of all three, where it is one."""
    identity = dict(model.identity)
    in_identity = identity.pop("params", None)
    params = {**(in_identity if isinstance(in_identity, Mapping) else {}), **model.params}
    for key, text in flat("", identity):
        place = key.split(".")[0] in _PLACE
        yield EnvironmentFact(
            group or ("endpoint" if place else "model requested"), f"{prefix}{key}", text, keys
        )
    if "url" not in identity:
        yield EnvironmentFact(group or "endpoint", f"{prefix}host", model.host or "none", keys)
    for key, text in flat("", params):
        name = f"params.{key}" if key else "params"
        yield EnvironmentFact(group or "parameters", f"{prefix}{name}", text, keys)


def _conversation(manifest: Manifest) -> Iterator[EnvironmentFact]:
    yield EnvironmentFact("prompt", "prompt", manifest.digests.prompt)
    user = manifest.user
    if user is not None:
        group = "simulated user"
        yield from _model("", user, (f"models.{user.name}",), group)
        yield EnvironmentFact(group, RESIDUAL, user.digest)
    yield EnvironmentFact("prompt", "conversation", manifest.digests.conversation or "none")


def _judge(name: str, judge: JudgeRecord, manifest: Manifest) -> Iterator[EnvironmentFact]:
    group, own = f"judge {name}", f"judges.{name}"
    record = msgspec.to_builtins(judge)
    yield EnvironmentFact(group, "model", judge.model, (own,))
    for key in _JUDGE:
        yield EnvironmentFact(group, key, plain(record[key]), (own,))
    members: Sequence[ModelRecord] = judge.seats or ()
    for number, member in enumerate(members, 1):
        keys = (own, f"models.{member.name}")
        yield from _model(f"{number}.", member, keys, group)
    if not members:
        yield from _model("", judge, (own, f"models.{judge.model}"), group)
    yield EnvironmentFact(group, "trust", judge.trust, (own,))
    yield EnvironmentFact(group, "calibration", plain(record["calibration"]), (own,))
    seen = manifest.digests.judges.get(name, judge.digest)
    yield EnvironmentFact(group, RESIDUAL, seen, (own,))


def _data(manifest: Manifest) -> Iterator[EnvironmentFact]:
    keys = ("cases",)
    for key, text in flat("", msgspec.to_builtins(manifest.cases)):
        yield EnvironmentFact("data", key, text, keys)
    yield EnvironmentFact("data", "cases", manifest.digests.cases, keys)
    yield EnvironmentFact("data", "seed", plain(manifest.seed))
    part = manifest.shard or manifest.selection
    yield EnvironmentFact("data", "part", "none" if part is None else plain(_plain_of(part)))


def _rules(manifest: Manifest) -> Iterator[EnvironmentFact]:
    by_metric: dict[str, list[object]] = {}
    for check in manifest.checks:
        rest = {key: value for key, value in check.items() if key != "metric"}
        by_metric.setdefault(str(check["metric"]), []).append(rest)
    for metric, checks in by_metric.items():
        yield EnvironmentFact("checks", metric, plain(checks))
    yield EnvironmentFact("checks", RESIDUAL, manifest.digests.checks)
    terms = terms_of(manifest)
    for key, text in flat("", terms.gate):
        yield EnvironmentFact("gate", key, text)
    yield EnvironmentFact("gate", "measure", plain(terms.measure))
    for name in ("quarantine", "retired"):
        cases: tuple[str, ...] = getattr(terms, name)
        yield EnvironmentFact("gate", name, ", ".join(sorted(cases)) or "none")
    yield EnvironmentFact("gate", "repeats", str(manifest.repeats), ("repeats",))


def _software(manifest: Manifest) -> Iterator[EnvironmentFact]:
    """Of a merged run, that of its shards: they made the answers."""
    shards = manifest.merged_from
    software = [shard.llmeval for shard in shards] or [manifest.llmeval]
    for name in ("version", "python", "platform"):
        yield EnvironmentFact(
            "software",
            name.replace("version", "llmeval"),
            _texts(getattr(s, name) for s in software),
        )
    for package in sorted({name for each in software for name in each.packages}):
        versions = _texts(_version(each, package) for each in software)
        yield EnvironmentFact("software", package, versions)
    repositories = [shard.git for shard in shards] or [manifest.git]
    yield EnvironmentFact("code", "commit", _texts(_commit(git) for git in repositories))
    if manifest.modules is not None:
        yield EnvironmentFact("code", "modules", manifest.modules)


def _version(software: SoftwareRecord, package: str) -> str:
    return software.packages.get(package, "not installed")


def _commit(git: GitRecord | None) -> str:
    if git is None or git.commit is None:
        return "no repository"
    changes = f" + changes {(git.changes or 'without a digest')[:19]}" if git.dirty else ""
    return f"{git.commit[:12]}{changes}"


def _texts(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))


def _plain_of(record: object) -> object:
    return msgspec.to_builtins(record)
