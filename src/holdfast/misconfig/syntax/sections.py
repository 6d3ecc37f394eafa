"""Directives within `<Section words>` … `</Section>`, as Apache httpd writes them."""

from collections.abc import Iterator

from msgspec import Struct

from holdfast.misconfig.syntax.lines import Directive, joined, words

MAX_DEPTH = 32


class Placed(Struct, frozen=True):
    """A directive and the sections around it, outermost first, each as a directive of its own."""

    directive: Directive
    within: tuple[Directive, ...] = ()


def directives(text: str) -> Iterator[Placed]:
    """The directives in their order, names in lower case. A closing tag without its opening one is passed over."""
    within: list[Directive] = []
    for number, line in joined(text):
        if line[0] == "#":
            continue
        if line.startswith("</"):
            name = line[2:].partition(">")[0].strip().lower()
            opened = next((i for i in range(len(within) - 1, -1, -1) if within[i].name == name), None)
            if opened is not None:
                del within[opened:]
            continue
        found = words(line[1:].rpartition(">")[0] or line[1:]) if line[0] == "<" else words(line)
        if not found:
            continue
        directive = Directive(found[0].lower(), found[1:], number)
        if line[0] != "<":
            yield Placed(directive, tuple(within))
        elif len(within) < MAX_DEPTH:
            yield Placed(directive, tuple(within))
            within.append(directive)
