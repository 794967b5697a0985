"""The functions of the Serverless Application Model, as its transform writes them: with role, alias and configuration.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from scanner.declared.documents import parts
from scanner.declared.intrinsics import function_name
from scanner.model.yamltree import Listing, Node, Scalar, Table

_FUNCTION = "AWS::Serverless::Function"
_BASIC = "service-role/AWSLambdaBasicExecutionRole"
_ATTRIBUTES = ("Condition", "DependsOn", "Metadata")
_PUBLIC = {
    "UrlPublicPermissions": {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
    "URLInvokeAllowPublicAccess": {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": "true"},
}
"""What the transform permits to anyone for a function's URL without authentication."""
_NOTHING = Table(line=1, column=1, entries={}, keys={})


def transformed(root: Table) -> Table:
    """The template with its serverless functions as the transform leaves them; other resources stay as they are.

    What a function's `Ref: ID.Alias` and `ID.Version` refer to has these as logical ids.
    """
    section = _table(root, "Resources")
    functions = {id_: each for id_, each in section.entries.items() if _text(each, "Type") == _FUNCTION}
    if not functions:
        return root
    shared = _table(_table(root, "Globals"), "Function")
    entries, keys = dict(section.entries), dict(section.keys)
    for id_, node in functions.items():
        key = section.keys[id_]
        function = _Function(key, _merged(shared, _table(node, "Properties")))
        for made, (type_, properties) in function.resources():
            attributes = {name: each for name in _ATTRIBUTES if (each := _entry(node, name)) is not None}
            own = (
                attributes if made == id_ else {name: each for name, each in attributes.items() if name == "Condition"}
            )
            entries[made] = _mapping(key, {"Type": _scalar(type_, key), "Properties": properties, **own})
            keys[made] = key if made == id_ else replace(key, value=made, text=made)
    return replace(root, entries={**root.entries, "Resources": replace(section, entries=entries, keys=keys)})


class _Function:
    """One function, with the node of its logical id and its properties."""

    def __init__(self, key: Scalar, properties: Table) -> None:
        self._key = key
        self._id = key.text
        self._properties = properties
        self._given = properties.entries
        self._alias = self._given.get("AutoPublishAlias")

    def resources(self) -> Iterator[tuple[str, tuple[str, Table]]]:
        """The resources that the transform makes of the function: id, type and properties."""
        if "Role" not in self._given:
            yield f"{self._id}Role", ("AWS::IAM::Role", self._role())
        yield self._id, ("AWS::Lambda::Function", self._function())
        if self._alias is not None:
            version, published = f"{self._id}.Version", {"FunctionName": self._ref(self._id)}
            yield version, ("AWS::Lambda::Version", self._mapping(published))
            alias = self._mapping({**published, "Name": self._alias})
            ids = [f"{self._id}.Alias"]
            if isinstance(self._alias, Scalar):
                ids.append(f"{self._id}Alias{self._alias.text}")
            yield from ((id_, ("AWS::Lambda::Alias", alias)) for id_ in ids)
        if isinstance(config := self._given.get("EventInvokeConfig"), Table):
            yield f"{self._id}EventInvokeConfig", ("AWS::Lambda::EventInvokeConfig", self._invoke_config(config))
        if isinstance(url := self._given.get("FunctionUrlConfig"), Table):
            yield from self._url(url)

    def _function(self) -> Table:
        given = dict(self._given)
        if (queue := given.pop("DeadLetterQueue", None)) is not None:
            given["DeadLetterConfig"] = queue
        if (code := given.pop("InlineCode", None)) is not None:
            given["Code"] = _mapping(code, {"ZipFile": code})
        given.setdefault("Role", self._call("Fn::GetAtt", f"{self._id}Role", "Arn"))
        return replace(self._properties, entries=given)

    def _invoke_config(self, config: Table) -> Table:
        entries = {**config.entries, "FunctionName": self._ref(self._id), "Qualifier": self._qualifier()}
        destinations = _table(config, "DestinationConfig")
        if destinations is not _NOTHING:
            made = {name: self._destination(name, each) for name, each in destinations.entries.items()}
            entries["DestinationConfig"] = replace(destinations, entries=made)
        return replace(config, entries=entries)

    def _destination(self, name: str, node: Node) -> Node:
        """A destination; the transform makes a queue or topic where it is only given a type."""
        if not isinstance(node, Table) or function_name(node) is not None or "Destination" in node.entries:
            return node
        return replace(node, entries={**node.entries, "Destination": self._ref(f"{self._id}.{name}")})

    def _url(self, url: Table) -> Iterator[tuple[str, tuple[str, Table]]]:
        target = self._ref(self._id) if self._alias is None else self._ref(f"{self._id}.Alias")
        own: dict[str, Node] = {**url.entries, "TargetFunctionArn": self._ref(self._id)}
        if self._alias is not None:
            own["Qualifier"] = self._alias
        yield f"{self._id}Url", ("AWS::Lambda::Url", replace(url, entries=own))
        if _text(url, "AuthType") == "NONE":
            for name, public in _PUBLIC.items():
                allowed: dict[str, Node] = {key: _scalar(text, url) for key, text in public.items()}
                permission = replace(url, entries={**allowed, "Principal": _scalar("*", url), "FunctionName": target})
                yield f"{self._id}{name}", ("AWS::Lambda::Permission", permission)

    def _qualifier(self) -> Node:
        return _scalar("$LATEST", self._key) if self._alias is None else self._alias

    def _role(self) -> Table:
        given = self._given.get("Policies")
        policies = given.items if isinstance(given, Listing) else (given,)
        arns: list[Node] = [self._managed(_scalar(_BASIC, self._key))]
        inline: list[Node] = []
        for policy in policies:
            match policy:
                case Scalar(value=str()):
                    arns.append(self._managed(policy))
                case Table() if _holds_statements(policy):
                    name = _scalar(f"{self._id}RolePolicy{len(inline)}", policy)
                    inline.append(_mapping(policy, {"PolicyName": name, "PolicyDocument": policy}))
                case Table() if function_name(policy) is not None:
                    arns.append(policy)
                # what is left are the model's own policy templates, of which none is about Chime
        trust = {"Action": "sts:AssumeRole", "Effect": "Allow"}
        statement = {name: _scalar(text, self._key) for name, text in trust.items()}
        principal = self._mapping({"Service": _scalar("lambda.amazonaws.com", self._key)})
        entries: dict[str, Node] = {
            "AssumeRolePolicyDocument": self._mapping(
                {"Statement": self._listing([self._mapping({**statement, "Principal": principal})])}
            ),
            "ManagedPolicyArns": self._listing(arns),
            "Policies": self._listing(inline),
        }
        if (boundary := self._given.get("PermissionsBoundary")) is not None:
            entries["PermissionsBoundary"] = boundary
        return self._mapping(entries)

    def _managed(self, name: Scalar) -> Node:
        """The ARN of a managed policy, of which the model also takes the name."""
        if name.text.startswith("arn:"):
            return name
        text = f"arn:${{AWS::Partition}}:iam::aws:policy/{name.text}"
        return _mapping(name, {"Fn::Sub": _scalar(text, name)})

    def _ref(self, id_: str) -> Table:
        return self._call("Ref", id_)

    def _call(self, name: str, *arguments: str) -> Table:
        texts = [_scalar(each, self._key) for each in arguments]
        return self._mapping({name: texts[0] if len(texts) == 1 else self._listing(texts)})

    def _mapping(self, entries: Mapping[str, Node]) -> Table:
        return _mapping(self._key, entries)

    def _listing(self, items: Sequence[Node]) -> Listing:
        return Listing(line=self._key.line, column=self._key.column, items=tuple(items))


def _merged(shared: Table, own: Table) -> Table:
    """A function's properties with those that all have: mappings merge, lists follow each other, others are replaced.

    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
    """
    if function_name(own) is not None:
        return own
    entries = {**shared.entries, **own.entries}
    for name in shared.entries.keys() & own.entries.keys():
        match shared.entries[name], own.entries[name]:
            case Table() as theirs, Table() as mine if function_name(theirs) is None:
                entries[name] = _merged(theirs, mine)
            case Listing() as theirs, Listing() as mine:
                entries[name] = replace(mine, items=(*theirs.items, *mine.items))
    return replace(own, entries=entries, keys=shared.keys | own.keys)


def _holds_statements(node: Node) -> bool:
    """Whether a value is a policy document, or a function that may give one."""
    if isinstance(node, Table) and "Statement" in node.entries:
        return True
    is_call = not isinstance(node, Table) or function_name(node) is not None
    return is_call and any(map(_holds_statements, parts(node)))


def _entry(node: Node, name: str) -> Node | None:
    return node.entries.get(name) if isinstance(node, Table) else None


def _table(node: Node, name: str) -> Table:
    inner = _entry(node, name)
    return inner if isinstance(inner, Table) else _NOTHING


def _text(node: Node, name: str) -> str:
    inner = _entry(node, name)
    return inner.text if isinstance(inner, Scalar) else ""


def _scalar(text: str, place: Node) -> Scalar:
    return Scalar(line=place.line, column=place.column, value=text, text=text, plain=False)


def _mapping(place: Node, entries: Mapping[str, Node]) -> Table:
    keys = {name: _scalar(name, place) for name in entries}
    return Table(line=place.line, column=place.column, entries=dict(entries), keys=keys)
