"""What can go wrong, as a person would want it told.

HoldfastError
  InputError      the input is not what it should be
  LimitError      the input is larger, deeper or slower than its budget
  SourceError     a feed, registry or file could not be read
    AuthError     … because it wants other credentials
    NotFound      … because it is not there
  StoreError      our own database or cache is unusable
  PolicyError     a policy cannot be read
  PrivilegeError  the operating system does not let us
"""


class HoldfastError(Exception):
    """An error that says what was wrong, where, and what to do."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{place}{self.what}{remedy}"


class InputError(HoldfastError):
    """The input is not what it should be: malformed, foreign, contradictory."""


class LimitError(HoldfastError):
    """The input would take more bytes, entries, depth or time than its budget allows."""


class SourceError(HoldfastError):
    """A source (feed, registry, file) could not be read. `status` is what it answered, where it speaks HTTP; else 0."""

    status = 0


class AuthError(SourceError):
    """A source refused our credentials, or wants some."""


class NotFound(SourceError):
    """A source answers, and does not have what was asked for."""


class StoreError(HoldfastError):
    """Our own database, store or cache is damaged, newer than this program, or unwritable."""


class PolicyError(HoldfastError):
    """A policy, waiver or rule file cannot be understood."""


class PrivilegeError(HoldfastError):
    """The operating system does not permit what was asked for."""
