#!/usr/bin/env python3
"""How fast a text becomes tokens, ours beside the `tokenizers` library with the very same tokenizer.json.

    cargo build --release -p rekindle-tokenizer --example encode_speed
    tools/tokenizer_beside_hugging_face.py TEXT [--vocabulary 2000]

The library learns a vocabulary of byte pairs from TEXT, which is UTF-8. Both then encode the text, in turn:
on one thread, and on two. The library's threads each need texts of their own, so that for two of them it gets
the text in pieces (its batch mode), and for one both the text as a whole and the pieces; of what it can do,
the fastest is compared. Tokens must be the same, or the exit code is 1. Medians over all turns are printed.

It needs the library: `python3 -m venv venv && venv/bin/pip install tokenizers`.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Read when the library makes its threads.
os.environ["RAYON_NUM_THREADS"] = "2"

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402

PIECE = 1 << 14


def learn(text, vocabulary, path):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False)
    # Line by line, as the library means it: a text of one piece is learnt by one thread.
    tokenizer.train_from_iterator(text.splitlines(keepends=True), trainer)
    tokenizer.save(str(path))
    return Tokenizer.from_file(str(path))


def pieces(text):
    """The text, cut at newlines behind what is no white space: the tokens are those of the whole."""
    cuts, last = [0], 0
    for match in re.finditer(r"(?<=\S)\n", text):
        if match.start() - last >= PIECE:
            last = match.start()
            cuts.append(last)
    return [text[start:end] for start, end in zip(cuts, cuts[1:] + [len(text)])]


def theirs(tokenizer, texts, parallel):
    """Seconds, and the tokens. `encode_batch_fast` leaves out the places of the tokens in the text."""
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if parallel else "false"
    start = time.perf_counter()
    encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    seconds = time.perf_counter() - start
    return seconds, [token for encoding in encodings for token in encoding.ids]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--vocabulary", type=int, default=2000)
    parser.add_argument("--program", default="target/release/examples/encode_speed",
                        help="the built example `encode_speed`")
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()

    text = arguments.text.read_bytes().decode("utf-8")
    size, split = arguments.text.stat().st_size, pieces(text)
    with tempfile.TemporaryDirectory() as scratch:
        vocabulary, tokens = Path(scratch) / "tokenizer.json", Path(scratch) / "tokens"
        tokenizer = learn(text, arguments.vocabulary, vocabulary)
        ways = {
            "theirs, 1 thread, whole": ([text], False),
            "theirs, 1 thread, pieces": (split, False),
            "theirs, 2 threads, pieces": (split, True),
        }
        seconds = {name: [] for name in ["ours, 1 thread", "ours, 2 threads", *ways]}
        load = " ".join(f"{load:.1f}" for load in os.getloadavg())
        print(f"{size} bytes, {tokenizer.get_vocab_size()} tokens to know, {len(split)} pieces; load {load}")
        for _ in range(arguments.turns):
            command = [arguments.program, vocabulary, arguments.text, tokens, "3"]
            line = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            seconds["ours, 1 thread"] += line["one_thread"]
            seconds["ours, 2 threads"] += line["two_threads"]
            ours = [int(token) for token in tokens.read_text().split()]
            for name, (texts, parallel) in ways.items():
                for _ in range(3):
                    taken, found = theirs(tokenizer, texts, parallel)
                    seconds[name].append(taken)
                if found != ours:
                    sys.exit(f"{name}: {len(found)} tokens that are not our {len(ours)}")

    print(f"{len(ours)} tokens are the same")
    median = {name: statistics.median(taken) for name, taken in seconds.items()}
    for name, taken in median.items():
        best = min(seconds[name])
        print(f"{name:26} {size / taken / 1e6:8.1f} MB/s in the median, {size / best / 1e6:8.1f} at best")
    one = min(median["theirs, 1 thread, whole"], median["theirs, 1 thread, pieces"])
    print(f"ours / theirs: {one / median['ours, 1 thread']:.1f} times as fast on 1 thread, "
          f"{median['theirs, 2 threads, pieces'] / median['ours, 2 threads']:.1f} on 2")


if __name__ == "__main__":
    main()
