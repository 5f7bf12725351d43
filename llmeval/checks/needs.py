"""The data of a case that a check needs, unless an argument gives it.

A check without its data does not apply to the case, whatever the answer; suites are checked by this
before the first call. Checks that are not listed need nothing of the case.
"""

from collections.abc import Mapping
from typing import NamedTuple

from llmeval.core.records import Case


class Needs(NamedTuple):
    """One of the case's `fields`, unless one of these arguments is given."""

    fields: tuple[str, ...]
    arguments: tuple[str, ...]

    def met(self, case: Case, arguments: Mapping[str, object]) -> bool:
        """Whether the check applies to this case. A template as argument counts as given."""
        return any(arguments.get(name) not in (None, "", [], ()) for name in self.arguments) or any(
            _has(case, name) for name in self.fields
        )


def _has(case: Case, name: str) -> bool:
    value = getattr(case, name)
    return any(str(item).strip() for item in ([value] if isinstance(value, str) else value or ()))


_REFERENCE = Needs(("references",), ("references",))
NEEDS: dict[str, Needs] = {
    "facts": Needs(("facts", "references"), ("must", "must_not")),
    "grounding": Needs(("context",), ("context",)),
    "quotes_verbatim": Needs(("context",), ("source",)),
    "equals": Needs(("references",), ("text",)),
    "json_equals": Needs(("references",), ("value",)),
    "choice": _REFERENCE,
    "exact_match": _REFERENCE,
    "token_f1": _REFERENCE,
    "rouge_n": _REFERENCE,
    "rouge_l": _REFERENCE,
    "bleu": _REFERENCE,
    "chrf": _REFERENCE,
    "levenshtein": _REFERENCE,
}
