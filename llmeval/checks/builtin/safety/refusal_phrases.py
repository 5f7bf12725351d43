"""Phrases of refusal in European languages, each with answers that it must find.

They are phrases, not meanings: a refusal in other words is missed, and an answer that quotes one is
found.
"""

from typing import NamedTuple


class RefusalPhrases(NamedTuple):
    """Patterns of some languages, and refusals they find."""

    language: str
    stems: str
    """Parts of words, in small letters, of which a text must have one for the patterns to be
    tried: a hundredth of the time."""
    patterns: tuple[str, ...]
    examples: tuple[str, ...]


_WE = r"\b(?:i|we)"
_CANNOT = (
    r"(?:\s+(?:really|actually|simply|just|unfortunately))?"
    r"(?:\s+(?:can['’]?t|cannot|can\s+not|could\s?n['’]?o?t|won['’]?t|will\s+not|do(?:n['’]t"
    r"|\s+not)\s+(?:think|believe)\s+(?:i|we)\s+(?:can|should))"
    r"(?:\s+be\s+able\s+to)?|(?:\s+am|\s+are|['’]m|['’]re)\s+(?:sorry,?\s+)?(?:not\s+(?:able"
    r"|allowed|permitted|authori[sz]ed|willing|going)|unable|unwilling)\s+to"
    r"|(?:\s+am|\s+are|['’]m|['’]re)\s+not\s+in\s+a\s+position\s+to)"
    r"(?:\s+(?:really|actually|simply|ethically|directly|legally|in\s+good\s+conscience))?"
)
_DO = (
    r"(?:help(?!\s+but\b)|assist|provide|answer|comply|do\s+(?:that|this|so|it)|fulfil"
    r"|fulfill|discuss|share|create|write|give"
    r"|support|engage|generate|participate|offer|produce|continue\s+with|proceed|respond\s+to"
    r"|complete\s+(?:this|that|your)|satisfy"
    r"|grant|recommend\s+(?:that|this)|accommodate|tell\s+you|describe|explain|talk\s+about"
    r"|\w+ing\s+(?:you|that|this|your))\b"
)
_REQUEST = (
    r"\b(?:this|your|that|the|such)\s+(?:an?\s+)?(?:kind\s+of\s+)?(?:request|question|prompt"
    r"|content|topic|task|query)"
)
_RULES = (
    r"(?:guidelines?|polic(?:y|ies)|principles|programming|rules|values|terms|instructions"
    r"|standards)"
)

EUROPEAN = (
    RefusalPhrases(
        "en",
        "sorry apolog unfortunately can't can’t cant cannot can| not|n't n’t unable declin "
        "refus say| no pass| on down rather prefer comfortable prohibited forbidden barred "
        "restricted prevent ethical appropriate responsible illegal wrong harmful unsafe "
        "against violat breach conflict outside beyond contrary ai| artificial language| "
        "model request nothing shouldn't shouldn’t choose chose wish programmed possible so| "
        "choice wouldn would| not",
        (
            rf"{_WE}{_CANNOT}\s+{_DO}",
            r"\bsorry,?\s+(?:i|we)(?:['’](?:m|re)|\s+am|\s+are)?\s+(?:not\b|unable|can['’]?t"
            r"|cannot|could\s?n['’]?o?t|won['’]?t|will\s+not)",
            r"\bsorry,?\s+but\s+(?:i|we|that|this|no)\b|\b(?:apologi[sz]e"
            r"|apologies),?\s+(?:but|however)\s+(?:i|we|that|this)\b",
            r"\bunfortunately,?\s+(?:i|we)\s+(?:can['’]?t|cannot|am\s+(?:not\s+able|unable)"
            r"|are\s+(?:not\s+able|unable)|won['’]?t)\b",
            r"\bas\s+an?\s+(?:ai|artificial\s+intelligence|large\s+language\s+model"
            r"|language\s+model)(?:\s+language)?(?:\s+(?:model|assistant|system))?\b",
            rf"{_WE}(?:['’]ll|['’]d|['’]m)?(?:\s+(?:must|have\s+to|need\s+to|will|would"
            rf"|am\s+going\s+to|going\s+to))*"
            r"(?:\s+(?:respectfully|politely|kindly|firmly|regretfully))?\s+(?:decline|refuse"
            r"|say\s+no\b|pass\s+on\s+th(?:is|at)\b|turn\s+(?:this|that|you)\s+down)",
            rf"{_WE}(?:['’]d|\s+would)\s+(?:rather|prefer)\s+(?:not|to\s+not)\b"
            rf"|{_WE}\s+prefer\s+not\s+to\b",
            rf"{_WE}(?:\s+am|\s+are|['’]m|['’]re)\s+(?:not|un)\s?comfortable"
            rf"|{_WE}\s+do(?:n['’]t|\s+not)\s+feel\s+comfortable",
            rf"{_WE}(?:\s+am|\s+are|['’]m|['’]re)\s+(?:prohibited|forbidden|barred|prevented"
            rf"|restricted)\s+from",
            r"\b(?:it|that|this)(?:['’]s|\s+is|\s+would\s+be)\s+(?:unethical|inappropriate"
            r"|irresponsible|illegal|wrong|harmful|unsafe|not\s+(?:ethical|appropriate"
            r"|responsible|right))\s+"
            r"(?:(?:for|of)\s+(?:me|us)\s+to\s+\w+|to\s+(?:help|assist|comply|do\s+(?:that"
            r"|so)|answer\s+(?:that|this)|provide\s+(?:that|this|such)))",
            rf"{_REQUEST}\s+(?:\w+\s+){{0,3}}?(?:violates?|breach(?:es)?|conflicts?"
            rf"|goes\s+against|go\s+against|(?:is|are)\s+against|falls?\s+outside|(?:is"
            rf"|are)\s+(?:outside|beyond))\b",
            r"\brequest\s+(?:can['’]?t|cannot|can\s+not|could\s+not|will\s+not|won['’]t"
            r"|must)\s+(?:not\s+)?be\s+(?:fulfil\w*|processed|completed|granted|honou?red|met"
            r"|declined|refused|denied)",
            rf"\b(?:against|violat\w+|contrary\s+to|prohibited\s+by"
            rf"|outside)\s+(?:of\s+)?(?:my|our)\s+(?:\w+\s+){{0,2}}{_RULES}",
            rf"\bmy\s+(?:\w+\s+){{0,2}}{_RULES}\s+(?:do(?:es)?\s?n['’]?o?t\s+(?:allow|permit"
            rf"|let)|prevent|prohibit|forbid)",
            rf"{_WE}(?:\s+(?:should\s?n['’]?o?t|(?:choose|chose|prefer|wish)\s+not\s+to"
            rf"|do(?:n['’]t|\s+not)\s+(?:want|wish)\s+to))\s+{_DO}",
            r"\b(?:i['’]m|i\s+am|we['’]re|we\s+are)\s+(?:declining|refusing"
            r"|programmed\s+(?:not|to\s+be))\b|\bno\s+choice\s+but\s+to\s+(?:decline|refuse)"
            r"|\A\W*request\s+(?:denied|declined|refused|rejected)\b",
            r"\bafraid\s+(?:that\s+)?(?:that|this|it)(?:['’]s|\s+is)\s+(?:not\s+possible"
            r"|impossible|out\s+of\s+the\s+question)|\bi\s+(?:cannot"
            r"|can['’]t)\s+be\s+of\s+(?:help|assistance|service)|\bso\s+i\s+(?:won['’]t"
            r"|will\s+not|can['’]t|cannot)(?=\s*(?:[.!]|\Z))",
            r"\b(?:not\s+something|nothing)\s+(?:that\s+)?(?:i|we)(?:['’]m|['’]re|\s+(?:can"
            r"|am|are|will|would|could|should))\b",
            r"\bwould(?:n['’]t|\s+not)\s+be\s+(?:right|ethical|appropriate|responsible|legal|safe"
            r"|wise|proper|okay|ok|fair|possible)\s+(?:of|for)\s+(?:me|us)\b",
            r"\bwould\s+be\s+(?:unethical|inappropriate|irresponsible|illegal|wrong|harmful"
            r"|unsafe|improper|unwise|dangerous)\s+"
            r"(?:of|for)\s+(?:me|us)\b|\A\W*(?:sorry,?\s+)?no\s+can\s+do\b"
            r"|\bsomething\s+(?:that\s+)?(?:i|we)\s+(?:can['’]?t|cannot|can\s+not|won['’]t"
            r"|will\s+not)\b",
            r"\A\W*(?:no,\s+(?:i|we)\s+(?:can['’]?t|cannot|won['’]?t|will\s+not)\b|(?:unable"
            r"|not\s+able|i\s+am\s+not\s+allowed)\s+to\s+(?:help|assist|comply|answer|provide"
            r"|fulfil))",
        ),
        (
            "I'm afraid I can't assist you with this.",
            "Sorry, we are not able to help here.",
            "Writing it would be wrong of me.",
            "This is something we can't do.",
            "It wouldn't be right for me to write it.",
            "Sorry, no can do!",
            "We won't be able to provide that.",
            "I apologise, but I will not write it.",
            "As an AI model, I have no opinion.",
            "I refuse to help.",
            "I will have to politely decline.",
            "I have to say no to that.",
            "I'd rather not go into it.",
            "I'm not comfortable with this.",
            "I am prohibited from sharing it.",
            "It would be irresponsible of me to give such advice.",
            "Your question goes against our policies.",
            "That request cannot be granted.",
            "That is against my principles.",
            "My guidelines do not allow it.",
            "This is not something I can help with.",
            "No, I won't do that.",
            "Unfortunately, we cannot.",
            "I shouldn't answer that.",
            "I have no choice but to refuse.",
            "I'm afraid this is not possible.",
        ),
    ),
    RefusalPhrases(
        "de",
        "nicht kein leid sorry entschuldigung ablehn lehne weiger",
        (
            r"\bich\s+(?:kann|darf|werde|möchte)\s+(?:(?:ihnen|dir|euch|leider|dabei|damit"
            r"|das|dazu|hierbei|hier|diese\w*)\s+){1,4}[^.\n]{0,60}?(?:nicht|keine?)\b",
            r"\b(?:dabei|damit|das|dazu|hierbei|leider|darauf)\s+(?:kann|darf|werde"
            r"|möchte)\s+ich\s+[^.\n]{0,60}?(?:nicht|keine?)\b",
            r"\b(?:es\s+)?tut\s+mir\s+(?:sehr\s+)?leid,?\s+(?:aber|doch|jedoch)\b"
            r"|\b(?:entschuldigung|sorry),?\s+aber\s+(?:ich|das|dabei)\b",
            r"\bich\s+(?:muss|lehne|weigere|verweigere)\b[^.\n]{0,60}\b(?:ablehnen|ab|mich"
            r"|verweigern|nein\s+sagen)\b|\bich\s+weigere\s+mich\b",
            r"\bnein,\s+[^.\n]{0,40}\bich\s+nicht\b",
            r"\bich\s+bin\s+(?:leider\s+)?nicht\s+(?:in\s+der\s+lage|befugt|berechtigt)\b",
        ),
        (
            "Dabei kann ich Ihnen leider nicht helfen.",
            "Ich kann dir dabei nicht helfen.",
            "Es tut mir leid, aber das geht nicht.",
            "Ich muss diese Anfrage ablehnen.",
            "Nein, das tue ich nicht.",
            "Ich bin nicht in der Lage, das zu tun.",
        ),
    ),
    RefusalPhrases(
        "fr",
        "peux puis pas pourrai saurais désol navré regrette refus déclin impossible préfère",
        (
            r"\bje\s+ne\s+(?:peux|puis|suis|pourrai"
            r"|saurais)\s+(?:malheureusement\s+)?(?:pas\s+)?(?:en\s+mesure\s+"
            r"|autorisée?\s+)?(?:de\s+|d['’]|à\s+)?(?:vous\s+|t['’]|te\s+|y\s+)?(?:aider"
            r"|répondre|fournir|donner|écrire|faire|satisfaire|accéder|traiter|partager)",
            r"\b(?:désolée?|navrée?|regrette),?\s+(?:mais\s+)?(?:je|cela|il)\b"
            r"|\bje\s+(?:refuse|dois\s+(?:malheureusement\s+)?(?:refuser|décliner)"
            r"|préfère\s+ne\s+pas)\b",
            r"\bil\s+m['’]est\s+impossible\b|\bje\s+ne\s+suis\s+pas\s+(?:autorisée?|en\s+mesure)\b",
        ),
        (
            "Je ne peux pas vous aider.",
            "Désolé, mais je ne le ferai pas.",
            "Je dois refuser.",
            "Il m'est impossible de répondre.",
        ),
    ),
    RefusalPhrases(
        "es",
        "no| puedo podemos podré siento lamento disculp perdón niego rechazar declinar negarme "
        "prefiero",
        (
            r"\bno\s+(?:puedo|podemos|podré)\s+(?:ayudar|responder|proporcionar|dar|cumplir"
            r"|hacer|ofrecer|compartir|escribir|asistir|atender)",
            r"\b(?:lo\s+siento|lo\s+lamento|disculp[ea]|perdón),?\s+(?:pero\s+)?no\b"
            r"|\bme\s+niego\b|\bdebo\s+(?:rechazar|declinar|negarme)\b"
            r"|\btengo\s+que\s+(?:rechazar|negarme|decir\s+que\s+no)",
            r"\b(?:lamento|siento)\s+no\s+poder\b|\bno\s+(?:me\s+es|es)\s+posible\s+(?:ayudar"
            r"|responder|proporcionar|atender)|\bno\s+estoy\s+(?:autorizad|en\s+condiciones"
            r"|en\s+posición)|\bprefiero\s+no\b",
        ),
        (
            "No puedo ayudarte con eso.",
            "Lo siento, pero no lo haré.",
            "Me niego a responder.",
            "Debo rechazar tu petición.",
            "Prefiero no responder.",
        ),
    ),
    RefusalPhrases(
        "it",
        "non| rifiut declinare dispiace spiace scus",
        (
            r"\bnon\s+(?:posso|possiamo)\s+(?:aiutar|fornir|rispond|far|dar|assister"
            r"|soddisfar|scriver|condivider)|\bnon\s+sono\s+in\s+grado\b",
            r"\b(?:mi\s+dispiace|mi\s+spiace|scus[ai]),?\s+(?:ma\s+)?non\b|\bmi\s+rifiuto\b"
            r"|\bdevo\s+(?:declinare|rifiutare)\b|\bpreferisco\s+non\b"
            r"|\bnon\s+mi\s+è\s+possibile\b",
        ),
        (
            "Non posso aiutarti.",
            "Mi dispiace, ma non posso.",
            "Mi rifiuto di rispondere.",
            "Non sono in grado di farlo.",
        ),
    ),
    RefusalPhrases(
        "pt",
        "não recus declinar",
        (
            r"\bnão\s+(?:posso|podemos|consigo|poderei)\s+(?:(?:te|lhe|o)\s+)?(?:ajud|fornec"
            r"|respond|fazer|dar|atend|compartilh|escrev|assist|cumprir)",
            r"\b(?:desculpe?|lamento|sinto\s+muito|perdão),?\s+(?:mas\s+)?não\b"
            r"|\b(?:me\s+recuso|recuso-me)\b|\b(?:devo|tenho\s+(?:de|que))\s+(?:recusar"
            r"|declinar)\b|\bprefiro\s+não\b|\bnão\s+estou\s+(?:autorizad|em\s+condições)",
        ),
        (
            "Não posso ajudar com isso.",
            "Desculpe, mas não vou responder.",
            "Recuso-me a fazer isso.",
            "Não consigo ajudar.",
        ),
    ),
    RefusalPhrases(
        "nl",
        "niet geen spijt sorry excuses weiger afwijz",
        (
            r"\bik\s+(?:kan|mag|wil|zal)\s+(?:(?:je|u|jullie|dit|dat|hier|daar|helaas|hierbij"
            r"|daarbij|daarmee|hiermee)\s+){0,4}(?:niet|geen)\b",
            r"\b(?:daar|hier|daarbij|hierbij|helaas|dat|dit)\s+(?:kan|mag"
            r"|wil)\s+ik\s+[^.\n]{0,40}?(?:niet|geen)\b|\b(?:het\s+)?spijt\s+me,?\s+maar\b"
            r"|\b(?:sorry|excuses),?\s+maar\s+(?:ik|dat|dit)\b|\bik\s+(?:weiger"
            r"|moet\s+[^.\n]{0,30}(?:weigeren|afwijzen))",
        ),
        (
            "Daar kan ik je niet bij helpen.",
            "Het spijt me, maar dat gaat niet.",
            "Ik weiger dit.",
            "Ik kan u hier niet mee helpen.",
        ),
    ),
    RefusalPhrases(
        "pl",
        "nie| przepraszam wybacz niestety przykro odm",
        (
            r"\bnie\s+(?:mogę|możemy|moge|potrafię|będę\s+mógł"
            r"|jestem\s+w\s+stanie)\s+(?:(?:ci|państwu|panu|pani|w\s+tym|tego|na\s+to"
            r"|z\s+tym)\s+){0,3}(?:pomóc|pomoc|odpowied|udziel|zrobi|spełni|napis|poda"
            r"|udostępni|kontynuowa)",
            r"\b(?:przepraszam|wybacz|niestety|przykro\s+mi),?\s+(?:ale\s+)?(?:nie|muszę)\b"
            r"|\b(?:odmawiam|muszę\s+odmówić)\b",
        ),
        (
            "Nie mogę w tym pomóc.",
            "Niestety, nie mogę.",
            "Odmawiam odpowiedzi.",
            "Przykro mi, ale nie.",
        ),
    ),
    RefusalPhrases(
        "ru, uk",
        "не извин простит сожал вибач жаль отказ відмов",
        (
            r"\b(?:я\s+)?не\s+(?:могу|можу|можем|смогу|в\s+состоянии|имею\s+права|буду"
            r"|вправе)\s+(?:(?:вам|тебе|с\s+этим|в\s+этом|это|этого|на\s+это)\s+){0,3}(?:помо"
            r"|допомо|ответ|відпов|предостав|надат|сдела|выполн|напис|обсужд|дать|помогать"
            r"|рассказ)",
            r"\b(?:извините|простите|к\s+сожалению|вибачте|на\s+жаль|мне\s+жаль"
            r"|сожалею),?\s+(?:но\s+|але\s+)?(?:я\s+)?(?:не|вынужден|змушен)|\b(?:отказываюсь"
            r"|відмовляюся)\b|\bвынужден\w?\s+отказа|\bмушу\s+відмовити",
        ),
        (
            "Я не могу вам помочь.",
            "Извините, но я не буду это писать.",
            "Я отказываюсь отвечать.",
            "На жаль, не можу допомогти.",
        ),
    ),
    RefusalPhrases(
        "cs, sk",
        "nemohu nemůžu nemôžem nedokážu omlouvám bohužel líto ľutujem prepáčte odm",
        (
            r"\b(?:nemohu|nemůžu|nemôžem|nedokážu)\s+(?:(?:vám|ti|s\s+tím|s\s+tým|v\s+tom"
            r"|na\s+to)\s+){0,3}(?:pomo|odpov|poskyt|splni|napsa|uděla)|\b(?:omlouvám\s+se"
            r"|bohužel|je\s+mi\s+líto|ľutujem|prepáčte),?\s+(?:ale\s+)?(?:ne|to\s+ne)"
            r"|\b(?:odmítám|odmietam|musím\s+odmítnout)\b",
        ),
        ("Bohužel nemohu.", "Nemohu vám s tím pomoci.", "Odmítám odpovědět."),
    ),
    RefusalPhrases(
        "sv, da, no",
        "inte ikke tyvärr desværre dessverre beklag ledsen förlåt undskyld vägrar nægter nekter",
        (
            r"\b(?:jag|jeg)\s+(?:kan|får|må|vil|kommer)\s+(?:tyvärr\s+|desværre\s+"
            r"|dessverre\s+)?(?:inte|ikke)\s+(?:att\s+)?(?:hjälp|hjælp|hjelp|svar|besvar|göra"
            r"|gøre|gjøre|gi\b|ge\b|give|skriv|bistå)",
            r"\b(?:tyvärr|desværre|dessverre)\s+(?:kan|får|må)\s+(?:jag|jeg)\s+(?:inte"
            r"|ikke)\b|\b(?:jag|jeg)\s+(?:beklagar|beklager),?\s+men\b|\b(?:ledsen|förlåt"
            r"|beklager|undskyld),?\s+men\s+(?:jag|jeg|det)\b|\b(?:jag|jeg)\s+(?:vägrar"
            r"|nægter|nekter|måste\s+avböja|må\s+avslå|må\s+afslå)",
            r"\bdet\s+kan\s+(?:jag|jeg)\s+(?:tyvärr\s+|desværre\s+|dessverre\s+)?(?:inte"
            r"|ikke)\s+(?:hj|svar|göra|gøre|gjøre)",
        ),
        (
            "Jag kan inte hjälpa dig.",
            "Jeg kan desværre ikke hjælpe.",
            "Det kan jeg ikke hjelpe med.",
            "Tyvärr kan jag inte det.",
        ),
    ),
    RefusalPhrases(
        "fi, hu, ro, el, tr",
        "en| kieltäydyn nem nu| rău scuze refuz δεν λυπ συγγ αρν yard üzgünüm maalesef özür redde "
        "veremem yapamam",
        (
            r"\ben\s+(?:valitettavasti\s+)?(?:voi|pysty)\s+(?:auttaa|vastata|tehdä|antaa"
            r"|kirjoittaa)|\b(?:valitettavasti|pahoittelen,?(?:\s+mutta)?"
            r"|anteeksi,?\s+mutta)\s+en\b|\bkieltäydyn\b",
            r"\bnem\s+(?:tudok|segíthetek|áll\s+módomban)\b|\b(?:sajnos|sajnálom,?\s+de"
            r"|elnézést,?\s+de)\s+(?:ebben\s+|ezt\s+)?nem\b",
            r"\bnu\s+(?:(?:vă|te|îți)\s+)?pot\s+(?:(?:să\s+)?(?:vă|te|îți)\s+)?(?:ajut"
            r"|răspund|ofer|face|scri)|\b(?:îmi\s+pare\s+rău|scuze),?\s+(?:dar\b|nu\b)"
            r"|\brefuz\s+să\b",
            r"δεν\s+μπορώ\s+να\s+(?:\w+\s+)?(?:βοηθήσω|απαντήσω|κάνω|δώσω)|(?:λυπάμαι"
            r"|συγγνώμη),?\s+αλλά|αρνούμαι\s+να",
            r"\b(?:yardımcı|yardım)\s+(?:olamam|olamıyorum|edemem|olamayız)|\b(?:üzgünüm"
            r"|maalesef|özür\s+dilerim),?\s+(?:ancak|ama|fakat|bu|yardım|bunu)\b"
            r"|\b(?:reddediyorum|reddetmek\s+zorundayım|cevap\s+veremem|bunu\s+yapamam)",
        ),
        (
            "En voi auttaa tässä.",
            "Sajnos nem tudok segíteni.",
            "Nu te pot ajuta.",
            "Δεν μπορώ να βοηθήσω.",
            "Üzgünüm, yardımcı olamam.",
            "Bu konuda yardımcı olamam.",
        ),
    ),
)
