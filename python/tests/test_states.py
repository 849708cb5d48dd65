"""What goes into a checkpoint comes back as it was, or is refused by its path."""

from __future__ import annotations

import collections
import math

import numpy as np
import pytest

import rekindle


def through(tmp_path, state):
    with rekindle.Run(tmp_path / "run") as run:
        run.save(1, state)
    back = rekindle.load(tmp_path / "run")
    assert rekindle.state_hash(back) == rekindle.state_hash(state)
    return back


def test_plain_values_come_back_as_they_were(tmp_path):
    state = {
        "none": None, "yes": True, "no": False, "int": -3, "float": 0.1, "zero": -0.0,
        "big": [2**63, -(2**63), 2**63 - 1, 2**64, -(2**200), 10**400],
        "text": "völlig", "empty": "", "bytes": b"\x00\xff", "no bytes": b"",
        "list": [], "tuple": (), "dict": {}, "nested": [(1, [2.0, (None,)]), {"a": ({},)}],
        "a.b": 1, "": 2,
    }  # fmt: skip
    back = through(tmp_path, state)
    assert back == state
    assert list(back) == list(state), "dicts keep their order"
    assert type(back["nested"][0]) is tuple and type(back["nested"][0][1]) is list
    assert type(back["yes"]) is bool and type(back["int"]) is int
    assert math.copysign(1, back["zero"]) == -1


def test_keys_of_every_kind_keep_their_order(tmp_path):
    state = {
        "ascending": {0: "a", 1: {"x": 1}, 7: []},
        "descending": {3: 1, 2: 2},
        "mixed": {"a": 1, 2: (3,), None: 4, (1, "b"): 5, 1.5: 6, True: 7},
        "counter": collections.Counter({5: 2, 3: 1}),
        "ordered": collections.OrderedDict(b=1, a=2),
    }
    back = through(tmp_path, state)
    assert back == state
    for name in state:
        assert list(back[name]) == list(state[name])
    assert type(back["counter"]) is collections.Counter


DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split()


@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_of_every_dtype(tmp_path, dtype):
    rng = np.random.default_rng(0)
    array = rng.integers(0, 2, (3, 4, 5)).astype(dtype)
    if np.issubdtype(dtype, np.inexact):
        array[0, 0, :3] = [np.nan, -0.0, np.inf]
    state = {"array": array, "point": array[0, 0, 0], "empty": array[:0], "single": np.array(array[0, 0, 1])}
    back = through(tmp_path, state)
    for name, value in state.items():
        assert type(back[name]) is type(value) and back[name].dtype == value.dtype
        assert back[name].shape == value.shape and back[name].tobytes() == value.tobytes()
    back["array"][0] = 0  # it can be written


def test_bfloat16_and_float8(tmp_path):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.arange(100, dtype=np.float32).reshape(10, 10)
    state = {name: values.astype(getattr(ml_dtypes, name)) for name in ("bfloat16", "float8_e4m3fn", "float8_e5m2")}
    back = through(tmp_path, state)
    for name, array in state.items():
        assert back[name].dtype == array.dtype and back[name].tobytes() == array.tobytes()


def test_arrays_keep_the_order_of_their_dimensions(tmp_path):
    array = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    state = {"fortran": np.asfortranarray(array), "turned": array.transpose(1, 2, 0).copy().transpose(2, 0, 1), "strided": array[:, ::2, 1].copy()[::-1]}
    back = through(tmp_path, state)
    for name in state:
        assert (back[name] == state[name]).all()
    assert back["fortran"].strides == state["fortran"].strides and back["turned"].strides == state["turned"].strides
    assert rekindle.load(tmp_path / "run", only="fortran").flags.f_contiguous


def test_an_array_in_two_places_stays_one(tmp_path):
    shared = np.zeros(1000)
    back = through(tmp_path, {"a": shared, "b": [shared], "c": np.zeros(1000)})
    assert back["a"] is back["b"][0] and back["a"] is not back["c"]
    assert (rekindle.load(tmp_path / "run", only="b.0") == shared).all()


def test_arrays_that_overlap_are_refused():
    whole = np.zeros(1000)
    with pytest.raises(rekindle.StateError, match="`part` .*same memory|`whole` .*same memory") as error:
        rekindle.state_hash({"whole": whole, "part": whole[10:]})
    assert "copy" in error.value.hint
    rekindle.state_hash({"left": whole[:500], "right": whole[500:]})


class Thing:
    def state_dict(self):
        return {}


@pytest.mark.parametrize(
    "value, remedy",
    [
        ({1, 2}, r"sorted\(x\)"),
        (Thing(), r"x.state_dict\(\)"),
        (len, "code is never saved"),
        (object(), "fields as a dict"),
        (1j, "complex128"),
        (bytearray(b"x"), r"bytes\(x\)"),
        (collections.defaultdict(list), r"dict\(x\)"),
        (collections.namedtuple("P", "x")(1), "plain tuple"),
        (np.random.default_rng(0), "bit_generator.state"),
        (np.array(["a"]), "elements are of type"),
        (np.array([object()]), "elements are of type"),
        (np.array([1], dtype=">i4"), "another machine"),
        (np.ma.array([1]), "MaskedArray"),
        ("\ud800", "surrogate"),
    ],
)
def test_what_has_no_mapping_is_refused_by_its_path(tmp_path, value, remedy):
    run = rekindle.Run(tmp_path / "run")
    with pytest.raises(rekindle.StateError, match=remedy) as error:
        run.save(1, {"outer": [0, {"inner": value}]})
    assert "`outer.1.inner`" in str(error.value)
    assert rekindle.checkpoints(tmp_path / "run") == [], "nothing was saved"
    run.save(1, {"outer": 1})


def test_what_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(rekindle.StateError, match="nested deeper"):
        rekindle.state_hash({"loop": loop})


def test_state_hashes_tell_states_apart():
    hashes = [
        rekindle.state_hash({"a": value})
        for value in (1, 1.0, True, "1", b"1", [1], (1,), {"x": 1}, {1: 1}, np.float32(1), np.array([1.0]), np.array(1.0), None)
    ]
    assert len(set(hashes)) == len(hashes)
    assert rekindle.state_hash({"a": 1, "b": 2}) == rekindle.state_hash({"b": 2, "a": 1})
