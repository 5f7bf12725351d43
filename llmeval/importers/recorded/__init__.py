"""Results that other tools recorded: their answers as a `replay` model, their scores as the check
`recorded`.
"""
