"""Paths of a tree, made from whatever an archive or a directory calls its entries."""


def parts_of(path: str) -> tuple[list[str], bool]:
    """The parts of a path after `.`, `..` and doubled slashes are resolved, and whether a `..` tried to leave the root.

    The resolution is lexical, as filepath.Clean does it for Docker and containerd; at the root `..` stays there.
    """
    parts: list[str] = []
    outside = False
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
            else:
                outside = True
        elif part and part != ".":
            parts.append(part)
    return parts, outside


def text(raw: bytes) -> str:
    """A path or link target as text; bytes that are not UTF-8 become surrogate escapes."""
    return raw.decode("utf-8", "surrogateescape")


def raw(path: str) -> bytes:
    """The bytes that `text` was made of."""
    return path.encode("utf-8", "surrogateescape")


def shown(name: bytes) -> str:
    """A path for people to read: what is not UTF-8 is written as `\\xe9`, so that it can be printed and encoded."""
    return name.decode("utf-8", "backslashreplace")


def normal(path: str) -> tuple[str, bool]:
    """A path relative to the root as `model.file.Entry` wants it, and whether a `..` tried to leave the root."""
    if path.endswith("/"):
        path = path[:-1]
    if path.startswith("./"):
        path = path[2:]
    # Nearly every path is in normal form: four searches are cheaper than taking it apart.
    if "/." not in path and "//" not in path and not path.startswith((".", "/")) and not path.endswith("/"):
        return path, False
    parts, outside = parts_of(path)
    return "/".join(parts), outside
