"""Makes a call, or reads a listing to its end, page by page, and notices when it has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

from botocore import xform_name

from scanner.collect.failure import EndlessPagesError, calling

_CHIME_PAGE_SIZE = 50  # the most that Chime gives; the other services give their most without being asked
_BARREN_PAGES = 50


class Item(Protocol):
    """What a list holds; `arn` tells one from another."""

    @property
    def arn(self) -> str: ...


AnyItem_co = TypeVar("AnyItem_co", bound=Item, covariant=True)


class Page(Protocol[AnyItem_co]):
    @property
    def NextToken(self) -> str | None: ...  # noqa: N802 - AWS's own spelling
    @property
    def items(self) -> tuple[AnyItem_co, ...]: ...


def ask(client: Any, operation: str, **params: Any) -> Any:
    """One call; what `wire` decodes comes as its struct, anything else as botocore's dictionary.

    Raises:
        FailedCallError: there was no answer.
    """
    with calling(client.meta.service_model.service_name, operation):
        answer = getattr(client, xform_name(operation))(**params)
    return answer.get("Decoded", answer)


def new_items(client: Any, page_type: type[Page[AnyItem_co]], **params: str) -> Iterator[list[AnyItem_co]]:
    """The items of each page, without those that an earlier page already held.

    A list that changes while it is read repeats items; that is no reason to judge them twice. The operation is the one
    that `page_type` is named after.

    Raises:
        FailedCallError: a page could not be read, or the pages do not end.
    """
    seen: set[str] = set()
    barren = 0
    pages = _pages(client, page_type, params)
    while True:
        with calling(client.meta.service_model.service_name, page_type.__name__):
            page = next(pages, None)
            if page is None:
                return
            items = {item.arn: item for item in page.items if item.arn not in seen}
            barren = 0 if items else barren + 1
            if barren > _BARREN_PAGES:
                raise EndlessPagesError
        seen.update(items)
        yield list(items.values())


def _pages(client: Any, page_type: type[Page[AnyItem_co]], params: dict[str, str]) -> Iterator[Page[AnyItem_co]]:
    paginator = client.get_paginator(xform_name(page_type.__name__))
    size = _CHIME_PAGE_SIZE if client.meta.service_model.signing_name == "chime" else None
    tokens: set[str] = set()
    for answer in paginator.paginate(PaginationConfig={"PageSize": size}, **params):
        page: Page[AnyItem_co] = answer["Decoded"]
        yield page
        if page.NextToken in tokens:
            raise EndlessPagesError
        if page.NextToken:
            tokens.add(page.NextToken)
