"""Which hosts are reached without the proxy."""

import pytest

from holdfast.transport.proxy import Proxy


@pytest.mark.parametrize(
    ("entry", "host", "port", "direct"),
    [
        ("example.com", "example.com", 443, True),
        ("example.com", "sub.example.com", 443, True),
        (".example.com", "sub.example.com", 443, True),
        ("*.example.com", "sub.example.com", 443, True),
        ("example.com", "notexample.com", 443, False),
        ("example.com", "example.com.evil.org", 443, False),
        ("EXAMPLE.com", "example.com", 443, True),
        ("example.com:5000", "example.com", 5000, True),
        ("example.com:5000", "example.com", 443, False),
        ("10.0.0.0/8", "10.1.2.3", 443, True),
        ("10.0.0.0/8", "11.1.2.3", 443, False),
        ("10.1.2.3", "10.1.2.3", 443, True),
        ("::1", "::1", 443, True),
        ("[::1]:5000", "::1", 5000, True),
        ("*", "anything", 443, True),
        ("", "example.com", 443, False),
        ("..", "example.com", 443, False),
    ],
)
def test_an_entry(entry: str, host: str, port: int, direct: bool) -> None:
    found = Proxy("http://proxy:3128", (entry,)).for_host(host, port)
    assert found == ("" if direct else "http://proxy:3128")


def test_without_entries_all_goes_through_it() -> None:
    assert Proxy("http://proxy:3128").for_host("example.com", 443) == "http://proxy:3128"
