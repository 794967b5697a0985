"""Reads chimeaudit.yaml, a team's configuration: which rules run, how they are adjusted, what is waived."""

from scanner.config.load import Configuration, find, inline_waivers, load
from scanner.config.schema import FILE, SHIPPED

__all__ = ["FILE", "SHIPPED", "Configuration", "find", "inline_waivers", "load"]
