"""The M-IFEval instructions that are for Japanese."""

import regex

from llmeval.checks.base import Result, verdict
from llmeval.checks.ifeval.english import one_option, titled
from llmeval.checks.ifeval.instructions import (
    Character,
    Number,
    Positive,
    Relation,
    Text,
    Texts,
    exactly,
    filled,
    instruction,
    none_of,
    related,
    spans_of,
)
from llmeval.checks.reading.sentences import split
from llmeval.core.records import Answer, Case, Span

_KANJI = regex.compile(r"[\u4e00-\u9faf]")
_KANJI_RUN = regex.compile(r"[\u4e00-\u9faf]+")
_READING = regex.compile(r"[\u4e00-\u9faf]+（[ぁ-ん]+）")
_HIRAGANA = regex.compile(r"[ぁ-ゖ]")
_KATAKANA = regex.compile(r"[ァ-ヺｦ-ﾟ]")
_NOT_HIRAGANA = regex.compile(r"(?V1)[\p{L}--[ぁ-んー]]")
_NOT_KATAKANA = regex.compile(r"(?V1)[\p{L}--[ァ-ンー・ｦ-ﾟ]]")
_DIGIT = regex.compile(r"\d")
_COMMA, _PERIOD = regex.compile("、"), regex.compile("。")
_BULLET = regex.compile(r"^[^\S\n]*・(?!・)[^\n]+", regex.MULTILINE)
_ITEM = regex.compile(r"^[^\S\n]*\d+\.\s[^\n]*", regex.MULTILINE)
_HIGHLIGHT = regex.compile(r"《([^\n《》]*+)》")
_SPOKEN = regex.compile(r"「[^「」\n]*」|『[^『』\n]*』")
_ENDS = regex.compile(r"[。！？]")
_NOUN_END = regex.compile(
    r"(?:[\u4e00-\u9fafァ-ヶー々〆A-Za-z0-9０-９]|こと|もの|ところ|とき|ため|わけ|はず|まま|ほう|それ|これ|ここ"
    r"|そこ)[）」』\"”]*(?=[。！？])"
)


@instruction("keywords:existence", "ja")
def existence(case: Case, answer: Answer, *, keywords: Texts) -> Result:
    """Every keyword is in the answer."""
    missing = [word for word in keywords if word not in answer.text]
    return verdict(
        not missing, f"missing: {', '.join(missing)}" if missing else "every keyword is there"
    )


@instruction("keywords:frequency", "ja")
def frequency(
    case: Case, answer: Answer, *, keyword: Text, frequency: Number, relation: Relation
) -> Result:
    """How often the keyword occurs."""
    return related(answer.text.count(keyword), relation, frequency, f"times {keyword!r}")


@instruction("keywords:forbidden_words", "ja")
def forbidden_words(case: Case, answer: Answer, *, forbidden_words: Texts) -> Result:
    """None of the words is in the answer."""
    return none_of(
        regex.compile("|".join(map(regex.escape, forbidden_words))), answer.text, "forbidden words"
    )


@instruction("keywords:letter_frequency", "ja")
def letter_frequency(
    case: Case, answer: Answer, *, letter: Character, let_frequency: Number, let_relation: Relation
) -> Result:
    """How often the letter occurs, in Hiragana and Katakana alike."""
    other = chr(ord(letter) + 96) if "ぁ" <= letter <= "ゖ" else letter
    count = sum(answer.text.count(form) for form in {letter, other})
    return related(count, let_relation, let_frequency, f"times {letter!r}")


@instruction("length_constraints:number_sentences", "ja")
def number_sentences(
    case: Case, answer: Answer, *, num_sentences: Number, relation: Relation
) -> Result:
    """The number of sentences; a line end ends one too."""
    count = sum(len(split(line)) for line in answer.text.split("\n") if line)
    return related(count, relation, num_sentences, "sentences")


@instruction("length_constraints:number_letters", "ja")
def number_letters(
    case: Case, answer: Answer, *, num_letters: Number, relation: Relation
) -> Result:
    """The number of characters, marks and white space included."""
    return related(len(answer.text), relation, num_letters, "characters")


@instruction("length_constraints:nth_paragraph_first_word", "ja")
def nth_paragraph_first_word(
    case: Case,
    answer: Answer,
    *,
    num_paragraphs: Positive,
    nth_paragraph: Positive,
    first_word: Text,
) -> Result:
    """Exactly this many paragraphs, separated by blank lines, and the nth starts with the word."""
    parts = [part.strip() for part in answer.text.split("\n\n") if part.strip()]
    if len(parts) != num_paragraphs:
        return exactly(len(parts), num_paragraphs, "paragraphs")
    if nth_paragraph > num_paragraphs:
        return verdict(False, f"there is no paragraph {nth_paragraph} of {num_paragraphs}")
    right = parts[nth_paragraph - 1].lstrip("「『*#　 ").startswith(first_word)
    return verdict(
        right,
        f"paragraph {nth_paragraph} {'starts' if right else 'does not start'} with {first_word!r}",
    )


@instruction("detectable_format:number_bullet_lists", "ja")
def number_bullet_lists(case: Case, answer: Answer, *, num_bullets: Number) -> Result:
    """Exactly this many bullet points, lines that start with `・`."""
    matches = spans_of(_BULLET, answer.text, "bullet")
    return exactly(len(matches), num_bullets, "bullet points", matches)


@instruction("detectable_format:number_numbered_lists", "ja")
def number_numbered_lists(case: Case, answer: Answer, *, num_items: Number) -> Result:
    """Exactly this many numbered items, lines that start with `1. `."""
    matches = spans_of(_ITEM, answer.text, "item")
    return exactly(len(matches), num_items, "numbered items", matches)


@instruction("detectable_format:constrained_response", "ja")
def constrained_response(case: Case, answer: Answer) -> Result:
    """The answer says はい、そうです。 or いいえ、違います。 or どちらとも言えません。"""
    return one_option(answer, ("はい、そうです。", "いいえ、違います。", "どちらとも言えません。"))


@instruction("detectable_format:number_highlighted_sections", "ja")
def number_highlighted_sections(case: Case, answer: Answer, *, num_highlights: Number) -> Result:
    """At least this many passages in 《》."""
    matches = filled(_HIGHLIGHT, answer.text)
    return related(len(matches), "以上", num_highlights, "highlighted passages", matches)


@instruction("detectable_format:multiple_sections", "ja")
def multiple_sections(
    case: Case, answer: Answer, *, section_spliter: Text, num_sections: Number
) -> Result:
    """At least this many sections, marked 第1章 and so on."""
    head = regex.compile(rf"第[\d０-９]+{regex.escape(section_spliter.strip())}")
    return related(len(head.findall(answer.text)), "以上", num_sections, "sections")


@instruction("detectable_format:title", "ja")
def title(case: Case, answer: Answer) -> Result:
    """There is a title in 『』."""
    return titled(answer, "『", "』")


@instruction("detectable_format:nominal_ending", "ja")
def nominal_ending(case: Case, answer: Answer, *, count: Number) -> Result:
    """At least this many sentences end in a noun, told by its script, outside quotations."""
    matches = len(_NOUN_END.findall(_SPOKEN.sub("", answer.text)))
    return related(matches, "以上", count, "sentences that end in a noun")


@instruction("startend:end_checker", "ja")
def end_checker(case: Case, answer: Answer, *, end_phrase: Text) -> Result:
    """The answer ends with the phrase; a closing quotation mark may follow."""
    right = answer.text.strip().strip("」』").endswith(end_phrase.strip().strip("」』"))
    return verdict(right, f"the answer {'ends' if right else 'does not end'} with {end_phrase!r}")


@instruction("startend:sentence_unified_end", "ja")
def sentence_unified_end(case: Case, answer: Answer, *, ending: Text) -> Result:
    """Every sentence outside quotations ends in the same way."""
    plain = _SPOKEN.sub(lambda m: " " * len(m[0]), answer.text)
    wrong, start = [], 0
    for stop in [*(match.start() for match in _ENDS.finditer(plain)), len(plain)]:
        part = plain[start:stop].strip()
        if part and not part.endswith(ending):
            wrong.append(Span(start, stop, f"does not end in {ending}", "ifeval"))
        start = stop + 1
    return verdict(
        not wrong,
        f"{len(wrong)} sentences do not end in {ending}"
        if wrong
        else f"all sentences end in {ending}",
        *wrong[:20],
    )


@instruction("startend:quotation", "ja")
def quotation(case: Case, answer: Answer) -> Result:
    """The whole answer stands in 「」."""
    body = answer.text.strip()
    right = len(body) > 1 and body[0] == "「" and body[-1] == "」"
    return verdict(right, f"the answer {'is' if right else 'is not'} wrapped in 「」")


@instruction("punctuation:no_comma", "ja")
def no_comma(case: Case, answer: Answer) -> Result:
    """There is no 、."""
    return none_of(_COMMA, answer.text, "commas")


@instruction("punctuation:no_period", "ja")
def no_period(case: Case, answer: Answer) -> Result:
    """There is no 。."""
    return none_of(_PERIOD, answer.text, "full stops")


@instruction("letters:furigana", "ja")
def furigana(case: Case, answer: Answer) -> Result:
    """Every run of kanji is followed by its reading in full-width parentheses."""
    runs, read = len(_KANJI_RUN.findall(answer.text)), len(_READING.findall(answer.text))
    return verdict(runs == read, f"{read} of {runs} runs of kanji have a reading")


@instruction("letters:kanji", "ja")
def kanji(case: Case, answer: Answer, *, kanji_limit: Number, relation: Relation) -> Result:
    """The number of kanji."""
    return related(len(_KANJI.findall(answer.text)), relation, kanji_limit, "kanji")


@instruction("letters:no_hiragana", "ja")
def no_hiragana(case: Case, answer: Answer) -> Result:
    """There is no Hiragana."""
    return none_of(_HIRAGANA, answer.text, "Hiragana")


@instruction("letters:hiragana_only", "ja")
def hiragana_only(case: Case, answer: Answer) -> Result:
    """All letters are Hiragana."""
    return none_of(_NOT_HIRAGANA, answer.text, "letters that are not Hiragana")


@instruction("letters:no_katakana", "ja")
def no_katakana(case: Case, answer: Answer) -> Result:
    """There is no Katakana."""
    return none_of(_KATAKANA, answer.text, "Katakana")


@instruction("letters:katakana_only", "ja")
def katakana_only(case: Case, answer: Answer) -> Result:
    """All letters are Katakana."""
    return none_of(_NOT_KATAKANA, answer.text, "letters that are not Katakana")


@instruction("letters:kansuuji", "ja")
def kansuuji(case: Case, answer: Answer) -> Result:
    """Numbers are written in kanji: there is no digit."""
    return none_of(_DIGIT, answer.text, "digits")
