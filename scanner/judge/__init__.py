"""Compiles rules to closures, and judges a journal or declared files by them."""
