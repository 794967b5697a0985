"""One file a subcommand: its options, and the wiring of what it needs. The only code that prints."""
