//! Names of the variants that stand in a tree for what Python has and trees have not.

/// A tuple; trees have lists only.
pub const TUPLE: &str = "tuple";
/// Bytes, so that they are no array.
pub const BYTES: &str = "bytes";
/// An integer beyond 64 bits: two's complement, little-endian.
pub const INT: &str = "int";
/// A dict whose keys are neither strings nor ascending integers: pairs in its order.
pub const PAIRS: &str = "pairs";
/// A `collections.Counter`.
pub const COUNTER: &str = "Counter";
/// An array that lies in the same memory as the one at this path.
pub const SHARED: &str = "shared";
/// An array whose dimensions lie in memory in another order.
pub const PERMUTED: &str = "permuted";
/// A single number of an array library, as `numpy.float32(1)`.
pub const SCALAR: &str = "scalar";
/// A typed key of JAX.
pub const JAX_KEY: &str = "jax_key";

/// Libraries whose arrays are told apart. An array without a mark is of the library that the schema names.
pub const LIBRARIES: [&str; 3] = ["numpy", "torch", "jax"];

/// Element types that are kept as others.
pub const FOREIGN: [&str; 7] = [
    "complex64",
    "complex128",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
];

/// True for the variants that only say more of an array.
pub fn is_of_array(name: &str) -> bool {
    LIBRARIES.contains(&name) || FOREIGN.contains(&name) || matches!(name, PERMUTED | SCALAR)
}

/// True for a variant that no segment of a path in Python stands for.
pub fn is_mark(name: &str) -> bool {
    is_of_array(name) || matches!(name, TUPLE | PAIRS | COUNTER | JAX_KEY)
}
