"""chimeaudit.yaml: what a team checks in. Which rules run, how they differ from the shipped ones, what is waived."""

from scanner.config.load import Configuration, find, inline_waivers, load
from scanner.config.schema import FILE, SHIPPED

__all__ = ["FILE", "SHIPPED", "Configuration", "find", "inline_waivers", "load"]
