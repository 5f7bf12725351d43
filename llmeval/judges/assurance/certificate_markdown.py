"""A certificate as a Markdown page for people, so that a change of it can be reviewed."""

from collections.abc import Iterable, Mapping
from typing import Any

from llmeval.core.certificate import Certificate, Figure, FigureGroup, Probe

_NAMES = {
    "sensitivity": ("Sensitivity", "P(judge passes, given that people pass)"),
    "specificity": ("Specificity", "P(judge fails, given that people fail)"),
    "youden": ("Youden's J", "sensitivity + specificity − 1: 0 is guessing, 1 is perfect"),
    "balanced_accuracy": ("Balanced accuracy", "(J + 1) / 2"),
    "accuracy": ("Agreement", "share of equal verdicts; depends on how many answers pass"),
    "mcc": ("Matthews correlation", ""),
    "kappa": ("Cohen's kappa", "low for any judge if most answers pass"),
    "ac1": ("Gwet's AC1", "high for any judge if most answers pass"),
}


def page(certificate: Certificate) -> str:
    """The whole page."""
    state = "TRUSTED" if certificate.trusted else "UNTRUSTED"
    parts = [
        f"# {state}: the judge of {_text(certificate.metric)} in {_text(certificate.suite)}",
        f"{_sentence(certificate.reason)}",
        _about(certificate),
        "## What the labels show",
        f"{_text(str(certificate.provenance.get('allows', '')))}",
        _figures(certificate),
        _counts(certificate.counts),
        _leniency(certificate),
        _probabilities(certificate.probabilities),
        _retest(certificate.retest),
        _people(certificate),
        _groups("By slice", certificate.slices),
        _groups("By system (arm)", certificate.arms),
        _probes(certificate),
        _disagreements(certificate),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(certificate: Certificate) -> str:
    rows = [("judge", f"`{certificate.judge}`")]
    for parts in certificate.parts.get("seats", {"": certificate.parts}).values():
        model, protocol = parts.get("model", {}), parts.get("protocol", {})
        rows += [
            ("model", f"{model.get('provider', '')} {_text(str(model.get('model', '')))}".strip()),
            (
                "protocol",
                f"{_text(str(protocol.get('name', '')))}, version {protocol.get('version', '')}",
            ),
            ("parameters", f"`{parts.get('params', {})}`"),
        ]
    rows += [
        ("made", certificate.made),
        ("expires", certificate.expires),
        ("anchors for drift", str(len(certificate.anchors))),
    ]
    return (
        _table(("", ""), rows)
        + "\n\nA change of model, prompt or parameters makes this certificate void."
    )


def _figures(certificate: Certificate) -> str:
    rows = [
        (name, _interval(certificate.figures[key]), note)
        for key, (name, note) in _NAMES.items()
        if key in certificate.figures
    ]
    if certificate.youden_lower is not None:
        rows.insert(
            3,
            (
                "J, lower bound",
                f"{certificate.youden_lower:.2f}",
                "one-sided, 95 %; 0.60 makes a judge trusted",
            ),
        )
    return _table(("figure", "value (95 % interval)", ""), rows)


def _counts(counts: Mapping[str, int]) -> str:
    head = ("", "people pass", "people fail")
    rows = [
        ("judge passes", str(counts.get("pass_pass")), str(counts.get("pass_fail"))),
        ("judge fails", str(counts.get("fail_pass")), str(counts.get("fail_fail"))),
    ]
    return _table(head, rows) + f"\n\nWithout a usable verdict: {counts.get('undecided', 0)}."


def _leniency(certificate: Certificate) -> str:
    p, counts = certificate.leniency_p, certificate.weighted or certificate.counts
    if p is None or p > 0.05:
        return ""
    word = "lenient" if counts["pass_fail"] > counts["fail_pass"] else "strict"
    return f"The judge is more {word} than people (exact McNemar, p = {p:.2g})."


def _probabilities(probabilities: Mapping[str, Any] | None) -> str:
    if probabilities is None:
        return (
            "The judge states no probabilities, so there is no Brier score, ECE or calibration map."
        )
    text = (
        f"Stated probabilities on {probabilities['n']} labels: Brier {probabilities['brier']:.3f},"
        f" ECE {probabilities['ece']:.3f}."
    )
    if probabilities["calibration"] is not None:
        method = {"platt": "Platt scaling", "beta": "beta calibration"}[
            probabilities["calibration"]["method"]
        ]
        held_out = probabilities["calibration"]["brier_held_out"]
        text += f" {method} brings the Brier score to {held_out:.3f} on answers held out."
    return text


def _retest(retest: Mapping[str, object] | None) -> str:
    if retest is None:
        return ""
    return (
        f"In {retest['calls']} calls without a cache, the judge gave the same verdict on"
        f" {retest['unanimous']} of {retest['items']} answers ({retest['value']:.2f},"
        f" {retest['low']:.2f} to {retest['high']:.2f})."
    )


def _people(certificate: Certificate) -> str:
    people = certificate.people
    if people is None:
        return (
            "## Do people agree?\n\nNo answer was labelled by two people, so there is no human"
            " ceiling to compare with."
        )
    alpha: Figure = people["alpha"]
    rows = [
        (
            " and ".join(_text(name) or "(no name)" for name in pair["reviewers"]),
            str(pair["n"]),
            _interval(pair["accuracy"]),
            _interval(pair["kappa"]),
            _interval(pair["ac1"]),
        )
        for pair in people["pairs"]
    ]
    text = (
        f"## Do people agree?\n\n{people['double_labelled']} answers have several labels;"
        f" Krippendorff's alpha {_interval(alpha)}.\n\n"
        + _table(("reviewers", "answers", "agreement", "kappa", "AC1"), rows)
    )
    test = certificate.alt_test
    if test is not None:
        note = test.get("note") or (
            f"the judge {'may' if test['passes'] else 'may not'} replace an annotator (wins"
            f" against {test['winning_rate']:.0%} of {test['annotators']}, epsilon"
            f" {test['epsilon']})"
        )
        text += f"\n\nAlt-test (arXiv 2501.10970): {note}."
    return text


def _groups(title: str, groups: Iterable[FigureGroup]) -> str:
    rows = [
        (
            _text(group.name),
            str(group.n),
            _interval(group.sensitivity),
            _interval(group.specificity),
            _interval(group.youden),
        )
        for group in groups
    ]
    return (
        f"## {title}\n\n" + _table(("", "labels", "sensitivity", "specificity", "J"), rows)
        if rows
        else ""
    )


def _probes(certificate: Certificate) -> str:
    if not certificate.probes:
        return "## Biases\n\nNot probed (`llmeval judge certify --probes`)."
    rows = []
    for probe in certificate.probes:
        if probe.note:
            rows.append((probe.name, "–", "–", "–", "–", "–", _text(probe.note)))
            continue
        bias = "bias found" if probe.found else "no bias found"
        rows.append(
            (
                probe.name,
                str(probe.n),
                f"{probe.became_pass} / {probe.became_fail}",
                f"{probe.adjusted:.2g}",
                f"{100 * (probe.detectable or 0):.1f} points",
                _needed(probe),
                bias,
            )
        )
    shifts = ("smallest shift detected with 80 % power", "answers to detect 5 points")
    head = ("probe", "answers", "became pass / fail", "p (Holm)", *shifts, "")
    return "## Biases\n\n" + _table(head, rows)


def _disagreements(certificate: Certificate) -> str:
    if not certificate.disagreements:
        return ""
    word = {True: "pass", False: "fail", None: "no verdict"}
    rows = [
        (
            _text(each.id),
            word[each.people],
            word[each.judge],
            _text(each.question),
            _text("; ".join(each.references)),
            _text(each.answer),
            _text(each.reason),
        )
        for each in certificate.disagreements
    ]
    intro = "Read these first: either the rubric, the reference or the label needs repair."
    head = ("case", "people", "judge", "question", "references", "answer", "the judge's words")
    return f"## Where the judge and people disagree ({len(rows)})\n\n{intro}\n\n" + _table(
        head, rows
    )


def _interval(figure: Figure) -> str:
    return (
        "–"
        if figure.value is None
        else f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"
    )


def _sentence(text: str) -> str:
    text = _text(text)
    return text[:1].upper() + text[1:] + "."


def _text(text: str, most: int = 300) -> str:
    """Text from outside, made safe for a table: without markup and line breaks."""
    text = " ".join(text[:most].split()) + ("…" if len(text) > most else "")
    for char in "\\`*_[]<>|#&":
        text = text.replace(char, "\\" + char)
    return text


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _needed(probe: Probe) -> str:
    return "–" if probe.needed is None else f"{probe.needed:,}"
