"""Whether an answer exchanges the parts of a sentence: the man bit the dog for the dog bit the man.

Only near copies are compared: the same words of meaning, and hardly any other word.
"""

from llmeval.checks.facts.lexicon import contrast
from llmeval.checks.facts.names import Reference
from llmeval.checks.facts.tokens import STOPWORDS, Tokens
from llmeval.checks.facts.word_forms import same_word
from llmeval.checks.reading.wordlists import word_set

_EXTRA = 4
"""A near copy has at most so many words more than the sentence."""
_LEAST, _MOST = 3, 12
"""Words of meaning that the sentence has."""
_LONGEST_VERB = 2
_ARTICLES = word_set(
    "the a an der die das den dem des ein eine einen einem einer le la les un une el los las una "
    "il lo i gli o os as um uma de het een"
)
_CASES = frozenset("der den dem des ein einen einem einer eines".split())
"""Articles that show the part of their noun by themselves."""
_BY = frozenset("by von vom par por pelo pela da dal dallo dalla door".split())
"""What the passive puts before the one who acts."""
_OF = frozenset(
    "of in for on at to from with von in an auf de du des d en di da do dos van op and or und et y "
    "e o ou oder al del au aux zum zur im am ins nel alla allo ao na no aan naar met".split()
)
_SAME_BOTH_WAYS = word_set(
    "marry married marries wed meet met meets equal equals border borders neighbour resemble "
    "resembles match matches rhyme rhymes heiratet heiratete traf trifft grenzt epouse rencontre "
    "conocio caso sposo incontro grenst"
)
"""Verbs that say the same with their parts exchanged."""


_LISTED = frozenset("and or und oder et ou y e than".split())
_HELPING = frozenset(
    "a ont hat haben hatte has have had ha han hanno ho hebben heeft will would did does can must "
    "est ist is was wird".split()
)
"""Verbs that may stand before the one that matters: `a vaincu`, `has beaten`."""
_JOINING = frozenset(
    "while whereas whilst wahrend tandis mientras mentre enquanto terwijl when if".split()
)
"""Words between two sentences."""


_PARTICLES = {
    one: two
    for pair in ("on off", "in out", "up down", "an aus", "auf zu", "aan uit", "dentro fuera")
    for one, two in (pair.split(), pair.split()[::-1])
}
"""Small words that turn a sentence round where they close it: the switch is off."""


def ends_otherwise(reference: Reference, answer: Tokens) -> bool:
    """Whether the answer closes with the opposite of the small word that closes the reference."""
    last = reference.forms[-1]
    other = _PARTICLES.get(last)
    near = len(answer) <= len(reference.forms) + _EXTRA
    return near and other == answer.forms[-1] and last not in answer.forms if other else False


def has_roles_swapped(reference: Reference, answer: Tokens) -> bool:
    """Whether the two things on both sides of a verb have changed places, or the verb its voice."""
    words = Tokens(reference.bare)
    if len(answer) > len(words) + _EXTRA or not _LEAST <= len(reference.content) <= _MOST:
        return False
    there, here = _content(words), _content(answer)
    wanted = [words.stems[at] for at in there]
    if len(set(wanted)) < len(wanted):
        return False
    same = {stem: _counterpart(stem, wanted) for stem in {answer.stems[at] for at in here}}
    here = [at for at in here if same[answer.stems[at]]]
    stated = [same[answer.stems[at]] for at in here]
    if sorted(stated) != sorted(wanted):
        return False
    if "," not in reference.bare and _exchanges_opposites(wanted, stated):
        return True
    passive = _BY.isdisjoint(words.forms) and not _BY.isdisjoint(answer.forms)
    if stated == wanted:
        return passive and _acts_last(there, here, words, answer)
    return not passive and any(
        [*wanted[:low], *wanted[high:end], *wanted[verb:high], *wanted[low:verb], *wanted[end:]]
        == stated
        and _is_verb(there, verb, high, words, closed=end == len(wanted))
        and not _keeps_cases(
            there, dict(zip(stated, here, strict=True)), (low, verb, high, end), words, answer
        )
        for low in range(len(wanted))
        for verb in range(low + 1, len(wanted))
        for high in range(verb + 1, min(verb + _LONGEST_VERB + 1, len(wanted)))
        for end in range(high + 1, len(wanted) + 1)
    )


def _counterpart(stem: str, wanted: list[str]) -> str:
    """The word of the sentence that the answer's word is a form of; empty where there is none."""
    if stem in wanted:
        return stem
    return next((own for own in wanted if same_word(stem, own, "de")), "")


def _exchanges_opposites(wanted: list[str], stated: list[str]) -> bool:
    """Whether only two words have changed places, and one is the opposite of the other."""
    moved = [pair for pair in zip(wanted, stated, strict=True) if pair[0] != pair[1]]
    return len(moved) == 2 and moved[0] == moved[1][::-1] and contrast(*moved[0])


def _content(words: Tokens) -> list[int]:
    """The words of meaning, by their index."""
    return [
        at
        for at, form in enumerate(words.forms)
        if form not in STOPWORDS and form not in _ARTICLES and form not in _OF and form not in _BY
    ]


def _is_verb(there: list[int], verb: int, high: int, words: Tokens, *, closed: bool = True) -> bool:
    """Whether the words verb..high may be the verb between two things: no small word stands before
    them, and none but an article, `to` or the like after them."""
    first, last = there[verb], there[high - 1]
    between = words.forms[there[verb - 1] + 1 : first]
    if not _HELPING.issuperset(between) or any(mark in words.gap(first) for mark in ",;:"):
        return False
    if any(words.stems[at] in _SAME_BOTH_WAYS for at in range(first, last + 1)):
        return False
    after = words.forms[last + 1] if last + 1 < len(words) else ""
    if not _JOINING.isdisjoint(words.forms[first : last + 1]):
        return False
    if not closed and after in _LISTED:
        return True  # `Exports grew and imports shrank` goes on after what was exchanged
    return after not in _LISTED and not any(mark in words.gap(last + 1) for mark in ",;:")


def _keeps_cases(
    there: list[int],
    places: dict[str, int],
    parts: tuple[int, int, int, int],
    words: Tokens,
    answer: Tokens,
) -> bool:
    """Whether both keep the articles that show their parts: `Den Schüler lobt der Lehrer`."""
    low, verb, high, end = parts
    one, two = there[low], there[high]
    size = end - high
    moved = (places[words.stems[one]], places[words.stems[two]])
    pairs = ((one, moved[0]), (two, moved[1]))
    before = [
        (words.forms[own - 1] if own else "", answer.forms[at - 1] if at else "")
        for own, at in pairs
    ]
    kept = all(own == other and own in _CASES for own, other in before)
    return kept and before[0][0] != before[1][0] and size > 0 and verb > low


def _acts_last(there: list[int], here: list[int], words: Tokens, answer: Tokens) -> bool:
    """Whether `by` stands before what the verb of the sentence does something to: `the cat was
    chased by the mouse`."""
    at = next(i for i, form in enumerate(answer.forms) if form in _BY) + 1
    while at < len(answer) and answer.forms[at] in _ARTICLES:
        at += 1
    place = here.index(at) if at in here else -1
    return place >= _LEAST - 1 and _is_verb(there, place - 1, place, words)
