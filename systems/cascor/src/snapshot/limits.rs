//! How large a snapshot may be.
//!
//! The largest network that was ever reported has some hundreds of hidden units; these bounds lie
//! far above that and keep what a hostile file can ask for within a small machine's memory.

/// The longest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// All arrays of a file together may hold so many bytes once they are decompressed.
pub const MAX_ARRAY_BYTES: u64 = 256 << 20;

/// The most hidden units of a network.
pub const MAX_HIDDEN: usize = 10_000;

/// The most inputs, and the most outputs, of a network.
pub const MAX_WIDTH: usize = 1_000_000;

/// The most values of one series of the history.
pub(super) const MAX_HISTORY: u64 = 10_000_000;

/// The most groups that are listed of one group: hidden units, or entries of the history.
pub(super) const MAX_LISTED: usize = 2 * MAX_HIDDEN;

/// The longest text, such as the configuration as JSON, in bytes.
pub(super) const MAX_TEXT_BYTES: usize = 4 << 20;

/// The longest text in an attribute, in characters.
pub(super) const MAX_ATTRIBUTE_TEXT: usize = 256;

/// True for a text that an attribute may hold: the original stores nothing else.
pub(super) fn is_attribute_text(text: &str) -> bool {
    text.len() <= MAX_ATTRIBUTE_TEXT && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
