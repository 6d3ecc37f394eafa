"""Whom an encrypted connection trusts, and as whom it appears."""

from msgspec import Struct


class Trust(Struct, frozen=True):
    """Paths of PEM files: authorities trusted beside the system's, and a client certificate with its key.

    The authorities may also be a folder, of which each `*.crt` is one.
    """

    ca_bundle: str = ""
    certificate: str = ""
    key: str = ""

    @property
    def of_others(self) -> "Trust":
        """The same trust for a host that our certificate is not meant for."""
        return Trust(self.ca_bundle)

    def beside(self, usual: "Trust") -> "Trust":
        """This trust for one host where any other has the `usual` one, which stands for what this does not say."""
        if self == Trust():
            return usual
        return Trust(self.ca_bundle or usual.ca_bundle, self.certificate, self.key)
