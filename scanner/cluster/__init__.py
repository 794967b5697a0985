"""Reads and judges targets on a Dask cluster: https://distributed.dask.org/

What travels to a worker is a `Work`, with the names of roles and never keys: each worker has credentials of its own.
What comes back is the journal of what it read and the verdicts on it, which the coordinator writes into the run
directory.
"""
