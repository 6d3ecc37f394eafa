"""Our own small pusher: what a test wants a registry to hold, put there over the distribution API.

    pushed = push(it, image(tmp_path, [layer({...})]), "app:1.0")        # anything with .url and .context, or HOST:PORT
    pushed.digest, pushed.repository, pushed.tags, pushed.manifests      # of the tagged document; {tag: digest}; all
    push(it, layout, "team/app", auth=("ci", "s3cret"))                  # the tags that the layout's own index.json has
    push(it, layout, "app:old", docker=True)                             # as Docker's media types (other digests)
    attach(it, "app", pushed.digest, "application/spdx+json", [("application/spdx+json", b"{…}")])   # a referrer
    Pusher(it, auth=…).ask("DELETE", f"/v2/app/manifests/{digest}")      # any other request

A name with a tag and a layout of several entries: its index.json itself becomes the index behind the tag. Nested
indexes and attestation manifests go along. Basic and bearer authentication are answered as the registry asks.
"""

import base64
import http.client
import json
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from world import DOCKER, OCI, blob, digest

INDEX, MANIFEST, EMPTY = OCI + "index.v1+json", OCI + "manifest.v1+json", "application/vnd.oci.empty.v1+json"
_AS_DOCKER = {
    INDEX: DOCKER + "distribution.manifest.list.v2+json",
    MANIFEST: DOCKER + "distribution.manifest.v2+json",
    OCI + "config.v1+json": DOCKER + "container.image.v1+json",
    OCI + "layer.v1.tar": DOCKER + "image.rootfs.diff.tar",
    OCI + "layer.v1.tar+gzip": DOCKER + "image.rootfs.diff.tar.gzip",
    OCI + "layer.v1.tar+zstd": DOCKER + "image.rootfs.diff.tar.zstd",
}
ACCEPT = ", ".join((INDEX, MANIFEST, _AS_DOCKER[INDEX], _AS_DOCKER[MANIFEST]))
_SECONDS = 30
Credentials = tuple[str, str]


class Place(Protocol):
    """Something that can be pushed to: a `Registry`, a `Meddler`, a `Fake`."""

    @property
    def url(self) -> str: ...
    @property
    def context(self) -> ssl.SSLContext | None: ...


@dataclass(frozen=True)
class Reply:
    """What a registry answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Pushed:
    """What is in the registry now. `digest` is that of the last document that was tagged (or untagged but on top)."""

    host: str
    repository: str
    digest: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    manifests: list[str] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)

    @property
    def tagged(self) -> str:
        """HOST/REPOSITORY:TAG, by the last tag."""
        return f"{self.host}/{self.repository}:{list(self.tags)[-1]}"

    @property
    def pinned(self) -> str:
        """HOST/REPOSITORY@DIGEST."""
        return f"{self.host}/{self.repository}@{self.digest}"


class Pusher:
    """A client for one registry, over one connection that is kept open."""

    def __init__(self, place: Place | str, auth: Credentials | None = None) -> None:
        self.url = f"http://{place}" if isinstance(place, str) else place.url
        self.host = urlsplit(self.url).netloc
        self._context = None if isinstance(place, str) else place.context
        self._auth = auth
        self._authorization = ""
        self._connection = _connection(self.url, self._context)

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        """The answer to a request, once it has been authorised. Header names are written with _ for -."""
        reply = self._once(method, target, body, headers)
        if reply.status == 401 and self._answer(reply.headers.get("www-authenticate", "")):
            reply = self._once(method, target, body, headers)
        return reply

    def do(self, status: int, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
        """As `ask`, for an answer that has to be this one."""
        reply = self.ask(method, target, body, **headers)
        assert reply.status == status, f"{method} {target}: {reply.status} {reply.body[:500]!r}"
        return reply

    def has(self, target: str) -> bool:
        return self.ask("HEAD", target, Accept=ACCEPT).status == 200

    def blob(self, repository: str, data: bytes) -> str:
        """Upload a blob in one piece (distribution-spec: POST, then PUT), unless it is there."""
        of = digest(data)
        if not self.has(f"/v2/{repository}/blobs/{of}"):
            opened = self.do(202, "POST", f"/v2/{repository}/blobs/uploads/")
            place = urlsplit(opened.headers["location"])
            query = f"{place.query}&" if place.query else ""
            self.do(
                201, "PUT", f"{place.path}?{query}digest={quote(of)}", data, Content_Type="application/octet-stream"
            )
        return of

    def manifest(self, repository: str, data: bytes, media_type: str, tag: str = "") -> Reply:
        """Upload a manifest or index, by its tag or else by its digest."""
        return self.do(201, "PUT", f"/v2/{repository}/manifests/{tag or digest(data)}", data, Content_Type=media_type)

    def _once(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._authorization:
            named["Authorization"] = self._authorization
        self._connection.request(method, target, body or None, {"Content-Length": str(len(body))} | named)
        with self._connection.getresponse() as response:
            kept = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, kept, response.read())

    def _answer(self, challenge: str) -> bool:
        """Learn what to say in Authorization; False where there is nothing new to say."""
        scheme, _, rest = challenge.partition(" ")
        said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        before = self._authorization
        basic = "Basic " + base64.b64encode(":".join(self._auth).encode()).decode() if self._auth else ""
        if scheme.lower() == "basic":
            self._authorization = basic
        elif scheme.lower() == "bearer":
            asked = urlencode({name: said[name] for name in ("service", "scope") if name in said})
            realm = urlsplit(said["realm"])
            connection = _connection(said["realm"], self._context)
            connection.request("GET", f"{realm.path}?{asked}", headers={"Authorization": basic} if basic else {})
            with connection.getresponse() as response:
                content = response.read()
                assert response.status == 200, f"token server: {response.status} {content[:300]!r}"
            connection.close()
            self._authorization = f"Bearer {json.loads(content)['token']}"
        return self._authorization != before


def push(
    place: Place | str, layout: Path, name: str, *, auth: Credentials | None = None, docker: bool = False
) -> Pushed:
    """Upload all of an OCI layout. See the module."""
    repository, _, tag = name.partition(":")
    pusher = Pusher(place, auth)
    pushed = Pushed(pusher.host, repository)
    upload = _Upload(pusher, layout, pushed, docker)
    entries = json.loads((layout / "index.json").read_text())["manifests"]
    if tag and len(entries) > 1:
        bare = [
            {key: value for key, value in entry.items() if key != "annotations"} | _kept(entry) for entry in entries
        ]
        data, media_type = upload.document({"schemaVersion": 2, "mediaType": INDEX, "manifests": bare})
        upload.top(data, media_type, [tag])
    else:
        for entry in entries:
            named = (entry.get("annotations") or {}).get("org.opencontainers.image.ref.name", "")
            data, media_type = upload.document_of(entry)
            upload.top(data, media_type, [tag or named] if tag or named else [])
    pusher.close()
    return pushed


def _kept(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An index entry's annotations without the names that a layout gives it."""
    annotations = {key: value for key, value in (entry.get("annotations") or {}).items() if "name" not in key}
    return {"annotations": annotations} if annotations else {}


class _Upload:
    """One layout on its way, the lower documents first: a registry takes nothing that leads nowhere."""

    def __init__(self, pusher: Pusher, layout: Path, pushed: Pushed, docker: bool) -> None:
        self._pusher, self._layout, self._pushed, self._docker = pusher, layout, pushed, docker
        self._renamed: dict[str, str] = {}

    def top(self, data: bytes, media_type: str, tags: Sequence[str]) -> None:
        for tag in tags or [""]:
            self._pusher.manifest(self._pushed.repository, data, media_type, tag)
        self._pushed.digest = digest(data)
        self._pushed.tags |= dict.fromkeys(tags, digest(data))
        self._pushed.manifests.append(digest(data))

    def document_of(self, descriptor: Mapping[str, Any]) -> tuple[bytes, str]:
        """The bytes and media type of a manifest or index as it will be pushed; what it names is pushed already."""
        data = (self._layout / blob(descriptor["digest"])).read_bytes()
        document = json.loads(data)
        built, media_type = self.document(document, descriptor["mediaType"])
        # What is not changed stays as it was, byte for byte.
        same = json.loads(built) == document
        return (data if same else built), media_type

    def document(self, document: dict[str, Any], stated: str = "") -> tuple[bytes, str]:
        media_type = document.get("mediaType") or stated
        document = dict(document)
        if "manifests" in document:
            document["manifests"] = [self._child(entry) for entry in document["manifests"]]
        else:
            document["config"] = self._blob(document["config"])
            document["layers"] = [self._blob(entry) for entry in document.get("layers", ())]
            self._pushed.layers += [entry["digest"] for entry in document["layers"]]
        if self._docker:
            media_type = _AS_DOCKER.get(media_type, media_type)
            document["mediaType"] = media_type
        return json.dumps(document).encode(), media_type

    def _child(self, entry: dict[str, Any]) -> dict[str, Any]:
        data, media_type = self.document_of(entry)
        self._pusher.manifest(self._pushed.repository, data, media_type)
        self._pushed.manifests.append(digest(data))
        self._renamed[entry["digest"]] = digest(data)
        child = entry | {"digest": digest(data), "size": len(data), "mediaType": media_type}
        if annotations := entry.get("annotations"):  # an attestation names the image it is about by its digest
            child["annotations"] = {key: self._renamed.get(value, value) for key, value in annotations.items()}
        return child

    def _blob(self, entry: dict[str, Any]) -> dict[str, Any]:
        self._pusher.blob(self._pushed.repository, (self._layout / blob(entry["digest"])).read_bytes())
        return entry | {"mediaType": _AS_DOCKER.get(entry["mediaType"], entry["mediaType"])} if self._docker else entry


def attach(
    place: Place | str,
    repository: str,
    subject: str,
    artifact_type: str,
    blobs: Sequence[tuple[str, bytes]] = (),
    annotations: Mapping[str, str] = {},
    *,
    layer_annotations: Mapping[str, str] = {},
    auth: Credentials | None = None,
    fallback: bool | None = None,
) -> str:
    """Push a manifest that refers to `subject` (a digest); its own digest.

    It is listed under the tag `sha256-<hex>` too where the registry does not say that it knows referrers (no
    OCI-Subject in its answer), or as `fallback` says. Source: distribution-spec v1.1, "Pushing Manifests with Subject"
    and "Referrers Tag Schema".
    """
    pusher = Pusher(place, auth)
    about = pusher.do(200, "HEAD", f"/v2/{repository}/manifests/{subject}", Accept=ACCEPT).headers
    pusher.blob(repository, b"{}")
    document: dict[str, Any] = {
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
        "config": {"mediaType": EMPTY, "digest": digest(b"{}"), "size": 2},
        "layers": [
            {"mediaType": media_type, "digest": pusher.blob(repository, data), "size": len(data)}
            | ({"annotations": dict(layer_annotations)} if layer_annotations else {})
            for media_type, data in blobs or [(EMPTY, b"{}")]
        ],
        "subject": {
            "mediaType": about["content-type"], "digest": subject, "size": int(about["content-length"]),
        },
        **({"annotations": dict(annotations)} if annotations else {}),
    }  # fmt: skip
    data = json.dumps(document).encode()
    reply = pusher.manifest(repository, data, MANIFEST)
    if fallback or (fallback is None and "oci-subject" not in reply.headers):
        entry = {
            "mediaType": MANIFEST, "digest": digest(data), "size": len(data), "artifactType": artifact_type,
            **({"annotations": dict(annotations)} if annotations else {}),
        }  # fmt: skip
        _list(pusher, repository, subject, entry)
    pusher.close()
    return digest(data)


def _list(pusher: Pusher, repository: str, subject: str, entry: dict[str, Any]) -> None:
    """Add a descriptor to the index under a subject's fallback tag."""
    tag = subject.replace(":", "-")
    found = pusher.ask("GET", f"/v2/{repository}/manifests/{tag}", Accept=ACCEPT)
    entries = json.loads(found.body)["manifests"] if found.status == 200 else []
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*entries, entry]}
    pusher.manifest(repository, json.dumps(index).encode(), INDEX, tag)


def _connection(url: str, context: ssl.SSLContext | None) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=_SECONDS, context=context)
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=_SECONDS)
