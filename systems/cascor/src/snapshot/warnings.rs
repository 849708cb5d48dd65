//! What a file holds that a snapshot does not, in words for a user.

use super::error::{Fault, legible};
use super::objects::Folder;

/// Groups and datasets of the root that are read, or named here.
const KNOWN: [&str; 9] =
    ["meta", "config", "arch", "params", "hidden_units", "random", "mp", "history", "data"];

/// States of random generators, and what can be said of them.
const GENERATORS: [(&str, &str); 4] = [
    (
        "python_state",
        "The state of Python's random generator is not carried over: it is a pickle, and to open one is to run what is in it.",
    ),
    ("numpy_state", "The state of NumPy's random generator is not carried over."),
    ("torch_state", "The state of PyTorch's random generator is not carried over."),
    ("cuda_states", "The states of the random generators of GPUs are not carried over."),
];

/// A list names so many objects, and says how many more there are.
const MOST_NAMED: usize = 5;

/// What reading could not do.
pub(super) struct Loss {
    /// Paths of the layers without checksums.
    pub(super) unchecked: Vec<String>,
    /// Layers that can have checksums: the output layer, and every hidden unit.
    pub(super) layers: usize,
    /// True when there was a secret in the configuration.
    pub(super) secret: bool,
    /// Paths of units in the history that are not the network's.
    pub(super) unlike: Vec<String>,
}

/// What lies in the file and is not carried over, or could not be checked.
pub(super) fn of(root: &Folder<'_>, loss: &Loss) -> Result<Vec<String>, Fault> {
    let mut warnings = Vec::new();
    warnings.extend(unchecked(loss));
    warnings.extend(generators(root)?);
    warnings.extend(optimiser(root)?);
    warnings.extend(workers(root, loss.secret)?);
    warnings.extend(data(root)?);
    warnings.extend(history(root)?);
    warnings.extend(units_added(loss));
    warnings.extend(unknown(root)?);
    Ok(warnings)
}

fn unchecked(loss: &Loss) -> Option<String> {
    match loss.unchecked.len() {
        0 => None,
        all if all == loss.layers => Some(
            "The file carries no checksums, so damage to its weights would not be seen: it is of an early version."
                .to_owned(),
        ),
        _ => Some(format!(
            "Weights and bias of {} could not be checked: they have no checksums, so damage to them would not be seen.",
            named(&loss.unchecked)
        )),
    }
}

fn units_added(loss: &Loss) -> Option<String> {
    let unlike = &loss.unlike;
    (!unlike.is_empty()).then(|| {
        format!(
            "Of {} only the correlations are carried over: the weights are not those of the network's units.",
            named(unlike)
        )
    })
}

/// The first paths, and how many there are beside.
fn named(paths: &[String]) -> String {
    let shown = legible(&paths[..paths.len().min(MOST_NAMED)].join(", "));
    match paths.len().saturating_sub(MOST_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn generators(root: &Folder<'_>) -> Result<Vec<String>, Fault> {
    let names = names_in(root, "random")?;
    let found = GENERATORS.iter().filter(|(name, _)| names.iter().any(|found| found == name));
    Ok(found.map(|(_, warning)| (*warning).to_owned()).collect())
}

fn optimiser(root: &Folder<'_>) -> Result<Option<String>, Fault> {
    let output = root.required_folder("params")?.required_folder("output_layer")?;
    Ok(output.folder("optimizer")?.map(|_| {
        "The state of the optimiser of the output layer is not carried over: the original begins every training of that layer with a new one."
            .to_owned()
    }))
}

fn workers(root: &Folder<'_>, secret: bool) -> Result<Option<String>, Fault> {
    let section = root.folder("mp")?;
    let key = match &section {
        Some(section) => section.text("authkey_hex")?.is_some(),
        None => false,
    };
    if section.is_none() && !secret {
        return Ok(None);
    }
    let mut warning = "The addresses and settings of the worker processes are not carried over.".to_owned();
    if key || secret {
        warning.push_str(" The file holds the secret key of those processes in plain text; it was left out, and whoever has the file has it.");
    }
    Ok(Some(warning))
}

fn data(root: &Folder<'_>) -> Result<Option<String>, Fault> {
    let names = names_in(root, "data")?;
    if names.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!("The data that it was trained on is not carried over: {}.", legible(&names.join(", ")))))
}

fn history(root: &Folder<'_>) -> Result<Vec<String>, Fault> {
    let names = names_in(root, "history")?;
    let found = [
        ("weights", "The weights at earlier times are not carried over."),
        ("dataset_swaps", "The list of changes of the data set is not carried over."),
    ];
    let found = found.iter().filter(|(name, _)| names.iter().any(|found| found == name));
    Ok(found.map(|(_, warning)| (*warning).to_owned()).collect())
}

fn unknown(root: &Folder<'_>) -> Result<Option<String>, Fault> {
    let names = root.names()?.into_iter().filter(|name| !KNOWN.contains(&name.as_str()));
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!("Not known here and not carried over: {}.", legible(&names.join(", ")))))
}

fn names_in(root: &Folder<'_>, name: &str) -> Result<Vec<String>, Fault> {
    match root.folder(name)? {
        Some(folder) => folder.names(),
        None => Ok(Vec::new()),
    }
}
