"""Who may invoke a function or gain control of its code, according to its resource policy."""

from __future__ import annotations

from msgspec import UnsetType, structs

from scanner.model.facts import FunctionAccess
from scanner.model.logic import any_of
from scanner.policy.app_instances import FlowOwner, admits, admits_strangers, foreign
from scanner.policy.evaluation import is_about, names_action
from scanner.policy.function_url import INVOKE_URL, UNKNOWN_URL, FunctionUrl
from scanner.policy.principals import may_anyone_invoke, other_accounts
from scanner.policy.statements import Policy, read_policy


def access(
    document: str | None,
    *,
    app_instance_arn: str,
    account_id: str,
    function_arn: str | None = None,
    url: FunctionUrl = UNKNOWN_URL,
) -> FunctionAccess:
    """What a function's resource policy allows.

    `document` is the JSON text from Lambda's GetPolicy, or None where the function has no policy. `account_id` is the
    account of the app instance whose flow invokes the function. `function_arn` names the function, version or alias
    whose policy it is: statements about another one are passed over. By default all are about it, and it is in the same
    account.

    - `chime_can_invoke`: the messaging service may invoke the function on behalf of this app instance.
    - `chime_invoke_unconditioned`: the service may invoke it on behalf of an app instance in an account that the policy
      does not name. A condition names nobody if it holds only wildcards (`*`, any account in an ARN), if it excludes
      somebody (StringNotEquals), or if it passes where its key is missing (aws:SourceOrgID with ...IfExists).
    - `foreign_app_instances`: the condition values that admit app instances of other accounts. Those admitted without
      a condition are not repeated here. Which accounts belong to an organisation in aws:SourceOrgID is not known.
    - `public`: somebody whom the policy does not name may invoke the function, anonymously or from an AWS account, by
      the API or by function URL. AWS_IAM as authentication type of a URL admits every AWS account.
    - `other_accounts`: the other accounts and the organisations of AWS principals that may invoke the function or gain
      control of its code; `*` where anybody may gain control.

    https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
    """
    if document is None:
        return FunctionAccess(
            chime_can_invoke=False,
            chime_invoke_unconditioned=False,
            public=False,
            foreign_app_instances=(),
            other_accounts=(),
        )
    policy, parts = read_policy(document), app_instance_arn.split(":")
    if isinstance(policy, UnsetType) or len(parts) != 6:
        return FunctionAccess()
    if function_arn is not None:
        policy = _about(policy, function_arn)
    home = FlowOwner(account_id=account_id, arn=app_instance_arn)
    own = frozenset({account_id, function_arn.split(":")[4] if function_arn else account_id})
    return FunctionAccess(
        chime_can_invoke=admits(policy, home),
        chime_invoke_unconditioned=admits_strangers(policy, home.partition),
        public=may_anyone_invoke(policy, home.partition, url),
        foreign_app_instances=foreign(policy, home),
        other_accounts=other_accounts(policy, own, home.partition, url),
    )


def _about(policy: Policy, function_arn: str) -> Policy:
    """The policy without statements whose Resource surely is something else than the function, version or alias.

    Lambda adds the right ARN itself, but PutResourcePolicy takes any. $LATEST has the policy of the function, which
    names it without a qualifier.

    https://docs.aws.amazon.com/lambda/latest/api/API_PutResourcePolicy.html
    https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
    """
    arns = {function_arn, function_arn.removesuffix(":$LATEST")}
    kept = []
    for statement in policy.statements:
        truth = any_of(is_about(statement.resources, arn, variables=policy.variables) for arn in arns)
        if truth is not False:
            kept.append(structs.replace(statement, resources=None) if truth is True else statement)
    return structs.replace(policy, statements=tuple(kept))


def may_hang_on_url(document: str | None) -> bool:
    """Whether the policy lets anybody use a function URL, so that the URL must be read to judge access."""
    policy = None if document is None else read_policy(document)
    if policy is None or isinstance(policy, UnsetType):
        return False
    return any(each.allows and names_action(each.actions, INVOKE_URL) for each in policy.statements)
