#!/usr/bin/env python3
"""Compares a GGUF file with an exported directory of the same network.

    tools/check_gguf.py MODEL.gguf DIRECTORY

DIRECTORY is what the Hugging Face library reads, and is checked with tools/check_hugging_face.py. Tensors must
be there with their shapes; those in 32 and 16 bits must be the same numbers, those in 8 bits the same bytes
that the library of llama.cpp makes of the numbers. The metadata must be those of config.json and
tokenizer.json. It prints what was compared; where something differs it says what, and the exit code is 1.

It needs two libraries: `python3 -m venv venv && venv/bin/pip install gguf safetensors`.
"""

import json
import os
import sys

import numpy
from gguf import GGMLQuantizationType, GGUFReader, dequantize, quantize
from safetensors.numpy import load_file

GLOBAL = {
    "token_embd.weight": "transformer.wte.weight",
    "position_embd.weight": "transformer.wpe.weight",
    "output_norm.weight": "transformer.ln_f.weight",
    "output_norm.bias": "transformer.ln_f.bias",
    "output.weight": "lm_head.weight",
}
BLOCK = {
    "attn_norm": "ln_1",
    "attn_qkv": "attn.c_attn",
    "attn_output": "attn.c_proj",
    "ffn_norm": "ln_2",
    "ffn_up": "mlp.c_fc",
    "ffn_down": "mlp.c_proj",
}


def name_and_turn(name):
    """The tensor's name in the directory, and whether it is turned there."""
    if name in GLOBAL:
        return GLOBAL[name], False
    _, block, part, kind = name.split(".")
    is_map = kind == "weight" and not part.endswith("_norm")
    return f"transformer.h.{block}.{BLOCK[part]}.{kind}", is_map


def compare_tensors(reader, parameters):
    largest = 0.0
    kinds = {}
    for tensor in reader.tensors:
        name, is_turned = name_and_turn(tensor.name)
        expected = parameters.pop(name)
        expected = numpy.ascontiguousarray(expected.T if is_turned else expected)
        if tuple(reversed(tensor.shape.tolist())) != expected.shape:
            sys.exit(f"{tensor.name} has the extents {tensor.shape}, the directory {expected.shape}")
        if tensor.data_offset % 32 != 0:
            sys.exit(f"{tensor.name} begins at byte {tensor.data_offset}")
        kind = tensor.tensor_type
        kinds[kind.name] = kinds.get(kind.name, 0) + 1
        if kind == GGMLQuantizationType.Q8_0:
            same = numpy.array_equal(tensor.data, quantize(expected, kind))
        elif kind == GGMLQuantizationType.F16:
            same = numpy.array_equal(tensor.data, expected.astype(numpy.float16))
        else:
            same = kind == GGMLQuantizationType.F32 and numpy.array_equal(tensor.data, expected)
        if not same:
            sys.exit(f"{tensor.name}, of type {kind.name}, holds other numbers")
        found = dequantize(tensor.data, kind).reshape(expected.shape)
        largest = max(largest, float(numpy.abs(found - expected).max()))
    if parameters:
        sys.exit(f"not in the file: {', '.join(parameters)}")
    print(f"{kinds} tensors are as they should be; weights differ by at most {largest:.2e}")


def compare_metadata(reader, config, tokenizer):
    def value(key):
        if key not in reader.fields:
            sys.exit(f"the file has no {key}")
        return reader.fields[key].contents()

    expected = {
        "general.architecture": "gpt2",
        "gpt2.context_length": config["n_positions"],
        "gpt2.embedding_length": config["n_embd"],
        "gpt2.block_count": config["n_layer"],
        "gpt2.feed_forward_length": config["n_inner"],
        "gpt2.attention.head_count": config["n_head"],
        "tokenizer.ggml.model": "gpt2",
    }
    for key, token in [("bos", "bos_token_id"), ("eos", "eos_token_id"), ("padding", "pad_token_id")]:
        if config[token] is not None:
            expected[f"tokenizer.ggml.{key}_token_id"] = config[token]
    for key, wanted in expected.items():
        if value(key) != wanted:
            sys.exit(f"{key} is {value(key)!r}, not {wanted!r}")
    epsilon = value("gpt2.attention.layer_norm_epsilon")
    if numpy.float32(epsilon) != numpy.float32(config["layer_norm_epsilon"]):
        sys.exit(f"the epsilon is {epsilon}")
    ids = dict(tokenizer["model"]["vocab"])
    ids |= {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    tokens = value("tokenizer.ggml.tokens")
    if len(tokens) != config["vocab_size"] or len(value("tokenizer.ggml.token_type")) != len(tokens):
        sys.exit(f"there are {len(tokens)} tokens for {config['vocab_size']} rows")
    for token, number in ids.items():
        if tokens[number] != token:
            sys.exit(f"token {number} is {tokens[number]!r}, not {token!r}")
    if value("tokenizer.ggml.merges") != [" ".join(pair) for pair in tokenizer["model"]["merges"]]:
        sys.exit("the merges are others")
    print(f"{len(expected) + 1} settings and {len(ids)} tokens are the same")


def read_json(directory, name):
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        return json.load(file)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    reader = GGUFReader(sys.argv[1])
    directory = sys.argv[2]
    compare_metadata(reader, read_json(directory, "config.json"), read_json(directory, "tokenizer.json"))
    compare_tensors(reader, load_file(os.path.join(directory, "model.safetensors")))


if __name__ == "__main__":
    main()
