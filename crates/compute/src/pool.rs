//! Threads that work on a fixed split.
//!
//! The caller cuts its work into parts whose number and bounds do not depend on the thread count,
//! gives each part its own output, and combines the outputs in the order of the parts. Then the
//! result does not depend on the thread count either.

use rayon::iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator};
use thiserror::Error;

/// Threads that work on parts. With one thread everything runs on the caller's.
#[derive(Debug)]
pub struct Pool {
    threads: Option<rayon::ThreadPool>,
}

/// The threads could not be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PoolError {
    /// No thread was asked for.
    #[error("a pool needs at least one thread")]
    NoThreads,
    /// The system refused to start them.
    #[error("cannot start {threads} threads")]
    Start {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        source: rayon::ThreadPoolBuildError,
    },
}

impl Pool {
    /// A pool of this many threads.
    ///
    /// # Errors
    /// `threads` is 0, or the system refuses to start them.
    pub fn new(threads: usize) -> Result<Self, PoolError> {
        let threads = match threads {
            0 => return Err(PoolError::NoThreads),
            1 => None,
            _ => Some(
                rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .thread_name(|index| format!("compute-{index}"))
                    .build()
                    .map_err(|source| PoolError::Start { threads, source })?,
            ),
        };
        Ok(Self { threads })
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        self.threads.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Runs `work` on a thread of the pool. Several [`Pool::for_each`] in a row are cheaper inside,
    /// where none of them has to wake the pool from outside.
    pub fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.threads {
            None => work(),
            Some(threads) => threads.install(work),
        }
    }

    /// Calls `work(index, part)` for each part, on any thread and in any order, and waits.
    pub fn for_each<P: Send>(&self, parts: &mut [P], work: impl Fn(usize, &mut P) + Sync + Send) {
        match &self.threads {
            None => parts.iter_mut().enumerate().for_each(|(index, part)| work(index, part)),
            Some(threads) => threads.install(|| {
                let parts = parts.par_iter_mut().with_max_len(1).enumerate();
                parts.for_each(|(index, part)| work(index, part));
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_worked_on_once_whatever_the_threads() {
        for threads in 1..=3 {
            let pool = Pool::new(threads).unwrap();
            assert_eq!(pool.threads(), threads);
            let mut parts = vec![0; 100];
            pool.run(|| {
                pool.for_each(&mut parts, |index, part| *part += index);
                pool.for_each(&mut parts, |index, part| *part += index);
            });
            let expected: Vec<_> = (0..100).map(|index| index * 2).collect();
            assert_eq!(parts, expected);
        }
    }

    #[test]
    fn no_threads_is_an_error() {
        assert!(matches!(Pool::new(0), Err(PoolError::NoThreads)));
    }
}
