"""Where an engine may listen, and how it is reached there."""

import errno
import socket
from collections.abc import Iterable

from msgspec import Struct

from holdfast.model.errors import InputError
from holdfast.transport.address import Address
from holdfast.transport.trust import Trust

_PORT, _TLS_PORT = 2375, 2376
_PROBE_SECONDS = 5.0
_FORWARD = "forward its socket (ssh -nNT -L /tmp/engine.sock:{socket} HOST), and name unix:///tmp/engine.sock"


class Place(Struct, frozen=True):
    """`unix:///path` or `tcp://host:port`. `stated_by` is who named it: then it is this one or none.

    `trust` has the certificates of a `tcp:` engine that speaks TLS; None for one that does not.
    """

    url: str
    stated_by: str = ""
    trust: Trust | None = None

    @property
    def socket(self) -> str:
        """The path of its Unix socket; empty where it has none."""
        scheme, _, path = self.url.partition("://")
        if not scheme and not path:
            return ""
        return self.url if self.url.startswith("/") else path if scheme == "unix" else ""

    @property
    def name(self) -> str:
        """The place, for people: with who named it, and without what may be a password."""
        scheme, separator, rest = self.url.partition("://")
        shown = ascii(f"{scheme}{separator}{rest.rpartition('@')[2]}"[:200])[1:-1]
        return f"{shown} ({self.stated_by})" if self.stated_by else shown

    def address(self, path: str) -> Address:
        """Where a request's path is asked for; InputError where nothing here can be spoken to, or should be."""
        if self.socket:
            if "\0" in self.socket:
                raise InputError("a path has no NUL in it", where=self.name)
            return Address.unix(self.socket, path)
        scheme, _, rest = self.url.partition("://")
        if scheme == "ssh":
            remedy = _FORWARD.format(socket="/var/run/docker.sock")
            raise InputError("engines are not reached over ssh", where=self.name, remedy=remedy)
        if scheme not in ("tcp", "http", "https") or not rest:
            raise InputError(
                "not where an engine listens", where=self.name, remedy="write unix:///path or tcp://host:port"
            )
        encrypted = scheme == "https" or self.trust is not None
        address = Address.parse(f"{'https' if encrypted else 'http'}://{self._authority(rest, encrypted)}{path}")
        if not encrypted and not address.is_loopback:
            raise InputError(
                "a plain tcp engine can be listened to, and commanded, by anybody on the network",
                where=self.name,
                remedy="set up TLS (DOCKER_TLS_VERIFY, DOCKER_CERT_PATH), or " + _FORWARD.format(socket="SOCKET"),
            )
        return address

    def _authority(self, rest: str, encrypted: bool) -> str:
        authority = rest.partition("/")[0]
        if "@" in authority:
            raise InputError("an engine's address has no user in it", where=self.name)
        has_port = authority.rpartition(":")[2].isdecimal() and not authority.endswith("]")
        return authority if has_port else f"{authority}:{_TLS_PORT if encrypted else _PORT}"


def probe(path: str) -> int:
    """0 where something takes connections at a Unix socket, else the operating system's number of why not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_PROBE_SECONDS)
        try:
            connection.connect(path)
        except (OSError, ValueError) as error:
            return getattr(error, "errno", None) or errno.EINVAL
    return 0


def choose(places: Iterable[Place], *, forbidden: bool = True) -> Place | None:
    """The place to speak to: the one that is stated, else the first that listens.

    Where none does, the first that does not let us in, so that its use says so; unless `forbidden` is false.
    """
    refused = None
    for place in places:
        number = 0 if place.stated_by else probe(place.socket)
        if not number:
            return place
        if forbidden and number in (errno.EACCES, errno.EPERM):
            refused = refused or place
    return refused
