//! What depends on what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::{Knowledge, Rule};
use crate::syntax::Formula;

/// A predicate, in a [`Graph`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vertex {
    /// Its name.
    pub name: String,
    /// How many facts are stated of it.
    pub facts: usize,
    /// How far it is from what depends on nothing: one more than the deepest that it depends on, circles aside.
    pub layer: usize,
}

/// How predicates depend on each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// The one is in the body of a rule whose head is the other.
    Rule,
    /// Both are in a statement that is no rule.
    Statement,
}

/// Which predicates of a knowledge base depend on which.
///
/// ```
/// use rekindle_reason::{Graph, Knowledge};
///
/// let knowledge = Knowledge::parse("kind(anne)\nforall x. kind(x) and big(x) implies round(x)\n")?;
/// let graph = Graph::of(&knowledge);
/// assert_eq!(graph.text(), "big\nkind (1 fact)\nround <- big, kind\n");
/// # Ok::<(), rekindle_reason::syntax::SyntaxError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// All predicates, by name.
    pub vertices: Vec<Vertex>,
    /// Which (number in `vertices`) which depends on, in order. Of a statement that is no rule each depends on each.
    pub edges: BTreeMap<(usize, usize), Dependency>,
}

impl Graph {
    /// The graph of all statements.
    pub fn of(knowledge: &Knowledge) -> Self {
        let mut names = BTreeSet::new();
        for statement in knowledge.statements() {
            names.extend(statement.atoms().map(|atom| atom.predicate.as_str()));
        }
        let numbers: BTreeMap<&str, usize> =
            names.iter().enumerate().map(|(number, name)| (*name, number)).collect();
        let vertices = names.iter().map(|name| Vertex { name: (*name).to_owned(), facts: 0, layer: 0 });
        let mut graph = Self { vertices: vertices.collect(), edges: BTreeMap::new() };
        for statement in knowledge.statements() {
            graph.add(statement, &numbers);
        }
        graph.set_layers();
        graph
    }

    fn add(&mut self, statement: &Formula, numbers: &BTreeMap<&str, usize>) {
        let number = |name: &str| numbers.get(name).copied();
        let Some(rules) = Rule::of(statement) else {
            let all: BTreeSet<usize> = statement.atoms().filter_map(|atom| number(&atom.predicate)).collect();
            for (&a, &b) in all.iter().flat_map(|a| all.iter().map(move |b| (a, b))).filter(|(a, b)| a != b) {
                self.edges.entry((a, b)).or_insert(Dependency::Statement);
            }
            return;
        };
        for rule in rules {
            let Some(head) = number(&rule.head.predicate) else { continue };
            if rule.body.is_empty() {
                self.vertices[head].facts += 1;
            }
            for body in rule.body.iter().filter_map(|atom| number(&atom.predicate)) {
                self.edges.insert((head, body), Dependency::Rule);
            }
        }
    }

    /// A vertex is a layer above all that it depends on; an edge that would close a circle counts as none.
    fn set_layers(&mut self) {
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); self.vertices.len()];
        for (&(from, to), dependency) in &self.edges {
            if *dependency == Dependency::Rule {
                below[from].push(to);
            }
        }
        // 0: not seen, 1: on the path, 2: done.
        let mut state = vec![0_u8; below.len()];
        for root in 0..below.len() {
            let mut path = vec![(root, 0)];
            while let Some(&mut (vertex, ref mut next)) = path.last_mut() {
                if *next == 0 && state[vertex] == 2 {
                    path.pop();
                    continue;
                }
                state[vertex] = 1;
                match below[vertex].get(*next) {
                    Some(&child) => {
                        *next += 1;
                        if state[child] == 0 {
                            path.push((child, 0));
                        }
                    }
                    None => {
                        let done = below[vertex].iter().filter(|&&child| state[child] == 2);
                        let layer = done.map(|&child| self.vertices[child].layer + 1).max().unwrap_or(0);
                        self.vertices[vertex].layer = layer;
                        state[vertex] = 2;
                        path.pop();
                    }
                }
            }
        }
    }

    /// What a vertex depends on.
    pub fn below(&self, vertex: usize) -> impl Iterator<Item = usize> {
        self.edges.range((vertex, 0)..(vertex + 1, 0)).map(|(&(_, to), _)| to)
    }

    /// A line for each predicate: what it depends on, and how many facts are stated of it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (number, vertex) in self.vertices.iter().enumerate() {
            text += &vertex.name;
            for (index, below) in self.below(number).enumerate() {
                text += if index == 0 { " <- " } else { ", " };
                text += &self.vertices[below].name;
            }
            match vertex.facts {
                0 => {}
                1 => text += " (1 fact)",
                facts => {
                    // Writing to a text cannot fail.
                    let _ = write!(text, " ({facts} facts)");
                }
            }
            text.push('\n');
        }
        text
    }

    /// The graph for Graphviz. Edges lead from what something follows from to what follows; those of statements that are no
    /// rules are dashed.
    pub fn dot(&self) -> String {
        let mut text = "digraph knowledge {\n  rankdir=BT;\n  node [shape=box];\n".to_owned();
        for (number, vertex) in self.vertices.iter().enumerate() {
            let label = vertex.name.replace('\\', "\\\\").replace('"', "\\\"");
            let style = if vertex.facts > 0 { ", style=bold" } else { "" };
            let _ = writeln!(text, "  n{number} [label=\"{label}\"{style}];");
        }
        for (&(from, to), dependency) in &self.edges {
            let style = if *dependency == Dependency::Statement { " [style=dashed]" } else { "" };
            let _ = writeln!(text, "  n{to} -> n{from}{style};");
        }
        text + "}\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_come_from_rules_and_circles_end() {
        let knowledge =
            Knowledge::parse("a\na implies b\nb implies c\nc implies b\nb and c implies d\nd or e\n");
        let graph = Graph::of(&knowledge.unwrap());
        let layers: Vec<(&str, usize)> =
            graph.vertices.iter().map(|vertex| (vertex.name.as_str(), vertex.layer)).collect();
        assert_eq!(layers, [("a", 0), ("b", 1), ("c", 0), ("d", 2), ("e", 0)]);
        assert!(graph.dot().contains("n0 -> n1;\n") && graph.dot().contains("n3 -> n4 [style=dashed];\n"));
        assert!(graph.text().starts_with("a (1 fact)\nb <- a, c\n"));
    }
}
