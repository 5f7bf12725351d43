"""Longer names around the words of a reference, which are another thing: South Sudan for Sudan."""

import regex

from llmeval.checks.facts.aliases import is_country
from llmeval.checks.facts.kinds import has_rank_beside
from llmeval.checks.facts.lexicon import (
    AFTER_NAME,
    ANOTHER_AFTER,
    BEFORE_NAME,
    COMPASS,
    DEMONYMS,
    JOINTS,
)
from llmeval.checks.facts.names import Place, Reference
from llmeval.checks.facts.regnal_names import has_name_before, is_regnal
from llmeval.checks.facts.tokens import ORDINALS, Tokens

_ROMAN = regex.compile(r"[IVX]{1,5}")
_BARE = 12
"""In a longer answer a small number after a name is a footnote more often than a part."""


# What stands right before or after a Chinese or Japanese name and makes another name of it.
_HAN_BEFORE = frozenset("新南北东西東亚亞旧舊古非反副半次过過超高低前后後")
_HAN_AFTER = regex.compile(
    r"大学|大學|湾|灣|岛|島|半[岛島]|群[岛島]|海[峡峽]|海(?![关關外上边邊])|山(?![的是])|河|江|湖|[运運]河"
    r"|站|[驿駅]|塔|寺|[机機][场場]|空港|港(?![口的])|大[桥橋]|路|街|[战戦戰][争爭]|[条條][约約]|[语語]"
    r"|人(?![口们們民的])|料理|比[绍紹]|[队隊]|[银銀]行|[报報]|[剧劇]"
)
_HAN_JOINTS = frozenset("是为為叫在的了和与與到从從向於于及或由把被让讓给給对對")


_SENTENCE = 20
"""The same where a comma follows the number, which seldom follows a footnote."""


def in_longer_han_name(place: Place, reference: Reference, answer: Tokens) -> bool:
    """Whether the characters of a name stand inside a longer one: 南苏丹 for 苏丹, 上海大学 for
    上海."""
    if not reference.is_spaceless:
        return False
    start, end = answer.place(*place)
    before = answer.raw[start - 1 : start] if start else ""
    first = answer.raw[start]
    if _KATAKANA.match(first) and _KATAKANA.match(before):
        return True
    if len(reference.forms) == 1 and _HAN_LETTER.match(first) and _HAN_LETTER.match(before):
        return before not in _HAN_JOINTS
    return before in _HAN_BEFORE or _HAN_AFTER.match(answer.raw, end) is not None


_KATAKANA = regex.compile(r"[ァ-ヺー]")
_HAN_LETTER = regex.compile(r"\p{Han}")


def longer_name(place: Place, reference: Reference, answer: Tokens) -> range | None:
    """The words of the longer name that stands at the place of a reference, as in `South Sudan` or
    `Rocky II`.

    None where the reference stands by itself.
    """
    first, last = place
    for form in reversed(reference.leading):  # the Las of Las Vegas
        if first and answer.forms[first - 1] == form:
            first -= 1
    if first and answer.gap(first) in ("-", "‑") and answer.forms[first - 1] in _OPPOSITES:
        return range(first - 1, last + 1)
    if has_rank_beside(first, last, reference, answer):
        return range(max(0, first - 1), min(len(answer), last + 2))
    return _around_name(first, last, reference, answer) if reference.is_name else None


def _around_name(first: int, last: int, reference: Reference, answer: Tokens) -> range | None:
    """The same for a name, of which the words first..last are those of the reference."""
    if is_regnal(reference.bare) and has_name_before(first, answer):
        return range(first - 1, last + 1)
    if first and answer.gap(first) in (" ", "-"):
        country = " ".join(reference.stems)
        if answer.stems[first - 1] in DEMONYMS and is_country(country):
            return range(first - 1, last + 1)
        if answer.gap(first) == "-" and _is_joined_before(first, answer):
            return range(first - 1, last + 1)
        before = answer.raw[answer.starts[first - 1] :]
        if answer.stems[first - 1] in BEFORE_NAME and (before[0].isupper() or answer.raw.islower()):
            return range(first - 1, last + 1)
        ordinal = answer.forms[first - 1] in ORDINALS
        if ordinal and before[0].isupper() and answer.gap(first) == " ":
            return range(first - 1, last + 1)
    if _is_part_of_word((first, last), answer):
        return range(max(0, first - 1), min(len(answer), last + 2))
    stop = _continued(last, reference, answer) or _of_country(last, reference, answer)
    return range(first, stop) if stop else None


def _is_part_of_word(place: Place, answer: Tokens) -> bool:
    """Whether a short answer has the name inside a word of two capitals: JavaScript, YouTube."""
    first, last = place
    if _is_formula_in_longer_one(place, answer):
        return True
    if len(answer) > _BARE:
        return False
    before = first > 0 and not answer.gap(first)
    after = last + 1 < len(answer) and not answer.gap(last + 1)
    if after and any(character.isdigit() for character in answer.raw[answer.starts[first] :][:8]):
        return True  # a formula: H2O2 is not H2O
    return (before and answer.raw[answer.starts[first - 1]].isupper()) or (
        after and answer.raw[answer.starts[last + 1]].isupper()
    )


def _is_joined_before(first: int, answer: Tokens) -> bool:
    """Whether a name is joined by a hyphen to a part before it: Haute-Savoie for Savoie."""
    before, name = answer.raw[answer.starts[first - 1] :], answer.raw[answer.starts[first] :]
    return before[0].isupper() and before[1:2].islower() and name[0].isupper()


# The symbols of the chemical elements (IUPAC) that are in common formulas.
_ELEMENT = (
    "(?:A[lrsgu]|B[aeir]?|C[adlorsu]?|F[e]?|H[eg]?|I|K|L[i]|M[gno]|N[aei]?|O|P[bt]?|S[inr]?|T[i]"
    "|U|W|Xe|Z[nr])"
)
_FORMULA = regex.compile(rf"(?:{_ELEMENT}\d{{0,2}}){{2,8}}")


def _is_formula_in_longer_one(place: Place, answer: Tokens) -> bool:
    """Whether the name is the start of a longer chemical formula: H2O of H2O2, CO of CO2."""
    start, end = answer.place(*place)
    raw = answer.raw
    stop = end
    while stop < min(len(raw), end + 4) and raw[stop].isdigit():
        stop += 1
    name = raw[start:end]
    # CBS1 is a channel with a footnote.
    letters = name.isalpha() and name.isupper() and len(name) > _OXIDE
    return stop > end and not letters and bool(_FORMULA.fullmatch(name))


_OXIDE = 2


def _of_country(last: int, reference: Reference, answer: Tokens) -> int:
    """The word after the last one of what a country gives its name to: `US Supreme Court`; 0 where
    none follows."""
    at = last + 1
    if at >= len(answer) or answer.gap(at) != " " or not is_country(" ".join(reference.stems)):
        return 0
    while at < len(answer) and answer.gap(at) == " " and answer.raw[answer.starts[at]].isupper():
        at += 1
    return at if at > last + 1 and at == len(answer) else 0


_OPPOSITES = frozenset(
    ["non", "anti", "pseudo", "un", "ex", "beau", "belle", "demi", "grand", "great", "step", "half"]
)
_PARTS = frozenset("part volume vol teil parte partie tome deel".split())
_NAMESAKES = frozenset(["elder", "younger"])


_CITIES = frozenset(["york", "vatican", "minh", "belize"])
"""The last word of places that are the same with and without `City`."""


def _continued(last: int, reference: Reference, answer: Tokens) -> int:
    """The word after the numeral, `Junior`, `the Elder`, `du Nord` or `-Bissau` that follows a
    name; 0 if none does."""
    at = last + 1
    if at >= len(answer):
        return 0
    gap, raw = answer.gap(at), answer.raw[answer.starts[at] : answer.ends[at]]
    numbered = reference.stems[-1][0].isdigit()
    if gap == "-" and raw[0].isupper() and raw[1:].islower() and not numbered:
        return at + 1
    if gap in (": ", ", ", " ") and answer.forms[at] in _PARTS and at + 1 < len(answer):
        return at + 2 if answer.stems[at + 1][0].isdigit() else 0
    if numbered and not gap and len(raw) == 1 and raw.isupper():
        return at + 1  # Route 9A
    name = reference.bare.rpartition(" ")[2]
    if gap == "-" and len(raw) == 1 and raw.isupper() and name.isupper() and len(name) > 1:
        return at + 1  # LTE-A
    if gap not in (" ", "-", ", "):
        return 0
    if gap != ", " and not numbered and _is_numeral(at, gap, answer):
        return at + 1
    while at < len(answer) - 1 and answer.forms[at] in JOINTS and answer.gap(at + 1) == " ":
        at += 1
    if answer.forms[at] in _NAMESAKES:
        return at + 1
    # `sur` and `est` are small words of a sentence, Sur and Est parts of a name.
    after = AFTER_NAME | ANOTHER_AFTER | (COMPASS if raw[0].isupper() else frozenset())
    if gap == ", " or answer.forms[at] not in after:
        return 0
    if answer.forms[at] == "city" and reference.stems[-1] in _CITIES:
        return 0
    return at + 1 if at > last + 1 or answer.raw[answer.starts[at]].isupper() else 0


def _is_numeral(at: int, gap: str, answer: Tokens) -> bool:
    """Whether the word numbers the name before it: a Roman numeral, `Part 2`, or a small number
    joined by a hyphen."""
    raw = answer.raw[answer.starts[at] : answer.ends[at]]
    if _ROMAN.fullmatch(raw) and raw != "I":
        return True
    if raw == "I":
        return at + 1 == len(answer) or answer.gap(at + 1) not in (" ",)
    if not raw.isdigit() or len(raw) > 2:
        return False
    follows = answer.gap(at + 1)[:1] if at + 1 < len(answer) else ""
    if gap == " " and (raw == "1" or (len(answer) > (_SENTENCE if follows == "," else _BARE))):
        return False  # a footnote more often than a part
    return gap == "-" or at + 1 == len(answer) or answer.gap(at + 1).strip()[:1] in ("", *".,;:!?)")
