"""Which language's rules to use: by script, then by the commonest function words. Deterministic, no
model.

Only as fine as punctuation needs: a language without a table of its own gives `und`, the universal
rules.
"""

import re
from functools import lru_cache

_STOP_WORDS = {
    "en": "the of and a i to in is that was for with as on by are it be this from at which or an "
    "his not but were have has its"
    " their they he she you i my your we can will would there been what how do don't it's",
    "de": "der die das und in an da von zu mit den ist im des ein eine nicht auch auf für sich "
    "dem als wurde bei nach einer wie oder"
    " aus sind war er sie es ich wir durch einen kann zum zur aber über wird du ihr mein",
    "fr": "le les des tu as de la un ne y a déjà et est du une que dans pour pas sur qui au par "
    "plus avec ce cette sont se il elle ils nous vous je aux"
    " été ou mais était leur ses son c'est d'un d'une l'on être comme deux très votre avez",
    "es": "el los de la en un las y del que es una por con para se lo como más su al fue son sus "
    "ha este esta pero entre también o"
    " muy cuando desde está hay ser sobre era un puede tiene sin mi yo qué cómo",
    "it": "di che i a è e il la per un non sono della dei nel una con da gli si come anche alla "
    "le più ha",
    "pt": "o os a e do da de que em um uma não para com por dos das no na se ao mais foi como são "
    "é seu",
    "nl": "de het een en in van is dat op te zijn met voor niet aan er door ook werd als bij uit",
    "ro": "și în de la cu este care din pe un o au fost mai să nu pentru ale sau",
    "tr": "ve bir bu için ile olarak da de olan çok en daha gibi olduğu kadar sonra",
    "vi": "của và là các có được trong cho một những với không người đã này",
    "pl": "i w na z się nie do że jest to od po oraz jak przez są był",
    "sv": "och att det som en i är av för på med den till inte ett har var",
    "da": "og at det som en er af for på med den til ikke et har var de blev",
    "fi": "ja on ei se että oli hän ovat mutta kun myös joka sekä",
    "cs": "a je se na v že s do to ve jako z by pro ale byl",
    "hu": "a az és hogy nem is egy van volt meg ez de mint",
    "id": "yang dan di dengan untuk dari ini itu pada dalam adalah tidak ke",
}
_OWNERS: dict[str, tuple[str, ...]] = {}
for _language, _list in _STOP_WORDS.items():
    for _word in _list.split():
        _OWNERS[_word] = (*_OWNERS.get(_word, ()), _language)
STOP_WORDS = {language: frozenset(words.split()) for language, words in _STOP_WORDS.items()}
"""Function words by language."""

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# French elides before vowels (`l'eau`); the word after is rarely a function word.
_ELISION = re.compile(r"(?:[ldjnmtsc]|qu)'[aeiouyhàâéèêëîïôœù]")
_ELIDING = ("fr",)
_LETTERS = {
    "ro": re.compile("[ășțţ]"),
    "tr": re.compile("[ğıİş]"),
    "vi": re.compile("[ơưđạảấầẩậắằặẹẻếềểệịọỏốồổộớờởợụủứừửựỳỹ]"),
    "pl": re.compile("[łęąśżź]"),
    "cs": re.compile("[řěů]"),
    "hu": re.compile("[őű]"),
    "pt": re.compile("[ãõ]"),
    "de": re.compile("ß"),
    "es": re.compile("[ñ¿¡]"),
    "fr": re.compile("œ"),
}
"""Letters that only one of these languages uses."""
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_KANA = re.compile(r"[\u3040-\u30ff\uff66-\uff9f]")
_SCRIPTS = {
    "ko": re.compile(r"[\uac00-\ud7af]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "el": re.compile(r"[\u0370-\u03ff]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "lo": re.compile(r"[\u0e80-\u0eff]"),
    "my": re.compile(r"[\u1000-\u109f]"),
    "km": re.compile(r"[\u1780-\u17ff]"),
}
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
# Enough to be certain, and the time no longer grows with the text.
_SAMPLE = 6000


@lru_cache(maxsize=256)
def detect(text: str) -> str:
    """The language of a text as an ISO 639-1 code, or `und`. Reads its first 6,000 characters."""
    sample = text[:_SAMPLE]
    if sample.isascii():
        return _by_words(sample)
    latin = len(_LATIN.findall(sample))
    han, kana = len(_HAN.findall(sample)), len(_KANA.findall(sample))
    # One Han character says about as much as three letters.
    if 3 * (han + kana) >= latin and han + kana:
        return "ja" if kana >= 0.05 * (han + kana) else "zh"
    for language, script in _SCRIPTS.items():
        if (count := len(script.findall(sample))) > latin and count:
            return language
    return _by_words(sample)


def _by_words(sample: str) -> str:
    """The language with most function words; of level ones, that with rules of its own."""
    matches = counts(sample)
    if not matches:
        return "und"
    most = max(matches.values())
    level = [language for language in matches if matches[language] == most]
    valid = [language for language in ("en", "de", "fr", "es") if language in level]
    return level[0] if len(level) == 1 else valid[0] if len(valid) == 1 else "und"


def counts(sample: str) -> dict[str, float]:
    """How many function words of each language a text has; one that n languages share counts 1/n
    for each.
    """
    hit: dict[str, float] = {}
    for word in _WORD.findall(sample.lower().replace("’", "'")):
        owners = _OWNERS.get(word) or (_ELIDING if _ELISION.match(word) else ())
        for language in owners:
            hit[language] = hit.get(language, 0) + 1 / len(owners)
    for language, letters in () if sample.isascii() else _LETTERS.items():
        if count := len(letters.findall(sample)):
            hit[language] = hit.get(language, 0) + count
    return hit
