"""in-toto statements: what somebody says of an image, plain, in a DSSE envelope, or in a sigstore bundle.

Sources: in-toto/attestation spec v0.1 and v1, secure-systems-lab/dsse envelope.md, sigstore/protobuf-specs
sigstore_bundle.proto (its JSON form), slsa.dev provenance v0.2 and v1, moby/buildkit docs/attestations.
"""

import base64
import binascii
import re
from contextlib import suppress
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from holdfast.catalog.document import MAX_TEXT, bounded
from holdfast.model.artifact import AttachmentKind, Provenance, kind_of
from holdfast.model.errors import InputError, LimitError

MAX_BYTES = 192 << 20
"""An SBOM of 128 MiB, in base64."""
MAX_VALUES = 3_000_000
MAX_MATERIALS = 10_000
_TYPES = re.compile(r"https://in-toto\.io/Statement/v(0\.1|1)")
_PAYLOAD_TYPE = "application/vnd.in-toto+json"
_BUILDKIT = "https://mobyproject.org/buildkit@v1#metadata"
_USER = re.compile(r"(?<=://)[^/?#\s]*@")


class Statement(Struct, frozen=True):
    """What is said of its subjects, pairs of name and digest (`sha256:…`). `predicate` is the raw JSON.

    `signed` means that signatures stand beside it: they were not checked here.
    """

    subjects: tuple[tuple[str, str], ...]
    predicate_type: str
    predicate: bytes
    signed: bool = False

    @property
    def kind(self) -> AttachmentKind:
        """What it tells of its subjects."""
        return kind_of(self.predicate_type)

    def speaks_of(self, digest: str) -> bool:
        """Whether that digest is among its subjects."""
        return any(subject == digest for _, subject in self.subjects)


class _Subject(Struct):
    name: str | None = None
    digest: dict[str, str] | None = None


class _Signature(Struct):
    sig: str | None = None


class _Envelope(Struct):
    payload: str = ""
    payload_type: str = field(default="", name="payloadType")
    signatures: list[_Signature] | None = None


class _Document(Struct):
    """A statement, an envelope or a bundle: which one shows the member that it has."""

    type: str = field(default="", name="_type")
    subject: list[_Subject] | None = None
    predicate_type: str = field(default="", name="predicateType")
    predicate: Raw = Raw()
    payload: str | None = None
    payload_type: str = field(default="", name="payloadType")
    signatures: list[_Signature] | None = None
    envelope: _Envelope | None = field(default=None, name="dsseEnvelope")
    message_signature: Raw = field(default=Raw(), name="messageSignature")


class _Wrapped(Struct):
    data: Raw = field(name="Data")
    timestamp: str = field(name="Timestamp")


_DOCUMENT = msgspec.json.Decoder(_Document)
_WRAPPED = msgspec.json.Decoder(_Wrapped)


def read_statement(data: bytes) -> Statement:
    """The statement of these bytes; InputError where there is none, LimitError beyond MAX_BYTES or MAX_VALUES."""
    document = _decoded(data)
    if document.envelope is not None:
        return _opened(document.envelope)
    if document.payload is not None:
        return _opened(_Envelope(document.payload, document.payload_type, document.signatures))
    if document.message_signature:
        raise InputError("a signature over bytes, not a statement")
    return _statement(document, signed=False)


def _opened(envelope: _Envelope) -> Statement:
    if envelope.payload_type != _PAYLOAD_TYPE:
        raise InputError(f"an envelope of {envelope.payload_type[:80]!r}, not of an in-toto statement")
    try:
        # Standard or URL-safe, padded or not: envelope.md allows both alphabets.
        text = envelope.payload.replace("-", "+").replace("_", "/").rstrip("=")
        payload = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"an envelope whose payload is not base64: {error}") from error
    return _statement(_decoded(payload), signed=any(one.sig for one in envelope.signatures or ()))


def _decoded(data: bytes) -> _Document:
    if len(data) > MAX_BYTES:
        raise LimitError(f"a statement over {MAX_BYTES >> 20} MiB")
    try:
        return _DOCUMENT.decode(bounded(data, MAX_VALUES))
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise InputError(f"not an in-toto statement: {str(error)[:200]}") from error


def _statement(document: _Document, *, signed: bool) -> Statement:
    if not _TYPES.fullmatch(document.type):
        raise InputError(f"not an in-toto statement: its type is {document.type[:80]!r}")
    if not document.predicate:
        raise InputError("an in-toto statement without a predicate")
    subjects = tuple(
        (subject.name or "", f"{algorithm}:{value}".lower())
        for subject in document.subject or ()
        for algorithm, value in (subject.digest or {}).items()
    )
    return Statement(subjects, document.predicate_type, _unwrapped(bytes(document.predicate)), signed)


def _unwrapped(predicate: bytes) -> bytes:
    """The document itself, where cosign wrapped it with the time (`{"Data": …, "Timestamp": …}`) or as a string."""
    with suppress(msgspec.MsgspecError, RecursionError, UnicodeError):
        predicate = bytes(_WRAPPED.decode(predicate).data)
    if predicate[:1] != b'"':
        return predicate
    try:
        return msgspec.json.decode(predicate, type=str).encode()
    except (msgspec.MsgspecError, UnicodeError):
        return predicate


def provenance_of(predicate_type: str, predicate: bytes) -> Provenance:
    """Who built it, from what: a SLSA provenance predicate, v0.2 or v1, as BuildKit and GitHub write them.

    What is absent or of another shape is empty. InputError where it is no provenance or no JSON object, LimitError
    beyond MAX_BYTES, MAX_VALUES or MAX_MATERIALS.
    """
    if kind_of(predicate_type) is not AttachmentKind.PROVENANCE:
        raise InputError(f"not a provenance: {predicate_type[:80]!r}")
    if len(predicate) > MAX_BYTES:
        raise LimitError(f"a provenance over {MAX_BYTES >> 20} MiB")
    try:
        said = msgspec.json.decode(bounded(predicate, MAX_VALUES))
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise InputError(f"not a provenance: {str(error)[:200]}") from error
    if not isinstance(said, dict):
        raise InputError("not a provenance: no JSON object")
    return _provenance_1(said) if "buildDefinition" in said else _provenance_02(said)


def _provenance_02(said: dict[str, Any]) -> Provenance:
    config = _at(said, "invocation", "configSource")
    claimed = _at(said, "metadata", _BUILDKIT, "vcs")
    return Provenance(
        builder=_text(said, "builder", "id"),
        build_type=_text(said, "buildType"),
        source=_text(config, "uri") or _text(claimed, "source"),
        revision=_bare(_digest(config)) or _text(claimed, "revision"),
        materials=_materials(_at(said, "materials")),
    )


def _provenance_1(said: dict[str, Any]) -> Provenance:
    definition, details = _at(said, "buildDefinition"), _at(said, "runDetails")
    given = _at(definition, "externalParameters")
    # BuildKit and slsa-github-generator name what they built from, GitHub's own attestations the workflow's repository.
    config = _at(given, "configSource") or _at(given, "source")
    metadata = _at(details, "metadata")
    claimed = _at(metadata, "buildkit_metadata", "vcs") or _at(metadata, _BUILDKIT, "vcs")
    repository = _text(given, "workflow", "repository")
    materials = _materials(_at(definition, "resolvedDependencies"))
    built = next((digest for uri, digest in materials if repository and repository in uri), "")
    return Provenance(
        builder=_text(details, "builder", "id"),
        build_type=_text(definition, "buildType"),
        source=_text(config, "uri") or repository or _text(claimed, "source"),
        revision=_bare(_digest(config)) or _bare(built) or _text(claimed, "revision"),
        materials=materials,
    )


def _materials(said: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(said, list):
        return ()
    if len(said) > MAX_MATERIALS:
        raise LimitError(f"a provenance of more than {MAX_MATERIALS:,} materials")
    return tuple((uri, _digest(one)) for one in said if (uri := _text(one, "uri") or _text(one, "name")))


def _digest(said: Any) -> str:
    """`algorithm:value` of a resource, the strongest algorithm where it states several."""
    stated = _at(said, "digest")
    if not isinstance(stated, dict):
        return ""
    best = max(stated, key=lambda algorithm: (algorithm in ("sha256", "sha512"), algorithm), default="")
    value = _text(stated, best)
    return f"{best[:40]}:{value}" if value else ""


def _bare(digest: str) -> str:
    return digest.partition(":")[2]


def _at(said: Any, *path: str) -> Any:
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def _text(said: Any, *path: str) -> str:
    """The string at that place without a URL's user part, which holds tokens as often as names; cut at MAX_TEXT."""
    found = _at(said, *path)
    if not isinstance(found, str):
        return ""
    found = _USER.sub("", found)
    return found if len(found) <= MAX_TEXT else found[:MAX_TEXT] + "…"
