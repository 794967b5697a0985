"""The options of the commands. Each is declared once, with all that follows from it."""
