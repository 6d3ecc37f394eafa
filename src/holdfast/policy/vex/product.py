"""Whether a statement's product is the image of a report, or a package in it."""

from collections.abc import Iterator, Mapping, Sequence

from holdfast.model.errors import LimitError
from holdfast.model.finding import Finding
from holdfast.model.package import Package, Purl
from holdfast.model.report import Target
from holdfast.oci.reference import Reference
from holdfast.policy.package import purl_of
from holdfast.policy.target import digests_of, names_of, reference_named, reference_of
from holdfast.policy.vex.statement import Component, Product

_IMAGES = ("oci", "docker")
MAX_COMPARISONS = 2_000_000
"""How often products are held against findings for one report: more is made to take for ever."""


class Matcher:
    """Holds products against one report. `packages` are its packages by purl; `whole` is known to be the target."""

    def __init__(
        self, target: Target, packages: Mapping[str, Sequence[Package]], whole: Component | None = None
    ) -> None:
        self._reference = reference_of(target)
        self._names = frozenset(names_of(target))
        self._digests = frozenset(digests_of(target))
        self._packages = packages
        self._left = MAX_COMPARISONS
        self._purls: dict[str, Purl | None] = {}
        self._held: dict[Component, tuple[Package, ...]] = {}
        self._images: dict[Component, bool] = {whole: True} if whole else {}

    def is_meant(self, product: Product, finding: Finding) -> bool:
        """Whether the statement's product is what the finding is about.

        The product is the image (and, where it names parts, the finding's package is one of them); or it is the
        finding's package; or it is another package in the image that the finding's package is part of.
        LimitError beyond MAX_COMPARISONS.
        """
        self._left -= 1 + len(product.parts)
        if self._left < 0:
            raise LimitError(f"VEX that takes more than {MAX_COMPARISONS:,} comparisons")
        if self.is_image(product.component):
            return not product.parts or any(self.is_package(part, finding) for part in product.parts)
        if not product.parts:
            return self.is_package(product.component, finding)
        return any(self.is_package(part, finding) for part in product.parts) and self._is_inside(product, finding)

    def is_image(self, component: Component) -> bool:
        """Whether the component is the image itself, by a digest or by its name."""
        if component not in self._images:
            self._images[component] = bool(self._digests & set(component.hashes)) or any(
                self._is_image_name(name) for name in component.names
            )
        return self._images[component]

    def is_package(self, component: Component, finding: Finding) -> bool:
        """Whether the component is the package that a finding is about; its source where the purl says so."""
        purl = self._purl(finding.subject.purl)
        if purl is None:
            return False
        for name in component.names:
            wanted = self._purl(name)
            if wanted and (is_same(wanted, purl) or self._is_source(wanted, finding)):
                return True
        return False

    def names_version(self, product: Product, finding: Finding) -> bool:
        """Whether the product says of which version it speaks: without one, `fixed` says nothing of what is here."""
        if self.is_image(product.component):
            return bool(product.component.hashes) or any("@" in name or ":" in name.rpartition("/")[2]
                                                         for name in product.component.names)  # fmt: skip
        listed = product.parts or (product.component,)
        purls = [purl_of(name) for one in listed if self.is_package(one, finding) for name in one.names]
        return any(purl and purl.version for purl in purls)

    def _purl(self, text: str) -> Purl | None:
        """The purl in a text: the same ones are asked for again and again."""
        if text not in self._purls:
            self._purls[text] = purl_of(text)
        return self._purls[text]

    def _is_image_name(self, name: str) -> bool:
        purl = purl_of(name) if name.startswith("pkg:") else None
        if purl is None:
            digest = name.rpartition("@")[2]
            return digest in self._digests if digest.startswith("sha") else name in self._names
        return purl.type in _IMAGES and self._is_image_purl(purl)

    def _is_image_purl(self, purl: Purl) -> bool:
        """`pkg:oci/name@sha256:…?repository_url=host/name&tag=…`, `pkg:docker/folder/name@tag-or-digest`."""
        if purl.version.startswith("sha"):
            return purl.version in self._digests
        if self._reference is None:
            return False
        wanted = _reference_of(purl)
        if wanted and (wanted.registry, wanted.repository) != (self._reference.registry, self._reference.repository):
            return False
        if not wanted and purl.name != self._reference.repository.rpartition("/")[2]:
            return False
        tag = purl.qualifier("tag") or purl.version
        return not tag or tag == self._reference.tag

    def _is_source(self, wanted: Purl, finding: Finding) -> bool:
        """Debian writes `?arch=source` where it speaks of a source package."""
        if wanted.qualifier("arch") != "source":
            return False
        for package in self._packages.get(finding.subject.purl, ()):
            name, version = package.source_name or package.name, package.source_version or package.version
            if wanted.type == package.type and wanted.name == name and wanted.version in ("", version):
                return True
        return False

    def _is_inside(self, product: Product, finding: Finding) -> bool:
        """Whether every place of the finding's package belongs to the product: another copy may be affected."""
        inside = self._packages.get(finding.subject.purl, ())
        holders = self._holders(product.component)
        return bool(inside) and bool(holders) and all(_is_held(one, holders) for one in inside)

    def _holders(self, component: Component) -> tuple[Package, ...]:
        if component not in self._held:
            wanted = [purl for name in component.names if (purl := purl_of(name))]
            self._held[component] = tuple(self._wanted(wanted))
        return self._held[component]

    def _wanted(self, wanted: Sequence[Purl]) -> Iterator[Package]:
        for text, packages in self._packages.items():
            purl = purl_of(text)
            if purl and any(is_same(one, purl) for one in wanted):
                yield from packages


def is_same(wanted: Purl, purl: Purl) -> bool:
    """Whether a purl means the other: version, qualifiers and subpath count only where it names them."""
    return (
        wanted.type == purl.type
        and _name(wanted) == _name(purl)
        and wanted.version in ("", purl.version)
        and set(wanted.qualifiers) <= set(purl.qualifiers)
        and wanted.subpath in ("", purl.subpath)
    )


def _name(purl: Purl) -> tuple[str, str]:
    if purl.type == "pypi":
        return purl.namespace, purl.name.lower().replace("_", "-")
    lowered = purl.type in ("deb", "rpm", "apk", "golang", "github", "composer")
    return (purl.namespace.lower(), purl.name.lower()) if lowered else (purl.namespace, purl.name)


def _is_held(package: Package, holders: Sequence[Package]) -> bool:
    places = {place for holder in holders for place in holder.locations}
    if package.owner and package.owner in {holder.purl for holder in holders}:
        return True
    return bool(package.locations) and all(
        place in places or any(place.startswith(f"{one}!/") for one in places) for place in package.locations
    )


def _reference_of(purl: Purl) -> Reference | None:
    """The repository that an image's purl names, or None where it names none."""
    if url := purl.qualifier("repository_url"):
        named = reference_named(url.removeprefix("https://").rstrip("/"))
        # Some name the folder, and leave the image's own name out.
        last = named.repository.rpartition("/")[2] if named else ""
        return named if last == purl.name else reference_named(f"{url.rstrip('/')}/{purl.name}")
    if purl.type == "docker":
        return reference_named(f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name)
    return None
