"""What CI servers take beside exit codes and JUnit: annotations, job summaries, outputs, metrics,
comments.
"""
