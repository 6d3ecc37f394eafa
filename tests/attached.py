"""Builders of what is attached to images: bills of materials, statements about them, and where they are kept.

    path = build(tmp_path, [layer({...})], [(SPDX, spdx("deb bash 5.2")), (SLSA_1, provenance())])
                              # an OCI layout as BuildKit writes it: an index of the image and its attestation manifest
    subject(path)             # the digest of the image's manifest, which statements are about
    refer(path, "application/spdx+json", spdx("deb bash 5.2"))      # a manifest in index.json that refers to it
    tag(path, "att", envelope(statement(subject(path), SPDX, …)), DSSE)     # under cosign's tag
    serve(it, path, "app:1")  # all of that in a registry, its own referrers list or the tag that stands in for it

Sources: those of oci/attachment.py and catalog/statement.py.
"""

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from daemons.push import EMPTY, INDEX, MANIFEST, Place, Pusher, attach, push
from world import OCI, blob, image, put

SPDX, CYCLONEDX, OPENVEX = (
    "https://spdx.dev/Document",
    "https://cyclonedx.org/bom/v1.6",
    "https://openvex.dev/ns/v0.2.0",
)
SLSA_02, SLSA_1 = "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"
IN_TOTO, DSSE = "application/vnd.in-toto+json", "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"
Document = dict[str, Any]
Made = Callable[[str], bytes]


def _purl(what: str) -> tuple[str, str, str]:
    kind, name, version = what.split()
    vendor = {"deb": "debian/", "apk": "alpine/"}.get(kind, "")
    distro = {"deb": "?distro=debian-12", "apk": "?distro=alpine-3.20"}.get(kind, "")
    return name, version, f"pkg:{kind}/{vendor}{name}@{version}{distro}"


def spdx(*packages: str, name: str = "sbom") -> Document:
    """An SPDX document of packages such as `deb bash 5.2`."""
    listed = [
        {
            "SPDXID": f"SPDXRef-{number}", "name": name, "versionInfo": version,
            "externalRefs": [{"referenceType": "purl", "referenceLocator": purl}],
        }
        for number, (name, version, purl) in enumerate(map(_purl, packages))
    ]  # fmt: skip
    return {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": name, "packages": listed}


def cyclonedx(*packages: str, exploited: Sequence[str] = ()) -> Document:
    """A CycloneDX document; `exploited` are the packages that its vulnerabilities are said to affect."""
    listed = [
        {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
        for name, version, purl in map(_purl, packages)
    ]
    vulnerabilities = [
        {"id": f"CVE-2026-{number}", "analysis": {"state": "not_affected"}, "affects": [{"ref": _purl(one)[2]}]}
        for number, one in enumerate(exploited)
    ]
    said = {"vulnerabilities": vulnerabilities} if vulnerabilities else {}
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": listed, **said}


def provenance(source: str = "https://example.org/shop.git", **members: Any) -> Document:
    """A SLSA v1 predicate."""
    definition = {
        "buildType": "https://mobyproject.org/buildkit@v1",
        "externalParameters": {"configSource": {"uri": source, "digest": {"sha1": "cafe"}}},
        "resolvedDependencies": [{"uri": "pkg:docker/debian@12", "digest": {"sha256": "89" * 32}}],
    }
    details = {"builder": {"id": "https://example.org/builder"}}
    return {"buildDefinition": definition, "runDetails": details} | members


def statement(about: str, predicate_type: str, predicate: Any) -> bytes:
    """An in-toto statement about the manifest with a digest."""
    algorithm, _, value = about.partition(":")
    subjects = [{"name": "_", "digest": {algorithm: value}}]
    document = {
        "_type": "https://in-toto.io/Statement/v0.1", "subject": subjects, "predicateType": predicate_type,
        "predicate": predicate,
    }  # fmt: skip
    return json.dumps(document).encode()


def envelope(content: bytes) -> bytes:
    """A statement in a DSSE envelope that somebody signed."""
    return json.dumps(_envelope(content)).encode()


def bundle(content: bytes) -> bytes:
    """A statement in a sigstore bundle."""
    return json.dumps({"mediaType": BUNDLE, "dsseEnvelope": _envelope(content)}).encode()


def _envelope(content: bytes) -> Document:
    payload = base64.b64encode(content).decode()
    return {"payload": payload, "payloadType": IN_TOTO, "signatures": [{"sig": "c2ln"}]}


def build(
    where: Path,
    layers: Sequence[bytes],
    attested: Sequence[tuple[str, Any]] = (),
    *,
    name: str = "image",
    **fields: Any,
) -> Path:
    """A layout with one image in an index, and a BuildKit attestation manifest of these predicates beside it.

    A predicate may be a function: it is given the image's digest and gives the whole blob.
    """
    path = image(where, layers, name=name, **fields)
    entry = entries(path)[0]
    files: dict[str, Any] = {}
    made = [_attestation(files, entry["digest"], attested)] if attested else []
    inner = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry, *made]}
    top = put(files, json.dumps(inner).encode(), INDEX)
    _store(path, files)
    _write(path, [top | {"annotations": entry["annotations"]}])
    return path


def _attestation(files: dict[str, Any], about: str, attested: Sequence[tuple[str, Any]]) -> Document:
    layers = []
    for predicate_type, predicate in attested:
        data = predicate(about) if callable(predicate) else statement(about, predicate_type, predicate)
        stated = {"annotations": {"in-toto.io/predicate-type": predicate_type}} if predicate_type else {}
        layers.append(put(files, data, IN_TOTO) | stated)
    config = put(files, b"{}", OCI + "config.v1+json")
    return put(files, _manifest(config, layers), MANIFEST) | {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about},
    }


def _manifest(config: Document, layers: Sequence[Document], **members: Any) -> bytes:
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": list(layers)}
    return json.dumps(document | members).encode()


def artifact(files: dict[str, Any], about: str, artifact_type: str, data: bytes, **annotations: str) -> Document:
    """A manifest that refers to another: its descriptor, as an index lists it."""
    layer = put(files, data, artifact_type) | ({"annotations": annotations} if annotations else {})
    subject = {"mediaType": MANIFEST, "digest": about, "size": 1}
    written = _manifest(put(files, b"{}", EMPTY), [layer], artifactType=artifact_type, subject=subject)
    return put(files, written, MANIFEST) | {"artifactType": artifact_type}


def refer(path: Path, artifact_type: str, data: Document | bytes | Made, about: str = "", **annotations: str) -> str:
    """Add a manifest that refers to the image, or to `about`, as `oras attach` does; its digest."""
    about = about or subject(path)
    files: dict[str, Any] = {}
    made = artifact(files, about, artifact_type, _bytes(data, about), **annotations)
    _store(path, files)
    _write(path, [*entries(path), made])
    return str(made["digest"])


def tag(path: Path, kind: str, data: Document | bytes | Made, media_type: str, **annotations: str) -> str:
    """Add a manifest under cosign's tag: kind is `sig`, `att` or `sbom`; its digest."""
    about = subject(path)
    files: dict[str, Any] = {}
    layer = put(files, _bytes(data, about), media_type) | ({"annotations": annotations} if annotations else {})
    made = put(files, _manifest(put(files, b"{}", OCI + "config.v1+json"), [layer]), MANIFEST)
    named = {"org.opencontainers.image.ref.name": f"{about.replace(':', '-')}.{kind}"}
    _store(path, files)
    _write(path, [*entries(path), made | {"annotations": named}])
    return str(made["digest"])


def serve(place: Place, path: Path, name: str) -> str:
    """Push the first image of a layout, what refers to it and cosign's tags; the reference that names it."""
    top, *others = entries(path)
    index = path / "index.json"
    whole = index.read_bytes()
    _write(path, [top])
    pushed = push(place, path, name)
    index.write_bytes(whole)
    pusher = Pusher(place)
    for entry in others:
        document = read(path, entry["digest"])
        carried = [(layer["mediaType"], (path / blob(layer["digest"])).read_bytes()) for layer in document["layers"]]
        noted = document["layers"][0].get("annotations") or {}
        if about := document.get("subject"):
            kind = document["artifactType"]
            attach(place, pushed.repository, about["digest"], kind, carried, layer_annotations=noted)
            continue
        for each in (document["config"], *document["layers"]):
            pusher.blob(pushed.repository, (path / blob(each["digest"])).read_bytes())
        named = entry["annotations"]["org.opencontainers.image.ref.name"]
        pusher.manifest(pushed.repository, (path / blob(entry["digest"])).read_bytes(), MANIFEST, named)
    pusher.close()
    return pushed.tagged


def subject(path: Path) -> str:
    """The digest of the first image's manifest in a layout."""
    entry = entries(path)[0]
    while entry["mediaType"] == INDEX:
        entry = read(path, entry["digest"])["manifests"][0]
    return str(entry["digest"])


def entries(path: Path) -> list[Document]:
    """What a layout's index.json lists."""
    listed: list[Document] = json.loads((path / "index.json").read_text())["manifests"]
    return listed


def read(path: Path, of: str) -> Document:
    """A JSON blob of a layout."""
    document: Document = json.loads((path / blob(of)).read_text())
    return document


def _write(path: Path, listed: Sequence[Document]) -> None:
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": list(listed)}))


def _store(path: Path, files: dict[str, Any]) -> None:
    for relative, data in files.items():
        (path / relative).parent.mkdir(parents=True, exist_ok=True)
        (path / relative).write_bytes(data)


def _bytes(data: Document | bytes | Made, about: str) -> bytes:
    if callable(data):
        return data(about)
    return data if isinstance(data, bytes) else json.dumps(data).encode()
