"""Tar archives made byte for byte, and what a TarTree makes of them."""

from collections.abc import Iterable

from holdfast.fs.budget import TREE_BUDGET, TreeBudget
from holdfast.fs.tar import TarTree
from holdfast.model.file import Entry
from holdfast.model.status import Problem

END = bytes(1024)


def walk(data: bytes, chunk: int = 1 << 20, budget: TreeBudget = TREE_BUDGET) -> tuple[list[Entry], list[Problem]]:
    tree = TarTree(chunks(data, chunk), budget)
    return [one.entry for one in tree.walk()], tree.problems


def chunks(data: bytes, size: int) -> Iterable[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def contents(data: bytes, chunk: int = 1 << 20) -> dict[str, bytes]:
    return {one.entry.path: b"".join(one.chunks()) for one in TarTree(chunks(data, chunk)).walk()}


def codes(problems: list[Problem]) -> list[str]:
    return [problem.code for problem in problems]


def header(name: bytes = b"name", kind: bytes = b"0", size: bytes = b"", link: bytes = b"", **fields: bytes) -> bytes:
    """One ustar header, byte for byte; `size` and the others as raw fields; the checksum is right."""
    block = bytearray(512)
    places = {"mode": 100, "uid": 108, "gid": 116, "magic": 257, "prefix": 345, "tail": 508}
    block[: len(name)] = name
    block[100:108] = b"0000644\0"
    block[257:265] = b"ustar\00000"
    for key, value in {**fields}.items():
        block[places[key] : places[key] + len(value)] = value
    block[124 : 124 + len(size)] = size
    block[156:157] = kind
    block[157 : 157 + len(link)] = link
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 512)


def octal(value: int) -> bytes:
    return b"%011o\0" % value


def pax(records: dict[str, str | bytes], kind: bytes = b"x") -> bytes:
    body = b""
    for key, value in records.items():
        pair = key.encode() + b"=" + (value if isinstance(value, bytes) else value.encode()) + b"\n"
        length = len(pair) + 2
        while len(b"%d " % length) + len(pair) != length:
            length += 1
        body += b"%d " % length + pair
    return header(b"pax", kind, octal(len(body))) + padded(body)
