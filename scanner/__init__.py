"""chimeaudit: the compliance scanner for Amazon Chime SDK channel flows."""

__version__ = "0.1.0"
