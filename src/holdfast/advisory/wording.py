"""What feeds say in prose that matters to a match: rejected, disputed, and a title short enough for a table."""

MALICIOUS = "malicious"
"""The severity of an advisory that says: this package is malware."""
MALICIOUS_PAGE = "https://osv.dev/vulnerability/{}"
"""Where a record of a malicious package can be read, by its id."""


def rejected(text: str) -> bool:
    """Whether a CVE's description says that the id was rejected (`** REJECT **`, `Rejected reason:`)."""
    return text.lstrip("* ").startswith(("REJECT", "Rejected reason"))


def disputed(text: str) -> bool:
    """Whether a CVE's description says that somebody disputes it (`** DISPUTED **`, a note by NVD)."""
    return "** DISPUTED **" in text or "disputed by" in text or "** disputed **" in text.lower()


def short(text: str, length: int = 240) -> str:
    """The first sentence or paragraph of a description, at most `length` characters, on one line."""
    line = " ".join(text[: 4 * length].split("\n\n", 1)[0].split())
    if len(line) <= length:
        return line
    end = line.rfind(". ", 0, length)
    return line[: end + 1] if end > 40 else line[:length].rsplit(" ", 1)[0] + " …"
