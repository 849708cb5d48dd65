#!/usr/bin/env python3
"""Compares an exported directory with what the Hugging Face library makes of it.

    tools/check_hugging_face.py compare DIRECTORY ANSWERS.json
    tools/check_hugging_face.py write DIRECTORY ANSWERS.json

`compare` checks what this program has written. ANSWERS.json is what this program answers: `cases`, a list of maps with `tokens`, `logits` (a row for each
of the tokens) and, where text was generated, `greedy` (the tokens and those that follow); and, if there is a
tokenizer, `text` with its `text_tokens`. It prints the largest difference of the logits; when it is more than
1e-4, or the tokens differ, it says where, and the exit code is 1.

`write` makes a small random GPT-2 with a tokenizer, saves it as the library does, and writes what it
answers.

It needs the library: `python3 -m venv venv && venv/bin/pip install torch transformers tokenizers`.
"""

import json
import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

LIMIT = 1e-4


def compare_logits(model, cases):
    largest = 0.0
    for number, case in enumerate(cases):
        with torch.no_grad():
            expected = model(torch.tensor([case["tokens"]])).logits[0].double()
        found = torch.tensor(case["logits"], dtype=torch.float64)
        if found.shape != expected.shape:
            sys.exit(f"case {number}: {list(found.shape)} logits, the library has {list(expected.shape)}")
        largest = max(largest, (found - expected).abs().max().item())
    print(f"the logits of {len(cases)} cases differ by at most {largest:.2e}")
    if not largest <= LIMIT:
        sys.exit(f"that is more than {LIMIT:.0e}")


def compare_greedy(model, cases):
    cases = [case for case in cases if "greedy" in case]
    for number, case in enumerate(cases):
        prompt = torch.tensor([case["tokens"]])
        expected = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            max_length=model.config.n_positions,
            pad_token_id=0,
        )[0].tolist()
        found = case["greedy"]
        if found != expected[: len(found)]:
            sys.exit(f"case {number}: {found} was generated, the library generates {expected}")
    print(f"the text of {len(cases)} cases is the same")


def compare_tokens(directory, text, found):
    tokenizer = AutoTokenizer.from_pretrained(directory)
    expected = tokenizer(text, add_special_tokens=False)["input_ids"]
    if found != expected:
        sys.exit(f"the text has the tokens {found}, for the library {expected}")
    if tokenizer.decode(found) != text:
        sys.exit(f"the library makes {tokenizer.decode(found)!r} of the tokens of the text")
    print(f"{len(found)} tokens are the same")


def compare(directory, answers):
    with open(answers, encoding="utf-8") as file:
        answers = json.load(file)
    model, loading = AutoModelForCausalLM.from_pretrained(
        directory, dtype=torch.float32, output_loading_info=True
    )
    for what, names in loading.items():
        if names:
            sys.exit(f"the library reports {what}: {names}")
    model.eval()
    compare_logits(model, answers["cases"])
    compare_greedy(model, answers["cases"])
    if "text" in answers:
        compare_tokens(directory, answers["text"], answers["text_tokens"])


def write(directory, path):
    text = "the cat ran to the café, and THE dog's mat; 東京"
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, special_tokens=["<|endoftext|>"], show_progress=False
    )
    tokenizer.train_from_iterator([text] * 3, trainer)
    size = tokenizer.get_vocab_size()
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=size, n_positions=24, n_embd=32, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0
    )
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn(parameter.shape)
    model.eval()
    model.save_pretrained(directory)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>").save_pretrained(directory)
    cases = []
    for length in [1, 5, 24]:
        tokens = torch.randint(size, (length,)).tolist()
        with torch.no_grad():
            logits = model(torch.tensor([tokens])).logits[0].tolist()
        cases.append({"tokens": tokens, "logits": logits})
    tokens = tokenizer.encode(text, add_special_tokens=False).ids
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"cases": cases, "text": text, "text_tokens": tokens}, file)


def main():
    match sys.argv[1:]:
        case ["compare", directory, answers]:
            compare(directory, answers)
        case ["write", directory, answers]:
            write(directory, answers)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
