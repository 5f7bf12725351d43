"""Whether the verdicts of a run come from the judge that its certificate is about.

An endpoint may refuse the `structured_output` that the suite states. The run then continues with
the next one, and each verdict names the judge in that form by its digest. The certificate measured
the judge in the stated form, so it says nothing about these verdicts.
"""

from collections.abc import Mapping, Set

from msgspec import structs

from llmeval.core.manifest import Manifest
from llmeval.core.model_records import JudgeRecord


def with_trust_of(manifest: Manifest, used: Mapping[str, Set[str | None]]) -> Manifest:
    """The manifest with the trust that the verdicts allow.

    Args:
        manifest: of the run.
        used: by metric, the digests of the judges that the scores name.
    """
    judges = dict(manifest.judges)
    for name, judge in manifest.judges.items():
        if judge.trust == "TRUSTED" and used.get(name, set()) - {None, judge.digest}:
            judges[name] = _void(judge)
    return structs.replace(manifest, judges=judges)


def _void(judge: JudgeRecord) -> JudgeRecord:
    stated = judge.identity.get("structured_output", "the stated one")
    return structs.replace(
        judge,
        trust="UNTRUSTED",
        trust_reason=(
            "its certificate is void: the verdicts do not come from the certified judge, because"
            f" the endpoint refuses `structured_output: {stated}`. Write the one that the run"
            " reports on the model, and certify the judge again"
        ),
        labels=None,
        weighted=None,
    )
