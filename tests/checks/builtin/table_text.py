"""One row for every check of the text modules: arguments, an answer that is right, one that is wrong, bad arguments."""

from typing import Any, NamedTuple

MODULES = (
    "builtin.sources.citations",
    "builtin.structure.layout",
    "builtin.structure.padding",
    "builtin.text.counts",
    "builtin.text.language",
    "builtin.text.letter_case",
    "builtin.text.readability",
    "ifeval.english",
    "ifeval.french",
    "ifeval.ifbench_format",
    "ifeval.ifbench_words",
    "ifeval.japanese",
    "ifeval.spanish",
)


class Row(NamedTuple):
    """`bad`: arguments that must be refused when the suite is loaded. `context`: the case's source text."""

    name: str
    arguments: dict[str, Any]
    right: str
    wrong: str
    bad: dict[str, Any]
    context: str | None = None


UNKNOWN = {"no_such_argument": 1}

EASY = "The cat sat on the mat. It was warm in the sun. The dog ran to the door and it sat down too. Then we all had tea. "
HARD = (
    "Notwithstanding considerable institutional heterogeneity, contemporary administrative organisations increasingly "
    "operationalise comprehensive accountability mechanisms, characteristically incorporating multidimensional "
    "evaluation methodologies whose epistemological presuppositions remain insufficiently interrogated throughout "
    "professional communities internationally. "
)
SOURCE = "The tower, built in 1889 — the tallest of its time — stands in Paris, France."

GENERAL = [
    Row("max_words", {"max": 3}, "one two three", "one two three four", {"max": -1}),
    Row("min_words", {"min": 3}, "well-known don't stop", "one two", {"min": "many"}),
    Row("words", {"min": 2, "max": 3}, "one two", "one", {"min": 3, "max": 2}),
    Row("unique_words", {"min": 2}, "a b a", "a A a", {}),
    Row("max_chars", {"max": 3}, "a👩‍👩‍👧b\n", "abcd", {"max": 1.5}),
    Row("min_chars", {"min": 3}, "abc", "👩‍👩‍👧e\u0301", {}),
    Row(
        "sentences",
        {"exactly": 2},
        "# Head\n\nMr. Li came\nhome. He sat.",
        "One. Two. Three.",
        {"exactly": None},
    ),
    Row("paragraphs", {"max": 2}, "a\nb\n\n---\n\nc", "a\n\nb\n\nc", {"max": 1, "min": 2}),
    Row("lines", {"exactly": 2}, "a\n\nb", "a", {"exactly": -2}),
    Row("uppercase", {}, "ÄRGER 12 ДА!", "ÄRGEr", UNKNOWN),
    Row("lowercase", {}, "it's 12 да", "It's", UNKNOWN),
    Row("title_case", {}, "The Lord of the Rings", "The lord of the rings", UNKNOWN),
    Row("all_caps_words", {"min": 2}, "Read THIS and THAT", "I read A book, THIS one", {"min": -1}),
    Row(
        "citations",
        {"min": 2},
        "So [1]. And so [2, 3].",
        "See [1](https://a.example).",
        {"min": 2, "max": "x"},
    ),
    Row(
        "citations_contiguous",
        {"in_order": True},
        "a [1] b [2] c [1]",
        "a [2] b [1]",
        {"in_order": "perhaps"},
    ),
    Row(
        "citations_resolve",
        {},
        "So it is [1].\n\n[1] A book",
        "So it is [2].\n\n[1] A book",
        {"sources": -1},
    ),
    Row(
        "sentences_cited",
        {},
        "It is big.[1] It is old [2].",
        "It is very big. It is old [2].",
        {"share": 0},
    ),
    Row(
        "quotes_verbatim",
        {},
        "They say “built in 1889 - the ... stands in Paris”.",
        'They say "built in 1890, the tallest".',
        {"similarity": 0.1},
        SOURCE,
    ),
    Row(
        "language",
        {"allowed": ["de", "fr"]},
        "Das ist ein kurzer Satz.",
        "This is a short sentence.",
        {"allowed": "xx"},
    ),
    Row("reading_ease", {"min": 60}, EASY * 2, HARD * 2, {"min": 50, "max": 40}),
    Row("reading_grade", {"max": 8}, EASY * 2, HARD * 2, {"max": 8, "formula": "fog"}),
    Row(
        "no_preamble",
        {"phrases": ["My reply"]},
        "Paris is the capital.",
        "Sure! Paris is it.",
        {"phrases": [" "]},
    ),
    Row("no_coda", {}, "Paris is the capital.", "It is Paris. I hope this helps!", {"phrases": 3}),
    Row(
        "no_placeholders", {}, "Dear Ann, see [1] and [a](b).", "Dear [Your Name],", {"allow": [""]}
    ),
    Row(
        "template",
        {"template": "Dear {name},\nbye"},
        "Dear Ann, bye",
        "Dear {name}, bye",
        {"template": "no slot"},
    ),
    Row(
        "sections",
        {"titles": ["Aim", "Method"]},
        "# Aim\nx\n**Method:** y",
        "# Method\n# Aim",
        {"titles": ["", "a"]},
    ),
    Row("options_only", {"options": ["yes", "no"]}, "**Yes.**", "Yes, it is.", {"options": {}}),
    Row(
        "ends_with_phrase",
        {"phrases": "the end"},
        "So: The End.",
        "the end is near",
        {"phrases": [""]},
    ),
    Row("title", {}, "<<An ode>>\nx", "<< >>", {"open": ""}),
    Row("postscript", {"marker": "P.S."}, "Hi\n\nP.S. Call me.", "Hi\n\nP.S.", {"marker": ""}),
    Row("n_responses", {"n": 2}, "a\n******\nb", "a\n******\na", {"n": 1}),
    Row("quoted", {"marks": ["«»"]}, "«so it is»", '"so it is"', {"marks": ["«"]}),
]

IFEVAL = [
    Row("keywords:existence", {"keywords": ["Art", "war"]}, "start a WAR", "art", {"keywords": []}),
    Row(
        "keywords:frequency",
        {"keyword": "war", "frequency": 2, "relation": "at least"},
        "war and wars",
        "one war",
        {"keyword": "war", "frequency": 2, "relation": "about"},
    ),
    Row(
        "keywords:forbidden_words",
        {"forbidden_words": ["rock"]},
        "rocket",
        "A Rock!",
        {"forbidden_words": [" "]},
    ),
    Row(
        "keywords:letter_frequency",
        {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
        "# a #",
        "# a",
        {"letter": "ab", "let_frequency": 2, "let_relation": "at least"},
    ),
    Row(
        "language:response_language",
        {"language": "kn"},
        "ನಮಸ್ಕಾರ, ಹೇಗಿದ್ದೀರಿ?",
        "Hello, how are you today?",
        {"language": "klingon"},
    ),
    Row(
        "length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "less than"},
        "<<A title>>\n\nMr. Li came\nhome. He sat down.",
        "He came. He sat. He left.",
        {"num_sentences": -3, "relation": "less than"},
    ),
    Row(
        "length_constraints:number_paragraphs",
        {"num_paragraphs": 2},
        "a\n***\nb\n***",
        "a ***\n*** b",
        {},
    ),
    Row(
        "length_constraints:number_words",
        {"num_words": 3, "relation": "at least"},
        "well-known fact",
        "known fact",
        {"num_words": 3},
    ),
    Row(
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "summary"},
        "One.\n\n\n\n**Summary:** two.",
        "One.\n\nSummaries are two.",
        {"num_paragraphs": 0, "nth_paragraph": 2, "first_word": "summary"},
    ),
    Row(
        "detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] and [b]", "[a]", {}
    ),
    Row(
        "detectable_content:postscript",
        {"postscript_marker": "P.P.S"},
        "x\n\nP. P. S. y",
        "P.S. y",
        {},
    ),
    Row(
        "detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        "* a\n- b\n---",
        "* a\n**b**",
        {},
    ),
    Row("detectable_format:constrained_response", {}, "My answer is no.", "No.", UNKNOWN),
    Row(
        "detectable_format:number_highlighted_sections",
        {"num_highlights": 2},
        "*a* **b**",
        "*a* ** **",
        {},
    ),
    Row(
        "detectable_format:multiple_sections",
        {"section_spliter": "Section", "num_sections": 2},
        "Section I\na\nSection II\nb",
        "Section X\na\nSection X\nb",
        {"section_spliter": "", "num_sections": 2},
    ),
    Row("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{'a': 1}", UNKNOWN),
    Row("detectable_format:title", {}, "<<poem of joy>>", "<<>>", UNKNOWN),
    Row("combination:two_responses", {}, "a\n******\nb", "a\n******\na", UNKNOWN),
    Row(
        "combination:repeat_prompt",
        {"prompt_to_repeat": "Write a song."},
        "write a song. La la.",
        "La la. Write a song.",
        {"prompt_to_repeat": ""},
    ),
    Row(
        "startend:end_checker",
        {"end_phrase": "Any questions?"},
        'So. "any questions?"',
        "Any questions? No.",
        {},
    ),
    Row(
        "change_case:capital_word_frequency",
        {"capital_frequency": 2, "capital_relation": "at least"},
        "I SAID so",
        "HIGH-QUALITY work",
        {"capital_frequency": 2},
    ),
    Row(
        "change_case:english_capital",
        {},
        "THIS IS HOW WE WRITE IT.",
        "DAS IST EIN KURZER SATZ.",
        UNKNOWN,
    ),
    Row(
        "change_case:english_lowercase",
        {},
        "this is how we write it.",
        "This is how we write it.",
        UNKNOWN,
    ),
    Row("punctuation:no_comma", {}, "one; two", "one, two", UNKNOWN),
    Row("startend:quotation", {}, ' "so" ', "'so'", UNKNOWN),
]

_OWN_ES = {
    "change_case:english_capital",
    "change_case:english_lowercase",
    "detectable_format:constrained_response",
    "detectable_format:number_bullet_lists",
    "startend:end_checker",
}
_OWN_FR = (_OWN_ES - {"detectable_format:number_bullet_lists", "startend:end_checker"}) | {
    "detectable_format:title",
    "startend:quotation",
}
_SAME_JA = {
    "language:response_language",
    "length_constraints:number_paragraphs",
    "detectable_content:number_placeholders",
    "detectable_content:postscript",
    "detectable_format:json_format",
    "combination:two_responses",
    "combination:repeat_prompt",
}

SPANISH = [
    *(row._replace(name=f"es:{row.name}") for row in IFEVAL if row.name not in _OWN_ES),
    Row(
        "es:change_case:spanish_capital",
        {},
        "ESTO SE ESCRIBE ASÍ HOY.",
        "THIS IS HOW WE WRITE IT.",
        UNKNOWN,
    ),
    Row(
        "es:change_case:spanish_lowercase",
        {},
        "esto se escribe así hoy.",
        "Esto se escribe así hoy.",
        UNKNOWN,
    ),
    Row("es:detectable_format:constrained_response", {}, "Quizás.", "Quizá", UNKNOWN),
    Row(
        "es:detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        "* a\n- b\n* c",
        "- a\n- b",
        {},
    ),
    Row(
        "es:startend:end_checker",
        {"end_phrase": "Un saludo"},
        "Es todo. Un saludo.",
        "Un saludo. Ana",
        {},
    ),
    Row("es:punctuation:question_marks", {}, "¿Qué es?", "Qué es? ¿?", UNKNOWN),
    Row("es:punctuation:exclamation_marks", {}, "¡Qué bien!", "Qué bien! ¡!", UNKNOWN),
    Row(
        "es:special_character:enie",
        {"let_frequency": 2},
        "El NIÑO y la niña-piña.",
        "el niño",
        {"let_frequency": "ñ"},
    ),
    Row("es:special_character:dieresis", {"let_frequency": 1}, "un pingüino", "un perro", {}),
    Row(
        "es:special_character:tildes",
        {"num_words": 1, "relation": "como máximo"},
        "así es",
        "así está",
        {"num_words": 1, "relation": "más o menos"},
    ),
]

FRENCH = [
    *(row._replace(name=f"fr:{row.name}") for row in IFEVAL if row.name not in _OWN_FR),
    Row(
        "fr:change_case:french_capital",
        {},
        "CECI EST UNE PHRASE COURTE.",
        "THIS IS A SHORT SENTENCE.",
        UNKNOWN,
    ),
    Row(
        "fr:change_case:french_lowercase",
        {},
        "ceci est une phrase courte.",
        "Ceci est une phrase courte.",
        UNKNOWN,
    ),
    Row("fr:detectable_format:constrained_response", {}, "Peut-être.", "Peut-être", UNKNOWN),
    Row("fr:detectable_format:title", {}, "##hymne à la joie##\nx", "## hymne à la joie", UNKNOWN),
    Row("fr:startend:quotation", {}, "« oui »", "«oui", UNKNOWN),
    Row(
        "fr:special_character:ethel_or_cedilla",
        {"forbidden_char": "œ"},
        "soeur",
        "SŒUR",
        {"forbidden_char": ""},
    ),
    Row("fr:special_character:no_accents", {}, "ete", "Été", UNKNOWN),
    Row(
        "fr:special_character:accents",
        {"word_to_accentuate": {"ecole": "école", "a": "à"}},
        "à l'École",
        "à l'ecole",
        {"word_to_accentuate": {}},
    ),
    Row("fr:detectable_content:informal_address", {}, "je t'aime", "tout va bien, été", UNKNOWN),
    Row("fr:detectable_content:no_digits", {}, "deux", "2", UNKNOWN),
]

JAPANESE = [
    *(row._replace(name=f"ja:{row.name}") for row in IFEVAL if row.name in _SAME_JA),
    Row(
        "ja:keywords:existence",
        {"keywords": ["秘密の特訓"]},
        "秘密の特訓を始めた。",
        "特訓を始めた。",
        {"keywords": []},
    ),
    Row(
        "ja:keywords:frequency",
        {"keyword": "海", "frequency": 2, "relation": "未満"},
        "海へ行く。",
        "海と海。",
        {"keyword": "海", "frequency": 2, "relation": "<"},
    ),
    Row(
        "ja:keywords:forbidden_words",
        {"forbidden_words": ["健康"]},
        "元気です。",
        "健康です。",
        {"forbidden_words": []},
    ),
    Row(
        "ja:keywords:letter_frequency",
        {"letter": "る", "let_frequency": 2, "let_relation": "以上"},
        "するルール",
        "する",
        {"letter": "るる", "let_frequency": 2, "let_relation": "以上"},
    ),
    Row(
        "ja:length_constraints:number_sentences",
        {"num_sentences": 3, "relation": "未満"},
        "「行く。」と言った。そうだ。",
        "行く！ 来る？ 帰る。",
        {"num_sentences": 3},
    ),
    Row(
        "ja:length_constraints:number_letters",
        {"num_letters": 3, "relation": "未満"},
        "はい",
        "いいえ",
        {},
    ),
    Row(
        "ja:length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "分子"},
        "一つ。\n\n「分子」とは。",
        "一つ。\n\n原子と分子。",
        {"num_paragraphs": 2, "nth_paragraph": 0, "first_word": "分子"},
    ),
    Row(
        "ja:detectable_format:number_bullet_lists",
        {"num_bullets": 2},
        "・一\n・二",
        "・一\n- 二",
        {},
    ),
    Row(
        "ja:detectable_format:number_numbered_lists",
        {"num_items": 2},
        "1. 一\n2. 二",
        "1. 一\n・二",
        {},
    ),
    Row("ja:detectable_format:constrained_response", {}, "はい、そうです。", "はい。", UNKNOWN),
    Row(
        "ja:detectable_format:number_highlighted_sections",
        {"num_highlights": 1},
        "《強調》する",
        "《 》",
        {},
    ),
    Row(
        "ja:detectable_format:multiple_sections",
        {"section_spliter": "章", "num_sections": 2},
        "第1章\n第２章",
        "第1章\n第二章",
        {"num_sections": 2},
    ),
    Row("ja:detectable_format:title", {}, "『喜びの詩』", "『』", UNKNOWN),
    Row(
        "ja:detectable_format:nominal_ending",
        {"count": 1},
        "美しい桜。見た。",
        "桜が咲いた。",
        {"count": -1},
    ),
    Row(
        "ja:startend:end_checker",
        {"end_phrase": "他に質問は？"},
        "「以上。他に質問は？」",
        "他に質問は？ はい。",
        {},
    ),
    Row(
        "ja:startend:sentence_unified_end",
        {"ending": "ます"},
        "「行く。」と言います。走ります。",
        "走ります。止まる。",
        {},
    ),
    Row("ja:startend:quotation", {}, "「はい」", "「はい", UNKNOWN),
    Row("ja:punctuation:no_comma", {}, "はい。そう。", "はい、そう。", UNKNOWN),
    Row("ja:punctuation:no_period", {}, "はい、そう", "はい。", UNKNOWN),
    Row("ja:letters:furigana", {}, "桜（さくら）を見（み）た。", "桜（さくら）を見た。", UNKNOWN),
    Row(
        "ja:letters:kanji",
        {"kanji_limit": 2, "relation": "以上"},
        "桜を見た。",
        "さくらを見た。",
        {"kanji_limit": 2, "relation": "x"},
    ),
    Row("ja:letters:no_hiragana", {}, "東京タワー", "東京の塔", UNKNOWN),
    Row("ja:letters:hiragana_only", {}, "さくら、らーめん。", "サクラ", UNKNOWN),
    Row("ja:letters:no_katakana", {}, "さくら", "ｻクラ", UNKNOWN),
    Row("ja:letters:katakana_only", {}, "サクラ・ラーメン。", "サクラが", UNKNOWN),
    Row("ja:letters:kansuuji", {}, "三個", "3個", UNKNOWN),
]

_CSV_QUOTED = (
    '"StudentID"\t"Subject"\t"Grade"\t"Semester"\t"Score"\n' + '"1"\t"Art"\t"A"\t"I"\t"9"\n' * 3
)
_CSV_SPECIAL = (
    "ProductID,Category,Brand,Price,Stock\n" + "1,Toys,Acme,2,3\n" * 13 + '1,"Toys & co.",Acme,2,3'
)
_CSV_CITY = "ID,Country,City,Year,Count\n" + "1,Peru,Lima,1999,3\n" * 7

IFBENCH = [
    Row(
        "count:word_count_range",
        {"min_words": 2, "max_words": 3},
        "one two",
        "one",
        {"min_words": 2},
    ),
    Row("count:unique_word_count", {"N": 2}, "a b", "a A", {"N": -1}),
    Row("ratio:stop_words", {"percentage": 50}, "the cat", "it is the cat", {"percentage": 150}),
    Row(
        "ratio:overlap",
        {"reference_text": "the cat sat down here", "percentage": 50},
        "the cat sat up",
        "the cat sat down",
        {"reference_text": "", "percentage": 50},
    ),
    Row("ratio:sentence_type", {}, "Yes. No. So?", "Yes. So?", UNKNOWN),
    Row("ratio:sentence_balance", {}, "Yes. So? Oh!", "Yes. So?", UNKNOWN),
    Row(
        "count:conjunctions",
        {"small_n": 2},
        "this and that, but no",
        "this and that and more",
        {"small_n": "two"},
    ),
    Row("count:numbers", {"N": 2}, "1,234.5 of 7", "3 of 7 or v8 or 9", {"N": None}),
    Row(
        "count:punctuation",
        {},
        "So, no. Yes; ok: what? Oh! Why?!",
        "So, no. Yes; ok: why?!",
        UNKNOWN,
    ),
    Row(
        "count:keywords_multiple",
        {"keyword1": "a", "keyword2": "b", "keyword3": "c", "keyword4": "d", "keyword5": "e"},
        "a b b c c c d d d d d e e e e e e e",
        "a b b c c c d d d d e e e e e e e",
        {"keyword1": "a"},
    ),
    Row("words:palindrome", {"N": 1}, "a racecar", "a Anna", {"length": 0}),
    Row("words:repeats", {"small_n": 1}, "one two", "one One", {"small_n": 0}),
    Row("words:no_consecutive", {}, "big cats run", "big bad cats", UNKNOWN),
    Row("words:odd_even_syllables", {}, "cats table dogs paper", "cats dogs", UNKNOWN),
    Row(
        "words:keywords_specific_position",
        {"keyword": "cat", "n": 2, "m": 2},
        "So. A cat sat.",
        "So. Cat a sat.",
        {"keyword": "cat", "n": 0, "m": 2},
    ),
    Row(
        "words:words_position",
        {"keyword": "cat"},
        "A cat is a cat now.",
        "A cat is a dog now.",
        {"keyword": " "},
    ),
    Row("words:last_first", {}, "I see a cat. Cat sat.", "I see a cat. Dog sat.", UNKNOWN),
    Row(
        "sentence:keyword",
        {"word": "cat", "N": 2},
        "So. A cat sat.",
        "A cat. So.",
        {"word": "cat", "N": 0},
    ),
    Row(
        "sentence:increment",
        {"small_n": 1},
        "Go. Go on. Go on now.",
        "Go. Go on now.",
        {"small_n": 0},
    ),
    Row("format:emoji", {}, "So it is 🙂. Yes! 🎉 And so 👍🏽", "So it is. Yes 🎉", UNKNOWN),
    Row("format:line_indent", {}, "a\n b\n\n  c", "a\n b\n c", UNKNOWN),
    Row(
        "format:quotes",
        {},
        '"He said \'she said "so" there\' and I don\'t."',
        "\"He said 'so'.\"",
        {"depth": 0},
    ),
    Row("format:parentheses", {}, "(a [b {c (d [e])}])", "(a [b {c (d)}]) [", {"depth": 0}),
    Row("format:newline", {}, "one\ntwo", "one two", UNKNOWN),
    Row("format:options", {"options": "yes/no/maybe"}, "Maybe.", "Maybe so", {"options": ""}),
    Row("format:title_case", {}, "The Lord of the Rings", "The lord of the Rings", UNKNOWN),
    Row("format:no_whitespace", {}, "nospace", "a space", UNKNOWN),
    Row("format:list", {"sep": "!?"}, "!? a\n!? b", "a !? b !?", {"sep": ""}),
    Row(
        "repeat:repeat_span",
        {"prompt_to_repeat": "a b c d", "n_start": 1, "n_end": 2},
        "B c",
        "a b c",
        {"prompt_to_repeat": "a", "n_start": -1, "n_end": 2},
    ),
    Row(
        "repeat:repeat_change",
        {"prompt_to_repeat": "Sing a song."},
        "Write a song.",
        "Sing a song.",
        {},
    ),
    Row("custom:csv_quotes", {}, _CSV_QUOTED, _CSV_QUOTED.replace('"Art"', "Art", 1), UNKNOWN),
    Row("custom:csv_city", {}, _CSV_CITY, _CSV_CITY.replace("Peru,", "", 1), UNKNOWN),
    Row("custom:csv_special_character", {}, _CSV_SPECIAL, _CSV_SPECIAL.replace('"', ""), UNKNOWN),
    Row(
        "custom:date_format_list",
        {},
        "1805-12-02, 1815-06-18",
        "1805-12-02 and 1815-02-30",
        {"first_year": "x"},
    ),
]

ROWS = [*GENERAL, *IFEVAL, *SPANISH, *FRENCH, *JAPANESE, *IFBENCH]
