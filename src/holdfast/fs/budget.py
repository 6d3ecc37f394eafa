"""How much of a file tree is read before it is called hostile: every bound with its unit and its reason."""

from msgspec import Struct

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


class TreeBudget(Struct, frozen=True):
    """The bounds of one tree. Real layers stay far below each of them.

    - `entries`: headers of a tar, or entries of a directory tree. The largest images we know hold under a million.
    - `all_path_bytes`: of the paths and link targets of all entries together, and of the directories they imply.
    - `path_bytes`: Linux cannot open a longer path in one call (PATH_MAX), so no runtime can unpack one.
    - `extension_bytes`: of one PAX header, GNU long name or sparse map; Go's archive/tar has the same bound.
    - `hole_bytes`: zeros made up for the holes of all sparse files together, since eight exbibytes fit in one header.
    - `sparse_segments`: of all sparse files together, since empty ones cost nothing but time.
    - `pax_records`: of all PAX headers together; tools write a handful for each entry.
    - `depth`: parts of a path, and directories open at once while a directory tree is walked, each a file descriptor.
    """

    entries: int = 2_000_000
    path_bytes: int = 4096
    all_path_bytes: int = 96 * MIB
    extension_bytes: int = MIB
    hole_bytes: int = 4 * GIB
    sparse_segments: int = 1_000_000
    pax_records: int = 10_000_000
    depth: int = 256


TREE_BUDGET = TreeBudget()
