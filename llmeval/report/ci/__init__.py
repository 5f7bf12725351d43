"""What CI servers read besides exit codes and JUnit: annotations, job summaries, outputs, metrics,
and comments.
"""
