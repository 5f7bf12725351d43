"""Words that set one thing apart from a similar one, and when two spellings are one word.

The sets are closed lists, so that a reader can see what a verdict rests on. Words are folded stems
(see `tokens`).
"""

from importlib.resources import files

from llmeval.checks.facts.tokens import TITLES, stem
from llmeval.checks.reading.wordlists import word_set


def _lines(name: str) -> list[str]:
    text = files("llmeval.checks.facts").joinpath(name).read_text(encoding="utf-8")
    return text.splitlines()


CONTRASTS: tuple[frozenset[str], ...] = tuple(
    word_set(line)
    for line in """
north south east west northern southern eastern western northeast northwest southeast southwest \
central centre middle mid
nord sud ost est ouest oeste norte sur sul este leste ovest oost zuid noord noordelijk zuidelijk \
nordlich sudlich westlich ostlich
left right links rechts linke linken linker linkes rechte rechten rechter rechtes gauche droite \
droit izquierda izquierdo derecha derecho sinistra sinistro destra destro esquerda esquerdo \
direita direito linker
septentrional meridional occidental oriental septentrionale meridionale occidentale orientale \
setentrional
upper lower top bottom ober unter superior inferior haut bas alto bajo basso baixo
anterior posterior dorsal ventral cranial caudal
medial lateral proximal distal central peripheral
inner outer interior exterior internal external intrinsic extrinsic
front back front rear fore hind
elder younger senior junior sr jr altere jungere pere fils fil
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
increase decrease rise fall raise lower grow shrink gain lose rises falls increased decreased \
raised lowered increases decreases
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
black white red green blue yellow orange purple brown grey pink golden silver
black white red green blue yellow orange purple brown gray pink golden silver
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday
monoxide dioxide trioxide
buy sell bought sold
""".strip().split("\n")
)
"""Groups of which one member excludes another: north and south, elder and younger, monoxide and
dioxide."""

_GROUPS_OF: dict[str, frozenset[int]] = {}
for _number, _group in enumerate(CONTRASTS):
    for _word in _group:
        _GROUPS_OF[_word] = _GROUPS_OF.get(_word, frozenset()) | {_number}

_ANTONYMS: tuple[frozenset[str], ...] = tuple(
    word_set(line)
    for line in """
pope saint sultan bishop cardinal rabbi
pope general admiral colonel private sergeant
monoxyde dioxyde trioxyde
monoxido dioxido trioxido
monossido diossido biossido
push pull
strong weak
rough smooth
up down
artery vein
giant dwarf
depth breadth
solo duo duet trio quartet quintet sextet septet octet
segunda terca quarta quinta sexta
deuxieme troisieme quatrieme cinquieme sixieme
lunar solar
gross net
bull bear
acid base acidic basic alkaline
supply demand
debit credit
debtor creditor
buyer seller
employer employee
plaintiff defendant
haut haute basse bas
premier premiere second seconde
erster erste zweiter zweite dritter dritte
primera segunda tercera
prima seconda terza
primeira segunda terceira
eerste tweede derde
numerator denominator
""".strip().split("\n")
)
"""Groups that exclude each other too, but may be left out of a name: gross and net, push and
pull."""
_ANTONYMS_OF: dict[str, frozenset[int]] = {}
for _number, _group in enumerate(_ANTONYMS):
    for _word in _group:
        _ANTONYMS_OF[_word] = _ANTONYMS_OF.get(_word, frozenset()) | {_number}

COMPASS = CONTRASTS[0] | CONTRASTS[1]
BEFORE_NAME = (COMPASS - {"est", "este", "sur", "mid"}) | word_set(
    "new old upper lower inner outer equatorial papua non anti pseudo neo post pre ex "
    "democratic people san santa santo sao baja "
    "nueva nuevo nouvelle nouveau nova novo nuova nuovo neu neue nieuw nieuwe"
)
"""Right before a name these make another name of it: South Sudan, New Mexico, Equatorial Guinea."""
AFTER_NAME = (CONTRASTS[0] | CONTRASTS[1]) - {
    "central",
    "centre",
    "middle",
    "mid",
    "est",
    "sur",
    "este",
}
JOINTS = frozenset(
    (
        "du del do da di della dello dei degli delle des dos das de the of van von am an der den "
        "zu zum zur"
    ).split()
)
DROPPED_FREELY = word_set(
    "river ocean mountain mt mount desert empire dynasty inc ltd limited llc plc corp corporation "
    "company co group gmbh ag "
    "movie film novel book song album band show series character actor actress singer fc afc club "
    "team "
    "approximately roughly about republic kingdom "
    "fluss strom fleuve riviere rio fiume rivier see lac lago meer mar mer mare berg mont monte "
    "insel ile isla isola ilha "
    "wuste desert desierto deserto stadt ville ciudad citta cidade stad film filme pelicula roman "
    "novela romanzo romance gospel"
)
"""Words for the kind of a named thing. Often they are left out or added without a change of
meaning.
"""
_KINDS = tuple(
    word_set(line)
    for line in (
        "empire dynasty kingdom republic sultanate",
        "inc ltd limited llc plc corp corporation company co group gmbh ag",
        "movie film",
        "novel book gospel",
        "mountain mount mt",
        "band group",
        "fc afc club team",
        "show series",
    )
)


def same_kind(one: str, two: str) -> bool:
    """Whether two words name the same kind of thing, as in Gupta Empire and Gupta dynasty."""
    return any(one in kind and two in kind for kind in _KINDS)


PARTICLES = word_set("de la le du da di del della von van der den bin ibn al el san st saint")
TITLE_WORDS = TITLES | word_set(" ".join(_lines("titles.txt")))
"""Titles, offices, professions and nationalities that stand before a name, in seven languages."""

PLAIN_TITLES = word_set(
    "president captain general dr doctor mr mrs ms professor senator sir colonel admiral "
    "chancellor minister judge governor mayor"
)
"""Titles that stand before a surname, so that a first name may stand in their place."""

NICKNAMES = {
    stem(short): frozenset(map(stem, names.split()))
    for short, _, names in (line.partition("\t") for line in _lines("first_names.tsv"))
}
"""First names and the names that they are short for."""


NAMESAKES = tuple(
    (tuple(map(stem, short.split())), tuple(map(stem, long.split())))
    for short, long in (
        ("john adams", "john quincy adams"),
        ("martin luther", "martin luther king"),
        ("robert stevenson", "robert louis stevenson"),
        ("henry james", "henry james montague"),
        ("james dean", "james dean bradfield"),
    )
)
"""Names of two people of which one holds all words of the other."""

ANOTHER_AFTER = word_set(
    "united rovers wanderers athletic rangers albion hotspur code script bridge airport street "
    "avenue foundation museum institute pro max mini lite plus ultra tower native le se xl online "
    "city eve"
)
"""Right after a name these make another name of it: Dundee United, Visual Studio Code."""


RANKS = word_set(
    "vice deputy assistant associate acting lieutenant rear brigadier undersecretary vize "
    "stellvertretend stellvertretender stellvertretende adjoint vicario adjunto adjunta "
    "viceminister plaatsvervangend"
)
"""Right before an office or a rank these make another one of it: vice president, rear admiral."""
DEMONYMS = word_set(
    "american british french german dutch spanish portuguese italian russian belgian danish"
)
"""Before the name of a country these name a part, a territory or a former colony: French Guiana,
American Samoa."""
UNIT_KINDS = word_set("nautical square cubic imperial metric troy fluid light long short board")
"""Right before a unit these make another unit of it: nautical mile, square metre."""
GENERIC = word_set(
    "various several many main primary principal chief own certain typical usual particular "
    "specific respective entire whole overall actual famous"
)
"""Adjectives that do not tell one kind of a thing from another."""

VARIANTS_AFTER = word_set(
    "pro max mini lite plus ultra native le se xl online volume vol part united rover "
    "wanderer ranger albion hotspur athletic"
)
"""After a product or title these make another one of it, so that they cannot be left out."""

# Endings that tell substances and forms of one series apart.
_SERIES = (
    ("ate", "ite", "ide"),
    ("ane", "ene", "yne", "anol", "enol", "anal"),
    ("ose", "ase"),
    ("ic", "ous"),
    ("ico", "oso"),
    # salts and hydrocarbons in other languages: nitrato, nitrito; Nitrat, Nitrit, Nitrid
    ("ato", "ito", "uro", "eto"),
    ("at", "it", "id"),
    ("aat", "iet", "ide"),
    ("ate", "ite", "ure"),
    ("ano", "eno", "ino", "anolo", "anol", "anal", "anale", "anona", "anone"),
    ("an", "en", "in", "anol", "anal", "anon"),
    ("aan", "een", "yn"),
    ("osio", "asi"),
    ("osa", "asa"),
    ("ique", "eux"),
)
_SERIES_START = 4


def _of_series(one: str, two: str) -> bool:
    """Whether only the ending of a series differs: nitrate and nitrite, lactose and lactase."""
    if one[:_SERIES_START] != two[:_SERIES_START]:
        return False
    return any(
        one.endswith(a) and two.endswith(b) and one[: -len(a)] == two[: -len(b)]
        for endings in _SERIES
        for a in endings
        for b in endings
        if a != b and len(one) - len(a) >= _SERIES_START
    )


def contrast(one: str, two: str) -> bool:
    """Whether the two words are members of one group of words that exclude each other, or of one
    series."""
    if _of_series(one, two):
        return True
    return one != two and any(
        not groups.get(one, frozenset()).isdisjoint(groups.get(two, frozenset()))
        for groups in (_GROUPS_OF, _ANTONYMS_OF)
    )


def is_designator(stem: str) -> bool:
    """Whether the word tells one thing of a series from the next: a number, a letter, a compass
    point, left, elder."""
    return (
        stem[0].isdigit()
        or (len(stem) == 1 and stem.isalpha() and stem.isascii())
        or stem in _GROUPS_OF
    )
