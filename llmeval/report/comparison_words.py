"""What a comparison says, in words: for the terminal and the page alike."""

from collections.abc import Iterable, Mapping

from llmeval.compare.best_cells import BestCells
from llmeval.compare.comparison import BestRuns, ComparedRun, Comparison, MetricDifference
from llmeval.core.formatting import percent_of, points, signed_points
from llmeval.report.safe_text import count

_FEW = 3


def p_value(value: float | None) -> str:
    """.034, or < .001."""
    if value is None:
        return "–"
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def ranks(best: int, worst: int) -> str:
    """1, or 1–3 where runs can't be told apart."""
    return str(best) if best == worst else f"{best}–{worst}"


def shortened(value: str) -> str:
    """A value for a table: digests by their first 12 digits."""
    return value[7:19] if value.startswith("sha256:") else value


def headline(comparison: Comparison, run: ComparedRun) -> str:
    """One run compared with A, in a sentence: what is worse, better, open, not comparable."""
    rows = [metric for metric in comparison.metrics if metric.letter == run.letter]
    parts = []
    for word in ("worse", "better"):
        shown = [
            f"{row.metric} ({signed_points(row.difference)})" for row in rows if row.word == word
        ]
        if shown:
            parts.append(f"{word} on {_listed(shown)}")
    unsure = [row.metric for row in rows if row.word == "no difference shown"]
    if unsure:
        parts.append(f"no difference shown on {_listed(unsure)}")
    apart = [row.metric for row in rows if row.word == "not comparable"]
    if apart:
        parts.append(f"not comparable on {_listed(apart)}")
    return (
        f"{run.letter} vs. A: {'; '.join(parts)}."
        if parts
        else f"{run.letter} vs. A: nothing was scored."
    )


def headlines(comparison: Comparison) -> list[str]:
    """`headline` of each run but A. Runs of which the same is true share a sentence."""
    runs_by_text: dict[str, list[str]] = {}
    for run in comparison.runs[1:]:
        text = headline(comparison, run).removeprefix(f"{run.letter} vs. A: ")
        runs_by_text.setdefault(text, []).append(run.letter)
    return [f"{', '.join(letters)} vs. A: {text}" for text, letters in runs_by_text.items()]


def tone(rows: Iterable[MetricDifference]) -> str:
    """The colour family: worse anywhere, else better anywhere, else not told apart, else not
    comparable.
    """
    words = {row.word for row in rows}
    for word, family in (("worse", "fail"), ("better", "pass"), ("no difference shown", "unsure")):
        if word in words:
            return family
    return "invalid"


def note(comparison: Comparison) -> str:
    """What the intervals and the words promise."""
    tests = f"{comparison.tests:,} tests" if comparison.tests != 1 else "one test"
    return (
        f"Each interval holds at {comparison.level:.0%} by itself. Better, worse and ranks hold"
        f" at {comparison.level:.0%} over all of it ({tests}, Holm's procedure, p is adjusted). A"
        " difference that is not shown may still be there."
    )


def slice_note(comparison: Comparison) -> str:
    """By what rule slices are named."""
    return (
        f"Benjamini-Hochberg at {1 - comparison.level:.0%} over {len(comparison.slices):,} slices:"
        " where to look, not what to decide by"
    )


def shared(run: ComparedRun) -> str:
    """How many cases a run has in common with A, and which not."""
    parts = [f"{count(run.shared, 'case')} in both"]
    for names, what in (
        (run.only, f"only in {run.letter}"),
        (run.missing, "only in A"),
        (run.changed, "changed"),
    ):
        if names:
            more = ", ..." if len(names) > _FEW else ""
            parts.append(f"{len(names):,} {what} ({', '.join(names[:_FEW])}{more})")
    return ", ".join(parts)


def _listed(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def best_sentence(best: BestRuns, names: Mapping[str, str] | None = None) -> str:
    """Which runs may be the best on a metric. `names`: by letter; by default the letters."""

    def shown(letter: str) -> str:
        return letter if names is None else names[letter]

    left = "".join(f" {shown(each)} is left out: {why}." for each, why in best.left_out.items())
    if not best.contenders:
        return f"{best.metric}: fewer than two runs can be compared for the best.{left}"
    among = [shown(letter) for letter in best.among]
    sure = f"at {percent_of(1 - best.rate)} confidence"
    if len(among) == 1:
        lead = next(each for each in best.contenders if each.among)
        claim = f"{among[0]} is the best {sure}, by up to {points(lead.high)} over the next"
    else:
        listed = f"{', '.join(among[:-1])} and {among[-1]}"
        claim = f"{listed} tie: {sure} the best is one of them, and these cases can't tell which"
    worse = "".join(
        f" {shown(each.letter)} is not the best: it is up to {points(-each.low)} below it."
        for each in best.contenders
        if not each.among
    )
    trust = " By the verdicts of an UNTRUSTED judge." if best.untrusted else ""
    return f"{best.metric} ({best.n:,} cases): {claim}.{worse}{trust}{left}"


def cell_names(best: BestCells) -> dict[str, str]:
    """The names of the cells by letter, in quotes where one has a comma."""
    quoted = any("," in cell.name for cell in best.cells.values())
    return {
        letter: f'"{cell.name}"' if quoted else cell.name for letter, cell in best.cells.items()
    }


def best_lines(best: BestCells) -> list[str]:
    """Which cells of a grid may be the best: a sentence for each metric, and what it is worth."""
    names = cell_names(best)
    lines = [best_sentence(each, names) for each in best.metrics]
    if not lines:
        lines.append("Fewer than two cells have a run: there is no best one.")
    if best.missing:
        missing = _listed(list(best.missing))
        lines.append(
            f"Without a run, so not compared: {missing}. It may be better than all others."
        )
    lines += [
        f"{cell.name} may be the best, but its own gate is {cell.decision}."
        for cell in best.unproven
    ]
    lines.append("The best decides nothing: each cell keeps the decision of its own gate.")
    return lines
