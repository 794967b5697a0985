"""What is kept on disk: run directories with their journals, saved reports, and whole files."""
