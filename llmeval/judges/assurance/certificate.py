"""Whether a judge may be trusted: compares its certificate with the judge that is used now."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from llmeval.core.certificate import Certificate
from llmeval.core.errors import SuiteError
from llmeval.core.files import irregular_kind
from llmeval.core.model_records import LabelTable
from llmeval.core.records import SCHEMA

if TYPE_CHECKING:
    from llmeval.judges.ensemble import MemberVerdict


class Trust(NamedTuple):
    """TRUSTED or UNTRUSTED, and why in one sentence."""

    state: Literal["TRUSTED", "UNTRUSTED"]
    reason: str


def read_certificate(path: Path) -> Certificate:
    """A certificate from its file.

    Raises:
        SuiteError: the file can't be read as one.
    """
    kind = irregular_kind(path)
    if kind:
        raise SuiteError(f"{path}: is {kind}, and only files are read: name a file")
    try:
        certificate = msgspec.json.decode(path.read_bytes(), type=Certificate)
        for counts in (certificate.counts, certificate.weighted):
            if counts:
                msgspec.convert(counts, LabelTable)
    except FileNotFoundError:
        raise SuiteError(
            f"{path}: there is no certificate. Write it with `llmeval judge certify SUITE --labels"
            " ...`, or remove `certificate` from the judge, which is then UNTRUSTED"
        ) from None
    except (OSError, ValueError) as error:
        raise SuiteError(f"{path}: can't be read as a judge's certificate: {error}") from None
    if certificate.schema > SCHEMA:
        raise SuiteError(
            f"{path}: has schema {certificate.schema}, this llmeval reads up to {SCHEMA}: upgrade"
            " llmeval"
        )
    return certificate


def expired(certificate: Certificate, today: date | None = None) -> bool:
    """Whether its last day is over; `today` is by default now, UTC."""
    return (
        bool(certificate.expires)
        and (today or datetime.now(UTC).date()).isoformat() > certificate.expires
    )


def trust(
    judge_digest: str,
    certificate: Path | None,
    parts: Mapping[str, object] | None = None,
    today: date | None = None,
) -> Trust:
    """The trust in the judge with this digest by its certificate. Any change of model, prompt or
    parameters makes the certificate void.

    Args:
        judge_digest: the digest of the judge that is used now.
        certificate: the file; None if the suite names none.
        parts: the values behind that digest, to name the change.
        today: the day on which it must still be valid; default: today, UTC.

    Raises:
        SuiteError: the file can't be read as a certificate.
    """
    if certificate is None:
        return Trust(
            "UNTRUSTED",
            "no labels show how often this judge is right: it has no certificate",
        )
    certified = read_certificate(certificate)
    if certified.judge != judge_digest:
        changed = "; ".join(changes(certified.parts, parts)) if parts and certified.parts else ""
        return Trust(
            "UNTRUSTED",
            "its certificate is void: it was made for another model, prompt or parameters"
            + (f" ({changed})" if changed else ""),
        )
    if not certified.trusted:
        return Trust(
            "UNTRUSTED", certified.reason or "its certificate states that it can't be trusted"
        )
    if expired(certified, today):
        return Trust(
            "UNTRUSTED", f"its certificate expired on {certified.expires}: certify it again"
        )
    if not certified.weighted and certified.provenance.get("sampling", {}).get("stratified"):
        return Trust(
            "UNTRUSTED",
            "its certificate does not weight labels drawn with unequal probabilities: certify it"
            " again",
        )
    return Trust("TRUSTED", certified.reason or f"certified on {certified.labels} labels")


def parts_of(judge: "MemberVerdict", structured: str | None = None) -> dict[str, object]:
    """The values behind a judge's digest, so that a void certificate can name the change.

    `structured`: as for `Judge.digest_with`.
    """
    if len(judge.members) > 1:
        return {
            "seats": {
                str(number): parts_of(member) for number, member in enumerate(judge.members, 1)
            },
            **judge.rules,
        }
    member = judge.members[0]
    protocol = member.protocol
    return {
        "model": {
            **member.caller.model.identity,
            **({} if structured is None else {"structured_output": structured}),
        },
        "protocol": {"name": protocol.name, "version": protocol.version, "digest": protocol.digest},
        "params": dict(member.params),
        **judge.rules,
    }


def changes(before: object, now: object, path: str = "") -> Iterator[str]:
    """The differences between two judges' parts, one sentence each: `model.device was cpu, is
    cuda`.
    """
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now}):
            yield from changes(before.get(key), now.get(key), f"{path}.{key}" if path else str(key))
    elif before != now:
        yield f"{path} was {_brief(before)}, is {_brief(now)}"


def _brief(value: object) -> str:
    if value is None:
        return "absent"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:20]}…"
