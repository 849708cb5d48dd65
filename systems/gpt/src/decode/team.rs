//! Threads that work on a token together.
//!
//! A token takes about 25 products, each far shorter than waking a thread: the members of a team
//! spin until all have come. Who waits for long sleeps: on a busy machine the member that is missing
//! may be waiting for this very processor. (Yielding instead of sleeping was measured to be five times
//! slower there: who yields is put off by a whole slice of time, who sleeps is woken at once.)

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard};

/// How often a member looks before it sleeps: about 50 microseconds.
const SPINS: usize = 2_000;

/// Where all members wait for each other.
#[derive(Debug)]
pub(super) struct Barrier {
    members: usize,
    spins: usize,
    arrived: AtomicUsize,
    /// How often all have come.
    rounds: AtomicUsize,
    sleepers: AtomicUsize,
    /// A member has panicked: nobody may wait for it.
    is_broken: AtomicBool,
    lock: Mutex<()>,
    woken: Condvar,
}

impl Barrier {
    pub fn new(members: usize) -> Self {
        // With fewer processors than members, who spins keeps others from arriving.
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            members,
            spins: if members <= processors { SPINS } else { 0 },
            arrived: AtomicUsize::new(0),
            rounds: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            is_broken: AtomicBool::new(false),
            lock: Mutex::new(()),
            woken: Condvar::new(),
        }
    }

    /// Waits until all members have called this. What they did before is seen by all after it.
    ///
    /// # Panics
    /// If a member has panicked.
    pub fn wait(&self) {
        assert!(self.wait_unless_broken(), "another thread of the decoder has panicked");
    }

    /// The same, but gives whether no member has panicked.
    pub fn wait_unless_broken(&self) -> bool {
        let round = self.rounds.load(Ordering::SeqCst);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.members {
            // Nobody arrives at the next round before this one is over.
            self.arrived.store(0, Ordering::Relaxed);
            self.rounds.store(round.wrapping_add(1), Ordering::SeqCst);
            self.wake();
        } else if !self.spin(round) {
            self.sleep(round);
        }
        !self.is_broken()
    }

    /// Lets nobody wait any more.
    pub fn break_up(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
        self.wake();
    }

    fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::SeqCst)
    }

    fn is_over(&self, round: usize) -> bool {
        self.rounds.load(Ordering::SeqCst) != round || self.is_broken()
    }

    /// Whether the round was over before it was time to sleep.
    fn spin(&self, round: usize) -> bool {
        for _ in 0..self.spins {
            if self.is_over(round) {
                return true;
            }
            std::hint::spin_loop();
        }
        false
    }

    fn sleep(&self, round: usize) {
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        // Either this member sees that the round is over, or who ends it sees that somebody sleeps.
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        while !self.is_over(round) {
            guard = self.woken.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    fn wake(&self) {
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            // Whoever has counted itself holds the lock until it sleeps.
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
            self.woken.notify_all();
        }
    }
}

/// The part of a member.
pub(super) type Seen<'a> = RwLockReadGuard<'a, Vec<f32>>;

/// What the members of a team share.
#[derive(Debug)]
pub(super) struct Team {
    pub barrier: Barrier,
    /// Two places for each member, used in turn: while one round is read the next is written.
    slots: [Vec<RwLock<Vec<f32>>>; 2],
}

impl Team {
    pub fn new(members: usize) -> Self {
        let slots = || (0..members).map(|_| RwLock::default()).collect();
        Self { barrier: Barrier::new(members), slots: [slots(), slots()] }
    }

    pub fn members(&self) -> usize {
        self.slots[0].len()
    }

    /// Hands over the part of member `index` (and takes an old one for it), waits until all have,
    /// and shows all parts, in the order of the members. `turn` is how often the member has done so.
    pub fn exchange(
        &self,
        index: usize,
        turn: &mut usize,
        part: &mut Vec<f32>,
        see: impl FnOnce(&[Seen<'_>]),
    ) {
        let slots = &self.slots[*turn % 2];
        *turn = turn.wrapping_add(1);
        std::mem::swap(&mut *slots[index].write().unwrap_or_else(PoisonError::into_inner), part);
        self.barrier.wait();
        let parts = slots.iter().map(|slot| slot.read().unwrap_or_else(PoisonError::into_inner));
        see(&parts.collect::<Vec<_>>());
    }

    /// Runs the work of a member. If it panics, nobody waits for it.
    pub fn guarded<R>(&self, work: impl FnOnce() -> R) -> R {
        let guard = BreakUp(&self.barrier);
        let result = work();
        std::mem::forget(guard);
        result
    }
}

/// Breaks the barrier up unless it is forgotten.
struct BreakUp<'a>(&'a Barrier);

impl Drop for BreakUp<'_> {
    fn drop(&mut self) {
        self.0.break_up();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(members: usize, rounds: usize) {
        let team = Team::new(members);
        std::thread::scope(|scope| {
            for index in 0..members {
                let team = &team;
                scope.spawn(move || {
                    let (mut turn, mut part) = (0, Vec::new());
                    for round in 0..rounds {
                        part.clear();
                        part.push((round * members + index) as f32);
                        let mut found = Vec::new();
                        team.exchange(index, &mut turn, &mut part, |parts| {
                            found.extend(parts.iter().flat_map(|part| part.iter().copied()));
                        });
                        let expected = (0..members).map(|member| (round * members + member) as f32);
                        assert!(found.into_iter().eq(expected));
                    }
                });
            }
        });
    }

    #[test]
    fn all_members_see_all_parts() {
        sums(1, 10);
        sums(2, 20_000);
        sums(3, 2_000);
    }

    #[test]
    fn a_late_member_wakes_those_who_sleep() {
        let team = Team::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..3 {
                    team.barrier.wait();
                }
            });
            for _ in 0..3 {
                std::thread::sleep(std::time::Duration::from_millis(30));
                team.barrier.wait();
            }
        });
    }

    #[test]
    fn nobody_waits_for_a_member_that_has_panicked() {
        let team = Team::new(2);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| team.guarded(|| team.barrier.wait()));
            let failing = scope.spawn(|| team.guarded(|| panic!("on purpose")));
            assert!(failing.join().is_err());
            assert!(waiting.join().is_err());
        });
        assert!(team.barrier.is_broken());
    }
}
