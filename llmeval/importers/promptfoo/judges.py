"""The judges that promptfoo's model-graded assertions need."""

from collections.abc import Mapping

from llmeval.importers.ledger import Ledger, SourcePlace
from llmeval.importers.promptfoo.cases import JudgeDemand
from llmeval.importers.promptfoo.providers import ProviderReader
from llmeval.importers.writing import Variable, slug, unique

_DEFAULT_JUDGE = "gpt-4.1"


def judges_of(
    demands: Mapping[str, JudgeDemand],
    models: dict[str, tuple[dict[str, object], list[str]]],
    taken: set[str],
    providers: ProviderReader,
    ledger: Ledger,
) -> dict[str, dict[str, object]]:
    """A judge a protocol, under a metric that no check has; its model joins the suite's."""
    judges: dict[str, dict[str, object]] = {}
    for protocol, judged in demands.items():
        (raw, place), *others = judged.providers.values()
        for _, other in others:
            ledger.leave_out(
                other.at("provider"),
                f"a second judge for `{protocol}`; a suite has one, or a `panel`",
            )
        with ledger.trying(place):
            if raw is None:
                model = _default_judge(place, ledger)
            else:
                model = providers.judge(raw, place.at("provider"))
            model_name = next((name for name, (each, _) in models.items() if each == model), None)
            chosen = model_name or unique("judge", models)
            models.setdefault(chosen, (model, []))
            metrics = [metric for metric in judged.metrics if metric]
            metric = (
                metrics[0]
                if len(judged.metrics) == 1 and metrics
                else {"reference": "factuality"}.get(protocol, protocol)
            )
            judges[unique(slug(metric), {*judges, *taken})] = {"model": chosen, "prompt": protocol}
    return judges


def _default_judge(place: SourcePlace, ledger: Ledger) -> dict[str, object]:
    ledger.note(
        place,
        "names no judge; promptfoo takes one by the keys it finds, here it is LLMEVAL_JUDGE_MODEL,"
        f" {_DEFAULT_JUDGE} if not set",
    )
    return {
        "provider": "openai",
        "model": Variable(f"${{LLMEVAL_JUDGE_MODEL:-{_DEFAULT_JUDGE}}}"),
        "base_url": Variable("${LLMEVAL_JUDGE_URL:-https://api.openai.com/v1}"),
        "api_key": Variable("${OPENAI_API_KEY}"),
        "params": {"temperature": 0},
    }
