"""Release files, and whether anybody vouches for them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisory.debian_archive import Key, release, signing_key
from holdfast.advisory.release import Trust, parse, unsigned, verify
from holdfast.model.errors import InputError

SHARED = Path(__file__).parents[2].parent / "shared" / "feeds" / "debian-live"
TEXT = release("bookworm", {"main/binary-amd64/Packages.xz": b"content"})
needs_gpg = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg and gpgv are not installed"
)


@pytest.fixture(scope="module")
def key() -> Iterator[Key]:
    with signing_key() as made:
        yield made


def test_fields_and_files() -> None:
    read = parse(TEXT)
    assert read.codename == "bookworm"
    assert read.fields["origin"] == "Debian"
    assert read.files["main/binary-amd64/Packages.xz"].size == 7


def test_fields_after_the_list_count_too() -> None:
    read = parse(TEXT + b"Acquire-By-Hash: yes\nSHA512:\n abc 7 main/other\n")
    assert read.fields["acquire-by-hash"] == "yes"
    assert list(read.files) == ["main/binary-amd64/Packages.xz"]


def test_something_else_is_no_release_file() -> None:
    with pytest.raises(InputError):
        parse(b"<html>404</html>")


@needs_gpg
class TestSignature:
    def test_a_good_one(self, key: Key) -> None:
        verified = verify(key.sign(TEXT), [key.keyring])
        assert (verified.trust, verified.content) == (Trust.GOOD, TEXT)

    def test_changed_content(self, key: Key) -> None:
        assert verify(key.sign(TEXT).replace(b"bookworm", b"bullseye"), [key.keyring]).trust is Trust.BAD

    def test_no_signature_where_there_is_a_keyring(self, key: Key) -> None:
        assert verify(TEXT, [key.keyring]).trust is Trust.BAD

    def test_what_stands_outside_the_signed_part_is_not_believed(self, key: Key) -> None:
        forged = release("bookworm", {"main/binary-amd64/Packages.xz": b"forged"})
        for message in (forged + b"\n" + key.sign(TEXT), key.sign(TEXT) + b"\n" + forged):
            verified = verify(message, [key.keyring])
            assert verified.trust is Trust.BAD or verified.content == TEXT

    def test_a_stranger(self, key: Key, tmp_path: Path) -> None:
        with signing_key() as other:
            verified = verify(other.sign(TEXT), [key.keyring])
        assert verified.trust is Trust.UNKNOWN
        assert verified.content == TEXT

    @pytest.mark.parametrize("content", [b"", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n"])
    def test_no_keyring_that_gpgv_can_read(self, key: Key, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "keyring").write_bytes(content)
        verified = verify(key.sign(TEXT), [tmp_path / "keyring", tmp_path / "absent"])
        assert verified.trust is Trust.UNKNOWN
        assert verified.content == TEXT
        assert "keyring" in verified.why


@given(st.binary(max_size=300), st.binary(max_size=60))
@settings(max_examples=200)
def test_any_bytes_are_a_release_or_an_input_error(noise: bytes, more: bytes) -> None:
    for content in (
        noise,
        TEXT + noise,
        TEXT[:120] + noise + TEXT[120:],
        b"-----BEGIN PGP SIGNED MESSAGE-----\n\n" + more,
    ):
        try:
            parse(unsigned(content))
        except InputError:
            continue


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared advisory data is not here")
def test_a_real_one() -> None:
    read = parse((SHARED / "bookworm-security" / "Release").read_bytes())
    assert read.codename == "bookworm-security"
    assert len(read.files) == 292
