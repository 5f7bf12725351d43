"""Coming from elsewhere: other tools' files as suites, with everything that could not be taken over
named.
"""
