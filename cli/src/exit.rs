//! Errors as exit codes: the table in `rekindle --help`.

use std::path::Path;

use rekindle::records::TagError;
use rekindle::storage::StorageError;
use rekindle::upkeep::PruneError;
use rekindle::{
    AddressError, CaptureError, Hint, OpenError, ReadError, RestoreError, ResumeError, SaveError,
};
use rekindle_formats::FormatError;
use rekindle_keys::KeyError;
use rekindle_reason::Reason;
use rekindle_train::audit::AuditError;
use rekindle_train::prove::{ProcessError, ProveError};
use rekindle_train::{AskError, CompleteError, ConfigError, Content, ContentError, TrainError};
use serde_json::json;

use crate::output;

pub const NEGATIVE: u8 = 1;
const OTHER: u8 = 2;
pub const PARTIAL: u8 = 3;
pub const NO_RUN: u8 = 10;
const LOCKED: u8 = 11;
const DOES_NOT_FIT: u8 = 12;
pub const DAMAGED: u8 = 13;
const NO_KEY: u8 = 14;

/// Says what went wrong on standard error; gives the exit code.
pub fn report(error: &anyhow::Error, json: bool) -> u8 {
    let code = code(error);
    let message = message(error);
    if json {
        tell_json(&message, hint_for(error, &message).as_deref(), code);
    } else {
        tell!("error: {message}{}", hint(error, &message));
    }
    code
}

/// An error as an object for scripts.
fn tell_json(message: &str, hint: Option<&str>, code: u8) {
    let error = output::versioned(&json!({"error": message, "hint": hint, "code": code}));
    tell!("{}", error.unwrap_or_default());
}

/// Ends with what clap says of arguments that it does not take, or with the help that was asked for.
pub fn usage(error: &clap::Error, json: bool) -> u8 {
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
        let hint = rest.split("\n\n").next().map(str::trim).filter(|hint| hint.starts_with("tip:"));
        let message = message.trim_start_matches("error: ").trim();
        tell_json(message, hint.map(|hint| hint.trim_start_matches("tip: ")), OTHER);
    } else {
        // Nobody may be there to read it.
        let _ = error.print();
    }
    if error.use_stderr() { OTHER } else { 0 }
}

/// The error and its causes, as far as they say something new.
fn message(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if message.is_empty() {
            message = cause;
        } else if !message.contains(&cause) {
            message += &format!(": {cause}");
        }
    }
    message
}

/// What helps, in words of the command line, on a line of its own.
pub fn hint(error: &anyhow::Error, message: &str) -> String {
    hint_for(error, message).map_or_else(String::new, |hint| format!("\nhint: {hint}"))
}

fn hint_for(error: &anyhow::Error, message: &str) -> Option<String> {
    known_hint(error).or_else(|| option_named_in(message))
}

fn known_hint(error: &anyhow::Error) -> Option<String> {
    match error.downcast_ref() {
        Some(ConfigError::Directory { path }) => {
            Some(format!("`rekindle resume {}` goes on with a run", path.display()))
        }
        _ => fixed_hint(error).map(str::to_owned).or_else(|| usual_place_of_run(error)),
    }
}

/// A run that is not there may be in the usual directory.
fn usual_place_of_run(error: &anyhow::Error) -> Option<String> {
    let Some(OpenError::NoRun { location }) = error.downcast_ref() else { return None };
    let place = Path::new("runs").join(location.trim_matches('`'));
    place.is_dir().then(|| format!("did you mean `{}`?", place.display()))
}

fn fixed_hint(error: &anyhow::Error) -> Option<&'static str> {
    if let Some(hint) = hint_of(error) {
        return worded(hint);
    }
    if let Some(KeyError::NoTerminal) = error.downcast_ref() {
        return Some("put it into a file, for --passphrase-file FILE or --new-passphrase-file FILE");
    }
    if let Some(error) = error.downcast_ref::<TrainError>() {
        return hint_of_training(error);
    }
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return hint_of_config(error);
    }
    if let Some(ProveError::TooFewSteps { .. }) = error.downcast_ref() {
        return Some("--kills N takes fewer");
    }
    if let Some(CompleteError::TooLong { .. }) = error.downcast_ref() {
        return Some("shorten it, or let it lose its beginning with --slide");
    }
    if let Some(Reason::Missing { program }) = error.downcast_ref() {
        return hint_of_missing(program);
    }
    match error.downcast_ref()? {
        AskError::Version { .. } => Some("`rekindle resume RUN` migrates it"),
        AskError::Unsupported { .. } => Some("`rekindle inspect RUN` shows the state"),
        _ => None,
    }
}

/// Where a prover comes from.
fn hint_of_missing(program: &str) -> Option<&'static str> {
    match program {
        "z3" => Some("`pip install z3-solver`, or Debian's package z3, provides it"),
        "swipl" => Some("Debian's package swi-prolog-nox provides it"),
        _ => None,
    }
}

/// The option that stands for a setting which a message names, such as `training.data.file`.
fn option_named_in(message: &str) -> Option<String> {
    let registry = rekindle_systems::registry();
    let options = registry.systems().flat_map(|system| system.options());
    let mut named = options.filter_map(|option| {
        let settings = option.settings(&vec![option.value.to_owned(); option.most]).ok()?;
        let mut paths = settings.iter().filter_map(|setting| Some(setting.split_once('=')?.0));
        let path = paths.find(|path| message.contains(path))?;
        Some(format!("--{} {} sets {path}", option.name, option.value))
    });
    named.next()
}

fn hint_of_training(error: &TrainError) -> Option<&'static str> {
    Some(match error {
        TrainError::Config(error) => return hint_of_config(error),
        TrainError::Content(ContentError::OtherData { expected, .. })
            if matches!(**expected, Content::State(_)) =>
        {
            "--teacher RUN@STEP names the checkpoint where it lies now"
        }
        TrainError::Content(ContentError::OtherData { .. } | ContentError::Unreadable { .. }) => {
            "--data FILE names the file where it lies now"
        }
        TrainError::Content(ContentError::NoCheckpoint { .. }) => {
            "--teacher RUN@STEP names the checkpoint where it lies now"
        }
        TrainError::LaterCheckpoints { .. } => {
            "--fork DIR goes on in a new run, --discard-later deletes them"
        }
        TrainError::NothingSaved { .. } => {
            "`rekindle train CONFIG --run DIR` begins anew in another directory"
        }
        TrainError::Contradiction { .. } => NEW_RUN,
        _ => return None,
    })
}

fn hint_of_config(error: &ConfigError) -> Option<&'static str> {
    matches!(error, ConfigError::NotChangeable { .. }).then_some(NEW_RUN)
}

const NEW_RUN: &str = "`rekindle train CONFIG --from RUN` starts a new run from the state";

/// The hint of an error of the libraries, or of the one inside it.
fn hint_of(error: &anyhow::Error) -> Option<Hint> {
    let open = error.downcast_ref::<OpenError>().or_else(|| match error.downcast_ref()? {
        TrainError::Open(error) => Some(error),
        _ => None,
    });
    let open = open.or_else(|| match error.downcast_ref()? {
        FormatError::Open(error) => Some(error),
        _ => None,
    });
    let open = open.or_else(|| match error.downcast_ref()? {
        ProveError::Open(error) => Some(error),
        _ => None,
    });
    open.and_then(OpenError::hint).or_else(|| error.downcast_ref::<TagError>()?.hint())
}

fn worded(hint: Hint) -> Option<&'static str> {
    Some(match hint {
        Hint::ResumeOrChooseAnotherPlace => "resume it, or choose another place with --run DIR",
        Hint::ChooseAnotherPlace => "choose another place with --run DIR",
        Hint::GiveKey => "give its key with --identity FILE or --passphrase-file FILE",
        Hint::DeleteOrMoveTag => "delete it first, or use --force",
        _ => return None,
    })
}

fn code(error: &anyhow::Error) -> u8 {
    // anyhow finds the error that was put in; those of the libraries say the rest.
    macro_rules! first {
        ($($type:ty => $code:expr),* $(,)?) => {
            $(if let Some(error) = error.downcast_ref::<$type>() {
                let code: fn(&$type) -> u8 = $code;
                return code(error);
            })*
        };
    }
    first! {
        TrainError => train,
        OpenError => open,
        ReadError => read,
        ResumeError => resume,
        SaveError => save,
        CaptureError => capture,
        PruneError => prune,
        TagError => tag,
        AddressError => address,
        FormatError => format,
        ProveError => prove,
        AuditError => audit,
        StorageError => storage,
        KeyError => |error| if matches!(error, KeyError::Exists(_)) { OTHER } else { NO_KEY },
    }
    OTHER
}

fn train(error: &TrainError) -> u8 {
    match error {
        TrainError::Open(error) => open(error),
        TrainError::Resume(error) => resume(error),
        TrainError::Read(error) => read(error),
        TrainError::Save(error) => save(error),
        TrainError::Capture(error) => capture(error),
        TrainError::Prune(error) => prune(error),
        TrainError::Graft { .. } | TrainError::OtherSystem { .. } | TrainError::Contradiction { .. } => {
            DOES_NOT_FIT
        }
        TrainError::System(error) if error.is_mismatch() => DOES_NOT_FIT,
        TrainError::Content(ContentError::OtherData { .. }) => DOES_NOT_FIT,
        TrainError::NothingSaved { .. } => NO_RUN,
        _ => OTHER,
    }
}

fn open(error: &OpenError) -> u8 {
    match error {
        OpenError::NoRun { .. } => NO_RUN,
        OpenError::NewerFormat { .. } => DOES_NOT_FIT,
        OpenError::Encrypted { .. } | OpenError::WrongKey { .. } => NO_KEY,
        OpenError::Storage(error) => storage(error),
        _ => OTHER,
    }
}

fn storage(error: &StorageError) -> u8 {
    match error {
        StorageError::Locked { .. } => LOCKED,
        StorageError::Truncated { .. } | StorageError::TooLarge { .. } => DAMAGED,
        _ => OTHER,
    }
}

fn read(error: &ReadError) -> u8 {
    match error {
        ReadError::Damaged(_) => DAMAGED,
        ReadError::NewerFormat { .. } => DOES_NOT_FIT,
        ReadError::Storage(error) => storage(error),
        _ => OTHER,
    }
}

fn resume(error: &ResumeError) -> u8 {
    match error {
        ResumeError::DoesNotFit { .. } | ResumeError::Invalid { .. } | ResumeError::Migration(_) => {
            DOES_NOT_FIT
        }
        ResumeError::NothingValid { .. } => DAMAGED,
        ResumeError::Restore(RestoreError::Refused { .. }) => DOES_NOT_FIT,
        ResumeError::Restore(RestoreError::Read(error)) | ResumeError::Read(error) => read(error),
        ResumeError::Capture(error) => capture(error),
        ResumeError::Save(error) => save(error),
        _ => OTHER,
    }
}

fn save(error: &SaveError) -> u8 {
    match error {
        SaveError::Read(error) => read(error),
        SaveError::Storage(error) => storage(error),
        _ => OTHER,
    }
}

fn capture(error: &CaptureError) -> u8 {
    match error {
        CaptureError::Save(error) => save(error),
        CaptureError::Prune(error) => prune(error),
        _ => OTHER,
    }
}

fn prune(error: &PruneError) -> u8 {
    match error {
        PruneError::Save(error) => save(error),
        _ => OTHER,
    }
}

fn tag(error: &TagError) -> u8 {
    match error {
        TagError::Read(error) => read(error),
        TagError::Save(error) => save(error),
        _ => OTHER,
    }
}

fn address(error: &AddressError) -> u8 {
    match error {
        AddressError::NoCheckpoint { .. } => NO_RUN,
        AddressError::Tag(error) => tag(error),
        AddressError::Read(error) => read(error),
        _ => OTHER,
    }
}

fn format(error: &FormatError) -> u8 {
    match error {
        FormatError::Read(error) => read(error),
        FormatError::Save(error) => save(error),
        FormatError::Open(error) => open(error),
        _ => OTHER,
    }
}

fn prove(error: &ProveError) -> u8 {
    match error {
        ProveError::Open(error) => open(error),
        ProveError::Read(error) => read(error),
        ProveError::Process(error) => process(error),
        // A process that did what it must not is no proof: the answer is no.
        ProveError::WrongStart { .. }
        | ProveError::LostCheckpoint { .. }
        | ProveError::OtherLength { .. } => NEGATIVE,
        _ => OTHER,
    }
}

fn audit(error: &AuditError) -> u8 {
    match error {
        AuditError::Process(error) => process(error),
        AuditError::Open(error) => open(error),
        AuditError::Read(error) => read(error),
        AuditError::Save(error) => save(error),
        AuditError::NoSpans { .. } => NO_RUN,
        _ => OTHER,
    }
}

fn process(error: &ProcessError) -> u8 {
    match error {
        ProcessError::Stopped(signal) => signal.exit_code(),
        _ => OTHER,
    }
}
