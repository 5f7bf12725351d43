"""When two spellings are one word: inflected, spelt otherwise, transliterated or misspelt.

Words are folded stems (see `tokens`). A likeness proves nothing: of two words that a dictionary
has, neither is a misspelling of the other.
"""

from functools import lru_cache

from llmeval.checks.facts.lexicon import contrast

# Prefixes that turn a word into its opposite or into another thing of the series.
_PREFIXES = sorted(
    (
        "hypo hyper pre post intra inter extra endo exo ecto micro macro mono di bi tri tetra "
        "penta hexa poly anti "
        "pro hetero homo sub super supra infra in ex un non dis im ir il ultra trans cis iso "
        "ortho meta para peri per "
        "epi pseudo neo proto eu syn ab ad af ef con de re nord sud ost west nordost nordwest "
        "sudost sudwest ober "
        "unter links rechts an a meso kilo mega giga milli nano"
    ).split(),
    key=len,
    reverse=True,
)

VARIANTS = (
    ("ae", "e"),
    ("oe", "e"),
    ("ph", "f"),
    ("our", "or"),
    ("tre", "ter"),
    ("bre", "ber"),
    ("isation", "ization"),
    ("ise", "ize"),
    ("ising", "izing"),
    ("yse", "yze"),
    ("ogue", "og"),
    ("ence", "ense"),
    ("aluminium", "aluminum"),
    ("grey", "gray"),
    ("tyre", "tire"),
    ("mould", "mold"),
    ("plough", "plow"),
    ("ll", "l"),
)
"""British and American spellings of one word."""
# Letters that languages and transliterations write in several ways; the longest first.
_SOUNDS = (
    ("tsch", "c"),
    ("tch", "c"),
    ("sch", "s"),
    ("que", "k"),
    ("ch", "c"),
    ("sh", "s"),
    ("ck", "k"),
    ("ph", "f"),
    ("kh", "k"),
    ("gh", "g"),
    ("dh", "d"),
    ("th", "t"),
    ("bh", "b"),
    ("rh", "r"),
    ("zh", "z"),
    ("ou", "u"),
    ("oo", "u"),
    ("ee", "i"),
    ("ie", "i"),
    ("ei", "i"),
    ("ai", "e"),
    ("ae", "e"),
    ("oe", "o"),
    ("ue", "u"),
    ("ij", "i"),
    ("yo", "o"),
    ("ye", "e"),
    ("ya", "a"),
    ("yu", "u"),
    ("y", "i"),
    ("j", "i"),
    ("w", "v"),
    ("q", "k"),
    ("c", "k"),
    ("x", "ks"),
    ("z", "s"),
)
_VOWELS = frozenset("aeiou")
SHORT = 6
"""A word with fewer letters than this has to be spelled as expected."""
LONG = 8
"""From this length on one letter too many or too few inside the word is a misspelling."""

# Plural and singular of words from Latin and Greek, by ending.
_CLASSICAL = (
    ("us", "i"),
    ("um", "a"),
    ("on", "a"),
    ("a", "ae"),
    ("is", "es"),
    ("ix", "ices"),
    ("ex", "ices"),
    ("oma", "omata"),
)
# Plurals that change the end of the stem, by language.
_PLURALS = {
    "fr": (("al", "aux"), ("ail", "aux"), ("eu", "eux"), ("eau", "eaux")),
    "es": (("z", "ces"),),
    "nl": (("", "eren"), ("s", "zen"), ("f", "ven")),
    "de": (("", "innen"), ("um", "en"), ("us", "en"), ("a", "en")),
    "pt": (
        ("ao", "oes"),
        ("ao", "aes"),
        ("ao", "aos"),
        ("al", "ais"),
        ("el", "eis"),
        ("ol", "ois"),
        ("m", "ns"),
    ),
    "it": (
        ("co", "chi"),
        ("go", "ghi"),
        ("ca", "che"),
        ("ga", "ghe"),
        ("cia", "ce"),
        ("gia", "ge"),
    ),
}
_ENDINGS = {
    "en": frozenset([""]),
    "de": frozenset(["", "e", "en", "n", "er", "ern", "em", "s", "es", "ens"]),
    "nl": frozenset(["", "e", "en", "s", "n"]),
    "fr": frozenset(["", "s", "x", "e", "es"]),
    "es": frozenset(["", "s", "e", "es", "o", "a", "os", "as"]),
    "pt": frozenset(["", "s", "e", "es", "o", "a", "os", "as"]),
    "it": frozenset(["o", "i", "a", "e"]),
    "other": frozenset(
        [
            "",
            "а",
            "у",
            "ы",
            "и",
            "е",
            "о",
            "ой",
            "ом",
            "ем",
            "ов",
            "ами",
            "ах",
            "я",
            "ю",
            "a",
            "u",
            "y",
            "e",
            "ie",
            "em",
            "ow",
            "om",
            "i",
        ]
    ),
}


@lru_cache(maxsize=65536)
def is_known(word: str) -> bool:
    """Whether an English dictionary (that of `simplemma`) has the word, with or without a
    capital."""
    import simplemma

    return bool(
        simplemma.is_known(word, lang="en") or simplemma.is_known(word.capitalize(), lang="en")
    )


@lru_cache(maxsize=65536)
def same_word(one: str, two: str, language: str = "en") -> bool:
    """Whether two folded words are one: an inflected form, a spelling variant or a misspelling of
    the other.

    The table of pairs is in tests/checks/test_facts_rules.py.
    """
    if one == two:
        return True
    if contrast(one, two):
        return False
    if one[0].isdigit() or two[0].isdigit() or min(len(one), len(two)) < 3:
        return False
    if language == "en" and (
        not _verb_forms(one).isdisjoint(_verb_forms(two)) or _is_adverb_of(one, two)
    ):
        return True
    if min(len(one), len(two)) < 4:
        return False
    return (
        inflected(one, two, language)
        or _is_variant(one, two)
        or _has_umlaut_in_letters(one, two)
        or is_misspelt(one, two)
    )


@lru_cache(maxsize=65536)
def _lemma(word: str) -> str:
    """The form under which a dictionary has the English word: run for running and ran."""
    import simplemma

    return str(simplemma.lemmatize(word, lang="en"))


@lru_cache(maxsize=65536)
def _verb_forms(word: str) -> frozenset[str]:
    """The dictionary form of the English word, and that of the verb that it is a participle of:
    freeze for freezing."""
    forms = {_lemma(word)}
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= _VERB_LETTERS:
            doubled = base[:-1] if base[-1] == base[-2] else base
            forms |= {form for form in (base, f"{base}e", doubled) if is_known(form)}
    return frozenset(forms)


_VERB_LETTERS = 3


def _is_adverb_of(one: str, two: str) -> bool:
    """Whether the longer of two English words is the adverb of the shorter: intravenously. Short
    pairs have two meanings: hard and hardly."""
    short, long = sorted((one, two), key=len)
    return len(short) > SHORT and long == f"{short}ly"


def _has_umlaut_in_letters(one: str, two: str) -> bool:
    """Whether one word writes an umlaut with an e, as German does without the letter: Koeln."""
    for long, short in ((one, two), (two, one)):
        plain = long.replace("ae", "a").replace("oe", "o").replace("ue", "u")
        if plain == short and len(long) > len(short):
            return not (is_known(one) and is_known(two))
    return False


def inflected(one: str, two: str, language: str) -> bool:
    """Whether the words differ only in an ending that inflects in the language."""
    if any(_is_plural_of(first, second, language) for first, second in ((one, two), (two, one))):
        return True
    endings = _ENDINGS.get(language, _ENDINGS["other"])
    shared = _shared_start(one, two)
    least = 3 if language != "other" else 4
    return shared >= max(least, max(len(one), len(two)) - 3) and any(
        one[cut:] in endings and two[cut:] in endings
        for cut in range(shared, max(least, shared - 2) - 1, -1)
    )


def _is_plural_of(singular: str, plural: str, language: str) -> bool:
    """Whether an irregular ending makes the second word of the first; plurals come without their
    last s as well."""
    latin = any(
        _has_ending(singular, form, end, many, 3)
        for end, many in _CLASSICAL
        for form in (plural, plural + "s")
    )
    return latin or any(
        _has_ending(singular, form, end, many, 2)
        for end, many in _PLURALS.get(language, ())
        for form in (plural, plural + "s")
    )


def _has_ending(singular: str, plural: str, end: str, many: str, least: int) -> bool:
    kept = len(singular) - len(end)
    return kept >= least and singular.endswith(end) and plural == singular[:kept] + many


def _shared_start(one: str, two: str) -> int:
    count = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        count += 1
    return count


def _is_variant(one: str, two: str) -> bool:
    return _american(one) == _american(two)


@lru_cache(maxsize=65536)
def _american(word: str) -> str:
    for british, american in VARIANTS:
        word = word.replace(british, american)
    return word


def is_misspelt(one: str, two: str) -> bool:
    """Whether one word is a misspelling of the other, and no other known word is meant.

    Letters doubled or single, transliterated, swapped with their neighbour, or (in long words) one
    vowel or consonant too many or too few inside. Never for words of fewer than six letters, a
    changed first letter, or another prefix.
    """
    if min(len(one), len(two)) < SHORT or (one[0] != two[0] and _sound(one)[:1] != _sound(two)[:1]):
        return False
    same_sound = _sound(one) == _sound(two) and (
        max(len(one), len(two)) > SHORT
        or sorted(one) == sorted(two)
        or is_known(one) != is_known(two)
    )
    if other_prefix(one, two) or not (same_sound or _one_slip(one, two)):
        return False
    return not (is_known(one) and is_known(two))


def same_sound(one: str, two: str) -> bool:
    """Whether two words of names are pronounced alike: Barack and Barrack, Vinci and Vinchi.

    Next to an equal other name this is a misspelling or another transliteration, also of short and
    known words.
    """
    if {one[0], two[0]} == {"v", "w"} and max(len(one), len(two)) < SHORT:
        return False  # Veil and Weil
    return min(len(one), len(two)) >= _NAME_LETTERS and _sound(one) == _sound(two)


_NAME_LETTERS = 4


@lru_cache(maxsize=65536)
def _sound(word: str) -> str:
    """The word with one letter a sound, double letters once and without silent h and final e."""
    for letters, sound in _SOUNDS:
        word = word.replace(letters, sound)
    if len(word) > 4 and word[-1] == "e":
        word = word[:-1]
    kept = [c for i, c in enumerate(word) if (not i or c != word[i - 1]) and (c != "h" or not i)]
    return "".join(kept)


_VERY_LONG = 12
"""From this length on the letter before the last may be the one left out: Philadelpha."""


def _one_slip(one: str, two: str) -> bool:
    """One swap of neighbours, or in long words one letter more, or one vowel for another, inside
    the word."""
    if len(one) == len(two):
        different = [i for i, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
        if len(different) == 2 and different[1] == different[0] + 1:
            i = different[0]
            end = len(one) - (1 if len(one) > LONG else 2)
            return 0 < i < end and one[i] == two[i + 1] and one[i + 1] == two[i]
        if len(different) == 1 and len(one) > LONG:
            i = different[0]
            return one[i] in _VOWELS and two[i] in _VOWELS and 1 < i < len(one) - 1
        return False
    short, long = sorted((one, two), key=len)
    if len(long) - len(short) != 1 or len(long) < LONG:
        return False
    i = _shared_start(short, long)
    last = len(short) - (0 if len(long) >= _VERY_LONG else 1)
    return 1 < i < last and short[i:] == long[i + 1 :]


def other_prefix(one: str, two: str) -> bool:
    """Whether the words differ by their prefix alone: hypotension and hypertension."""
    return any(
        one.startswith(a) and two.startswith(b) and one[len(a) :] == two[len(b) :]
        for a in _PREFIXES
        if one.startswith(a)
        for b in ("", *_PREFIXES)
        if a != b
    ) or any(two.startswith(b) and two[len(b) :] == one for b in _PREFIXES)
