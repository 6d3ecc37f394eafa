"""A blob on its way: how far it has come, over several answers and perhaps from several places."""

import re
from collections.abc import Iterator
from contextlib import closing

from holdfast.model.errors import SourceError
from holdfast.oci.registry.session import Session
from holdfast.transport.failure import Transient
from holdfast.transport.stream import chunks

_MOST_ANSWERS = 100  # of a server that cuts after each piece it sends
_FRUITLESS = 4
_CONTENT_RANGE = re.compile(r"bytes[ \t]+([0-9]{1,18})-[0-9]{1,18}/(?:[0-9]{1,18}|\*)", re.ASCII | re.IGNORECASE)


def first_byte(content_range: str) -> int:
    """Where the part begins that a Content-Range is about (RFC 9110 §14.4); -1 where it says no such thing."""
    stated = _CONTENT_RANGE.fullmatch(content_range.strip())
    return int(stated[1]) if stated else -1


class Transfer:
    """The state of one download of at most `size` bytes and one more, which shows that there are more."""

    def __init__(self, size: int, done: int = 0) -> None:
        self.done = done
        self._most = size + 1
        self._parts = True

    def pull(self, session: Session, path: str, scope: str) -> Iterator[bytes]:
        """What is still missing, from this session; a cut is mended by asking for the rest."""
        fruitless = 0
        for _ in range(_MOST_ANSWERS):
            before = self.done
            try:
                yield from self._answer(session, path, scope)
                return
            except Transient as failure:
                if self.done >= self._most - 1:  # all of it came, and no proper end
                    return
                fruitless = 0 if self.done > before else fruitless + (2 if failure.silent else 1)
                if fruitless >= _FRUITLESS:
                    raise failure.error from failure
                session.wait(fruitless, failure)
        raise SourceError(f"the transfer broke off {_MOST_ANSWERS} times", where=session.endpoint.host + path)

    def _answer(self, session: Session, path: str, scope: str) -> Iterator[bytes]:
        """One answer's part.

        A server that does not know ranges, or gets them wrong, sends everything again: what is at hand is skipped.
        """
        where = f"{session.endpoint.host}{path}"
        part = self.done > 0 and self._parts
        headers = {"Range": f"bytes={self.done}-"} if part else {}
        response = session.ask("GET", path, scope, headers, accepted=(200, 206, 416) if part else (200,))
        if response.status == 206 and first_byte(response.headers.get("Content-Range", "")) == self.done:
            skip = 0
        elif response.status == 200:
            skip = self.done
        else:
            response.close()
            self._parts = False
            raise Transient(SourceError("the server sent another part than asked for", where=where))
        # Closing the iterator, wherever this one is left, gives the connection up.
        with closing(chunks(response, where, session.deadline)) as pieces:
            for piece in pieces:
                fresh = piece[skip:][: self._most - self.done]
                skip = max(0, skip - len(piece))
                self.done += len(fresh)
                if fresh:
                    yield fresh
                if self.done == self._most:
                    return
        # A part need not be all that was asked for. And where only the end of the connection says that this was all, a
        # cut looks the same.
        unframed = not {"content-length", "transfer-encoding"} & {name.lower() for name in response.headers}
        if (unframed or response.status == 206) and self.done < self._most - 1:
            raise Transient(SourceError("the transfer ended early", where=where))
