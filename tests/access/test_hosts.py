"""Which hosts the service answers for, and which pages may change films."""

import pytest

from hybrid.access.access import open_access
from hybrid.access.hosts import Hosts, allowed_hosts, is_loopback, is_same_site
from hybrid.errors import InvalidInput, KeyRequired
from hybrid.settings import Settings

FOREIGN = [
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "evil.example@localhost",
    "localhost@evil.example",
    "localhost/evil",
    "xlocalhost",
    "127.0.0.1.evil.example",
    "[::1].evil.example",
    "localhost:8000:9",
    "localhost:x",
    "",
    " ",
    "[",
    "é",
]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8000", "[::1]:8000"])
def test_loopback_names_are_allowed(host: str) -> None:
    """Whatever the service listens on, and with any port: a proxy may have another."""
    for listened in ("127.0.0.1", "0.0.0.0", "films.example"):
        assert allowed_hosts(listened, ()).allow(host)


@pytest.mark.parametrize("host", FOREIGN)
def test_other_names_are_not(host: str) -> None:
    """Nor what only looks like one of them."""
    for listened in ("127.0.0.1", "0.0.0.0", "::"):
        assert not allowed_hosts(listened, ()).allow(host)


def test_listed_names_are_allowed_as_well() -> None:
    """Those of the setting in any case, the host that is listened on, and by * all."""
    hosts = allowed_hosts("10.0.0.7", ("Films.example",))
    for host in ("films.EXAMPLE", "films.example:443", "10.0.0.7:8000", "localhost"):
        assert hosts.allow(host)
    assert not hosts.allow("10.0.0.8")
    assert allowed_hosts("127.0.0.1", ("*",)).allow("anything")


def test_a_service_on_all_addresses_is_asked_by_any() -> None:
    """Addresses are not resolved, so cannot be rebound; one that listens on one has only that."""
    for host in ("10.0.0.7:8000", "[fe80::1]", "0.0.0.0:8000"):
        assert allowed_hosts("0.0.0.0", ()).allow(host)
        assert not Hosts().allow(host)


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("http://localhost:8000", True),
        ("https://LOCALHOST:8000", True),
        ("http://localhost", False),
        ("http://localhost:8001", False),
        ("http://evil.example", False),
        ("http://localhost:8000.evil.example", False),
        ("http://x@localhost:8000", False),
        ("null", False),
        ("", False),
        ("localhost:8000", False),
        ("http://[", False),
    ],
)
def test_only_pages_of_the_service_are_its_own(origin: str, same: bool) -> None:
    """Host and port must be those that were asked; the scheme may have changed at a proxy."""
    assert is_same_site(origin, "localhost:8000") == same


@pytest.mark.parametrize(
    ("host", "reads", "opened"),
    [
        ("127.0.0.1", None, True),
        ("127.9.9.9", None, True),
        ("::1", None, True),
        ("localhost", None, True),
        ("0.0.0.0", None, False),
        ("::", None, False),
        ("10.0.0.7", None, False),
        ("films.example", None, False),
        ("0.0.0.0", "open", True),
        ("127.0.0.1", "keys", False),
    ],
)
def test_reading_is_open_where_only_this_machine_reaches(
    host: str, reads: str | None, opened: bool
) -> None:
    """Unless the setting says otherwise."""
    access = open_access(Settings.load(host=host, reads=reads))
    assert access.reads_open == opened
    assert is_loopback(host) == (host in ("127.0.0.1", "127.9.9.9", "::1", "localhost"))


def test_without_keys_nobody_is_let_in() -> None:
    """A service that was given none has no key that fits."""
    for token in (None, "", "hfs_000000000000_" + "A" * 43):
        with pytest.raises(KeyRequired, match="keys create --scope write"):
            open_access(Settings.load()).authorize(token, "write")


@pytest.mark.parametrize("hosts", ["http://films.example", "films.example:80", "a b", "a,*.b"])
def test_the_setting_holds_names_alone(hosts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would never match is refused at the start, naming the variable."""
    monkeypatch.setenv("HYBRID_HOSTS", hosts)
    with pytest.raises(InvalidInput, match=r"HYBRID_HOSTS: .*is not a host"):
        Settings.load()


def test_the_setting_is_a_comma_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blanks and case do not matter."""
    monkeypatch.setenv("HYBRID_HOSTS", "Films.example, ::1,10.0.0.7,")
    assert Settings.load().hosts == ("films.example", "::1", "10.0.0.7")
