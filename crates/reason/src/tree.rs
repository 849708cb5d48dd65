//! Where in an expression each token stands.
//!
//! [`tree`] looks at a whole expression: each token belongs to a node of its tree, an operator's arguments are its children,
//! and brackets, commas and dots belong to what they enclose. [`Prefix`] looks at what came before a token only, as a model does that
//! writes one token after the other: what a bracket, a quantifier or a name with a bracket opens is the parent of what
//! comes until it is closed.

use crate::symbols::Symbol;
use crate::syntax::{MOST_DEPTH, Spanned, SyntaxError, Token, parse, tokens};

/// Where a token stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// How deep its node is: 0 at the root.
    pub depth: usize,
    /// The token that heads the parent of its node; none at the root.
    pub parent: Option<usize>,
    /// The way from the root: which child each node is of the one above it, from 0.
    pub path: Vec<u32>,
}

/// The tokens of an expression and where each stands in its tree.
///
/// ```
/// use rekindle_reason::tree::tree;
///
/// // The root is `and`; `q` is its second child.
/// let places = tree("p(a) and q")?;
/// let depths: Vec<usize> = places.iter().map(|(_, place)| place.depth).collect();
/// assert_eq!(depths, [1, 1, 2, 1, 0, 1]);
/// assert_eq!((places[5].1.parent, places[5].1.path.as_slice()), (Some(4), &[1][..]));
/// # Ok::<(), rekindle_reason::syntax::SyntaxError>(())
/// ```
///
/// # Errors
/// The text is no formula.
pub fn tree(text: &str) -> Result<Vec<(Spanned, Place)>, SyntaxError> {
    // What is parsed has no faults that the tree would have to mind.
    parse(text)?;
    let tokens = tokens(text)?;
    let mut builder = Builder { tokens: &tokens, nodes: Vec::new(), of_token: vec![0; tokens.len()], at: 0 };
    let root = builder.operation(0);
    let places = builder.places(root);
    Ok(tokens.into_iter().zip(places).collect())
}

struct Node {
    head: usize,
    children: Vec<usize>,
}

struct Builder<'a> {
    tokens: &'a [Spanned],
    nodes: Vec<Node>,
    /// The node that each token belongs to.
    of_token: Vec<usize>,
    at: usize,
}

impl Builder<'_> {
    fn symbol(&self) -> Option<Symbol> {
        match &self.tokens.get(self.at)?.token {
            Token::Symbol(symbol) => Some(*symbol),
            _ => None,
        }
    }

    /// A node whose head is the next token.
    fn node(&mut self, children: Vec<usize>) -> usize {
        self.nodes.push(Node { head: self.at, children });
        let node = self.nodes.len() - 1;
        self.take(node);
        node
    }

    /// Gives the next token to a node.
    fn take(&mut self, node: usize) {
        if let Some(of_token) = self.of_token.get_mut(self.at) {
            *of_token = node;
        }
        self.at += 1;
    }

    fn binding(&self) -> Option<(Symbol, u8)> {
        let symbol = self.symbol()?;
        crate::syntax::binding(symbol).map(|level| (symbol, level))
    }

    fn operation(&mut self, level: u8) -> usize {
        let mut left = self.operand();
        while let Some((symbol, own)) = self.binding().filter(|(_, own)| *own >= level) {
            let node = self.node(vec![left]);
            loop {
                let right = self.operation(if symbol == Symbol::Implies { own } else { own + 1 });
                self.nodes[node].children.push(right);
                let is_chain = matches!(symbol, Symbol::And | Symbol::Or) && self.symbol() == Some(symbol);
                if !is_chain {
                    break;
                }
                self.take(node);
            }
            left = node;
        }
        left
    }

    fn operand(&mut self) -> usize {
        match self.symbol() {
            Some(Symbol::Not) => {
                let node = self.node(Vec::new());
                let body = self.operand();
                self.nodes[node].children.push(body);
                node
            }
            Some(Symbol::Forall | Symbol::Exists) => self.binder(),
            Some(Symbol::Open) => self.bracketed(),
            _ => self.statement(),
        }
    }

    /// A quantifier, or `lambda`: its variables and its body are its children.
    fn binder(&mut self) -> usize {
        let node = self.node(Vec::new());
        while matches!(self.tokens.get(self.at).map(|spanned| &spanned.token), Some(Token::Name(_))) {
            let variable = self.node(Vec::new());
            self.nodes[node].children.push(variable);
        }
        if self.symbol() == Some(Symbol::Dot) {
            self.take(node);
        }
        let body = self.operation(0);
        self.nodes[node].children.push(body);
        node
    }

    fn bracketed(&mut self) -> usize {
        let open = self.at;
        self.at += 1;
        let is_applied = self.symbol() == Some(Symbol::Lambda);
        let node = if is_applied { self.binder() } else { self.operation(0) };
        self.of_token[open] = node;
        self.take(node);
        if is_applied {
            self.take(node);
            let argument = self.term();
            self.nodes[node].children.push(argument);
            self.take(node);
        }
        node
    }

    fn statement(&mut self) -> usize {
        let left = self.term();
        if !self.symbol().is_some_and(Symbol::is_relation) {
            return left;
        }
        let node = self.node(vec![left]);
        let right = self.term();
        self.nodes[node].children.push(right);
        node
    }

    fn term(&mut self) -> usize {
        let node = self.node(Vec::new());
        if self.symbol() != Some(Symbol::Open) {
            return node;
        }
        // The bracket and each comma.
        while self.symbol() != Some(Symbol::Close) && self.at < self.tokens.len() {
            self.take(node);
            let argument = self.term();
            self.nodes[node].children.push(argument);
        }
        self.take(node);
        node
    }

    fn places(&self, root: usize) -> Vec<Place> {
        let mut of_node = vec![Place::default(); self.nodes.len()];
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            for (index, &child) in self.nodes[node].children.iter().enumerate() {
                let mut path = of_node[node].path.clone();
                path.push(index as u32);
                of_node[child] = Place { depth: path.len(), parent: Some(self.nodes[node].head), path };
                waiting.push(child);
            }
        }
        self.of_token.iter().map(|&node| of_node[node].clone()).collect()
    }
}

/// Where tokens stand by what came before them.
///
/// A bracket or binder and what is in it are one level deeper than what is around; a comma or an operator goes on to the next child.
/// A bracket that closes nothing is at the root, and levels beyond [`MOST_DEPTH`] count as that one: every
/// sequence of tokens has places, whether it is an expression or not.
///
/// ```
/// use rekindle_reason::tree::Prefix;
/// use rekindle_reason::syntax::tokens;
///
/// let mut prefix = Prefix::default();
/// let tokens = tokens("p(a, f(b")?;
/// let places: Vec<_> = tokens.iter().map(|spanned| prefix.push(&spanned.token)).collect();
/// let depths: Vec<usize> = places.iter().map(|place| place.depth).collect();
/// assert_eq!(depths, [0, 0, 1, 1, 1, 1, 2]);
/// // `b` is the first argument of `f`, which is token 4 and the second argument of `p`.
/// assert_eq!((places[6].parent, places[6].path.as_slice()), (Some(4), &[1, 0][..]));
/// # Ok::<(), rekindle_reason::syntax::SyntaxError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Prefix {
    open: Vec<Level>,
    /// Which child of the innermost level the next token is.
    child: u32,
    /// Brackets that were opened beyond the deepest level.
    beyond: usize,
    tokens: usize,
    /// The last token, where that is a name whose bracket may come.
    name: Option<usize>,
}

#[derive(Clone, Debug)]
struct Level {
    head: usize,
    /// Which child of the level around it.
    child: u32,
    /// A quantifier, which ends with the bracket around it.
    is_binder: bool,
}

impl Prefix {
    /// The place of the next token.
    pub fn push(&mut self, token: &Token) -> Place {
        let number = self.tokens;
        self.tokens += 1;
        let name = self.name.take();
        match token {
            Token::Symbol(Symbol::Open) => {
                let place = self.place();
                self.open(name.unwrap_or(number), false);
                place
            }
            Token::Symbol(Symbol::Close) => {
                self.close();
                self.place()
            }
            Token::Symbol(Symbol::Forall | Symbol::Exists | Symbol::Lambda) => {
                let place = self.place();
                self.open(number, true);
                place
            }
            Token::Comma => {
                let place = self.place();
                self.child = self.child.saturating_add(1);
                place
            }
            Token::Symbol(symbol) if crate::syntax::binding(*symbol).is_some() || symbol.is_relation() => {
                let place = self.place();
                self.child = self.child.saturating_add(1);
                place
            }
            Token::Name(_) => {
                self.name = Some(number);
                self.place()
            }
            Token::Symbol(_) | Token::Truth(_) => self.place(),
        }
    }

    fn place(&self) -> Place {
        let path = self.open.iter().map(|level| level.child).skip(1).chain([self.child]);
        let path: Vec<u32> = if self.open.is_empty() { Vec::new() } else { path.collect() };
        Place { depth: self.open.len(), parent: self.open.last().map(|level| level.head), path }
    }

    fn open(&mut self, head: usize, is_binder: bool) {
        if self.open.len() == MOST_DEPTH {
            // A binder has no end of its own.
            self.beyond += usize::from(!is_binder);
            return;
        }
        self.open.push(Level { head, child: self.child, is_binder });
        self.child = 0;
    }

    fn close(&mut self) {
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        while let Some(level) = self.open.pop() {
            self.child = level.child;
            if !level.is_binder {
                return;
            }
        }
        self.child = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each token with the head of its parent and its path.
    fn shown(text: &str) -> String {
        let places = tree(text).unwrap();
        let word = |index: usize| &text[places[index].0.span.clone()];
        let shown: Vec<String> = places
            .iter()
            .enumerate()
            .map(|(index, (_, place))| {
                let path: Vec<String> = place.path.iter().map(ToString::to_string).collect();
                format!("{}<{}{}", word(index), place.parent.map_or("", word), path.join("."))
            })
            .collect();
        shown.join(" ")
    }

    #[test]
    fn operators_head_what_they_join() {
        assert_eq!(shown("a or b and c"), "a<or0 or< b<and1.0 and<or1 c<and1.1");
        assert_eq!(shown("a and b and c"), "a<and0 and< b<and1 and< c<and2");
        assert_eq!(
            shown("a implies b implies c"),
            "a<implies0 implies< b<implies1.0 implies<implies1 c<implies1.1"
        );
        assert_eq!(shown("not (a)"), "not< (<not0 a<not0 )<not0");
        assert_eq!(shown("f(b) = c"), "f<=0 (<=0 b<f0.0 )<=0 =< c<=1");
        assert_eq!(
            shown("forall x y. p(x, y)"),
            "forall< x<forall0 y<forall1 .< p<forall2 (<forall2 x<p2.0 ,<forall2 y<p2.1 )<forall2"
        );
        assert_eq!(
            shown("(lambda x. p(x))(a)"),
            "(< lambda< x<lambda0 .< p<lambda1 (<lambda1 x<p1.0 )<lambda1 )< (< a<lambda2 )<"
        );
    }

    #[test]
    fn every_prefix_has_the_places_of_the_whole() {
        let all = tokens("forall x. (p(x, f(a)) and q) implies not r(x)) ) p (").unwrap();
        let places = |count: usize| {
            let mut prefix = Prefix::default();
            all[..count].iter().map(|spanned| prefix.push(&spanned.token)).collect::<Vec<_>>()
        };
        let whole = places(all.len());
        for count in 0..all.len() {
            assert_eq!(places(count), whole[..count]);
        }
        assert!(
            whole
                .iter()
                .all(|place| place.depth == place.path.len() && place.parent.is_some() == (place.depth > 0))
        );
    }

    #[test]
    fn what_is_too_deep_or_no_expression_has_places_too() {
        let mut prefix = Prefix::default();
        for _ in 0..1000 {
            assert!(prefix.push(&Token::Symbol(Symbol::Open)).depth <= MOST_DEPTH);
        }
        for left in (0..1000_usize).rev() {
            let place = prefix.push(&Token::Symbol(Symbol::Close));
            assert_eq!(place.depth, left.min(MOST_DEPTH));
        }
        assert_eq!(prefix.push(&Token::Symbol(Symbol::Close)), Place::default());
    }
}
