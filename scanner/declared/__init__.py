"""Reads the channel flows that files declare, before deployment: requests, templates, saved answers of AWS, and runs.

candidates  finds the files that a user names
documents   text -> tree with places (jsontext)
read        recognises a file, and reads its flows
requests    a request -> facts
journals    a run of a scan -> facts
template    CloudFormation -> facts (template_resources, kinds, views)
worlds      the parameters and conditions that may hold (parameters, parameter_files, given, conditions)
intrinsics  the values of its functions, with holes (holes, arns)
elsewhere   what the templates of a run hand to each other
functions, roles, policies  a template's functions, and who may do what
unread      parts that may make flows in a form that is not supported (callers)
"""
