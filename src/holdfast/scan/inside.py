"""What is inside an image: its layers read or known, its packages put together, what its files hold."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from holdfast.advisory.eol import known_end
from holdfast.fs.overlay import Overlay
from holdfast.malware.finding import Place as MalwarePlace
from holdfast.model.artifact import Image, Layer
from holdfast.model.finding import Finding
from holdfast.model.status import Problem
from holdfast.oci.source import Source
from holdfast.scan.cache import LayerCache
from holdfast.scan.engines import Engines
from holdfast.scan.inventory import Inventory, of_image
from holdfast.scan.layers import LayerRead, Progress, read_layers
from holdfast.scan.options import Checked, Issuers
from holdfast.secret.finding import Place as SecretPlace
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.secret.engine import SecretEngine


class Inside(Struct, frozen=True):
    """The layers as they were read, lowest first, and what they make together."""

    inventory: Inventory
    reads: tuple[LayerRead, ...] = ()
    overlay: Overlay | None = None

    def exists(self, path: str) -> bool:
        """Whether something is at a path of the finished image, behind however many symlinks."""
        return self.overlay is not None and self.overlay.resolve(path) is not None

    def placed(self, finding: Finding, layers: Sequence[Layer]) -> Finding:
        """The finding with the layer of its path, where nothing but the path is known: of what is only there."""
        place = finding.location
        if self.overlay is None or not place.path or place.diff_id:
            return finding
        path = self.overlay.resolve(place.path)
        top = None if path is None else self.overlay.top(path)
        if top is None or top >= len(layers):
            return finding
        layer = layers[top]
        return replace(finding, location=replace(place, diff_id=layer.diff_id, side=layer.side))


def look_inside(
    source: Source, image: Image, engines: Engines, settings: Settings, on_progress: Progress | None
) -> Inside:
    """Read the layers of an image that is open."""
    # A record holds no secret that anybody could be asked about.
    cache = LayerCache(settings.cache, engines.fingerprint, closed=engines.secrets.keeps)
    reads = read_layers(source, engines, cache, on_progress)
    overlay = Overlay([read.record.changes for read in reads])
    inventory, reads = of_image(source, image, reads, overlay, engines.selector, cache)
    return Inside(inventory, tuple(reads), overlay)


def hidden_in(
    inside: Inside, layers: Sequence[Layer], engine: "SecretEngine", outside: Sequence[SecretPlace] = ()
) -> Iterator[Finding]:
    """Secrets and malware of all layers, the lowest first.

    `engine` is the one that found the secrets; `outside` are those that the image's configuration holds.
    """
    secrets = list(outside)
    malware: list[MalwarePlace] = []
    for index, (read, layer) in enumerate(zip(inside.reads, layers, strict=False)):
        for content in read.record.contents:
            assert inside.overlay is not None
            later = inside.overlay.ended_by(content.path, index)
            place = content.path, layer.diff_id, layer.side
            deleted_by = "" if later is None else layers[later].diff_id
            if content.secrets:
                secrets.append(SecretPlace(content.secrets, *place, deleted_by))
            if content.malware:
                malware.append(MalwarePlace(*place, content.malware, deleted_by))
    if secrets:
        from holdfast.secret.finding import findings as of_secrets

        yield from of_secrets(secrets, engine.rules)
    if malware:
        from holdfast.malware import findings as of_malware

        yield from of_malware(malware)


def asked(
    findings: Iterable[Finding], engine: "SecretEngine", issuers: Issuers | None, problems: list[Problem]
) -> tuple[Finding, ...]:
    """The findings with what the issuers of secrets say of them, where they are to be asked."""
    findings = tuple(findings)
    if issuers is None or not engine.kept:
        return findings
    from holdfast.secret.verify import with_answers

    answers, unclear = issuers(engine)
    problems += unclear
    return with_answers(findings, answers)


def assess_configuration(
    name: str, image: Image | None, inside: Inside, checked: Checked, *, pinned: bool = False
) -> Iterable[Finding]:
    """What is wrong with how an image, or a root file system, is set up."""
    from holdfast.misconfig import Scene, assess

    inventory = inside.inventory
    end = checked.end_of_life or known_end(inventory.distribution)
    scene = Scene(
        name=name, image=image, traits=inventory.traits, exists=inside.exists, packages=inventory.packages,
        distribution=inventory.distribution, end_of_life=end, pinned=pinned,
        today=datetime.now(UTC).date(),
    )  # fmt: skip
    layers = image.layers if image else ()
    return [inside.placed(finding, layers) for finding in assess(scene)]
