"""Reading a VEX document of whichever format: OpenVEX, alone or in an in-toto statement, and CycloneDX."""

from holdfast.model.errors import InputError
from holdfast.policy.vex.cyclonedx import is_cyclonedx, read_cyclonedx
from holdfast.policy.vex.document import decode
from holdfast.policy.vex.openvex import is_openvex, read_openvex
from holdfast.policy.vex.statement import Statements

FORMATS = ((is_openvex, read_openvex), (is_cyclonedx, read_cyclonedx))
"""How a decoded document is recognised, and how it is read."""


def read(data: bytes, where: str) -> Statements:
    """The statements of the document found at `where`; InputError with line and column where it is none.

    Statements that cannot be used, one by one, are problems: the others still count.
    """
    document = decode(data, where)
    for is_one, read_one in FORMATS:
        if is_one(document):
            return read_one(document, where)
    raise InputError(
        "not a VEX document that is known here", where=where, remedy="OpenVEX 0.2 and CycloneDX 1.4 to 1.7 are, as JSON"
    )
