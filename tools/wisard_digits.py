#!/usr/bin/env python3
"""WiSARD on the 8x8 digits of scikit-learn, beside other implementations that can be imported.

    cargo build --release -p rekindle-wisard --example wisard_digits
    python tools/wisard_digits.py target/release/examples/wisard_digits

Needs numpy and scikit-learn. `wisardpkg` and `tin_man_py` are measured if they are installed:

    pip install tin-man-py pybind11 setuptools wheel
    pip install --no-build-isolation wisardpkg

All of them get the same rows, the same thresholds and the same length of tuples, run on one thread, and
put the bits into another order in each trial. Times of the others are of their own calls alone: the bits
are made beforehand. Rekindle's include making them.

The last lines are of the length of tuples, and of the number of orders, that each program is best with on
rows to select by, a quarter of those that are learnt otherwise: the rows asked have no part in the choice.
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
SELECT_ROWS = 300


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
    print(f"{len(train[0])} rows learnt, {len(test[0])} asked; {arguments.kind} thermometers of "
          f"{arguments.bits} bits; mean of {arguments.seeds} seeds")
    print(f"{'':24} {'tuple':>5} {'accuracy':>9} {'learn':>12} {'ask':>12}")
    of_test = measure(arguments, train, test)
    for (name, tuple_bits, orders), trials in of_test.items():
        label = f"{name}, {orders} order{'s' * (orders > 1)}" if orders else name
        report(label, tuple_bits, trials, len(test[0]))
    fewer = [part[:-SELECT_ROWS] for part in train]
    select = [part[-SELECT_ROWS:] for part in train]
    of_select = measure(arguments, fewer, select)
    print(f"chosen by {len(select[0])} of the rows learnt:")
    for name in dict.fromkeys(name for name, _, _ in of_select):
        chosen = max((key for key in of_select if key[0] == name), key=lambda key: accuracy(of_select[key]))
        print(f"{name:24} {chosen[1]:5} {accuracy(of_test[chosen]):9.4f}"
              f"{f'  with {chosen[2]} orders' if chosen[2] else ''}  (select {accuracy(of_select[chosen]):.4f})")


def measure(arguments, train, test):
    """The trials of each program, length of tuples and number of orders."""
    bits = [encode(part[0], thresholds(train[0], arguments.kind, arguments.bits)) for part in (train, test)]
    trials = {}
    for tuple_bits in arguments.tuple_bits:
        for orders in arguments.orders:
            trials["rekindle", tuple_bits, orders] = rekindle(arguments, tuple_bits, orders, train, test)
        for name, peer in PEERS.items():
            try:
                found = [peer(tuple_bits, bits, train[1], test[1]) for _ in range(arguments.seeds)]
            except ImportError:
                continue
            trials[name, tuple_bits, None] = found
    return trials


def accuracy(trials):
    return statistics.mean(trial[0] for trial in trials)


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
