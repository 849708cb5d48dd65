//! Which instruction set the kernels run on, and the macro that compiles one body for each.
//!
//! A kernel is written once, in plain Rust over arrays of [`LANES`](crate::LANES) floats, with
//! [`f32::mul_add`] for every product that is added to something. The [`kernel!`](crate::kernel)
//! macro compiles that body three times. LLVM may neither fuse nor reassociate floating-point
//! operations on its own, so the three machine codes compute the same bits and differ only in
//! speed.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The environment variable that forces a path: `avx512`, `avx2` or `scalar`.
pub const KERNELS_VARIABLE: &str = "REKINDLE_KERNELS";

/// An instruction set that the kernels are compiled for. All of them compute the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KernelPath {
    /// AVX-512 (F, BW, DQ, VL): one register holds 16 floats.
    Avx512,
    /// AVX2 with FMA: two registers hold 16 floats.
    Avx2,
    /// What the compilation target guarantees. On x86-64 without `-C target-cpu` that means a
    /// library call for each fused multiply-add, which is slow: a reference, not a fallback to
    /// train on.
    Portable,
}

/// A path that cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KernelPathError {
    /// No path has this name.
    #[error("unknown kernel path `{name}`; this machine has: {available}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The names of the usable paths.
        available: String,
    },
    /// The path exists but this machine cannot run it.
    #[error("this machine cannot run the `{path}` kernels; it has: {available}")]
    Unavailable {
        /// What was asked for.
        path: KernelPath,
        /// The names of the usable paths.
        available: String,
    },
}

impl KernelPath {
    /// Every path, fastest first.
    pub const ALL: [Self; 3] = [Self::Avx512, Self::Avx2, Self::Portable];

    /// The fastest path that this machine can run.
    pub fn best() -> Self {
        Self::ALL.into_iter().find(|path| path.is_available()).unwrap_or(Self::Portable)
    }

    /// The paths that this machine can run, fastest first.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|path| path.is_available()).collect()
    }

    /// Whether this machine can run the path. Cheap: the processor is asked once per process.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && Self::Avx2.is_available()
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
            Self::Portable => true,
        }
    }

    /// The name used in the environment variable, in configs and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Portable => "scalar",
        }
    }

    /// The path that [`KERNELS_VARIABLE`] names, or [`KernelPath::best`] where it is not set.
    ///
    /// # Errors
    /// The variable names a path that does not exist or that this machine cannot run.
    pub fn from_environment() -> Result<Self, KernelPathError> {
        match std::env::var_os(KERNELS_VARIABLE) {
            None => Ok(Self::best()),
            Some(name) => Self::usable(&name.to_string_lossy()),
        }
    }

    /// The path of this name, if this machine can run it.
    ///
    /// # Errors
    /// The name is unknown, or this machine cannot run the path.
    pub fn usable(name: &str) -> Result<Self, KernelPathError> {
        let path: Self = name.parse()?;
        if path.is_available() {
            Ok(path)
        } else {
            Err(KernelPathError::Unavailable { path, available: available_names() })
        }
    }
}

impl FromStr for KernelPath {
    type Err = KernelPathError;

    /// Parses a name, whether or not this machine can run the path.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|path| path.name() == name)
            .ok_or_else(|| KernelPathError::Unknown { name: name.to_owned(), available: available_names() })
    }
}

impl fmt::Display for KernelPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

fn available_names() -> String {
    let names: Vec<_> = KernelPath::available().into_iter().map(KernelPath::name).collect();
    names.join(", ")
}

/// Declares a function whose body is compiled for every [`KernelPath`].
///
/// The declared function takes the path as an additional first argument, and is safe to call with
/// any path: one that the machine lacks runs the portable code, which computes the same bits.
/// Everything the body calls must be `#[inline(always)]`, or it keeps the slow instruction set.
///
/// ```
/// use rekindle_compute::{KernelPath, LANES, kernel};
///
/// kernel! {
///     /// Adds `scale * x` to `y`.
///     pub fn add_scaled(y: &mut [[f32; LANES]], x: &[[f32; LANES]], scale: f32) {
///         for (y, x) in y.iter_mut().zip(x) {
///             for lane in 0..LANES {
///                 y[lane] = scale.mul_add(x[lane], y[lane]);
///             }
///         }
///     }
/// }
///
/// let mut y = [[1.0; LANES]];
/// add_scaled(KernelPath::best(), &mut y, &[[2.0; LANES]], 3.0);
/// assert_eq!(y, [[7.0; LANES]]);
/// ```
#[macro_export]
macro_rules! kernel {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident($($argument:ident: $kind:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $visibility fn $name(path: $crate::KernelPath, $($argument: $kind),*) {
            #[inline(always)]
            fn portable($($argument: $kind),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2($($argument: $kind),*) {
                portable($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            fn avx512($($argument: $kind),*) {
                portable($($argument),*)
            }

            match path {
                // SAFETY: the guard has just asked the processor for these features.
                #[cfg(target_arch = "x86_64")]
                $crate::KernelPath::Avx512 if path.is_available() => unsafe {
                    avx512($($argument),*)
                },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::KernelPath::Avx2 if path.is_available() => unsafe {
                    avx2($($argument),*)
                },
                _ => portable($($argument),*),
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for path in KernelPath::ALL {
            assert_eq!(path.name().parse(), Ok(path));
        }
    }

    #[test]
    fn best_is_the_first_available() {
        assert_eq!(KernelPath::best(), KernelPath::available()[0]);
        assert!(KernelPath::available().contains(&KernelPath::Portable));
    }

    #[test]
    fn an_unknown_name_lists_what_the_machine_has() {
        let error = KernelPath::usable("neon").unwrap_err().to_string();
        assert!(error.starts_with("unknown kernel path `neon`; this machine has: "), "{error}");
        assert!(error.ends_with("scalar"), "{error}");
    }

    #[test]
    fn an_unavailable_path_is_refused() {
        for path in KernelPath::ALL {
            assert_eq!(KernelPath::usable(path.name()).is_ok(), path.is_available());
        }
    }
}
