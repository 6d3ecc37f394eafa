"""CycloneDX VEX, 1.4 to 1.7: cyclonedx.org/docs, `vulnerabilities[].analysis`, in a bill of materials or alone.

A document alone names components of another by BOM-Link (`urn:cdx:<serial>/<version>#<bom-ref>`).
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from holdfast.model.status import Gravity, Problem
from holdfast.policy.vex.document import mapping, objects, text
from holdfast.policy.vex.statement import Component, Product, Statement, Statements, VexStatus, time_of

_STATUS = {
    "resolved": VexStatus.FIXED,
    "resolved_with_pedigree": VexStatus.FIXED,
    "exploitable": VexStatus.AFFECTED,
    "in_triage": VexStatus.UNDER_INVESTIGATION,
    "false_positive": VexStatus.NOT_AFFECTED,
    "not_affected": VexStatus.NOT_AFFECTED,
}
_HASHES = {"SHA-256": "sha256", "SHA-512": "sha512"}
_IMAGES = ("pkg:oci/", "pkg:docker/")
_LINK = "urn:cdx:"
_MAX_DEPTH = 50


def is_cyclonedx(document: dict[str, Any]) -> bool:
    """Whether it is a CycloneDX document."""
    return document.get("bomFormat") == "CycloneDX"


def read_cyclonedx(document: dict[str, Any], where: str) -> Statements:
    """The statements of a CycloneDX document: of every vulnerability whose analysis says in which state it is.

    Where the document says which image or package it describes, its components are parts of that and of no other.
    """
    metadata = mapping(document.get("metadata"))
    whole = mapping(metadata.get("component"))
    known = dict(_components(document, whole))
    described = _component(whole)
    product = described if described.names else None
    author, time = _author(metadata), time_of(metadata.get("timestamp"))
    found: list[Statement] = []
    problems: list[Problem] = []
    for number, item in enumerate(objects(document.get("vulnerabilities"))):
        analysis = mapping(item.get("analysis"))
        state = text(analysis.get("state"))
        if not state:
            continue  # a vulnerability that was only found
        place = f"{where}: vulnerability {number + 1}"
        ids = tuple(dict.fromkeys(_ids(item)))
        products, unknown = _products(item, known, product, text(whole.get("bom-ref")))
        why = _unusable(ids, state, analysis, products)
        if unknown:
            message = "it affects components that this document does not describe"
            problems.append(Problem("vex.unresolved", message, Gravity.NOTE, place, count=unknown))
        if why:
            problems.append(Problem("vex.ignored", why, Gravity.NOTE, place))
            continue
        times = (analysis.get("lastUpdated"), analysis.get("firstIssued"), item.get("updated"))
        own = next((one for given in times if (one := time_of(given))), time)
        justification, detail = text(analysis.get("justification")), text(analysis.get("detail"))
        words = detail or (state if state != _STATUS[state].value else "")
        found.append(Statement(ids, products, _STATUS[state], justification, words, author, own, place))
    return Statements(tuple(found), tuple(problems), product)


def _unusable(ids: tuple[str, ...], state: str, analysis: dict[str, Any], products: tuple[Product, ...]) -> str:
    if state not in _STATUS:
        return f"its state is none of {', '.join(_STATUS)}"
    if not ids:
        return "it names no vulnerability"
    if not products:
        return "it names nothing that is affected, so that nobody can tell what it is about"
    justified = text(analysis.get("justification")) or text(analysis.get("detail"))
    if _STATUS[state] is VexStatus.NOT_AFFECTED and not justified:
        return f"it says {state}, and neither justifies it nor gives a detail"
    return ""


def _ids(item: dict[str, Any]) -> Iterator[str]:
    yield from (name for one in (item, *objects(item.get("references"))) if (name := text(one.get("id"))))


def _products(
    item: dict[str, Any], known: dict[str, Component], product: Component | None, whole: str
) -> tuple[tuple[Product, ...], int]:
    """What is affected, and how many references lead nowhere."""
    products: list[Product] = []
    unknown = 0
    for one in objects(item.get("affects")):
        ref = text(one.get("ref"))
        component = _resolved(ref, known)
        if component is None:
            unknown += 1
        elif product and ref != whole:
            products.append(Product(product, (component,)))
        else:
            products.append(Product(component))
    return tuple(products), unknown


def _resolved(ref: str, known: dict[str, Component]) -> Component | None:
    if ref in known:
        return known[ref]
    name = unquote(ref.partition("#")[2]) if ref.startswith(_LINK) else ref
    if name in known:
        return known[name]
    # Tools use the purl as the reference, with a suffix of their own.
    return Component((name.partition("&package-id=")[0].partition("?package-id=")[0],)) if name[:4] == "pkg:" else None


def _components(document: dict[str, Any], whole: dict[str, Any]) -> Iterator[tuple[str, Component]]:
    """Every component with a bom-ref, also those within others."""
    stack = [(one, 0) for one in (whole, *objects(document.get("components")))]
    while stack:
        item, depth = stack.pop()
        if ref := text(item.get("bom-ref")):
            yield ref, _component(item)
        if depth < _MAX_DEPTH:
            stack.extend((one, depth + 1) for one in objects(item.get("components")))


def _component(item: dict[str, Any]) -> Component:
    names = [text(item.get("purl"))]
    if _is_image(item):
        name, version = text(item.get("name")), text(item.get("version"))
        names.append(f"{name}@{version}" if version.startswith("sha256:") else f"{name}:{version}" if version else name)
    hashes = tuple(
        f"{_HASHES[text(one.get('alg'))]}:{text(one.get('content')).lower()}"
        for one in objects(item.get("hashes"))
        if text(one.get("alg")) in _HASHES
    )
    return Component(tuple(name for name in names if name), hashes)


def _is_image(item: dict[str, Any]) -> bool:
    return item.get("type") == "container" or text(item.get("purl")).startswith(_IMAGES)


def _author(metadata: dict[str, Any]) -> str:
    people = [text(one.get("name")) or text(one.get("email")) for one in objects(metadata.get("authors"))]
    firms = [text(mapping(metadata.get(key)).get("name")) for key in ("supplier", "manufacturer", "manufacture")]
    return next((name for name in (*people, *firms) if name), "")
