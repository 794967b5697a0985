"""Judging: rules are compiled to closures, and a journal or declared files are judged by them."""
