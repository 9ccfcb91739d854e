"""Host names the service answers for, and pages that may send it changes.

A page of any site may make a browser send requests to a service on the same machine or network, by
a name whose address the site changes meanwhile (DNS rebinding). The browser then sends that name.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104, compared with, not bound

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?", re.IGNORECASE)


@dataclass(frozen=True)
class Hosts:
    """The allowed values of the header Host, without ports and brackets.

    `*` among the names allows all. `addresses` allows every IP address: no name has to be resolved
    for one, so no rebinding uses one.
    """

    names: frozenset[str] = LOOPBACK
    addresses: bool = False

    def allow(self, header: str) -> bool:
        """Whether requests with this header Host are answered."""
        if "*" in self.names:
            return True
        name = _name(header)
        return name in self.names or (self.addresses and _is_address(name))


def allowed_hosts(listened: str, others: Collection[str]) -> Hosts:
    """Return the hosts of a service that listens on `listened`: loopback, that host, and `others`.

    One that listens on all addresses of the machine is asked by any of them.
    """
    names = LOOPBACK | {listened.lower()} | {name.lower() for name in others}
    return Hosts(names - EVERY_ADDRESS, addresses=listened in EVERY_ADDRESS)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a service that listens on `host`."""
    return host.lower() == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def is_same_site(origin: str, host: str) -> bool:
    """Whether a page of this header Origin is served by this header Host, whatever the scheme.

    A proxy may have taken the TLS off. `null`, the origin of pages without one, is not.
    """
    return origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")


def _name(header: str) -> str | None:
    match = _HOST.fullmatch(header)
    return (match[1] or match[2]).lower() if match else None


def _is_address(name: str | None) -> bool:
    try:
        ip_address(name or "")
    except ValueError:
        return False
    return True
