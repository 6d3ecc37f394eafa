"""Lists that come in pages: tags and repositories (distribution-spec, content discovery; RFC 8288 for the links)."""

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import Struct

from holdfast.model.errors import AuthError, LimitError, NotFound, SourceError
from holdfast.oci.reference import is_repository, is_tag
from holdfast.oci.registry.session import Session
from holdfast.transport.failure import Transient

PAGE_BYTES = 16 << 20
PAGE_NAMES = 1000
MOST_NAMES = 500_000
MOST_PAGES = 20_000
_NEXT = re.compile(r"<([^<>]{1,4096})>\s*;[^,<]*\brel\s*=\s*\"?next\b", re.IGNORECASE)
_FRUITLESS = 3

LeftOut = Callable[[str], None]
"""Told each name that cannot be one: whoever wrote it may have meant it to lead elsewhere."""


class _Page(Struct):
    tags: list[str] | None = None
    repositories: list[str] | None = None


def pages(session: Session, path: str, scope: str, headers: Mapping[str, str] = {}) -> Iterator[bytes]:
    """Each page of a list. LimitError for pages without end, SourceError where a link leads to another server."""
    seen: set[str] = set()
    while path:
        if path in seen or len(seen) == MOST_PAGES:
            raise LimitError("its pages never end", where=f"{session.endpoint.host}{path}"[:200])
        seen.add(path)
        data, answered = _page(session, path, scope, headers)
        yield data
        following = _NEXT.search(answered.get("Link", "")[:8192])
        path = _same_server(session, path, following[1]) if following else ""


def names(session: Session, path: str, scope: str, member: str, left_out: LeftOut) -> Iterator[str]:
    """The names in a list, each once; `member` is `tags` or `repositories`. What can be no such name is `left_out`."""
    valid: Callable[[str], bool] = is_tag if member == "tags" else is_repository
    seen: set[str] = set()
    fruitless = 0
    for data in pages(session, f"{path}?n={PAGE_NAMES}", scope):
        before = len(seen)
        for name in _listed(data, member, f"{session.endpoint.host}{path}"):
            if not valid(name):
                left_out(name)
            elif name not in seen:
                if len(seen) == MOST_NAMES:
                    raise LimitError(f"lists more than {MOST_NAMES:,} {member}", where=session.endpoint.host)
                seen.add(name)
                yield name
        fruitless = 0 if len(seen) > before else fruitless + 1
        if fruitless == _FRUITLESS:
            raise LimitError("its pages bring nothing new, and never end", where=f"{session.endpoint.host}{path}")


def _page(session: Session, path: str, scope: str, headers: Mapping[str, str]) -> tuple[bytes, Mapping[str, str]]:
    try:
        return session.read(path, scope, PAGE_BYTES, headers)
    except (AuthError, NotFound):
        raise
    except SourceError as error:
        bare = path.removesuffix(f"?n={PAGE_NAMES}")
        if bare == path or isinstance(error.__cause__, Transient):
            raise
        return session.read(bare, scope, PAGE_BYTES, headers)  # docker-registry refuses more than its own maximum


def _listed(data: bytes, member: str, where: str) -> list[str]:
    try:
        page = msgspec.json.decode(data, type=_Page)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise SourceError(f"not a list of {member}: {str(error)[:120]}", where=where) from error
    return (page.tags if member == "tags" else page.repositories) or []


def _same_server(session: Session, path: str, link: str) -> str:
    """The path that a link leads to.

    Behind a proxy a registry may not know the scheme that it is reached by, so only path and query are taken.
    """
    base = session.base
    try:
        target = urlsplit(urljoin(f"{base.url.rstrip('/')}{path}", link))
        elsewhere = ((target.hostname or "").lower(), target.port) != (base.host, base.port)
    except ValueError:
        elsewhere = True
    odd = any(not 0x20 < ord(character) < 0x7F for character in link)
    if elsewhere or odd or not target.path.startswith("/v2/"):
        raise SourceError("its next page is on another server", where=f"{session.endpoint.host}{path}"[:200])
    return f"{target.path}?{target.query}" if target.query else target.path
