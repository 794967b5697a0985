"""The options of the commands: each is declared once, with all that follows from it."""
