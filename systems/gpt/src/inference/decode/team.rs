//! Threads that share the work of a token.
//!
//! A token takes about 25 products, each far shorter than waking a thread: helpers spin for a while
//! before they sleep. Work is not dealt out but claimed, part by part, by whoever is there. On a busy
//! machine, where a helper may have no processor, the thread that asks does the work alone; it waits
//! only for parts that a helper has begun.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError, RwLock};

/// How often a thread looks before it sleeps: about 25 microseconds. Beside another busy program more
/// was measured to be slower, and so was yielding: who has spun is put off, who sleeps is woken at once.
const SPINS: usize = 1_000;
/// Bits of the number of parts, and of the next part, in [`Team::claims`].
const PART_BITS: u32 = 12;
const PART_MASK: u64 = (1 << PART_BITS) - 1;

/// What threads share that work on jobs `J`, one after the other.
#[derive(Debug)]
pub(super) struct Team<J> {
    /// Only written while no part is claimed.
    job: RwLock<J>,
    /// From the highest bit: number of the job, number of its parts, the next part to be claimed.
    claims: AtomicU64,
    /// Parts of the job that are done.
    done: AtomicUsize,
    is_stopped: AtomicBool,
    /// A thread has panicked: a part will never be done.
    is_broken: AtomicBool,
    new_job: Signal,
    all_done: Signal,
}

impl<J> Team<J> {
    /// The most parts of a job.
    pub const MOST_PARTS: usize = PART_MASK as usize;

    /// A team of so many threads, the one that asks included.
    pub fn new(job: J, threads: usize) -> Self {
        // With fewer processors than threads, who spins keeps others from working.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let spins = if threads <= processors { SPINS } else { 0 };
        Self {
            job: RwLock::new(job),
            claims: AtomicU64::new(0),
            done: AtomicUsize::new(0),
            is_stopped: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
            new_job: Signal::new(spins),
            all_done: Signal::new(spins),
        }
    }

    /// Changes the job by `prepare`, and has `work(job, part)` done once for each of `parts`.
    ///
    /// # Panics
    /// If `work` panics here or in another thread, now or before.
    pub fn run(&self, parts: usize, prepare: impl FnOnce(&mut J), mut work: impl FnMut(&J, usize)) {
        assert!(parts <= Self::MOST_PARTS, "a job has too many parts");
        assert!(!self.is_broken.load(SeqCst), "a thread of the decoder has panicked");
        prepare(&mut self.job.write().unwrap_or_else(PoisonError::into_inner));
        self.done.store(0, SeqCst);
        let number = (self.claims.load(SeqCst) >> (2 * PART_BITS)).wrapping_add(1);
        self.claims.store(number << (2 * PART_BITS) | (parts as u64) << PART_BITS, SeqCst);
        self.new_job.notify();
        self.claim_all(&mut work);
        self.all_done.wait_until(|| self.done.load(SeqCst) == parts || self.is_broken.load(SeqCst));
        assert!(!self.is_broken.load(SeqCst), "a thread of the decoder has panicked");
    }

    /// Helps with jobs until the team is stopped.
    pub fn help(&self, mut work: impl FnMut(&J, usize)) {
        while !self.is_stopped.load(SeqCst) {
            self.claim_all(&mut work);
            self.new_job.wait_until(|| self.has_part() || self.is_stopped.load(SeqCst));
        }
    }

    /// Lets helpers end.
    pub fn stop(&self) {
        self.is_stopped.store(true, SeqCst);
        self.new_job.notify();
    }

    /// Does parts of the job until none is left.
    fn claim_all(&self, work: &mut impl FnMut(&J, usize)) {
        let guard = PanicGuard { is_broken: &self.is_broken, all_done: &self.all_done };
        while let Some((part, parts)) = self.claim() {
            // The job stays as it is until all claimed parts are done.
            work(&self.job.read().unwrap_or_else(PoisonError::into_inner), part);
            if self.done.fetch_add(1, SeqCst) + 1 == parts {
                self.all_done.notify();
            }
        }
        std::mem::forget(guard);
    }

    /// A part that nobody else does, and the number of parts.
    fn claim(&self) -> Option<(usize, usize)> {
        let next = |claims| is_open(claims).then_some(claims + 1);
        let claims = self.claims.fetch_update(SeqCst, SeqCst, next).ok()?;
        Some(((claims & PART_MASK) as usize, (claims >> PART_BITS & PART_MASK) as usize))
    }

    fn has_part(&self) -> bool {
        is_open(self.claims.load(SeqCst))
    }
}

/// Whether a part is left.
fn is_open(claims: u64) -> bool {
    claims & PART_MASK < claims >> PART_BITS & PART_MASK
}

/// Says, unless it is forgotten, that a thread has panicked.
struct PanicGuard<'a> {
    is_broken: &'a AtomicBool,
    all_done: &'a Signal,
}

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        self.is_broken.store(true, SeqCst);
        self.all_done.notify();
    }
}

/// Wakes those who wait for something.
#[derive(Debug)]
struct Signal {
    spins: usize,
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    woken: Condvar,
}

impl Signal {
    fn new(spins: usize) -> Self {
        Self { spins, sleepers: AtomicUsize::new(0), lock: Mutex::new(()), woken: Condvar::new() }
    }

    /// Waits until `is_ready`, which must become so before [`Self::notify`] is called.
    fn wait_until(&self, is_ready: impl Fn() -> bool) {
        for _ in 0..self.spins {
            if is_ready() {
                return;
            }
            std::hint::spin_loop();
        }
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        // Either this thread sees that it is ready, or who made it so sees that somebody sleeps.
        self.sleepers.fetch_add(1, SeqCst);
        while !is_ready() {
            guard = self.woken.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, SeqCst);
    }

    fn notify(&self) {
        if self.sleepers.load(SeqCst) > 0 {
            // Whoever has counted itself holds the lock until it sleeps.
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.woken.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Runs jobs of up to 20 parts; each part must be done once for its job.
    fn run_jobs(threads: usize, jobs: usize, pause: Duration) {
        let team = Team::new(0_usize, threads);
        let slots: Vec<Mutex<Vec<usize>>> = (0..20).map(|_| Mutex::default()).collect();
        let work = |job: &usize, part: usize| slots[part].lock().unwrap().push(*job);
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| team.help(work));
            }
            for job in 0..jobs {
                team.run(job % 21, |current| *current = job, work);
                std::thread::sleep(pause);
                for (part, slot) in slots.iter().enumerate() {
                    let done = std::mem::take(&mut *slot.lock().unwrap());
                    assert_eq!(done, vec![job; usize::from(part < job % 21)]);
                }
            }
            team.stop();
        });
    }

    #[test]
    fn each_part_is_done_once() {
        for threads in 1..5 {
            run_jobs(threads, 5_000, Duration::ZERO);
        }
    }

    #[test]
    fn helpers_that_sleep_are_woken() {
        run_jobs(3, 30, Duration::from_millis(5));
    }

    #[test]
    fn nobody_waits_for_a_helper_that_has_panicked() {
        let team = Team::new((), 2);
        let helper = std::thread::current().id();
        let fails = |(): &(), _: usize| assert_eq!(std::thread::current().id(), helper, "on purpose");
        std::thread::scope(|scope| {
            let failing = scope.spawn(|| team.help(fails));
            let asking = || team.run(2, |()| {}, |(), _| std::thread::sleep(Duration::from_millis(50)));
            let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(asking));
            assert!(asked.is_err());
            assert!(failing.join().is_err());
        });
    }
}
