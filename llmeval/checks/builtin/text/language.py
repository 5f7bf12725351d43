"""The language of an answer: its script first, then py3langid among the languages written in that
script.

Deterministic: no sampling, no seed. Texts too short to tell (fewer than 4 words, unless the script
decides alone) and texts of nothing but names are not applicable, as names and single words read as
almost any language. In short texts names do not count, and Chinese characters without kana may be
Japanese.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

import regex
from pydantic import AfterValidator, BeforeValidator

from llmeval.checks.base import Result, check, not_applicable, verdict
from llmeval.checks.builtin.text.language_words import WordSplit, weights, without_names
from llmeval.checks.reading.text import Piece, count_words, masked, paragraphs
from llmeval.checks.reading.wordlists import word_set
from llmeval.core.records import Answer, Case

MIN_WORDS = 4
UNDETERMINED = "und"
"""The language of a text that is long enough to tell and still reads as none: gibberish, or a
mixture.
"""
# Of 3,923 clean sentences of 60 letters and more in 12 languages, 2 had a probability below 0.6.
_ENOUGH, _CLEAR = 60, 0.6
_SAMPLE = 30_000
_SURE = 0.9
_SHORT = 80
"""Words of a text in which names may outweigh the rest."""


def _codes_of(codes: str) -> tuple[str, ...]:
    return tuple(codes.split())


# Script -> languages told apart in it. Where there is one, the script decides.
_SCRIPTS: dict[str, tuple[str, ...]] = {
    "Latin": _codes_of(
        "af az ca cs cy da de en eo es et eu fi fr ga gl ha hr hu id ig is it la lb lt lv mg mt "
        "nl no pl pt ro rw sk sl"
        " sn so sq sv sw tl tr uz vi xh yo zu"
    ),
    "Cyrillic": ("ru", "uk", "bg", "be", "sr", "mk", "kk", "ky", "mn", "tg", "tt"),
    "Arabic": ("ar", "fa", "ur", "ps", "ug", "ku"),
    "Devanagari": ("hi", "mr", "ne"),
    "Bengali": ("bn", "as"),
    "Hebrew": ("he",),
    "Greek": ("el",),
    "Hangul": ("ko",),
    "Thai": ("th",),
    "Lao": ("lo",),
    "Khmer": ("km",),
    "Myanmar": ("my",),
    "Tamil": ("ta",),
    "Telugu": ("te",),
    "Kannada": ("kn",),
    "Malayalam": ("ml",),
    "Gujarati": ("gu",),
    "Gurmukhi": ("pa",),
    "Oriya": ("or",),
    "Sinhala": ("si",),
    "Georgian": ("ka",),
    "Armenian": ("hy",),
    "Ethiopic": ("am",),
    "Tibetan": ("dz",),
}
LANGUAGES = frozenset({"zh", "ja"}.union(*_SCRIPTS.values()))
"""ISO 639-1 codes that can be asked for."""

_ALIASES = {"nb": "no", "nn": "no", "bs": "hr", "ms": "id", "iw": "he", "in": "id", "fil": "tl"}
"""Codes of languages too alike to tell apart, or old codes, and the one they are taken for. Serbian
in Latin letters is taken for Croatian."""
_LIKE = {"hr": "sr"}
_FOREIGN = {
    "ru": regex.compile("[іїєґўјљњћђџѓќѕ]"),
    "bg": regex.compile("[ыэёіїєґўјљњћђџѓќѕ]"),
    "uk": regex.compile("[ыэёъўјљњћђџѓќѕ]"),
    "be": regex.compile("[щъиїєґјљњћђџѓќѕ]"),
    "sr": regex.compile("[ыэёъьщйюяіїєґўѓќѕ]"),
    "mk": regex.compile("[ыэёъьщйюяіїєґўћђ]"),
}
"""Cyrillic letters that a language does not have."""
_FOREIGN_WEIGHT = 0.05
_RARE = word_set("eo eu ga gl ha ig la lb mg mt rw sn so xh yo zu ca af cy tt tg ky ug ku")
_RARE_WEIGHT = 0.1
"""Prior weight of a language with little text in the world, unless it is asked for: short texts
else read as one.
"""
_LETTER = regex.compile(r"\p{L}")
_SMALL_LATIN = regex.compile(r"(?<!\p{L})\p{Ll}\p{Script=Latin}*")
_JAPANESE = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_HAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
# Chinese words that Japanese written without kana (names, dates, lists) does not have
_CHINESE_WORDS = regex.compile(
    "[你她它們這嗎呢吧很沒]|我[是的]|不是|是[我你他一在]|的[人时時是]|了一|在[那]"
)
_LONG_HAN = 40
"""Of more letters than this Japanese prose has kana, and Chinese prose has particles."""
_CHINESE_PARTICLES = regex.compile("[的是了在]")
_LIKELY, _EITHER = 0.95, 0.5
_BY_SCRIPT = {name: regex.compile(rf"\p{{Script={name}}}") for name in _SCRIPTS}
_ASSAMESE = regex.compile("[ৰৱ]")
# py3langid confuses the three; their commonest function words don't.
_MARKERS = {
    "hi": word_set("है हैं था थे थी में और के का को से नहीं यह वह ने पर भी तो लिए इस कर गया"),
    "mr": word_set("आहे आहेत आणि नाही मी हा ते त्या त्यांनी आम्ही तुम्ही केले असे पण झाले मध्ये साठी तसेच किंवा"),
    "ne": word_set("छ छन् र भने पनि गर्न हुन्छ छैन थियो यो त्यो तपाईं लागि गरेको भएको गर्ने गर्नुहोस् म हुन्"),
}


class LanguageGuess(NamedTuple):
    """A language and its probability among the languages of its script."""

    language: str
    probability: float

    @property
    def unsure(self) -> bool:
        """Whether a text is too short, or too full of names, for this language to be more than a
        guess."""
        return self.probability < _CLEAR and self.language != UNDETERMINED


def identify(text: str, candidates: Collection[str] = ()) -> LanguageGuess | None:
    """The language of `text`, or None when it is too short to tell or has no letters. Code and URLs
    don't count.

    `UNDETERMINED` for a longer text that reads as no language more than as others.

    `asked`: languages that are expected; a rare one is then taken for as likely as any.
    """
    sample = masked(_sample(text)) if len(text) > 10 * _SAMPLE else _sample(masked(text))
    script = _script(sample)
    if script is None:
        return None
    if script == "Han":
        return _chinese_or_japanese(sample, candidates)
    if len(_SCRIPTS[script]) == 1:
        return LanguageGuess(_SCRIPTS[script][0], 1.0)
    length = count_words(sample)
    if length < MIN_WORDS:
        return None
    words = (
        without_names(sample, tuple(candidates)) if script == "Latin" and length <= _SHORT else None
    )
    if words and words.decide:
        return _besides_names(words, candidates) if words.rest else None
    return _among(sample, script, candidates)


def known(language: str) -> str:
    """The code as `identify` gives it.

    Raises:
        ValueError: not a code that can be told.
    """
    code = _ALIASES.get(language.lower(), language.lower())
    if code not in LANGUAGES:
        raise ValueError(
            f"{language!r} is not a language that this check knows; use an ISO 639-1 code without "
            f"region, as in en, zh"
        )
    return code


def matches(guess: LanguageGuess, expected: str) -> bool:
    """Whether a guess is the wanted language, or one too alike to tell from it."""
    return guess.language == expected or _LIKE.get(guess.language) == expected


def _codes(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _all_known(codes: list[str]) -> list[str]:
    if not codes:
        raise ValueError("name at least one language")
    return [known(code) for code in codes]


Languages = Annotated[list[str], BeforeValidator(_codes), AfterValidator(_all_known)]


@check(group="language", version=2)
def language(
    case: Case, answer: Answer, *, allowed: Languages, every_paragraph: bool = False
) -> Result:
    """The answer is written in the language, or in one of the languages, given as ISO 639-1 codes.

    `every_paragraph`: no paragraph that is long enough to tell may be in another language. A text
    too short to be sure (probability below 0.6) never fails: it passes with that confidence, or is
    not applicable where another language is likelier.
    """
    guess = identify(answer.text, allowed)
    if guess is None:
        return not_applicable("too few words to identify the language")
    expected = " or ".join(allowed)
    if not any(matches(guess, code) for code in allowed):
        reason = f"reads as {guess.language} ({guess.probability:.2f}); expected {expected}"
        open_ = guess.unsure and any(_written_alike(guess.language, code) for code in allowed)
        return not_applicable(f"not sure: {reason}") if open_ else verdict(False, reason)
    if every_paragraph:
        foreign = list(_foreign(answer.text, allowed))
        if foreign:
            spans = [
                piece.span(f"reads as {other.language}", "language") for piece, other in foreign
            ]
            return verdict(False, f"{len(foreign)} paragraphs are not in {expected}", *spans)
    confidence = max(0.5, guess.probability) if guess.unsure else None
    sure = f", not sure ({guess.probability:.2f})" if guess.unsure else ""
    return verdict(True, f"reads as {guess.language}{sure}", confidence=confidence)


def _written_alike(one: str, other: str) -> bool:
    """Whether two languages have the same script, so that a short text may be either."""
    return {one, other} == {"zh", "ja"} or any(
        one in group and other in group for group in _SCRIPTS.values()
    )


def _foreign(text: str, allowed: list[str]) -> list[tuple[Piece, LanguageGuess]]:
    results = []
    for piece in paragraphs(text):
        guess = identify(piece.text, allowed) if count_words(piece.text) >= 2 * MIN_WORDS else None
        if (
            guess
            and guess.probability >= _SURE
            and not any(matches(guess, code) for code in allowed)
        ):
            results.append((piece, guess))
    return results


def _sample(text: str) -> str:
    """The text, or of a long one its beginning, middle and end."""
    if len(text) <= _SAMPLE:
        return text
    part, middle = _SAMPLE // 3, len(text) // 2
    return "\n".join((text[:part], text[middle : middle + part], text[-part:]))


def _script(text: str) -> str | None:
    """The script of most letters, or None without letters.

    Beside another script, Latin words with a capital are names and don't count. A Han or Kana
    letter counts twice, as it stands for about as much text.
    """
    if text.isascii():
        return "Latin" if _LETTER.search(text) else None
    letters = len(_LETTER.findall(text))
    counts = (
        {name: len(pattern.findall(text)) for name, pattern in _BY_SCRIPT.items()}
        if letters
        else {}
    )
    counts["Han"] = 2 * len(_HAN.findall(text))
    if letters > counts.get("Latin", 0):
        counts["Latin"] = sum(len(word) for word in _SMALL_LATIN.findall(text))
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None


def _chinese_or_japanese(text: str, candidates: Collection[str]) -> LanguageGuess:
    """Kana decide, or letters that only one country's character set has; a few other Chinese
    characters may be either."""
    kana, letters = len(_JAPANESE.findall(text)), len(_HAN.findall(text))
    if kana >= 0.05 * letters:
        return LanguageGuess("ja", 1.0)
    chinese, japanese = len(_CHINESE_WORDS.findall(text)), 0
    for letter in set(_HAN.findall(text)):
        chinese += not _encodes(letter, "shift_jis")
        japanese += not (_encodes(letter, "gb2312") or _encodes(letter, "big5"))
    if japanese > chinese:
        return LanguageGuess("ja", _LIKELY)
    if chinese or (letters > _LONG_HAN and _CHINESE_PARTICLES.search(text)):
        return LanguageGuess("zh", 1.0)
    return LanguageGuess("ja" if "ja" in candidates and "zh" not in candidates else "zh", _EITHER)


def _encodes(letter: str, standard: str) -> bool:
    try:
        return bool(letter.encode(standard))
    except UnicodeEncodeError:
        return False


def _besides_names(words: WordSplit, candidates: Collection[str]) -> LanguageGuess:
    """The language of a short text by the words in it that are no names."""
    text, factors = " ".join(words.rest), weights(words)
    ranked = {
        code: p * _weight(code, text, candidates) * factors.get(_LIKE.get(code, code), 1.0)
        for code, p in _identifier().rank(text)
        if code in _SCRIPTS["Latin"]
    }
    return _best(ranked, text)


def _among(text: str, script: str, candidates: Collection[str]) -> LanguageGuess:
    if script == "Bengali":
        return LanguageGuess("as" if _ASSAMESE.search(text) else "bn", 1.0)
    if script == "Devanagari":
        marked = _by_markers(text)
        if marked:
            return marked
    weights = {code: _weight(code, text, candidates) for code in _SCRIPTS[script]}
    ranked = {code: p * weights[code] for code, p in _identifier().rank(text) if code in weights}
    return _best(ranked, text)


def _best(ranked: dict[str, float], text: str) -> LanguageGuess:
    best = max(ranked, key=lambda code: ranked[code])
    probability = ranked[best] / (sum(ranked.values()) or 1.0)
    unclear = probability < _CLEAR and len(_LETTER.findall(text)) >= _ENOUGH
    return LanguageGuess(UNDETERMINED if unclear else best, probability)


def _weight(code: str, text: str, candidates: Collection[str]) -> float:
    """What to multiply a language's probability with: its prior, and less where letters are not of
    its alphabet.
    """
    weight = _RARE_WEIGHT if code in _RARE and code not in candidates else 1.0
    foreign = _FOREIGN.get(code)
    return weight * _FOREIGN_WEIGHT if foreign and foreign.search(text.lower()) else weight


def _by_markers(text: str) -> LanguageGuess | None:
    tokens = regex.findall(r"[\p{L}\p{M}]+", text)
    hits = {code: sum(1 for token in tokens if token in words) for code, words in _MARKERS.items()}
    first, second = sorted(hits.values(), reverse=True)[:2]
    if first <= 1.5 * second:
        return None
    return LanguageGuess(max(hits, key=lambda code: hits[code]), first / sum(hits.values()))


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
