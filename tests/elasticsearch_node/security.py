"""TLS and users of a node, by the program `openssl` alone."""

import os
import ssl
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from hashlib import pbkdf2_hmac
from pathlib import Path
from urllib.request import Request

ADMIN = "admin"

ROUNDS = 10_000


@dataclass(frozen=True)
class Security:
    """An authority, a certificate for 127.0.0.1 that it signed, and the password of a superuser.

    All files are in `folder`.
    """

    folder: Path
    password: str

    @property
    def ca(self) -> Path:
        """The certificate of the authority."""
        return self.folder / "ca.crt"

    def create(self) -> None:
        """Create the authority and the certificate."""
        self.folder.mkdir(parents=True)
        (self.folder / "names").write_text(
            "subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n"
        )
        self._openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=films-test-ca"
            " -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.crt"
        )
        self._openssl(
            "req -newkey rsa:2048 -nodes -subj /CN=films-test-node -keyout node.key -out node.csr"
        )
        self._openssl(
            "x509 -req -days 2 -in node.csr -CA ca.crt -CAkey ca.key -CAcreateserial"
            " -extfile names -out node.crt"
        )

    def configure(self, config: Path) -> None:
        """Turn security on in the configuration of a node."""
        for name in ("node.key", "node.crt"):
            (config / name).write_bytes((self.folder / name).read_bytes())
        with (config / "elasticsearch.yml").open("a") as settings:
            settings.write(
                "xpack.security.http.ssl.enabled: true\n"
                "xpack.security.http.ssl.key: node.key\n"
                "xpack.security.http.ssl.certificate: node.crt\n"
                "xpack.security.enrollment.enabled: false\n"
            )
        text = (config / "elasticsearch.yml").read_text()
        on = text.replace("xpack.security.enabled: false", "xpack.security.enabled: true")
        (config / "elasticsearch.yml").write_text(on)
        salt = os.urandom(32)
        digest = pbkdf2_hmac("sha512", self.password.encode(), salt, ROUNDS, 32)
        kept = f"{{PBKDF2}}{ROUNDS}${b64encode(salt).decode()}${b64encode(digest).decode()}"
        (config / "users").write_text(f"{ADMIN}:{kept}\n")
        (config / "users_roles").write_text(f"superuser:{ADMIN}\n")

    def prepare(self, request: Request) -> ssl.SSLContext:
        """Let the superuser make a request; return what checks the certificate of the node."""
        user = b64encode(f"{ADMIN}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {user}")
        return ssl.create_default_context(cafile=str(self.ca))

    def _openssl(self, arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments.split()], cwd=self.folder, check=True, capture_output=True
        )
