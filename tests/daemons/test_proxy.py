import http.client
from pathlib import Path

import pytest

from daemons.authority import Authority
from daemons.listener import heard, listen
from daemons.message import Answer
from daemons.proxy import proxy

HELLO = Answer(200, (), b"hello")


def test_an_encrypted_name_that_exists_nowhere(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca").naming("registry.test")
    with listen(HELLO, authority=authority) as real, proxy({"registry.test:443": real}) as it:
        connection = http.client.HTTPSConnection(*it.place, context=authority.context())
        connection.set_tunnel("registry.test", 443)
        connection.request("GET", "/v2/", headers={"Authorization": "Bearer s3cret"})
        assert connection.getresponse().read() == b"hello"
        connection.close()
        assert it.paths == ["CONNECT registry.test:443"]
        assert real.requests[0].header("Host") == "registry.test"
        assert heard("s3cret", it, real) == [f"{real.host} GET /v2/"]


def test_a_plain_one() -> None:
    with listen(HELLO) as real, proxy({"registry.test:80": real}) as it:
        connection = http.client.HTTPConnection(*it.place)
        connection.request("GET", "http://registry.test/v2/?n=1")
        assert connection.getresponse().read() == b"hello"
        assert (real.requests[0].target, real.requests[0].header("Host")) == ("/v2/?n=1", "registry.test")


def test_nothing_leaves() -> None:
    with proxy({}) as it:
        connection = http.client.HTTPConnection(*it.place)
        connection.request("GET", "http://elsewhere.test/")
        assert connection.getresponse().status == 502
        connection.close()
        connection.set_tunnel("elsewhere.test", 443)
        with pytest.raises(OSError, match="502"):
            connection.connect()


def test_it_may_want_a_password() -> None:
    with listen(HELLO) as real, proxy({"registry.test:80": real}, auth=("me", "s3cret")) as it:
        connection = http.client.HTTPConnection(*it.place)
        statuses = []
        for headers in ({}, {"Proxy-Authorization": "Basic bWU6czNjcmV0"}):
            connection.request("GET", "http://registry.test/", headers=headers)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        assert statuses == [407, 200]
        assert heard("s3cret", real) == []
