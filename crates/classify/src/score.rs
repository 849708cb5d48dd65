//! How a network does while it is learnt.

/// How a network does on examples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Score {
    /// The sum of the cross-entropies, in nats.
    pub loss: f64,
    /// Examples whose class has the largest sum, the first of equals.
    pub right: u64,
    /// Examples.
    pub count: u64,
}

impl Score {
    /// Adds that on other examples.
    pub fn add(&mut self, other: Self) {
        self.loss += other.loss;
        self.right += other.right;
        self.count += other.count;
    }

    /// Mean cross-entropy, in nats.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.count as f64
    }

    /// Share of the examples that are right.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.count as f64
    }
}
