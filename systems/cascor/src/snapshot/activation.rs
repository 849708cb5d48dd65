//! Names of activation functions: the original spells them as PyTorch does.

/// As in the table of the original, which finds an activation by this spelling only.
const SPELLINGS: [&str; 13] = [
    "Identity",
    "Tanh",
    "Sigmoid",
    "ReLU",
    "LeakyReLU",
    "ELU",
    "SELU",
    "GELU",
    "Softmax",
    "Softplus",
    "Hardtanh",
    "Softshrink",
    "Tanhshrink",
];

/// Lower case and without `()`: `Tanh`, `Tanh()` and `tanh` are one function.
pub(super) fn normalised(name: &str) -> String {
    let name = name.trim();
    name.strip_suffix("()").unwrap_or(name).to_lowercase()
}

/// As the original spells it; a name that it does not know stays as it is.
pub(super) fn spelled(name: &str) -> String {
    let name = normalised(name);
    match SPELLINGS.iter().find(|spelling| spelling.to_lowercase() == name) {
        Some(&spelling) => spelling.to_owned(),
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_a_function_are_one() {
        for name in ["Tanh", "Tanh()", "tanh", " tanh() "] {
            assert_eq!(normalised(name), "tanh");
            assert_eq!(spelled(name), "Tanh");
        }
        for name in SPELLINGS {
            assert_eq!(spelled(&normalised(name)), name);
        }
        assert_eq!(spelled("mish"), "mish");
    }
}
