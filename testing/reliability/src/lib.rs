//! Fault-injection proofs of the engine: what a run survives, counted.
//!
//! Each proof is a module with one function from a [`Scale`] and a seed to an [`Outcome`]: how
//! much was tried, and every case that went wrong with what is needed to see it again. [`PROOFS`]
//! lists them; the binary `reliability` runs them and writes `docs/reliability.md`, and
//! `tests/short.rs` runs the short form of each.
//!
//! | module | what happens to the run |
//! |---|---|
//! | [`crash_images`] | the process dies or the power fails, at every operation on the disk |
//! | [`failing_calls`] | every call to the disk fails, in every way |
//! | [`bad_places`] | a file, or a part of it, cannot be read for as long as it lasts |
//! | [`real_kills`] | a real process is killed on a real file system |
//! | [`bit_flips`] | a bit of a file changes |
//! | [`two_damaged_packs`] | bits of two packs change, of which one may have a chunk in full and one as a difference |
//! | [`full_disk`] | there is no space when it is opened |
//! | [`copy_beside_writer`] | it is copied while a writer saves and prunes |
//! | [`hostile`] | somebody made the files or the names to do harm |
//! | [`model`] | long random sequences of operations, against a plain map |
//! | [`random_configs`] | a training with a random config is killed and goes on, over and over |
//! | [`reader_beside_writer`] | somebody reads while a writer saves and prunes |
//!
//! Beneath them: [`workload`] is the table of stories that the first two tell, [`power_cut`] says
//! what a disk can look like when the power returns, [`survival`] what must be true then, and
//! [`packs`] tells how chunks are stored.

pub mod allocation;
pub mod bad_places;
pub mod bit_flips;
pub mod copy_beside_writer;
pub mod crash_images;
pub mod failing_calls;
pub mod full_disk;
pub mod hostile;
pub mod model;
pub mod outcome;
pub mod packs;
pub mod power_cut;
pub mod random;
pub mod random_configs;
pub mod reader_beside_writer;
pub mod real_kills;
pub mod report;
pub mod sample;
pub mod survival;
pub mod two_damaged_packs;
pub mod workload;

pub use outcome::{Outcome, Scale};

/// A proof, as the report shows it.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is done, in a sentence.
    pub what: &'static str,
    /// Runs it with a seed.
    pub run: fn(&Scale, u64) -> Outcome,
}

/// All proofs, in the order in which they run.
pub const PROOFS: &[Proof] = &[
    Proof {
        name: "crash_images",
        what: "the process dies, or the power fails and unsynced writes and names are lost, torn or \
               reordered, after every operation of every workload",
        run: crash_images::crash_images,
    },
    Proof {
        name: "failing_calls",
        what: "every call to the disk fails: no space, input/output error, no permission, interrupted, \
               short write, failed sync, failed read",
        run: failing_calls::failing_calls,
    },
    Proof {
        name: "bad_places",
        what: "a file or a range of its bytes cannot be read, or reads wrong, however often it is tried, while \
               the run is resumed, saved, repaired, pruned, collected, verified, copied; then it can again",
        run: bad_places::bad_places,
    },
    Proof {
        name: "full_disk",
        what: "the disk is full when the run is opened, to the last byte or nearly: opened, pruned, collected",
        run: full_disk::full_disk,
    },
    Proof {
        name: "bit_flips",
        what: "bits of a run flipped, one at a time (at full size every one): opened, verified, everything loaded",
        run: bit_flips::bit_flips,
    },
    Proof {
        name: "two_damaged_packs",
        what: "bits of two packs at once flipped in random runs, whose packs share chunks, in full and as \
               differences; then repaired, pruned, collected: what loads before loads after",
        run: two_damaged_packs::two_damaged_packs,
    },
    Proof {
        name: "model",
        what: "random operations in long sequences, compared with a plain map after each",
        run: model::model,
    },
    Proof {
        name: "copy_beside_writer",
        what: "a run is copied object by object while a writer saves, prunes and compacts at random moments",
        run: copy_beside_writer::copy_beside_writer,
    },
    Proof {
        name: "real_kills",
        what: "a process that saves and prunes on a real file system gets SIGKILL at random moments",
        run: real_kills::real_kills,
    },
    Proof {
        name: "reader_beside_writer",
        what: "readers open and load while a writer saves and prunes in the same directory",
        run: reader_beside_writer::reader_beside_writer,
    },
    Proof {
        name: "random_configs",
        what: "trainings with random configs of each system killed and stopped at random steps and resumed, each time \
               with other threads, kernels and checkpoints: each step comes to the state of a training never stopped",
        run: random_configs::random_configs,
    },
    Proof {
        name: "hostile",
        what: "runs, files and names that somebody made to do harm: refused in less than 100 ms, within \
               16 MiB and twice their size",
        run: hostile::hostile,
    },
];
