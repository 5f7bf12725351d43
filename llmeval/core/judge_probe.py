"""A line of `judge_probes.jsonl`: a judge's verdict on an answer whose correct verdict is known."""

import msgspec

from llmeval.core.records import SCHEMA, Status, Usage


class JudgeProbe(msgspec.Struct, frozen=True, kw_only=True):
    """One attack or anchor that a judge was tested with."""

    schema: int = SCHEMA
    """The format of the run directory."""
    kind: str
    """attack: a wrong answer with instructions to the judge; it must fail. anchor: an answer of the
    judge's certificate, judged again in each run to detect a change.
    """
    metric: str
    """The metric of the judge."""
    judge: str
    """Digest of the judge."""
    case_id: str
    """The name of the attack, or the id of the anchor's case."""
    expected: bool | None = None
    """Of an anchor: the verdict in the certificate."""
    answer: str | None = None
    """Of an attack: the text that the judge read."""
    status: Status | None = None
    """Of an attack: the status of its score."""
    passed: bool | None = None
    """The judge's verdict; null where it gave none."""
    unscored: str | None = None
    """Why there is no verdict."""
    attempts: int = 0
    """Calls sent; 0 where the verdict came from the cache."""
    cached: bool = False
    """Whether the verdict came from the cache."""
    usage: Usage | None = None
    """Tokens of the judge's calls."""
    cost_usd: float | None = None
    """Null unless the suite states prices."""
    failed: bool = False
    """Whether the judge could not be called."""
    reply: str | None = None
    """Of an attack: what the judge replied."""
