"""What the service checks of each request: its host, its origin, and its key."""

from hybrid.access.hosts import Hosts, allowed_hosts, is_loopback, is_same_site
from hybrid.access.keys import Key, KeyFolder, Scope
from hybrid.access.last_use import LastUse
from hybrid.errors import CrossSite, ForeignHost, KeyRequired, ScopeMissing
from hybrid.settings import Settings


class Access:
    """The hosts and keys of a service, and whether reading needs a key.

    Without `keys` there are none: then nobody may do what needs one.
    """

    def __init__(
        self, keys: KeyFolder | None = None, reads_open: bool = True, hosts: Hosts | None = None
    ) -> None:
        self.reads_open = reads_open
        self._keys = keys
        self._hosts = hosts or Hosts()
        self._last_use = LastUse(keys.folder) if keys else None

    def check_host(self, host: str) -> None:
        """Raise ForeignHost if the service does not answer for this header Host."""
        if not self._hosts.allow(host):
            problem = "is not a host of this service: HYBRID_HOSTS lists them"
            raise ForeignHost(f"'{host[:100]}' {problem}", {"Host": problem})

    def check_origin(self, origin: str | None, host: str) -> None:
        """Raise CrossSite for a change that a page of another site sends. Programs send none."""
        if origin is not None and not is_same_site(origin, host):
            problem = "is another site: films are changed by programs and by pages of this service"
            raise CrossSite(f"'{origin[:100]}' {problem}", {"Origin": problem})

    def authorize(self, token: str | None, scope: Scope) -> Key:
        """Return the key of this text, which has this scope, and note its use.

        Raises KeyRequired without a key and for one that does not exist, ScopeMissing.
        """
        create = f"`python -m hybrid keys create --scope {scope}` creates one"
        if token is None:
            raise KeyRequired(
                f"this needs a key with the scope {scope}, sent as `Authorization: Bearer KEY`: "
                f"{create}"
            )
        key = self._keys.find(token) if self._keys else None
        if key is None or self._last_use is None:
            raise KeyRequired(f"this key is unknown or revoked: {create}")
        if not key.allows(scope):
            has = ", ".join(key.record.scopes)
            raise ScopeMissing(f"this key has the scope {has}, not {scope}: {create}")
        self._last_use.note(key.id)
        return key


def open_access(settings: Settings) -> Access:
    """Return the access to a service with these settings.

    Reading needs a key where the settings say so, and unless they do not, where other machines
    reach the service.
    """
    reads = settings.reads or ("open" if is_loopback(settings.host) else "keys")
    return Access(
        KeyFolder(settings.keys_folder),
        reads == "open",
        allowed_hosts(settings.host, settings.hosts or ()),
    )
