"""The resources of a template, by logical id."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping

from msgspec import Struct, structs

from scanner.declared import sdk_calls
from scanner.model.yamltree import Node, Scalar, Table

AWS = "AWS::"
CUSTOM = ("AWS::CloudFormation::CustomResource", "Custom::")
NOTHING = Table(line=1, column=1, entries={}, keys={})


class TemplateResource(Struct, frozen=True, kw_only=True):
    """A resource of a template.

    - `key`: the node of its logical id, or of the call by which it changes what it made.
    - `condition`: the name of its condition; "" if it is not a plain name, None without one.
    - `metadata`: chimeaudit's part of its metadata.
    - `init`: what an instance runs when it starts.
    - `asset`: the path of the file that the CDK uploads for it.
    - `sent`: what a custom resource makes through the AWS SDK, with the request.
    """

    id: str
    key: Scalar
    type: str
    properties: Table
    condition: str | None
    metadata: Node | None
    init: Node | None
    asset: Node | None
    sent: tuple[str, Table] | None = None


def resources(root: Table) -> Mapping[str, TemplateResource]:
    """The resources whose type is written out, in the template's order."""
    section = root.entries.get("Resources")
    if not isinstance(section, Table):
        return {}
    return {
        resource.id: resource
        for id_, node in section.entries.items()
        if isinstance(node, Table) and isinstance(node.entries.get("Type"), Scalar)
        for resource in _sending(_resource(id_, section.keys[id_], node))
    }


def _sending(resource: TemplateResource) -> Iterator[TemplateResource]:
    """The resource, with what it makes through the AWS SDK. An update that changes that is a resource of its own."""
    calls = sdk_calls.sent(resource.properties) if resource.type.startswith(CUSTOM) else iter(())
    kind, request, _ = next(calls, ("", NOTHING, None))
    yield structs.replace(resource, sent=(kind, request)) if kind else resource
    for kind, request, key in calls:
        yield structs.replace(resource, id=f"{resource.id}.{key.text}", key=key, sent=(kind, request))


def _resource(id_: str, key: Scalar, node: Table) -> TemplateResource:
    metadata = _table(node.entries.get("Metadata")).entries
    type_, properties, condition = (node.entries.get(name) for name in ("Type", "Properties", "Condition"))
    return TemplateResource(
        id=id_,
        key=key,
        type=type_.text if isinstance(type_, Scalar) else "",
        properties=_table(properties),
        condition=None if condition is None else condition.text if isinstance(condition, Scalar) else "",
        metadata=metadata.get("chimeaudit"),
        init=metadata.get("AWS::CloudFormation::Init"),
        asset=metadata.get("aws:asset:path"),
    )


def nested_template(resource: TemplateResource, file: str) -> str | None:
    """The path of a nested stack's template, which a template in a file names, if it is a local file; else None."""
    named = (resource.asset, *(resource.properties.entries.get(name) for name in ("TemplateURL", "Location")))
    path = next((each.text for each in named if isinstance(each, Scalar)), "")
    if not path or "://" in path or path.startswith("/"):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))


def _table(node: Node | None) -> Table:
    return node if isinstance(node, Table) else NOTHING
