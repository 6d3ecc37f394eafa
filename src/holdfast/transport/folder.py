"""`file:` addresses: a folder laid out like a server."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

from holdfast.model.errors import NotFound, SourceError
from holdfast.transport.address import Address
from holdfast.transport.content import CHUNK, Budget, pour
from holdfast.transport.kept import Kept


def copy(address: Address, sink: BinaryIO, budget: Budget) -> Kept:
    """The file's content into `sink`, from its start. Where only `NAME.gz` is there, it is unpacked on the way."""
    path = Path(address.path)
    packed = path.with_name(path.name + ".gz")
    sink.seek(0)
    sink.truncate()
    try:
        if path.exists() or not packed.exists():
            _copy(path, sink, budget, packed=False)
        else:
            _copy(packed, sink, budget, packed=True)
    except FileNotFoundError as error:
        raise NotFound("not there", where=ascii(str(path))[1:-1]) from error
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise SourceError(f"cannot be read: {what}", where=ascii(str(path))[1:-1]) from error
    return Kept(address.url)


def _copy(path: Path, sink: BinaryIO, budget: Budget, *, packed: bool) -> None:
    # Without O_NONBLOCK a FIFO in that place would hold us for ever.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as source:
        status = os.fstat(source.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("not a regular file")
        pour(lambda: source.read(CHUNK), sink, budget, packed=packed, left=status.st_size)
