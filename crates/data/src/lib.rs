//! What every system does with its examples before it learns them.
//!
//! [`Split`] divides them into three parts: *train* is learnt, *select* is what anything is chosen
//! by (a genome, a constant, the moment to stop), and *test* is what is reported, which nothing
//! that was chosen has seen.
//!
//! ```
//! use rekindle_data::{Shares, Split};
//!
//! let texts = ["a", "b", "a", "c", "d", "e", "f", "g", "h", "i"];
//! let split = Split::by_content(texts, None, Shares { select: 0.2, test: 0.2 }, 7).unwrap();
//! assert_eq!(split.train.len() + split.select.len() + split.test.len(), texts.len());
//! // Equal examples lie in the same part.
//! assert_eq!(split.part_of(0), split.part_of(2));
//! ```

mod split;

pub use split::{Part, Shares, Split, SplitError};
