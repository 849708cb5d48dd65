//! How often examples of each class are taken for which.

use std::cmp::Reverse;

/// Lines of a table at most.
const LINES: usize = 32;
/// Other classes that are named of a class.
const OTHERS: usize = 3;

/// How often examples of each class are taken for which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// By true class and answer.
    counts: Vec<u64>,
}

impl ConfusionMatrix {
    /// That of examples whose class and answer are known, each as a number below `classes`.
    ///
    /// # Panics
    /// When a number is not.
    pub fn of(classes: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut counts = vec![0; classes * classes];
        for (class, answer) in pairs {
            counts[class * classes + answer] += 1;
        }
        Self { classes, counts }
    }

    /// Examples of the class that are taken for the answer.
    pub fn count(&self, class: usize, answer: usize) -> u64 {
        self.counts[class * self.classes + answer]
    }

    /// Examples of each class by answer.
    pub fn by_class(&self) -> impl Iterator<Item = &[u64]> {
        self.counts.chunks_exact(self.classes.max(1))
    }

    /// Examples of the class.
    pub fn of_class(&self, class: usize) -> u64 {
        (0..self.classes).map(|answer| self.count(class, answer)).sum()
    }

    /// Examples that are taken for the class.
    pub fn answered(&self, class: usize) -> u64 {
        (0..self.classes).map(|known| self.count(known, class)).sum()
    }

    /// Examples whose class is the answer.
    pub fn right(&self) -> u64 {
        (0..self.classes).map(|class| self.count(class, class)).sum()
    }

    /// All examples.
    pub fn all(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Share of all examples whose class is the answer.
    pub fn accuracy(&self) -> f64 {
        self.right() as f64 / self.all().max(1) as f64
    }

    /// A line for each class: how often it is right, and for what it is mostly taken otherwise. Of many classes
    /// the worst are shown. `examples` is what they are called, such as `test rows`.
    pub fn in_words(&self, classes: &[String], examples: &str) -> String {
        let share = |class: usize| self.count(class, class) as f64 / self.of_class(class).max(1) as f64;
        let mut shown: Vec<usize> = (0..classes.len()).collect();
        if classes.len() > LINES {
            shown.sort_by(|&a, &b| share(a).total_cmp(&share(b)));
            shown.truncate(LINES);
        }
        let width =
            shown.iter().map(|&class| classes[class].chars().count()).max().unwrap_or(0).max("class".len());
        let mut text = format!("{:width$}  {examples}  accuracy  mostly taken for", "class");
        for class in shown {
            let count_width = examples.len();
            let count = self.of_class(class);
            let accuracy = if count == 0 { "-".to_owned() } else { format!("{:.1} %", 100.0 * share(class)) };
            let line = format!("\n{:width$}  {count:>count_width$}  {accuracy:>8}", classes[class]);
            text.push_str(&line);
            let others: Vec<String> =
                self.taken_for(class).map(|(other, count)| format!("{} ({count})", classes[other])).collect();
            if !others.is_empty() {
                text.push_str("  ");
                text.push_str(&others.join(", "));
            }
        }
        text
    }

    /// The classes that examples of a class are mostly taken for, and how often.
    fn taken_for(&self, class: usize) -> impl Iterator<Item = (usize, u64)> {
        let others = (0..self.classes).filter(|&other| other != class);
        let mut others: Vec<(usize, u64)> =
            others.map(|other| (other, self.count(class, other))).filter(|&(_, count)| count > 0).collect();
        others.sort_by_key(|&(_, count)| Reverse(count));
        others.into_iter().take(OTHERS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mostly_taken_for_what_is_told() {
        let pairs = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 0), (1, 0), (1, 2)];
        let matrix = ConfusionMatrix::of(3, pairs.into_iter());
        assert_eq!((matrix.right(), matrix.all(), matrix.of_class(1), matrix.answered(0)), (3, 7, 4, 4));
        assert_eq!(
            matrix.by_class().map(<[u64]>::to_vec).collect::<Vec<_>>(),
            [[2, 1, 0], [2, 1, 1], [0; 3]]
        );
        let classes = ["a", "b", "c"].map(str::to_owned);
        let expected = "class  test rows  accuracy  mostly taken for\n\
                        a              3    66.7 %  b (1)\n\
                        b              4    25.0 %  a (2), c (1)\n\
                        c              0         -";
        assert_eq!(matrix.in_words(&classes, "test rows"), expected);
    }
}
