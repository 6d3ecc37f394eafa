"""Files that are there whole, or not at all."""

import contextlib
import secrets
from pathlib import Path

PART = ".part-"
"""What the names of files begin with that are not whole yet."""


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside and rename it: neither a reader nor a crash ever meets half of it. OSError.

    What stands at either name is not written to, nor followed where it is a link.
    """
    part = path.with_name(f"{PART}{secrets.token_hex(8)}")
    try:
        with part.open("xb") as stream:
            stream.write(data)
        part.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
