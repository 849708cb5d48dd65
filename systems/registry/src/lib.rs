//! All model systems, in the order in which they are shown. A new one is a line here.

use rekindle_train::Registry;

/// The systems of the command line and of the proofs.
pub fn registry() -> Registry {
    Registry::new()
        .with::<rekindle_logic::Logic>()
        .with::<rekindle_cascor::Cascor>()
        .with::<rekindle_wnn::Wnn>()
        .with::<rekindle_wisard::Wisard>()
        .with::<rekindle_gpt::Gpt>()
}
