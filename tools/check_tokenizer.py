#!/usr/bin/env python3
"""Compares tokens with those of the Hugging Face library, and trains tokenizers with it.

    tools/check_tokenizer.py compare TOKENIZER.json TEXT TOKENS
    tools/check_tokenizer.py train MODEL VOCABULARY TEXT TOKENIZER.json

`compare` encodes the file TEXT, which is UTF-8, and compares with the file TOKENS: numbers with white
space between them. It prints how many there are; where they differ, it says which is the first and
with what text, and the exit code is 1.

`train` learns a vocabulary of that size from the file TEXT and writes it. MODEL is byte-pair;
byte-pair-unknown, which puts a space first and has a token for bytes that did not occur; byte-pair-whole,
which does not cut the text; runs, spaces or marks, which are words that end where these say; or
word-piece.

It needs the library: `python3 -m venv venv && venv/bin/pip install tokenizers`.
"""

import sys

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

MODELS = ["byte-pair", "byte-pair-unknown", "byte-pair-whole", "runs", "spaces", "marks", "word-piece"]
SPECIAL = ["<unk>", "<|endoftext|>", "<\u2581pad\u2581>"]


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def compare(tokenizer, text, tokens):
    tokenizer = Tokenizer.from_file(tokenizer)
    text = read(text)
    found = [int(token) for token in read(tokens).split()]
    encoding = tokenizer.encode(text, add_special_tokens=False)
    expected = encoding.ids
    for position, (one, other) in enumerate(zip(found, expected)):
        if one != other:
            start = encoding.offsets[position][0]
            near = text[max(start - 10, 0) : start + 10]
            sys.exit(f"token {position} is {one}, the library has {other}, in {near!r}")
    if len(found) != len(expected):
        sys.exit(f"{len(found)} tokens, the library has {len(expected)}")
    print(f"{len(found)} tokens are the same")


def train(kind, size, text, path):
    if kind.startswith("byte-pair"):
        unknown = kind == "byte-pair-unknown"
        model = models.BPE(unk_token="<unk>", fuse_unk=True) if unknown else models.BPE()
        tokenizer = Tokenizer(model)
        whole = kind == "byte-pair-whole"
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=unknown, use_regex=not whole)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    elif kind == "word-piece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    else:
        separations = {
            "runs": pre_tokenizers.Whitespace,
            "spaces": pre_tokenizers.WhitespaceSplit,
            "marks": pre_tokenizers.BertPreTokenizer,
        }
        tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
        tokenizer.pre_tokenizer = separations[kind]()
        trainer = trainers.WordLevelTrainer(vocab_size=size, special_tokens=SPECIAL, show_progress=False)
    tokenizer.train_from_iterator([read(text)], trainer)
    tokenizer.save(path)


def main():
    match sys.argv[1:]:
        case ["compare", tokenizer, text, tokens]:
            compare(tokenizer, text, tokens)
        case ["train", kind, size, text, tokenizer] if kind in MODELS:
            train(kind, int(size), text, tokenizer)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
