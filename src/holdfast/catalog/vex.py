"""Telling documents of exploitability (VEX) from bills of materials, where both have one format.

Source: CycloneDX, "Vulnerability Exploitability" (VEX may be a document of its own, whose components are at most the
ones that are said to be affected or not).
"""

import msgspec
from msgspec import Struct, field


class _Component(Struct):
    ref: str = field(default="", name="bom-ref")


class _Affected(Struct):
    ref: str = ""


class _Vulnerability(Struct):
    affects: list[_Affected] | None = None


class _Document(Struct):
    components: list[_Component] | None = None
    vulnerabilities: list[_Vulnerability] | None = None


_DOCUMENT = msgspec.json.Decoder(_Document)


def is_exploitability(data: bytes) -> bool:
    """Whether a CycloneDX document only says of vulnerabilities what they affect, and does not list contents.

    It then has vulnerabilities, and no component that none of them names. What is no such document is none.
    """
    try:
        document = _DOCUMENT.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return False
    named = {one.ref for each in document.vulnerabilities or () for one in each.affects or ()}
    return bool(document.vulnerabilities) and all(one.ref in named for one in document.components or ())
