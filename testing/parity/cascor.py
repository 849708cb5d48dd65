"""The other program's part in `cascor.sh`: its networks written and read by its own code.

    cascor.py make CHECKOUT DIR          a snapshot of each activation in its table, with what it answers
    cascor.py answers CHECKOUT FILE CSV  loads a snapshot, answers the rows of the table, trains and saves it again
    cascor.py compare CSV CSV            exit code 1 where numbers of two tables differ by more than 1e-5

Tables are CSV with a header; answers have columns `output_...`, in the same order.
"""

import csv
import os
import pathlib
import sys

TOLERANCE = 1e-5
ROWS = [[0.0, 0.0], [1.0, -2.0], [-0.3, 0.7], [3.0, 2.5], [-4.0, 0.1], [0.01, -0.02]]


def original(checkout):
    """Its modules, which find each other from two of its folders."""
    os.environ["CASCOR_LOG_LEVEL"] = "ERROR"
    source = pathlib.Path(checkout) / "src"
    sys.path[:0] = [str(source), str(source / "cascade_correlation")]
    import torch
    from cascade_correlation.cascade_correlation import CascadeCorrelationNetwork
    from cascade_correlation.cascade_correlation_config.cascade_correlation_config import CascadeCorrelationConfig
    from snapshots.snapshot_serializer import CascadeHDF5Serializer

    return torch, CascadeCorrelationNetwork, CascadeCorrelationConfig, CascadeHDF5Serializer()


def write_table(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def read_table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_answers(path, network, torch, rows):
    with torch.no_grad():
        answers = network.forward(torch.tensor(rows, dtype=torch.float32))
    write_table(path, [f"output_{index}" for index in range(answers.shape[1])], answers.tolist())


def make(checkout, directory):
    torch, Network, Config, serializer = original(checkout)
    directory = pathlib.Path(directory)
    for name in Config().activation_functions_dict:
        config = Config(
            input_size=2,
            output_size=2,
            activation_function_name=name,
            candidate_training_target_accuracy=0.9,
        )
        network = Network(config=config)
        generator = torch.Generator().manual_seed(7)
        # Softmax over one unit is an error there: such networks have no hidden units.
        for index in range(0 if name == "Softmax" else 3):
            unit = {
                "weights": torch.randn(2 + index, generator=generator),
                "bias": torch.randn(1, generator=generator),
                "activation_fn": network.activation_fn,
                "correlation": 0.25 * (index + 1),
            }
            network.hidden_units.append(unit)
            network.history["hidden_units_added"].append(
                {"correlation": unit["correlation"], "weights": unit["weights"].numpy(), "bias": unit["bias"].numpy()}
            )
        network.output_weights = torch.randn(2 + len(network.hidden_units), 2, generator=generator)
        network.history["train_loss"] = [0.5, 0.25]
        path = directory / f"{name}.h5"
        if not serializer.save_network(network, path, include_training_state=True):
            sys.exit(f"the original does not save {name}")
        write_answers(directory / f"{name}.csv", network, torch, ROWS)
    write_table(directory / "rows.csv", ["x", "y"], ROWS)


def answers(checkout, snapshot, table):
    torch, _, _, serializer = original(checkout)
    network = serializer.load_network(snapshot)
    if network is None:
        sys.exit(f"the original does not load {snapshot}")
    rows = [[float(value) for value in row.values()] for row in read_table(table)]
    stem = pathlib.Path(snapshot).with_suffix("")
    write_answers(f"{stem}.original.csv", network, torch, rows)
    print(f"target accuracy {network.target_accuracy}, {len(network.hidden_units)} units")
    # What it loads it can also train on and save.
    x = torch.tensor(rows, dtype=torch.float32)
    y = torch.zeros(len(rows), network.output_size)
    y[:, 0] = 1.0
    network.train_output_layer(x, y, epochs=3)
    network.output_weights = network.output_weights.detach()
    network.output_bias = network.output_bias.detach()
    if not serializer.save_network(network, f"{stem}.trained.h5", include_training_state=True):
        sys.exit("the original does not save what it loaded")
    write_answers(f"{stem}.trained.csv", network, torch, rows)


def compare(one, other):
    one, other = read_table(one), read_table(other)
    outputs, others = ([name for name in table[0] if name.startswith("output_")] for table in (one, other))
    if not outputs or len(outputs) != len(others) or len(one) != len(other):
        sys.exit(f"the tables differ in shape: {list(one[0])} and {list(other[0])}")
    worst = 0.0
    for left, right in zip(one, other):
        # The columns are named after classes here, and numbered there.
        for a, b in ((float(left[name]), float(right[same])) for name, same in zip(outputs, others)):
            worst = max(worst, abs(a - b) / max(1.0, abs(b)))
    print(f"greatest difference {worst:.1e} over {len(one)} rows and {len(outputs)} outputs")
    sys.exit(0 if worst <= TOLERANCE else 1)


if __name__ == "__main__":
    commands = {"make": make, "answers": answers, "compare": compare}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
