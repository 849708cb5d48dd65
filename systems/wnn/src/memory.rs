//! What the neurons have seen: the trained memories of a genome.

use rekindle_compute::{KernelPath, Pool, kernel};

use crate::examples::ClassedExamples;
use crate::genome::{Cluster, Genome};

/// The trained cells of all clusters. A neuron's cells are the addresses at which it saw its class,
/// ascending, each once, with how often.
pub(crate) struct Memories {
    parts: Vec<Part>,
}

/// The cells of some clusters that follow each other.
struct Part {
    clusters: std::ops::Range<usize>,
    cells: Cells,
    /// For each of the clusters, its first neuron within the part.
    first_neurons: Vec<u32>,
}

/// The cells of some neurons.
#[derive(Debug, Default, Clone)]
pub(crate) struct Cells {
    addresses: Vec<u64>,
    counts: Vec<u32>,
    /// Where each neuron ends.
    ends: Vec<u32>,
}

/// The cells of a neuron.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neuron<'a> {
    /// Ascending, each once.
    pub(crate) addresses: &'a [u64],
    /// How often each was seen.
    pub(crate) counts: &'a [u32],
}

impl Neuron<'_> {
    /// How often the cell at `first` was seen, and those after it whose addresses differ from its own in the
    /// last `free` bits only.
    #[inline(always)]
    pub(crate) fn count(self, first: usize, free: usize) -> u64 {
        let beginning = self.addresses[first] >> free;
        let mut count = 0;
        for (address, &seen) in self.addresses[first..].iter().zip(&self.counts[first..]) {
            if address >> free != beginning {
                break;
            }
            count += u64::from(seen);
        }
        count
    }
}

/// Parts that clusters are trained in. Their bounds follow from the examples alone.
const PARTS: usize = 64;

impl Memories {
    /// Trains all neurons of a genome.
    pub(crate) fn train(path: KernelPath, pool: &Pool, genome: &Genome, examples: &ClassedExamples) -> Self {
        let mut parts: Vec<(Part, Vec<Cluster<'_>>)> = Vec::with_capacity(PARTS + 1);
        let most = examples.len().div_ceil(PARTS).max(1);
        let (mut held, mut clusters) = (0, Vec::new());
        for (index, cluster) in genome.clusters().enumerate() {
            clusters.push(cluster);
            held += examples.count(index);
            if held >= most || index + 1 == examples.classes() {
                let range = index + 1 - clusters.len()..index + 1;
                let part = Part { clusters: range, cells: Cells::default(), first_neurons: Vec::new() };
                parts.push((part, std::mem::take(&mut clusters)));
                held = 0;
            }
        }
        pool.for_each(&mut parts, |_, (part, clusters)| {
            let mut scratch = Vec::new();
            for (class, cluster) in part.clusters.clone().zip(clusters.iter()) {
                part.first_neurons.push(part.cells.ends.len() as u32);
                part.cells.train(path, *cluster, class, examples, &mut scratch);
            }
        });
        Self { parts: parts.into_iter().map(|(part, _)| part).collect() }
    }

    /// The clusters that have seen anything, ascending: each with its number and its neurons.
    pub(crate) fn clusters<'a>(
        &'a self,
        genome: &'a Genome,
    ) -> impl Iterator<Item = (usize, Cluster<'a>, TrainedCluster<'a>)> {
        let positions = self.parts.iter().flat_map(|part| {
            part.clusters.clone().zip(&part.first_neurons).map(|(class, &first)| (class, &part.cells, first))
        });
        let all = positions.zip(genome.clusters()).map(|((class, cells, first), cluster)| {
            (class, cluster, TrainedCluster { cells, first: first as usize, count: cluster.neurons().len() })
        });
        all.filter(|(_, _, trained)| !trained.is_untrained())
    }
}

/// The neurons of a cluster.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TrainedCluster<'a> {
    cells: &'a Cells,
    first: usize,
    count: usize,
}

impl<'a> TrainedCluster<'a> {
    /// Number of neurons.
    pub(crate) fn len(self) -> usize {
        self.count
    }

    /// The neurons in their order.
    pub(crate) fn neurons(self) -> impl Iterator<Item = Neuron<'a>> {
        (self.first..self.first + self.count).map(move |neuron| self.cells.neuron(neuron))
    }

    /// True when the cluster's class did not occur.
    fn is_untrained(self) -> bool {
        // Every neuron sees every example of its class, so one stands for all.
        self.count == 0 || self.cells.neuron(self.first).addresses.is_empty()
    }
}

impl Cells {
    /// The cells of one cluster.
    pub(crate) fn of_cluster(
        path: KernelPath,
        cluster: Cluster<'_>,
        class: usize,
        examples: &ClassedExamples,
    ) -> Self {
        let mut cells = Self::default();
        cells.train(path, cluster, class, examples, &mut Vec::new());
        cells
    }

    /// All neurons as those of one cluster.
    pub(crate) fn as_cluster(&self) -> TrainedCluster<'_> {
        TrainedCluster { cells: self, first: 0, count: self.ends.len() }
    }

    fn neuron(&self, neuron: usize) -> Neuron<'_> {
        let start = neuron.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let range = start..self.ends[neuron] as usize;
        Neuron { addresses: &self.addresses[range.clone()], counts: &self.counts[range] }
    }

    fn train(
        &mut self,
        path: KernelPath,
        cluster: Cluster<'_>,
        class: usize,
        examples: &ClassedExamples,
        scratch: &mut Vec<u64>,
    ) {
        let inputs = examples.inputs(class);
        for connections in cluster.neurons() {
            scratch.clear();
            scratch.resize(examples.count(class), 0);
            gather(path, scratch, inputs, examples.words(), connections);
            scratch.sort_unstable();
            for run in scratch.chunk_by(|a, b| a == b) {
                self.addresses.push(run[0]);
                self.counts.push(run.len() as u32);
            }
            self.ends.push(self.addresses.len() as u32);
        }
    }
}

kernel! {
    /// The address of each input (`words` words of `inputs`) at a neuron with these connections.
    fn gather(addresses: &mut [u64], inputs: &[u64], words: usize, connections: &[u8]) {
        for &connection in connections {
            let (word, shift) = (usize::from(connection) / 64, connection % 64);
            if words == 1 {
                for (address, input) in addresses.iter_mut().zip(inputs) {
                    *address = *address << 1 | input >> shift & 1;
                }
            } else {
                for (address, input) in addresses.iter_mut().zip(inputs.chunks_exact(words)) {
                    *address = *address << 1 | input[word] >> shift & 1;
                }
            }
        }
    }
}

/// The address of one input at a neuron.
pub(crate) fn address(input: &[u64], connections: &[u8]) -> u64 {
    connections.iter().fold(0, |address, &connection| {
        address << 1 | input[usize::from(connection) / 64] >> (connection % 64) & 1
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::Examples;

    #[test]
    fn cells_are_the_addresses_of_the_class() {
        let examples =
            Examples { words: 1, inputs: vec![0b01, 0b11, 0b01, 0b10, 0b00], classes: vec![1, 1, 1, 0, 0] };
        let examples = ClassedExamples::new(&examples, 3);
        let genome =
            Genome { bits: vec![2; 3], neurons: vec![2, 1, 1], connections: vec![0, 1, 1, 0, 0, 1, 0, 1] };
        let pool = Pool::new(1).unwrap();
        let memories = Memories::train(KernelPath::best(), &pool, &genome, &examples);
        let cells: Vec<_> = memories
            .clusters(&genome)
            .map(|(_, _, trained)| {
                let neurons = trained.neurons();
                neurons.map(|neuron| (neuron.addresses.to_vec(), neuron.counts.to_vec())).collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(cells[0], [(vec![0, 1], vec![1, 1]), (vec![0, 2], vec![1, 1])]);
        assert_eq!(cells[1], [(vec![2, 3], vec![2, 1])]);
        assert_eq!(cells.len(), 2);
        assert_eq!(address(&[0b01], &[0, 1]), 2);
    }
}
