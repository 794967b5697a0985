"""Reads and judges targets on a Dask cluster: https://distributed.dask.org/

A worker is sent a target with the names of roles, never keys: each worker has its own credentials. It sends back the
journal of what it read and the verdicts on it, which the coordinator writes into the run directory.
"""
