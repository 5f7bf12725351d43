"""Words that deny, refute, concede or leave open what stands near them, as patterns.

Each list is written one idea a line. English; plain negation also in German, French, Spanish,
Italian, Portuguese and Dutch. Where a cue is used, and how far it reaches, is decided in
`negation_scope`.
"""

import regex

from llmeval.checks.facts.screened import ScreenedPattern, screened


def words_pattern(
    *parts: str, before: str = r"\b", after: str = r"\b", flags: int = regex.IGNORECASE
) -> "regex.Pattern[str]":
    """Any of the parts as whole words; a space matches any white space."""
    return regex.compile(
        f"{before}(?:{'|'.join(part.replace(' ', chr(92) + 's+') for part in parts)}){after}", flags
    )


def screened_words(*parts: str, before: str = r"\b", after: str = r"\b") -> ScreenedPattern:
    """`words_pattern` for a long list: most texts hold none of the words."""
    return ScreenedPattern(words_pattern(*parts, before=before, after=after))


_AUX = (
    "is|was|are|were|be|been|did|does|do|has|had|have|would|could|can|will|should|might|may|must"
    "|isn|wasn|aren|weren"
    "|didn|doesn|don|hasn|hadn|haven|wouldn|couldn|won|shouldn|ca|mustn"
)
# "not" that denies nothing of what follows: "not only", "not until 1959", "not sure", "it is not
# known that".
_HARMLESS = (
    r"(?!\s+(?:only|just|merely|simply|solely|until|till|before|later|earlier|least|to\s+mention"
    r"|surprisingly|unlike"
    r"|necessarily|exactly|in\s+doubt|able|specified|available|possible|know\b|reali[sz]e|forget"
    r"|take\s+long|doubt|den[iy]"
    r"|(?:been\s+)?(?:\w+ly\s+)?(?:sure|certain|clear|known|aware|surprising|disputed|contested"
    r"|wrong|incorrect|false|uncommon)"
    r"|a\s+(?:secret|surprise|mistake|coincidence)|have\s+(?:access|any|the|real|information"
    r"|enough)"
    r"|an?\s+(?:official|exact|single|specific|definitive)))"
)
_THINK = (
    r"(?:thinks?|thought|believe[sd]?|assume[sd]?|suppose[sd]?|guess(?:ed)?|says?|said|wrote"
    r"|claim(?:s|ed)?"
    r"|suspect(?:s|ed)?|expect(?:s|ed)?|mistake|confuse|suggest(?:ed)?|tempted|rumou?red)"
)

DENY = screened_words(
    rf"(?:{_AUX})(?:n['’]t|nt){_HARMLESS}",
    rf"(?:not|never|cannot){_HARMLESS}",
    r"no longer|neither|nor|rather than|instead of|as opposed to|other than|except(?: for)?",
    r"unlike|far from|any(?:thing|one|body) but|mistaken for|confused with|hardly|by no means",
    r"in no (?:way|sense|respect)|doubt(?:s|ed|ful)? (?:that it|that|if|whether|it)",
    r"fail(?:s|ed)? to be|reject(?:s|ed)?|rul(?:e[sd]?|ing) out|exclud(?:e[sd]?|ing)",
    r"(?:impossible|unlikely) (?:to be|that)|lie that|a(?:part|side) from",
    rf"(?:no\s?one|nobody) (?:\w+ ){{0,2}}?{_THINK}(?: that)?",
    rf"(?<!\ba\s)few (?:\w+ ){{0,2}}?{_THINK}(?: that)?",
    "none of",
    r"no (?:\w+ )?(?:evidence|reason|proof|indication|sign|basis|truth|chance|way)",
    r"(?:chose|chosen|choose|prefer(?:s|red)?|picked|selected|favou?red)\s[^.;:]{1,60}?\sover",
    r"mis(?:takenly )?(?:attributed|credited|identified|ascribed) (?:to|as)|mistakenly",
    "erroneously|incorrectly|wrongly|falsely",
    r"(?:mistake|error) to \w+",
    r"(?:false|wrong|incorrect|untrue|inaccurate) (?:to \w+|that|claim|belief|idea|notion|answer)",
    r"(?:myth|misconception|fallacy|misbelief|rumou?r) (?:is )?(?:that|of|about)|contrary to",
    r"no(?= (?-i:\p{Lu}))(?! (?:I|It|He|She|They|We|This|That)\b)",
    r"keineswegs|keinesfalls|auf keinen fall",
    r"nicht(?! nur)|kein(?:e|en|er|es|em)?|niemals|weder",
    r"(?:n['’]|ne )\p{L}+ (?:pas|jamais|plus)(?! (?:seulement|que))",
    r"(?:no|nunca)(?= (?:es|fue|era|son|ha|está)\b)(?! \w+ solo)",
    r"non(?= (?:è|era|fu|sono|ha)\b)",
    "não",
    # absence: "contains no X", "there is no X", "without X"
    r"(?<=\b(?:contains?|contained|containing|has|have|had|is|are|was|were|with|uses?|used|needs?"
    r"|includes?|got|holds?) )no(?! (?:longer|doubt|question|other|one|more|less|wonder|secret"
    r"|surprise|mistake|need|limit|specific|official|single|evidence|exact|definitive))",
    r"without(?! (?:a )?(?:doubt|question|any doubt|exception))|lack(?:s|ed|ing)|devoid of",
    r"free (?:of|from)(?! (?:any )?(?:charge|cost|fee)s?\b)",
    r"(?:no\s?one|nobody) (?:would|should|could|can|ever)(?! (?:\w+ )?(?:doubt|deny|dispute))",
    r"niet(?! alleen)|geen",
)
"""Denies what follows, up to the end of the clause."""

REVERSIBLE = words_pattern(
    "other|except",
    r"any\w+ but",
    r"doubt\w*",
    "false|wrong|incorrect|untrue|inaccurate|mistake|error",
)
"""Cues of `DENY` that a negation right before turns round: "nothing other than", "no doubt that",
"not wrong to say"."""
NEGATION_BEFORE = regex.compile(
    r"(?:\b(?:no|not|never|cannot|none|nothing|nobody|no\s?one|without)|n['’]t)(?:\s+(?:a|any|be"
    r"|been|is|was|it|would|could|can|should|really|\w+ly))*\s+$",
    regex.IGNORECASE,
)
CLOSE = regex.compile(
    r"[;:!?\n]|\.(?=\s|$)|\s[-–—]\s?|—|,(?!\s*(?:or|nor)\b)"
    r"|\b(?:but|until|till|sondern|mais|sino|maar|ma|mas|instead|however|although|though|whereas"
    r"|while|because|since|so|yet"
    r"|(?<!\bthat\s)(?:it\s+(?:is|was)|it['’]s)|they\s+(?:are|were)|s?he\s+(?:is|was)"
    r"|and\s+(?:is|was|are|were|it|s?he|they|instead|actually|in\s+fact|has|had|rather|that"
    r"|this))\b"
    r"|(?<!\b(?:rather|other|no|later|less|more))\s+rather\b(?!\s+than)",
    regex.IGNORECASE,
)
"""Where a clause ends, and with it what was denied."""

REFUTED = screened(
    r"\b(?:is|was|are|were|(?:has|have)\s+been|would\s+be)\s+(?:(?:\w+ly|also|simply|just"
    r"|in\s+fact)\s+)?"
    r"(?:incorrect|wrong|false|mistaken|untrue|inaccurate|ruled\s+out|debunked"
    r"|(?:just\s+)?an?\s+(?:\w+\s+)?(?:myth|misconception|mistake|error|fallacy|lie|misnomer"
    r"|misattribution)"
    r"|(?:an?|one|the)\s+(?:\w+\s+){0,3}?(?:wrong|incorrect|false|mistaken|erroneous)\s+"
    r"(?:answer|guess|belief|assumption|claim|idea|attribution|statement|response|choice|name"
    r"|option|one)"
    r"|(?:(?:often|commonly|frequently|sometimes|widely)\s+)?(?:mistakenly|erroneously|incorrectly"
    r"|wrongly|falsely))\b",
    regex.IGNORECASE,
)
"""Denies what stands before it in its clause: "the claim that it is G is wrong"."""
APART = regex.compile(
    r"[;:—]|,\s*(?:but|and|so|a|an|which|who|this|that|it)\b|\.\s", regex.IGNORECASE
)
"""Where such a clause starts."""
RETRACT = screened_words(
    r"wait,? (?:no|actually|that|sorry)|no,? wait|scratch that",
    r"(?:correction|corrected|edit|update)\s*:",
    r"i (?:misspoke|was wrong|made a(?:n error| mistake))|on (?:second|further) thought",
    r"on reflection|let me correct|i (?:must |have to |need to )?correct myself",
    r"i apologi[sz]e,? (?:that|the|i)",
    r"(?:sorry|oops|apologies|pardon)[,.!]? (?:i (?:meant|mean)|that was|it(?:'s| is))",
    r"(?<=[.!?,] )i meant",
    r"actually,? no\b",
    r"or rather",
    r"no,? (?:it|that)(?:'s| is| was) (?=(?-i:\p{Lu})|\d)",
    r"that['’]s (?:wrong|not right|incorrect)|my mistake|oops",
    r"(?:hmm|hm|err?|uh|um|ah)[,.…]* (?:no|wait|actually|sorry)[:,]?",
    r"(?<=[.!?…;–—] )no[:,] (?=(?-i:\p{Lu})|\d)|(?<=[.!?…;–—] )(?:sorry|pardon)[:,]",
    r"nein,? moment,?|moment mal|(?:non|attends),? attends|espera,? no|no,? espera|aspetta,? no",
    r"no,? aspetta|espera,? não|não,? espera|wacht,? nee|nee,? wacht|不对|不對|等等|いや、|いえ、",
    # `Leeds, no, York`
    r"(?<=[,–—-] )(?:no|nein|non|não|nee), (?=(?-i:\p{Lu})|\d)|(?<=[，,])(?:哦|啊|噢)?不[，,]",
    r"(?<=[,.!…–—-] )(?:(?:ach|oh|ah|eh|ay|enfin|of|ou|o|äh) )?(?:no|nein|non|não|nee),? "
    r"(?=(?:in|im|en|à|au|a|al|em|at|on|by|von|de|di|da|van) (?-i:\p{Lu}))",
    r"(?<=[,–—-] )(?:pardon|sorry|perdón|perdona|scusa|scusi|scusate|desculpe|desculpa"
    r"|entschuldigung|verzeihung|excusez-moi|oeps|correction|korrektur),? "
    r"(?=(?:(?:in|im|en|à|au|a|al|em|at|on|it(?:'s| is)|es|c['’]est|è|é) )?(?:(?-i:\p{Lu})|\d))",
    r"(?<=[,–—-] )(?:i mean|ich meine|je veux dire|quiero decir|voglio dire|cioè|quero dizer"
    r"|ik bedoel|beziehungsweise besser)\b",
    r"(?:我)?说错了|口误|記憶違い|言い間違え(?:ました)?",
    r"(?<=[,.] )(?:digo|ähm?|euh|ehm|hoor),? |(?<=、)(?:失礼|訂正|間違い)(?=、)",
    r"(?:but )?it should (?:be|have been)\b",
    r"(?<=(?:\.\.\.|…)\s?)(?:no|nein|non|não|nee),",
    r"nein,? (?:moment|warte|quatsch)|non,? (?:c['’]est|attends|pardon)",
    r"(?:that|this|which) (?:is|was) (?:wrong|not (?:right|correct|true|the case)|incorrect|false"
    r"|an? (?:\w+ )?(?:myth|misconception|mistake|error))",
    r"entschuldigung,? (?:ich|es|das)|ich meinte|ich korrigiere(?: mich)?|korrektur",
    r"moment,? nein|nein,? (?:doch|falsch)|besser gesagt|das (?:ist|war) falsch|je voulais dire",
    r"je me corrige|rectification|pardon,? (?:c['’]est|je)|en fait,? non|c['’]était une erreur",
    r"ou plutôt|quise decir|quería decir|me corrijo|corrección|mejor dicho",
    r"perdón,? (?:es|era|quise)|me equivoqué|volevo dire|intendevo|mi correggo|correzione",
    r"mi sono sbagliat[oa]|(?<=[.,;] )anzi|quis dizer|queria dizer|corrijo|correção|ou melhor",
    r"(?:me )?enganei(?:-me)?|errei|ik bedoelde?|ik corrigeer|correctie|ik vergiste me",
    r"of liever|更正|我(?:是想)?说的是|不对，|抱歉，(?:是|应该)",
    r"訂正|失礼(?:しました)?、|間違えました",
    after="",
    before=r"(?<!\p{L})",
)
"""Takes back what was said before it."""

BELIEF = screened_words(
    r"(?:(?:many|most|some|several|lots of|a lot of|other|few)(?: (?:people|sources|scholars"
    r"|historians|fans|users|students))?"
    r"|people|everyone|often|commonly|popularly|you(?: (?:may|might|would))?|one (?:may|might"
    r"|would)"
    rf"|i(?: (?:had|first|initially|once|originally))?) (?:have |be )?(?:\w+ly )?{_THINK}",
    r"my (?:first|initial|original) (?:guess|thought|answer|idea)",
    r"(?:at|on) first (?:glance|sight|look)|auf den ersten blick|à première vue|a primera vista",
    r"a prima vista|à primeira vista|op het eerste gezicht",
    r"(?<!contrary to )(?<!contrary to a )popular (?:legend|belief|myth|opinion|wisdom)",
    r"conventional wisdom|(?:legend|folklore|tradition|belief) (?:has it|holds|says)",
    r"used to be(?=[^.]*\bnow\b)",
    r"(?:initially|at first|first),? (?:it|i|this)",
    r"(?:zuerst|erst|anfangs|zunächst) (?:dachte|glaubte|meinte) ich",
    r"ich (?:dachte|glaubte)(?: zuerst| erst)?",
    r"(?:viele|manche|die meisten) (?:denken|glauben|meinen|sagen)|je (?:pensais|croyais)",
    r"(?:beaucoup|certains) (?:pensent|croient|disent)|(?:pensaba|creía|creí)(?: que)?",
    r"(?:muchos|algunos) (?:piensan|creen|dicen)|(?:pensavo|credevo)(?: che)?",
    r"molti (?:pensano|credono)|(?:pensei|pensava|achava|achei)(?: que)?",
    r"muitos (?:pensam|acham|acreditam)|ik dacht(?: eerst)?",
    r"(?:velen|sommigen) (?:denken|geloven)",
    r"(?:planned|scheduled|intended|slated|meant|due) (?:to \w+ )?(?:for|in|on|at)",
    r"(?:geplant|vorgesehen|angesetzt)|prévu(?:e)? (?:pour|en)|(?:previst[oa]|planead[oa]) para",
    r"previst[oa] (?:per|nel)|gepland (?:voor|in)",
    r"(?:many|most|some|several) (?:people |sources |students )?(?:name|cite|credit|mention)",
)
"""Opens what others hold; a `CONTRAST` after it takes it back."""
CONTRAST = words_pattern(
    "but|however|actually|in fact|in reality|in truth|yet|on closer (?:inspection|look)",
    r"the (?:correct|right|true|real|actual) (?:answer|one)|(?:richtig|korrekt) ist|aber",
    r"tatsächlich|in wirklichkeit|mais|en (?:fait|réalité)|pero|en realidad|ma|in realtà|mas",
    r"na (?:verdade|realidade)|maar|in werkelijkheid|eigenlijk",
)
HEARSAY = screened_words(
    rf"(?:is|was|are|were|be|been) (?:(?:widely|generally|usually|sometimes|often|commonly"
    rf"|frequently|popularly|traditionally|once|long|also|first|initially|originally) "
    rf")*(?:{_THINK}|attributed|ascribed|assigned|reported|credited|considered|named"
    rf"|cited|mentioned|given|suggested|listed)",
    rf"(?:long|once|formerly|previously|traditionally|for (?:years|decades|centuries"
    rf"|a long time)),? "
    rf"(?:was |were |been )?(?:{_THINK}|attributed|ascribed|assigned|credited|considered|held)",
)
"""Opens what is said; only a `CORRECTION` takes it back, as "is believed to be" is often how a fact
is stated."""
CORRECTION = words_pattern(
    r"actually|in fact|in reality|in truth|really|until (?:it|that|this)|turned out",
    r"but (?:\w+ ){0,3}?(?:it|that|this) (?:is|was)",
    r"but (?:\w+ ){0,4}?(?:was|were) (?:chosen|selected|preferred)",
    r"but the (?:correct|right|true|real|actual)",
    r"but the (?:\w+ ){1,3}?(?:is|was|were|are)",
    r"but (?:wrongly|mistakenly|falsely|incorrectly|erroneously|this|that|it|he|she|they)",
    r"but (?-i:\p{Lu}\p{Ll}+)(?: \w+){0,3}? (?:wrote|did|made|was|is|invented|discovered|composed"
    r"|painted|won|had|created|directed|founded|built|said)|wrongly so",
    r"(?<=, )(?:incorrectly|wrongly|mistakenly|falsely|erroneously)",
    r"(?:though|although|but) (?:he|she|it|they|this|that) (?:did|do|does|was|is|were|has|had"
    r"|never)"
    r"(?: not|n['’]t| nothing)?",
    r"(?<=[;,.] )(?:today|now(?:adays)?|since then|modern \w+|scholars now|experts now)",
    r"(?<=, )it (?:is|was)(?= (?:in fact|by|now|really|the work))",
)

CONCEDE = screened(
    r"\b(?:although|though|even\s+(?:though|if)|if\s+(?:it|this|that|the\s+answer)\s+(?:were|had)"
    r"|despite|in\s+spite\s+of"
    r"|notwithstanding|whereas|obwohl|bien\s+que|aunque)\b|(?:(?<=[.!?]\s)|(?<=^)|(?<=\n))while\b",
    regex.IGNORECASE,
)
"""Opens a clause that is granted, not stated."""

UNSURE = screened_words(
    r"not (?:\w+ly |100\s?% )?(?:sure|certain)",
    "unsure|uncertain|unclear|not clear|debatable|torn between",
    r"(?:i|we) (?:\w+ly )?(?:do not|don['’]t) (?:really )?(?:know|remember|recall)",
    r"(?:can['’]?t|cannot|can not|could not|couldn['’]t|unable to) (?:say|tell|decide|determine"
    r"|confirm|be sure)|hard to say|no idea|toss-?up|just guessing|it depends(?: on)?",
)
"""Leaves open the sentence, and the one before where that offers a choice."""
OPENING = screened_words(
    # "soit A, soit B", "entweder A oder B", "ya sea A o B"
    r"soit(?=[^.;]{1,60}\bsoit\b)",
    "entweder|ya sea|ou bien|o bien|oppure",
    r"(?:might|may|could)(?: (?:well|also|possibly|perhaps|have))* (?:be|been)|either|possibly",
    r"perhaps|maybe|whether|would(?:['’]ve| have) been",
    r"(?<=\b(?:is|it['’]s|be) )one of(?=[^.;]{0,80}\bor\b)",
    # a condition that was not met: "Had X done it, ...", "If X had done it, ..."
    r"(?<=^|[.!?] )(?:had|were)(?= (?-i:\p{Lu})[^.?]*\bwould\b)",
    r"if(?= [^.?]{1,60}\bhad\b[^.?]*\bwould\b)",
)
"""Leaves open what follows."""
LIKELY = words_pattern(
    r"probably|presumably|supposedly|likely|i (?:think|believe|guess|suppose)|it seems|seems to",
    r"appears? to|allegedly|reportedly|if i (?:recall|remember)",
)
"""States what follows, with less than full weight."""

CHOICE = words_pattern("either", "or")
TURN = regex.compile(r"\b(?:but|however)\b|[;:](?=\s)", regex.IGNORECASE)
SUBCLAUSE = regex.compile(
    r"\s+(?:(?:to\s+)?(?:say|believe|think|claim|suppose|imagine"
    r"|expect)\s+)?(?:that\s+)?(?:it\s+(?:is|was)|it['’]s)\b",
    regex.IGNORECASE,
)
COMMA = regex.compile(r"\s*,")
QUOTE = regex.compile(r"[\"“”]")
IN_QUESTION = regex.compile(
    r"n['’]t\b|\b(?:not|never|no|cannot|without|lack\w*|except|cant|dont|didnt|doesnt|isnt"
    r"|wasnt)\b",
    regex.IGNORECASE,
)
"""A question that denies something itself."""
ASKED_BACK = regex.compile(
    r"[\"”'’*]*\s?\?[\"”'’*]*\s+(?:no|not|nope|wrong|never|hardly|incorrect|false|nein|non|não|nee"
    r"|nej)\b",
    regex.IGNORECASE,
)
"""What follows a name in "G? No, D."."""
DENIED_AFTER = regex.compile(
    rf"(?:\s*\([^()]{{0,60}}\)|,[^,.;:]{{1,60}},)?[\"”'’*]*\s+(?:\w+ly\s+"
    rf"|also\s+)?(?:(?:{_AUX})(?:\s+\w+ly)?\s+(?:not|never|no\s+longer)"
    rf"|(?:{_AUX})(?:n['’]t|nt)\b|cannot|never){_HARMLESS}",
    regex.IGNORECASE,
)
"""What follows a name in "G is not the capital"."""
NO_PART = regex.compile(
    r"[\"”'’*]*\s+(?:(?:had|has|have|played|took)\s+(?:nothing\s+to\s+do|no\s+(?:\w+\s+)?(?:part"
    r"|role|hand|say|share|influence|connection|involvement|involved))"
    r"|(?:was|is|were|are)\s+(?:dead|not\s+(?:yet\s+)?(?:born|alive|involved)|unrelated|uninvolved"
    r"|already\s+dead|ruled\s+out|wrong)"
    r"|(?:had\s+)?(?:died|retired|left)\s+(?:\w+\s+){0,3}?before"
    r"|(?:had\s+|has\s+)?(?:tried\s+in\s+vain|tried\s+unsuccessfully|tried\s+and\s+failed"
    r"|refused|declined|forgot"
    r"|neglected|failed|was\s+unable|was\s+unwilling)\s+to"
    r"|(?:was|were)\s+born\s+(?:\w+\s+){0,3}?after|(?:\w+\s+){1,4}but\s+(?:did|was|is|has|had|does"
    r"|could)(?:\s+not|n['’]t))\b",
    regex.IGNORECASE,
)
"""What follows a name that had nothing to do with it."""
