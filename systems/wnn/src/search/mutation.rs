//! Fresh genomes, and genomes that differ from others.

use rekindle_compute::rng::Stream;

use crate::config::{Bounds, Model, Order};
use crate::genome::{Cluster, Gene, Genome};
use crate::phase::Trait;

/// What genes are made of.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    pub(crate) bits: Bounds,
    pub(crate) neurons: Bounds,
    pub(crate) order: Order,
    pub(crate) context: usize,
    pub(crate) bits_per_token: usize,
}

impl Maker {
    pub(crate) fn new(model: &Model, context: usize, bits_per_token: usize) -> Self {
        Self { bits: model.bits, neurons: model.neurons, order: model.order, context, bits_per_token }
    }

    fn inputs(&self) -> u64 {
        (self.context * self.bits_per_token) as u64
    }

    /// A fresh genome: `neurons` by cluster, all with `bits` address bits.
    pub(crate) fn fresh(&self, neurons: &[u16], bits: u8, stream: &mut Stream) -> Genome {
        let total: usize = neurons.iter().map(|&neurons| usize::from(neurons) * usize::from(bits)).sum();
        let mut genome = Genome::with_capacity(neurons.len(), total);
        let mut connections = Vec::new();
        for &neurons in neurons {
            connections.clear();
            for neuron in 0..usize::from(neurons) {
                for position in 0..usize::from(bits) {
                    connections.push(self.connection(neuron, position, stream));
                }
            }
            genome.push(Cluster { bits: bits.into(), connections: &connections });
        }
        genome
    }

    /// What a fresh connection is to.
    fn connection(&self, neuron: usize, position: usize, stream: &mut Stream) -> u8 {
        match self.order {
            Order::Random => stream.below(self.inputs()) as u8,
            Order::Recent => {
                let back = (neuron + position / self.bits_per_token) % self.context;
                let token = self.context - 1 - back;
                (token * self.bits_per_token + position % self.bits_per_token) as u8
            }
        }
    }

    /// A cluster with another number of neurons, of bits, or with other connections.
    pub(crate) fn mutate(&self, changes: Trait, cluster: Cluster<'_>, stream: &mut Stream) -> Gene {
        match changes {
            Trait::Neurons => self.mutate_neurons(cluster, stream),
            Trait::Bits => self.mutate_bits(cluster, stream),
            Trait::Connections => self.mutate_connections(cluster, stream),
        }
    }

    fn mutate_neurons(&self, cluster: Cluster<'_>, stream: &mut Stream) -> Gene {
        let before = cluster.neurons().len();
        let after = stepped(before, self.neurons, stream);
        let mut connections = cluster.connections[..before.min(after) * cluster.bits].to_vec();
        for _ in before..after {
            // A new neuron looks beside what another one looks at.
            let model = stream.below(before as u64) as usize * cluster.bits;
            for position in model..model + cluster.bits {
                let shift = [-2, -1, 1, 2][stream.below(4) as usize];
                connections.push(self.shifted(cluster.connections[position], shift));
            }
        }
        Gene { bits: cluster.bits as u8, neurons: after as u16, connections }
    }

    fn mutate_bits(&self, cluster: Cluster<'_>, stream: &mut Stream) -> Gene {
        let after = stepped(cluster.bits, self.bits, stream);
        let mut connections = Vec::with_capacity(after * cluster.neurons().len());
        for (neuron, before) in cluster.neurons().enumerate() {
            connections.extend_from_slice(&before[..before.len().min(after)]);
            for position in before.len()..after {
                connections.push(self.connection(neuron, position, stream));
            }
        }
        Gene { bits: after as u8, neurons: cluster.neurons().len() as u16, connections }
    }

    /// Shifts every tenth connection, and at least one.
    fn mutate_connections(&self, cluster: Cluster<'_>, stream: &mut Stream) -> Gene {
        let mut gene = cluster.to_gene();
        let certain = stream.below(gene.connections.len() as u64) as usize;
        for (position, connection) in gene.connections.iter_mut().enumerate() {
            if position == certain || stream.below(10) == 0 {
                let shift = [-2, -1, 1, 2][stream.below(4) as usize];
                *connection = self.shifted(*connection, shift);
            }
        }
        gene
    }

    fn shifted(&self, connection: u8, shift: i32) -> u8 {
        (i32::from(connection) + shift).clamp(0, self.inputs() as i32 - 1) as u8
    }
}

/// A number that is up to a tenth of its bounds larger or smaller, and another one if it can be.
fn stepped(before: usize, bounds: Bounds, stream: &mut Stream) -> usize {
    let (least, most) = (i64::from(bounds.least), i64::from(bounds.most));
    let reach = ((least + most + 5) / 10).max(1);
    let shift = 1 + stream.below(reach as u64) as i64;
    let shift = if stream.below(2) == 0 { shift } else { -shift };
    let before = before as i64;
    let after = (before + shift).clamp(least, most);
    // At a bound the only way is back.
    let after = if after == before { (before - shift).clamp(least, most) } else { after };
    after as usize
}

#[cfg(test)]
mod tests {
    use rekindle_compute::rng;

    use super::*;

    fn maker(order: Order) -> Maker {
        let (bits, neurons) = (Bounds { least: 2, most: 12 }, Bounds { least: 1, most: 6 });
        Maker { bits, neurons, order, context: 3, bits_per_token: 4 }
    }

    #[test]
    fn fresh_neurons_look_at_the_latest_tokens() {
        let genome = maker(Order::Recent).fresh(&[2], 6, &mut rng::stream(1, 1, 1));
        assert_eq!(genome.connections, [8, 9, 10, 11, 4, 5, 4, 5, 6, 7, 0, 1]);
    }

    #[test]
    fn a_mutation_changes_only_what_it_says() {
        let mut stream = rng::stream(1, 2, 3);
        for order in [Order::Recent, Order::Random] {
            let maker = maker(order);
            let genome = maker.fresh(&[3; 20], 5, &mut stream);
            for cluster in genome.clusters() {
                let more = maker.mutate(Trait::Neurons, cluster, &mut stream);
                assert_ne!(more.neurons, 3);
                assert_eq!(more.bits, 5);
                let kept = usize::from(more.neurons.min(3)) * 5;
                assert_eq!(more.connections[..kept], cluster.connections[..kept]);
                let wider = maker.mutate(Trait::Bits, cluster, &mut stream);
                assert_ne!(wider.bits, 5);
                assert_eq!(wider.neurons, 3);
                for (after, before) in wider.as_cluster().neurons().zip(cluster.neurons()) {
                    let kept = after.len().min(before.len());
                    assert_eq!(after[..kept], before[..kept]);
                }
                let rewired = maker.mutate(Trait::Connections, cluster, &mut stream);
                assert_eq!((rewired.bits, rewired.neurons), (5, 3));
                for gene in [more, wider, rewired] {
                    let mut genome = Genome::with_capacity(1, 0);
                    genome.push(gene.as_cluster());
                    assert_eq!(genome.check(1, 12), Ok(()));
                }
            }
        }
    }
}
