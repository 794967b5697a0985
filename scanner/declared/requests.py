"""Turns requests that make channel flows, and the AWS CLI's descriptions of flows, into facts.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_CreateChannelFlow.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from msgspec import UNSET, Struct, UnsetType, structs

from scanner.declared.arns import FIELDS, may_be_same_function, named_by_arn
from scanner.declared.holes import Hole, Pending, Text, known, split, text_of, written
from scanner.declared.parameters import NO_VALUES, Values
from scanner.model.facts import (
    AppInstanceRef,
    ChannelFlow,
    FallbackAction,
    Function,
    LambdaFunction,
    Processor,
    in_execution_order,
)
from scanner.model.logic import Truth
from scanner.model.metadata import NOT_YET, Declaration, Spot, aws_only, facets_of
from scanner.model.phrases import one_of, quote
from scanner.model.yamltree import Listing, Mistakes, Node, Scalar, Table, found

if TYPE_CHECKING:
    from scanner.declared.elsewhere import Elsewhere

_ACTIONS: Mapping[str, FallbackAction] = {action: action for action in get_args(FallbackAction)}
_INVOCATION_TYPES = {"ASYNC": "ASYNC"}
Word = TypeVar("Word", bound=str)
REQUIRED = ("Name", "ExecutionOrder", "FallbackAction", "Configuration")
"""The members that every processor has."""
_MEMBERS = {name.lower(): name for name in REQUIRED}


class Home(Struct, frozen=True, kw_only=True):
    """Where a file will be deployed, as far as it is known, and the values that it gets.

    `values` are those of parameters which the user gives, `elsewhere` knows those from other templates.
    `reads_of_flows` are the facts of flows that rules on their app instance read.
    """

    partition: Text = (Hole(name="AWS::Partition", plain=True),)
    region: Text = (Hole(name="AWS::Region", plain=True),)
    account_id: Text = (Hole(name="AWS::AccountId", plain=True),)
    values: Values = NO_VALUES
    elsewhere: Elsewhere | None = None
    reads_of_flows: frozenset[str] = frozenset()


class Facts(Struct, kw_only=True):
    """Collects what a file says of a resource: the place of each value, and what only the deployment settles.

    `written` has the file's text of each unsettled fact, `untold` the facts that this kind of file cannot tell, and
    `by_default`, by line and column of a value, the parameters on whose defaults it rests.
    """

    file: str
    id: str
    mistakes: Mistakes
    spots: dict[str, Spot] = {}
    written: dict[str, str] = {}
    untold: set[str] = set()
    by_default: Mapping[tuple[int, int], frozenset[str]] = {}

    def at(self, path: str, node: Node) -> None:
        """Record the place of a fact's value."""
        self.spots[path] = Spot(line=node.line, column=node.column)

    def settled(self, path: str, text: Text | None) -> str | UnsetType:
        """The text of a fact; UNSET if it has holes, and the file's text is then recorded."""
        if text is None:
            return UNSET
        if (whole := known(text)) is None:
            self.written[path] = written(text)
            return UNSET
        return whole

    def not_yet(self, path: str, text: Text) -> Any:
        """The text of a fact that AWS always tells; NOT_YET if it has holes, and the file's text is then recorded."""
        fact = self.settled(path, text)
        return NOT_YET if isinstance(fact, UnsetType) else fact

    def text(self, path: str, node: Node | None) -> str | UnsetType:
        """The text of a value, whose place is recorded; a mistake if it is not a text."""
        if node is None:
            return UNSET
        self.at(path, node)
        text = text_of(node)
        if text is None:
            self.mistakes.add(node, f"{found(node)}; expected text")
        return self.settled(path, text)

    @property
    def declaration(self) -> Declaration:
        resting = {path: self.by_default.get((spot.line, spot.column)) for path, spot in self.spots.items()}
        return Declaration(
            file=self.file,
            id=self.id,
            spots=self.spots,
            written=self.written,
            untold=frozenset(self.untold),
            by_default={path: tuple(sorted(names)) for path, names in resting.items() if names},
        )


MAX_PROCESSORS = 10
"""How many processors of a flow are judged. AWS takes 3.

https://docs.aws.amazon.com/chime-sdk/latest/APIReference/API_messaging-chime_CreateChannelFlow.html
"""
Configured = Callable[[LambdaFunction, Text, Text, Facts, str], LambdaFunction]
"""Adds a template's facts to a function, given its ARN, the app instance's ARN, and the path of the facts."""


def member(node: Node | None, name: str) -> Node | None:
    """A member of a mapping; the first letter of its name may be in lower case, as in the CDK's requests."""
    if not isinstance(node, Table):
        return None
    return node.entries.get(name) or node.entries.get(name[0].lower() + name[1:])


def channel_flow(
    request: Table,
    facts: Facts,
    home: Home,
    *,
    app_instance_name: Text | None = None,
    configured: Configured | None = None,
) -> ChannelFlow:
    """The flow that a request makes, or that AWS describes, with its processors in execution order.

    `facts.untold` must already hold what the kind of file cannot tell, such as tags in AWS's answers.
    """
    name = facts.text("name", member(request, "Name"))
    facts.spots.setdefault("", facts.spots.get("name") or Spot(line=request.line, column=request.column))
    arn = text_of(member(request, "ChannelFlowArn"))
    owner = text_of(member(request, "AppInstanceArn")) or _owner(arn)
    its_home = owner_home(owner, home)
    owner_arn = owner or (Hole(name="AppInstanceArn"),)
    facts.untold |= aws_only(ChannelFlow)
    for path, node in (("app_instance", member(request, "AppInstanceArn")), ("arn", member(request, "ChannelFlowArn"))):
        if node is not None:
            facts.at(path, node)
    return ChannelFlow(
        arn=facts.not_yet("arn", arn) if arn else NOT_YET,
        name=name,
        account_id=facts.not_yet("account_id", its_home.account_id),
        region=facts.not_yet("region", its_home.region),
        partition=facts.not_yet("partition", its_home.partition),
        app_instance=AppInstanceRef(
            arn=facts.not_yet("app_instance.arn", owner_arn),
            id=facts.not_yet("app_instance.id", split(owner_arn, "/")[-1]),
            name=facts.settled("app_instance.name", app_instance_name),
        ),
        processors=_Processors(facts=facts, owner=owner_arn, configured=configured).read(member(request, "Processors")),
        tags=tags(member(request, "Tags"), facts),
        declared=facts.declaration,
    )


def _owner(arn: Text | None) -> Text | None:
    """The ARN of the app instance in a flow's ARN."""
    whole = known(arn) if arn else None
    return (whole.partition("/channel-flow/")[0],) if whole and "/channel-flow/" in whole else None


def owner_home(arn: Text | None, home: Home) -> Home:
    """The partition, region and account of an app instance, which are also those of its flows."""
    fields = split(arn, ":", FIELDS - 1) if arn else []
    if len(fields) < FIELDS:
        return home
    return structs.replace(home, partition=fields[1], region=fields[3], account_id=fields[4])


class _Processors(Struct, frozen=True, kw_only=True):
    """Reads the processors of a flow; `owner` is the ARN of its app instance."""

    facts: Facts
    owner: Text
    configured: Configured | None

    def read(self, node: Node | None) -> tuple[Processor, ...] | UnsetType:
        facts = self.facts
        if node is None:
            return UNSET
        facts.at("processors", node)
        if not isinstance(node, Listing | Pending):
            facts.mistakes.add(node, f"{found(node)}; expected a list of processors")
            return UNSET
        pending = [each for each in (node.items if isinstance(node, Listing) else [node]) if isinstance(each, Pending)]
        if isinstance(node, Pending) or pending:
            facts.written["processors"] = written(pending[0].text)
            return UNSET
        if len(node.items) > MAX_PROCESSORS:
            problem = f"found {len(node.items):,} processors; expected at most {MAX_PROCESSORS}, of which AWS takes 3"
            facts.mistakes.add(node, problem)
            return UNSET
        ordered = in_execution_order(node.items, _order, _ties)
        processors = [self._processor(*each, f"processors[{index}]") for index, each in enumerate(ordered)]
        arns = [text_of(_function(each)) for each, *_ in ordered]
        return tuple(self._told_apart(index, processors, arns) for index in range(len(processors)))

    def _told_apart(self, index: int, processors: Sequence[Processor], arns: Sequence[Text | None]) -> Processor:
        """The processor; what it invokes is ambiguous if it may turn out to be what another one invokes."""
        own, arn = processors[index], arns[index]
        if isinstance(own.lambda_, UnsetType) or arn is None:
            return own
        others = zip(processors, arns, strict=True)
        if not any(_may_be_same(own.lambda_, arn, other.lambda_, others_arn) for other, others_arn in others):
            return own
        self.facts.written[f"processors[{index}].lambda.unqualified_arn"] = written(arn)
        return structs.replace(own, lambda_=structs.replace(own.lambda_, ambiguous=True))

    def _processor(self, node: Node, is_first: Truth, is_last: Truth, path: str) -> Processor:
        self.facts.at(path, node)
        if not isinstance(node, Table):
            self.facts.mistakes.add(node, f"{found(node)}; expected a processor")
        self._check_spelling(node)
        order = self._execution_order(node, f"{path}.execution_order")
        type_ = member(member(member(node, "Configuration"), "Lambda"), "InvocationType")
        return Processor(
            name=self.facts.text(f"{path}.name", member(node, "Name")),
            execution_order=UNSET if order is None else order,
            is_first=is_first,
            is_last=is_last,
            fallback_action=self._one_of(_ACTIONS, member(node, "FallbackAction"), f"{path}.fallback_action"),
            invocation_type=self._one_of(_INVOCATION_TYPES, type_, f"{path}.invocation_type"),
            lambda_=self._lambda(_function(node), f"{path}.lambda"),
        )

    def _check_spelling(self, processor: Node) -> None:
        """Add mistakes for misspelled members, which would otherwise look as if they were missing."""
        if not isinstance(processor, Table):
            return
        for key, place in processor.keys.items():
            meant = _MEMBERS.get(re.sub("[-_ ]", "", key).lower())
            if meant is not None and key[:1].upper() + key[1:] != meant:
                self.facts.mistakes.add(place, f"{found(place)}; expected {quote(meant)}")

    def _execution_order(self, node: Node, path: str) -> int | None:
        value = member(node, "ExecutionOrder")
        order = _order(node)
        if value is not None:
            self.facts.at(path, value)
            if isinstance(value, Pending):
                self.facts.written[path] = written(value.text)
            elif order is None:
                self.facts.mistakes.add(value, f"{found(value)}; expected an integer")
        return order

    def _one_of(self, accepted: Mapping[str, Word], node: Node | None, path: str) -> Word | UnsetType:
        """A word that AWS accepts; any other is a mistake, since AWS would refuse the request."""
        text = self.facts.text(path, node)
        if node is None or isinstance(text, UnsetType):
            return UNSET
        if text not in accepted:
            self.facts.mistakes.add(node, f"{found(node)}; expected {one_of(accepted)}")
        return accepted.get(text, UNSET)

    def _lambda(self, node: Node | None, path: str) -> LambdaFunction | UnsetType:
        facts, text = self.facts, text_of(node)
        facts.untold |= {f"{path}.{name}" for name in facets_of(LambdaFunction)}
        if node is None:
            return UNSET
        facts.at(path, node)
        whole = None if text is None else known(text)
        function = LambdaFunction.of(whole) if whole is not None else None
        if text is not None and whole is None:
            function = _pending_function(text, path, facts)
        if function is None or text is None:
            facts.mistakes.add(node, f"{found(node)}; expected the ARN of a function")
            return UNSET
        seen = function if self.configured is None else self.configured(function, text, self.owner, facts, path)
        facts.untold -= {f"{path}.{name}" for name in facets_of(LambdaFunction) if getattr(seen, name) is not UNSET}
        if not isinstance(seen.function, UnsetType):
            facts.untold |= {f"{path}.function.{name}" for name in aws_only(Function)}
        return seen


def _function(processor: Node) -> Node | None:
    return member(member(member(processor, "Configuration"), "Lambda"), "ResourceArn")


def _may_be_same(one: LambdaFunction, arn: Text, other: LambdaFunction | UnsetType, others_arn: Text | None) -> bool:
    """Whether functions that differ as far as the file tells may be the same; those that it makes itself are not."""
    if isinstance(other, UnsetType) or others_arn is None or one.unqualified_arn == other.unqualified_arn:
        return False
    if NOT_YET not in (one.arn, other.arn) or (_is_made_here(one) and _is_made_here(other)):
        return False
    return may_be_same_function(arn, others_arn)


def _is_made_here(function: LambdaFunction) -> bool:
    """Whether the file declares the function: then it is known by its logical id, else by an ARN with holes."""
    return isinstance(function.declared, str) and "{" not in function.declared


def _order(processor: Node) -> int | None:
    """The execution order; None if it is no number. A number may be written as text, as CloudFormation passes it."""
    value = member(processor, "ExecutionOrder")
    text = value.text if isinstance(value, Scalar) else ""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None


def _ties(processor: Node) -> tuple[str, str]:
    arn, name = text_of(_function(processor)), text_of(member(processor, "Name"))
    return written(arn or ()), written(name or ())


def _pending_function(text: Text, path: str, facts: Facts) -> LambdaFunction:
    """A function whose ARN is known only in part; the unknown parts are NOT_YET."""
    whole = facts.written[f"{path}.arn"] = written(text)
    named = named_by_arn(text)
    qualifier: Any = facts.not_yet(f"{path}.qualifier", text) if named.hides else None
    if named.qualifier is not None:
        qualifier = facts.not_yet(f"{path}.qualifier", named.qualifier)
        if all(isinstance(piece, str) or piece.plain for piece in named.qualifier):
            qualifier = written(named.qualifier)  # a version or an alias in the same stack
    return LambdaFunction(
        arn=NOT_YET,
        partition=facts.not_yet(f"{path}.partition", named.partition or text),
        account_id=facts.not_yet(f"{path}.account_id", named.account_id or text),
        region=facts.not_yet(f"{path}.region", named.region or text),
        name=facts.not_yet(f"{path}.name", named.name),
        qualifier=qualifier,
        declared=whole if named.qualifier is None else whole.removesuffix(f":{written(named.qualifier)}"),
    )


def tags(node: Node | None, facts: Facts) -> dict[str, str] | UnsetType:
    """The tags in a request, a list or a mapping; empty if it has none, UNSET if they are not known."""
    if "tags" in facts.untold:
        return UNSET
    if node is None:
        return {}
    facts.at("tags", node)
    settled = [(known(key), known(value)) for key, value in _tags(node, facts)]
    if any(key is None or value is None for key, value in settled):
        facts.written["tags"] = "tags that are not settled"
        return UNSET
    return {key: value for key, value in settled if key is not None and value is not None}


def _tags(node: Node, facts: Facts) -> Iterator[tuple[Text, Text]]:
    """The keys and values of tags."""
    match node:
        case Pending():
            yield node.text, node.text
        case Table():
            yield from (((key,), text_of(value) or ()) for key, value in node.entries.items())
        case Listing():
            for item in node.items:
                if isinstance(item, Pending):
                    yield item.text, item.text
                elif (key := text_of(member(item, "Key"))) is not None:
                    yield key, text_of(member(item, "Value")) or ()
                else:
                    facts.mistakes.add(item, f"{found(item)}; expected a tag with Key and Value")
        case Scalar(value=None):
            return
        case _:
            facts.mistakes.add(node, f"{found(node)}; expected a list of tags")
