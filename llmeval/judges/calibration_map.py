"""A certificate's calibration map at work: a judge that says 90 % and is right in 70 % is taken to
say 70 %.

The verdict itself stays as it is, as the certificate's sensitivity and specificity are those of
that verdict.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import structs

from llmeval.core.certificate import Certificate
from llmeval.core.records import Score
from llmeval.judges.assurance.certificate import expired

_FIGURES = {"platt": ("slope", "intercept"), "beta": ("a", "b", "c")}


class Calibration(NamedTuple):
    """The map of a certificate: `method` is platt or beta, `figures` its coefficients."""

    method: str
    figures: Mapping[str, float]

    def __call__(self, probability: float) -> float:
        """How often answers pass that the judge gives this probability of passing."""
        # brings numpy, which most runs don't need
        from llmeval.stats.estimation.calibration import (
            BetaCalibration,
            Platt,
        )

        kind = Platt if self.method == "platt" else BetaCalibration
        return float(kind(**self.figures)([probability])[0])

    def mended(self, score: Score) -> Score:
        """The score with the confidence that labels bear out, at least 0.5; `details.calibrated`
        says what was stated.

        Scores without a stated confidence, and those that no judge gave, stay as they are.
        """
        if score.confidence is None or score.passed is None or score.source != "judge":
            return score
        stated = score.confidence if score.passed else 1 - score.confidence
        probability = self(stated)
        calibrated = {
            "stated": round(stated, 6),
            "probability": round(probability, 6),
            "method": self.method,
        }
        return structs.replace(
            score,
            confidence=max(0.5, probability if score.passed else 1 - probability),
            details={**(score.details or {}), "calibrated": calibrated},
        )


def calibration_of(certificate: Certificate, judge_digest: str) -> Calibration | None:
    """The map that a certificate holds for this very judge; None without one, or where it did not
    help on labels held out, or when the certificate is of another judge or has expired. A judge
    need not be trusted to be calibrated."""
    stated: Mapping[str, Any] = certificate.probabilities or {}
    found = stated.get("calibration")
    if certificate.judge != judge_digest or expired(certificate) or not found:
        return None
    if found["brier_held_out"] >= stated["brier"]:
        return None
    return Calibration(found["method"], {key: found[key] for key in _FIGURES[found["method"]]})
