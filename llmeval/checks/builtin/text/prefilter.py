"""One search instead of many: may any of these patterns match a text?

RE2 searches the alternation of all patterns in one pass. Most texts match none of them, and are
then done. The alternation matches if and only if one pattern does, so the result is exact where RE2
gives the same matches as Python. Elsewhere the patterns are tried one by one.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from llmeval.checks.builtin.text.regex import CompiledPattern, compile_pattern

_MEMORY = 64 * 2**20
"""Bytes that RE2 may use for the states of the alternation. With its default of 8 MB it would fall
back to its slow matcher."""


class Prefilter:
    """Patterns that are searched together.

    Args:
        patterns: as for `compile_pattern`.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns

    def candidates(self, text: str) -> Iterator[int]:
        """The places of the patterns that may match the text, in their order."""
        together = self._together
        usable = together is not None and together.engine(text) is together.linear
        if together is not None and usable and not together.linear.search(text):
            return
        for place, compiled in enumerate(self._compiled):
            if compiled.engine(text) is not compiled.linear or compiled.linear.search(text):
                yield place

    @cached_property
    def _compiled(self) -> list[CompiledPattern]:
        return [compile_pattern(pattern) for pattern in self._patterns]

    @cached_property
    def _together(self) -> CompiledPattern | None:
        """The alternation of all patterns; None where RE2 does not have one of them."""
        import re2

        if any(each.linear is None for each in self._compiled):
            return None
        source = "|".join(f"(?:{each.source})" for each in self._compiled)
        options = re2.Options()
        options.log_errors = False
        options.max_mem = _MEMORY
        try:
            return CompiledPattern(source, None, re2.compile(source, options))
        except re2.error:
            return None
