"""Measurements that README quotes; each is a module to run with ``python -m``."""
