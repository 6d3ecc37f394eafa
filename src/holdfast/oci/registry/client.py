"""The distribution API of one registry (opencontainers/distribution-spec v1.1): manifests, blobs, lists.

What comes is checked against the digest it was asked by before anybody sees it; blobs flow, and are checked by whoever
reads them to their end.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from msgspec import Struct

from holdfast.model.artifact import is_digest, parse_digest
from holdfast.model.errors import HoldfastError, NotFound, SourceError
from holdfast.oci.budget import IMAGE_BUDGET
from holdfast.oci.integrity import Mismatch, Mismatched, digest_of
from holdfast.oci.manifest import INDEX_TYPES, MANIFEST_TYPES, parse_document
from holdfast.oci.registry.blob import Transfer
from holdfast.oci.registry.pages import LeftOut, names
from holdfast.oci.registry.session import Session

ACCEPT = ", ".join((*INDEX_TYPES, *MANIFEST_TYPES))
_DIGEST = "Docker-Content-Digest"
_REST_SECONDS = 60.0  # for which a mirror that failed is left alone
_T = TypeVar("_T")


class Fetched(Struct, frozen=True):
    """A manifest or index as the registry sent it, held to its digest.

    What it is, is what it says itself: the registry's Content-Type is no part of what the digest covers.
    """

    data: bytes
    digest: str
    media_type: str


class Registry:
    """A registry and its mirrors, which are asked first; what one cannot give, the next is asked for.

    Every method raises SourceError (AuthError, NotFound), LimitError, Mismatched where the bytes are not those that
    were asked for, or InputError where they are something else altogether.
    """

    def __init__(self, name: str, sessions: Sequence[Session]) -> None:
        self.name = name
        self._sessions = tuple(sessions)
        self._resting: dict[Session, float] = {}

    @property
    def own(self) -> Session:
        """The registry itself, without its mirrors."""
        return self._sessions[-1]

    def digest(self, repository: str, tag: str) -> str:
        """The digest that a tag has now, by a request without content; empty where the registry does not say."""

        def head(session: Session) -> str:
            path, scope = _manifest_path(session, repository, tag)

            def attempt() -> str:
                response = session.ask("HEAD", path, scope, {"Accept": ACCEPT}, accepted=(200, 405, 501))
                stated = response.headers.get(_DIGEST, "")
                response.drain_conn()  # what is not read to its end is no connection to go on with
                response.release_conn()
                return stated if response.status == 200 else ""

            return _if_digest(session.again(attempt))

        return self._first(head)

    def manifest(self, repository: str, selector: str) -> Fetched:
        """The manifest or index with a tag or digest."""

        def fetch(session: Session) -> Fetched:
            path, scope = _manifest_path(session, repository, selector)
            data, headers = session.read(path, scope, IMAGE_BUDGET.document_bytes, {"Accept": ACCEPT})
            asked = selector if ":" in selector else ""
            stated = asked or _if_digest(headers.get(_DIGEST, ""))
            digest = digest_of(data, stated)
            if stated and digest != stated:
                raise Mismatched(Mismatch("manifest digest", stated, digest), where=f"{session.endpoint.host}{path}")
            document = parse_document(data, f"{session.endpoint.host}{path}")
            kind = INDEX_TYPES if document.manifests is not None else MANIFEST_TYPES
            return Fetched(data, digest, document.media_type or kind[0])

        return self._first(fetch)

    def document(self, repository: str, digest: str, limit: int) -> bytes:
        """A small blob (a configuration, a statement) whole, held to its digest."""

        def fetch(session: Session) -> bytes:
            path, scope = _blob_path(session, repository, digest)
            data, _ = session.read(path, scope, limit)
            if (actual := digest_of(data, digest)) != digest:
                where = f"{session.endpoint.host}{path}"
                raise Mismatched(Mismatch("configuration digest", digest, actual), where=where)
            return data

        return self._first(fetch)

    def size(self, repository: str, digest: str) -> int:
        """The length of a blob in bytes, as the registry states it; NotFound where it is not there.

        SourceError where it does not say.
        """

        def head(session: Session) -> int:
            path, scope = _blob_path(session, repository, digest)

            def attempt() -> int:
                response = session.ask("HEAD", path, scope)
                length = response.headers.get("Content-Length", "")
                response.drain_conn()
                response.release_conn()
                if not (length.isascii() and length.isdigit() and len(length) < 16):
                    raise SourceError("the registry does not say how long it is", where=session.endpoint.host + path)
                return int(length)

            return session.again(attempt)

        return self._first(head)

    def blob(self, repository: str, digest: str, size: int, *, start: int = 0, mirrors: bool = True) -> Iterator[bytes]:
        """A blob piece by piece from its byte `start`, resumed where it breaks off, perhaps elsewhere.

        It is of at most `size` bytes and one more, and nobody has compared it with its digest when it has come.
        Without `mirrors` the registry itself is asked.
        """
        transfer = Transfer(size, start)
        for session in (*(self._mirrors() if mirrors else ()), self.own):
            path, scope = _blob_path(session, repository, digest)
            try:
                yield from transfer.pull(session, path, scope)
                return
            except HoldfastError as error:
                if session is self.own:
                    raise
                self._judge(session, error)

    def tags(self, repository: str, left_out: LeftOut = lambda _name: None) -> Iterator[str]:
        """The tags of a repository, from the registry itself; names that can be no tags are `left_out`."""
        return names(self.own, f"/v2/{repository}/tags/list", _pull(repository), "tags", left_out)

    def catalog(self, left_out: LeftOut = lambda _name: None) -> Iterator[str]:
        """The repositories of the registry; AuthError or NotFound where it has no catalog for us."""
        return names(self.own, "/v2/_catalog", "registry:catalog:*", "repositories", left_out)

    def _first(self, do: Callable[[Session], _T]) -> _T:
        """What the first session gives that can. What a mirror does wrong is no news while the registry does right."""
        for session in self._mirrors():
            try:
                return do(session)
            except HoldfastError as error:
                self._judge(session, error)
        try:
            return do(self.own)
        except Mismatched:
            # It may have been damaged on its way only: it is fetched once more before anybody is accused.
            return do(self.own)

    def _mirrors(self) -> list[Session]:
        """The mirrors that did not fail a moment ago."""
        now = time.monotonic()
        return [session for session in self._sessions[:-1] if self._resting.get(session, 0.0) <= now]

    def _judge(self, mirror: Session, error: HoldfastError) -> None:
        """Do without a mirror that fails or lies for a while. That it does not have something is its right."""
        if not isinstance(error, NotFound):
            self._resting[mirror] = time.monotonic() + _REST_SECONDS


def _manifest_path(session: Session, repository: str, selector: str) -> tuple[str, str]:
    name = session.endpoint.repository(repository)
    return f"/v2/{name}/manifests/{selector}", _pull(name)


def _blob_path(session: Session, repository: str, digest: str) -> tuple[str, str]:
    name = session.endpoint.repository(repository)
    return f"/v2/{name}/blobs/{parse_digest(digest)}", _pull(name)


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _if_digest(text: str) -> str:
    return text.strip() if is_digest(text.strip()) else ""
