"""A text as folded words with their places: what every matcher of facts works on.

Tokens are folded one at a time (compatibility forms, case, accents, invisible characters), so that
places stay those of the raw text. Two texts are compared by stems: the plural taken off, number
words and Roman numerals as digits.
"""

import unicodedata
from bisect import bisect_left, bisect_right
from functools import cached_property, lru_cache

import regex

from llmeval.checks.reading.wordlists import word_set

_HIDDEN = "\u00ad\u200b-\u200d\u2060\ufeff"
# Numbers first, with their grouping; initials and acronyms with their dots; a Han or Kana character
# is a word. Letters
# and digits that touch are two words, so that a footnote's number does not hide the word before it;
# so are two words
# that lost the space between them (`fromJuly`), which splits names such as YouTube the same way
# everywhere.
_WORD = regex.compile(
    rf"""
    \d{{1,3}}(?:[,'’\u00a0\u2009\u202f]\d{{3}})+(?:\.\d+)?(?!\d)
  | \d+(?:[.,]\d+)*(?:(?:[sS][tT]|[nNrR][dD]|[tT][hH])\b)?
  | (?:\p{{L}}\.){{2,}}(?:\p{{L}}\b(?!['’]))?
  | (?:\b\p{{Lu}}\.\s{{0,2}}){{2,}}(?<=\.)
  | [\p{{Han}}\p{{Hiragana}}\p{{Katakana}}]
  | \p{{L}}[\p{{Ll}}\p{{M}}]+(?=\p{{Lu}}\p{{Ll}}{{3}})
  | [\p{{L}}\p{{M}}{_HIDDEN}]+(?:['’ʼ`´][\p{{L}}\p{{M}}{_HIDDEN}]+)*
  | [\p{{N}}\p{{M}}]+
    """,
    regex.VERBOSE,
)
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ħ": "h",
        "ŧ": "t",
        "ſ": "s",
    }
)
_GREEK = {
    letter: name
    for letter, name in zip(
        "αβγδεζθκλσωμ",
        "alpha beta gamma delta epsilon zeta theta kappa lambda sigma omega mu".split(),
        strict=True,
    )
}
"""Letters that number the members of a series: TNF-α, β-carotene. Words of Greek are longer, but
for the article."""
_DROP = regex.compile(rf"[\u0300-\u036f{_HIDDEN}]")
_POSSESSIVE = regex.compile(r"['’ʼ`´]s$")
# Articles and pronouns that French and Italian join to the next word: l'Irlande, dell'arte.
_ELISION = regex.compile(
    r"^(?:[ldjmtsnc]|qu|jusqu|lorsqu|puisqu|dell|all|nell|dall|sull|un|quell)['’](?=\p{L}{2})",
    regex.IGNORECASE,
)
_SHORT_FORMS = regex.compile(r"['’ʼ`´]")
_NUMBER_MARKS = regex.compile(r"[,'’\u00a0\u2009\u202f](?=\d{3}(?!\d))|(?:st|nd|rd|th)$")

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen"
)
CARDINALS = {
    word: n for n, word in enumerate([*_ONES.split(), "seventeen", "eighteen", "nineteen"])
}
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS = {word: 10 * n for n, word in enumerate(_TENS.split(), start=2)}
_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
ORDINALS = {word: n for n, word in enumerate(_ORDINALS.split())}
_NUMERALS = "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx"
_ROMAN = {word: n for n, word in enumerate(_NUMERALS.split(), start=1) if len(word) > 1}
TIMES = {"once": 1, "twice": 2, "thrice": 3}
_AS_DIGITS = {
    word: str(n) for word, n in {**_ROMAN, **ORDINALS, **CARDINALS, **TENS, **TIMES}.items()
}

STOPWORDS = word_set(
    "a an the of in on at to for from by with and or as is are was were be been being it its this "
    "that these "
    "those his her their our your my he she they we you i who whom whose which what when where "
    "why how there "
    "here than then do does did has have had will would can could shall should may might must "
    "about into onto "
    "over under between s t also called known named"
)
NEGATORS = word_set(
    "not no never neither nor nicht kein keine nie pas jamais non nunca niet geen without cannot "
    "nao dont doesnt didnt "
    "isnt arent wasnt werent wont cant couldnt wouldnt shouldnt hasnt havent hadnt"
)
"""Words that turn a statement into its opposite."""
# How a sentence may end: a mark and then white space, or a line's end.
_END = regex.compile(r"[.!?…]['\"”’)\]*]*\s|[。！？]|\n\s*(?=[\n\-*•#\d])|\n")


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """One word for comparison: NFKC, lower case, no accents, no possessive, no dots or thousands
    marks."""
    if not word.isascii():
        word = _DROP.sub("", unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", word)))
    word = word.casefold().translate(_LETTERS)
    if not word.isascii() and (len(word) == 1 or word[:1].isascii() or word[-1:].isascii()):
        word = "".join(_GREEK.get(letter, letter) for letter in word)
    if word[:1].isdigit():
        return _NUMBER_MARKS.sub("", word)
    return (
        _SHORT_FORMS.sub("", _POSSESSIVE.sub("", _ELISION.sub("", word)))
        .replace(".", "")
        .replace(" ", "")
    )


# Plurals that take more than an s
_IRREGULAR = {
    "wolves": "wolf",
    "knives": "knife",
    "lives": "life",
    "leaves": "leaf",
    "halves": "half",
    "calves": "calf",
    "shelves": "shelf",
    "thieves": "thief",
    "wives": "wife",
    "loaves": "loaf",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "teeth": "tooth",
    "mice": "mouse",
    "lice": "louse",
    "geese": "goose",
    "oxen": "ox",
}


_HANGUL = regex.compile(r"[가-힣]{3,30}")
# What Korean joins to a noun: the copula and case particles. Two syllables have to remain.
_PARTICLE = regex.compile(
    r"(?<=.{2})(?:입니다|이에요|예요|이었습니다|였습니다|이었다|였다|이다|이라고|라고|에서는|에서|에게|으로|까지|부터"
    r"|은|는|이|가|을|를|에|의|와|과|도|로|만)$"
)


@lru_cache(maxsize=65536)
def stem(form: str) -> str:
    """A folded word without its plural; number words and Roman numerals as digits."""
    digits = _AS_DIGITS.get(form)
    if digits is not None:
        return digits
    if "\u1100" <= form[:1] <= "\u11ff":
        return _without_particle(form)
    if form in _IRREGULAR:
        return _IRREGULAR[form]
    if len(form) < 4 or not form.endswith("s") or form.endswith(("ss", "us", "is")):
        return form
    if form.endswith("ies") and len(form) > 4:
        return form[:-3] + "y"
    if form.endswith(("xes", "ches", "shes", "sses", "zzes", "tzes")):
        return form[:-2]
    return form[:-1]


def _without_particle(form: str) -> str:
    """A Korean word, folded to its letters, without the copula or case particle at its end."""
    word = unicodedata.normalize("NFC", form)
    if _HANGUL.fullmatch(word):
        word = _PARTICLE.sub("", word)
    return unicodedata.normalize("NFKD", word)


class Tokens:
    """A text's words. Lists run in parallel: `forms` folded, `starts` and `ends` places in
    `raw`."""

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.forms: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        for match in _WORD.finditer(raw):
            form = fold(match[0])
            if form:
                self.forms.append(form)
                self.starts.append(match.start())
                self.ends.append(match.end())

    def __len__(self) -> int:
        return len(self.forms)

    @cached_property
    def stems(self) -> list[str]:
        """The words as compared."""
        return [stem(form) for form in self.forms]

    @cached_property
    def stem_set(self) -> frozenset[str]:
        """Every stem once."""
        return frozenset(self.stems)

    @cached_property
    def content(self) -> list[str]:
        """Stems of words that carry meaning; all of them when none does."""
        return [
            s for s, form in zip(self.stems, self.forms, strict=True) if form not in STOPWORDS
        ] or self.stems

    @cached_property
    def squeezed(self) -> tuple[str, list[int]]:
        """All forms without spaces, and where each word starts there."""
        starts, at = [], 0
        for form in self.forms:
            starts.append(at)
            at += len(form)
        return "".join(self.forms), starts

    @cached_property
    def breaks(self) -> list[int]:
        """Indices of the words that start a sentence, the first word's included."""
        result = {0}
        for match in _END.finditer(self.raw):
            index = bisect_left(self.starts, match.end() - 1)
            if 0 < index < len(self.starts) and not self._abbreviated(match.start(), index):
                result.add(index)
        return sorted(result)

    def _abbreviated(self, at: int, index: int) -> bool:
        """Whether the full stop at `at` follows an initial or a title, or what follows starts with
        a small letter."""
        if self.raw[at] != ".":
            return False
        if self.raw[self.starts[index]].islower():
            return True
        if at < self.ends[index - 1]:
            return self.forms[index] not in STOPWORDS
        previous = self.forms[index - 1]
        return len(previous) == 1 or previous in TITLES

    def sentence(self, index: int) -> tuple[int, int]:
        """First word and the one after the last word of the sentence that word `index` stands
        in."""
        at = bisect_right(self.breaks, index)
        return self.breaks[at - 1], self.breaks[at] if at < len(self.breaks) else len(self.forms)

    def place(self, first: int, last: int) -> tuple[int, int]:
        """Code points [start, end) of the words first..last (inclusive)."""
        return self.starts[first], self.ends[last]

    def is_pronoun(self, index: int) -> bool:
        """Whether the word is the I of `, I think`, not a numeral."""
        if self.forms[index] != "i" or index + 1 >= len(self):
            return False
        opens = not index or self.gap(index).strip()[:1] in (",", ".", ";", ":")
        return opens and self.raw[self.starts[index + 1]].islower()

    def gap(self, index: int) -> str:
        """What stands between word `index` and the one before it."""
        return self.raw[self.ends[index - 1] if index else 0 : self.starts[index]]


TITLES = word_set(
    "mr mrs ms dr prof st jr sr vs etc no vol gen col lt capt sgt rev gov sen rep inc ltd co mt ft"
)
