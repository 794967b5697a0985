"""What files declare: the channel flows that requests, templates and saved answers speak of, before they are deployed.

files       the files that a user names       documents  text -> tree with places (jsontext)
read        what a file is, and its flows     requests   a request -> facts
template    CloudFormation -> facts           intrinsics, pending  what its functions give, holes included
functions, roles, policies                    what it says of functions and who may do what
arns        names and ARNs with holes, compared
journals    runs of a scan
"""
