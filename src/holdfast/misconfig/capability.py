"""File capabilities as the kernel stores them: `struct vfs_cap_data` in the attribute security.capability.

Source: include/uapi/linux/capability.h. A little-endian word `magic_etc` (revision in the top byte, the effective flag
in the lowest bit), then one pair of words (permitted, inheritable) in revision 1 or two pairs in revisions 2 and 3;
revision 3 adds the user id of the namespace's root.
"""

import struct

NAMES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip
"""The capabilities by their number, from 0 (linux 6.x)."""

_LENGTHS = {1: 12, 2: 20, 3: 24}
_FIRST = {1: "<II", 2: "<IIII", 3: "<IIII"}


def decode(raw: bytes) -> tuple[str, ...]:
    """The names of the permitted capabilities, without `cap_`; empty where the value says none or is not well-formed.

    A bit that has no name is `cap 41`, as capsh prints it.
    """
    if len(raw) < 4:
        return ()
    revision = raw[3]
    if _LENGTHS.get(revision) != len(raw):
        return ()
    words = struct.unpack_from(_FIRST[revision], raw, 4)
    permitted = words[0] | (words[2] << 32 if revision > 1 else 0)
    return tuple(
        NAMES[bit] if bit < len(NAMES) else f"cap {bit}" for bit in range(64) if permitted >> bit & 1
    )  # fmt: skip
