"""What every part speaks of: facts, findings and the report, in types that hold no behaviour of one part alone."""
