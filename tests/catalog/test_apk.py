"""apk's database."""

from catalog.samples import APK, listed, read
from holdfast.catalog.apk import APK as CATALOGER
from holdfast.model.found import Claim

PATH = "lib/apk/db/installed"


def test_packages_have_origin_licence_and_architecture() -> None:
    found = read(CATALOGER, PATH, APK)
    musl, crypto = found.packages
    assert listed(found) == [("musl", "1.2.5-r0"), ("libcrypto3", "3.3.2-r0")]
    assert (musl.source_name, musl.licenses, musl.architecture) == ("", ("MIT",), "x86_64")
    assert musl.vendor == "Timo <timo@example.org>"
    assert crypto.source_name == "openssl"


def test_files_are_claimed_with_their_folder() -> None:
    assert read(CATALOGER, PATH, APK).claims == (
        Claim("musl", b"/lib/ld-musl-x86_64.so.1"),
        Claim("libcrypto3", b"/usr/lib/libcrypto.so.3\n/usr/lib/engines-3/afalg.so"),
    )


def test_a_record_without_a_version_is_a_problem_and_the_rest_is_kept() -> None:
    found = read(CATALOGER, PATH, "P:a\n\n" + APK + "\n\nP:z\nV:1-r0\nnonsense\n")
    assert [package.name for package in found.packages] == ["musl", "libcrypto3", "z"]
    assert [problem.code for problem in found.problems] == ["catalog.apk.corrupt"] * 2
