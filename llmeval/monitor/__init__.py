"""After release: production traffic is tested with the suite that tested the release."""
