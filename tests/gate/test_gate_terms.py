"""Directions of a change of the gate: a table of (before, now, what is said)."""

from typing import Any

from msgspec import structs

from llmeval.core.gate_terms import GateTerms
from llmeval.gate.gate_terms import changes, terms_of
from tests.support.manifests import gate_inputs
from tests.support.tables import each_row

BASE: dict[str, Any] = {
    "gate": {
        "floors": {"facts": 0.9, "punctuation": 0.98},
        "regression": {"baseline": "x", "margins": {"facts": 0.02}, "max_gone": 0},
        "must_pass": None, "alpha": 0.05, "beta": 0.05, "max_unscored": 0.02, "on_inconclusive": "fail",
        "stop": "never", "quarantine": None, "retired": None,
    },
    "repeats": 1,
    "checks": [
        {"metric": "max_words", "check": "max_words", "version": 1, "arguments": {"max": 60}},
        {"metric": "between", "check": "between", "version": 1, "arguments": {"low": 1, "high": 5}},
        {"metric": "long", "check": "regex", "version": 1, "arguments": {"pattern": "a" * 200}},
    ],
    "judges": {"tone": {"prompt": "style", "when": "always", "certificate": None, "attacks": True}},
    "digests": {"judges": {"tone": "sha256:aa"}},
    "quarantine": [], "retired": [],
}  # fmt: skip


def terms(plain: dict[str, Any]) -> GateTerms:
    """The terms of these inputs. Gate keys of another version of llmeval come from a lock file."""
    found, others = terms_of(gate_inputs(plain)), plain["gate"].keys() - BASE["gate"].keys()
    more = {key: plain["gate"][key] for key in others}
    return structs.replace(found, gate={**found.gate, **more})


def gate(**changed: Any) -> dict[str, Any]:
    return {**BASE, "gate": {**BASE["gate"], **changed}}


def regression(**changed: Any) -> dict[str, Any]:
    return gate(regression={**BASE["gate"]["regression"], **changed})


def floors(facts: Any) -> dict[str, Any]:
    return gate(floors={"facts": facts, "punctuation": 0.98})


def check(metric: str, **arguments: Any) -> dict[str, Any]:
    others = [row for row in BASE["checks"] if row["metric"] != metric]
    return {
        **BASE,
        "checks": [
            *others,
            {"metric": metric, "check": metric, "version": 1, "arguments": arguments},
        ],
    }


def judge(**changed: Any) -> dict[str, Any]:
    return {**BASE, "judges": {"tone": {**BASE["judges"]["tone"], **changed}}}


def entries(key: str, *ids: str) -> dict[str, Any]:
    about = {"reason": "r", "owner": "o", "expires": "2027-01-31"}
    return {**BASE, key: [{"case_id": name, **about} for name in ids]}


JUDGE_SCALE = {"min": 0.9, "scale": "judge"}

TABLE: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (BASE, BASE, []),
    (BASE, floors(0.8), ["floor facts 0.90 -> 0.80: looser"]),
    (BASE, floors(0.985), ["floor facts 0.90 -> 0.985: tighter"]),
    (BASE, floors({"min": 0.9, "scale": "people"}), []),
    (BASE, floors(JUDGE_SCALE), ["floor facts, scale people -> judge: looser"]),
    (floors(JUDGE_SCALE), BASE, ["floor facts, scale judge -> people: tighter"]),
    (BASE, floors({"min": 0.95, "scale": "judge"}), ["floor facts 0.90 -> 0.95, scale people -> judge"]),
    (BASE, floors({"min": 0.7, "scale": "judge"}), ["floor facts 0.90 -> 0.70, scale people -> judge: looser"]),
    (BASE, gate(floors={"facts": 0.9}), ["rule removed: floor punctuation: looser"]),
    (BASE, gate(regression=None), ["rule removed: margin facts: looser"]),
    (gate(regression=None), BASE, ["rule added: margin facts 0.02: tighter"]),
    (gate(floors={"facts": 0.9}), BASE, ["rule added: floor punctuation 0.98: tighter"]),
    (BASE, regression(margins={"facts": 0.05}), ["margin facts 0.02 -> 0.05: looser"]),
    (BASE, regression(margins={"facts": 0.01}), ["margin facts 0.02 -> 0.01: tighter"]),
    (BASE, regression(margins={"facts @ topic=law": 0.02}), [
        "rule removed: margin facts: looser", "rule added: margin facts @ topic=law 0.02: tighter",
    ]),
    (BASE, regression(max_gone=5), ["max_gone 0 -> 5: looser"]),
    (regression(max_gone=5), BASE, ["max_gone 5 -> 0: tighter"]),
    (BASE, regression(baseline="y"), []),
    (BASE, gate(beta=0.2), ["beta 0.05 -> 0.2: looser"]),
    (BASE, gate(beta=0.01), ["beta 0.05 -> 0.01: tighter"]),
    (BASE, gate(max_unscored=0.5), ["max_unscored 0.02 -> 0.5: looser"]),
    (BASE, gate(alpha=0.1), ["alpha 0.05 -> 0.1: looser"]),
    (BASE, gate(alpha=0.01), ["alpha 0.05 -> 0.01"]),
    (gate(floors={}), gate(floors={}, alpha=0.1), ["alpha 0.05 -> 0.1"]),
    (BASE, gate(on_inconclusive="warn"), ["on_inconclusive fail -> warn: looser"]),
    (gate(on_inconclusive="pass"), BASE, ["on_inconclusive pass -> fail: tighter"]),
    (BASE, gate(must_pass="all"), ["rule added: must_pass all: tighter"]),
    (gate(must_pass={"tier": "gold"}), BASE, ["rule removed: must_pass tier=gold: looser"]),
    (gate(must_pass="all"), gate(must_pass=["a"]), ['must_pass all -> ["a"]: looser']),
    (gate(must_pass=["a", "b"]), gate(must_pass=["b"]), ['must_pass ["a","b"] -> ["b"]: looser']),
    (gate(must_pass=["a"]), gate(must_pass=["b"]), ['must_pass ["a"] -> ["b"]']),
    (gate(must_pass={"tier": "gold"}), gate(must_pass="all"), ["must_pass tier=gold -> all: tighter"]),
    (BASE, gate(limits={"steps": 4}), ["rule added: limit steps 4.00: tighter"]),
    (
        gate(limits={"latency.p95": 2}),
        gate(limits={"latency.p95": 2.5}),
        ["limit latency.p95 2.00 -> 2.50: looser"],
    ),
    (gate(never=["not pay"]), gate(never=["a"]), ["rule removed: never not pay: looser", "rule added: never a: tighter"]),
    (
        gate(limits={"steps": 4}),
        gate(limits={"steps": {"max": 4, "on_inconclusive": "warn"}}),
        ["limit steps, on_inconclusive fail -> warn: looser"],
    ),
    (
        {**BASE, "measure": {"steps": "{{ data.a }}"}},
        {**BASE, "measure": {"steps": "{{ data.b }}"}},
        ["measure steps {{ data.a }} -> {{ data.b }}"],
    ),
    (BASE, gate(quotas={"steps": 4}), ['quotas none -> {"steps":4}']),
    (BASE, {**BASE, "repeats": 3}, ["repeats 1 -> 3"]),
    (BASE, check("max_words", max=200), ["check max_words changed: 60 -> 200"]),
    (BASE, check("between", low=1, high=9), ["check between changed: high 5 -> 9"]),
    (BASE, {**BASE, "checks": BASE["checks"][1:]}, ["check removed: max_words: looser"]),
    ({**BASE, "checks": BASE["checks"][1:]}, BASE, ["check added: max_words: tighter"]),
    (BASE, gate(judge_shift=0.0), ["judge_shift 0.02 -> 0: looser"]),
    (gate(judge_shift=0.02), gate(judge_shift=0.05), ["judge_shift 0.02 -> 0.05: tighter"]),
    (BASE, judge(attacks=False), ["judge tone: attacks true -> false: looser"]),
    (judge(attacks=False), BASE, ["judge tone: attacks false -> true: tighter"]),
    (BASE, judge(prompt="mine.j2"), ["judge tone: prompt style -> mine.j2"]),
    (BASE, {**BASE, "digests": {"judges": {"tone": "sha256:bb"}}}, [
        "judge tone changed: another model, prompt or parameters",
    ]),
    (BASE, {**BASE, "digests": {"judges": {}}}, []),
    (BASE, {**BASE, "judges": {}}, ["judge removed: tone: looser"]),
    (BASE, entries("quarantine", "c1", "c2"), ["now quarantined: c1, c2: looser"]),
    (entries("quarantine", "c1"), BASE, ["no longer in quarantine: c1: tighter"]),
    (BASE, entries("retired", "c3"), ["now retired: c3: looser"]),
]  # fmt: skip


@each_row(("before", "now", "said"), TABLE)
def test_directions(before: dict[str, Any], now: dict[str, Any], said: list[str]) -> None:
    found = changes(terms(before), terms(now))
    assert [change.text for change in found] == said
    for change in found:
        assert change.text.endswith(f": {change.direction}") or change.direction == "changed"


def test_the_looser_changes_come_first() -> None:
    now = regression(margins={"facts": 0.01}, max_gone=3)
    now["gate"]["alpha"] = 0.01
    found = [change.direction for change in changes(terms(BASE), terms(now))]
    assert found == ["looser", "changed", "tighter"]


def test_long_arguments_are_kept_by_their_digest() -> None:
    (changed,) = changes(terms(BASE), terms(check("long", pattern="b" * 200)))
    assert changed.text.startswith("check long changed: sha256:") and len(changed.text) < 90
