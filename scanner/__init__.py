"""chimeaudit: the compliance scanner for Amazon Chime SDK channel flows."""

__version__ = "0.1.0"

DOCUMENTATION = "https://chimeaudit.readthedocs.io/en/latest/"
"""Where the documentation site (`make docs`) is published; reports lead from a rule to its page there."""
