"""A registry inside the test's own process: OCI layouts served from disk by the distribution API, with knobs.

    with fake({"app": image(tmp_path, [...])}) as it:                 # it is a Listener: it.host, it.url, it.requests
        it.add("other", layout); push(it, layout, "pushed:1.0"); attach(it, "pushed", digest, …)
    fake({...}, referrers=False)                 # 404 instead of the referrers API; filters=False: artifactType ignored
    fake({...}, catalog=False, page=10)          # no catalog; ten names a page whatever the client asks
    fake({...}, tags={"app": ["1", "2"]})        # what tags/list says
    fake({}, names=Names(100_000), everywhere=layout)   # a catalog of names made on the fly, each holding one layout
    fake({...}, users={"ci": "s3cret"})           # basic authentication; token=token_server: bearer, to the second
    fake({...}, host="127.0.0.2", authority=authority, ranges=False)
    it.repositories["app"].tags["latest"] = digest            # everything may be changed while it runs

Sources: opencontainers/distribution-spec v1.1 (pull, push, content discovery, referrers), distribution's
docs/content/spec/api.md for the catalog and its pagination. For what is wrong on purpose see meddler.py.
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload
from uuid import uuid4

from daemons.authority import Authority
from daemons.listener import Listener, running
from daemons.message import Answer, Request
from daemons.token import TokenServer
from world import OCI, digest

INDEX, MANIFEST = OCI + "index.v1+json", OCI + "manifest.v1+json"
_JSON = ("Content-Type", "application/json")


class Names(Sequence[str]):
    """Sorted repository names that are made when they are looked at: `team-0001/service-000123`."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> list[str]: ...
    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(self._count))]
        if not 0 <= at < self._count:
            raise IndexError(at)
        return f"team-{at // 100:04}/service-{at:06}"


@dataclass
class Repository:
    """What one repository holds: manifests as (media type, bytes) and blobs by digest, digests by tag."""

    manifests: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    blobs: dict[str, Path | bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, layout: Path) -> "Repository":
        """All blobs of a layout; the tags of its index.json, and `latest` for an only image without one."""
        it = cls()
        for path in (layout / "blobs").glob("*/*"):
            it.blobs[f"{path.parent.name}:{path.name}"] = path
        entries = json.loads((layout / "index.json").read_text())["manifests"]
        for entry in entries:
            it._learn(entry)
            named = (entry.get("annotations") or {}).get("org.opencontainers.image.ref.name")
            if named or len(entries) == 1:
                it.tags[named or "latest"] = entry["digest"]
        return it

    def blob(self, of: str) -> bytes | None:
        found = self.blobs.get(of)
        return found.read_bytes() if isinstance(found, Path) else found

    def referrers(self, subject: str) -> list[dict[str, Any]]:
        """Descriptors of the manifests whose subject it is."""
        return [
            {
                "mediaType": media_type, "digest": of, "size": len(data),
                "artifactType": document.get("artifactType") or document.get("config", {}).get("mediaType", ""),
                **({"annotations": document["annotations"]} if "annotations" in document else {}),
            }
            for of, (media_type, data) in self.manifests.items()
            for document in [json.loads(data)]
            if (document.get("subject") or {}).get("digest") == subject
        ]  # fmt: skip

    def _learn(self, entry: Mapping[str, Any]) -> None:
        """Take a manifest of a layout, and those that it names."""
        data = self.blob(entry["digest"])
        if data is None:
            return
        self.manifests[entry["digest"]] = entry["mediaType"], data
        for child in json.loads(data).get("manifests") or ():
            self._learn(child)


class Fake(Listener):
    """See the module; the arguments of `fake` are attributes that may be changed."""

    def __init__(
        self,
        layouts: Mapping[str, Path],
        *,
        referrers: bool,
        filters: bool,
        ranges: bool,
        catalog: bool,
        names: Sequence[str] | None,
        everywhere: Path | None,
        page: int,
        tags: Mapping[str, Sequence[str]],
        users: Mapping[str, str] | None,
        token: TokenServer | None,
        host: str,
        authority: Authority | None,
        client_authority: Authority | None,
    ) -> None:
        super().__init__(self._respond, host=host, authority=authority, client_authority=client_authority)
        self.repositories = {name: Repository.of(layout) for name, layout in layouts.items()}
        self.referrers, self.filters, self.ranges, self.catalog = referrers, filters, ranges, catalog
        self.names, self.page, self.tags = names, page, tags
        self.everywhere = Repository.of(everywhere) if everywhere else None
        self.users, self.token = users, token
        self._uploads: dict[str, bytes] = {}

    def add(self, name: str, layout: Path) -> Repository:
        """Serve a layout under one more name."""
        self.repositories[name] = Repository.of(layout)
        return self.repositories[name]

    def _respond(self, request: Request) -> Answer:
        if request.path.rstrip("/") == "/v2":
            return self._refusal(request, "", "", "") or Answer(200, [_JSON], b"{}")
        if request.path == "/v2/_catalog":
            return self._refusal(request, "registry", "catalog", "*") or self._catalog(request)
        for method, pattern, answer in _ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and request.method in method.split():
                name = found["name"]
                action = "pull" if request.method in ("GET", "HEAD") else "push"
                if refusal := self._refusal(request, "repository", name, action):
                    return refusal
                repository = self.repositories.get(name)
                if action == "push" and repository is None:
                    repository = self.repositories.setdefault(name, Repository())
                if repository is None and self.names is not None and _is_among(name, self.names):
                    repository = self.everywhere
                if repository is None:
                    return _error(404, "NAME_UNKNOWN")
                return answer(self, request, repository, found.groupdict())
        return _error(404, "UNSUPPORTED")

    def _refusal(self, request: Request, kind: str, name: str, action: str) -> Answer | None:
        if self.token is not None:
            # Any token of ours opens /v2/: it asks who somebody is, not what for.
            good = bool(request.bearer) if not kind else self.token.permits(request.bearer, kind, name, action)
            wanted = "pull,push" if action == "push" else action
            scope = f"{kind}:{name}:{wanted}" if kind else ""
            if not good:
                error = "" if not request.bearer else "insufficient_scope" if scope else "invalid_token"
                return _error(401, "UNAUTHORIZED").having(WWW_Authenticate=self.token.challenge(scope, error))
        elif self.users is not None:
            user, password = request.basic or ("", "")
            if self.users.get(user) != password or not user:
                return _error(401, "UNAUTHORIZED").having(WWW_Authenticate='Basic realm="holdfast"')
        return None

    def _catalog(self, request: Request) -> Answer:
        if not self.catalog:
            return _error(404, "UNSUPPORTED")
        names = self.names if self.names is not None else sorted(self.repositories)
        return self._paged(request, names, lambda some: {"repositories": some})

    def _list(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        name = found["name"]
        tags = sorted(self.tags.get(name, repository.tags))
        return self._paged(request, tags, lambda some: {"name": name, "tags": some})

    def _paged(self, request: Request, items: Sequence[str], document: Callable[[list[str]], object]) -> Answer:
        last = request.query.get("last", [""])[-1]
        asked = request.query.get("n", ["0"])[-1]
        count = min(int(asked) or self.page, self.page) if asked.isdecimal() else self.page
        start = bisect_right(items, last) if last else 0
        some = list(items[start : start + count])
        answer = Answer(200, [_JSON], json.dumps(document(some)).encode())
        if start + count < len(items) and some:
            return answer.having(Link=f'<{request.path}?n={count}&last={some[-1]}>; rel="next"')
        return answer

    def _manifest(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        selector = found["selector"]
        of = repository.tags.get(selector, selector)
        stored = repository.manifests.get(of)
        if stored is None:
            return _error(404, "MANIFEST_UNKNOWN")
        return Answer(200, [("Content-Type", stored[0]), ("Docker-Content-Digest", of)], stored[1])

    def _put_manifest(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        of = digest(request.body)
        repository.manifests[of] = request.header("Content-Type"), request.body
        if ":" not in found["selector"]:
            repository.tags[found["selector"]] = of
        subject = (json.loads(request.body).get("subject") or {}).get("digest")
        answer = Answer(201, [("Location", f"/v2/{found['name']}/manifests/{of}"), ("Docker-Content-Digest", of)])
        return answer.having(OCI_Subject=subject) if subject and self.referrers else answer

    def _delete_manifest(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        selector = found["selector"]
        repository.manifests.pop(selector, None)
        repository.tags = {tag: of for tag, of in repository.tags.items() if selector not in (tag, of)}
        return Answer(202)

    def _blob(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        data = repository.blob(found["digest"])
        if data is None:
            return _error(404, "BLOB_UNKNOWN")
        headers = [("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", found["digest"])]
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", request.header("Range"))
        if not self.ranges or part is None:
            return Answer(200, [*headers, *([("Accept-Ranges", "bytes")] if self.ranges else [])], data)
        start, end = int(part[1]), min(int(part[2] or len(data)), len(data) - 1)
        if start >= len(data):
            return Answer(416, [("Content-Range", f"bytes */{len(data)}")])
        stated = ("Content-Range", f"bytes {start}-{end}/{len(data)}")
        return Answer(206, [*headers, stated], data[start : end + 1])

    def _open_upload(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        return self._opened(found["name"], str(uuid4()), b"")

    def _patch_upload(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        return self._opened(found["name"], found["id"], self._uploads[found["id"]] + request.body)

    def _opened(self, name: str, upload: str, data: bytes) -> Answer:
        self._uploads[upload] = data
        place = f"/v2/{name}/blobs/uploads/{upload}"
        return Answer(
            202, [("Location", place), ("Docker-Upload-UUID", upload), ("Range", f"0-{max(0, len(data) - 1)}")]
        )

    def _put_blob(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        of, data = request.query["digest"][-1], self._uploads.pop(found["id"]) + request.body
        if digest(data) != of:
            return _error(400, "DIGEST_INVALID")
        repository.blobs[of] = data
        return Answer(201, [("Location", f"/v2/{found['name']}/blobs/{of}"), ("Docker-Content-Digest", of)])

    def _referrers(self, request: Request, repository: Repository, found: Mapping[str, str]) -> Answer:
        if not self.referrers:
            return _error(404, "UNSUPPORTED")
        entries = repository.referrers(found["digest"])
        headers = [("Content-Type", INDEX)]
        wanted = request.query.get("artifactType", [])
        if self.filters and wanted:
            entries = [entry for entry in entries if entry["artifactType"] in wanted]
            headers.append(("OCI-Filters-Applied", "artifactType"))
        body = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return Answer(200, headers, json.dumps(body).encode())


_NAME, _DIGEST = r"/v2/(?P<name>[^?]+)", r"(?P<digest>[^/]+)"
_ROUTES = (
    ("GET HEAD", rf"{_NAME}/tags/list", Fake._list),
    ("GET HEAD", rf"{_NAME}/manifests/(?P<selector>[^/]+)", Fake._manifest),
    ("PUT", rf"{_NAME}/manifests/(?P<selector>[^/]+)", Fake._put_manifest),
    ("DELETE", rf"{_NAME}/manifests/(?P<selector>[^/]+)", Fake._delete_manifest),
    ("POST", rf"{_NAME}/blobs/uploads/", Fake._open_upload),
    ("PATCH", rf"{_NAME}/blobs/uploads/(?P<id>[^/]+)", Fake._patch_upload),
    ("PUT", rf"{_NAME}/blobs/uploads/(?P<id>[^/]+)", Fake._put_blob),
    ("GET HEAD", rf"{_NAME}/blobs/{_DIGEST}", Fake._blob),
    ("GET HEAD", rf"{_NAME}/referrers/{_DIGEST}", Fake._referrers),
)


def _error(status: int, code: str) -> Answer:
    return Answer(status, [_JSON], json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode())


def _is_among(name: str, names: Sequence[str]) -> bool:
    at = bisect_left(names, name)
    return at < len(names) and names[at] == name


@contextmanager
def fake(
    layouts: Mapping[str, Path] = {},
    *,
    referrers: bool = True,
    filters: bool = True,
    ranges: bool = True,
    catalog: bool = True,
    names: Sequence[str] | None = None,
    everywhere: Path | None = None,
    page: int = 1000,
    tags: Mapping[str, Sequence[str]] = {},
    users: Mapping[str, str] | None = None,
    token: TokenServer | None = None,
    host: str = "127.0.0.1",
    authority: Authority | None = None,
    client_authority: Authority | None = None,
) -> Iterator[Fake]:
    """A running registry; see the module."""
    it = Fake(
        layouts, referrers=referrers, filters=filters, ranges=ranges, catalog=catalog, names=names,
        everywhere=everywhere, page=page, tags=tags, users=users, token=token, host=host, authority=authority,
        client_authority=client_authority,
    )  # fmt: skip
    with running(it):
        yield it
