//! What the search changes: how many neurons each class has, and which bits they look at.

use serde::{Deserialize, Serialize, Serializer};

/// An architecture: for each cluster (output class) its number of neurons, how many bits each of
/// them addresses its memory with, and which bits of the input those are.
///
/// The memories are not part of it: they are a function of the genome and the training examples.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SavedGenome")]
pub struct Genome {
    /// Address bits of the neurons, per cluster.
    pub bits: Vec<u8>,
    /// Number of neurons, per cluster.
    pub neurons: Vec<u16>,
    /// Which input bit each address bit is, most significant first; cluster by cluster, neuron by
    /// neuron.
    pub connections: Vec<u8>,
}

/// A genome as it is saved: numbers of neurons as bytes, and beside them their high bytes where there are any.
#[derive(Deserialize)]
#[serde(rename = "Genome")]
struct SavedGenome {
    #[serde(with = "rekindle::growing")]
    bits: Vec<u8>,
    #[serde(with = "rekindle::growing")]
    neurons: Vec<u8>,
    #[serde(with = "rekindle::growing")]
    connections: Vec<u8>,
    #[serde(with = "rekindle::growing", default)]
    neurons_high: Vec<u8>,
}

impl TryFrom<SavedGenome> for Genome {
    type Error = &'static str;

    fn try_from(saved: SavedGenome) -> Result<Self, Self::Error> {
        let SavedGenome { bits, neurons, connections, neurons_high } = saved;
        if !neurons_high.is_empty() && neurons_high.len() != neurons.len() {
            return Err("the high bytes of its numbers of neurons are not as many as the low ones");
        }
        let high = neurons_high.into_iter().chain(std::iter::repeat(0));
        let neurons = neurons.into_iter().zip(high).map(|(low, high)| u16::from_le_bytes([low, high]));
        Ok(Self { bits, neurons: neurons.collect(), connections })
    }
}

impl Serialize for Genome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename = "Genome")]
        struct Saved<'a> {
            #[serde(serialize_with = "growing")]
            bits: &'a Vec<u8>,
            #[serde(with = "rekindle::growing")]
            neurons: Vec<u8>,
            #[serde(serialize_with = "growing")]
            connections: &'a Vec<u8>,
            #[serde(with = "rekindle::growing", skip_serializing_if = "Vec::is_empty")]
            neurons_high: Vec<u8>,
        }
        let byte = |index: usize| move |neurons: &u16| neurons.to_le_bytes()[index];
        let is_large = self.neurons.iter().any(|&neurons| neurons > u16::from(u8::MAX));
        let neurons_high = if is_large { self.neurons.iter().map(byte(1)).collect() } else { Vec::new() };
        let neurons = self.neurons.iter().map(byte(0)).collect();
        let Self { bits, connections, .. } = self;
        Saved { bits, neurons, connections, neurons_high }.serialize(serializer)
    }
}

fn growing<S: Serializer>(array: &&Vec<u8>, serializer: S) -> Result<S::Ok, S::Error> {
    rekindle::growing::serialize(*array, serializer)
}

/// The part of a genome that is about one cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cluster<'a> {
    /// Address bits of each neuron.
    pub bits: usize,
    /// Input bits, neuron by neuron.
    pub connections: &'a [u8],
}

/// The same, by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gene {
    /// Address bits of each neuron.
    pub bits: u8,
    /// Number of neurons.
    pub neurons: u16,
    /// Input bits, neuron by neuron.
    pub connections: Vec<u8>,
}

/// A cluster, by number, and what it becomes.
pub type Change = (u32, Gene);

impl Gene {
    /// As a part of a genome.
    pub fn as_cluster(&self) -> Cluster<'_> {
        Cluster { bits: self.bits.into(), connections: &self.connections }
    }
}

impl<'a> Cluster<'a> {
    /// The neurons: the input bits that each looks at.
    pub fn neurons(self) -> impl ExactSizeIterator<Item = &'a [u8]> {
        self.connections.chunks_exact(self.bits.max(1))
    }

    /// By itself.
    pub fn to_gene(self) -> Gene {
        Gene {
            bits: self.bits as u8,
            neurons: self.neurons().len() as u16,
            connections: self.connections.to_vec(),
        }
    }
}

impl Genome {
    /// A genome without clusters, with room for some.
    pub fn with_capacity(clusters: usize, connections: usize) -> Self {
        Self {
            bits: Vec::with_capacity(clusters),
            neurons: Vec::with_capacity(clusters),
            connections: Vec::with_capacity(connections),
        }
    }

    /// Adds a cluster behind the others.
    pub fn push(&mut self, cluster: Cluster<'_>) {
        self.bits.push(cluster.bits as u8);
        self.neurons.push(cluster.neurons().len() as u16);
        self.connections.extend_from_slice(cluster.connections);
    }

    /// The clusters in their order.
    pub fn clusters(&self) -> impl ExactSizeIterator<Item = Cluster<'_>> {
        let mut rest = self.connections.as_slice();
        self.bits.iter().zip(&self.neurons).map(move |(&bits, &neurons)| {
            let (connections, after) = rest.split_at(usize::from(bits) * usize::from(neurons));
            rest = after;
            Cluster { bits: bits.into(), connections }
        })
    }

    /// A copy in which the clusters of `changes` (ascending) are others.
    pub fn with(&self, changes: &[Change]) -> Self {
        let mut genome = Self::with_capacity(self.bits.len(), self.connections.len());
        let mut changes = changes.iter().peekable();
        for (index, cluster) in self.clusters().enumerate() {
            match changes.next_if(|(changed, _)| *changed as usize == index) {
                Some((_, gene)) => genome.push(gene.as_cluster()),
                None => genome.push(cluster),
            }
        }
        genome
    }

    /// Checks that this is a genome for `clusters` classes over `inputs` input bits.
    ///
    /// # Errors
    /// Names what is wrong first.
    pub fn check(&self, clusters: usize, inputs: usize) -> Result<(), InvalidGenome> {
        if self.bits.len() != clusters || self.neurons.len() != clusters {
            let (bits, neurons) = (self.bits.len(), self.neurons.len());
            return Err(InvalidGenome::Clusters { bits, neurons, clusters });
        }
        if let Some(cluster) = self.bits.iter().position(|bits| !(1..=MOST_BITS).contains(bits)) {
            return Err(InvalidGenome::Bits { cluster, bits: self.bits[cluster] });
        }
        if let Some(cluster) = self.neurons.iter().position(|&neurons| neurons == 0) {
            return Err(InvalidGenome::Neurons { cluster });
        }
        let (expected, found) = (self.expected_connections(), self.connections.len());
        if found != expected {
            return Err(InvalidGenome::Connections { expected, found });
        }
        match self.connections.iter().position(|&input| usize::from(input) >= inputs) {
            Some(connection) => {
                Err(InvalidGenome::Input { connection, input: self.connections[connection], inputs })
            }
            None => Ok(()),
        }
    }

    /// How many connections the neurons and bits need.
    fn expected_connections(&self) -> usize {
        self.bits
            .iter()
            .zip(&self.neurons)
            .map(|(&bits, &neurons)| usize::from(bits) * usize::from(neurons))
            .sum()
    }

    /// The same genome as the original program read it: its evaluator took the connections for those of the
    /// clusters in the order of their numbers of neurons, then of address bits, and not in their own.
    pub fn grouped(&self) -> Self {
        let mut order: Vec<usize> = (0..self.bits.len()).collect();
        order.sort_by_key(|&cluster| (self.neurons[cluster], self.bits[cluster]));
        let size = |cluster: usize| usize::from(self.neurons[cluster]) * usize::from(self.bits[cluster]);
        let mut starts = vec![0; order.len()];
        let mut next = 0;
        for cluster in order {
            starts[cluster] = next;
            next += size(cluster);
        }
        let pieces = starts.iter().enumerate().map(|(cluster, &start)| start..start + size(cluster));
        let connections = pieces.flat_map(|piece| self.connections[piece].iter().copied()).collect();
        Self { bits: self.bits.clone(), neurons: self.neurons.clone(), connections }
    }

    /// Neurons of all clusters.
    pub fn total_neurons(&self) -> usize {
        self.neurons.iter().map(|&neurons| usize::from(neurons)).sum()
    }
}

/// A genome is not one for the classes and input bits that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidGenome {
    /// It is for another number of classes.
    #[error("it has bits for {bits} clusters and neurons for {neurons}, and there are {clusters} classes")]
    Clusters {
        /// Clusters that have bits.
        bits: usize,
        /// Clusters that have neurons.
        neurons: usize,
        /// Classes.
        clusters: usize,
    },
    /// An address has too few or too many bits.
    #[error("cluster {cluster} has {bits} address bits; 1 to {MOST_BITS} are possible")]
    Bits {
        /// The cluster.
        cluster: usize,
        /// Its address bits.
        bits: u8,
    },
    /// A cluster has no neurons.
    #[error("cluster {cluster} has no neurons")]
    Neurons {
        /// The cluster.
        cluster: usize,
    },
    /// There are not as many connections as the neurons have address bits.
    #[error("its neurons and bits need {expected} connections, and it has {found}")]
    Connections {
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A connection is to an input bit that there is not.
    #[error("connection {connection} is to input bit {input}; there are {inputs} input bits")]
    Input {
        /// The connection.
        connection: usize,
        /// The input bit.
        input: u8,
        /// How many there are.
        inputs: usize,
    },
}

/// An address has at most so many bits.
pub const MOST_BITS: u8 = 48;
/// Connections are bytes.
pub const MOST_INPUTS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn genome() -> Genome {
        Genome { bits: vec![2, 3], neurons: vec![2, 1], connections: vec![0, 1, 2, 3, 4, 5, 6] }
    }

    #[test]
    fn clusters_are_found_in_the_flat_list() {
        let genome = genome();
        let clusters: Vec<_> = genome.clusters().collect();
        assert_eq!(clusters[0].neurons().collect::<Vec<_>>(), [[0, 1], [2, 3]]);
        assert_eq!(clusters[1].neurons().collect::<Vec<_>>(), [[4, 5, 6]]);
        let gene = Gene { bits: 1, neurons: 2, connections: vec![7, 7] };
        let changed = genome.with(&[(0, gene.clone())]);
        assert_eq!(changed.bits, [1, 3]);
        assert_eq!(changed.connections, [7, 7, 4, 5, 6]);
        assert_eq!(changed.clusters().next().unwrap().to_gene(), gene);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(genome().check(2, 7), Ok(()));
        let error = |change: fn(&mut Genome), clusters| {
            let mut genome = genome();
            change(&mut genome);
            genome.check(clusters, 7).unwrap_err().to_string()
        };
        assert!(error(|_| (), 3).contains("there are 3 classes"));
        assert!(error(|genome| genome.bits[1] = 0, 2).contains("cluster 1 has 0 address bits"));
        assert!(error(|genome| genome.neurons[0] = 0, 2).contains("cluster 0 has no neurons"));
        assert!(
            error(|genome| genome.connections.truncate(6), 2).contains("need 7 connections, and it has 6")
        );
        assert!(error(|genome| genome.connections[3] = 7, 2).contains("connection 3 is to input bit 7"));
    }

    #[test]
    fn clusters_of_any_size_come_back_from_a_state() {
        let large = Genome { bits: vec![1, 1], neurons: vec![3, 700], connections: vec![0; 703] };
        for genome in [genome(), large] {
            let tree = rekindle::to_tree(&genome).unwrap();
            assert_eq!(rekindle::from_tree::<Genome>(&tree).unwrap(), genome);
        }
    }

    #[test]
    fn the_original_reads_connections_in_the_order_of_sizes() {
        let genome = Genome { bits: vec![2, 1, 2], neurons: vec![2, 1, 1], connections: (0..7).collect() };
        // The second cluster comes first, then the third, then the first.
        assert_eq!(genome.grouped().connections, [3, 4, 5, 6, 0, 1, 2]);
        let even = Genome { bits: vec![2; 3], neurons: vec![1; 3], connections: (0..6).collect() };
        assert_eq!(even.grouped(), even);
    }

    /// Runs from before clusters could have more neurons than a byte holds.
    #[test]
    fn a_genome_is_saved_as_it_always_was() {
        #[derive(Serialize)]
        #[serde(rename = "Genome")]
        struct Before {
            #[serde(with = "rekindle::growing")]
            bits: Vec<u8>,
            #[serde(with = "rekindle::growing")]
            neurons: Vec<u8>,
            #[serde(with = "rekindle::growing")]
            connections: Vec<u8>,
        }
        let Genome { bits, neurons, connections } = genome();
        let neurons = neurons.iter().map(|&neurons| neurons as u8).collect();
        let before = Before { bits, neurons, connections };
        assert_eq!(rekindle::hash_of(&genome()).unwrap(), rekindle::hash_of(&before).unwrap());
    }
}
