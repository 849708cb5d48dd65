//! Watching a process until it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Output};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::ProcessError;
use crate::signals::Signals;

/// How often a process is looked at: often enough for the short ones.
const LOOK: Duration = Duration::from_millis(2);
/// How far a process is, is told no more often.
const LONG: Duration = Duration::from_secs(5);

/// What ends together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whole {
    /// A process that starts no others.
    Process,
    /// One that leads a group: workers of it may outlive it, and keep its output open.
    Group,
}

impl Whole {
    /// Ends the others once `child` has ended.
    fn end(self, child: &Child) {
        #[cfg(unix)]
        if self == Self::Group {
            let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
            // Where nobody is left, nothing is to be ended.
            let _ =
                group.map(|group| rustix::process::kill_process_group(group, rustix::process::Signal::KILL));
        }
        #[cfg(not(unix))]
        let _ = (self, child);
    }
}

/// Waits for the end of a process, tells how far it is, and ends it when a signal comes.
pub(super) fn watch(
    mut child: Child,
    whole: Whole,
    signals: &Signals,
    notify: &mut dyn FnMut(&str),
) -> Result<Output, ProcessError> {
    let (said, listening) = channel();
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let stdout = std::thread::spawn(move || lines_of(stdout, &said));
    let stderr = std::thread::spawn(move || all_of(stderr));
    let mut told = Instant::now();
    let status = loop {
        if let Some(signal) = signals.received() {
            // What it has not yet said is of no interest, and neither is whether it ended by itself.
            let _ = child.kill();
            child.wait()?;
            whole.end(&child);
            return Err(ProcessError::Stopped(signal));
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
        match listening.recv_timeout(LOOK) {
            Ok(line) if told.elapsed() >= LONG => {
                if let Some(progress) = progress_in(&line) {
                    notify(&format!("  {progress}"));
                    told = Instant::now();
                }
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK),
        }
    };
    whole.end(&child);
    let read = |thread: std::thread::JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    Ok(Output { status, stdout: read(stdout), stderr: read(stderr) })
}

/// How far a process is, if a line of it says so.
fn progress_in(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).ok()?;
    let step = event.get("event").filter(|name| *name == "step").and_then(|_| event.get("step")?.as_u64())?;
    let total = event.get("total_steps").and_then(Value::as_u64);
    Some(total.map_or(format!("step {step}"), |total| format!("step {step}/{total}")))
}

fn all_of(stream: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A process whose output cannot be read to its end has printed no result, and that is told.
    let _ = stream.map(|mut stream| stream.read_to_end(&mut bytes));
    bytes
}

/// Everything that is said, and each line as it is said.
fn lines_of(stream: Option<impl Read>, said: &Sender<String>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in
        stream.into_iter().flat_map(|stream| BufReader::new(stream).split(b'\n')).map_while(Result::ok)
    {
        // Whoever listens may have heard enough.
        let _ = said.send(String::from_utf8_lossy(&line).into_owned());
        bytes.extend(line);
        bytes.push(b'\n');
    }
    bytes
}

pub(super) fn process_error(command: &str, what: String, output: &Output) -> ProcessError {
    let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    ProcessError::Failed { command: command.to_owned(), what, stderr }
}
