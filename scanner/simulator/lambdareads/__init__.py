"""What AWS Lambda answers about a function, in the shape of a moto backend.

moto's own Lambda drops the dead-letter queue, gives every function the same state, keeps one policy for all qualifiers,
and looks up a function of another account in the caller's. Nothing here runs a function.
"""
