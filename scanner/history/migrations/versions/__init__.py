"""One file for each released schema, numbered in order."""
