//! What the stories share.

use rekindle_data::Answers;
use rekindle_dwn::{Dwn, State};
use rekindle_formats::table::Table;
use rekindle_train::{ConfigOf, ConfigText, Family, Resources, System, SystemError};

/// A network that is trained in a moment.
pub const SMALL: [&str; 4] =
    ["model.layers=[60,40]", "training.epochs=3", "training.batch=70", "training.data.rows=500"];

pub fn config(yaml: &str, settings: &[&str]) -> ConfigOf<Dwn> {
    let text = ConfigText { origin: "test".to_owned(), yaml: yaml.to_owned() };
    let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
    text.config(&settings).unwrap()
}

/// A network for the files that the option `data` names.
pub fn of_files(files: &[&str], settings: &[&str]) -> ConfigOf<Dwn> {
    let files: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
    let mut all = Dwn::options()[0].settings(&files).unwrap();
    all.extend(SMALL[..3].iter().chain(settings).map(|&setting| setting.to_owned()));
    config(rekindle_dwn::presets::DWN, &all.iter().map(String::as_str).collect::<Vec<_>>())
}

pub fn attach(config: &ConfigOf<Dwn>, state: &State, threads: usize) -> Dwn {
    Dwn::attach(config, state, &Resources::new(threads)).unwrap()
}

pub fn train(config: &ConfigOf<Dwn>) -> State {
    let mut state = Dwn::build(config).unwrap();
    let mut lgn = attach(config, &state, 1);
    while !lgn.progress(&state).finished {
        lgn.step(&mut state).unwrap();
    }
    state
}

/// Why a network cannot be built.
pub fn refused(config: &ConfigOf<Dwn>) -> String {
    Dwn::build(config).expect_err("there is something wrong").to_string()
}

pub fn predict(config: &ConfigOf<Dwn>, state: &State, table: &Table) -> Result<Answers, SystemError> {
    Dwn::capabilities().predict.unwrap()(config, state, table)
}
