"""The rules that the check `facts` is made of: a table of inputs and verdicts for each."""

import pytest

from llmeval.checks.facts.aliases import aliases_of
from llmeval.checks.facts.answer import AnswerAnalysis
from llmeval.checks.facts.boolean import asks_yes_or_no, polarity
from llmeval.checks.facts.candidates import Candidates
from llmeval.checks.facts.centuries import centuries
from llmeval.checks.facts.dates import dates
from llmeval.checks.facts.differences import compare
from llmeval.checks.facts.final_answer import final_answer
from llmeval.checks.facts.letters import chosen_letter
from llmeval.checks.facts.lexicon import contrast, is_designator
from llmeval.checks.facts.locale import is_decimal_comma, is_month_first, language_of, read_numbers
from llmeval.checks.facts.longer_names import longer_name
from llmeval.checks.facts.names import Reference, Spelling, exact
from llmeval.checks.facts.number_lists import in_number_list
from llmeval.checks.facts.other_languages import denied
from llmeval.checks.facts.passing import is_passing
from llmeval.checks.facts.qualifiers import NumericBound, asks_bound, asks_roughly, bound_of
from llmeval.checks.facts.references import infer_type, is_non_answer
from llmeval.checks.facts.times import is_time, same_time, times
from llmeval.checks.facts.tokens import Tokens
from llmeval.checks.facts.units import unit_named
from llmeval.checks.facts.word_forms import same_word
from tests.support.tables import each_row

Y, N = True, False


@each_row(
    ("one", "two", "same"),
    [
        # inflected
        ("nucleus", "nuclei", Y),
        ("bacterium", "bacteria", Y),
        ("criterion", "criteria", Y),
        # British and American
        ("labour", "labor", Y),
        ("theatre", "theater", Y),
        ("oestrogen", "estrogen", Y),
        ("sulphate", "sulfate", Y),
        # misspelt: doubled or single letters, neighbours swapped, one letter too few, transliterated
        ("cincinnati", "cincinatti", Y),
        ("michelangelo", "michelagnelo", Y),
        ("shakespeare", "shakespere", Y),
        ("tolstoy", "tolstoi", Y),
        ("dostoevsky", "dostoyevsky", Y),
        # other words
        ("slovakia", "slovenia", N),
        ("gambia", "zambia", N),
        ("kenya", "kenyan", N),
        ("ethane", "ethene", N),
        ("hypothermia", "hyperthermia", N),
        ("intranet", "internet", N),
        ("thompson", "thomson", N),
        ("cellulose", "cellulase", N),
        ("pari", "paris", N),
        ("iran", "iraq", N),
        ("12", "13", N),
    ],
)
def test_spelling(one: str, two: str, same: bool) -> None:
    assert same_word(one, two) is same
    assert same_word(two, one) is same


@pytest.mark.parametrize(
    ("one", "two", "found"),
    [
        ("north", "south", Y),
        ("elder", "younger", Y),
        ("left", "right", Y),
        ("red", "blue", Y),
        ("north", "left", N),
        ("red", "red", N),
    ],
)
def test_contrasts(one: str, two: str, found: bool) -> None:
    assert contrast(one, two) is found
    assert is_designator(one)


@each_row(
    ("reference", "answer", "difference"),
    [
        ("Ada Lovelace", "Lovelace", "shorter"),
        ("Ada Lovelace", "Countess Ada King Lovelace", "none"),
        ("Ada Lovelace", "Augusta Lovelace", "replaced"),
        ("Ada Lovelace", "Ada", "incomplete"),
        ("Volga River", "the Volga", "shorter"),
        ("James Clerk Maxwell", "Jim Clerk Maxwell", "none"),
        ("hepatitis C", "hepatitis E", "other"),
        ("hepatitis C", "hepatitis", "other"),
        ("Saturn V", "Saturn IV", "other"),
        ("West Timor", "East Timor", "other"),
        ("West Timor", "Timor", "other"),
        ("magnesium oxide", "calcium oxide", "replaced"),
        ("Portland, Oregon", "Portland, Maine", "other"),
        ("Corea del Norte", "Corea del Sur", "other"),
        (
            "The heart pumps blood through the arteries.",
            "The heart pumps blood through the veins.",
            "other",
        ),
        ("The rate rises when the load falls.", "The rate falls when the load falls.", "other"),
        (
            "Cold water sinks to the bottom of lakes.",
            "Cold water never sinks to the bottom of lakes.",
            "other",
        ),
    ],
)
def test_differences(reference: str, answer: str, difference: str) -> None:
    words = Tokens(answer)
    assert compare(Reference(reference), words, Spelling(words)).difference == difference


@pytest.mark.parametrize(
    ("reference", "answer", "longer"),
    [
        ("Virginia", "West Virginia", Y),
        ("Zealand", "New Zealand", Y),
        ("Rocky", "Rocky III", Y),
        ("Pliny", "Pliny the Elder", Y),
        ("Austria", "Austria-Hungary", Y),
        ("Irlande", "Irlande du Nord", Y),
        ("Newtonian", "non-Newtonian", Y),
        ("Virginia", "the west of Virginia", N),
        ("Curie", "Marie Curie", N),
        ("Delhi", "Delhi, India", N),
        ("Rocky", "Rocky, 1976", N),
    ],
)
def test_longer_names(reference: str, answer: str, longer: bool) -> None:
    words, wanted = Tokens(answer), Reference(reference)
    place = exact([wanted], words)[0][0]
    assert (longer_name(place, wanted, words) is not None) is longer


@each_row(
    ("text", "values"),
    [
        ("3/4", [0.75]),
        ("2 1/2 cups", [2.5]),
        ("⅔", [2 / 3]),
        (r"\frac{3}{8}", [0.375]),
        (r"\dfrac25", [0.4]),
        ("24/7/365", [24, 7, 365]),
        ("12 345 678 people", [12345678]),
        ("€ 14 500", [14500]),
        ("at 100 200 300", [100, 200, 300]),
        ("2\u202f500", [2500]),
        ("10^4", [10000]),
        ("10⁻²", [0.01]),
        ("2**5", [32]),
        ("10 to the power of 3", [1000]),
        (r"3 \times 10^{5}", [300000]),
        ("minus twelve", [-12]),
        ("two point five", [2.5]),
        ("three fifths", [0.6]),
        ("7.2亿", [720000000]),
        ("四十五个人", [45]),
        ("To jest siedemnaście", [17]),
        ("Bu kırk iki kişi var.", [42]),
        ("Det är femtiosex", [56]),
        ("Das sind dreiundsiebzig.", [73]),
        ("Ils sont quatre-vingts dans la salle.", [80]),
        ("Sono trecento persone.", [300]),
        ("São quarenta e duas pessoas.", [42]),
    ],
)
def test_numbers(text: str, values: list[float]) -> None:
    assert [number.value for number in read_numbers(Tokens(text))] == pytest.approx(values)


@pytest.mark.parametrize(
    ("locale", "comma"),
    [
        ("de", Y),
        ("fr-FR", Y),
        ("es_ES", Y),
        ("es-MX", N),
        ("de-CH", N),
        ("en", N),
        ("en-ZA", Y),
        ("ja", N),
    ],
)
def test_decimal_marks_of_locales(locale: str, comma: bool) -> None:
    assert is_decimal_comma(locale) is comma


def test_the_order_of_day_and_month() -> None:
    assert is_month_first("en-US") is True
    assert is_month_first("en-GB") is False
    assert is_month_first("pt") is False
    assert is_month_first("en") is None
    assert is_month_first("") is None


@each_row(
    ("text", "bound"),
    [
        ("fewer than 20", "below"),
        ("up to 20 people", "below"),
        ("no more than 20", "below"),
        ("höchstens 20", "below"),
        ("≤ 20", "below"),
        ("more than 20", "above"),
        ("at least 20", "above"),
        ("20+", "above"),
        ("20 or more", "above"),
        ("plus de 20", "above"),
        ("about 20", "about"),
        ("~20", "about"),
        ("ungefähr 20", "about"),
        ("exactly 20", "exact"),
        ("the 20", "exact"),
    ],
)
def test_bounds(text: str, bound: str) -> None:
    start = text.index("20")
    assert bound_of(text, start, start + 2) is NumericBound(bound)


def test_what_a_question_asks_of_a_number() -> None:
    assert asks_roughly("Roughly how many people live there?")
    assert not asks_roughly("How many people live there?")
    assert asks_bound("What is the minimum age?")
    assert not asks_bound("How old is the king?")


@each_row(
    ("name", "dimension"),
    [
        ("degrees Celsius", "temperature"),
        ("grados Celsius", "temperature"),
        ("K", "temperature"),
        ("N", "force"),
        ("mAh", "charge"),
        ("dB", "level"),
        ("kn", "speed"),
        ("kN", "force"),
        ("mW", "power"),
        ("light years", "length"),
        ("A$", "aud"),
        ("kr", "krona"),
        ("SEK", "sek"),
        ("miles per hour", "speed"),
        ("parsnips", None),
    ],
)
def test_units(name: str, dimension: str | None) -> None:
    unit = unit_named(name)
    assert (unit.dimension if unit else None) == dimension


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("6'2\"", 74, "inch"),
        ("2h 15m", 2.25, "hour"),
        ("3h05", 185, "minute"),
        ("half an hour", 0.5, "hour"),
        ("5 feet 6 inches", 5.5, "foot"),
        ("C$40", 40, "canadian dollar"),
    ],
)
def test_amounts(text: str, value: float, unit: str) -> None:
    (number,) = read_numbers(Tokens(text))
    assert number.value == pytest.approx(value)
    assert number.unit is not None
    assert number.unit.name == unit


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("9 maja 2015", "9 May 2015"),
        ("9 Mayıs 2015", "9 May 2015"),
        ("9 мая 2015", "9 May 2015"),
        ("2015년 5월 9일", "9 May 2015"),
        ("2015/05/09", "9 May 2015"),
        ("20150509", "9 May 2015"),
        ("May the 9th, 2015", "9 May 2015"),
        ("9 May '15", "9 May 2015"),
        ("2015, May 9", "9 May 2015"),
        ("1er mai 2015", "1 May 2015"),
        ("9. Mai 2015", "9 May 2015"),
        ("au XVIIIe siècle", "18th century"),
    ],
)
def test_dates(text: str, date: str) -> None:
    words = Tokens(text)
    assert [str(found) for found in dates(words, read_numbers(words))] == [date]


def test_the_verb_may_is_no_month() -> None:
    words = Tokens("I may march. May it be so.")
    assert dates(words, []) == []


def test_centuries() -> None:
    assert [
        year for year, _, _ in centuries("au XIXe siècle, im 3. Jahrhundert v. Chr., siglo XV")
    ] == [
        1800,
        -201,
        1400,
    ]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("7:45 p.m.", 19 * 60 + 45),
        ("8.15 pm", 20 * 60 + 15),
        ("12 am", 0),
        ("12 pm", 720),
        ("noon", 720),
        ("Mitternacht", 0),
        ("halb neun", 8 * 60 + 30),
        ("half past eight", 8 * 60 + 30),
        ("quarter to nine", 8 * 60 + 45),
        ("1845 hours", 18 * 60 + 45),
        ("18h45", 18 * 60 + 45),
        ("22:05", 22 * 60 + 5),
    ],
)
def test_times_of_the_day(text: str, minutes: int) -> None:
    assert [time.minutes for time in times(f"It starts at {text}.")] == [minutes]


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ("7:30 pm", "19:30", Y),
        ("7:30", "19:30", None),
        ("7:30 am", "19:30", N),
        ("2 pm", "14:00 UTC", Y),
        ("14:00 GMT+2", "12:00 GMT", Y),
        ("14:00 GMT+2", "14:00 GMT", N),
    ],
)
def test_times_are_compared(found: str, wanted: str, same: bool | None) -> None:
    one, two = is_time(found), is_time(wanted)
    assert one is not None
    assert two is not None
    assert same_time(one, two) is same


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("(C) because it is hot", "C"),
        ("The answer is D since it melts.", "D"),
        ("I would choose C, a liquid.", "C"),
        ("A metal is needed, so B.", "B"),
        ("After an hour, C is left.", "C"),
        ("C is correct. D would be right at night.", "C"),
        ("A, B or C", None),
        ("A B C D", None),
        ("no letter", None),
    ],
)
def test_letters_of_options(text: str, letter: str | None) -> None:
    chosen = chosen_letter(text, final_answer(Tokens(text)))
    assert (chosen[0] if chosen else None) == letter


@pytest.mark.parametrize(
    ("text", "final"),
    [
        (r"So \boxed{17}. Wait. \boxed{18}", "18"),
        ("5 + 4\n#### 9", "9"),
        ("The final answer is 12. Check: 3 * 4.", "12"),
        ("**Answer:** Oslo (not Bergen)", "Oslo "),
        ("Die Antwort lautet Bern.", "Bern"),
        ("La réponse finale est 4.", "4"),
        ("La respuesta correcta es Lima.", "Lima"),
        ("La risposta è Bari.", "Bari"),
        ("A resposta é Faro.", "Faro"),
        ("Het antwoord is Delft.", "Delft"),
        ("答案是上海。", "上海"),
        ("It is Oslo.", None),
    ],
)
def test_final_answers(text: str, final: str | None) -> None:
    found = final_answer(Tokens(text))
    assert (text[found.start : found.end] if found else None) == final


@pytest.mark.parametrize(
    ("question", "text", "value", "several"),
    [
        ("Who won?", "Ann or Bob", "Ann", Y),
        ("Who won?", "It was Ann, Bob or Cleo.", "Bob", Y),
        ("Who won?", "Ann, Bob, Cleo, Dora", "Cleo", Y),
        ("Who won?", "Ann / Bob / Cleo / Dora", "Dora", Y),
        ("¿Quién ganó?", "Ana o Benito", "Ana", Y),
        ("Wer gewann?", "Anna oder Bruno", "Bruno", Y),
        ("Who won?", "Ann, who ran in red, won before Bob came.", "Ann", N),
        ("Which runners won?", "Ann, Bob, Cleo, Dora", "Ann", N),
        ("Where is it?", "Soho, London, England, UK", "London", N),
        ("What is it?", "It is a spine or backbone, found in all vertebrates.", "backbone", N),
        ("Who won?", "Ann, more or less.", "Ann", N),
    ],
)
def test_candidates(question: str, text: str, value: str, several: bool) -> None:
    answer = AnswerAnalysis(text, question)
    start = text.index(value)
    found = Candidates(answer.words, answer.question, answer.language)
    assert (
        found.is_one_of_several(start, start + len(value), [frozenset(Tokens(value).content)])
        is several
    )


def test_numbers_in_a_row_are_candidates() -> None:
    text = "4, 5, 6 or 7; there were 8 apples and 9 pears"
    found = read_numbers(Tokens(text))
    assert in_number_list(found, 1, text, "How many?")
    assert not in_number_list(found, len(found) - 1, text, "How many?")


@each_row(
    ("question", "text", "yes"),
    [
        ("Is it safe?", "Of course not.", N),
        ("Is it safe?", "Definitely not safe.", N),
        ("Is it safe?", "Right now it isn't.", N),
        ("Is it safe?", "Hardly.", N),
        ("Is it safe?", "I disagree.", N),
        ("Is it safe?", "👎", N),
        ("Is it safe?", "Auf keinen Fall!", N),
        ("Is it safe?", "Pas du tout.", N),
        ("Is it safe?", "いいえ", N),
        ("Is it safe?", "不是", N),
        ("Is it safe?", "F", N),
        ("Is it safe?", "Of course!", Y),
        ("Is it safe?", "It is, indeed.", Y),
        ("Is it safe?", r"\boxed{\text{Yes}}", Y),
        ("Is it safe?", "I would say yes.", Y),
        ("Is it safe?", "Correct.", Y),
        ("Is it safe?", "✅", Y),
        ("Is it safe?", "Claro que sí", Y),
        ("Is it safe?", "Com certeza.", Y),
        ("Is it safe?", "Final answer: yes", Y),
        ("Is water safe to drink?", "Water is safe to drink.", Y),
        ("Is it safe?", "Yes. No.", None),
        ("Is it safe?", "Yes and no.", None),
        ("Is it safe?", "True colours shine.", None),
        ("Is it safe?", "I have no idea.", None),
    ],
)
def test_yes_and_no(question: str, text: str, yes: bool | None) -> None:
    found = polarity(AnswerAnalysis(text, question))
    assert (found.yes if found else None) is yes


def test_which_questions_ask_for_yes_or_no() -> None:
    assert asks_yes_or_no("If it rains, does the roof leak?")
    assert not asks_yes_or_no("Who fixed the roof?")


@pytest.mark.parametrize(
    ("question", "text", "name", "passing"),
    [
        ("Who wrote it?", "Ann, a friend of Bob, wrote it.", "Bob", Y),
        ("Who wrote it?", "Ann, who studied under Bob, wrote it.", "Bob", Y),
        ("Which is it?", "It is taller than Bob.", "Bob", Y),
        ("Wer schrieb es?", "Anna, eine Schülerin von Bruno", "Bruno", Y),
        ("Who wrote it?", "It was written by Bob.", "Bob", N),
        ("Who was her teacher?", "She was a student of Bob.", "Bob", N),
        ("Who wrote it?", "none other than Bob", "Bob", N),
    ],
)
def test_names_in_passing(question: str, text: str, name: str, passing: bool) -> None:
    assert is_passing(text, text.index(name), text.index(name) + len(name), question) is passing


@each_row(
    ("language", "text", "name", "reached"),
    [
        ("de", "Bonn ist es nicht.", "Bonn", Y),
        ("de", "Nicht Bonn, sondern Köln.", "Köln", N),
        ("fr", "Ce n'est pas Nice.", "Nice", Y),
        ("fr", "Nice n'est pas la ville.", "Nice", Y),
        ("es", "No lo pintó Goya.", "Goya", Y),
        ("it", "Non è Bari, ma Lecce.", "Lecce", N),
        ("pt", "Faro não é a cidade.", "Faro", Y),
        ("nl", "Gouda is fout.", "Gouda", Y),
        ("zh", "不是广州", "广州", Y),
        ("zh", "不是广州，而是深圳", "深圳", N),
        ("ja", "奈良ではありません", "奈良", Y),
        ("ru", "не Томск, а Омск", "Омск", N),
        ("tr", "Bursa değil", "Bursa", Y),
        ("ko", "대구가 아닙니다", "대구", Y),
        ("en", "not Bath", "Bath", N),
    ],
)
def test_negation_in_other_languages(language: str, text: str, name: str, reached: bool) -> None:
    at = text.index(name)
    assert any(start <= at < end for start, end in denied(text, language, 0, len(text))) is reached


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Das ist nicht die Stadt.", "de"),
        ("C'est la ville.", "fr"),
        ("Det är inte här.", "sv"),
        ("Это город.", "ru"),
        ("これは町です", "ja"),
        ("Oslo", "en"),
        ("It is the town.", "en"),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert language_of(Tokens(text), 1) == language


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("U.S.A.", "United States"),
        ("Germany", "Allemagne"),
        ("Peking", "Beijing"),
        ("WW2", "World War II"),
        ("EU", "European Union"),
        ("Burma", "Myanmar"),
    ],
)
def test_other_names(name: str, other: str) -> None:
    assert any(other in alias for alias in aliases_of(name))
    assert aliases_of("us") == ()
    assert aliases_of("Atlantis") == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Paris", "text"),
        ("1,200 kg", "number"),
        ("3 May 1999", "date"),
        ("1999", "date"),
        ("yes", "boolean"),
        ("C", "letter"),
        ("17:45", "time"),
        ("2 hours", "number"),
        ("May", "date"),
        ("Mars", "text"),
        ("a week", "number"),
    ],
)
def test_what_a_reference_is_read_as(text: str, kind: str) -> None:
    assert infer_type(text, Tokens("")).kind == kind


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("red, white and blue", 3),
        ("Watson and Crick", 2),
        ("Paris, Texas", 0),
        ("Ghana, Togo, Benin, Mali", 4),
        ("between Rome and Naples", 0),
        ("a long walk through the woods and fields of the county", 0),
    ],
)
def test_references_that_list_several(text: str, members: int) -> None:
    assert len(infer_type(text, Tokens("")).members) == members


def test_non_answers() -> None:
    assert all(
        map(
            is_non_answer,
            (
                "I have no comment.",
                "It depends on the weather",
                "unknown",
                "Je ne sais pas.",
                "N/A",
            ),
        )
    )
    assert not any(
        map(
            is_non_answer,
            (
                "Nothing",
                "It depends on the weather, and on the season; in May it opens at nine",
                "No",
                "Paris",
            ),
        )
    )
