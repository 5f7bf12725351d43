"""Which CI server runs this."""

from collections.abc import Mapping
from enum import StrEnum


class Format(StrEnum):
    """How a run is reported to the CI server. `auto`: by the environment."""

    AUTO = "auto"
    GITHUB = "github"
    GITLAB = "gitlab"
    AZURE = "azure"
    PLAIN = "plain"


_SIGNS = {"GITHUB_ACTIONS": Format.GITHUB, "GITLAB_CI": Format.GITLAB, "TF_BUILD": Format.AZURE}


def detect(environment: Mapping[str, str]) -> Format:
    """The CI server by the variables it sets; plain for others, which take junit.xml and the exit
    code.
    """
    return next(
        (format_ for name, format_ in _SIGNS.items() if environment.get(name)), Format.PLAIN
    )
