"""llmeval from Python: run a suite, read a run as data frames.

import llmeval
run = llmeval.run("suites/qa.yaml")
run.decision, run.metrics, run.scores
"""

from llmeval.api.checking import validate
from llmeval.api.deciding import finish, merge, rebuild, redecide
from llmeval.api.diagnosis import doctor
from llmeval.api.judging import certify, judge_trust, probe_judge
from llmeval.api.planning import plan, simulate
from llmeval.api.running import arun, rejudge, rescore, run
from llmeval.api.view import PathLike, Run, load_run
from llmeval.suite.loader import load_suite

__all__ = [
    "PathLike",
    "Run",
    "arun",
    "certify",
    "doctor",
    "finish",
    "judge_trust",
    "load_run",
    "load_suite",
    "merge",
    "plan",
    "probe_judge",
    "rebuild",
    "redecide",
    "rejudge",
    "rescore",
    "run",
    "simulate",
    "validate",
]
