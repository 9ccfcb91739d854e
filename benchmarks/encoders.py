"""Ways to embed queries, on the same texts: graphs, precisions, options of the session, runtimes.

    python -m benchmarks.encoders QUERIES.jsonl ... [--model NAME] [--json FILE]

Texts are embedded one at a time. Latency is that of one thread, where the ways take turns, so that
a busy machine slows each of them; the time on CPUs, of all threads, hardly depends on what else it
does. Then come the throughput of several threads and of two processes, and the memory of a process
that does nothing else. OpenVINO is measured where it is installed.
"""

import logging
import multiprocessing
import re
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from threading import local
from time import perf_counter, process_time, sleep
from typing import Any
from unittest.mock import patch

import click
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from benchmarks.performance_report import encoders_table
from benchmarks.results import machine, write_results
from benchmarks.texts import read_texts
from hybrid.engines.semantic.encoder import INPUTS, MODEL_FILES, TOKENIZER_FILE
from hybrid.settings import DEFAULT_MODEL
from hybrid.vectors import Vectors
from indexer.embedding.model import SentenceModel, load_model

Encode = Callable[[str], Vectors]
"""A text to its vector, float32 (1, dimension)."""

Run = Callable[[dict[str, NDArray[np.int64]]], Vectors]
"""Tokens, by the names of the graph's inputs, to vectors."""

TEXTS = 100
"""Maximum number of queries, drawn evenly from all that are given."""

ROUNDS, TURN = 5, 10
"""How often each text is embedded, and how many texts a way embeds before it is another's turn."""

PAUSE = 0.05
"""Seconds before a turn, in which idle threads of the way before stop spinning. Its first text is
embedded once more, unmeasured, which brings the weights back into the caches."""

THREADS = (1, 2, 4, 8)

SECONDS = 2.0
"""Approximate duration of a measurement of throughput."""

PLAIN, TOOL, OPSET, ONE_FILE = "plain.onnx", "tool.onnx", "opset-23.onnx", "one-file.onnx"
FUSED_INT8, BLOCK_INT8 = "fused-int8.onnx", "block-int8.onnx"


@dataclass(frozen=True)
class Way:
    """A graph and what runs it, with options of ONNX Runtime's session or of OpenVINO."""

    name: str
    graph: str = MODEL_FILES["float32"]
    runtime: str = "onnxruntime"
    options: Mapping[str, Any] = field(default_factory=dict)


WAYS = (
    Way("PyTorch's export", PLAIN),
    Way("onnxruntime.transformers", TOOL),
    Way("opset 23", OPSET),
    Way("ours: rules of onnxscript"),
    Way("ours, weights in the graph", ONE_FILE),
    Way(
        "ours, basic optimisations",
        options={"graph_optimization_level": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC},
    ),
    Way("ours, no arena", options={"enable_cpu_mem_arena": False}),
    Way("ours, no memory pattern", options={"enable_mem_pattern": False}),
    Way("ours, not prepacked", options={"session.disable_prepacking": "1"}),
    Way("ours, 2 threads", options={"intra_op_num_threads": 2}),
    Way(
        "ours, 2 threads, no spinning",
        options={"intra_op_num_threads": 2, "session.intra_op.allow_spinning": "0"},
    ),
    Way(
        "ours, 2 operators at once",
        options={
            "inter_op_num_threads": 2,
            "execution_mode": onnxruntime.ExecutionMode.ORT_PARALLEL,
        },
    ),
    Way("int8: ours", MODEL_FILES["int8"]),
    Way("int8, fused attention", FUSED_INT8),
    Way("int8, blocks of 32", BLOCK_INT8),
    Way("sentence-transformers", "", "torch"),
    Way("OpenVINO", PLAIN, "openvino", {"INFERENCE_PRECISION_HINT": "f32"}),
    Way("OpenVINO, bfloat16", PLAIN, "openvino", {"INFERENCE_PRECISION_HINT": "bf16"}),
)


@dataclass(frozen=True)
class Workplace:
    """The folder of the graphs and that of the model."""

    graphs: Path
    model: Path


def write_graphs(model: SentenceModel, folder: Path, texts: Sequence[str]) -> None:
    """Write the graphs of all ways, and the tokenizer, to a new folder."""
    import onnx
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
    from onnxruntime.transformers import optimizer

    logging.disable(logging.WARNING)
    model.export(folder, texts, "int8")
    logging.disable(logging.WARNING)  # the export allows it again
    with warnings.catch_warnings(action="ignore"):  # onnx does not read weights that are packed
        fused = onnx.load(folder / MODEL_FILES["float32"])
    onnx.save(fused, folder / ONE_FILE)
    quantised = {"per_channel": True, "reduce_range": True, "weight_type": QuantType.QInt8}
    quantize_dynamic(fused, folder / FUSED_INT8, **quantised)
    plain = model._graph()  # noqa: SLF001 (what the export begins with)
    onnx.save(plain, folder / PLAIN)
    tool = optimizer.optimize_model(
        str(folder / PLAIN), "bert", num_heads=12, hidden_size=384, opt_level=99
    )
    tool.save_model_to_file(str(folder / TOOL))
    blocks = MatMulNBitsQuantizer(plain, bits=8, block_size=32, is_symmetric=True, accuracy_level=4)
    blocks.process()
    onnx.save(blocks.model.model, folder / BLOCK_INT8)
    with patch.object(torch.onnx, "export", partial(torch.onnx.export, opset_version=23)):
        onnx.save(model._graph(), folder / OPSET)  # noqa: SLF001
    logging.disable(logging.NOTSET)


def open_way(way: Way, place: Workplace) -> Encode:
    """Return the function that embeds a text."""
    if way.runtime == "torch":
        import torch

        torch.set_num_threads(1)
        model = SentenceModel(place.model)
        return lambda text: model.encode([text])
    tokenizer = Tokenizer.from_file(str(place.graphs / TOKENIZER_FILE))
    run = (_openvino if way.runtime == "openvino" else _onnxruntime)(way, place.graphs / way.graph)

    def encode(text: str) -> Vectors:
        (encoding,) = tokenizer.encode_batch([text])
        tokens = (encoding.ids, encoding.attention_mask)
        return run(
            {name: np.array([row], np.int64) for name, row in zip(INPUTS, tokens, strict=True)}
        )

    return encode


def _onnxruntime(way: Way, graph: Path) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    for name, value in way.options.items():
        if "." in name:
            options.add_session_config_entry(name, value)
        else:
            setattr(options, name, value)
    session = onnxruntime.InferenceSession(str(graph), options, ["CPUExecutionProvider"])
    return lambda tokens: session.run(None, tokens)[0]


def _openvino(way: Way, graph: Path) -> Run:
    import openvino

    # As many streams as threads that ask, each of one thread.
    settings = {"INFERENCE_NUM_THREADS": 2, "NUM_STREAMS": 2, **way.options}
    compiled = openvino.Core().compile_model(str(graph), "CPU", settings)
    of_thread = local()

    def run(tokens: dict[str, NDArray[np.int64]]) -> Vectors:
        if not hasattr(of_thread, "request"):
            of_thread.request = compiled.create_infer_request()
        return np.array(of_thread.request.infer(tokens)[0], np.float32)

    return run


def latencies(ways: Mapping[str, Encode], texts: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return the milliseconds of each way, (2, rounds, texts): by the clock, and on CPUs."""
    taken = {name: np.zeros((2, ROUNDS, len(texts))) for name in ways}
    for row in range(ROUNDS):
        for start in range(0, len(texts), TURN):
            for name, encode in ways.items():
                sleep(PAUSE)
                encode(texts[start])
                for number in range(start, min(start + TURN, len(texts))):
                    begun = np.array([perf_counter(), process_time()])
                    encode(texts[number])
                    ended = np.array([perf_counter(), process_time()])
                    taken[name][:, row, number] = 1000 * (ended - begun)
    return taken


def throughput(encode: Encode, texts: Sequence[str], threads: int, count: int) -> float:
    """Return the texts a second of several threads that embed `count` texts."""
    work = [texts[number % len(texts)] for number in range(count)]
    with ThreadPoolExecutor(threads) as pool:
        begun = perf_counter()
        list(pool.map(encode, work))
        return count / (perf_counter() - begun)


def measure_alone(way: Way, place: Workplace, texts: Sequence[str]) -> dict[str, float]:
    """Return what a way costs a process of its own: seconds to open, MB of its own and in all."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_alone, (way, place, texts))


def _alone(way: Way, place: Workplace, texts: Sequence[str]) -> dict[str, float]:
    before, begun = _memory(), perf_counter()
    encode = open_way(way, place)
    encode(texts[0])
    seconds = perf_counter() - begun
    for text in texts:
        encode(text)
    after = _memory()
    return {"open_s": seconds, **{name: after[name] - before[name] for name in after}}


def _memory() -> dict[str, float]:
    text = Path("/proc/self/smaps_rollup").read_text("ascii")
    found = re.findall(r"^(Anonymous|Rss): +(\d+) kB", text, re.MULTILINE)
    return {f"{name.lower()}_mb": int(size) / 1024 for name, size in found}


def of_two_processes(way: Way, place: Workplace, texts: Sequence[str], count: int) -> float:
    """Return the texts a second of two processes of one thread."""
    spawn = multiprocessing.get_context("spawn")
    ready, results = spawn.Barrier(2), spawn.SimpleQueue()
    arguments = (way, place, texts, count, ready, results)
    processes = [spawn.Process(target=_process, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    rates = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return float(sum(rates))


def _process(
    way: Way, place: Workplace, texts: Sequence[str], count: int, ready: Any, results: Any
) -> None:
    encode = open_way(way, place)
    encode(texts[0])
    ready.wait(timeout=60)
    results.put(throughput(encode, texts, 1, count))


def measure(place: Workplace, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the figures of each way by its name."""
    ways = [way for way in WAYS if way.runtime != "openvino" or find_spec("openvino")]
    alone = {way.name: measure_alone(way, place, texts) for way in ways}
    opened = {way.name: open_way(way, place) for way in ways}
    original = SentenceModel(place.model).encode(texts)
    taken = latencies(opened, texts)
    figures = {}
    for way in ways:
        encode, (clock, cpu) = opened[way.name], taken[way.name]
        p50 = float(np.median(clock))
        cosines = (original * np.concatenate([encode(text) for text in texts])).sum(axis=1)
        count = max(len(texts), int(1000 * SECONDS / p50))
        rates = {f"threads_{n}": throughput(encode, texts, n, count) for n in THREADS}
        figures[way.name] = {
            "least_cosine": float(cosines.min()),
            "mean_cosine": float(cosines.mean()),
            "p50_ms": p50,
            "p95_ms": float(np.percentile(clock, 95)),
            "cpu_ms": float(np.median(cpu)),
            **rates,
            "processes_2": of_two_processes(way, place, texts, count),
            **alone[way.name],
        }
    return figures


def tokenizing(tokenizer: Tokenizer, texts: Sequence[str]) -> float:
    """Return the microseconds that a text takes to tokenise, median."""
    taken = []
    for text in list(texts) * ROUNDS:
        begun = perf_counter()
        tokenizer.encode_batch([text])
        taken.append(1e6 * (perf_counter() - begun))
    return float(np.median(taken))


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--model", default=DEFAULT_MODEL, show_default=True)
@click.option("--json", "output", type=click.Path(path_type=Path), help="write the results here")
def main(files: tuple[Path, ...], model: str, output: Path | None) -> None:
    """Compare ways to embed the queries of FILES."""
    before = machine()
    every = read_texts(files)
    texts = every[:: max(1, len(every) // TEXTS)][:TEXTS]
    loaded = load_model(model)
    if not isinstance(loaded, SentenceModel):
        raise click.UsageError(f"{model} has no original in PyTorch to export in other ways")
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace(Path(folder) / "encoder", loaded.folder)
        write_graphs(loaded, place.graphs, texts)
        ways = measure(place, texts)
        tokenizer = Tokenizer.from_file(str(place.graphs / TOKENIZER_FILE))
    microseconds = {"with padding": tokenizing(tokenizer, texts)}
    tokenizer.no_padding()
    microseconds["without padding"] = tokenizing(tokenizer, texts)
    tokenizer.no_truncation()
    microseconds["without padding and truncation"] = tokenizing(tokenizer, texts)
    results = {"queries": len(texts), "ways": ways, "tokenizing_us": microseconds}
    write_results(output, "encoders", before, results)
    click.echo(encoders_table({"results": results}))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.encoders")
