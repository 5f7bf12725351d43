"""What the rules read: the prose of an answer without markup, its numbers plain, cut into stretches
of one language.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from llmeval.checks.punctuation.blocks import Block
from llmeval.checks.punctuation.detect import STOP_WORDS, counts, detect
from llmeval.checks.punctuation.locales import Locale, locale_of
from llmeval.checks.punctuation.masking import OBJECT, mask

LETTER = r"[^\W\d_]"
HAN = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{HAN}]|[^\W_](?:[\w'’-]*[^\W_])?|{OBJECT}+")
"""A word, as the check's value counts them: Chinese and Japanese by characters."""
END = ".!?…。！？｡؟۔।॥։።"
CLOSE = "'\"’”“»›)]}」』】》〉）］"
WHITE = " \t\n\r\f\v\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What a regex calls white space. Ends are stripped of it by `str.rstrip`: a search for `[...]*\\Z`
takes quadratic time.
"""
OPEN = "'\"‘“„‚«‹([{¿¡「『（《【"
_MIN_WORDS_OF_ITS_OWN = 8
Places = Callable[[int, int], tuple[int, int]]
"""From a stretch of the view to the same stretch of the raw answer."""

# `1,234.5`, `12:30`, `3/4`: one number. A comma before four digits parts a day from a year.
_NUMBER = re.compile(r"(?<=[0-9])(?:[.:/]|['’](?=[0-9]{3})|,(?![0-9]{4}(?![0-9])))(?=[0-9])")
# A mark that is spoken of: the "," key, a (?) in doubt, [...] in a quotation.
_MENTION = re.compile(
    r"(?<![\w.,;:!?])([\"'“‘„«(\[「])([.,;:!?…，。；：！？、'¿¡&/–—-]{1,3}|[\"“”„«»]"
    r"|[()\[\]{}])([\"'”’“»)\]」])(?!\w)"
)


class LanguageRun(NamedTuple):
    """Consecutive blocks of one language, [start, end) of the view's text."""

    start: int
    end: int
    locale: Locale


@dataclass(frozen=True)
class View:
    """`text`: the prose; `place` leads from its places back to the raw answer. `locales`: of each
    block.
    """

    raw: str
    text: str
    blocks: tuple[Block, ...]
    locales: tuple[Locale, ...]
    main: Locale

    def runs(self) -> Iterator[LanguageRun]:
        """The text as stretches whose blocks have one language."""
        start, last = 0, None
        for block, locale in zip(self.blocks, self.locales, strict=True):
            if last is not None and locale is not last:
                yield LanguageRun(start, block.start, last)
                start = block.start
            last = locale
        yield LanguageRun(start, len(self.text), last or self.main)

    def block_text(self, block: Block) -> str:
        """The text of one block."""
        return self.text[block.start : block.end]


def view(text: str, tag: str | None) -> tuple[View, Places]:
    """The view of an answer in the language `tag`, or in those that its blocks are found to be
    in.
    """
    masked = mask(text)
    prose = _MENTION.sub(_spoken_of, masked.compact)
    prose = _NUMBER.sub("0", prose)
    blocks = masked.compact_blocks
    if tag is not None:
        main = locale_of(tag)
        return View(text, prose, blocks, (main,) * len(blocks), main), masked.place
    main = locale_of(detect(prose))
    return View(text, prose, blocks, tuple(_locales(prose, blocks, main)), main), masked.place


def _spoken_of(match: "re.Match[str]") -> str:
    return match[1] + OBJECT * len(match[2]) + match[3]


def _locales(text: str, blocks: tuple[Block, ...], main: Locale) -> Iterator[Locale]:
    """The language of each block: its own where enough words say so, else the main one."""
    for start, end in ((block.start, block.end) for block in blocks):
        # Too short to tell, and most such blocks are names, code or numbers.
        if end - start < 40 and text[start:end].isascii():
            yield main
            continue
        sample = text[start : min(end, start + 1500)]
        own = detect(sample)
        yield (
            main
            if own == main.language or not _sure(sample, own, main.language)
            else locale_of(own)
        )


def _sure(sample: str, own: str, main: str) -> bool:
    if own == "und":
        return False
    # A language without a list of words was told by its script.
    if own not in STOP_WORDS:
        return True
    hit = counts(sample)
    return hit[own] >= max(4, 2 * hit.get(main, 0)) and len(sample.split()) >= _MIN_WORDS_OF_ITS_OWN
