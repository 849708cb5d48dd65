#!/usr/bin/env python3
"""Checks an HDF5 snapshot of a cascade-correlation network with h5py, as the original program would.

    tools/check_snapshot.py SNAPSHOT.h5

It checks the format, the required groups, the attributes and their types, the shapes, and every
checksum with hashlib. It prints the weights as JSON, each as the bits of a 32-bit number, row by
row: {"output_weights": [...], "output_bias": [...], "hidden_units": [{"weights": [...], "bias": [...]}]}.
What is wrong goes to standard error, and the exit code is then 1.

It needs h5py: `python3 -m venv venv && venv/bin/pip install h5py`.
"""

import hashlib
import json
import sys

import h5py
import numpy

ATTRIBUTES = {
    "/": {"format": "S", "format_version": "S", "serializer_version": "S", "juniper_version": "S"},
    "meta": {"snapshot_counter": "i", "current_epoch": "i", "patience_counter": "i", "best_value_loss": "f"},
    "config": {
        "activation_function_name": "S",
        "input_size": "i",
        "output_size": "i",
        "learning_rate": "f",
        "candidate_learning_rate": "f",
        "max_hidden_units": "i",
        "correlation_threshold": "f",
        "candidate_pool_size": "i",
        "patience": "i",
        "random_seed": "i",
    },
    "arch": {
        "activation_function_name": "S",
        "input_size": "i",
        "output_size": "i",
        "num_hidden_units": "i",
        "max_hidden_units": "i",
    },
    "params": {},
    "random": {"seed": "i", "max_value": "i", "sequence_max_value": "i", "value_scale": "f"},
}


class Wrong(Exception):
    """The snapshot is not as it should be."""


def require(holds, message):
    if not holds:
        raise Wrong(message)


def check_attributes(file):
    for path, attributes in ATTRIBUTES.items():
        require(path in file, f"{path} is missing")
        for name, kind in attributes.items():
            require(name in file[path].attrs, f"{path}/@{name} is missing")
            dtype = file[path].attrs.get_id(name).dtype
            require(dtype.kind == kind, f"{path}/@{name} has type {dtype}")
            require(kind == "S" or dtype.itemsize == 8, f"{path}/@{name} has type {dtype}")
    require(file.attrs["format"] == b"juniper.cascor", "the format is another")
    require(int(file.attrs["format_version"].split(b".")[0]) <= 2, "the version is newer")


def tensor(group, name, shape, checksum):
    require(name in group, f"{group.name}/{name} is missing")
    dataset = group[name]
    require(dataset.dtype == numpy.dtype("<f4"), f"{dataset.name} has type {dataset.dtype}")
    require(dataset.shape == shape, f"{dataset.name} has shape {dataset.shape}, not {shape}")
    require(tuple(dataset.attrs["shape"]) == shape, f"{dataset.name}/@shape is wrong")
    require(dataset.attrs["tensor_type"] == b"torch.Tensor", f"{dataset.name}/@tensor_type is wrong")
    require(dataset.attrs["dtype"] == b"torch.float32", f"{dataset.name}/@dtype is wrong")
    require(not bool(dataset.attrs["requires_grad"]), f"{dataset.name}/@requires_grad is wrong")
    require(dataset.compression == "gzip", f"{dataset.name} is not compressed")
    values = dataset[:]
    require(numpy.isfinite(values).all(), f"{dataset.name} holds what is not finite")
    checksums = json.loads(group["checksums"].asstr()[()])
    found = hashlib.sha256(values.tobytes()).hexdigest()
    require(checksums[checksum] == found, f"{dataset.name}: the checksum does not hold")
    return values.view("<u4").ravel().tolist()


def check_config(file):
    text = file["config/config_json"].asstr()[()]
    config = json.loads(text)
    for name in ("input_size", "output_size"):
        require(config[name] == file["arch"].attrs[name], f"{name} of config_json is another")
    if "checksums" in file["config"]:
        checksums = json.loads(file["config/checksums"].asstr()[()])
        found = hashlib.sha256(text.encode()).hexdigest()
        require(checksums["config_json"] == found, "config/config_json: the checksum does not hold")


def check_history(file):
    if "history" not in file:
        return
    for name in ("train_loss", "value_loss", "train_accuracy", "value_accuracy"):
        if name in file["history"]:
            require(file["history"][name][:].dtype == numpy.float64, f"history/{name} has another type")
    for unit in file["history"].get("hidden_units_added", {}).values():
        float(unit.attrs["correlation"])


def weights(file):
    sizes = file["arch"].attrs
    inputs, outputs, hidden = (int(sizes[name]) for name in ("input_size", "output_size", "num_hidden_units"))
    layer = file["params/output_layer"]
    found = {
        "output_weights": tensor(layer, "weights", (inputs + hidden, outputs), "output_weights"),
        "output_bias": tensor(layer, "bias", (outputs,), "output_bias"),
        "hidden_units": [],
    }
    require(("hidden_units" in file) == (hidden > 0), "hidden_units is there without need, or missing")
    if hidden > 0:
        units = file["hidden_units"]
        require(units.attrs["num_units"] == hidden == len(units), "hidden_units/@num_units is another")
        for index in range(hidden):
            unit = units[f"unit_{index}"]
            float(unit.attrs["correlation"])
            require(unit.attrs["activation_function_name"], f"{unit.name} has no activation")
            found["hidden_units"].append(
                {
                    "weights": tensor(unit, "weights", (inputs + index,), "weights"),
                    "bias": tensor(unit, "bias", (1,), "bias"),
                }
            )
    check_history(file)
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        with h5py.File(sys.argv[1], "r") as file:
            check_attributes(file)
            check_config(file)
            print(json.dumps(weights(file)))
    except (Wrong, OSError, KeyError, ValueError) as error:
        sys.exit(f"{sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
