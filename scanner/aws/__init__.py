"""Calls AWS: sessions, hardened clients, calls and listings, and explanations of failures."""
