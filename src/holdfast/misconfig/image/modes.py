"""Files whose mode gives away more than it should: setuid, capabilities, writable or readable by all, devices."""

import re
from collections.abc import Iterator

from holdfast.misconfig.finding import of_places
from holdfast.misconfig.marks import CAPABILITIES, DEVICE, READABLE, SETUID, WRITABLE
from holdfast.misconfig.scene import Placed, Scene
from holdfast.model.finding import Finding, Severity

# What the packages of shadow, util-linux, pam, cron, dbus, openssh and busybox install so, without `usr/` before it.
_USUAL = frozenset(
    (
        "bin/bbsuid", "bin/bsd-write", "bin/chage", "bin/chfn", "bin/chsh", "bin/crontab", "bin/doas",
        "bin/dotlockfile", "bin/expiry", "bin/fusermount", "bin/fusermount3", "bin/gpasswd", "bin/mount",
        "bin/newgidmap", "bin/newgrp", "bin/newuidmap", "bin/passwd", "bin/ping", "bin/ping6", "bin/pkexec", "bin/sg",
        "bin/ssh-agent", "bin/su", "bin/umount", "bin/wall", "bin/write", "lib/dbus-1.0/dbus-daemon-launch-helper",
        "lib/openssh/ssh-keysign", "lib/polkit-1/polkit-agent-helper-1", "lib/ssh/ssh-keysign",
        "libexec/dbus-1/dbus-daemon-launch-helper", "libexec/openssh/ssh-keysign", "libexec/utempter/utempter",
        "lib/utempter/utempter", "sbin/grub2-set-bootflag", "sbin/mount.nfs", "sbin/pam_extrausers_chkpwd",
        "sbin/pam_timestamp_check", "sbin/unix_chkpwd", "bin/unix_chkpwd", "bin/pam_timestamp_check",
        "bin/grub2-set-bootflag",
    )
)  # fmt: skip
_SUDO = frozenset(("bin/sudo", "bin/sudoedit", "bin/sudo-rs"))  # has a finding of its own
_FOLDERS = frozenset(("root/.ssh", "root/.gnupg"))
# What is put there to be written to by everybody, or is no file on a disk.
_TRANSIENT = ("proc/", "sys/", "dev/", "run/secrets")
# Those with which a process takes all the others.
_GRAVE = frozenset(
    (
        "sys_admin", "sys_ptrace", "sys_module", "sys_rawio", "dac_override", "dac_read_search", "setuid", "setgid",
        "setfcap", "chown", "fowner", "bpf", "mac_admin", "mac_override", "sys_chroot", "mknod",
    )
)  # fmt: skip


def setuid(scene: Scene) -> Iterator[Finding]:
    """Programs that run as their owner: those that every distribution brings as one finding, others as another."""
    usual: list[Placed] = []
    others: list[Placed] = []
    for placed in scene.named(SETUID):
        name = re.sub(r"^lib/[a-z0-9_]{1,16}-linux-[a-z0-9]{1,16}/", "lib/", placed.path.removeprefix("usr/"))
        # setgid programs of other groups (mail, tty, shadow) belong to the distribution as well.
        known = name in _USUAL and placed.trait.value.partition(" ")[2].startswith("0:")
        if name not in _SUDO:
            (usual if known else others).append(placed)
    if usual:
        yield of_places("image.setuid-usual", "setuid", _named(usual), scene.image)
    if others:
        yield of_places("image.setuid-file", "setuid", _named(others), scene.image)


def writable(scene: Scene) -> Iterator[Finding]:
    """Files and directories that everybody may write to; locks in caches apart, which uv makes so."""
    found = [
        placed
        for placed in scene.named(WRITABLE)
        if not placed.path.startswith(_TRANSIENT) and "/.cache/" not in placed.path
    ]
    if found:
        yield of_places("image.world-writable", "world-writable", _named(found), scene.image)


def capabilities(scene: Scene) -> Iterator[Finding]:
    """Programs with capabilities of their own; binding low ports and sending pings are the usual reasons for them."""
    found = scene.named(CAPABILITIES)
    if found:
        grave = any(not _GRAVE.isdisjoint(placed.trait.value.split(", ")) for placed in found)
        yield of_places(
            "image.file-capabilities", "capabilities", _named(found), scene.image,
            severity=Severity.MEDIUM if grave else None,
        )  # fmt: skip


def devices(scene: Scene) -> Iterator[Finding]:
    """Device nodes that an image brings along, those of /dev apart, which every runtime hides."""
    found = [placed for placed in scene.named(DEVICE) if not placed.path.startswith("dev/")]
    if found:
        yield of_places("image.device-node", "device", _named(found), scene.image)


def readable(scene: Scene) -> Iterator[Finding]:
    """Private places that everybody may read."""
    if found := scene.named(READABLE):
        # Of a folder only the names in it are shown, and in most images none can pass /root to see them.
        folders = all(placed.path in _FOLDERS for placed in found)
        yield of_places(
            "image.world-readable-secret", "world-readable", _named(found), scene.image,
            severity=Severity.LOW if folders else None,
        )  # fmt: skip


def _named(placed: list[Placed] | tuple[Placed, ...]) -> list[Placed]:
    """The traits with values that name the path too."""
    return [
        Placed(one.path, type(one.trait)(one.trait.name, f"/{one.path} ({one.trait.value})"), one.diff_id, one.side)
        for one in placed
    ]


CHECKS = (setuid, writable, capabilities, devices, readable)
