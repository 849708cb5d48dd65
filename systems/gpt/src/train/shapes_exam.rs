//! How many pictures a model names rightly, and how many that it draws show what they should.

use rekindle_data::Part;
use rekindle_train::Metrics;

use super::report;
use crate::data::shapes::{self, Colour, Description, Form, Place, SIDE, Shown, Size, recognise};
use crate::error::GptError;
use crate::inference::decode::{Decoder, WeightPrecision};
use crate::model::codebook::Codebook;
use crate::model::language_model::LanguageModel;

/// Pictures that are named.
const NAMED: usize = 400;
/// What they are drawn from, whatever the seed of the training: none of them is learnt.
const SEED: u64 = 0;

/// The names of the shares.
pub(crate) const METRICS: [&str; 2] = ["named", "drawn"];

/// Asks what pictures show that were never learnt, and for a picture of everything that has a name.
pub(crate) fn hold(
    model: &LanguageModel,
    codebook: &Codebook,
    threads: usize,
) -> Result<(Metrics, String), GptError> {
    let mut decoder = Decoder::new(&model.network, WeightPrecision::F32, threads)?;
    let most = model.network.context() as u64;
    let encoder = codebook.encoder();
    let mut named = 0;
    for Shown { description, pixels } in shapes::pictures(Part::Test, SEED).take(NAMED) {
        let question = shapes::to_name(&encoder.text_of(SIDE, &pixels)?);
        named += usize::from(
            report::answer(model, &mut decoder, &question, most)?.trim() == description.to_string(),
        );
    }
    let (mut drawn, mut asked) = (0, 0);
    for description in everything() {
        let answer = report::answer(model, &mut decoder, &shapes::to_draw(&description), most)?;
        let shows = codebook.picture_in(&answer).and_then(|picture| recognise(&picture));
        drawn += usize::from(shows == Some(description));
        asked += 1;
    }
    let share = |right: usize, count: usize| right as f64 / count.max(1) as f64;
    let shares = [share(named, NAMED), share(drawn, asked)];
    let text = format!(
        "pictures that were never shown and are named rightly: {}\n\
         pictures that are drawn and show what they should: {}",
        report::score(named, NAMED),
        report::score(drawn, asked)
    );
    Ok((METRICS.map(str::to_owned).into_iter().zip(shares).collect(), text))
}

/// Everything that a picture can show.
fn everything() -> impl Iterator<Item = Description> {
    Size::ALL.iter().flat_map(|&size| {
        Colour::ALL.iter().flat_map(move |&colour| {
            Form::ALL.iter().flat_map(move |&form| {
                Place::ALL.iter().map(move |&place| Description { size, colour, form, place })
            })
        })
    })
}
