"""What the attached bills of materials are good for: taken at their word, or held against what is inside."""

from collections.abc import Iterator, Sequence

from holdfast.model.finding import Confidence, Finding
from holdfast.model.status import Gravity, Problem, Status, status_of
from holdfast.scan.attached import Attached, Listed
from holdfast.scan.compare import disagreement
from holdfast.scan.inventory import Inventory

_NOTHING = "no bill of materials is attached that could stand for the image: its layers were read"
_ENGINE = "an engine's image comes without what is attached to it: its layers were read"


def stated(attached: Attached | None) -> tuple[Inventory | None, Problem]:
    """The inventory that stands for the image's layers, and what has to be said of it; None where nothing can.

    What a tag alone ties to the image cannot, and an empty bill is not believed. Of several the first one that can be
    read whole is taken: of those in the image's own index, then of those that refer to it, the longest one.
    """
    usable = [one for one in attached.listed if one.bound and one.inventory.packages] if attached else []
    if not usable:
        return None, Problem("image.not-attested", _ENGINE if attached is None else _NOTHING, Gravity.NOTE)
    best = min(usable, key=_preference)
    signed = "its signature was not checked" if best.attachment.signed else "it is not signed"
    message = f"the packages are those that the attached bill of materials lists ({signed}): no layer was read"
    if len(usable) > 1:
        message += (
            f"; of {len(usable)} it is the longest that was read whole, one in the image's own index before others"
        )
    read = best.inventory
    note = Problem("image.attested", message, Gravity.NOTE, best.attachment.digest)
    return Inventory(read.packages, read.distribution, {}, tuple(read.problems)), note


def _preference(one: Listed) -> tuple[bool, bool, int, str]:
    incomplete = status_of(one.inventory.problems) is not Status.COMPLETE
    return incomplete, one.attachment.found_by != "index", -len(one.inventory.packages), one.attachment.digest


def disagreements(
    attached: Attached | None, inventory: Inventory, name: str, problems: Sequence[Problem]
) -> Iterator[Finding]:
    """Where the bills of materials say something else than the image: of each rule the weightiest finding.

    Two bills in two formats that lack the same packages are one cause.
    """
    complete = status_of(problems) is Status.COMPLETE
    found: dict[str, list[Finding]] = {}
    for one in attached.listed if attached else ():
        for finding in disagreement(
            inventory.packages, one.inventory, attachment=one.attachment, name=name, complete=complete
        ):
            found.setdefault(finding.rule, []).append(finding)
    for several in found.values():
        yield max(several, key=lambda finding: (finding.confidence is Confidence.HIGH, finding.count))
