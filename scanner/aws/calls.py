"""Makes single calls, and reads listings page by page; a listing that never ends is a failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from botocore import xform_name
from msgspec import Struct

from scanner.aws import ownership
from scanner.aws.failure import (
    EndlessPagesError,
    FailedCallError,
    MalformedAnswerError,
    OtherAccountError,
    TooManyItemsError,
    calling,
)

_CHIME_PAGE_SIZE = 50  # Chime's maximum; other services use their maximum by default
_BARREN_PAGES = 50
_IAM_PAGES = 2_000  # of 100 items; no account has so many roles and policies


class Item(Protocol):
    """An item of a listing; items have different ARNs."""

    @property
    def arn(self) -> str: ...


AnyItem_co = TypeVar("AnyItem_co", bound=Item, covariant=True)


class Seen(Protocol):
    """The items of a listing so far."""

    def new(self, page: Sequence[AnyItem_co]) -> tuple[list[AnyItem_co], MalformedAnswerError | None]:
        """The items of a page that are new, and an error if an item differs from an earlier one of the same ARN."""
        ...


class Page(Protocol[AnyItem_co]):
    @property
    def NextToken(self) -> str | None: ...  # noqa: N802 - AWS's own spelling
    @property
    def items(self) -> tuple[AnyItem_co, ...]: ...


def ask(client: Any, operation: str, **params: Any) -> Any:
    """Call an operation. Operations that `wire` knows give one of its structs, others botocore's dictionary.

    Raises:
        FailedCallError: the call failed.
    """
    with calling(client.meta.service_model.service_name, operation):
        answer = getattr(client, xform_name(operation))(**params)
    return answer.get("Decoded", answer)


class Paging(Struct, frozen=True, kw_only=True):
    """How a listing is read page by page.

    `seen` keeps its items. A listing that goes on after `most` items is a failure. `before_page` is called before each
    page is requested.
    """

    seen: Seen
    most: int | None = None
    before_page: Callable[[], None] = lambda: None


def new_items(
    client: Any,
    page_type: type[Page[AnyItem_co]],
    *,
    under: str = "",
    paging: Paging | None = None,
    **params: str,
) -> Iterator[list[AnyItem_co]]:
    """The new items of each page of a listing, whose operation has the name of `page_type`.

    Items whose ARN does not begin with `under` are dropped, and so are items of earlier pages: a list that changes
    while it is read may repeat items.

    Raises:
        FailedCallError: a page could not be read, the pages never end, or there are too many items. Also after the last
            page, if an item was dropped since it is not under `under`, or if two different items have the same ARN.
    """
    paging = paging or Paging(seen=_SeenInMemory())
    barren = found = 0
    wrong: MalformedAnswerError | OtherAccountError | None = None
    size = _CHIME_PAGE_SIZE if client.meta.service_model.signing_name == "chime" else None
    pages = _pages(client, page_type, params, size=size, before_page=paging.before_page)
    while True:
        with calling(client.meta.service_model.service_name, page_type.__name__):
            page = next(pages, None)
            if page is None:
                if wrong:
                    raise wrong
                return
            foreign = _foreign(page.items, under)
            ours = [item for item in page.items if item.arn.startswith(under)] if foreign else page.items
            wrong = wrong or foreign
            items, twin = paging.seen.new(ours)
            wrong = wrong or twin
            barren = 0 if items else barren + 1
            if barren > _BARREN_PAGES:
                raise wrong or EndlessPagesError
        yield items
        found += len(items)
        if paging.most is not None and found >= paging.most and page.NextToken:
            too_many = TooManyItemsError(found)
            raise FailedCallError(client.meta.service_model.service_name, page_type.__name__, too_many)


def first_items(client: Any, page_type: type[Page[AnyItem_co]], **params: str) -> tuple[AnyItem_co, ...]:
    """The items of the first page that has any, of which one is asked for: an empty page may not be the last one.

    Raises:
        FailedCallError: a page could not be read, or empty pages never end.
    """
    with calling(client.meta.service_model.service_name, page_type.__name__):
        for barren, page in enumerate(_pages(client, page_type, params, size=1)):
            if page.items:
                return page.items
            if barren == _BARREN_PAGES and page.NextToken:
                raise EndlessPagesError
    return ()


def _foreign(items: tuple[Item, ...], under: str) -> MalformedAnswerError | OtherAccountError | None:
    try:
        for item in items:
            ownership.check_prefix(item.arn, under)
    except (MalformedAnswerError, OtherAccountError) as error:
        return error
    return None


class _SeenInMemory:
    """The items of a listing so far: a hash of each by ARN, and the last page itself, which is often the only one."""

    def __init__(self) -> None:
        self._hashes: dict[str, int] = {}
        self._last: dict[str, Any] = {}

    def new(self, page: Sequence[AnyItem_co]) -> tuple[list[AnyItem_co], MalformedAnswerError | None]:
        """The items of a page that are new, and an error if an item differs from an earlier one of the same ARN."""
        self._hashes.update((arn, hash(item)) for arn, item in self._last.items())
        items = {item.arn: item for item in page if item.arn not in self._hashes}
        self._last = items
        changed = len(items) < len(page) and any(
            hash(item) != self._hashes.get(item.arn, hash(items.get(item.arn))) for item in page
        )
        message = "the answer is malformed: two things that differ have one ARN"
        return list(items.values()), MalformedAnswerError(message) if changed else None


def _pages(
    client: Any,
    page_type: type[Page[AnyItem_co]],
    params: dict[str, str],
    *,
    size: int | None,
    before_page: Callable[[], None] = lambda: None,
) -> Iterator[Page[AnyItem_co]]:
    paginator = client.get_paginator(xform_name(page_type.__name__))
    answers = iter(paginator.paginate(PaginationConfig={"PageSize": size}, **params))
    tokens: set[int] = set()  # their hashes: a long listing has many tokens, and they are long
    while True:
        before_page()
        page: Page[AnyItem_co] = next(answers)["Decoded"]
        yield page
        if not page.NextToken:
            return
        token = hash(page.NextToken)
        if token in tokens:
            raise EndlessPagesError
        tokens.add(token)


def iam_pages(
    client: Any, operation: str, before_page: Callable[[], None] = lambda: None, **params: Any
) -> Iterator[dict[str, Any]]:
    """The pages of an IAM listing; `before_page` is called before each is requested.

    Raises:
        FailedCallError: a page could not be read, does not say whether and how to go on, or the pages never end.
    """
    markers: set[str] = set()
    position: dict[str, str] = {}
    while True:
        before_page()
        page: dict[str, Any] = ask(client, operation, **params, **position)
        is_last = not iam_member(page, operation, "IsTruncated")
        marker = page.get("Marker")
        with calling("iam", operation):
            if is_last is bool(marker):
                raise MalformedAnswerError(
                    "the answer is malformed: more is to follow, but it does not say so or where"
                )
            if marker in markers or len(markers) >= _IAM_PAGES:
                raise EndlessPagesError
        yield page
        if not marker:
            return
        markers.add(marker)
        position = {"Marker": marker}


def iam_items(client: Any, operation: str, member: str, **params: Any) -> Iterator[Any]:
    """The items of an IAM listing under `member`, once all pages were read.

    Raises:
        FailedCallError: a page could not be read, has no such member, or the pages never end.
    """
    for page in list(iam_pages(client, operation, **params)):
        yield from iam_member(page, operation, member)


def iam_member(answer: dict[str, Any], operation: str, name: str) -> Any:
    """A member that IAM always sends. If the body is broken, botocore gives an answer without it.

    Raises:
        FailedCallError: the answer has no such member.
    """
    with calling("iam", operation):
        if name not in answer:
            raise MalformedAnswerError(f"the answer is malformed: it has no {name}")
    return answer[name]
