"""A first look at a whole layer at once: which of its bytes any secret or malware could be told by.

All that the engines look for stands in one Hyperscan database, which the layer's tar flows through before it is walked.
Nearly all files hold nothing of it, and are not even taken out of the stream. What holds something is looked at by the
engines themselves, which alone decide.
"""

import contextlib
import hashlib
import zlib
from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import msgspec

from holdfast.fs.kept import KeptFiles

Expression = tuple[bytes, int]
"""What Hyperscan is to look for, and its flags."""

_BLOCK = 512  # of a tar: a file that fills its last one has a neighbour, so that no word ends where the file does
_LIMIT = 64 << 20


class Sieve:
    """The database over what several engines look for; shared by threads. Which one a match is for, its number says."""

    def __init__(self, database: bytes, firsts: tuple[int, ...]) -> None:
        self._database, self._firsts = database, firsts

    @classmethod
    def load(cls, packs: Path, name: str, texts: Callable[[], Sequence[Sequence[Expression]]]) -> "Sieve":
        """The sieve kept as `name` in a folder, or one that is compiled and kept there.

        `texts` gives what each engine looks for; it is asked only where the sieve has to be compiled.
        """
        import hyperscan

        kept = KeptFiles(packs)
        data = kept.get(name, _LIMIT) or b""
        if data and hashlib.sha256(data[32:]).digest() == data[:32]:
            with contextlib.suppress(
                hyperscan.error, msgspec.MsgspecError, zlib.error
            ):  # another version's, or processor's
                stored = zlib.decompressobj().decompress(data[32:], _LIMIT)
                firsts, body = msgspec.msgpack.decode(stored, type=tuple[tuple[int, ...], bytes])
                hyperscan.loadb(body, hyperscan.HS_MODE_STREAM)
                return cls(body, firsts)
        groups = texts()
        expressions = [expression for group in groups for expression in group]
        firsts = tuple(accumulate((len(group) for group in groups[:-1]), initial=0))
        database = hyperscan.Database(mode=hyperscan.HS_MODE_STREAM)
        database.compile(
            expressions=[text for text, _ in expressions], ids=list(range(len(expressions))),
            flags=[flags for _, flags in expressions],
        )  # fmt: skip
        body = hyperscan.dumpb(database)
        # Packed, so that no scanner takes the sieve for what it looks for.
        stored = zlib.compress(msgspec.msgpack.encode((firsts, body)), 1)
        kept.put(name, hashlib.sha256(stored).digest() + stored)
        return cls(body, firsts)

    def strainer(self) -> "Strainer":
        """What one layer flows through."""
        return Strainer(self._database, self._firsts)


class Strainer:
    """One layer on its way through the sieve."""

    def __init__(self, database: bytes, firsts: tuple[int, ...]) -> None:
        self._database, self._firsts = database, firsts
        # In which blocks of the stream something ended, in their order, for each engine: a block is one file's at most.
        self._blocks = tuple(array("Q") for _ in firsts)

    def chunks(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """The same chunks, each after it was looked at."""
        import hyperscan

        # A database of its own: closing a stream uses the scratch space of the database, which one thread may use.
        database = hyperscan.loadb(self._database, hyperscan.HS_MODE_STREAM)
        database.scratch = hyperscan.Scratch(database)
        see = self._see  # held here, as the stream does not hold it
        with database.stream(match_event_handler=see) as stream:
            for chunk in chunks:
                stream.scan(chunk)
                yield chunk

    def touched(self, engine: int, start: int, size: int) -> bool:
        """Whether something of an engine's ended within `size` bytes from `start`, all of which have flowed through."""
        if not size % _BLOCK:
            return True
        blocks = self._blocks[engine]
        place = bisect_left(blocks, start // _BLOCK)
        return place < len(blocks) and blocks[place] <= (start + size - 1) // _BLOCK

    def _see(self, number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        block = (end - 1) // _BLOCK
        blocks = self._blocks[bisect_right(self._firsts, number) - 1]
        if not blocks or blocks[-1] < block:
            blocks.append(block)
        elif blocks[-1] > block:
            insort(blocks, block)
