"""Checks of what the run recorded with the answer: tool calls, cost, latency, scores of other
tools.
"""
