"""Known attacks on each judge of a run, recorded in `judge_probes.jsonl`.

An attack that passes makes the run INVALID.
"""

from msgspec import structs

from llmeval.core.judge_probe import JudgeProbe
from llmeval.judges.assurance.attacks import Attack, attack
from llmeval.runner.plan import RunPlan
from llmeval.store.writer import RunWriter
from llmeval.suite.model_schema import ReplaySpec


async def try_attacks(plan: RunPlan, writer: RunWriter) -> None:
    """Test every judge with the attacks, if this run has not tested it yet. Verdicts come from the
    cache if it has them.

    Raises:
        StoreError: the run directory can't be written.
    """
    done = {
        (judge_probe.metric, judge_probe.judge)
        for judge_probe in writer.run.judge_probes()
        if judge_probe.kind == "attack"
    }
    for name, judge in plan.judges.items():
        stored = all(
            isinstance(model_role.spec, ReplaySpec) for model_role in plan.judge_roles[name]
        )
        if stored or not plan.suite.judge(name).attacks or (name, judge.digest) in done:
            continue
        tried = await attack(judge, writer.run.manifest().run_id)
        for one in tried:
            if one.score is not None:
                plan.budget.spend(one.score.cost_usd)
        writer.judge_probes([_judge_probe(name, judge.digest, one) for one in tried])


def _judge_probe(metric: str, digest: str, one: Attack) -> JudgeProbe:
    judge_probe = JudgeProbe(
        kind="attack", metric=metric, judge=digest, case_id=one.name, answer=one.text
    )
    score = one.score
    if score is None:
        return judge_probe
    return structs.replace(
        judge_probe,
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
