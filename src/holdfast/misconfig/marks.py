"""What an entry's own bits say, told without its content. Called for every entry of every layer: it must cost nothing.

The traits are facts, not judgements: which of them matter is known only when the whole tree is (`image/`).
"""

from holdfast.misconfig.capability import decode
from holdfast.model.file import Entry, FileType
from holdfast.model.found import Trait

SETUID, WRITABLE, CAPABILITIES, DEVICE, READABLE, OWNED = (
    "setuid", "world-writable", "capabilities", "device", "world-readable", "owned",
)  # fmt: skip

_SPECIAL = 0o6002
_PRIVATE = frozenset(
    (
        "etc/shadow", "etc/shadow-", "etc/gshadow", "etc/gshadow-", "etc/security/opasswd",
        "root/.ssh", "root/.gnupg",
    )
)  # fmt: skip
_DEPTH = 3
_NONE: tuple[Trait, ...] = ()


def marks(entry: Entry) -> tuple[Trait, ...]:
    """The traits of one entry; nearly always none.

    `setuid` (value `4755 0:0`: mode and owner), `world-writable` (`directory 777` or `file 666`), `capabilities`
    (`net_raw, net_admin`), `device`, `world-readable` (places that are private), and `owned`: a program or directory
    near the root that belongs to somebody else than root (value `755 1000:1000`).
    """
    mode, path = entry.mode, entry.path
    if not (
        mode & _SPECIAL
        or entry.uid
        or entry.capabilities
        or path in _PRIVATE
        or "/.ssh/" in path
        or entry.type is FileType.DEVICE
    ):
        return _NONE
    return _marks(entry)


def _marks(entry: Entry) -> tuple[Trait, ...]:
    mode, path, type_ = entry.mode & 0o7777, entry.path, entry.type
    if type_ is FileType.SYMLINK or type_ is FileType.FIFO or type_ is FileType.OTHER:
        return _NONE
    found = []
    folder = type_ is FileType.DIRECTORY
    owner = f"{mode:o} {entry.uid}:{entry.gid}"
    if type_ is FileType.DEVICE:
        return (Trait(DEVICE, owner),)
    if mode & 0o6000 and not folder and mode & 0o111:
        found.append(Trait(SETUID, owner))
    if mode & 0o002 and not (folder and mode & 0o1000):
        found.append(Trait(WRITABLE, f"{'directory' if folder else 'file'} {mode:o}"))
    if entry.capabilities and (names := decode(entry.capabilities)):
        found.append(Trait(CAPABILITIES, ", ".join(names)))
    if mode & 0o004 and _is_private(path, folder=folder):
        found.append(Trait(READABLE, owner))
    if entry.uid and path.count("/") <= _DEPTH and (folder or mode & 0o111):
        found.append(Trait(OWNED, owner))
    return tuple(found)


def _is_private(path: str, *, folder: bool) -> bool:
    if path in _PRIVATE:
        return True
    parent, _, name = path.rpartition("/")
    # Public halves and the lists of known hosts and keys are no secret.
    return parent.endswith("/.ssh") and not folder and name.startswith("id_") and not name.endswith(".pub")
