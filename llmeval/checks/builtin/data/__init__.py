"""Checks of data formats: JSON, YAML, TOML, CSV, XML, HTML, single values."""
