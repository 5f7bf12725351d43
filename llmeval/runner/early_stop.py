"""Which gates may end a run before its last case, and what is odd about a gate's rules."""

from llmeval.core.errors import UsageError
from llmeval.runner.options import Options
from llmeval.runner.rule_cases import unknown_numbers
from llmeval.suite.loader import Suite

_READ_ONCE = (
    "`stop: early` has no effect: `never`, `limits`, margins of numbers and rules with `*` are read"
    " once, when all cases are done"
)


def ends_early(suite: Suite, options: Options) -> bool:
    """Whether the run may stop before its last case. A shard may not: the looks at the data would
    be several. A partial run may not either: it does not decide the rules.

    Raises:
        UsageError: it is asked to, and there is no rule to be decided, or it is a shard.
    """
    gate = suite.spec.gate
    if options.shard is not None:
        if options.stop == "early":
            raise UsageError(
                "--shard with --stop early: a part can't tell when the whole is decided; leave one"
                " away"
            )
        return False
    if options.selection is not None:
        return False
    early = (options.stop or gate.stop) == "early"
    if options.stop == "early" and gate.decides and not gate.ends_early:
        raise UsageError(f"{suite.path}: {_READ_ONCE}")
    if early and not gate.decides:
        raise UsageError(
            f"{suite.path}: --stop early needs at least one rule, and the suite says `gate: none`"
        )
    return early and gate.ends_early


def rule_warnings(suite: Suite, *, priced: bool) -> list[str]:
    """What is odd about the gate's rules.

    Args:
        priced: whether the candidate has a price.
    """
    warnings = unknown_numbers(suite, priced=priced)
    if suite.spec.gate.stop == "early" and not suite.spec.gate.ends_early:
        warnings.append(_READ_ONCE)
    return warnings
