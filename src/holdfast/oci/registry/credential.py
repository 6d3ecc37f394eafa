"""Who we are to a registry."""

from base64 import b64encode
from typing import Self

from msgspec import Struct

from holdfast.model.errors import InputError

_LONGEST_NAME = 4 << 10
_LONGEST_SECRET = 64 << 10  # tokens of cloud registries are of a few KiB
_IDENTITY = "<token>"  # the user name that says that the password is an identity token


class Credential(Struct, frozen=True, kw_only=True):
    """A user's name and password, or a token in their place; empty what is not known.

    `identity_token` is an OAuth 2 refresh token, `registry_token` a bearer token that is sent as it is. `source` says
    where it was found, and is all that may be shown.
    """

    source: str
    username: str = ""
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""

    @classmethod
    def of(
        cls, source: str, *, username: str = "", password: str = "", identity_token: str = "", registry_token: str = ""
    ) -> Self | None:
        """The credential that these make; None where they are nothing, InputError for what cannot be sent."""
        if username == _IDENTITY:
            username, password, identity_token = "", "", identity_token or password
        if not (username or identity_token or registry_token):
            return None
        if len(username) > _LONGEST_NAME or max(map(len, (password, identity_token, registry_token))) > _LONGEST_SECRET:
            raise InputError("a credential is longer than any registry takes", where=source)
        if ":" in username:
            raise InputError("a user name has no colon in it (RFC 7617)", where=source)
        try:
            f"{username}{password}{identity_token}".encode()
        except UnicodeEncodeError:
            raise InputError("a credential is not UTF-8", where=source) from None
        if not is_visible(registry_token):
            raise InputError("a token has only visible ASCII characters in it", where=source)
        return cls(
            source=source,
            username=username,
            password=password,
            identity_token=identity_token,
            registry_token=registry_token,
        )

    @property
    def basic(self) -> str:
        """The value of an Authorization header (RFC 7617); empty where there is no user name."""
        return basic(self.username, self.password) if self.username else ""

    def __repr__(self) -> str:
        return f"Credential(source={self.source!r})"


def basic(username: str, password: str) -> str:
    """The value of an Authorization header by the scheme Basic (RFC 7617)."""
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"


def is_visible(token: str) -> bool:
    """Whether a token can stand in a header without changing what the header says."""
    return all("!" <= character <= "~" for character in token)
