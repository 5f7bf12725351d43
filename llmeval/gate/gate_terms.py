"""The gate that a baseline was approved with, and how today's differs from it: looser, tighter, or
only changed.

A lock file keeps its gate as `GateTerms`, so that a PASS of a gate that was loosened says so.
"looser" means that some run exits with 0 that would not have before. Where a change can work both
ways (more repeats, another argument of a check), it is "changed".
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Literal

import msgspec

from llmeval.core.gate_record import Floors, Limits, Margins, RegressionRecord
from llmeval.core.gate_terms import GateTerms, JudgeTerms
from llmeval.core.manifest import GateInputs
from llmeval.core.records import canonical_json, digest
from llmeval.core.results import GateChange
from llmeval.gate.approval_terms import approval_changes, approval_terms
from llmeval.gate.rules.threshold import Threshold, floors_in, limits_in, margins_in

Direction = Literal["looser", "tighter", "changed"]

_SHORT = 120
"""Arguments of a check up to so many characters are kept as they are, longer ones by their
digest.
"""
_NAMED = 10
_NOT_RULES = frozenset(["quarantine", "retired", "stop"])
"""Keys of a gate that hold a path, or say when a run ends: they make no rule easier or harder."""
_EASIER_UP = frozenset(["beta", "max_unscored", "max_gone"])
"""Settings by which more runs pass the larger they are."""
_STRICTNESS = ("pass", "warn", "fail")
_JUDGE = ("prompt", "when", "certificate", "attacks")


def terms_of(inputs: GateInputs) -> GateTerms:
    """The terms of a run from its manifest, or of a suite (`runner.stated_gate.stated`)."""
    gate = {
        key: value
        for key, value in msgspec.to_builtins(inputs.gate).items()
        if key not in _NOT_RULES
    }
    if gate["regression"] is not None:
        del gate["regression"]["baseline"]
        if gate["regression"]["release"] is None:
            del gate["regression"]["release"]
        if gate["regression"]["paired"]:
            del gate["regression"]["paired"]
    if not gate["improve"]:
        del gate["improve"]
    return GateTerms(
        gate=gate,
        repeats=inputs.repeats,
        checks={
            str(check["metric"]): _arguments(check)
            for check in inputs.checks
            if check.get("in") != "cases"  # a suite without a run does not list those
        },
        judges={
            name: JudgeTerms(
                prompt=judge.prompt,
                when=judge.when,
                certificate=judge.certificate,
                attacks=judge.attacks,
                digest=inputs.digests.judges.get(name),
            )
            for name, judge in inputs.judges.items()
        },
        measure=dict(inputs.measure),
        quarantine=tuple(entry.case_id for entry in inputs.quarantine),
        retired=tuple(entry.case_id for entry in inputs.retired),
        approvals=approval_terms(inputs.approvals),
    )


class StatedLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What of the gate in `GateTerms` is compared as numbers; the rest is compared as it is."""

    never: tuple[str, ...] = ()
    floors: Floors = {}
    limits: Limits = {}
    regression: RegressionRecord | None = None
    improve: Floors = {}
    on_inconclusive: str = "fail"
    alpha: float | None = None
    beta: float | None = None
    max_unscored: float | None = None

    @property
    def margins(self) -> Margins:
        """The margins of the comparison; empty where nothing is compared."""
        return {} if self.regression is None else self.regression.margins

    @property
    def release_margins(self) -> Margins:
        """The margins of the comparison with the release."""
        release = None if self.regression is None else self.regression.release
        return {} if release is None else release.margins


def limits_of(terms: GateTerms) -> StatedLimits:
    """The limits that a gate states.

    Raises:
        ValueError: one of them is not a limit.
    """
    return msgspec.convert(terms.gate, StatedLimits)


def changes(before: GateTerms, now: GateTerms) -> tuple[GateChange, ...]:
    """How `now` differs from `before`; the looser changes first."""
    old, new = limits_of(before), limits_of(now)
    policies = old.on_inconclusive, new.on_inconclusive
    changed = [
        *_limits("floor", floors_in(old.floors), floors_in(new.floors), policies, up="tighter"),
        *_limits("limit", limits_in(old.limits), limits_in(new.limits), policies, up="looser"),
        *_limits("margin", margins_in(old.margins), margins_in(new.margins), policies, up="looser"),
        *_limits(
            "release margin",
            margins_in(old.release_margins),
            margins_in(new.release_margins),
            policies,
            up="looser",
        ),
        *_limits("improve", floors_in(old.improve), floors_in(new.improve), policies, up="tighter"),
        *_never(old.never, new.never),
        *_measure(before.measure, now.measure),
        *_must_pass(before.gate.get("must_pass"), now.gate.get("must_pass")),
        *_settings(before, now),
        *_checks(before.checks, now.checks),
        *_judges(before.judges, now.judges),
        *_entries("quarantined", "in quarantine", before.quarantine, now.quarantine),
        *_entries("retired", "retired", before.retired, now.retired),
        *(_change("approvals", *each) for each in approval_changes(before, now)),
    ]
    order = ("looser", "changed", "tighter")
    return tuple(sorted(changed, key=lambda change: order.index(change.direction)))


def _change(what: str, direction: Direction, text: str) -> GateChange:
    return GateChange(
        what=what,
        direction=direction,
        text=text if direction == "changed" else f"{text}: {direction}",
    )


def _never(before: Collection[str], now: Collection[str]) -> Iterator[GateChange]:
    for key in [*before, *(key for key in now if key not in before)]:
        if key not in now:
            yield _change(f"never {key}", "looser", f"rule removed: never {key}")
        elif key not in before:
            yield _change(f"never {key}", "tighter", f"rule added: never {key}")


def _measure(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[GateChange]:
    for name in [*before, *(name for name in now if name not in before)]:
        old, new = before.get(name), now.get(name)
        if old != new:
            what = f"measure {name}"
            yield _change(what, "changed", f"{what} {_shown(old)} -> {_shown(new)}")


def _limits(
    kind: str,
    before: Mapping[str, Threshold],
    now: Mapping[str, Threshold],
    policies: tuple[str, str],
    up: Direction,
) -> Iterator[GateChange]:
    """`policies`: `on_inconclusive` of the two gates. `up`: what a higher limit is."""
    down: Direction = "looser" if up == "tighter" else "tighter"
    for key in [*before, *(key for key in now if key not in before)]:
        what, old, new = f"{kind} {key}", before.get(key), now.get(key)
        if old == new:
            continue
        if new is None:
            yield _change(what, "looser", f"rule removed: {what}")
        elif old is None:
            yield _change(what, "tighter", f"rule added: {what} {_number(new.value)}")
        else:
            ways = {up if new.value > old.value else down} if new.value != old.value else set()
            scale = ""
            if new.judge_scale != old.judge_scale:
                # on the judge's own scale an UNTRUSTED judge decides, and nothing corrects its
                # errors
                ways.add("looser" if new.judge_scale else "tighter")
                scale = f", scale {old.scale} -> {new.scale}"
            moved = (
                f" {_number(old.value)} -> {_number(new.value)}" if new.value != old.value else ""
            )
            way, policy = _policy_change(old, new, policies)
            ways |= way
            if moved or scale or policy:
                direction = ways.pop() if len(ways) == 1 else "changed"
                yield _change(what, direction, f"{what}{moved}{scale}{policy}")


def _policy_change(
    old: Threshold, new: Threshold, policies: tuple[str, str]
) -> tuple[set[Direction], str]:
    """The direction and the words of another `on_inconclusive` of a rule; nothing where neither
    gate states one for the rule, as the change of the gate's own is listed then.
    """
    if old.on_inconclusive is None and new.on_inconclusive is None:
        return set(), ""
    before, now = old.on_inconclusive or policies[0], new.on_inconclusive or policies[1]
    if before == now or not {before, now} <= set(_STRICTNESS):
        return set(), ""
    looser = _STRICTNESS.index(now) < _STRICTNESS.index(before)
    return {"looser" if looser else "tighter"}, f", on_inconclusive {before} -> {now}"


def _must_pass(before: object, now: object) -> Iterator[GateChange]:
    """`all`, a list of ids, {tag: value} or None."""
    if before == now:
        return
    if not now:
        yield _change("must_pass", "looser", f"rule removed: must_pass {_shown(before)}")
    elif not before:
        yield _change("must_pass", "tighter", f"rule added: must_pass {_shown(now)}")
    else:
        direction: Direction = "changed"
        if before == "all" or now == "all":
            direction = "looser" if before == "all" else "tighter"
        elif isinstance(before, list) and isinstance(now, list):
            left, came = set(before) - set(now), set(now) - set(before)
            if not (left and came):
                direction = "looser" if left else "tighter"
        yield _change("must_pass", direction, f"must_pass {_shown(before)} -> {_shown(now)}")


def _settings(before: GateTerms, now: GateTerms) -> Iterator[GateChange]:
    """Everything else that the gate states, and the repeats."""
    one, two = _flat(before), _flat(now)
    for key in [*one, *(key for key in two if key not in one)]:
        old, new = one.get(key), two.get(key)
        if key == "judge_shift" and not (before.judges and now.judges):
            continue  # it says nothing without a judge
        if old != new:
            yield _change(
                key, _direction(key, old, new, now), f"{key} {_shown(old)} -> {_shown(new)}"
            )


def _flat(terms: GateTerms) -> dict[str, object]:
    # Where there is no regression rule, `max_gone` has its default: a rule that came or went is one
    # change, not two.
    gate, regression = terms.gate, terms.gate.get("regression") or {"max_gone": 0}
    flat = {
        key: value
        for key, value in gate.items()
        if key not in ("never", "floors", "limits", "regression", "improve", "must_pass")
    }
    flat |= {key: value for key, value in regression.items() if key not in ("margins", "release")}
    defaults = {
        "attempts": 1,
        "about": "cases_like_these",
        "judge_shift": 0.0,
        "paired": True,
    }
    return {**defaults, **flat, "repeats": terms.repeats}


def _direction(key: str, old: Any, new: Any, now: GateTerms) -> Direction:
    if old is None or new is None:
        return "changed"
    if key in _EASIER_UP:
        return "looser" if new > old else "tighter"
    if key == "paired":  # without pairs, harder cases may give way to easier ones
        return "tighter" if new else "looser"
    if key == "on_inconclusive" and {old, new} <= set(_STRICTNESS):
        return "looser" if _STRICTNESS.index(new) < _STRICTNESS.index(old) else "tighter"
    if key in ("attempts", "judge_shift"):
        return "looser" if new < old else "tighter"
    if key == "alpha" and (now.gate.get("floors") or now.gate.get("limits")) and new > old:
        # a floor or a limit PASSes more easily; less alpha makes FAIL harder too, so it is neither
        return "looser"
    return "changed"


def _checks(before: Mapping[str, object], now: Mapping[str, object]) -> Iterator[GateChange]:
    for name in [*before, *(name for name in now if name not in before)]:
        what = f"check {name}"
        if name not in now:
            yield _change(what, "looser", f"check removed: {name}")
        elif name not in before:
            yield _change(what, "tighter", f"check added: {name}")
        elif before[name] != now[name]:
            yield _change(
                what, "changed", f"{what} changed: {_difference(before[name], now[name])}"
            )


def _difference(old: object, new: object) -> str:
    """Only the arguments that differ, where both are mappings."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return f"{_shown(old)} -> {_shown(new)}"
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return ", ".join(f"{key} {_shown(old.get(key))} -> {_shown(new.get(key))}" for key in keys)


def _judges(
    before: Mapping[str, JudgeTerms], now: Mapping[str, JudgeTerms]
) -> Iterator[GateChange]:
    for name in [*before, *(name for name in now if name not in before)]:
        what, old, new = f"judge {name}", before.get(name), now.get(name)
        if new is None:
            yield _change(what, "looser", f"judge removed: {name}")
        elif old is None:
            yield _change(what, "tighter", f"judge added: {name}")
        else:
            yield from _judge(what, old, new)


def _judge(what: str, old: JudgeTerms, new: JudgeTerms) -> Iterator[GateChange]:
    differing = [key for key in _JUDGE if getattr(old, key) != getattr(new, key)]
    for key in differing:
        direction: Direction = "changed"
        if key == "attacks":
            direction = "tighter" if new.attacks else "looser"
        yield _change(
            f"{what} {key}",
            direction,
            f"{what}: {key} {_shown(getattr(old, key))} -> {_shown(getattr(new, key))}",
        )
    digests = old.digest, new.digest
    if not differing and None not in digests and digests[0] != digests[1]:
        yield _change(what, "changed", f"{what} changed: another model, prompt or parameters")


def _entries(
    since: str, being: str, before: tuple[str, ...], now: tuple[str, ...]
) -> Iterator[GateChange]:
    """Cases that are left out, by id. `since`, `being`: how that is said."""
    came, left = (
        [name for name in now if name not in before],
        [name for name in before if name not in now],
    )
    if came:
        yield _change(since, "looser", f"now {since}: {_named(came)}")
    if left:
        yield _change(since, "tighter", f"no longer {being}: {_named(left)}")


def _named(ids: list[str]) -> str:
    return ", ".join(ids[:_NAMED]) + (
        f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
    )


def _arguments(check: Mapping[str, Any]) -> Any:
    """A check's argument: the value itself where it has one, a mapping of several, a digest of long
    ones. Of an own check also the digest of its source.
    """
    arguments = check.get("arguments")
    if arguments is None:
        arguments = {key: value for key, value in check.items() if key != "metric"}
    elif len(arguments) == 1:
        (arguments,) = arguments.values()
    if "source" in check:
        arguments = {"arguments": arguments, "source": str(check["source"])[:23]}
    return arguments if len(canonical_json(arguments)) <= _SHORT else digest(arguments)[:23]


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, str):
        return value
    if (
        isinstance(value, Mapping)
        and value
        and all(isinstance(item, str) for item in value.values())
    ):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return canonical_json(value).decode()


def _number(value: float) -> str:
    """Two decimals at least: 0.90, 0.985."""
    text = f"{value:.6f}".rstrip("0")
    return text.ljust(text.index(".") + 3, "0")
