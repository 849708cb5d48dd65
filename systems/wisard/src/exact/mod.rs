//! A WiSARD that learns and forgets exactly: what it knows is the sum of its rows.
//!
//! Nothing of it is chosen by looking at rows: the thresholds lie evenly over ranges that the config states,
//! the bits of a tuple are drawn from the seed, and counters only count. So a [`State`] is a sum over rows, and
//! it is the same whatever their order was, and however they came in parts; taking rows off gives the state
//! that never had them. What else a state holds are the [hashes](RowHashes) of the rows, by which a row that was
//! never learnt is known.
//!
//! The RAMs have a number of entries that does not depend on the rows either. Where a tuple has more bits than
//! an entry's number, H3 hash functions (J. L. Carter and M. N. Wegman, "Universal classes of hash functions",
//! 1979) say which entries count it: a RAM is a counting Bloom filter, as in Z. Susskind et al., "Weightless
//! neural networks for efficient edge inference" (BTHOWeN), 2022. There a row raises only the least of its
//! counters, which depends on the rows before; here it raises all, so that the least is the count-min estimate
//! of G. Cormode and S. Muthukrishnan, 2005, and the sum is one.
//!
//! Asked for a class, each RAM says how likely the row's address is in the rows of each class, and the class
//! with the greatest product of all RAMs is the answer: the maximum-likelihood decision that W. W. Bledsoe and
//! I. Browning give for n-tuples ("Pattern recognition and reading by machine", 1959; W. W. Bledsoe and C. L.
//! Bisson, "Improved memory matrices for the n-tuple pattern recognition method", 1962).

mod classifier;
mod config;
mod data;
mod encoder;
mod error;
mod lessons;
mod memory_need;
mod row_hashes;
mod state;
mod summary;
mod sums;
mod system;
mod trainer;
mod upright;

pub use config::{Data, Model, Source, Training};
pub use error::ExactError;
pub use row_hashes::RowHashes;
pub use state::{Pending, State};
pub use sums::{Counters, Discriminator};
pub use system::WisardExact;

/// The system for a registry.
pub fn system() -> Box<dyn rekindle_train::AnySystem> {
    rekindle_train::any_system::<WisardExact>()
}
