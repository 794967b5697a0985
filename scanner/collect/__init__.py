"""Observes Amazon Chime SDK in AWS, reading only, and writes facts and gaps to the journal."""
