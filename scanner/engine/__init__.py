"""Rules: reading them, checking them, and judging resources by them."""
