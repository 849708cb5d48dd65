//! Made pictures of one shape each, and what is said of them.

mod drawing;
mod recognise;

use std::fmt;
use std::sync::OnceLock;

use rekindle_compute::rng::stream;
use rekindle_data::Part;
use rekindle_train::{Message, Role};

pub use recognise::recognise;

use crate::data::dialogue::Dialogue;
use crate::model::codebook::{Codebook, PictureEncoder, Pixel};
use crate::streams;

/// Pixels of a side of a picture.
pub const SIDE: usize = 32;
/// Pixels of a side of a patch.
const PATCH: u32 = 4;
/// Codes of patches at most: each patch of these pictures has one of its own.
const CODES: usize = 1536;
/// Pictures that the codes are learnt from.
const CODED: u64 = 8000;

/// What a picture shows. Its text is what is said of it, such as `a large red circle at the top left`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Description {
    /// How large it is.
    pub size: Size,
    /// Its colour.
    pub colour: Colour,
    /// What it is.
    pub form: Form,
    /// Where it is.
    pub place: Place,
}

/// One body for the four kinds of words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// How large a shape is.
    Size {
        /// 5 to 7 pixels across.
        Small => "small",
        /// 11 to 13 pixels across.
        Large => "large",
    }
}
words! {
    /// The colour of a shape.
    Colour {
        /// Red.
        Red => "red",
        /// Green.
        Green => "green",
        /// Blue.
        Blue => "blue",
        /// Yellow.
        Yellow => "yellow",
        /// Violet.
        Violet => "violet",
        /// Black.
        Black => "black",
    }
}
words! {
    /// The form of a shape.
    Form {
        /// A square.
        Square => "square",
        /// A circle.
        Circle => "circle",
        /// A triangle that stands on its base.
        Triangle => "triangle",
        /// A cross of two beams.
        Cross => "cross",
    }
}
words! {
    /// Where a shape is.
    Place {
        /// At the top left.
        TopLeft => "at the top left",
        /// At the top right.
        TopRight => "at the top right",
        /// At the bottom left.
        BottomLeft => "at the bottom left",
        /// At the bottom right.
        BottomRight => "at the bottom right",
        /// In the middle.
        Middle => "in the middle",
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, colour, form, place } = self;
        write!(f, "a {} {} {} {}", size.word(), colour.word(), form.word(), place.word())
    }
}

/// A made picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it shows.
    pub description: Description,
    /// Its pixels, row by row.
    pub pixels: Vec<Pixel>,
}

/// The codes of the patches of made pictures: the same for everybody.
pub(crate) fn codebook() -> &'static Codebook {
    static CODEBOOK: OnceLock<Codebook> = OnceLock::new();
    CODEBOOK.get_or_init(|| {
        let pictures: Vec<Vec<Pixel>> = (0..CODED).map(|number| draw(0, number).0.pixels).collect();
        Codebook::learn(SIDE as u32, PATCH, CODES, pictures.iter().map(Vec::as_slice))
    })
}

/// Pictures of a part, the same for the same seed: of the same thing at the same pixel all are in the same part, so that
/// those of [`Part::Test`] are seen by nobody who learns.
pub fn pictures(part: Part, seed: u64) -> impl Iterator<Item = Shown> {
    (0..).map(move |number| draw(seed, number)).filter(move |(_, of)| *of == part).map(|(shown, _)| shown)
}

/// Questions about pictures, in turn what one shows and to draw one.
pub(crate) fn dialogues(seed: u64, count: usize) -> Vec<Dialogue> {
    let encoder = codebook().encoder();
    let shown = pictures(Part::Train, seed).take(count);
    shown.enumerate().map(|(index, shown)| dialogue(&encoder, &shown, index % 2 == 1)).collect()
}

/// The question what a picture shows, or to draw what it shows, and the answer.
fn dialogue(encoder: &PictureEncoder<'_>, Shown { description, pixels }: &Shown, draws: bool) -> Dialogue {
    // Made pictures are of the size that the codes are for.
    let picture = encoder.text_of(SIDE, pixels).unwrap_or_default();
    let (question, answer) = match draws {
        true => (to_draw(description), picture),
        false => (to_name(&picture), description.to_string()),
    };
    let message = |role, content| Message { role, content };
    vec![message(Role::User, question), message(Role::Assistant, answer)]
}

/// The question what a picture shows.
pub(crate) fn to_name(picture: &str) -> String {
    format!("What is this? {picture}")
}

/// The request to draw something.
pub(crate) fn to_draw(description: &Description) -> String {
    format!("Draw {description}.")
}

/// The picture of a number, and the part that it is in.
fn draw(seed: u64, number: u64) -> (Shown, Part) {
    let mut stream = stream(seed, streams::SHAPES, number);
    let mut below = |bound: usize| stream.below(bound as u64) as usize;
    let description = Description {
        size: Size::ALL[below(Size::ALL.len())],
        colour: Colour::ALL[below(Colour::ALL.len())],
        form: Form::ALL[below(Form::ALL.len())],
        place: Place::ALL[below(Place::ALL.len())],
    };
    let variant = drawing::Variant { larger: below(2), right: below(5), down: below(5) };
    let key = format!("{description} {variant:?}");
    let hash = rekindle::Hash::of(key.as_bytes()).to_string();
    let part = match u8::from_str_radix(&hash[..2], 16).unwrap_or_default() % 10 {
        0 => Part::Test,
        1 => Part::Select,
        _ => Part::Train,
    };
    (Shown { description, pixels: drawing::pixels(description, variant) }, part)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn what_is_made_is_recognised_as_what_it_is() {
        for Shown { description, pixels } in pictures(Part::Train, 3).take(3000) {
            assert_eq!(recognise(&pixels), Some(description));
        }
    }

    #[test]
    fn codes_keep_what_pictures_show() {
        let codebook = codebook();
        let encoder = codebook.encoder();
        let known = pictures(Part::Test, 0).take(400).filter(|Shown { description, pixels }| {
            let text = encoder.text_of(SIDE, pixels).unwrap();
            recognise(&codebook.picture_in(&text).unwrap()) == Some(*description)
        });
        let known = known.count();
        assert!(codebook.len() < CODES, "there are fewer patches than codes can be");
        assert!(known >= 396, "{known} of 400");
    }

    #[test]
    fn what_is_asked_in_the_end_was_never_shown() {
        let learnt: HashSet<Vec<Pixel>> =
            pictures(Part::Train, 5).take(5000).map(|shown| shown.pixels).collect();
        assert!(pictures(Part::Test, 9).take(500).all(|shown| !learnt.contains(&shown.pixels)));
    }

    #[test]
    fn dialogues_name_and_draw() {
        let dialogues = dialogues(1, 2);
        assert!(dialogues[0][0].content.starts_with("What is this? "));
        assert!(dialogues[0][1].content.starts_with("a "));
        assert!(dialogues[1][0].content.starts_with("Draw a "));
        assert!(codebook().picture_in(&dialogues[1][1].content).is_some());
    }
}
