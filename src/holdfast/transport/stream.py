"""The content of an answer, piece by piece, from a peer that may be slow, endless or gone."""

import time
from collections.abc import Generator
from typing import TYPE_CHECKING

from holdfast.model.errors import LimitError, SourceError
from holdfast.transport.deadline import Deadline
from holdfast.transport.failure import Transient, words

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

READ_BYTES = 256 << 10
SLOWEST = 2048  # bytes a second; below it nobody waits for a layer
GRACE_SECONDS = 30.0


def chunks(response: "BaseHTTPResponse", where: str, deadline: Deadline) -> Generator[bytes, None, None]:
    """What an answer contains, as sent. The connection goes back to its pool at the end, else it is closed.

    Raises Transient where it breaks off, LimitError where it is slower than SLOWEST or the deadline passes. Only the
    time spent waiting counts: a reader that pauses makes no peer slow.
    """
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    waited, done, complete = 0.0, 0, False
    try:
        while True:
            began = time.monotonic()
            try:
                piece = response.read1(READ_BYTES, decode_content=False)
            except (HTTPError, OSError, ValueError) as error:
                broken = Transient(SourceError(f"the transfer broke off: {words(error)}", where=where))
                broken.silent = isinstance(error, ReadTimeoutError)
                raise broken from error
            waited += time.monotonic() - began
            done += len(piece)
            if not piece:
                break
            deadline.check(where)
            if waited > GRACE_SECONDS:
                if done < SLOWEST * waited:
                    what = f"comes slower than {SLOWEST} bytes a second"
                    raise LimitError(what, where=where, remedy="try again later")
                waited, done = 0.0, 0  # a quick beginning buys no time for what follows
            yield piece
        complete = True
    finally:
        if complete:
            response.release_conn()
        else:
            response.close()


def read(response: "BaseHTTPResponse", where: str, deadline: Deadline, limit: int) -> bytes:
    """All of an answer; LimitError where it is longer than `limit` bytes, and as for `chunks`."""
    content = bytearray()
    for piece in chunks(response, where, deadline):
        content += piece
        if len(content) > limit:
            raise LimitError(f"longer than the {limit:,} bytes allowed for it", where=where)
    return bytes(content)
