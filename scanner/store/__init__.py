"""Files on disk: run directories with their journals, saved reports, and writing files as a whole."""
