//! The network in words.

use crate::data::Target;
use crate::state::{Ending, Growth, State};

/// What the network is, why training ended, and how it grew.
pub(crate) fn summary(state: &State) -> String {
    let network = &state.network;
    let mut lines = vec![format!(
        "{} -> {} -> {}",
        count(network.inputs as usize, "input"),
        count(network.hidden.len(), "hidden unit"),
        count(network.outputs as usize, "output"),
    )];
    let hidden = network.hidden.iter().map(|unit| unit.weights.len()).sum::<usize>();
    lines.push(format!(
        "{} weights: {} into the output layer, {hidden} into hidden units, which are frozen",
        network.output_weights.len() + hidden,
        network.output_weights.len()
    ));
    lines.push(match &state.preparation.target {
        Target::Classes { name, classes, .. } => format!("tells {name} apart: {}", list(classes)),
        Target::Numbers(targets) => {
            let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
            format!("finds {}", list(&names))
        }
    });
    lines.push(format!("after {}: {}", count(state.epochs as usize, "epoch"), why(state.ending)));
    if !state.growth.is_empty() {
        lines.push(String::new());
        lines.push("  unit  epochs        loss  accuracy     score  candidate".to_owned());
        lines.extend(state.growth.iter().enumerate().map(|(unit, growth)| row(unit, growth)));
        lines.push("loss and accuracy before the unit was installed".to_owned());
    }
    lines.join("\n")
}

fn row(unit: usize, growth: &Growth) -> String {
    let Growth { epochs, loss, accuracy, score, candidate, .. } = growth;
    format!("{:>6}  {epochs:>6}  {loss:>10.6}  {accuracy:>8.4}  {score:>8.4}  {candidate:>9}", unit + 1)
}

fn why(ending: Option<Ending>) -> &'static str {
    match ending {
        None => "still being trained",
        Some(Ending::Solved) => "solved, every output is near its target",
        Some(Ending::TargetAccuracy) => "the target accuracy is reached",
        Some(Ending::MaxHidden) => "ended with as many hidden units as it may have (model.max_hidden)",
        Some(Ending::Patience) => "ended, as growing no longer helps",
        Some(Ending::NoCorrelation) => "ended, as no candidate explains the errors that are left",
    }
}

fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The first names, and how many there are beside.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
