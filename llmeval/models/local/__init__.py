"""Local weights behind the Model protocol (provider `transformers`), and the bundled models that
`pull` fetches.

Importing this package is cheap: torch and transformers are imported when a model is first used.
"""

from llmeval.models.local.provider import Readout, TransformersModel

__all__ = ["Readout", "TransformersModel"]
