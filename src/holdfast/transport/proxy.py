"""Which connections go through a proxy."""

import ipaddress
import re

from msgspec import Struct

_PORT = re.compile(r"([^:]+|\[[^]]*\]):([0-9]{1,5})")


class Proxy(Struct, frozen=True):
    """A proxy's address (empty: none), and the hosts that are reached without it, as `no_proxy` lists them.

    An entry is a host, a domain (with or without a leading dot: its subdomains too), an address, a network
    (`10.0.0.0/8`), any of them with a port, or `*` for all.
    """

    address: str = ""
    exceptions: tuple[str, ...] = ()

    def for_host(self, host: str, port: int | None) -> str:
        """The proxy to reach this host by; empty where it is reached directly."""
        return "" if any(_names(entry.strip().lower(), host, port) for entry in self.exceptions) else self.address


def _names(entry: str, host: str, port: int | None) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    if named := _PORT.fullmatch(entry):
        if named[2] != str(port or ""):
            return False
        entry = named[1]
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        pass
    domain = entry.removeprefix("*").lstrip(".")
    return bool(domain) and (host == domain or host.endswith("." + domain))
