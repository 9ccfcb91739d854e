"""Sentence-transformers models of each kind, tiny and of random weights: none is downloaded."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizer,
    MPNetConfig,
    MPNetModel,
    MPNetTokenizer,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

WORDS = "a the girl rich painter boat war night meets leaves her his storm two nuns garden".split()

SHAPE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 66,
    "initializer_range": 0.3,  # of less, all texts have nearly one vector
}


def bert(
    folder: Path,
    prompts: Mapping[str, str] | None = None,
    pooling: str = "mean",
    positions: int = 66,
) -> Path:
    """Save a BERT of 2 layers and 32 dimensions, whose tokenizer is WordPiece."""
    torch.manual_seed(1)
    vocabulary = _vocabulary(folder, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer = BertTokenizer(vocab=vocabulary, model_max_length=64)
    config = BertConfig(vocab_size=len(tokenizer), **SHAPE | {"max_position_embeddings": positions})
    return _save(folder, BertModel(config), tokenizer, prompts, pooling)


def mpnet(folder: Path, prompts: Mapping[str, str] | None = None, pooling: str = "mean") -> Path:
    """Save an MPNet, which pads with token 1 and has relative positions."""
    torch.manual_seed(2)
    vocabulary = _vocabulary(folder, ["<s>", "<pad>", "</s>", "<unk>", "[UNK]", "<mask>"])
    tokenizer = MPNetTokenizer(vocab=vocabulary, model_max_length=64)
    config = MPNetConfig(vocab_size=len(tokenizer) + 2, **SHAPE)
    return _save(folder, MPNetModel(config), tokenizer, prompts, pooling)


def roberta(folder: Path, prompts: Mapping[str, str] | None = None, pooling: str = "cls") -> Path:
    """Save an XLM-RoBERTa, whose tokenizer is that of SentencePiece (unigrams)."""
    torch.manual_seed(3)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    raw = Tokenizer(models.Unigram())
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>")
    raw.train_from_iterator([" ".join(WORDS[n:]) for n in range(len(WORDS))], trainer)
    raw.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=raw,
        model_max_length=64,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
    )
    config = XLMRobertaConfig(vocab_size=len(tokenizer), pad_token_id=1, **SHAPE)
    return _save(folder, XLMRobertaModel(config), tokenizer, prompts, pooling)


def _vocabulary(folder: Path, special: list[str]) -> dict[str, int]:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,:"
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *WORDS]
    return {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}


def _save(
    folder: Path, model: Any, tokenizer: Any, prompts: Mapping[str, str] | None, pooling: str
) -> Path:
    """Save the parts, then the whole as sentence-transformers does."""
    parts = folder.with_name(f"{folder.name}-parts")
    model.eval().save_pretrained(parts)
    tokenizer.save_pretrained(parts)
    whole = SentenceTransformer(
        modules=[Transformer(str(parts)), Pooling(32, pooling_mode=pooling)], device="cpu"
    )
    whole.save(str(folder), create_model_card=False)
    if prompts:
        file = folder / "config_sentence_transformers.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"prompts": dict(prompts)}))
    return folder
