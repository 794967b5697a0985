"""The language of rules: reading, checking and explaining rule files."""
