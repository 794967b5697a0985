"""Reads Amazon Chime SDK resources from AWS, and writes facts and gaps to the journal."""
