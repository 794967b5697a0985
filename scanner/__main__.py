"""``python -m scanner`` is the command ``chimeaudit``."""

from scanner.cli import main

main()
