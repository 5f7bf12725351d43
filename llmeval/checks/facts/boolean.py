"""Whether an answer to a yes/no question says yes or no.

Phrases that deny go before phrases that assent, as "of course not" starts with "of course". A word
that only may assent ("right", "true", "indeed") does so where a mark or the end follows it, and
nothing in its sentence denies.
"""

from typing import NamedTuple

import regex

from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.hedging_cues import RETRACT
from llmeval.checks.facts.tokens import Tokens


class Polarity(NamedTuple):
    """Yes or no, the code points that say it, and whether in so many words."""

    yes: bool
    start: int
    end: int
    outright: bool


_PRONOUN = "(?:it|that|this|they|he|she|we|you|one|i)"
_NO_PHRASES = rf"""
of course (?:it is |it's |that is |they are )?not|absolutely not|certainly not|definitely not
of course {_PRONOUN} (?:cannot|never|(?:\w+ )?not|\w+n['’]t)|\w+ly not(?! (?:only|just|unlike))
indeed not|surely not|not at all|not in the least
not really|not true|not correct|not right|not (?:quite|exactly|necessarily|usually|generally)
by no means|no way|no chance|not likely|never ever|i['’]m afraid not|i am afraid not
i think not|i guess not|i would say no|i wouldn['’]t say so|hardly|far from it|i disagree
i do not agree|i don['’]t agree|i don['’]t think so
i do not think so|i doubt (?:it|that|so)
(?:that|this|it) would be (?:incorrect|wrong|false|untrue)
(?:that|this|it)(?: is|['’]s) not(?: the case| so| true| right| correct)
(?:that|this|it) (?:isn['’]t|is not) (?:the case|so|true|right|correct)|not the case|untrue
not a (?:chance|bit|hope)|no chance|mostly no|probably not|under no circumstances|in no way
not (?:by )?(?:a|any) (?:long shot|means|stretch)|never in a million years|dream on|as if
auf keinen fall|keineswegs|überhaupt nicht|sicher(?:lich)? nicht|natürlich nicht|stimmt nicht
das stimmt nicht|nicht wahr|gar nicht|unter keinen umständen|auf gar keinen fall|leider nicht
leider nein|eher nicht|ach was|mitnichten|nö|nee
pas du tout|absolument pas|jamais de la vie|malheureusement pas|hélas non|que non|sûrement pas
bien sûr que non|certainement pas|en aucun cas|pas vraiment
ce n['’]est pas (?:vrai|le cas)|c['’]est faux
claro que no|para nada|de ninguna manera|en absoluto|por supuesto que no|no es (?:cierto|verdad)
de ningún modo|desde luego que no|ni hablar|qué va|de eso nada|en modo alguno|me temo que no
assolutamente no|per niente|certo che no|niente affatto|non è (?:vero|così)|certamente no
ovviamente no|affatto|macché|neanche per sogno|in nessun caso|purtroppo no
de jeito nenhum|claro que não|de modo algum|de forma alguma|com certeza não
não é (?:verdade|o caso)|absolutamente não|nem pensar|de maneira nenhuma|infelizmente não
geen sprake van|in geen geval|jammer genoeg niet|zeker niet|helemaal niet|absoluut niet
natuurlijk niet|niet waar|dat klopt niet|geenszins
"""
_YES_PHRASES = """
of course|sure thing|sure enough|for sure|no doubt|no question|by all means|you bet|i agree|agreed
i think so|i believe so|i would say so
(?:that|this|it) would be (?:correct|right|true)
(?:that|this|it)(?: is|['’]s) (?:the case|so|true|right|correct)|without (?:a )?doubt
klar(?: doch)?|na klar|freilich|allerdings|sicher doch|natürlich doch|auf jeden fall|ganz genau
das stimmt|stimmt|aber ja|selbstverständlich
das ist (?:richtig|korrekt|wahr)
bien entendu|évidemment|sans (?:aucun )?doute|ouais|bien sûr(?: que oui)?|tout à fait|en effet
c['’]est (?:vrai|exact|juste|le cas)|mais oui
absolument|certainement|effectivement
claro que sí|cómo no|sin duda|naturalmente|por supuesto(?: que sí)?|desde luego|así es
es (?:cierto|verdad|correcto)|efectivamente
assolutamente sì|certo che sì|come no|senza dubbio|naturalmente|proprio così|è (?:vero|corretto
così)|certamente|ovviamente
com certeza|claro que sim|evidentemente|pois é|é (?:verdade|isso)|isso mesmo|sem dúvida|exatamente
jazeker|jawel|uiteraard|vanzelfsprekend|zonder twijfel|dat klopt|zeker weten|inderdaad
dat is (?:waar|juist)|natuurlijk
"""
_NO_WORDS = (
    "no nope nah false incorrect wrong never impossible negative hardly nein niemals falsch nee "
    "nooit onwaar onjuist "
    "non jamais faux nunca jamás falso incorrecto mai falsa não incorreto errado нет неверно nie "
    "hayır ne όχι nem nu nej nei ei"
)
_YES_WORDS = (
    "yes yeah yep yup yea affirmative ja jawohl doch oui sí sì sim да tak evet ano ναι igen jo "
    "kyllä"
)
_WEAK_YES = (
    "true correct right indeed definitely absolutely certainly sure exactly positive surely "
    "richtig genau wahr korrekt natürlich vrai exact "
    "verdadero cierto correcto claro si vero corretto certo esatto verdade verdadeiro correto "
    "waar juist klopt zeker верно"
)
_HAN_NO = regex.compile(
    r"不是|不对|不對|不正确|不会|不可|不能|没有|沒有|并非|否|错|錯|不|いいえ|違います|ちがいます|違う|いや|正しくありません|아니요|아니오|아니|لا|नहीं|❌|👎"
    r"|✗|✘|🚫|🙅"
)
_HAN_YES = regex.compile(
    r"是的|是|对的|对|對|正确|没错|會|会|可以|能|はい|ええ|そうです|正しい|네|예|그렇|نعم|हाँ|हां|✅|👍|✔|☑|🙆"
)
_LETTER = regex.compile(r"[\s(\[\"'*_]*(?:(?P<yes>[yY]|[tT])|(?P<no>[nN]|[fF]))[\s)\]\"'*_.!]*")


def _alternatives(text: str) -> str:
    """The lines as one pattern, in which a space stands for any white space."""
    return "|".join(text.strip().split("\n")).replace(" ", r"\s+")


_OPENER = (
    r"^(?:[\s*_\"'“”(\[\-#:>]|\\boxed|\\text|\{|\$|(?:well|so|in\s+short|short\s+answer"
    r"|the\s+(?:short\s+)?answer|answer|final\s+answer"
    r"|response|verdict|is|antwort|réponse|respuesta|risposta|resposta|antwoord|nun|alors|bueno"
    r"|bem|beh|hmm|i\s+would\s+say|i['’]d\s+say"
    r"|もちろん|勿論|当然|當然|残念ながら|很遗憾|实际上"
    r"|ich\s+würde\s+sagen)(?=[\s:,*_\"'“.{])[\s:,*_\"'“.{]*)*"
)
_LEAD_NO = regex.compile(
    rf"{_OPENER}(?P<no>(?:{_alternatives(_NO_PHRASES)})(?!\p{{L}})"
    rf"|(?:{'|'.join(_NO_WORDS.split())})(?![\p{{L}}\d]|\s+(?:doubt|one\b|other|more|less|matter"
    rf"|single)))",
    regex.IGNORECASE,
)
_LEAD_YES = regex.compile(
    rf"{_OPENER}(?P<yes>(?:{_alternatives(_YES_PHRASES)})(?!\p{{L}})"
    rf"|(?:{'|'.join(_YES_WORDS.split())})(?!\p{{L}}))",
    regex.IGNORECASE,
)
_LEAD_WEAK = regex.compile(
    rf"{_OPENER}(?P<yes>(?:{'|'.join(_WEAK_YES.split())}))(?=\s*(?:[,.!;:)\]}}*_\"'”—–]|$|\n|-\s))",
    regex.IGNORECASE,
)
_TOKEN = regex.compile(
    r"(?<!\p{L})(?:(?P<yes>yes|yeah|yep|ja|oui|sí|sì|sim|да)|(?P<no>no|nope|nein|non|não|nee"
    r"|нет))(?![\p{L}\d]|\s+(?:doubt|one\b|other|more|longer|need|evidence|reason|idea|way|comment"
    r"|answer|opinion|such|one|known))",
    regex.IGNORECASE,
)
_SHORT_FORM = regex.compile(
    r"^[\s*_\"'“(]*(?:it|he|she|they|that|this|there|we|you|i|one|those|these)(?:['’]s|['’]re"
    r"|(?:\s+\w+ly)?\s+"
    r"(?:is|are|was|were|does|do|did|can|could|will|would|should|has|have|had|may|might|must|am))"
    r"(?P<no>n['’]t|\s?not)?\s*(?:,?\s*(?:indeed|in\s+fact|actually|of\s+course|certainly|so"
    r"|surely))?[\s.!*_\"'”)]*$",
    regex.IGNORECASE,
)
_NEGATED = regex.compile(
    r"n['’]t\b|\b(?:not|never|no|cannot|neither|nor|without|nicht|kein\w*|nie|pas|jamais|non|não"
    r"|nunca|niet|geen)\b(?!\s+only)",
    regex.IGNORECASE,
)
_SENTENCE_END = regex.compile(r"[.!?](?=\s|$)|\n|[。！？]")
_READ = 5000
_SENTENCE = 200
"""So many words of the first sentence are read."""
_BOTH = regex.compile(
    r"\b(?:yes|ja|oui|sí|sì|sim)\s+(?:and|or|und|oder|et|ou|y|o|e)\s+(?:no|nein|non|não)\b",
    regex.IGNORECASE,
)
_QUESTION = regex.compile(
    r"^\W*(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|must|am"
    r"|isn['’]t|aren['’]t|don['’]t|doesn['’]t|"
    r"ist|sind|war|hat|haben|kann|darf|stimmt|wird|est-ce|est-il|peut-on|¿?(?:es|está|son|hay"
    r"|puede|tiene)|è|sono|può|ha|é|são|pode|tem|kan|zijn|heeft)\b",
    regex.IGNORECASE,
)


def asks_yes_or_no(question: str) -> bool:
    """Whether the question, or its last sentence, starts like one that yes or no answers."""
    sentences = [
        part for part in regex.split(r"(?<=[.!?:;,])\s+|\n", question.strip()) if part.strip()
    ]
    return any(_QUESTION.match(part) for part in (sentences[:1] + sentences[-1:]))


def polarity(answer: AnswerAnalysis) -> Polarity | None:
    """What the answer says; None if it can't be told, or if it says both.

    The final answer counts first, then how the text begins, then a "yes" or "no" in its first
    sentence, then a first sentence that repeats the question, with or without a negation.
    """
    raw = answer.words.raw[:_READ]
    if _BOTH.search(raw, 0, 300):
        return None
    if answer.final is not None and answer.final.end <= _READ:
        reading = _leading(raw[: answer.final.end], answer.final.start)
        if reading is not None:
            return reading
    reading = _leading(raw, 0)
    if reading is not None:
        return _unless_contrary(raw, reading)
    return (
        _short_form(raw)
        or _judged(raw)
        or _single_token(raw)
        or _negated_only(raw)
        or _restated(answer)
    )


def _leading(raw: str, at: int) -> Polarity | None:
    """A phrase or word that opens the text at `at`."""
    text = raw[at:]
    alone = _LETTER.fullmatch(text)
    if alone:
        return Polarity(bool(alone["yes"]), at, at + len(text), True)
    for pattern, yes in ((_LEAD_NO, False), (_LEAD_YES, True)):
        match = pattern.match(text)
        if match:
            name = "yes" if yes else "no"
            if yes and not _stands(match[name], text, match.end()):
                return None
            return Polarity(yes, at + match.start(name), at + match.end(), True)
    weak = _LEAD_WEAK.match(text)
    if weak:
        # "Correct, it is not safe" denies what was asked.
        negated = _NEGATED.search(text, weak.end(), _end_of_sentence(text, weak.end()))
        return Polarity(not negated, at + weak.start("yes"), at + weak.end("yes"), not negated)
    return _leading_mark(text, at)


def _stands(phrase: str, text: str, end: int) -> bool:
    """Whether an assent is not taken back in its own sentence: "of course it is not"."""
    if phrase.casefold() in _YES_WORDS.split():
        return True
    return not _NEGATED.search(text, end, _end_of_sentence(text, end))


def _leading_mark(text: str, at: int) -> Polarity | None:
    """Emoji, and words of scripts without spaces, at the start."""
    head = regex.match(r"[\s*_\"'“(（「]*", text)
    start = head.end() if head else 0
    for pattern, yes in ((_HAN_NO, False), (_HAN_YES, True)):
        match = pattern.match(text, start)
        if match:
            return Polarity(yes, at + start, at + match.end(), True)
    return None


def _end_of_sentence(text: str, at: int) -> int:
    match = _SENTENCE_END.search(text, at)
    return match.start() if match else len(text)


def _unless_contrary(raw: str, reading: Polarity) -> Polarity | None:
    """None where the next sentence opens with the opposite; that one where the text corrects
    itself."""
    end = _end_of_sentence(raw, reading.end)
    after = regex.compile(r"[\s.!?*_]*").match(raw, end)
    start = after.end() if after else end
    retracted = RETRACT.search(raw, reading.end, min(len(raw), start + 200))
    if retracted:
        later = _single_token(raw[retracted.start() :])
        if later is not None and later.yes != reading.yes:
            return Polarity(
                later.yes, retracted.start() + later.start, retracted.start() + later.end, False
            )
    following = _leading(raw, start) if start < len(raw) and start - reading.end < 40 else None
    same = following is None or following.yes == reading.yes
    bare = following is not None and raw[following.start : following.end].casefold() in (
        "yes",
        "no",
        "ja",
        "nein",
    )
    return None if not same and bare else reading


_NON_ANSWER_FIRST = regex.compile(
    r"\W*(?:i\s(?:have\sno|don['’]t\sknow|do\snot\sknow)|unknown|it\sdepends)\b", regex.IGNORECASE
)


def _short_form(raw: str) -> Polarity | None:
    """`It is.`, `He didn't.`"""
    match = _SHORT_FORM.match(raw)
    return Polarity(not match["no"], 0, len(raw.rstrip()), False) if match else None


_JUDGED = regex.compile(
    r"\b(?:statement|claim|assertion|this|that|it|answer)\s(?:is|was)\s(?:indeed\s|actually\s)?"
    r"(?:(?P<yes>true|correct|right)|(?P<no>false|incorrect|wrong|untrue|not\s(?:true|correct"
    r"|right)))\b",
    regex.IGNORECASE,
)


def _judged(raw: str) -> Polarity | None:
    """`The statement is false.`"""
    match = _JUDGED.search(raw)
    return Polarity(bool(match["yes"]), match.start(), match.end(), True) if match else None


def _single_token(raw: str) -> Polarity | None:
    """A "yes" or "no" in the first sentence, where there is only one of the two."""
    end = _end_of_sentence(raw, 0)
    if _NON_ANSWER_FIRST.match(raw):
        return None
    reading = list(_TOKEN.finditer(raw, 0, end))
    kinds = {bool(match["yes"]) for match in reading}
    if len(kinds) != 1:
        return None
    last = reading[-1]
    return Polarity(bool(last["yes"]), last.start(), last.end(), False)


def _negated_only(raw: str) -> Polarity | None:
    """`Right now it is not.`: a short sentence of pronoun and verb, with a negation at its end."""
    match = _ENDS_NEGATED.search(raw, 0, _end_of_sentence(raw, 0))
    return Polarity(False, match.start(), match.end(), False) if match else None


_ENDS_NEGATED = regex.compile(
    r"\b(?:it|that|this|he|she|they|there|you|we|i)\s(?:(?:is|are|was|were|does|do|did|can|could"
    r"|will|would|should|has|have|had)\s(?:not|never)|"
    r"(?:is|are|was|were|does|do|did|ca|could|wo|would|should|has|have|had)n['’]t)$",
    regex.IGNORECASE,
)


def _restated(answer: AnswerAnalysis) -> Polarity | None:
    """A first sentence that repeats words of the question; the same negation is yes, another one is
    no."""
    words = answer.words
    if not len(words) or not answer.question_stems:
        return None
    _, stop = words.sentence(0)
    start, end = words.place(0, min(stop, _SENTENCE) - 1)
    stated_stems = frozenset(Tokens(words.raw[start:end]).stems)
    if len(stated_stems & answer.question_stems) < max(2, len(answer.question_stems) // 2):
        return None
    negated = bool(_NEGATED.search(words.raw, start, end))
    return Polarity(negated == bool(_NEGATED.search(answer.question.raw)), start, end, False)
