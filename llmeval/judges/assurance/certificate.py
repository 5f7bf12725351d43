"""Whether a judge may be trusted: its certificate, held against the judge that is used now."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

from llmeval.core.errors import SuiteError
from llmeval.core.records import SCHEMA, Case, Message

if TYPE_CHECKING:
    from llmeval.judges.ensemble import MemberVerdict


class Trust(NamedTuple):
    """TRUSTED or UNTRUSTED, and why in one sentence."""

    state: Literal["TRUSTED", "UNTRUSTED"]
    reason: str


class Figure(msgspec.Struct, frozen=True):
    """A statistic and its 95 % interval; `value` None where the labels lack answers of one kind."""

    value: float | None
    low: float
    high: float


class FigureGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A slice of the labels, or the answers of one system (an arm): counts, judge's verdict first,
    and figures.
    """

    name: str
    n: int
    pass_pass: int
    pass_fail: int
    fail_pass: int
    fail_fail: int
    sensitivity: Figure
    specificity: Figure
    youden: Figure


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """One bias probe: n answers judged as they are and changed in a way that must not matter.

    `p`: exact McNemar; `adjusted`: Holm's over all probes. `detectable`: the smallest shift of the
    pass rate that n answers find with a probability of 80 %. `needed`: answers for which that is 5
    points. `note`: why it was not carried out.
    """

    name: str
    n: int = 0
    became_pass: int = 0
    became_fail: int = 0
    p: float = 1.0
    adjusted: float = 1.0
    found: bool = False
    detectable: float | None = None
    needed: int | None = None
    note: str = ""


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose verdict is known: judged again in every run, it shows when the judge has
    changed.
    """

    case: Case
    asked: tuple[Message, ...]
    answer: str
    passed: bool


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled answer that the judge sees otherwise than people: where a rubric needs repair, or
    a label does.
    """

    id: str
    people: bool
    judge: bool | None
    question: str
    answer: str
    references: tuple[str, ...] = ()
    reason: str = ""


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What labels showed about one judge. `judge`: its digest; `parts`: what the digest is made of.

    `figures`: sensitivity, specificity, youden, balanced_accuracy, accuracy, mcc, kappa, ac1.
    `youden_lower`: J's one-sided 95 % lower bound. `counts`: of the labels; `weighted`: as if they
    were drawn at random within people's verdicts, which is what a pass rate is corrected by.
    `natural`: share of verdicts that change between identical calls, for the anchors' alarm.
    """

    schema: int = SCHEMA
    judge: str
    trusted: bool
    reason: str = ""
    labels: int = 0
    suite: str = ""
    metric: str = ""
    made: str = ""
    expires: str = ""
    llmeval: str = ""
    parts: dict[str, Any] = {}
    provenance: dict[str, Any] = {}
    counts: dict[str, int] = {}
    weighted: dict[str, float] = {}
    figures: dict[str, Figure] = {}
    youden_lower: float | None = None
    leniency_p: float | None = None
    probabilities: dict[str, Any] | None = None
    retest: dict[str, Any] | None = None
    slices: tuple[FigureGroup, ...] = ()
    arms: tuple[FigureGroup, ...] = ()
    people: dict[str, Any] | None = None
    alt_test: dict[str, Any] | None = None
    probes: tuple[Probe, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    natural: float = 0.02
    anchor_calls: int = 1
    """Calls behind each anchor's verdict, which all agreed."""
    anchors: tuple[Anchor, ...] = ()


def read_certificate(path: Path) -> Certificate:
    """A certificate from its file.

    Raises:
        SuiteError: the file can't be read as one.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Certificate)
    except FileNotFoundError:
        raise SuiteError(
            f"{path}: there is no certificate. `llmeval judge certify SUITE --labels ...` writes"
            " it; until then take `certificate` out of the judge, which is UNTRUSTED without it"
        ) from None
    except (OSError, msgspec.DecodeError) as error:
        raise SuiteError(f"{path}: can't be read as a judge's certificate: {error}") from None
    if found.schema > SCHEMA:
        raise SuiteError(
            f"{path}: has schema {found.schema}, this llmeval reads up to {SCHEMA}: upgrade llmeval"
        )
    return found


def expired(certificate: Certificate, today: date | None = None) -> bool:
    """Whether its last day is over; `today` is by default now, UTC."""
    return (
        bool(certificate.expires)
        and (today or datetime.now(UTC).date()).isoformat() > certificate.expires
    )


def trust(
    judge_digest: str,
    certificate: Path | None,
    parts: Mapping[str, Any] | None = None,
    today: date | None = None,
) -> Trust:
    """What a certificate says of the judge with this digest; any change of model, prompt or
    parameters voids it.

    Args:
        judge_digest: of the judge that is used now.
        certificate: the file; None when the suite names none.
        parts: what that digest is made of, to say what changed.
        today: the day it must not have expired on; default: now, UTC.

    Raises:
        SuiteError: the file can't be read as a certificate.
    """
    if certificate is None:
        return Trust(
            "UNTRUSTED",
            "no labels have shown yet how often this judge is right (it has no certificate)",
        )
    found = read_certificate(certificate)
    if found.judge != judge_digest:
        changed = "; ".join(changes(found.parts, parts)) if parts and found.parts else ""
        return Trust(
            "UNTRUSTED",
            "its certificate is void: it was made for another model, prompt or parameters"
            + (f" ({changed})" if changed else ""),
        )
    if not found.trusted:
        return Trust("UNTRUSTED", found.reason or "its certificate says that it can't be trusted")
    if expired(found, today):
        return Trust("UNTRUSTED", f"its certificate expired on {found.expires}: certify it again")
    if not found.weighted and found.provenance.get("sampling", {}).get("stratified"):
        return Trust(
            "UNTRUSTED",
            "its certificate does not weigh labels drawn with unequal chances: certify it again",
        )
    return Trust("TRUSTED", found.reason or f"certified on {found.labels} labels")


def parts_of(judge: "MemberVerdict") -> dict[str, Any]:
    """What a judge's digest is made of, so that a void certificate can say what changed."""
    if len(judge.seats) > 1:
        return {
            "seats": {str(number): parts_of(seat) for number, seat in enumerate(judge.seats, 1)},
            **judge.rules,
        }
    seat = judge.seats[0]
    protocol = seat.protocol
    return {
        "model": dict(seat.caller.model.identity),
        "protocol": {"name": protocol.name, "version": protocol.version, "digest": protocol.digest},
        "params": dict(seat.params),
        **judge.rules,
    }


def changes(before: Any, now: Any, path: str = "") -> Iterator[str]:
    """What differs between two judges' parts, a sentence each: `model.device was cpu, is cuda`."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now}):
            yield from changes(before.get(key), now.get(key), f"{path}.{key}" if path else str(key))
    elif before != now:
        yield f"{path} was {_brief(before)}, is {_brief(now)}"


def _brief(value: Any) -> str:
    if value is None:
        return "absent"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:20]}…"
