"""Which manifests refer to an image (distribution-spec v1.1, listing referrers), where a registry knows, or by tags."""

from holdfast.model.errors import AuthError, HoldfastError, LimitError, NotFound
from holdfast.oci.manifest import REFERENCE_NAME, Descriptor, Document, parse_document
from holdfast.oci.registry.client import Fetched, Registry
from holdfast.oci.registry.pages import pages
from holdfast.transport.failure import Transient

MOST = 200
# cosign's older scheme: one tag for each kind of thing, named after the image's digest.
_KINDS = ("sig", "att", "sbom")


def referrers(registry: Registry, repository: str, digest: str) -> list[Descriptor]:
    """Descriptors of the manifests that refer to a digest: the first MOST, and one more where there are more.

    They are asked of the registry's own list, and where it has none, of the tag that stands in for it. SourceError,
    LimitError.
    """
    listed = _listed(registry, repository, digest)
    if listed is None:
        fallback = _tagged(registry, repository, digest.replace(":", "-"))
        listed = (fallback[0].manifests or []) if fallback else []
    return listed[: MOST + 1]


def tagged(registry: Registry, repository: str, digest: str) -> list[Descriptor]:
    """Descriptors of the manifests under the tags that cosign made of a digest before there were such lists.

    Each carries its tag as an annotation, as the index of a layout does, and the artifact type that cosign gives the
    same thing where it refers. SourceError, LimitError.
    """
    found = []
    for kind in _KINDS:
        tag = f"{digest.replace(':', '-')}.{kind}"
        if manifest := _tagged(registry, repository, tag):
            document, fetched = manifest
            found.append(
                Descriptor(
                    document.media_type or fetched.media_type,
                    fetched.digest,
                    len(fetched.data),
                    annotations={REFERENCE_NAME: tag},
                    artifact_type=f"application/vnd.dev.cosign.artifact.{kind}.v1+json",
                )
            )
    return found


def _listed(registry: Registry, repository: str, digest: str) -> list[Descriptor] | None:
    """The registry's own list; None where it has no such thing: it then answers 404, or whatever it likes."""
    found: list[Descriptor] = []
    path, scope = f"/v2/{repository}/referrers/{digest}", f"repository:{repository}:pull"
    try:
        for data in pages(registry.own, path, scope, {"Accept": "application/vnd.oci.image.index.v1+json"}):
            found += parse_document(data, path).manifests or ()
            if len(found) > MOST:
                break
    except (AuthError, LimitError):
        raise
    except HoldfastError as error:
        if isinstance(error.__cause__, Transient):  # it may have one, and is not well: that is no answer
            raise
        return None
    return found


def _tagged(registry: Registry, repository: str, tag: str) -> tuple[Document, Fetched] | None:
    """What a tag leads to, where it is there."""
    try:
        fetched = registry.manifest(repository, tag)
    except NotFound:
        return None
    return parse_document(fetched.data, fetched.digest), fetched
