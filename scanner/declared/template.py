"""The channel flows and app instances that a CloudFormation template, also one of the CDK, will make.

`kinds` recognises the resources that make them, and `views` reads them, each in all `worlds`. `unread` finds other
parts that may make flows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from itertools import chain
from typing import TypeVar

from msgspec import UnsetType, structs

from scanner.declared import parameters
from scanner.declared.callers import referred_to
from scanner.declared.channels import TemplateChannels
from scanner.declared.documents import parts
from scanner.declared.holes import Pending
from scanner.declared.kinds import APP_INSTANCE, CHANNEL_FLOW, kind
from scanner.declared.parameters import Values
from scanner.declared.requests import Home
from scanner.declared.template_resources import NOTHING, TemplateResource, resources
from scanner.declared.unread import Unreads
from scanner.declared.views import Source, View
from scanner.declared.worlds import MOST, Impossible, World, explore
from scanner.errors import Mistake
from scanner.language.vocabulary import AppInstance
from scanner.model.branches import Case, Cases, Given, Limit
from scanner.model.cases import cases_in_words
from scanner.model.facts import ChannelFlow, Role
from scanner.model.metadata import Declaration
from scanner.model.yamltree import Mistakes, Node, Table
from scanner.policy import LEFT_OUT, LeftOut

_MOST_VIEWS = 2 * MOST
_MOST_VALUES = 200_000
"""How many values of a resource are read in all its worlds together."""
_UNCLEAR = ""
"""In place of a logical id: an app instance that may be one of the template's or another."""

Group = tuple[Cases[AppInstance] | None, Iterator[Cases[ChannelFlow]]]
"""An app instance with its flows; or None with the flows of app instances that the template does not make."""
Seen = TypeVar("Seen")
Declared = TypeVar("Declared", ChannelFlow, AppInstance, Role)


class Template:
    """One template, to be deployed at `home`."""

    def __init__(self, root: Table, file: str, home: Home, mistakes: Mistakes) -> None:
        self._root = root
        self._file = file
        self._mistakes = mistakes
        declared = parameters.declared(root)
        values = home.values
        if home.elsewhere is not None and declared and not values.sets:
            values = structs.replace(values, sets=home.elsewhere.sets(file))
        self.parameters = frozenset(declared)
        self._resources = resources(root)
        self._kinds: dict[str, str | None] = {}
        self._source = Source(
            root=root,
            file=file,
            home=home,
            resources=self._resources,
            kinds=self._kinds,
            mistakes=mistakes,
        )
        self._world = World(parameters=declared, values=values, varied=_varied(root, values))
        self._index = View(self._source, self._world)
        self._kinds |= {id_: kind(each, self._index.resolver) for id_, each in self._resources.items()}
        self._channels = TemplateChannels(self._resources, file, home)
        self._views: dict[frozenset[tuple[str, Limit]], View] = {}
        self._defaults: set[str] = set()
        self._missed: dict[str, None] = {}
        self.unread = Unreads(root, file, self._resources, self._kinds, self._index.resolver)
        parameters.check(declared, values, mistakes)

    @property
    def metadata(self) -> list[tuple[str, Node]]:
        """The value under `chimeaudit` in the metadata of resources, each with the key of its resource."""
        declared = ((f"{self._file}#{id_}", resource.metadata) for id_, resource in self._resources.items())
        return [(key, node) for key, node in declared if node is not None]

    def notes(self) -> Iterator[str]:
        """Sentences on what was not followed; they are whole once all groups were read."""
        yield from self.unread.notes
        missed = [*self._missed]
        if self._defaults:
            missed.append(
                f"other values of {', '.join(sorted(self._defaults))} than the defaults; --parameter gives them"
            )
        yield from (f"{self._file}: {each}." for each in missed)

    def groups(self) -> Iterator[Group]:
        """The app instances and flows that the template makes, each in every world that can occur."""
        flows: dict[str | None, list[TemplateResource]] = {}
        for flow in self._of_kind(CHANNEL_FLOW):
            if owners := self._owners[flow.id]:
                flows.setdefault(owners[0], []).append(flow)
            else:
                self._missed[f"{flow.id}, which is not made; its condition {flow.condition} never holds"] = None
        for app_instance in self._of_kind(APP_INSTANCE):
            own = flows.pop(app_instance.id, [])
            cases = self._app_instance(app_instance)
            if any(case.resource is not None for case in cases):
                yield cases, self._read(own)
            else:
                flows.setdefault(None, []).extend(own)
        yield None, self._read(chain.from_iterable(flows.values()))
        yield from ((cases, iter(())) for cases in self._of_channels())

    def _of_channels(self) -> Iterator[Cases[AppInstance]]:
        """The app instances that the template gives channels, but does not make."""
        own = [each.id for each in self._of_kind(APP_INSTANCE)]
        for channels in self._channels.together(self._index):

            def seen(
                view: View, _: TemplateResource, channels: Sequence[TemplateResource] = channels
            ) -> AppInstance | None:
                return self._channels.elsewhere(channels, view, [view.arn(id_) for id_ in own])

            worlds = self._worlds(channels[0], seen)
            if any(each is not None for _, each in worlds):
                yield self._noted(tuple(Case(given=given, resource=each) for given, each in worlds))

    def roles(self) -> Iterator[Cases[Role] | Role | LeftOut]:
        """The roles that signed-in users are given, in every world; LEFT_OUT for each that is not judged."""
        for role in self._index.functions.roles.all():
            worlds = self._worlds(role, _chat_role)
            roles = ((given, each if isinstance(each, Role) else None) for given, each in worlds)
            cases = tuple(Case(given=given, resource=each) for given, each in roles)
            if any(case.resource is not None for case in cases):
                yield self._noted(cases)
            elif any(each is LEFT_OUT for _, each in worlds):
                yield LEFT_OUT
        yield from self._index.chat_roles.elsewhere()

    def _of_kind(self, wanted: str) -> list[TemplateResource]:
        return [resource for id_, resource in self._resources.items() if self._kinds[id_] == wanted]

    @cached_property
    def _owners(self) -> Mapping[str, tuple[str | None, ...]]:
        """The app instances of each flow, by logical ids, or None for one from elsewhere; () if it is never made."""
        return {
            flow.id: tuple(dict.fromkeys(owner for _, each in self._worlds(flow, self._owner) for owner in each))
            for flow in self._of_kind(CHANNEL_FLOW)
        }

    def _owner(self, view: View, flow: TemplateResource) -> list[str | None]:
        """The app instance of a flow in a world, _UNCLEAR if it may be any; empty if the flow is not made."""
        if view.made(flow) is False:
            return []
        arn = view.named(flow, "AppInstanceArn")
        owner = view.owner(arn)
        return [_UNCLEAR if owner is None and isinstance(arn, Pending) else owner]

    def _read(self, flows: Iterable[TemplateResource]) -> Iterator[Cases[ChannelFlow]]:
        for flow in flows:
            cases = self._flow(flow)
            if any(case.resource is not None for case in cases):
                yield cases
            else:
                self._missed[f"{flow.id}, with which no parameters can be deployed"] = None

    def _flow(self, flow: TemplateResource) -> Cases[ChannelFlow]:
        return self._cases(flow, lambda view: view.flow(flow))

    def _app_instance(self, app_instance: TemplateResource) -> Cases[AppInstance]:
        flows = [each for each in self._of_kind(CHANNEL_FLOW) if app_instance.id in self._owners[each.id]]
        unclear = [each for each in self._of_kind(CHANNEL_FLOW) if _UNCLEAR in self._owners[each.id]]
        others = bool(self.unread.found) or app_instance.id in self._handed_on

        def facts(view: View) -> AppInstance:
            made = {each.id: view.made(each) for each in flows}
            own = [each for each in flows if made[each.id] is not False and app_instance.id in self._owner(view, each)]
            unsure = any(made[each.id] is not True and each.condition != app_instance.condition for each in own)
            may_be = any(_UNCLEAR in self._owner(view, each) for each in unclear)
            seen = view.app_instance(app_instance, own, may_have_others=others or unsure or may_be)
            return self._channels.of(seen, view.arn(app_instance.id), view)

        return self._cases(app_instance, facts)

    def _cases(self, resource: TemplateResource, facts: Callable[[View], Declared]) -> Cases[Declared]:
        def seen(view: View, resource: TemplateResource) -> Declared | None:
            return None if view.made(resource) is False else facts(view)

        return self._noted(tuple(Case(given=given, resource=each) for given, each in self._worlds(resource, seen)))

    def _noted(self, cases: Cases[Declared]) -> Cases[Declared]:
        """The cases, with the defaults noted on which they rest."""
        for case in cases:
            declared = case.resource and case.resource.declared
            if isinstance(declared, Declaration):
                self._defaults.update(*declared.by_default.values())
        return cases

    def _worlds(
        self, resource: TemplateResource, see: Callable[[View, TemplateResource], Seen]
    ) -> list[tuple[Given, Seen]]:
        """What is seen of a resource in each world; where these are too many or none, as if nothing were given.

        A mistake that is not in all worlds says in which it is.
        """
        found: list[tuple[Given, Seen, Sequence[Mistake]]] = []
        rest: list[Given] = []
        most = cache(lambda: max(1, min(MOST, _MOST_VALUES // _size(self._source.request(resource)))))
        for given, seen in explore(lambda given: self._noting(lambda: self._look(given, resource, see)), most):
            if isinstance(seen, UnsetType):
                rest.append(given)
            else:
                found.append((given, *seen))
        if rest:
            missed = f"all combinations of parameters that {resource.id} hangs on; there are more than {most()}"
            self._missed[missed] = None
        if rest or not found:
            seen = self._noting(lambda: see(self._index, resource))
            found += ((given, *seen) for given in rest or ({},))
        self._tell([(given, mistakes) for given, _, mistakes in found])
        return [(given, seen) for given, seen, _ in found]

    def _look(self, given: Given, resource: TemplateResource, see: Callable[[View, TemplateResource], Seen]) -> Seen:
        view = self._view(given)
        seen = see(view, resource)
        if view.resolver.is_refused:
            raise Impossible
        return seen

    def _noting(self, see: Callable[[], Seen]) -> tuple[Seen, Sequence[Mistake]]:
        """What is seen, and the mistakes that are found meanwhile."""
        before, self._mistakes.found = self._mistakes.found, [*self._mistakes.found]
        try:
            return see(), tuple(dict.fromkeys(self._mistakes.found[len(before) :]))
        finally:
            self._mistakes.found = before

    def _tell(self, found: Sequence[tuple[Given, Sequence[Mistake]]]) -> None:
        """Add the mistakes that were found in each world, each once, with the worlds that have it."""
        worlds: dict[Mistake, list[int]] = {}
        for number, (_, mistakes) in enumerate(found):
            for mistake in mistakes:
                worlds.setdefault(mistake, []).append(number)
        alike: dict[tuple[int, ...], list[Mistake]] = {}
        for mistake, numbers in worlds.items():
            alike.setdefault(tuple(numbers), []).append(mistake)
        every = [given for given, _ in found]
        told = dict.fromkeys(self._mistakes.found)
        for numbers_alike, mistakes in alike.items():
            words = cases_in_words([every[number] for number in numbers_alike], every)
            told |= dict.fromkeys(replace(each, message=f"{each.message}{words}") for each in mistakes)
        self._mistakes.found[:] = told

    def _view(self, given: Given) -> View:
        key = frozenset(given.items())
        if key not in self._views:
            if len(self._views) == _MOST_VIEWS:
                self._views.clear()
            self._views[key] = View(self._source, structs.replace(self._world, given=given), self._index)
        return self._views[key]

    @cached_property
    def _handed_on(self) -> frozenset[str]:
        """The logical ids that outputs and SSM parameters, which other stacks can read, may refer to."""
        stored = [each.properties for each in self._resources.values() if each.type == "AWS::SSM::Parameter"]
        return frozenset(chain.from_iterable(map(referred_to, (self._root.entries.get("Outputs", NOTHING), *stored))))


def _chat_role(view: View, role: TemplateResource) -> Role | LeftOut | None:
    return None if view.made(role) is False else view.chat_roles.role(role)


def _size(node: Node) -> int:
    """How many values a value holds, itself among them."""
    return 1 + sum(map(_size, parts(node)))


def _varied(root: Table, values: Values) -> frozenset[str]:
    """The parameters that conditions, keys of maps or sets of parameters name."""
    named = referred_to(root.entries.get("Conditions", NOTHING))
    keys = _keys_of_maps(root) if "Mappings" in root.entries else ()
    return frozenset(chain(named, keys, *((*each.values, *each.texts) for each in values.sets)))


def _keys_of_maps(node: Node) -> Iterator[str]:
    """The logical ids in the arguments of Fn::FindInMap, at any depth."""
    if isinstance(node, Table) and (argument := node.entries.get("Fn::FindInMap")) is not None:
        yield from referred_to(argument)
    for each in parts(node):
        yield from _keys_of_maps(each)
