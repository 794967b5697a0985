"""The types that all parts share: facts, findings and the report. They hold no behaviour that only one part needs."""
