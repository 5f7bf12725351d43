"""Qualifiers of a number in a text: a bound, an approximation, one end of a range."""

from enum import StrEnum

import regex

from llmeval.checks.facts.hedging_cues import words_pattern


class NumericBound(StrEnum):
    """What the words before or after a number make of it."""

    EXACT = "exact"
    ABOUT = "about"
    BELOW = "below"
    ABOVE = "above"


_REACH = 32
_BELOW = words_pattern(
    r"(?:no|not) (?:more|greater|larger|longer|higher|later) than",
    r"(?<!\bno\s)(?<!\bnot\s)(?:fewer|less|lower) than",
    "under",
    "below",
    "up to",
    "at (?:the )?most",
    r"(?:a )?maximum(?: of)?",
    "weniger als",
    "unter",
    "höchstens",
    "bis zu",
    "maximal",
    "moins de",
    "au plus",
    "jusqu['’]à",
    "menos de",
    "hasta",
    "como máximo",
    "meno di",
    "fino a",
    "al massimo",
    "até",
    "no máximo",
    "minder dan",
    "hoogstens",
    "maximaal",
    r"(?<!\bno\s)(?<!\bnot\s)(?:shorter|smaller) than",
    "inférieure?s? à",
    "inferior(?:es)? a",
    "inferior[ei] a",
    "menos que",
    "abaixo de",
    "onder",
)
_ABOVE = words_pattern(
    r"(?:no|not) (?:fewer|less|smaller|lower) than",
    "more than",
    "over",
    "above",
    "at (?:the )?least",
    "upwards of",
    r"(?:a )?minimum(?: of)?",
    "exceed(?:s|ed|ing)?",
    "greater than",
    "larger than",
    "longer than",
    "higher than",
    "mehr als",
    "über",
    "mindestens",
    "plus de",
    "au moins",
    "más de",
    "al menos",
    "como mínimo",
    "più di",
    "almeno",
    "mais de",
    "pelo menos",
    "meer dan",
    "minstens",
    "au[- ]delà de",
    "supérieure?s? à",
    "superior(?:es)? a",
    "superior[ei] a",
    "oltre",
    "acima de",
    "boven",
)
_ABOUT = words_pattern(
    "about",
    "approximately",
    "approx",
    "around",
    "roughly",
    "circa",
    "ca",
    "nearly",
    "almost",
    "some",
    "an estimated",
    "estimated",
    "close to",
    "etwa",
    "ungefähr",
    "rund",
    "fast",
    "knapp",
    "environ",
    "à peu près",
    "presque",
    "unos",
    "unas",
    "alrededor de",
    "aproximadamente",
    "casi",
    "quasi",
    "quase",
    "cerca de",
    "ongeveer",
    "bijna",
)
_MARKS = regex.compile(r"(?P<below>[<≤])\s?$|(?P<above>[>≥])\s?$|(?P<about>[~≈∼])\s?$")
_HAN_BOUND = regex.compile(
    r"(?P<below>不到|不足|少[于於]|小[于於]|低[于於]|未[满満]|最多|至多|不超[过過])\s?$"
    r"|(?P<above>超[过過]|多[于於]|大[于於]|高[于於]|至少|最少|不少[于於])\s?$"
)
_BEFORE = {
    bound: regex.compile(
        rf"{pattern.pattern}[\s.]+(?:(?:a|an|the|only|just)\s+)?[$€£]?\s?$", regex.IGNORECASE
    )
    for bound, pattern in (
        (NumericBound.BELOW, _BELOW),
        (NumericBound.ABOVE, _ABOVE),
        (NumericBound.ABOUT, _ABOUT),
    )
}
_AFTER = regex.compile(
    r"\s?(?:\p{L}+\s)?(?:(?P<above>\+(?!\s?[\d(])|(?:or|and|oder|ou|o|of)\s(?:more|above|over"
    r"|greater|mehr|plus|más|più|mais|meer)\b)"
    r"|(?P<below>(?:or|and)\s(?:less|fewer|under|below|lower)\b))",
    regex.IGNORECASE,
)
_WORDS = frozenset(
    "than under below most maximum unter höchstens zu maximal de plus à hasta máximo di a massimo "
    "até dan hoogstens "
    "maximaal over above least minimum of exceed exceeds exceeded exceeding als über mindestens "
    "moins menos mínimo "
    "almeno minstens inférieur inférieure superior inferior superiore inferiore supérieur "
    "supérieure que acima abaixo onder boven oltre delà a di "
    "about approximately approx around roughly circa ca nearly almost some "
    "estimated to etwa "
    "ungefähr rund fast knapp environ près presque unos unas aproximadamente casi quasi quase "
    "ongeveer bijna the "
    "only just an up".split()
)


def bound_of(raw: str, start: int, end: int) -> NumericBound:
    """What the words right before [start, end), or right after it, make of the number there."""
    before = raw[max(0, start - _REACH) : start]
    mark = _MARKS.search(before) or _HAN_BOUND.search(before)
    if mark:
        return NumericBound(mark.lastgroup or "exact")
    last = before.replace("$", " ").rsplit(None, 1)[-1:] if before.strip() else []
    if last and last[0].casefold().strip(".,(") in _WORDS:
        for bound, pattern in _BEFORE.items():
            if pattern.search(before):
                return bound
    after = _AFTER.match(raw, end, min(len(raw), end + _REACH))
    return NumericBound(after.lastgroup or "exact") if after else NumericBound.EXACT


_ROUGHLY_ASKED = regex.compile(
    r"\b(?:about|approximately|roughly|around|nearest|to\s(?:a|the)\s(?:ten|hundred|thousand"
    r"|million)|estimate|rounded?|approx|ungefähr|etwa"
    r"|environ|aproximadamente"
    r"|circa|ongeveer)\b",
    regex.IGNORECASE,
)


_BOUND_ASKED = regex.compile(
    r"\b(?:minimum|maximum|at (?:least|most)|limits?|threshold|up to|exceed|fewest|most|least"
    r"|largest|smallest|highest"
    r"|lowest|can|may|allowed|mindestens|höchstens|maximal|minimal|au (?:moins|plus)|mínimo|máximo"
    r"|minimo|massimo)\b",
    regex.IGNORECASE,
)


def asks_bound(question: str) -> bool:
    """Whether the question asks for a limit, so that "at least 18" states 18."""
    return bool(_BOUND_ASKED.search(question))


def asks_roughly(question: str) -> bool:
    """Whether the question wants an approximate number."""
    return bool(_ROUGHLY_ASKED.search(question))
