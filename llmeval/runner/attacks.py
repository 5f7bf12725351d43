"""Known attacks on each judge of a run, recorded in `canaries.jsonl`: one that passes makes the run
INVALID.
"""

from msgspec import structs

from llmeval.core.canary import Canary
from llmeval.judges.assurance.attacks import Attack, attack
from llmeval.runner.plan import RunPlan
from llmeval.store.writer import RunWriter
from llmeval.suite.model_schema import ReplaySpec


async def try_attacks(plan: RunPlan, writer: RunWriter) -> None:
    """Try the attacks on every judge that this run has not tried yet. Verdicts come from the cache
    where it has them.

    Raises:
        StoreError: the run directory can't be written.
    """
    done = {
        (canary.metric, canary.judge) for canary in writer.run.canaries() if canary.kind == "attack"
    }
    for name, judge in plan.judges.items():
        stored = all(isinstance(seat.spec, ReplaySpec) for seat in plan.judge_seats[name])
        if stored or not plan.suite.judge(name).attacks or (name, judge.digest) in done:
            continue
        tried = await attack(judge)
        for one in tried:
            if one.score is not None:
                plan.budget.spend(one.score.cost_usd)
        writer.canaries([_canary(name, judge.digest, one) for one in tried])


def _canary(metric: str, digest: str, one: Attack) -> Canary:
    canary = Canary(kind="attack", metric=metric, judge=digest, case_id=one.name, answer=one.text)
    score = one.score
    if score is None:
        return canary
    return structs.replace(
        canary,
        status=score.status,
        passed=score.passed,
        unscored=score.unscored,
        attempts=score.attempts,
        cached=score.cached,
        usage=score.usage,
        cost_usd=score.cost_usd,
        failed=score.unanswered,
        reply=(score.details or {}).get("reply"),
    )
