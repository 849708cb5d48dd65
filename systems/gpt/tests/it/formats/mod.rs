//! Model files of other programs come in as they were, go out so that those programs take them, and
//! when they are torn, changed or hostile are refused with a reason.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests make and damage files themselves"
)]

mod gguf;
mod hostile;
mod hugging_face;
mod lopos;
mod networks;
mod reference;
mod rustgpt;
