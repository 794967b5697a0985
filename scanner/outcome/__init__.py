"""What a report comes to: compared with an earlier one, waived, remedied, and turned into an exit code."""
