"""The language in which rules are written: reading, checking and explaining it."""
