"""A moto backend that answers what AWS Lambda says about functions. It runs no function.

moto's own Lambda drops the dead-letter queue, gives every function the same state, keeps one policy for all qualifiers,
and looks for a function of another account in the caller's account.
"""
