//! How text becomes tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How text becomes tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// How text is cut.
    pub kind: TokenKind,
    /// The most tokens to learn, those of single bytes included.
    pub vocabulary: u32,
    /// A Hugging Face `tokenizer.json`, in place of one that is learnt from the text.
    pub file: Option<String>,
    /// Symbols of logic that are always tokens of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbols: Option<SymbolTokens>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { kind: TokenKind::default(), vocabulary: 1024, file: None, symbols: None }
    }
}

/// How text is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Into pairs of bytes that occur often, and pairs of those.
    #[default]
    BytePairs,
    /// Into bytes.
    Bytes,
    /// Into words and punctuation marks; other words become bytes.
    Words,
    /// As RustGPT does: into words and punctuation marks; other words are left out.
    Rustgpt,
}

/// Symbols that are always tokens of their own: ∧ ∨ ~ → ↔ ∀ ∃ = > < ⊆ ( ) λ and the dot.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SymbolTokens {
    /// Predicates and functions that are tokens of their own, too, wherever their names stand: a YAML file with
    /// `predicates` and `functions`, each a map from names to numbers of arguments.
    pub file: Option<String>,
}
