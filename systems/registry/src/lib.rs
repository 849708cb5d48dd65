//! All model systems, in the order in which they are shown. A new one is a line here.

/// Problems of reasoning with their answers, which language models learn.
pub use rekindle_gpt::data::reasoning;
use rekindle_train::Registry;

/// The systems of the command line and of the proofs.
pub fn registry() -> Registry {
    Registry::new()
        .with_system(rekindle_logic::system())
        .with_system(rekindle_lgn::system())
        .with_system(rekindle_cascor::system())
        .with_system(rekindle_wnn::system())
        .with_system(rekindle_wisard::system())
        .with_system(rekindle_wisard::exact::system())
        .with_system(rekindle_dwn::system())
        .with_system(rekindle_gpt::system())
}
