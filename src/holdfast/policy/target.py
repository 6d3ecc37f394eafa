"""What a target is called by: as it was typed, without its kind, and as registries know it."""

from holdfast.model.errors import InputError
from holdfast.model.report import Target
from holdfast.oci.reference import Reference
from holdfast.policy.glob import matches

_WITHOUT_REGISTRY = ("oci", "oci-archive", "docker-archive", "dir", "sbom", "dockerfile")


def reference_of(target: Target) -> Reference | None:
    """The image as a registry knows it; None for folders, archives, Dockerfiles and what is no image's name."""
    if target.kind in _WITHOUT_REGISTRY:
        return None
    return reference_named(_bare(target))


def reference_named(text: str) -> Reference | None:
    """An image's name understood, or None."""
    try:
        return Reference.parse(text)
    except InputError:
        return None


def names_of(target: Target) -> tuple[str, ...]:
    """All texts that a pattern for targets is held against."""
    reference = reference_of(target)
    known = (str(reference), reference.name) if reference else ()
    return tuple(dict.fromkeys((target.name, _bare(target), *known)))


def is_meant(pattern: str, target: Target) -> bool:
    """Whether a pattern for targets matches this one."""
    return any(matches(pattern, name) for name in names_of(target))


def digests_of(target: Target) -> tuple[str, ...]:
    """The digests that pin the target."""
    return tuple(one for one in (target.digest, target.index_digest, target.config_digest) if one)


def _bare(target: Target) -> str:
    return target.name.removeprefix(f"{target.kind}:").removeprefix("//")
