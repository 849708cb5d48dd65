//! What the kernels of the model systems share.
//!
//! Everything here computes the same bits on every machine and with every number of threads:
//!
//! - [`KernelPath`] and [`kernel!`]: one kernel body over [`LANES`] floats, compiled for AVX-512,
//!   AVX2 and the portable target, chosen at run time;
//! - [`math`]: exponential, logarithm and hyperbolic tangent of our own;
//! - [`rng`]: random streams keyed by (seed, stream, step), which have no position to save;
//! - [`AdamW`]: the optimiser over flat buffers;
//! - [`Pool`]: threads that work on a fixed split.
//!
//! ```
//! use rekindle_compute::{AdamW, KernelPath, Moments, rng};
//!
//! let adamw = AdamW { learning_rate: 0.1, betas: [0.9, 0.99], epsilon: 1e-8, weight_decay: 0.0 };
//! let mut parameters = [rng::stream(7, 0, 0).uniform(); 3];
//! let mut moments = Moments::zeros(3);
//! for step in 1..=200 {
//!     let gradient = parameters.map(|p| 2.0 * (p - 0.25));
//!     adamw.update(KernelPath::best(), step, &mut parameters, &gradient, &mut moments);
//! }
//! assert!((parameters[0] - 0.25).abs() < 0.01);
//! ```

mod adamw;
mod kernel_path;
mod lanes;
pub mod math;
mod pool;
pub mod rng;

pub use adamw::{AdamW, Moments};
pub use kernel_path::{KERNELS_VARIABLE, KernelPath, KernelPathError};
pub use lanes::{LANES, Lanes};
pub use pool::{Pool, PoolError};
