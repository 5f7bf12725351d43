"""What checks need of a case, as the table says it and as the checks themselves do."""

from llmeval.checks.needs import NEEDS
from llmeval.checks.registry import all_checks
from llmeval.checks.spec import SpecError, bind
from llmeval.core.records import Answer, Case, Status
from llmeval.runner.scoring import check_answer
from tests.support.tables import each_row

BARE = Case("a", {"question": "Which city?"})
FULL = Case("a", {}, references=("Tokyo",), context="Tokyo is a city.")
ANSWER = Answer(
    case_id="a", output='He said "Tokyo is a very large city indeed" to me, and it is Tokyo.'
)


@each_row("name", sorted(all_checks()))
def test_the_table_agrees_with_the_check(name: str) -> None:
    try:
        (check,) = bind([name])
    except SpecError:  # an argument is required, so nothing of the case stands in for it
        assert name not in NEEDS
        return
    status = check_answer(check, BARE, ANSWER)[0].status
    lacking = status is Status.ERROR or (status is Status.NOT_APPLICABLE and name in NEEDS)
    assert check.applies(BARE) is not lacking
    assert check.applies(FULL)


def test_groups_and_negation_apply_as_their_members_do() -> None:
    negated, either, both = bind(
        [{"not": "equals"}, {"any": ["equals", {"max_words": 5}]}, {"all": ["equals", "facts"]}]
    )
    assert [each.applies(BARE) for each in (negated, either, both)] == [False, True, False]
    assert all(each.applies(FULL) for each in (negated, either, both))
