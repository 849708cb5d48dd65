#!/usr/bin/env python3
"""WiSARD on the 8x8 digits of scikit-learn, beside other implementations that can be imported.

    cargo build --release -p rekindle-wnn --example wisard_digits
    python tools/wisard_digits.py target/release/examples/wisard_digits

Needs numpy and scikit-learn. `wisardpkg` and `tin_man_py` are measured if they are installed:

    pip install tin-man-py pybind11 setuptools wheel
    pip install --no-build-isolation wisardpkg

All of them get the same rows, the same thresholds and the same length of tuples, run on one thread, and
put the bits into another order in each trial. Times of the others are of their own calls alone: the bits
are made beforehand. Rekindle's include making them.
"""

import argparse
import functools
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy
from sklearn.datasets import load_digits

TRAINING_ROWS = 1200


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the built example `wisard_digits`")
    parser.add_argument("--kind", default="gaussian", choices=["linear", "gaussian", "quantile"])
    parser.add_argument("--bits", type=int, default=16, help="thresholds of each pixel")
    parser.add_argument("--tuple-bits", type=int, nargs="+", default=[8, 10, 16])
    parser.add_argument("--orders", type=int, nargs="+", default=[1, 2, 4],
                        help="random orders of the bits, of Rekindle's")
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    train, test = digits()
    bits = [encode(part[0], thresholds(train[0], arguments.kind, arguments.bits)) for part in (train, test)]
    print(f"{len(train[0])} rows learnt, {len(test[0])} asked; {arguments.kind} thermometers of "
          f"{arguments.bits} bits; mean of {arguments.seeds} seeds")
    print(f"{'':24} {'tuple':>5} {'accuracy':>9} {'learn':>12} {'ask':>12}")
    for tuple_bits in arguments.tuple_bits:
        for orders in arguments.orders:
            trials = rekindle(arguments, tuple_bits, orders, train, test)
            report(f"rekindle, {orders} order{'s' * (orders > 1)}", tuple_bits, trials, len(test[0]))
        for name, peer in PEERS.items():
            try:
                trials = [peer(tuple_bits, bits, train[1], test[1]) for _ in range(arguments.seeds)]
            except ImportError:
                print(f"{name:24} is not installed")
                continue
            report(name, tuple_bits, trials, len(test[0]))


def digits():
    data = load_digits()
    order = numpy.random.RandomState(0).permutation(len(data.data))
    rows, classes = data.data[order], data.target[order]
    return [(rows[part], classes[part]) for part in (slice(None, TRAINING_ROWS), slice(TRAINING_ROWS, None))]


def thresholds(rows, kind, bits):
    """By pixel: as Rekindle places them."""
    shares = numpy.arange(1, bits + 1) / (bits + 1)
    if kind == "linear":
        low, high = rows.min(axis=0), rows.max(axis=0)
        return low[:, None] + (high - low)[:, None] * shares
    if kind == "gaussian":
        quantiles = numpy.array([statistics.NormalDist().inv_cdf(share) for share in shares])
        return rows.mean(axis=0)[:, None] + rows.std(axis=0)[:, None] * quantiles
    return numpy.quantile(rows, shares, axis=0).T


def encode(rows, thresholds):
    return (rows[:, :, None] > thresholds).reshape(len(rows), -1)


def rekindle(arguments, tuple_bits, orders, train, test):
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory) / name for name in ("train.csv", "test.csv")]
        head = ",".join([f"pixel{index}" for index in range(64)] + ["digit"])
        for file, (rows, classes) in zip(files, (train, test)):
            numpy.savetxt(file, numpy.c_[rows, classes], fmt="%d", delimiter=",", header=head, comments="")
        command = [arguments.program, *files, "digit", arguments.kind, arguments.bits, tuple_bits, orders,
                   arguments.seeds]
        output = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    result = json.loads(output.stdout)
    return list(zip(result["accuracy"], result["train_seconds"], result["query_seconds"]))


def wisardpkg(tuple_bits, bits, train_classes, test_classes):
    import wisardpkg

    train, test = (part.astype(int).tolist() for part in bits)
    labels = [str(label) for label in train_classes]
    model = wisardpkg.Wisard(tuple_bits, bleachingActivated=True, ignoreZero=False, verbose=False)
    return timed(lambda: model.train(train, labels), lambda: model.classify(test), test_classes)


def tin_man(tuple_bits, bits, train_classes, test_classes, bleaching):
    import tin_man_py

    train, test = (part.tolist() for part in bits)
    labels = [str(label) for label in train_classes]
    model = tin_man_py.Wisard(len(train[0]), tuple_bits, confidence_threshold=0.0,
                              bleaching_enabled=bleaching, ignore_zero=False, parallel=False)

    def learn():
        for row, label in zip(train, labels):
            model.train(row, label)

    return timed(learn, lambda: [model.classify(row)[0] for row in test], test_classes)


PEERS = {
    "wisardpkg": wisardpkg,
    "tin_man_py": functools.partial(tin_man, bleaching=True),
    "tin_man_py, no bleaching": functools.partial(tin_man, bleaching=False),
}


def timed(learn, ask, expected):
    """Accuracy, and the seconds to learn and to ask."""
    begun = time.perf_counter()
    learn()
    learnt = time.perf_counter()
    answers = ask()
    asked = time.perf_counter()
    right = sum(str(answer) == str(label) for answer, label in zip(answers, expected))
    return right / len(expected), learnt - begun, asked - learnt


def report(name, tuple_bits, trials, asked):
    accuracy, learn, ask = (statistics.mean(column) for column in zip(*trials))
    print(f"{name:24} {tuple_bits:5} {accuracy:9.4f} {learn * 1e6 / TRAINING_ROWS:8.2f} us/row "
          f"{ask * 1e6 / asked:8.2f} us/row")


if __name__ == "__main__":
    main()
