"""OpenVEX, as of 0.2.0 and before: github.com/openvex/spec, OPENVEX-SPEC.md and openvex_json_schema.json.

Before 0.2 vulnerabilities and products were plain texts, and subcomponents stood beside the products.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from holdfast.model.status import Gravity, Problem
from holdfast.policy.vex.document import mapping, objects, text, texts
from holdfast.policy.vex.statement import Component, Product, Statement, Statements, VexStatus, time_of

_CONTEXT = "https://openvex.dev/ns"
_HASHES = {"sha-256": "sha256", "sha-512": "sha512", "sha256": "sha256", "sha512": "sha512"}
JUSTIFICATIONS = (
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
)


def is_openvex(document: dict[str, Any]) -> bool:
    """Whether it is an OpenVEX document, or an in-toto statement about one."""
    return _has_context(document) or _has_context(mapping(document.get("predicate")))


def read_openvex(document: dict[str, Any], where: str) -> Statements:
    """The statements of an OpenVEX document. The subjects of an in-toto statement are the products of those without."""
    subjects = tuple(_subjects(document))
    if not _has_context(document):
        document = mapping(document.get("predicate"))
    author = text(document.get("author"))
    times = [time_of(document.get(key)) for key in ("last_updated", "timestamp")]
    time = next((one for one in times if one), None)
    found: list[Statement] = []
    problems: list[Problem] = []
    listed = document.get("statements")
    for number, item in enumerate(listed if isinstance(listed, list) else []):
        place = f"{where}: statement {number + 1}"
        one = _statement(mapping(item), author, time, subjects, place)
        if isinstance(one, Statement):
            found.append(one)
        else:
            problems.append(Problem("vex.ignored", one, Gravity.NOTE, place))
    if not found and not problems:
        problems.append(Problem("vex.empty", "a VEX document without statements", Gravity.NOTE, where))
    return Statements(tuple(found), tuple(problems))


def _statement(
    item: dict[str, Any], author: str, time: datetime | None, subjects: tuple[Product, ...], where: str
) -> Statement | str:
    """The statement, or why it is none."""
    try:
        status = VexStatus(item.get("status"))  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return f"its status is none of {', '.join(VexStatus)}"
    vulnerabilities = tuple(dict.fromkeys(_vulnerabilities(item.get("vulnerability"))))
    if not vulnerabilities:
        return "it names no vulnerability"
    products = tuple(_products(item)) or subjects
    if not products:
        return "it names no product, so that nobody can tell what it is about"
    justification, impact = text(item.get("justification")), text(item.get("impact_statement"))
    if status is VexStatus.NOT_AFFECTED and not impact and justification not in JUSTIFICATIONS:
        return "it says not_affected, and neither justifies it nor states the impact"
    told = (impact, text(item.get("action_statement")), text(item.get("status_notes")))
    own = [time_of(item.get(key)) for key in ("last_updated", "timestamp")]
    return Statement(
        vulnerabilities,
        products,
        status,
        justification,
        next((words for words in told if words), ""),
        text(item.get("supplier")) or author,
        next((one for one in own if one), time),
        where,
    )


def _vulnerabilities(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield text(value)
        return
    item = mapping(value)
    names = (text(item.get("name")), *texts(item.get("aliases")), text(item.get("@id")).rpartition("/")[2])
    yield from (name for name in names if name)


def _products(item: dict[str, Any]) -> Iterator[Product]:
    beside = tuple(_components(item.get("subcomponents")))
    listed = item.get("products")
    for one in listed if isinstance(listed, list) else ():
        component = _component(one)
        parts = tuple(_components(one.get("subcomponents"))) if isinstance(one, dict) else ()
        if component.names or component.hashes:
            yield Product(component, parts or beside)


def _components(value: object) -> Iterator[Component]:
    for one in value if isinstance(value, list) else ():
        component = _component(one)
        # What cannot be identified still confines the statement: it must not come to mean everything.
        yield component


def _component(value: object) -> Component:
    if isinstance(value, str):
        return Component((text(value),) if value else ())
    item = mapping(value)
    identifiers = mapping(item.get("identifiers"))
    names = (text(item.get("@id")), text(identifiers.get("purl")))
    hashes = (
        f"{_HASHES[key]}:{text(one).lower()}" for key, one in mapping(item.get("hashes")).items() if key in _HASHES
    )
    return Component(tuple(dict.fromkeys(name for name in names if name)), tuple(hashes))


def _subjects(document: dict[str, Any]) -> Iterator[Product]:
    for subject in objects(document.get("subject")):
        hashes = mapping(subject.get("digest")).items()
        digests = tuple(f"{_HASHES[key]}:{text(value).lower()}" for key, value in hashes if key in _HASHES)
        if digests:
            yield Product(Component((), digests))


def _has_context(document: dict[str, Any]) -> bool:
    context = document.get("@context")
    listed = context if isinstance(context, list) else [context]
    return any(isinstance(one, str) and one.startswith(_CONTEXT) for one in listed)
