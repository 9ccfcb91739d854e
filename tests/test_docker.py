"""Dockerfile and Compose files fit each other and the code, as far as files alone can tell."""

import re
import shlex
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import pytest
import yaml

import hybrid.cli
import indexer.cli
from hybrid.settings import Settings

ROOT = Path(__file__).parents[1]
FILES = ("docker-compose.yml", "compose.embedded.yml", "compose.tls.yml")


def _compose(file: str) -> dict[str, Any]:
    """Return a Compose file; a service that extends another one has what that one has."""
    compose: dict[str, Any] = yaml.safe_load((ROOT / file).read_text("utf-8"))
    for name, service in compose["services"].items():
        if "extends" in service:
            extended = service.pop("extends")
            base = _compose(extended["file"])["services"][extended["service"]]
            environment = base["environment"] | service.get("environment", {})
            compose["services"][name] = base | service | {"environment": environment}
    return compose


EMBEDDED = _compose("compose.embedded.yml")
COMPOSE = _compose("docker-compose.yml")
SERVICES: dict[str, Any] = COMPOSE["services"]
BUILT = [name for name, service in SERVICES.items() if "build" in service]

COMMANDS: dict[str, click.Group] = {"hybrid": hybrid.cli.main, "indexer": indexer.cli.main}

Instructions = list[tuple[str, str]]


def _stages() -> dict[str, Instructions]:
    """Return the instructions of each target, with those of the target it is built on."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    text = text[text.index("\nFROM ") :]
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    stages: dict[str, Instructions] = {}
    for line in filter(str.strip, text.splitlines()):
        word, rest = line.split(maxsplit=1)
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            instructions = stages[name] = [*stages.get(base, [("FROM", base)])]
        else:
            instructions.append((word, rest))
    return stages


STAGES = _stages()


def _of(target: str, word: str) -> list[str]:
    return [rest for found, rest in STAGES[target] if found == word]


def _variables(name: str) -> dict[str, str]:
    """Return what a service of ours finds in its environment."""
    image = [pair.partition("=") for line in _of(name, "ENV") for pair in shlex.split(line)]
    given: dict[str, Any] = SERVICES[name].get("environment", {})
    return {key: value for key, _, value in image} | {k: _filled(str(v)) for k, v in given.items()}


def _filled(text: str, **variables: str) -> str:
    """Replace ${NAME:-when it is not given} and ${NAME:+when it is}."""

    def replaced(match: re.Match[str]) -> str:
        given = variables.get(match[1], "")
        return (given or match[3]) if match[2] == "-" else match[3] if given else ""

    return re.sub(r"\$\{(\w+):([-+])([^}]*)\}", replaced, text)


def _parsed(command: list[str]) -> dict[str, Any]:
    """Return what click makes of a command; it refuses what it does not know."""
    python, flag, module, name, *arguments = command
    assert (python, flag) == ("python", "-m")
    return COMMANDS[module].commands[name].make_context(name, arguments).params


def test_every_target_is_there_and_runs_its_command_unprivileged() -> None:
    """Both images are built from targets of the Dockerfile, and click knows what they run."""
    assert BUILT == ["indexer", "service"]
    for name in BUILT:
        assert SERVICES[name]["build"] == {"context": ".", "target": name}
        assert _of(name, "FROM") == ["${PYTHON}"]
        assert _of(name, "USER")[-1] == "10001:10001"
        (command,) = _of(name, "CMD")
        assert _parsed(yaml.safe_load(command))


@pytest.mark.parametrize("films", ["", "/path/to/my films.csv", "../data/my films.csv"])
@pytest.mark.parametrize("mapping", ["", "../data/my.toml"])
def test_the_indexer_reads_the_files_that_are_mounted(films: str, mapping: str) -> None:
    """FILMS and MAPPING are mounted where the command expects them, whatever their paths are; only
    the name of FILMS is given on. Without them there is the sample, and no mapping."""
    service = SERVICES["indexer"]
    variables = {"FILMS": films, "MAPPING": mapping}
    given = _parsed([_filled(part, **variables) for part in service["command"]])
    assert given["create"]
    assert given["keep_changes"]
    assert Path(given["name"]).name == (Path(films).name or "films.csv")
    _, films_mount, mapping_mount = service["volumes"]
    assert films_mount["target"] == str(given["source"]) == "/mnt/films"
    assert mapping_mount["target"] == "/mnt/mapping.toml"
    assert given["mapping"] == (Path("/mnt/mapping.toml") if mapping else None)
    for mount, path in ((films_mount, films), (mapping_mount, mapping)):
        assert mount["read_only"]
        assert mount["bind"] == {"create_host_path": False}
        source = _filled(mount["source"], **variables)
        assert source == path if path else (ROOT / source).is_file()
    if not films:
        assert (ROOT / _filled(films_mount["source"])).samefile(indexer.cli.SAMPLE)


def test_every_variable_is_a_setting() -> None:
    """Those of the images are valid together; those that the files only mention are settings."""
    for name in BUILT:
        variables = _variables(name)
        filled = {key: _filled(value) for key, value in variables.items() if "HYBRID_" in key}
        ours = {key: value for key, value in filled.items() if value}  # empty is not set
        settings = Settings.load(
            **{key.removeprefix("HYBRID_").lower(): value for key, value in ours.items()}
        )
        assert settings.data == Path("/data")
        assert settings.elasticsearch_url == "http://elasticsearch:9200"
        assert variables["ORT_DISABLE_TELEMETRY"] == "1"
    service = _variables("service")
    # Open, as the port is published on this machine only; nothing listens on loopback in there.
    assert (service["HYBRID_HOST"], service["HYBRID_READS"]) == ("0.0.0.0", "open")
    known = {f"HYBRID_{field.upper()}" for field in Settings.model_fields}
    for file in ("Dockerfile", "docs/docker.md", *FILES):
        assert set(re.findall(r"HYBRID_\w+", (ROOT / file).read_text("utf-8"))) <= known


def test_the_service_depends_on_nothing_that_is_recreated() -> None:
    """Compose recreates what depends on a recreated container: another FILMS must not stop the
    service. `up --wait` waits for the indexer because a service without containers depends on it.
    """
    assert SERVICES["indexer"]["depends_on"]["elasticsearch"]["condition"] == "service_healthy"
    assert "healthcheck" in SERVICES["elasticsearch"]
    done = {"indexer": {"condition": "service_completed_successfully"}}
    for services in (SERVICES, EMBEDDED["services"]):
        assert "depends_on" not in services["service"]
        (waiting,) = [name for name, found in services.items() if found.get("scale") == 0]
        assert services[waiting]["depends_on"] == done


def test_one_volume_goes_from_the_indexer_to_the_service() -> None:
    """The service only reads what the indexer writes, unless it is told to change films: then both
    the setting and the mount must say so."""
    service = SERVICES["service"]
    (mount,) = service["volumes"]
    assert SERVICES["indexer"]["volumes"][0] == "data:/data"
    assert _filled(mount) == "data:/data:ro"
    assert _filled(mount, DATA="./data/demo", DATA_MODE="rw") == "./data/demo:/data:rw"
    assert _filled(service["environment"]["HYBRID_WRITES"]) == "off"
    assert _filled(service["environment"]["HYBRID_WRITES"], WRITES="on") == "on"
    assert set(COMPOSE["volumes"]) == {"data", "elasticsearch-data"}
    assert set(EMBEDDED["volumes"]) == {"data"}


def test_the_embedded_stack_is_the_other_one_without_elasticsearch() -> None:
    """Indexer and service are the same in both, but for where Elasticsearch is."""
    assert EMBEDDED["services"].keys() == SERVICES.keys() - {"elasticsearch"}
    for name in BUILT:
        other = dict(SERVICES[name])
        other.pop("depends_on", None)
        url = {"HYBRID_ELASTICSEARCH_URL": "http://elasticsearch:9200"}
        other["environment"] = dict(other["environment"].items() - url.items())
        assert EMBEDDED["services"][name] == other
    assert EMBEDDED["name"] != COMPOSE["name"], "they would share a volume"


def test_containers_have_few_rights_and_the_service_has_bounds() -> None:
    """No container has capabilities or gains any; ours write to their mounts only. The service's
    memory and its /tmp, which is memory too, are limited, /tmp far below the limit."""
    for name in (*BUILT, "elasticsearch"):
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    for name in BUILT:
        assert SERVICES[name]["read_only"] is True
    service = SERVICES["service"]
    assert _filled(service["mem_limit"]) == "1g"
    assert _filled(service["mem_limit"], SERVICE_MEMORY="4g") == "4g"
    (temporary,) = service["tmpfs"]
    assert re.fullmatch(r"/tmp:size=\d\dm,mode=1777", temporary)


def test_the_service_is_not_unhealthy_while_it_waits_for_an_index() -> None:
    """The health check's start period is longer than the wait."""
    wait = SERVICES["service"]["environment"]["HYBRID_WAIT"]
    assert int(SERVICES["service"]["healthcheck"]["start_period"].removesuffix("s")) > wait > 0


def test_the_health_check_asks_an_address_that_there_is() -> None:
    """The check is Python, as the image has no curl, and asks the port that is served."""
    *python, code = SERVICES["service"]["healthcheck"]["test"]
    assert python == ["CMD", "python", "-c"]
    compile(code, "healthcheck", "exec")
    assert f"127.0.0.1:{Settings.model_fields['port'].default}/health/ready" in code


def test_ports_are_open_to_this_machine_only() -> None:
    """Neither Elasticsearch nor the service has a password; both ports can be chosen."""
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    filled = sorted(_filled(port) for port in ports)
    assert filled == ["127.0.0.1:8000:8000", "127.0.0.1:9200:9200"]
    chosen = sorted(_filled(port, PORT="8001", ELASTICSEARCH_PORT="9201") for port in ports)
    assert chosen == ["127.0.0.1:8001:8000", "127.0.0.1:9201:9200"]


def test_every_variable_of_compose_is_documented() -> None:
    """docs/docker.md lists the variables of the Compose files, no others."""
    used = {
        name
        for file in FILES
        for name in re.findall(r"(?<!\$)\$\{(\w+):", (ROOT / file).read_text("utf-8"))
    }
    guide = (ROOT / "docs/docker.md").read_text("utf-8")
    assert used == set(re.findall(r"^\| `([A-Z_]+)` \|", guide, re.MULTILINE))


def test_elasticsearch_is_that_of_the_tests() -> None:
    """What is run is what is tested."""
    tree = ElementTree.parse(ROOT / "tests/elasticsearch_node/pom.xml")
    version = tree.findtext(".//{*}elasticsearch.version")
    image = f"docker.elastic.co/elasticsearch/elasticsearch:{version}"
    assert SERVICES["elasticsearch"]["image"] == image


def test_tls_has_a_key_for_each_program_and_no_secret_in_a_file() -> None:
    """Indexer and service ask over https, trust the authority that was made, and have different
    keys; password and keys are variables."""
    overlay = yaml.safe_load((ROOT / "compose.tls.yml").read_text("utf-8"))["services"]
    keys = set()
    for name in BUILT:
        environment = overlay[name]["environment"]
        assert environment["HYBRID_ELASTICSEARCH_URL"] == "https://elasticsearch:9200"
        (mount,) = overlay[name]["volumes"]
        volume, folder, mode = mount.split(":")
        assert (volume, mode) == ("certificates", "ro")
        assert environment["HYBRID_ELASTICSEARCH_CA"] == f"{folder}/ca.crt"
        keys.add(environment["HYBRID_ELASTICSEARCH_API_KEY"])
    assert keys == {"${INDEXER_API_KEY:-}", "${SERVICE_API_KEY:-}"}
    elasticsearch = overlay["elasticsearch"]["environment"]
    assert elasticsearch["xpack.security.enabled"] == "true"
    assert elasticsearch["xpack.security.http.ssl.enabled"] == "true"
    assert elasticsearch["ELASTIC_PASSWORD"].startswith("${ELASTIC_PASSWORD:?")
    assert overlay["certificates"]["network_mode"] == "none"


def test_everything_copied_is_there_and_reaches_the_builder() -> None:
    """The Dockerfile copies all packages, and .dockerignore lets them through."""
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    everything, *admitted = [line for line in ignored if line and line[0] != "#"]
    assert everything == "*"
    copied = {
        source
        for stage in STAGES
        for line in _of(stage, "COPY")
        if not line.startswith("--from=package ")
        for source in line.split()[:-1]
    }
    for source in copied:
        assert (ROOT / source).exists(), source
        assert any(fnmatch(f"!{source}", line) for line in admitted), source
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    for package in packages["tool"]["setuptools"]["packages"]["find"]["include"]:
        assert package.rstrip("*") in copied


def test_documented_build_arguments_are_those_of_the_dockerfile() -> None:
    """The builder would only warn of an argument that it does not know."""
    guide = (ROOT / "docs/docker.md").read_text("utf-8")
    documented = set(re.findall(r"--build-arg (\w+)=", guide))
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert documented == set(re.findall(r"^ARG (\w+)=", dockerfile, re.MULTILINE))
    assert documented == {"PYTHON", "TORCH_BACKEND"}


def test_images_install_only_what_is_locked() -> None:
    """Every installation in the Dockerfile is from a lock file, or of the package built here; pip
    refuses what has no digest. (uv verifies the digests that there are without being told to.)"""
    runs = [line for stage in STAGES for line in _of(stage, "RUN")]
    parts = {part.strip() for run in runs for part in run.split("&&")}
    installs = [part for part in parts if re.match(r"(uv )?pip (install|wheel)", part)]
    assert len(installs) == 5
    for install in installs:
        flags = set(install.split())
        if install.startswith("uv pip"):
            assert "--requirement requirements.txt" in install
        elif "--requirement" in flags:
            assert "--require-hashes" in flags
        else:
            assert "--no-deps" in flags
            assert flags & {"--no-index", "--no-build-isolation"}
