//! Processes of this program that train while another one of it watches them.

use std::ffi::OsString;

use rekindle_train::prove::{Launcher, Process, Subject, Training};

use crate::args::ThreadsArgs;
use crate::unlock;

/// Starts this program, with so many threads and the keys that this process was given.
pub fn launcher(threads: ThreadsArgs) -> anyhow::Result<Launcher> {
    let mut common = unlock::arguments();
    if let Some(threads) = threads.asked() {
        common.extend(["--threads".into(), threads.to_string().into()]);
    }
    Ok(Launcher { program: std::env::current_exe()?, arguments, common })
}

/// The arguments of a process of this program.
fn arguments(process: &Process) -> Vec<OsString> {
    let mut words: Vec<OsString> = match &process.training {
        Training::New { subject: Subject::Config(name), run } => {
            let place = run
                .as_ref()
                .map_or_else(|| vec!["--without-run".into()], |run| vec!["--run".into(), run.into()]);
            ["train".into(), name.into()].into_iter().chain(place).collect()
        }
        Training::New { subject: Subject::Checkpoint { run: origin, step }, run } => {
            let mut address = origin.clone().into_os_string();
            address.push(format!("@{step}"));
            let place = run
                .as_ref()
                .map_or_else(|| vec!["--without-run".into()], |run| vec!["--fork".into(), run.into()]);
            ["resume".into(), address].into_iter().chain(place).collect()
        }
        Training::Resumed { run } => vec!["resume".into(), run.into()],
    };
    let mut add = |name: &str, value: OsString| words.extend([name.into(), value]);
    process.settings.iter().for_each(|setting| add("--set", setting.into()));
    process.stop_at.iter().for_each(|step| add("--stop-at", step.to_string().into()));
    process.kill_at.iter().for_each(|step| add("--kill-at", step.to_string().into()));
    process.trace.iter().for_each(|path| add("--trace", path.into()));
    words.push("--json".into());
    words
}
