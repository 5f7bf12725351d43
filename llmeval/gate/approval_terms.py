"""The policy of approvals in the terms of a gate: a suite that demands less than its baseline did
is looser.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from llmeval.core.approvals import ApprovalPolicy
from llmeval.core.gate_terms import ApprovalTerms, GateTerms
from llmeval.core.records import digest

PolicyDirection = Literal["looser", "tighter", "changed"]


def approval_terms(policy: ApprovalPolicy | None) -> ApprovalTerms | UnsetType:
    """What a gate's terms keep of a policy; UNSET of a suite without one."""
    if policy is None:
        return UNSET
    return ApprovalTerms(digest=digest(msgspec.to_builtins(policy)), rules=policy)


def approval_changes(before: GateTerms, now: GateTerms) -> Iterator[tuple[PolicyDirection, str]]:
    """How the policy of `now` differs from that of `before`: directions and sentences."""
    old, new = before.approvals, now.approvals
    if isinstance(old, UnsetType) or isinstance(new, UnsetType):
        if not isinstance(old, UnsetType):
            yield "looser", f"approvals removed: {policy_words(old.rules)}"
        elif not isinstance(new, UnsetType):
            yield "tighter", f"approvals added: {policy_words(new.rules)}"
        return
    one, two = old.rules, new.rules
    if one.min != two.min:
        yield _way(two.min < one.min), f"approvals: min {one.min} -> {two.min}"
    removed = [role for role in one.roles if role not in two.roles]
    added = [role for role in two.roles if role not in one.roles]
    if removed:
        yield "looser", f"approvals: role removed: {', '.join(removed)}"
    if added:
        yield "tighter", f"approvals: role added: {', '.join(added)}"
    if one.not_author != two.not_author:
        values = f"{str(one.not_author).lower()} -> {str(two.not_author).lower()}"
        yield _way(one.not_author), f"approvals: not_author {values}"
    if one.max_age_days != two.max_age_days:
        longer = two.max_age_days is None or two.max_age_days > (
            one.max_age_days or two.max_age_days
        )
        yield _way(longer), f"approvals: max_age {_days(one)} -> {_days(two)}"
    if one.signers != two.signers:
        sentence = f"approvals: signers {one.signers or 'none'} -> {two.signers or 'none'}"
        both = one.signers is not None and two.signers is not None
        yield "changed" if both else _way(two.signers is None), sentence


def policy_words(policy: ApprovalPolicy) -> str:
    """A policy in a line: min 2, roles owner and risk, not_author, max_age 90d, signed (FILE)."""
    parts = [f"min {policy.min}"]
    if policy.roles:
        parts.append(f"roles {' and '.join(policy.roles)}")
    if policy.not_author:
        parts.append("not_author")
    if policy.max_age_days is not None:
        parts.append(f"max_age {policy.max_age_days}d")
    if policy.signers is not None:
        parts.append(f"signed ({policy.signers})")
    return ", ".join(parts)


def _way(looser: bool) -> PolicyDirection:
    return "looser" if looser else "tighter"


def _days(policy: ApprovalPolicy) -> str:
    return "none" if policy.max_age_days is None else f"{policy.max_age_days}d"
