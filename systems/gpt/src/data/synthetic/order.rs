//! What has an order: days, months, seasons, numbers and sums, people compared; and opposites.

use super::grammar::with_article;
use super::text_rng::TextRng;
use super::{Key, Point};

const DAYS: &[&str] = &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

#[rustfmt::skip]
const MONTHS: &[&str] = &[
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
];

const SEASONS: &[&str] = &["spring", "summer", "autumn", "winter"];

/// What each season is like, in the order of [`SEASONS`].
const WEATHER: &[&str] =
    &["mild, and the flowers begin to grow", "warm", "cool, and the leaves fall", "cold"];

#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
];

#[rustfmt::skip]
const OPPOSITES: &[(&str, &str)] = &[
    ("hot", "cold"), ("big", "small"), ("long", "short"), ("old", "young"), ("fast", "slow"),
    ("high", "low"), ("light", "dark"), ("wet", "dry"), ("hard", "soft"), ("full", "empty"),
    ("strong", "weak"), ("loud", "quiet"), ("true", "false"), ("open", "closed"), ("happy", "sad"),
    ("good", "bad"), ("early", "late"), ("clean", "dirty"), ("rich", "poor"), ("day", "night"),
    ("summer", "winter"), ("left", "right"), ("yes", "no"), ("all", "none"),
];

/// People, each with a pronoun.
#[rustfmt::skip]
const PEOPLE: &[(&str, &str)] = &[
    ("Anna", "she"), ("Ben", "he"), ("Clara", "she"), ("David", "he"), ("Emma", "she"), ("Felix", "he"),
    ("Grace", "she"), ("Henry", "he"),
];

/// More, most, less and least.
const MEASURES: &[[&str; 4]] = &[
    ["taller", "tallest", "shorter", "shortest"],
    ["older", "oldest", "younger", "youngest"],
    ["faster", "fastest", "slower", "slowest"],
    ["stronger", "strongest", "weaker", "weakest"],
];

/// What can be counted.
const COUNTED: &[&str] = &["apples", "books", "cherries", "oranges", "carrots", "stones"];

fn point(statement: String, question: String, answer: String) -> Point {
    Point { key: Key::Unkeyed, statement, question, answer }
}

/// Which day, month or season comes before or after another.
pub(super) fn calendar(rng: &mut TextRng) -> Point {
    let (names, one) = match rng.below(10) {
        0..5 => (DAYS, "day"),
        5..9 => (MONTHS, "month"),
        _ => (SEASONS, "season"),
    };
    let here = rng.below(names.len());
    let (before, after) = (names[here], names[(here + 1) % names.len()]);
    let forward = format!("{after} comes after {before}.");
    let backward = format!("{before} comes before {after}.");
    let statement = if rng.chance(60) { forward.clone() } else { backward.clone() };
    let (question, answer) = match rng.below(8) {
        0 | 1 => (format!("what comes after {before}?"), forward),
        2 => (format!("which {one} comes after {before}?"), forward),
        3 => (format!("tell me the {one} after {before}."), forward),
        4 => (format!("what comes before {after}?"), backward),
        5 => (format!("which {one} comes before {after}?"), backward),
        6 => (format!("does {after} come after {before}?"), format!("yes, {forward}")),
        _ => (format!("does {before} come after {after}?"), format!("no, {backward}")),
    };
    point(statement, question, answer).about_fact(format!("after {before}"))
}

/// How many days, months and seasons there are, and what they are.
pub(super) fn calendar_count(rng: &mut TextRng) -> Point {
    let (whole, many, names) =
        *rng.pick(&[("week", "days", DAYS), ("year", "months", MONTHS), ("year", "seasons", SEASONS)]);
    let count = NUMBERS[names.len()];
    let (last, most) = names.split_last().expect("the names are constants");
    let list = format!("{} and {last}", most.join(", "));
    let counted = format!("a {whole} has {count} {many}.");
    let named = format!("the {count} {many} are {list}.");
    let statement = if rng.chance(60) { format!("{counted} {named}") } else { named.clone() };
    let (question, answer) = match rng.below(4) {
        0 => (format!("how many {many} does a {whole} have?"), counted),
        1 => (format!("how many {many} are there in a {whole}?"), counted),
        2 => (format!("what are the {count} {many}?"), named),
        _ => (format!("tell me the {many} of the {whole}."), named),
    };
    point(statement, question, answer).about_fact(format!("count of {many}"))
}

/// What a season is like.
pub(super) fn season(rng: &mut TextRng) -> Point {
    let here = rng.below(SEASONS.len());
    let (season, weather) = (SEASONS[here], WEATHER[here]);
    let statement = format!("in {season} it is {weather}.");
    let question = match rng.below(3) {
        0 => format!("what is the weather like in {season}?"),
        1 => format!("how is the weather in {season}?"),
        _ => format!("what is {season} like?"),
    };
    let definition = format!("{season} is a season.");
    if rng.chance(25) {
        return point(definition.clone(), format!("what is {season}?"), format!("{definition} {statement}"));
    }
    point(statement.clone(), question, statement)
}

/// A number in words or in digits.
fn shown(number: usize, digits: bool) -> String {
    if digits { number.to_string() } else { NUMBERS[number].to_owned() }
}

/// A sum or a difference within 20.
pub(super) fn sum(rng: &mut TextRng) -> Point {
    let digits = rng.chance(50);
    let total = 1 + rng.below(20);
    let part = rng.below(total + 1);
    let rest = total - part;
    let key = sum_key(part, rest);
    let [total, part, rest] = [total, part, rest].map(|number| shown(number, digits));
    let (sentence, asked) = if rng.chance(60) {
        (format!("{part} plus {rest} is {total}."), format!("{part} plus {rest}"))
    } else {
        (format!("{total} minus {part} is {rest}."), format!("{total} minus {part}"))
    };
    let question = match rng.below(4) {
        0 | 1 => format!("what is {asked}?"),
        2 => format!("how much is {asked}?"),
        _ => format!("tell me what {asked} is."),
    };
    point(sentence.clone(), question, sentence).about_fact(key)
}

/// A sum and the differences that go with it are one fact.
fn sum_key(one: usize, other: usize) -> String {
    format!("{} plus {}", one.min(other), one.max(other))
}

/// A sum about things that someone has.
pub(super) fn story(rng: &mut TextRng) -> Point {
    let (name, pronoun) = *rng.pick(PEOPLE);
    let things = rng.word(COUNTED);
    let (has, more) = (2 + rng.below(8), 2 + rng.below(8));
    let gets = rng.chance(60) || has < more + 2;
    let (does, word, result) =
        if gets { ("gets", "plus", has + more) } else { ("gives away", "minus", has - more) };
    let key = if gets { sum_key(has, more) } else { sum_key(has - more, more) };
    let [has, more, result] = [has, more, result].map(|number| NUMBERS[number]);
    let change = if gets { format!("{more} more") } else { more.to_owned() };
    let sentence = format!("{name} has {has} {things} and {does} {change}.");
    let reason = format!("{has} {word} {more} is {result}");
    point(
        format!("{sentence} now {pronoun} has {result} {things}, because {reason}."),
        format!("{sentence} how many {things} does {pronoun} have now?"),
        format!("{name} has {result} {things} now, because {reason}."),
    )
    .about_fact(key)
}

/// Counting, neighbours and the greater of two numbers.
pub(super) fn number(rng: &mut TextRng) -> Point {
    let digits = rng.chance(50);
    let low = rng.below(19);
    let high = low + 1 + rng.below(20 - low);
    let [here, next, high] = [low, low + 1, high].map(|number| shown(number, digits));
    match rng.below(6) {
        0 => {
            let sentence = format!("{next} comes after {here}.");
            point(sentence.clone(), format!("what number comes after {here}?"), sentence)
        }
        1 => {
            let sentence = format!("{here} comes before {next}.");
            point(sentence.clone(), format!("what number comes before {next}?"), sentence)
        }
        2 => counting(rng, digits),
        3 => {
            let sentence = format!("{high} is greater than {here}.");
            point(sentence.clone(), format!("is {high} greater than {here}?"), format!("yes, {sentence}"))
        }
        4 => {
            let sentence = format!("{here} is less than {high}.");
            point(sentence.clone(), format!("is {here} greater than {high}?"), format!("no, {sentence}"))
        }
        _ => {
            let sentence = format!("{high} is greater than {here}.");
            point(sentence.clone(), format!("which number is greater, {here} or {high}?"), sentence)
        }
    }
}

fn counting(rng: &mut TextRng, digits: bool) -> Point {
    let to = 3 + rng.below(18);
    let numbers: Vec<String> = (1..=to).map(|number| shown(number, digits)).collect();
    let sentence = format!("{}.", numbers.join(", "));
    let end = shown(to, digits);
    let question = match rng.below(2) {
        0 => format!("count to {end}."),
        _ => format!("can you count to {end}?"),
    };
    point(format!("let us count to {end}: {sentence}"), question, sentence)
}

/// The opposite of a word.
pub(super) fn opposite(rng: &mut TextRng) -> Point {
    let (one, other) = *rng.pick(OPPOSITES);
    let (asked, found) = if rng.chance(50) { (one, other) } else { (other, one) };
    let sentence = format!("the opposite of {asked} is {found}.");
    let question = match rng.below(4) {
        0 | 1 => format!("what is the opposite of {asked}?"),
        2 => format!("tell me the opposite of {asked}."),
        _ => format!("which word is the opposite of {asked}?"),
    };
    let statement =
        if rng.chance(50) { sentence.clone() } else { format!("{asked} and {found} are opposites.") };
    point(statement, question, sentence).about_fact(format!("opposite of {one}"))
}

/// Three people in a row by some measure: what holds between the first and the last of them.
pub(super) fn comparison(rng: &mut TextRng) -> Point {
    let people = rng.some(PEOPLE, 3);
    let [a, b, c] = [people[0].0, people[1].0, people[2].0];
    let [more, most, less, least] = *rng.pick(MEASURES);
    let premises = [format!("{a} is {more} than {b}"), format!("{b} is {more} than {c}")];
    let given = format!("{} and {}", premises[0], premises[1]);
    let because = format!("because {a} is {more} than {b} and {b} is {more} than {c}");
    let statement = match rng.below(3) {
        0 => format!("{given}, so {a} is {more} than {c}."),
        1 => format!("{}. {}. so {c} is {less} than {a}.", premises[0], premises[1]),
        _ => format!("{given}. {a} is the {most} and {c} is the {least}."),
    };
    let (asked, answer) = match rng.below(6) {
        0 => (format!("is {a} {more} than {c}"), format!("yes, {a} is {more} than {c}, {because}.")),
        1 => (format!("is {c} {more} than {a}"), format!("no, {c} is {less} than {a}.")),
        2 => (format!("who is {more}, {a} or {c}"), format!("{a} is {more} than {c}.")),
        3 => (format!("who is {less}, {a} or {c}"), format!("{c} is {less} than {a}.")),
        4 => (format!("who is the {most}"), format!("{a} is the {most}.")),
        _ => (format!("who is the {least}"), format!("{c} is the {least}.")),
    };
    let question = match rng.below(3) {
        0 => format!("if {given}, {asked}?"),
        1 => format!("{given}. {asked}?"),
        _ => format!("{}. {}. {asked}?", premises[0], premises[1]),
    };
    point(statement, question, answer).about_conclusion(given)
}

/// Two people compared: the same said from the other side.
pub(super) fn converse(rng: &mut TextRng) -> Point {
    let people = rng.some(PEOPLE, 2);
    let [a, b] = [people[0].0, people[1].0];
    let [more, _, less, _] = *rng.pick(MEASURES);
    let given = format!("{a} is {more} than {b}");
    let (asked, answer) = match rng.below(3) {
        0 => (format!("is {b} {less} than {a}"), format!("yes, {b} is {less} than {a}, because {given}.")),
        1 => (format!("is {b} {more} than {a}"), format!("no, {b} is {less} than {a}.")),
        _ => (format!("who is {more}"), format!("{a} is {more} than {b}.")),
    };
    let question =
        if rng.chance(50) { format!("if {given}, {asked}?") } else { format!("{given}. {asked}?") };
    point(format!("{given}, so {b} is {less} than {a}."), question, answer)
        .about_conclusion(format!("converse of {given}"))
}

/// Of what kind a day, a month, a season, a number or a colour is.
pub(super) fn kind_of_word(rng: &mut TextRng) -> Point {
    let colours = ["red", "green", "blue", "yellow", "white", "black", "brown", "grey"];
    let (word, kind) = match rng.below(5) {
        0 => (rng.word(DAYS), "day of the week"),
        1 => (rng.word(MONTHS), "month"),
        2 => (rng.word(SEASONS), "season"),
        3 => (rng.word(NUMBERS), "number"),
        _ => (rng.word(&colours), "colour"),
    };
    let sentence = format!("{word} is {}.", with_article(kind));
    let (question, answer) = match rng.below(3) {
        0 => (format!("what is {word}?"), sentence.clone()),
        1 => (format!("is {word} {}?", with_article(kind)), format!("yes, {sentence}")),
        _ => (format!("tell me what {word} is."), sentence.clone()),
    };
    point(sentence, question, answer)
}
