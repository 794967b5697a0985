"""Speaking to AWS and nothing else: sessions, hardened clients, calls, and why one failed."""
