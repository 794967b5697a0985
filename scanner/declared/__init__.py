"""Reads the channel flows that files declare, before deployment: requests, templates, saved answers of AWS, and runs.

files       finds the files that a user names documents  text -> tree with places (jsontext)
read        what a file is, and its flows     requests   a request -> facts
template    CloudFormation -> facts           intrinsics, holes  what its functions give, holes included
functions, roles, policies                    a template's functions, and who may do what
arns        compares names and ARNs with holes
unread      what may make flows in a form that is not read (calls)
journals    runs of a scan
"""
