//! The activations of the original's table, and ours.

use crate::activation::Activation;

/// Those that are the same here and there, by the same name.
const SAME: [Activation; 11] = [
    Activation::Tanh,
    Activation::Identity,
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Elu,
    Activation::Selu,
    Activation::Gelu,
    Activation::Softplus,
    Activation::Hardtanh,
    Activation::Softshrink,
    Activation::Tanhshrink,
];

/// The name of the logistic function there, which is that of the symmetric one here.
const LOGISTIC: &str = "sigmoid";

/// One of the table, which computes nothing for a single unit: it divides what several have among them.
pub(super) const SOFTMAX: &str = "softmax";

/// The activation of this name, in lower case and without `()`.
pub(super) fn named(name: &str) -> Result<Activation, String> {
    if name == LOGISTIC {
        return Ok(Activation::Logistic);
    }
    SAME.into_iter().find(|activation| activation.name() == name).ok_or_else(|| {
        let known: Vec<&str> = SAME.iter().map(|activation| activation.name()).chain([LOGISTIC]).collect();
        format!("its activation is `{name}`; those of the original are read: {}", known.join(", "))
    })
}

/// The name that the original has for the activation; of the symmetric sigmoid that of the logistic function,
/// from which it differs by a constant.
pub(super) fn name_of(activation: Activation) -> Result<&'static str, String> {
    match activation {
        Activation::Sigmoid | Activation::Logistic => Ok(LOGISTIC),
        same if SAME.contains(&same) => Ok(same.name()),
        other => Err(format!("the original has no {} units", other.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_original_has_comes_back() {
        for activation in Activation::ALL {
            match name_of(activation) {
                Ok(_) if activation == Activation::Sigmoid => {}
                Ok(name) => assert_eq!(named(name).unwrap(), activation),
                Err(reason) => {
                    assert_eq!(activation, Activation::Gaussian);
                    assert_eq!(reason, "the original has no gaussian units");
                }
            }
        }
        assert!(named("mish").unwrap_err().contains("`mish`"));
    }
}
