"""What follows from findings: comparison with an earlier report, waivers, remediation and the exit code."""
