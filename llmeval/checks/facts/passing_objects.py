"""Names that an answer compares with, or that another thing came before: "Peru beat X", "X came
second", "the planet beyond X".

One table a rule, with a line for each of the languages that the check reads.
"""

import regex

from llmeval.checks.facts.screened import ScreenedPattern, screened

_BEAT = {
    "en": r"beat|beats|beating|defeat(?:ed|s|ing)|overcame|outscored|outplayed|outran|overtook"
    r"|outsold|edged(?:\sout)?|eliminated|thrashed|knocked\sout|won\sagainst|prevailed\sover"
    r"|ahead\sof|in\sfront\sof",
    "de": r"besiegt[e]?|schlug|bezwang|gewann\sgegen|siegte\s(?:gegen|über)|überholte|vor",
    "fr": r"(?:a|ont)\s(?:battu|vaincu|devancé|dépassé)|bat(?:tit)?|vainquit|gagné\scontre|devant",
    "es": r"(?:venció|derrotó|ganó|superó|batió|eliminó)\sal?|por\sdelante\sde(?:l)?",
    "it": r"(?:ha\s|hanno\s)?(?:battuto|sconfitto|superato)|batté|sconfisse|superò|davanti\sa",
    "pt": r"venceu|derrotou|bateu|superou|eliminou|à\sfrente\sd[aeo]",
    "nl": r"versloeg|versloegen|won\svan|klopte|verslagen|vóór",
    "zh": r"(?:击败|战胜|打败|擊敗|戰勝)了?",
}
_LOWER = {
    "en": r"\s(?:is|was|were|are|came|comes|finished|ended|placed|ranks?|ranked|took|coming|only)?"
    r"\s?(?:in\s|the\s)*(?:second|third|fourth|fifth|last|runner-up|runners-up)\b",
    "de": r"\s(?:ist|war|wurde|kam|kommt|belegte|liegt)?\s?(?:auf\s|nur\s|den\s|der\s|die\s)*"
    r"(?:zweite[rsn]?|dritte[rsn]?|vierte[rsn]?|letzte[rsn]?|platz\s(?:zwei|drei|vier))\b",
    "fr": r"\s(?:est|était|fut|a\s(?:fini|terminé)|arrive|termine)?\s?(?:en\s)?"
    r"(?:deuxième|seconde?|troisième|quatrième|derni(?:er|ère))\b",
    "es": r"\s(?:es|fue|era|quedó|terminó|llegó)?\s?(?:en\s)?"
    r"(?:segund[oa]|tercer[oa]?|cuart[oa]|últim[oa])\b",
    "it": r"\s(?:è|fu|era|arrivò|finì|si\sclassificò)?\s?"
    r"(?:second[oa]|terz[oa]|quart[oa]|ultim[oa])\b",
    "pt": r"\s(?:é|foi|era|ficou|terminou|chegou)?\s?(?:em\s)?"
    r"(?:segund[oa]|terceir[oa]|quart[oa]|últim[oa])\b",
    "nl": r"\s(?:is|was|werd|eindigde\sals)?\s?(?:als\s)?(?:tweede|derde|vierde|laatste)\b",
    "zh": r"(?:是|排|获得|位居)?第[二三四五]",
    "ja": r"(?:は|が)(?:第?[二三四五2345]位|準優勝)|(?:に勝|を破|を倒|を下)",
}
_BESIDE = {
    "en": r"beyond|before|after|behind|beneath|below|under|above|over|beside|besides|opposite"
    r"|alongside|next\sto|adjacent\sto",
    "de": r"jenseits\svon|hinter|unter|unterhalb\svon|über|oberhalb\svon|neben|gegenüber|nach",
    "fr": r"au-delà\sd[eu]|derrière|sous|au-dessous\sd[eu]|au-dessus\sd[eu]|à\scôté\sd[eu]|après"
    r"|avant",
    "es": r"más\sallá\sde(?:l)?|detrás\sde(?:l)?|debajo\sde(?:l)?|encima\sde(?:l)?|junto\sa(?:l)?"
    r"|después\sde(?:l)?|antes\sde(?:l)?",
    "it": r"al\sdi\slà\sd[ei]l?|dietro|sotto|sopra|accanto\sa(?:l)?|dopo|prima\sd[ei]l?",
    "pt": r"além\sd[aeo]|atrás\sd[aeo]|abaixo\sd[aeo]|acima\sd[aeo]|ao\slado\sd[aeo]"
    r"|depois\sd[aeo]|antes\sd[aeo]",
    "nl": r"voorbij|achter|onder|boven|naast|tegenover|na",
}
_ARTICLE = (
    r"(?:(?:the|der|die|das|dem|den|le|la|les|l['’]|el|los|las|il|lo|gli|i|o|a|os|as|de|het)\s?)?"
)
_BEATEN = screened(
    rf"(?:(?<!\p{{L}})(?:{'|'.join(v for k, v in _BEAT.items() if k != 'zh')})\s{_ARTICLE}"
    rf"|{_BEAT['zh']})$",
    regex.IGNORECASE,
)
_WITH_LOWER = regex.compile(
    rf"(?:{'|'.join(_LOWER.values())})(?=\s*(?:[,.;:!?)，。；]|$|place\b|behind\b|after\b))",
    regex.IGNORECASE,
)
_STANDS_BESIDE = screened(
    rf"(?<!\p{{L}})(?<!\b(?:named|called|modell?ed|look(?:ed|s)?|day|year)\s)"
    rf"(?:{'|'.join(_BESIDE.values())})\s{_ARTICLE}$",
    regex.IGNORECASE,
)
_RANK_ASKED = regex.compile(
    r"\b(?:second|third|fourth|fifth|last|runner|2nd|3rd|4th|against|beat\w*|lose[sr]?|lost|losing"
    r"|defeat\w*|opponent|play\w*|versus|vs|final|rank\w*|order|list|both|teams"
    r"|zweit\w*|dritt\w*|letzt\w*|gegen|verlor\w*|besiegt\w*"
    r"|deuxième|seconde?|troisième|dernier|dernière|contre|perdu\w*|battu\w*"
    r"|segund\w*|tercer\w*|últim\w*|contra|perdi\w*|derrot\w*|second\w*|terz\w*|ultim\w*|contro"
    r"|perso|sconfi\w*|terceir\w*|tweede|derde|laatste|tegen|verlies\w*|verloor|verslagen)\b"
    r"|[二三四五]|输|負|敗|败|相手|对手",
    regex.IGNORECASE,
)
_ASKS_THING = regex.compile(
    r"^\W*(?:who|which|what|wer|welche[rsnm]?|qui|quel(?:le)?s?|quién|quiénes|cuál|chi|quale|quem"
    r"|qual|wie|welke?)\b",
    regex.IGNORECASE,
)
_RELATIVE_ASKED = regex.compile(
    r"\b(?:before|after|beyond|behind|below|above|under|over|beneath|next|between|follow\w*"
    r"|preced\w*|succe\w+|replac\w*|when|where|time|year|near\w*|border\w*|nach|vor|hinter|unter"
    r"|über|neben|après|avant|derrière|sous|después|antes|detrás|debajo|dopo|prima|dietro|sotto"
    r"|depois|atrás|abaixo|na|voor|achter|onder|boven|first|last|war|happen\w*)\b",
    regex.IGNORECASE,
)
_REACH = 60
_SHORT = 160
"""In a longer answer a name often has its own statement next to such a phrase."""


def is_compared(raw: str, start: int, end: int, question: str) -> bool:
    """Whether the name at [start, end) is the one that lost, came second, or lies next to the thing
    that the answer is about; only where the question asks for neither."""
    if not question or len(raw) > _SHORT:
        return False
    before = raw[max(0, start - _REACH) : start]
    if (_BEATEN.search(before) or _WITH_LOWER.match(raw, end)) and not _RANK_ASKED.search(question):
        return True
    beside: ScreenedPattern = _STANDS_BESIDE
    if not _ASKS_THING.search(question) or _RELATIVE_ASKED.search(question):
        return False
    if raw[start : start + 1].isdigit():
        return False  # a bound, which is read with the number
    return beside.search(before) is not None
