"""The channels that a template makes. None can be given a channel flow there, so every one begins without.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-chime-channel.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
    """The channels of one template."""

    def __init__(self, resources: Mapping[str, TemplateResource], file: str, home: Home) -> None:
        self._channels = [each for each in resources.values() if each.type == _CHANNEL]
        self._file = file
        self._home = home

    def of(self, app_instance: AppInstance, arn: Text, view: View) -> AppInstance:
        """An app instance of the template with the channels that it has in a world."""
        return _with(app_instance, [each for each in self._channels if _owner(each, view) == arn])

    def together(self, index: View) -> Iterable[Sequence[TemplateResource]]:
        """The channels that may be made, those of an app instance together, as they are where nothing is given."""
        by_owner: dict[Text, list[TemplateResource]] = {}
        for each in self._channels:
            if index.made(each) is not False:
                by_owner.setdefault(_arn(each, index), []).append(each)
        return by_owner.values()

    def elsewhere(self, channels: Sequence[TemplateResource], view: View, own: Sequence[Text]) -> AppInstance | None:
        """The app instance that has these channels in a world; None if it has none or the template makes it."""
        made = [each for each in channels if _owner(each, view)]
        arn = _arn(made[0], view) if made else ()
        return None if not arn or arn in own else _with(self._app_instance(arn, made[0]), made)

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


def _owner(channel: TemplateResource, view: View) -> Text:
    """The ARN of the app instance of a channel that is surely made in a world; () if it is not."""
    return _arn(channel, view) if view.made(channel) is True else ()


def _arn(channel: TemplateResource, view: View) -> Text:
    return view.resolver.text(channel.properties.entries.get("AppInstanceArn")) or ()


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
