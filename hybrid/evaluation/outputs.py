"""The files that an evaluation is written to, each atomically."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybrid.errors import InvalidInput
from hybrid.evaluation.evaluate import Evaluation
from hybrid.evaluation.exports import as_json, as_trec_qrels, as_trec_run
from hybrid.evaluation.html_report import as_page
from hybrid.storage.durable import replace


@dataclass(frozen=True)
class Outputs:
    """The paths of the reports, None for those not wanted. `trec` is a folder."""

    json: Path | None = None
    trec: Path | None = None
    html: Path | None = None

    def check(self) -> None:
        """Raise InvalidInput for a path that cannot be written, before anything is measured."""
        for file in (self.json, self.html):
            if file and (file.is_dir() or not file.parent.is_dir()):
                raise InvalidInput(
                    f"{file} cannot be written: it is a folder, or its folder does not exist"
                )
        if self.trec and self.trec.exists() and not self.trec.is_dir():
            raise InvalidInput(f"{self.trec} is a file: --trec must name a folder")

    def write(self, evaluation: Evaluation) -> None:
        """Write all files, replacing existing ones. Raises OSError."""
        for file, text in self._texts(evaluation).items():
            replace(file, text)

    def _texts(self, evaluation: Evaluation) -> Mapping[Path, str]:
        texts: dict[Path, str] = {}
        if self.json:
            texts[self.json] = as_json(evaluation)
        if self.html:
            texts[self.html] = as_page(evaluation)
        if self.trec:
            self.trec.mkdir(parents=True, exist_ok=True)
            for run in evaluation.runs:
                texts[self.trec / f"{run.name}.run"] = as_trec_run(evaluation, run.name)
            texts[self.trec / "qrels.txt"] = as_trec_qrels(evaluation)
        return texts
