"""The channels that a template makes. None can be given a channel flow there, so every one begins without.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-chime-channel.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from scanner.declared.holes import Text, known, split
from scanner.declared.requests import Facts, Home, owner_home
from scanner.declared.template_resources import TemplateResource
from scanner.declared.views import View
from scanner.language.vocabulary import AppInstance
from scanner.model.facts import Channels
from scanner.model.metadata import Declaration, Spot, aws_only, facets_of
from scanner.model.yamltree import Mistakes

_EXAMPLES = 20
_CHANNEL = "AWS::Chime::Channel"


class TemplateChannels:
    """The channels of one template, as they are where no parameter is given."""

    def __init__(self, resources: Mapping[str, TemplateResource], view: View, file: str, home: Home) -> None:
        self._view = view
        self._file = file
        self._home = home
        self._by_owner: dict[Text, list[TemplateResource]] = {}
        for each in resources.values():
            if each.type == _CHANNEL and view.made(each) is True:
                arn = view.resolver.text(each.properties.entries.get("AppInstanceArn"))
                self._by_owner.setdefault(arn or (), []).append(each)

    def of(self, app_instance: AppInstance, arn: Text) -> AppInstance:
        """An app instance of the template with its channels."""
        return _with(app_instance, self._by_owner.get(arn, ()))

    def elsewhere(self, own: Sequence[Text]) -> Iterator[AppInstance]:
        """The app instances that the template gives channels, but does not make."""
        for arn, channels in self._by_owner.items():
            if arn and arn not in own:
                yield _with(self._app_instance(arn, channels[0]), channels)

    def _app_instance(self, arn: Text, channel: TemplateResource) -> AppInstance:
        facts = Facts(file=self._file, id=known(arn) or channel.id, mistakes=Mistakes(self._file))
        facts.untold |= {"name", "flows", *aws_only(AppInstance), *facets_of(AppInstance)}
        facts.at("", channel.key)
        home = owner_home(arn, self._home)
        return AppInstance(
            arn=facts.not_yet("arn", arn),
            id=facts.not_yet("id", split(arn, "/")[-1]),
            account_id=facts.not_yet("account_id", home.account_id),
            region=facts.not_yet("region", home.region),
            partition=facts.not_yet("partition", home.partition),
            declared=facts.declaration,
        )


def _with(app_instance: AppInstance, channels: Sequence[TemplateResource]) -> AppInstance:
    declared = app_instance.declared
    if not channels or not isinstance(declared, Declaration):
        return app_instance
    first = channels[0].key
    return structs.replace(
        app_instance,
        channels=Channels(
            unprocessed_at_least=len(channels),
            unprocessed_examples=tuple(each.id for each in channels[:_EXAMPLES]),
            seen_as="its template declares it",
        ),
        declared=structs.replace(
            declared,
            spots={**declared.spots, "channels": Spot(line=first.line, column=first.column)},
            untold=declared.untold - {"channels"},
        ),
    )
