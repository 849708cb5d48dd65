//! Other programs: started with a text, stopped in time.

use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::Reason;

/// More of what a program says is not read.
const MOST_OUTPUT: u64 = 1 << 20;

/// Characters of it that are shown.
const SHOWN: usize = 200;

/// How often it is looked whether a program has ended.
const PAUSE: Duration = Duration::from_millis(2);

/// How long is waited for what a program that has ended had said.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Another program: how it is started, and which version it says it is.
#[derive(Clone, Debug)]
pub(super) struct Program {
    name: String,
    version: String,
}

impl Program {
    /// The one of this name or path, which is asked for its version.
    pub fn at(name: String) -> Self {
        let version = version(&name);
        Self { name, version }
    }

    /// Whether it is there and says its version.
    pub fn is_there(&self) -> bool {
        !self.version.is_empty()
    }

    /// What it says of its version; empty where it is missing.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What a verdict of its is told to rest on.
    pub fn title(&self) -> String {
        if self.is_there() { self.version.clone() } else { self.name.clone() }
    }

    /// Gives it a text, as [`ask`] does.
    pub fn ask(&self, arguments: &[&str], text: String, time: Duration) -> Result<Answer, Reason> {
        ask(&self.name, arguments, text, time)
    }

    /// Why an answer is none.
    pub fn refused(&self, answer: &Answer) -> Reason {
        answer.refused(&self.name)
    }
}

/// What a program said, and how it ended.
pub(super) struct Answer {
    pub output: String,
    errors: String,
    status: ExitStatus,
}

/// Starts a program, gives it a text, and waits until it ends or its time is over: then it is killed.
fn ask(program: &str, arguments: &[&str], text: String, time: Duration) -> Result<Answer, Reason> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| cannot_start(program, &error))?;
    let output = child.stdout.take().map(read);
    let errors = child.stderr.take().map(read);
    if let Some(mut input) = child.stdin.take() {
        // A program that does not read to the end is no error.
        thread::spawn(move || input.write_all(text.as_bytes()));
    }
    let status = wait(&mut child, program, time)?;
    // Somebody whom the program started may hold its output open.
    let heard = |from: Option<Receiver<String>>| {
        from.and_then(|from| from.recv_timeout(LAST_WORDS).ok()).unwrap_or_default()
    };
    Ok(Answer { output: heard(output), errors: heard(errors), status })
}

fn cannot_start(program: &str, error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::NotFound => Reason::Missing { program: program.to_owned() },
        _ => Reason::Crash { program: program.to_owned(), how: error.to_string() },
    }
}

fn read(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was said before an error counts.
        let _ = from.take(MOST_OUTPUT).read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

fn wait(child: &mut Child, program: &str, time: Duration) -> Result<ExitStatus, Reason> {
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if begin.elapsed() < time => thread::sleep(PAUSE),
            Ok(None) => {
                stop(child);
                let seconds = time.as_millis().div_ceil(1000) as u64;
                return Err(Reason::Timeout { program: program.to_owned(), seconds });
            }
            Err(error) => {
                stop(child);
                return Err(Reason::Crash { program: program.to_owned(), how: error.to_string() });
            }
        }
    }
}

fn stop(child: &mut Child) {
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    let _ = child.wait();
}

impl Answer {
    fn refused(&self, program: &str) -> Reason {
        let program = program.to_owned();
        let said = if self.output.trim().is_empty() { &self.errors } else { &self.output };
        let text: String = said.trim().chars().take(SHOWN).collect();
        if self.status.success() && !text.is_empty() {
            return Reason::Rubbish { program, text };
        }
        let how = if text.is_empty() { self.status.to_string() } else { format!("{}: {text}", self.status) };
        Reason::Crash { program, how }
    }
}

/// The first line of what a program says of its version; empty where it says nothing.
fn version(program: &str) -> String {
    let answer = ask(program, &["--version"], String::new(), Duration::from_secs(5));
    answer
        .ok()
        .and_then(|answer| answer.output.lines().next().map(|line| line.trim().to_owned()))
        .unwrap_or_default()
}
