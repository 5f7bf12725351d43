"""Words that set one thing apart from a similar one, and when two spellings are one word.

The sets are closed lists, so that a reader can see what a verdict rests on. Words are folded stems (see `tokens`).
"""

from functools import lru_cache

from llmeval.checks.facts.tokens import TITLES, stem
from llmeval.checks.reading.wordlists import word_set

CONTRASTS: tuple[frozenset[str], ...] = tuple(
    word_set(line)
    for line in """
north south east west northern southern eastern western northeast northwest southeast southwest central centre middle mid
nord sud ost est ouest oeste norte sur sul este leste ovest oost zuid noord noordelijk zuidelijk nordlich sudlich westlich ostlich
left right links rechts linke linken linker linkes rechte rechten rechter rechtes gauche droite droit izquierda izquierdo derecha derecho sinistra sinistro destra destro esquerda esquerdo direita direito linker
upper lower top bottom ober unter superior inferior haut bas alto bajo basso baixo
anterior posterior dorsal ventral cranial caudal
medial lateral proximal distal central peripheral
inner outer interior exterior internal external intrinsic extrinsic
front back front rear fore hind
elder younger senior junior sr jr altere jungere altere jungere
old new ancient modern neo
high low higher lower highest lowest
big small large little great lesser greater minor major larger smaller largest smallest biggest
male female man woman boy girl masculine feminine
positive negative plus minus
acute chronic benign malignant
convex concave
systolic diastolic arterial venous
alpha beta gamma delta epsilon zeta theta kappa lambda sigma omega
primary secondary tertiary quaternary
single double triple quadruple
mono di tri tetra penta hexa poly
direct indirect active passive static dynamic
solid liquid gas
king queen prince princess duke duchess emperor empress
hermano hermana
hijo hija
abuelo abuela
primo prima
filho filha
irmao irma
figlio figlia
frere soeur
brother sister mother father son daughter husband wife uncle aunt
more less most least fewer
increase decrease rise fall raise lower grow shrink gain lose rises falls increased decreased raised lowered increases decreases
all some none any every no few many most
always never sometimes often rarely seldom
before after during
day night morning evening afternoon
summer winter spring autumn fall
open closed open shut opened closed
hot cold warm cool warmer cooler hotter colder
heavy light heavier lighter
long short longer shorter
fast slow faster slower
early late earlier later
inside outside
black white red green blue yellow orange purple brown grey gray pink golden silver
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday
monoxide dioxide trioxide
buy sell bought sold
""".strip().split("\n")
)
"""Groups of which one member excludes another: north and south, elder and younger, monoxide and dioxide."""

_GROUPS_OF: dict[str, frozenset[int]] = {}
for _number, _group in enumerate(CONTRASTS):
    for _word in _group:
        _GROUPS_OF[_word] = _GROUPS_OF.get(_word, frozenset()) | {_number}

COMPASS = CONTRASTS[0] | CONTRASTS[1]
BEFORE_NAME = (COMPASS - {"est", "este", "sur", "mid"}) | word_set(
    "new old upper lower inner outer equatorial papua non anti pseudo neo post pre ex"
)
"""Right before a name these make another name of it: South Sudan, New Mexico, Equatorial Guinea."""
AFTER_NAME = (CONTRASTS[0] | CONTRASTS[1]) - {"central", "centre", "middle", "mid", "est", "sur", "este"}
JOINTS = frozenset(["du", "del", "do", "da", "della", "dello", "de", "the", "of", "van", "am", "an", "der"])
DROPPED_FREELY = word_set(
    "river ocean mountain mt mount desert empire dynasty inc ltd limited llc plc corp corporation company co group gmbh ag "
    "movie film novel book song album band show series character actor actress singer fc afc club team "
    "approximately roughly about republic kingdom "
    "fluss strom fleuve riviere rio fiume rivier see lac lago meer mar mer mare berg mont monte insel ile isla isola ilha "
    "wuste desert desierto deserto stadt ville ciudad citta cidade stad film filme pelicula roman novela romanzo romance"
)
"""What kind of thing a name stands for: often left out or added without meaning another thing."""
_KINDS = tuple(
    word_set(line)
    for line in (
        "empire dynasty kingdom republic sultanate",
        "inc ltd limited llc plc corp corporation company co group gmbh ag",
        "movie film",
        "novel book",
        "mountain mount mt",
        "band group",
        "fc afc club team",
        "show series",
    )
)


def same_kind(one: str, two: str) -> bool:
    """Whether two words say in other words what kind of thing a name stands for: Gupta Empire and Gupta dynasty."""
    return any(one in kind and two in kind for kind in _KINDS)


PARTICLES = word_set("de la le du da di del della von van der den bin ibn al el san st saint")
TITLE_WORDS = TITLES | word_set(
    "president king queen prince princess pope saint sir lady lord emperor empress count baron general captain "
    "colonel admiral major professor doctor senator governor minister chancellor judge justice bishop cardinal "
    "father brother sister mother aunt uncle chief mayor astronaut prime herr frau konig konigin kaiser papst "
    "roi reine empereur president presidente rey reina papa re regina imperatore rei rainha sultan shah tsar czar "
    "duke duchess dame reverend rabbi master miss mister mrs ms mr dr prof st sr secretary emperor monsieur madame "
    "senor senora signor signora u s us american british french german english italian spanish author writer poet "
    "composer painter physicist"
)

NICKNAMES = {
    stem(short): frozenset(map(stem, names.split()))
    for short, names in {
        "bill": "william", "will": "william", "bob": "robert", "rob": "robert", "bobby": "robert", "jim": "james",
        "jimmy": "james", "dave": "david", "tony": "anthony antonio", "mike": "michael", "dick": "richard",
        "rick": "richard", "ted": "edward theodore", "ed": "edward", "jack": "john", "johnny": "john", "joe": "joseph",
        "tom": "thomas", "tim": "timothy", "dan": "daniel", "ben": "benjamin", "sam": "samuel", "steve": "steven stephen",
        "kate": "katherine catherine", "liz": "elizabeth", "beth": "elizabeth", "meg": "margaret", "peggy": "margaret",
        "harry": "henry harold", "chuck": "charles", "charlie": "charles", "andy": "andrew", "drew": "andrew",
        "greg": "gregory", "matt": "matthew", "nick": "nicholas", "pete": "peter", "chris": "christopher christian",
        "larry": "lawrence", "gerry": "gerald", "jerry": "gerald jerome", "ron": "ronald", "don": "donald",
        "ken": "kenneth", "al": "albert alan", "alex": "alexander alexandra", "sue": "susan", "jenny": "jennifer",
        "hans": "johannes", "fritz": "friedrich", "pepe": "jose", "paco": "francisco", "johann": "johannes",
    }.items()
}  # fmt: skip
"""First names and the names that they are short for."""

# Prefixes that turn a word into its opposite or into another thing of the series.
_PREFIXES = sorted(
    (
        "hypo hyper pre post intra inter extra endo exo ecto micro macro mono di bi tri tetra penta hexa poly anti "
        "pro hetero homo sub super supra infra in ex un non dis im ir il ultra trans cis iso ortho meta para peri "
        "epi pseudo neo proto eu syn ab ad af ef con de re nord sud ost west nordost nordwest sudost sudwest ober "
        "unter links rechts meso kilo mega giga milli nano"
    ).split(),
    key=len,
    reverse=True,
)

VARIANTS = (
    ("ae", "e"), ("oe", "e"), ("ph", "f"), ("our", "or"), ("tre", "ter"), ("bre", "ber"), ("isation", "ization"),
    ("ise", "ize"), ("ising", "izing"), ("yse", "yze"), ("ogue", "og"), ("ence", "ense"), ("aluminium", "aluminum"),
    ("grey", "gray"), ("tyre", "tire"), ("mould", "mold"), ("plough", "plow"), ("ll", "l"),
)  # fmt: skip
"""British and American spellings of one word."""
# Letters that languages and transliterations write in several ways; the longest first.
_SOUNDS = (
    ("tsch", "c"), ("tch", "c"), ("sch", "s"), ("que", "k"), ("ch", "c"), ("sh", "s"), ("ck", "k"), ("ph", "f"), ("kh", "k"),
    ("gh", "g"), ("dh", "d"), ("th", "t"), ("bh", "b"), ("rh", "r"), ("zh", "z"), ("ou", "u"), ("oo", "u"), ("ee", "i"),
    ("ie", "i"), ("ei", "i"), ("ai", "e"), ("ae", "e"), ("oe", "o"), ("ue", "u"), ("ij", "i"), ("yo", "o"), ("ye", "e"),
    ("ya", "a"), ("yu", "u"), ("y", "i"), ("j", "i"), ("w", "v"), ("q", "k"), ("c", "k"), ("x", "ks"), ("z", "s"),
)  # fmt: skip
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
    "pt": (("ao", "oes"), ("ao", "aes"), ("ao", "aos"), ("al", "ais"), ("el", "eis"), ("ol", "ois"), ("m", "ns")),
    "it": (("co", "chi"), ("go", "ghi"), ("ca", "che"), ("ga", "ghe"), ("cia", "ce"), ("gia", "ge")),
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


def contrast(one: str, two: str) -> bool:
    """Whether the two words are members of one group of `CONTRASTS`."""
    return one != two and not _GROUPS_OF.get(one, frozenset()).isdisjoint(_GROUPS_OF.get(two, frozenset()))


def is_designator(stem: str) -> bool:
    """Whether the word tells one thing of a series from the next: a number, a letter, a compass point, left, elder."""
    return stem[0].isdigit() or (len(stem) == 1 and stem.isalpha() and stem.isascii()) or stem in _GROUPS_OF


@lru_cache(maxsize=65536)
def is_known(word: str) -> bool:
    """Whether an English dictionary (that of `simplemma`) has the word, with or without a capital."""
    import simplemma

    return bool(simplemma.is_known(word, lang="en") or simplemma.is_known(word.capitalize(), lang="en"))


@lru_cache(maxsize=65536)
def same_word(one: str, two: str, language: str = "en") -> bool:
    """Whether two folded words are one: an inflected form, a spelling variant or a misspelling of the other.

    The table of pairs is in tests/checks/test_facts_rules.py.
    """
    if one == two:
        return True
    if contrast(one, two):
        return False
    if one[0].isdigit() or two[0].isdigit() or min(len(one), len(two)) < 4:
        return False
    return inflected(one, two, language) or _is_variant(one, two) or is_misspelt(one, two)


def inflected(one: str, two: str, language: str) -> bool:
    """Whether the words differ only in an ending that inflects in the language."""
    if any(_is_plural_of(first, second, language) for first, second in ((one, two), (two, one))):
        return True
    endings = _ENDINGS.get(language, _ENDINGS["other"])
    shared = _shared_start(one, two)
    least = 3 if language != "other" else 4
    return shared >= max(least, max(len(one), len(two)) - 3) and any(
        one[cut:] in endings and two[cut:] in endings for cut in range(shared, max(least, shared - 2) - 1, -1)
    )


def _is_plural_of(singular: str, plural: str, language: str) -> bool:
    """Whether an irregular ending makes the second word of the first; plurals come without their last s as well."""
    latin = any(_has_ending(singular, plural, end, many, 3) for end, many in _CLASSICAL)
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

    Letters doubled or single, transliterated, swapped with their neighbour, or (in long words) one vowel or consonant
    too many or too few inside. Never for words of fewer than six letters, a changed first letter, or another prefix.
    """
    if min(len(one), len(two)) < SHORT or (one[0] != two[0] and _sound(one)[:1] != _sound(two)[:1]):
        return False
    same_sound = _sound(one) == _sound(two) and (max(len(one), len(two)) > SHORT or sorted(one) == sorted(two))
    if _other_prefix(one, two) or not (same_sound or _one_slip(one, two)):
        return False
    return not (is_known(one) and is_known(two))


@lru_cache(maxsize=65536)
def _sound(word: str) -> str:
    """The word with one letter a sound, double letters once and without silent h and final e."""
    for letters, sound in _SOUNDS:
        word = word.replace(letters, sound)
    if len(word) > 4 and word[-1] == "e":
        word = word[:-1]
    kept = [c for i, c in enumerate(word) if (not i or c != word[i - 1]) and (c != "h" or not i)]
    return "".join(kept)


def _one_slip(one: str, two: str) -> bool:
    """One swap of neighbours, or in long words one letter more, or one vowel for another, inside the word."""
    if len(one) == len(two):
        different = [i for i, (a, b) in enumerate(zip(one, two, strict=True)) if a != b]
        if len(different) == 2 and different[1] == different[0] + 1:
            i = different[0]
            return 0 < i < len(one) - 2 and one[i] == two[i + 1] and one[i + 1] == two[i]
        if len(different) == 1 and len(one) > LONG:
            i = different[0]
            return one[i] in _VOWELS and two[i] in _VOWELS and 1 < i < len(one) - 3
        return False
    short, long = sorted((one, two), key=len)
    if len(long) - len(short) != 1 or len(long) < LONG:
        return False
    i = _shared_start(short, long)
    return 1 < i < len(short) - 1 and short[i:] == long[i + 1 :]


def _other_prefix(one: str, two: str) -> bool:
    """Whether the words differ by their prefix alone: hypotension and hypertension."""
    return any(
        one.startswith(a) and two.startswith(b) and one[len(a) :] == two[len(b) :]
        for a in _PREFIXES
        if one.startswith(a)
        for b in ("", *_PREFIXES)
        if a != b
    ) or any(two.startswith(b) and two[len(b) :] == one for b in _PREFIXES)
