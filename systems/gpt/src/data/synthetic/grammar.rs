//! Sentences from templates: verbs that agree, articles, capital letters, lists.

use super::world::{Kind, Noun, Thing};

/// What a sentence is about, as it is named in that sentence.
pub(super) struct Subject {
    phrase: String,
    object: String,
    many: bool,
}

impl Subject {
    /// The thing by its name; in the plural only where it has one.
    pub fn named(thing: &Thing, many: bool) -> Self {
        let (phrase, many) = match thing.noun {
            Noun::Counted if many => (thing.plural.to_owned(), true),
            Noun::Counted => (with_article(thing.name), false),
            Noun::Bare => (thing.name.to_owned(), false),
            Noun::Only => (format!("the {}", thing.name), false),
        };
        Self { object: phrase.clone(), phrase, many }
    }

    /// One or all of a kind.
    pub fn of_kind(kind: &Kind, many: bool) -> Self {
        let phrase = kind_phrase(kind, many);
        Self { object: phrase.clone(), phrase, many }
    }

    /// The pronoun for a thing that was named before.
    pub fn pronoun(&self) -> Self {
        let (phrase, object) = if self.many { ("they", "them") } else { ("it", "it") };
        Self { phrase: phrase.to_owned(), object: object.to_owned(), many: self.many }
    }

    pub fn is_many(&self) -> bool {
        self.many
    }
}

/// "a bird" or "birds".
pub(super) fn kind_phrase(kind: &Kind, many: bool) -> String {
    if many { kind.plural.to_owned() } else { with_article(kind.name) }
}

/// The noun after "a" or "an". By its first letter, which is enough for the nouns of this world.
pub(super) fn with_article(noun: &str) -> String {
    let article =
        if noun.starts_with(['a', 'e', 'i', 'o', 'u', 'A', 'E', 'I', 'O', 'U']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// The verb after "it".
fn third_person(verb: &str) -> String {
    let consonant_before_y = verb.ends_with('y') && !["ay", "ey", "oy"].iter().any(|end| verb.ends_with(end));
    match verb {
        "have" => "has".to_owned(),
        "go" | "do" => format!("{verb}es"),
        _ if ["s", "sh", "ch", "x", "z"].iter().any(|end| verb.ends_with(end)) => format!("{verb}es"),
        _ if consonant_before_y => format!("{}ies", &verb[..verb.len() - 1]),
        _ => format!("{verb}s"),
    }
}

/// Fills a template.
///
/// `{X}` is the subject, `{O}` the same as an object, `{v}` the value (itself a template), `[eat]` a verb
/// that agrees; `{is}`, `{does}` and `{its}` agree too.
pub(super) fn render(template: &str, subject: &Subject, value: &str) -> String {
    let mut text = String::with_capacity(template.len() + value.len() + 16);
    let mut rest = template;
    while let Some(start) = rest.find(['{', '[']) {
        text.push_str(&rest[..start]);
        let end =
            start + rest[start..].find(['}', ']']).expect("templates are constants with closed brackets");
        let key = &rest[start + 1..end];
        match (rest.as_bytes()[start], key) {
            (b'[', verb) if subject.many => text.push_str(verb),
            (b'[', verb) => text.push_str(&third_person(verb)),
            (_, "X") => text.push_str(&subject.phrase),
            (_, "O") => text.push_str(&subject.object),
            (_, "v") => text.push_str(&render(value, subject, "")),
            (_, "is") => text.push_str(if subject.many { "are" } else { "is" }),
            (_, "does") => text.push_str(if subject.many { "do" } else { "does" }),
            (_, "its") => text.push_str(if subject.many { "their" } else { "its" }),
            (_, key) => unreachable!("the template {template:?} has the unknown key {key:?}"),
        }
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    text
}

/// The phrase with its verbs as they are after "does".
pub(super) fn base(phrase: &str, subject: &Subject) -> String {
    let plain: String = phrase.chars().filter(|c| !matches!(c, '[' | ']')).collect();
    render(&plain, subject, "")
}

/// The text with a capital letter at the beginning of every sentence.
pub(super) fn sentences(text: &str) -> String {
    let mut begins = true;
    let mut ended = false;
    text.chars()
        .map(|c| {
            begins |= ended && c == ' ';
            ended = matches!(c, '.' | '?' | '!');
            let shown = if begins { c.to_ascii_uppercase() } else { c };
            begins &= !c.is_ascii_alphanumeric();
            shown
        })
        .collect()
}

/// "a, b and c".
pub(super) fn listed(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}
