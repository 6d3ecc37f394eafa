"""What an archive says of one suite: the Release file, and what vouches for it."""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from holdfast.model.errors import InputError

LIMIT = 16 << 20
_BEGIN, _SIGNATURE = b"-----BEGIN PGP SIGNED MESSAGE-----", b"-----BEGIN PGP SIGNATURE-----"
_ENTRY = re.compile(rb"^ ([0-9a-f]{64})\s+([0-9]{1,15})\s+(\S{1,500})\s*$", re.MULTILINE)
_FIELD = re.compile(rb"^([A-Za-z][A-Za-z0-9-]*):[ \t]*([^\r\n]*)", re.MULTILINE)
_GPGV = ("/usr/bin/gpgv", "/usr/local/bin/gpgv", "/opt/homebrew/bin/gpgv")
_GPGV_SECONDS = 20


class Listed(Struct, frozen=True):
    """One index file of a suite: its SHA-256 and length in bytes."""

    sha256: str
    size: int


class Release(Struct, frozen=True):
    """A Release file's fields in lower case, and the files that it lists by path."""

    fields: dict[str, str]
    files: dict[str, Listed]

    @property
    def codename(self) -> str:
        """The name of the suite that stays when the next release comes out: `bookworm-security`."""
        return self.fields.get("codename", "")


class Trust(StrEnum):
    """What verifying a signature showed: `unknown` means that there was no keyring, key or gpgv to do it with."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


class Verified(Struct, frozen=True):
    """The signed content (the Release file itself), and how far it is to be trusted, in a word and in a phrase."""

    content: bytes
    trust: Trust
    why: str = ""


def parse(content: bytes) -> Release:
    """A Release file (Debian RepositoryFormat). Raises InputError where it lists nothing with a SHA-256."""
    head, _, listing = content[:LIMIT].partition(b"\nSHA256:")
    fields = {name.decode().lower(): value.decode("utf-8", "replace").strip() for name, value in _FIELD.findall(head)}
    # Fields may also follow the list.
    listing, _, rest = _until_next_field(listing)
    for name, value in _FIELD.findall(rest):
        fields.setdefault(name.decode().lower(), value.decode("utf-8", "replace").strip())
    files = {
        path.decode("utf-8", "replace"): Listed(digest.decode(), int(size))
        for digest, size, path in _ENTRY.findall(listing)
    }
    if not files:
        raise InputError("a Release file that lists nothing with a SHA-256")
    return Release(fields, files)


def _until_next_field(listing: bytes) -> tuple[bytes, bytes, bytes]:
    following = re.search(rb"\n(?=[A-Za-z])", listing)
    return (
        (listing, b"", b"") if following is None else (listing[: following.start()], b"\n", listing[following.end() :])
    )


def verify(signed: bytes, keyrings: Iterable[Path]) -> Verified:
    """What an InRelease file holds, its signature checked by gpgv with the keyrings that exist and are binary.

    `good` needs one good signature of a known key and none that is bad: archives sign with the next release's key too.
    """
    present = [keyring for keyring in keyrings if _is_binary(keyring)]
    gpgv = next((path for path in _GPGV if Path(path).is_file()), "")
    if not gpgv:
        return Verified(unsigned(signed), Trust.UNKNOWN, "gpgv is not installed")
    if not present:
        return Verified(unsigned(signed), Trust.UNKNOWN, "there is no keyring of that archive on this machine")
    import subprocess  # not for a scan whose Release files are fresh in the cache
    import tempfile

    with tempfile.TemporaryDirectory(prefix="holdfast-") as home:
        message, output = Path(home, "InRelease"), Path(home, "Release")
        message.write_bytes(signed)
        command = [gpgv, "--homedir", home, "--status-fd", "1", "--output", str(output)]
        command += [part for keyring in present for part in ("--keyring", str(keyring))]
        try:
            ran = subprocess.run(  # noqa: S603 (no shell; every argument is ours)
                [*command, str(message)], capture_output=True, timeout=_GPGV_SECONDS, check=False, env={"LC_ALL": "C"}
            )
            words = {
                line.split()[1]
                for line in ran.stdout.splitlines()
                if line.startswith(b"[GNUPG:] ") and len(line.split()) > 1
            }
            content = output.read_bytes() if output.is_file() else unsigned(signed)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Verified(unsigned(signed), Trust.UNKNOWN, f"gpgv failed: {error}")
    return _judge(words, content)


def _judge(words: set[bytes], content: bytes) -> Verified:
    if b"BADSIG" in words or b"REVKEYSIG" in words:
        return Verified(content, Trust.BAD, "the signature is wrong")
    if b"GOODSIG" in words and b"VALIDSIG" in words:
        return Verified(content, Trust.GOOD)
    if b"EXPKEYSIG" in words or b"EXPSIG" in words:
        return Verified(content, Trust.UNKNOWN, "the key or signature has expired")
    if b"NO_PUBKEY" in words or b"ERRSIG" in words:
        return Verified(content, Trust.UNKNOWN, "no keyring here has the key it is signed with")
    return Verified(content, Trust.BAD, "there is no signature that can be read")


def unsigned(message: bytes) -> bytes:
    """The text of a clear-signed message (RFC 9580 §7) without looking at the signature, or the whole if unsigned."""
    if not message.startswith(_BEGIN):
        return message
    body = message.partition(b"\n\n")[2].partition(_SIGNATURE)[0]
    return body.replace(b"\n- ", b"\n")


def _is_binary(keyring: Path) -> bool:
    """gpgv reads key packets (first bit set), not armoured text."""
    try:
        with keyring.open("rb") as file:
            return file.read(1) >= b"\x80"
    except OSError:
        return False
