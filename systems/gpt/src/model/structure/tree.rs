//! Where the tokens of a text stand in its tree.
//!
//! The text is a group of sentences, a sentence a group of tokens, and what stands between two brackets a group
//! within the one around it. A token that opens a group, closes it or ends a sentence belongs to the group
//! around.

use super::{Brackets, Structure};

/// How a token stands to one before it, or to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Relation {
    /// It is the same token.
    Itself,
    /// It opens the group of this one.
    Parent,
    /// It opens a group around that.
    Ancestor,
    /// Both are in the same group.
    Sibling,
    /// It opens the group that this one closes.
    Partner,
    /// It is in the group that this one closes or ends.
    Child,
    /// It is in a group within that.
    Descendant,
    /// It is in a group around the one of this token.
    Around,
    /// It is in another branch of the tree.
    Elsewhere,
}

/// Differences in depth that are told apart: from -3 to 3.
const GAPS: usize = 7;
const MOST_GAP: i32 = 3;

/// Numbers that a head adds: one for each relation and difference in depth.
pub(crate) const PAIRS: usize = 9 * GAPS;

/// What a head adds to the logit of a pair of tokens; the last place is not used.
pub(crate) type PairTable = [f32; PAIRS + 1];

/// Far below any logit: such a token is not seen.
pub(crate) const UNSEEN: f32 = -1e30;

/// Where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Brackets that are open around it.
    pub depth: usize,
    /// Which child of its group it is, which child that group is of the one around, and so on.
    pub path: [u8; Structure::LEVELS],
    /// Its group.
    group: u32,
    /// The group that it closes or ends, the largest of several.
    closed: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    parent: u32,
    /// The token that opened it; sentences have none.
    opener: Option<u32>,
    /// The first token that can be in it.
    begin: u32,
    depth: usize,
    /// Which child it is of the group around.
    index: u8,
    children: u8,
    /// It is among the groups that are open.
    is_open: bool,
}

/// The tree of the tokens so far.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    places: Vec<Place>,
    groups: Vec<Group>,
    /// The groups that are open, the text first.
    open: Vec<u32>,
}

impl Default for Tree {
    fn default() -> Self {
        let text =
            Group { parent: 0, opener: None, begin: 0, depth: 0, index: 0, children: 0, is_open: true };
        Self { places: Vec::new(), groups: vec![text], open: vec![0] }
    }
}

impl Tree {
    /// Tokens so far.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Where the tokens stand.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Forgets all tokens.
    pub fn clear(&mut self) {
        self.places.clear();
        self.groups.truncate(1);
        self.groups[0].children = 0;
        self.open.truncate(1);
    }

    /// Adds the next token.
    pub fn push(&mut self, brackets: Brackets) -> &Place {
        let position = self.places.len() as u32;
        let mut closed = None;
        for _ in 0..brackets.closes {
            if self.innermost().opener.is_some() {
                closed = self.close();
            }
        }
        let is_between_brackets = self.innermost().opener.is_some();
        if brackets.ends && !is_between_brackets && self.open.len() > 1 {
            closed = self.close();
        } else if !brackets.ends && self.open.len() == 1 {
            self.begin_group(None, position);
        }
        let (group, path) = (self.innermost_index(), self.path());
        let Group { depth, children, .. } = &mut self.groups[group as usize];
        let depth = *depth;
        *children = children.saturating_add(1);
        self.places.push(Place { depth, path, group, closed });
        for _ in 0..brackets.opens {
            self.begin_group(Some(position), position + 1);
        }
        &self.places[position as usize]
    }

    /// Appends, for each token up to the one at `position`, the number of its pair with that one in a
    /// [`PairTable`].
    pub fn pairs(&self, position: usize, pairs: &mut Vec<u8>) {
        debug_assert!(position + 1 == self.places.len(), "groups are open as they were at the last token");
        let place = &self.places[position];
        pairs.extend(self.places[..=position].iter().enumerate().map(|(other_position, other)| {
            let relation = self.relation(position as u32, place, other_position as u32, other);
            let gap = (other.depth as i32 - place.depth as i32).clamp(-MOST_GAP, MOST_GAP) + MOST_GAP;
            relation as u8 * GAPS as u8 + gap as u8
        }));
    }

    fn relation(&self, position: u32, place: &Place, other_position: u32, other: &Place) -> Relation {
        if position == other_position {
            return Relation::Itself;
        }
        if let Some(closed) = place.closed {
            let group = &self.groups[closed as usize];
            if group.opener == Some(other_position) {
                return Relation::Partner;
            }
            if other_position >= group.begin {
                return if other.group == closed { Relation::Child } else { Relation::Descendant };
            }
        }
        if let Some(relation) = self.opener_relation(place.group, other_position) {
            return relation;
        }
        match () {
            () if other.group == place.group => Relation::Sibling,
            () if self.groups[other.group as usize].is_open => Relation::Around,
            () => Relation::Elsewhere,
        }
    }

    /// Whether a token opens a group, or one around it.
    fn opener_relation(&self, group: u32, token: u32) -> Option<Relation> {
        let own = &self.groups[group as usize];
        if own.opener == Some(token) {
            return Some(Relation::Parent);
        }
        // Openers of the groups around stand further and further to the left.
        let mut around = own.parent;
        while let Some(opener) = self.groups[around as usize].opener.filter(|&opener| opener >= token) {
            if opener == token {
                return Some(Relation::Ancestor);
            }
            around = self.groups[around as usize].parent;
        }
        None
    }

    fn innermost_index(&self) -> u32 {
        self.open.last().copied().unwrap_or(0)
    }

    fn innermost(&self) -> &Group {
        &self.groups[self.innermost_index() as usize]
    }

    fn begin_group(&mut self, opener: Option<u32>, begin: u32) {
        let parent = self.innermost_index();
        let around = &mut self.groups[parent as usize];
        // A bracket is a child of the group around; a sentence counts as one.
        let index = if opener.is_some() { around.children.saturating_sub(1) } else { around.children };
        if opener.is_none() {
            around.children = around.children.saturating_add(1);
        }
        let depth = around.depth + usize::from(opener.is_some());
        self.open.push(self.groups.len() as u32);
        self.groups.push(Group { parent, opener, begin, depth, index, children: 0, is_open: true });
    }

    fn close(&mut self) -> Option<u32> {
        let closed = self.open.pop()?;
        self.groups[closed as usize].is_open = false;
        Some(closed)
    }

    /// The path of a token that is the next child of the innermost group.
    fn path(&self) -> [u8; Structure::LEVELS] {
        let mut path = [0; Structure::LEVELS];
        let mut child = self.innermost().children;
        for (place, &group) in path.iter_mut().zip(self.open.iter().rev()) {
            *place = child;
            child = self.groups[group as usize].index;
        }
        path
    }
}

/// Whether a masked head sees a pair.
pub(crate) fn is_seen(pair: usize) -> bool {
    pair / GAPS != Relation::Elsewhere as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token for each character.
    fn tree(text: &str) -> Tree {
        let mut tree = Tree::default();
        for character in text.bytes() {
            tree.push(Brackets::of(&[character]));
        }
        tree
    }

    /// How the last token of a text stands to each one.
    fn relations(text: &str) -> Vec<u8> {
        let mut pairs = Vec::new();
        tree(text).pairs(text.len() - 1, &mut pairs);
        pairs.iter().map(|pair| pair / GAPS as u8).collect()
    }

    #[test]
    fn depths_count_the_brackets_around() {
        let depths: Vec<usize> = tree("a(b[c]d)e)(").places().iter().map(|place| place.depth).collect();
        assert_eq!(depths, [0, 0, 1, 1, 2, 1, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn a_path_leads_up_to_the_text() {
        let tree = tree("a.b(cd");
        let last = tree.places()[5];
        // The second token between the brackets, which are the second token of the sentence, which is the third of
        // the text: the first sentence and its end came before.
        assert_eq!(last.path, [1, 1, 2, 0]);
        assert_eq!(tree.places()[1].path[0], 1);
    }

    #[test]
    fn relations_are_told_from_the_tokens_before() {
        use Relation::*;
        let expected = |relations: &[Relation]| relations.iter().map(|&of| of as u8).collect::<Vec<_>>();
        assert_eq!(relations("a(b(c"), expected(&[Around, Ancestor, Around, Parent, Itself]));
        assert_eq!(relations("a(b(c)"), expected(&[Around, Parent, Sibling, Partner, Child, Itself]));
        assert_eq!(
            relations("a(b(c))"),
            expected(&[Sibling, Partner, Child, Child, Descendant, Child, Itself])
        );
        assert_eq!(relations("a(b)(c"), expected(&[Around, Around, Elsewhere, Around, Parent, Itself]));
        assert_eq!(relations("ab.cd"), expected(&[Elsewhere, Elsewhere, Around, Sibling, Itself]));
        assert_eq!(relations("ab."), expected(&[Child, Child, Itself]));
    }

    #[test]
    fn brackets_without_partners_do_no_harm() {
        for text in [")))(((", "([)]", "....", ")a.(", &"(".repeat(300), &")".repeat(300)] {
            let tree = tree(text);
            let mut pairs = Vec::new();
            tree.pairs(text.len() - 1, &mut pairs);
            assert!(pairs.iter().all(|&pair| usize::from(pair) < PAIRS), "{text}");
        }
    }

    #[test]
    fn a_cleared_tree_is_a_new_one() {
        let mut cleared = tree("a(b.c");
        cleared.clear();
        for character in "x(y)".bytes() {
            cleared.push(Brackets::of(&[character]));
        }
        assert_eq!(cleared.places(), tree("x(y)").places());
    }
}
