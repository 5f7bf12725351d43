"""Applies a certificate's calibration map: if a judge states 90 % and is right in 70 % of such
cases, its confidence becomes 70 %.

The verdict itself does not change, because the certificate's sensitivity and specificity are about
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
        """The calibrated probability of passing for a probability that the judge states."""
        # imports numpy, which most runs do not need
        from llmeval.stats.estimation.calibration import (
            BetaCalibration,
            Platt,
        )

        kind = Platt if self.method == "platt" else BetaCalibration
        return float(kind(**self.figures)([probability])[0])

    def mended(self, score: Score) -> Score:
        """The score with its calibrated confidence, at least 0.5. `details.calibrated` has the
        confidence that the judge stated.

        Scores without a stated confidence, and scores without a judge, are returned unchanged.
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
    """The map of a certificate for exactly this judge. None without a map, if it did not improve
    the Brier score on held-out labels, or if the certificate is for another judge or has expired.
    Also an UNTRUSTED judge can be calibrated.
    """
    stated: Mapping[str, Any] = certificate.probabilities or {}
    stated_map = stated.get("calibration")
    if certificate.judge != judge_digest or expired(certificate) or not stated_map:
        return None
    if stated_map["brier_held_out"] >= stated["brier"]:
        return None
    return Calibration(
        stated_map["method"], {key: stated_map[key] for key in _FIGURES[stated_map["method"]]}
    )
