//! Lookups, the gradients of what was looked up, and votes.

use rekindle_compute::kernel;

use super::by_inputs;

/// What tables look up.
pub(crate) struct LookUp<'a> {
    /// What each input reads. Shape: tables x inputs.
    pub wires: &'a [u32],
    /// Inputs of a table.
    pub inputs: usize,
    /// Examples of a batch.
    pub batch: usize,
    /// Entries, those above 0 stand for 1. Shape: tables x 2^inputs.
    pub entries: &'a [f32],
    /// Zeros and ones. Shape: sources x examples.
    pub sources: &'a [u8],
}

kernel! {
    /// The number of the entry of each table for each example, and whether it stands for 1.
    /// Shapes: tables x examples.
    pub(crate) fn look_up(pass: &LookUp<'_>, addresses: &mut [u8], outputs: &mut [u8]) {
        let tables = pass.wires.chunks_exact(pass.inputs).zip(pass.entries.chunks_exact(1 << pass.inputs));
        let results = addresses.chunks_exact_mut(pass.batch).zip(outputs.chunks_exact_mut(pass.batch));
        for ((wires, entries), (addresses, outputs)) in tables.zip(results) {
            addresses.fill(0);
            for (place, &wire) in wires.iter().enumerate() {
                let bits = &pass.sources[wire as usize * pass.batch..][..pass.batch];
                for (address, bit) in addresses.iter_mut().zip(bits) {
                    *address |= bit << place;
                }
            }
            let mut table = 0_u64;
            for (entry, &value) in entries.iter().enumerate() {
                table |= u64::from(value > 0.0) << entry;
            }
            for (output, &address) in outputs.iter_mut().zip(&*addresses) {
                *output = (table.wrapping_shr(address.into()) & 1) as u8;
            }
        }
    }
}

kernel! {
    /// How many tables vote for each class, by class and example: tables are dealt to the classes in turn.
    pub(crate) fn count_votes(outputs: &[u8], batch: usize, votes: &mut [f32]) {
        votes.fill(0.0);
        let classes = votes.len() / batch;
        for (table, outputs) in outputs.chunks_exact(batch).enumerate() {
            let votes = &mut votes[table % classes * batch..][..batch];
            for (votes, &output) in votes.iter_mut().zip(outputs) {
                *votes += f32::from(output);
            }
        }
    }
}

/// The tables that read the outputs of a layer, and what their outputs' gradients say of the inputs.
pub(crate) struct Readers<'a> {
    /// Of each output of the layer, where its readers begin; and the end of the last.
    pub starts: &'a [u32],
    /// Table x inputs + input.
    pub ends: &'a [u32],
    /// Inputs of a table.
    pub inputs: usize,
    /// The entries that the tables looked up. Shape: tables x examples.
    pub addresses: &'a [u8],
    /// Shape: tables x inputs x entries.
    pub slopes: &'a [f32],
    /// The gradients of the tables' outputs, which are dealt to the tables in turn. Shape: any x examples.
    pub gradients: &'a [f32],
}

kernel! {
    /// The gradients of some outputs of a layer, the first of which has this number. Shape: outputs x examples.
    pub(crate) fn pull(readers: &Readers<'_>, first: usize, batch: usize, gradients: &mut [f32]) {
        by_inputs!(readers.inputs, pull_of(readers, first, batch, gradients));
    }
}

#[inline(always)]
fn pull_of<const INPUTS: usize, const ENTRIES: usize>(
    readers: &Readers<'_>,
    first: usize,
    batch: usize,
    gradients: &mut [f32],
) {
    let slopes = readers.slopes.as_chunks::<ENTRIES>().0;
    let rows = readers.gradients.len() / batch;
    for (output, gradients) in gradients.chunks_exact_mut(batch).enumerate() {
        gradients.fill(0.0);
        let range = readers.starts[first + output] as usize..readers.starts[first + output + 1] as usize;
        for &end in &readers.ends[range] {
            let table = end as usize / INPUTS;
            let slopes = &slopes[end as usize];
            let addresses = &readers.addresses[table * batch..][..batch];
            let of_table = &readers.gradients[table % rows * batch..][..batch];
            for ((gradient, &address), &of_table) in gradients.iter_mut().zip(addresses).zip(of_table) {
                *gradient = of_table.mul_add(slopes[usize::from(address) % ENTRIES], *gradient);
            }
        }
    }
}

kernel! {
    /// Adds the gradient of a table's output to those of the entries that it looked up.
    pub(crate) fn add_entry_gradients(addresses: &[u8], gradients: &[f32], entries: &mut [f32]) {
        for (&address, gradient) in addresses.iter().zip(gradients) {
            entries[usize::from(address)] += gradient;
        }
    }
}
