"""Who may invoke a function, or gain control of its code, by its resource policy."""

from __future__ import annotations

from msgspec import UnsetType

from scanner.model.facts import FunctionAccess
from scanner.policy.app_instances import AppInstance, admits, admits_strangers, foreign
from scanner.policy.documents import read_policy
from scanner.policy.function_url import INVOKE_URL, UNKNOWN_URL, FunctionUrl
from scanner.policy.principals import may_anyone_invoke, other_accounts
from scanner.policy.requests import names_action


def access(
    document: str | None,
    *,
    app_instance_arn: str,
    account_id: str,
    function_account_id: str | None = None,
    url: FunctionUrl = UNKNOWN_URL,
) -> FunctionAccess:
    """What the JSON text of a function's policy (Lambda's GetPolicy) allows; None: it has no policy.

    The account is that of the app instance whose flow invokes the function, and unless it is told the function's, too.

    - `chime_can_invoke`: the messaging service may, on behalf of this app instance.
    - `chime_invoke_unconditioned`: it may on behalf of an app instance in an account that the policy does not name. A
      condition that is only wildcards (`*`, any account in an ARN), that excludes somebody (StringNotEquals) or that is
      not asked of a key that may be missing (aws:SourceOrgID with ...IfExists) names nobody.
    - `foreign_app_instances`: the values, of conditions that do name something, by which app instances of other
      accounts come in; what comes in unconditioned is not repeated here. Who belongs to an organisation that
      aws:SourceOrgID names is not known.
    - `public`: somebody of whom the policy names nothing may, anonymous or in an AWS account, by API or by function
      URL. The authentication type of a URL restricts nobody: with AWS_IAM any AWS account will do.
    - `other_accounts`: the accounts, but for these two, and the organisations of AWS principals that may invoke the
      function or gain control of its code; `*` where anybody may gain control.

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
    home = AppInstance(account_id=account_id, arn=app_instance_arn)
    own = frozenset({account_id, function_account_id or account_id})
    return FunctionAccess(
        chime_can_invoke=admits(policy, home),
        chime_invoke_unconditioned=admits_strangers(policy, home.partition),
        public=may_anyone_invoke(policy, home.partition, url),
        foreign_app_instances=foreign(policy, home),
        other_accounts=other_accounts(policy, own, home.partition, url),
    )


def may_hang_on_url(document: str | None) -> bool:
    """Whether the policy lets anybody use a function URL, so that it may matter whether there is one."""
    policy = None if document is None else read_policy(document)
    if policy is None or isinstance(policy, UnsetType):
        return False
    return any(each.allows and names_action(each.actions, INVOKE_URL) for each in policy.statements)
