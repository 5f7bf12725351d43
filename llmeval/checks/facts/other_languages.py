"""Plain negation outside English: what a clause denies, by the words of its language.

German, French, Spanish, Italian, Portuguese, Dutch, Chinese and Japanese are read: what follows a
negation (or stands before one that closes the clause) is denied. In the other languages of `CUES` a
negation is seen but not read: what stands in its reach is left to a judge.
"""

from collections.abc import Iterator
from typing import NamedTuple

import regex

READ = frozenset(["en", "de", "fr", "es", "it", "pt", "nl", "zh", "ja"])
"""The languages whose negation is read."""


class Cues(NamedTuple):
    """Patterns of one language. `before`: denies what follows it in the clause; `after`: what
    stands before it."""

    before: "regex.Pattern[str] | None"
    after: "regex.Pattern[str] | None"


def _cues(before: str = "", after: str = "") -> Cues:
    def compiled(text: str) -> "regex.Pattern[str] | None":
        return regex.compile(text, regex.IGNORECASE) if text else None

    return Cues(compiled(before), compiled(after))


_VERBS_DE = r"(?:ist|war|sind|waren|hat|haben|wird|wurde|kann|kommt|gilt)"
_VERBS_NL = r"(?:is|was|zijn|waren|heeft|wordt|werd|kan)"
CUES: dict[str, Cues] = {
    "de": _cues(
        r"\bnicht(?!\s+(?:nur|allein|umsonst|weit|zuletzt))\b|\bkein(?:e|en|er|es|em)?\b|\b(?:nie"
        r"|niemals|weder|noch nie|keineswegs|keinesfalls|statt|anstatt|anstelle von"
        r"|ohne(?!\s(?:zweifel|frage)))\b",
        rf"\s{_VERBS_DE}\s(?:\p{{L}}+\s){{0,3}}?(?:nicht(?!\s+nur)|nie|niemals)\b|\s(?:ist|war"
        rf"|wäre)\s(?:\p{{L}}+\s)?(?:die\s|eine\s|der\s|ein\s)?(?:fehler|irrtum|mythos"
        rf"|falsch|unrichtig|inkorrekt|verkehrt"
        rf"|ausgeschlossen)\p{{L}}*|\s(?:\p{{L}}+\s){{0,2}}(?:auf\skeinen\sfall|keinesfalls"
        rf"|keineswegs)\b|\s\p{{Ll}}+\s(?:es|das|dies|er|sie|ihn)\s(?:\p{{L}}+\s){{0,2}}?nicht\b"
        rf"|\s\p{{Ll}}+\snichts\s(?:da)?mit|\sstimmt\snicht|\strifft\snicht\szu",
    ),
    "fr": _cues(
        r"\b(?:n['’]|ne\s)\p{L}+\s(?:pas|jamais|plus|point|guère)(?!\s(?:seulement|que))\b"
        r"|\b(?:non\spas|et\snon|au\slieu\sde|plutôt\sque|contrairement\sà|aucune?"
        r"|sans(?!\s(?:aucun\s)?doute)|pas|jamais|ni)\b(?!\s(?:seulement"
        r"|que))",
        r"\s(?:n['’]|ne\s)(?:l['’]|la\s|le\s|les\s|y\s|en\s)?\p{L}+\s(?:pas|jamais|plus"
        r"|rien|pour\srien)\b|\s(?:est"
        r"|était|serait)\s(?:\p{L}+\s)?(?:une\s(?:erreur|faute)|un\smythe|faux|fausse"
        r"|incorrecte?|erronée?|inexacte?|(?:la"
        r"|une)\s(?:mauvaise|fausse))\b",
    ),
    "es": _cues(
        r"\bno\b(?!\.?\s?\d|\s+(?:solo|sólo|solamente|únicamente|hay\sduda|cabe\sduda"
        r"|obstante))|\b(?:nunca"
        r"|jamás|tampoco|ni|sin(?!\sduda)|ningun[oa]?|ningún|en\slugar\sde|en\svez\sde"
        r"|a\sdiferencia\sde)\b",
        r"\s(?:no(?!\.?\s?\d)|nunca|tampoco|jamás)\b(?!\s+(?:solo|sólo))|\s(?:es|era|sería"
        r"|fue)\s(?:\p{L}+\s)?(?:un\s(?:error|mito)|una\sequivocación|mentira|fals[oa]"
        r"|incorrect[oa]|erróne[oa]|equivocad[oa]|(?:la"
        r"|una)\srespuesta\s(?:incorrecta|equivocada))\b",
    ),
    "it": _cues(
        r"\bnon\b(?!\s+(?:solo|soltanto|c['’]è\sdubbio))|\b(?:(?<!\d\s)(?<!\der\s)mai|né|neanche"
        r"|nemmeno"
        r"|senza(?!\sdubbio)|nessun[oa]?|invece\sdi"
        r"|anziché|al\sposto\sdi|a\sdifferenza\sdi)\b",
        r"\s(?:non|(?<!\d\s)(?<!\der\s)mai(?!\s\d{4})|né)\b(?!\s+solo)|\s(?:è|era|sarebbe"
        r"|fu)\s(?:\p{L}+\s)?(?:un\s(?:errore|mito)|uno\ssbaglio|fals[oa]"
        r"|sbagliat[oa]|errat[oa]|scorrett[oa]|(?:la|una)\srisposta\s(?:sbagliata|errata))\b",
    ),
    "pt": _cues(
        r"\bnão\b(?!\s+(?:só|somente|apenas|há\sdúvida))|\b(?:nunca|jamais|tampouco|nem"
        r"|sem(?!\sdúvida)|nenhuma?"
        r"|em\svez\sde|ao\sinvés\sde|ao\scontrário\sde)\b",
        r"\s(?:não|nunca|jamais)\b(?!\s+(?:só|apenas))|\s(?:é|era|seria"
        r"|foi)\s(?:\p{L}+\s)?(?:um\s(?:erro|engano|mito)|fals[oa]|errad[oa]|incorret[oa]"
        r"|(?:a|uma)\sresposta\s(?:errada"
        r"|incorreta))\b",
    ),
    "nl": _cues(
        r"\bniet(?!\s+(?:alleen|enkel|ver))\b|\b(?:geen|nooit|noch|zonder(?!\stwijfel)"
        r"|in\splaats\svan|behalve)\b",
        rf"\s{_VERBS_NL}\s(?:\p{{L}}+\s){{0,3}}?(?:niet(?!\s+alleen)|nooit)\b|\s(?:is"
        rf"|was)\s(?:\p{{L}}+\s)?(?:een\s|het\s)?(?:vergissing|mythe|misverstand|fout"
        rf"|onjuist|verkeerd|incorrect)\p{{L}}*\b"
        r"|\s\p{L}+\s(?:er\s)?niets\s(?:mee\s)?te\smaken",
    ),
    "zh": _cues(
        r"(?:并?不是|并非|而不是|而非|不在|不叫|不为|不应该?是|绝非|没有|从未|非)(?!常|但)",
        r"(?:并?不是|并非|不对|不正确|是错的|是错误的?|错了|并?没有|没\p{Han}{1,2}过|从未|从没|未曾|并未"
        r"|无关)",
    ),
    "ja": _cues(
        "",
        r"(?:では|じゃ|で(?=は))(?:は)?(?:ない|なく|ありません|なかった)|(?:は|が)(?:間違い|誤り|違い|正しくない|正しくありません)|でなく|ではなく"
        r"|とは言えない|(?:は|が)[^、。]{0,16}(?:て(?:い)?ない|て(?:い)?ません|なかった|ませんでした)",
    ),
    "ru": _cues(
        r"\bне\b(?!\s+только)|\b(?:ни|нет|никогда)\b", r"\s(?:не|нет|неверно|неправильно)\b"
    ),
    "uk": _cues(r"\bне\b(?!\s+тільки)|\b(?:ні|немає|ніколи)\b", r"\s(?:не|ні)\b"),
    "pl": _cues(r"\bnie\b(?!\s+tylko)|\b(?:ani|nigdy|zamiast)\b", r"\snie\b"),
    "cs": _cues(
        r"\b(?:ni|nije|niso|nisu|není|nejsou|nebyla?|nebylo|ne|nikdy|ani|nikoli|nikoliv)\b",
        r"\s(?:není|nebyla?|nebylo|ne\p{Ll}{3,})\b",
    ),
    "sk": _cues(r"\b(?:nie|nikdy|ani)\b", r"\snie\b"),
    "sv": _cues(
        r"\b(?:inte|ej|aldrig|varken|icke)\b(?!\s+bara)",
        r"\s(?:är|var|har)\s(?:\p{L}+\s)?(?:inte|ej|aldrig|fel)\b|\sinte\b",
    ),
    "da": _cues(
        r"\b(?:ikke|aldrig|hverken)\b(?!\s+kun)",
        r"\s(?:er|var|har)\s(?:\p{L}+\s)?(?:ikke|aldrig|forkert)\b|\sikke\b",
    ),
    "no": _cues(
        r"\b(?:ikke|aldri|verken)\b(?!\s+bare)",
        r"\s(?:er|var|har)\s(?:\p{L}+\s)?(?:ikke|aldri|feil)\b|\sikke\b",
    ),
    "fi": _cues(r"\b(?:ei|eivät|en|emme|eikä)\b", r"\s(?:ei|eivät)\b"),
    "et": _cues(r"\b(?:ei|pole|mitte)\b", r"\s(?:ei|pole)\b"),
    "ro": _cues(r"\b(?:nu|nici|niciodată)\b(?!\s+doar)", r"\snu\b"),
    "hu": _cues(r"\b(?:nem|sem|soha|nincs)\b(?!\s+csak)", r"\s(?:nem|sem)\b"),
    "tr": _cues(r"\b(?:asla|hiçbir)\b", r"\s(?:değil\p{L}*|yok)\b"),
    "el": _cues(r"\b(?:δεν|δε|όχι|μην|ούτε|ποτέ)\b", r"\s(?:δεν|δε)\b"),
    "ar": _cues(
        r"(?<!\p{L})(?:ليس|ليست|ليسوا|لا|لم|لن|غير|ما)(?!\p{L})", r"\s(?:ليس|ليست|لا|لم)(?!\p{L})"
    ),
    "he": _cues(
        r"(?<!\p{L})(?:לא|אינו|אינה|אין|איננה|איננו)(?!\p{L})", r"\s(?:לא|אינו|אינה)(?!\p{L})"
    ),
    "hi": _cues("", r"\s(?:नहीं|न|मत|नही)(?!\p{L})"),
    "ko": _cues(
        r"(?:절대|결코)", r"(?:이|가|은|는)?\s?(?:아닙니다|아니다|아니에요|아니라|아닌|않)"
    ),
    "th": _cues(r"ไม่(?:ใช่)?", r"ไม่(?:ใช่)?"),
    "vi": _cues(r"\b(?:không\sphải|không|chưa|chẳng)\b", r"\s(?:không|chẳng)\b"),
    "id": _cues(r"\b(?:bukan|tidak|tak|belum)\b", r"\s(?:bukan|tidak)\b"),
    "fa": _cues(r"(?<!\p{L})(?:نه|نیست)(?!\p{L})", r"\sنیست(?!\p{L})"),
}
_CLAUSE = regex.compile(
    r"[,;.!?:\n，。；！？、：](?!\d)"
    r"|(?<!\p{L})(?:sondern|aber|doch|mais|sino|pero|ma|bensì|mas|maar|но|а|ale|lecz|utan|men|vaan"
    r"|mutta|ci|dar|hanem|ama|αλλά|بل|बल्कि|tetapi|melainkan|mà)(?!\p{L})"
    r"|而是|而是在|，"
)
_REACH = 120


def denied(raw: str, language: str, low: int, high: int) -> Iterator[tuple[int, int]]:
    """The stretches of [low, high) that a negation of the language reaches, each within one
    clause."""
    cues = CUES.get(language)
    if cues is None:
        return
    if cues.before is not None:
        for match in cues.before.finditer(raw, low, high):
            stop = _CLAUSE.search(raw, match.end(), min(len(raw), match.end() + _REACH))
            yield match.end(), stop.start() if stop else min(len(raw), match.end() + _REACH)
    if cues.after is not None:
        for match in cues.after.finditer(raw, low, high):
            start = max(0, match.start() - _REACH)
            ends = [m.end() for m in _CLAUSE.finditer(raw, start, match.start())]
            yield (ends[-1] if ends else start), match.start() + 1
