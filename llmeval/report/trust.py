"""What a reader must know about a judge that has not shown that it is right."""

from llmeval.core.manifest import Manifest
from llmeval.core.model_records import JudgeRecord
from llmeval.core.results import Summary

INSTEAD_OF_THE_CHECK = (
    "It decides where the facts check is not sure, which can be worse than that check alone:"
    " certify it, or leave it out."
)


def audited(summary: Summary) -> list[str]:
    """What the audits of each cascade show, a sentence each."""
    return [
        f"Audits of {m.metric}: {m.audit.reason}." for m in summary.metrics if m.audit is not None
    ]


def unstated_distrust(manifest: Manifest, summary: Summary) -> list[str]:
    """`distrust` of every judge of a run, without what a reason of the gate says in the same
    words.
    """
    reasons = [summary.gate.reason, *(rule.reason for rule in summary.gate.rules)]
    sentences = []
    for name, judge in manifest.judges.items():
        sentence, why = distrust(name, judge), judge.trust_reason
        uncertain = judge.when == "uncertain"
        if sentence and (uncertain or not why or not any(why in reason for reason in reasons)):
            sentences.append(sentence)
    return sentences


def distrust(name: str, judge: JudgeRecord) -> str:
    """Why nobody should rely on this judge; empty for one that is trusted. `judge`: as in the
    manifest.
    """
    if judge.trust == "TRUSTED":
        return ""
    sentence = f"The judge of {name} is UNTRUSTED: {judge.trust_reason or 'no reason recorded'}."
    return f"{sentence} {INSTEAD_OF_THE_CHECK}" if judge.when == "uncertain" else sentence
