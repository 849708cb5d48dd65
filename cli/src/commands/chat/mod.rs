//! `chat`: questions and answers at the terminal.

mod lines;

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, anyhow, bail};
use rekindle_formats::files;
use rekindle_reason::FactCache;
use rekindle_train::{Conversation, Interrupt, Registry, Role, SetError, TextModel};
use serde_json::{Value, json};

use self::lines::Lines;
use crate::args::ChatArgs;
use crate::checked_answer::{Checked, NO_QUESTION, Question};
use crate::commands::generate::summary;
use crate::language_model::{self, Asked};
use crate::output;
use crate::replace::ReplaceArgs;

/// A saved chat is never longer: bytes.
const FILE_LIMIT: u64 = 64 << 20;

const HELP: &str = "\
/help              this text
/clear             forget what was said
/save [FILE]       save the chat; without a file, where it was saved or loaded last;
                   with --force behind it, a file that is there is replaced
/load FILE         go on with a saved chat
/proof             with --reasoner: what the last answer rests on
/stats             tokens and speed of this session
/config            how answers are sampled
/set NAME VALUE    change that, such as /set temperature 0.5
/bye               end (Ctrl-D does too; Ctrl-C ends an answer)";

pub fn chat(registry: &Registry, args: ChatArgs, asked: &Asked, json: bool) -> anyhow::Result<u8> {
    let mut model = language_model::load(registry, &args.model, asked, args.threads.count())?;
    model.warm_up()?;
    let parameters = model.size().parameters;
    let mut chat = Chat::new(&args, model, json)?;
    if chat.is_terminal {
        tell!("{} ({parameters} parameters); /help shows the commands", args.model);
        chat.show_said()?;
    }
    chat.talk()?;
    Ok(0)
}

struct Chat {
    model: Box<dyn TextModel>,
    conversation: Conversation,
    file: Option<PathBuf>,
    /// What the file holds, as far as this chat knows.
    kept: Option<String>,
    /// Save after every answer.
    saves: bool,
    stats: Stats,
    /// With the reasoner: what it has found out, and what it said to the last question.
    reasoner: Option<(FactCache, Option<Checked>)>,
    interrupt: Interrupt,
    lines: Lines,
    is_terminal: bool,
    json: bool,
}

#[derive(Default)]
struct Stats {
    answers: u64,
    tokens: u64,
    seconds: f64,
}

/// What a line of the user leads to.
enum Next {
    GoOn,
    End,
}

impl Chat {
    fn new(args: &ChatArgs, model: Box<dyn TextModel>, json: bool) -> anyhow::Result<Self> {
        let facts = args.reasoner.then(|| model.facts().cloned().unwrap_or_default());
        let mut chat = Self {
            reasoner: facts.map(|facts| (facts, None)),
            model,
            conversation: Conversation::default(),
            file: args.file.clone(),
            kept: None,
            saves: args.file.is_some(),
            stats: Stats::default(),
            interrupt: Interrupt::listen(),
            lines: Lines::new(json)?,
            is_terminal: io::stdin().is_terminal() && !json,
            json,
        };
        if let Some(file) = &args.file {
            let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
            if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
                bail!(
                    "the chat cannot be kept in `{}`: the directory `{}` does not exist",
                    file.display(),
                    directory.display()
                );
            }
            if files::exists(file) {
                chat.load(file)?;
            }
        }
        Ok(chat)
    }

    fn talk(&mut self) -> anyhow::Result<()> {
        loop {
            let Some(line) = self.lines.next()? else { return Ok(()) };
            match self.handle(&line) {
                Ok(Next::GoOn) => {}
                Ok(Next::End) => return Ok(()),
                // At a terminal the chat goes on.
                Err(error) if self.is_terminal => tell!("{error:#}"),
                Err(error) => return Err(error),
            }
        }
    }

    /// Does what a line of the user asks for.
    fn handle(&mut self, line: &str) -> anyhow::Result<Next> {
        let line = line.trim();
        self.lines.remember(line);
        match line.strip_prefix('/') {
            _ if line.is_empty() => Ok(Next::GoOn),
            Some(command) => self.command(command),
            None => self.answer(line).map(|is_read| if is_read { Next::GoOn } else { Next::End }),
        }
    }

    /// Answers; false when nobody reads it any more.
    fn answer(&mut self, question: &str) -> anyhow::Result<bool> {
        self.conversation.push(Role::User, question);
        let answered = self.generate();
        if answered.is_err() {
            self.conversation.messages.pop();
        }
        answered
    }

    fn generate(&mut self) -> anyhow::Result<bool> {
        let json = self.json;
        let (mut text, mut printed) = (String::new(), Ok(true));
        let Self { model, conversation, interrupt, .. } = self;
        let generated = interrupt.during(|came| {
            model.answer(&conversation.messages, &mut |piece| {
                text += piece;
                if !json {
                    printed = output::print_piece(piece);
                }
                matches!(printed, Ok(true)) && !came.load(Ordering::Relaxed)
            })
        })?;
        let is_read = printed?;
        let count = generated.tokens.len();
        self.stats.answers += 1;
        self.stats.tokens += count as u64;
        self.stats.seconds += if generated.rate > 0.0 { count as f64 / generated.rate } else { 0.0 };
        self.check(&text)?;
        self.conversation.push(Role::Assistant, text.trim());
        let checked = self.reasoner.as_ref().map(|(_, checked)| checked.as_ref());
        if json {
            let mut answer =
                json!({"answer": text.trim(), "tokens": count, "tokens_per_second": generated.rate});
            if let Some(checked) = checked {
                answer["reasoner"] = checked.map_or(Value::Null, Checked::in_json);
            }
            output::print_json(&answer)?;
        } else {
            output::print("")?;
            if let Some(checked) = checked {
                output::print(&checked.map_or_else(|| NO_QUESTION.to_owned(), Checked::text))?;
            }
        }
        if self.is_terminal {
            tell!("{}", output::dim(&summary(&generated)));
        }
        if self.saves && (is_read || self.is_terminal) {
            self.save()?;
        }
        Ok(is_read)
    }

    /// Asks the reasoner what was asked last, where it is to take part.
    fn check(&mut self, answer: &str) -> anyhow::Result<()> {
        let Some((facts, checked)) = &mut self.reasoner else { return Ok(()) };
        let users = self.conversation.messages.iter().filter(|message| message.role == Role::User);
        let mut said: Vec<&str> = users.map(|message| message.content.as_str()).collect();
        let question = said.pop().and_then(|asked| Question::of(asked, said.into_iter()));
        *checked = question.map(|question| question.check(facts, answer)).transpose()?;
        Ok(())
    }

    fn proof(&self) -> anyhow::Result<String> {
        let Some((_, checked)) = &self.reasoner else { bail!("start the chat with --reasoner for that") };
        let proof = checked.as_ref().map(Checked::proof).unwrap_or_default();
        Ok(if proof.is_empty() { "there is none".to_owned() } else { proof.join("\n") })
    }

    fn command(&mut self, command: &str) -> anyhow::Result<Next> {
        let mut words = command.split_whitespace();
        let (name, arguments) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
        match (name, &arguments[..]) {
            ("help" | "?", _) => self.say(HELP)?,
            ("clear", _) => {
                self.conversation.messages.clear();
                self.say("forgotten")?;
            }
            ("save", []) => {
                self.save()?;
                self.say_saved()?;
            }
            ("save", [file]) => self.save_in(Path::new(file), false)?,
            ("save", [file, "--force"]) => self.save_in(Path::new(file), true)?,
            ("load", [file]) => {
                self.load(Path::new(file))?;
                self.say(&format!("{} turns from {file}", self.conversation.messages.len()))?;
                if self.is_terminal {
                    self.show_said()?;
                }
            }
            ("load", _) => bail!("name the file: /load FILE"),
            ("proof", _) => self.say(&self.proof()?)?,
            ("stats", _) => {
                let Stats { answers, tokens, seconds } = self.stats;
                let rate = if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
                let said = self.conversation.messages.len();
                self.say(&format!(
                    "{answers} answers, {tokens} tokens, {rate:.0} a second; {said} turns so far"
                ))?;
            }
            ("config", _) => self.say(&self.config())?,
            ("set", [name, value]) => self.set(name, value)?,
            ("set", _) => bail!("name a setting and its value, such as /set temperature 0.5"),
            ("bye" | "exit" | "quit", _) => return Ok(Next::End),
            _ => bail!("there is no command /{name}; /help shows them"),
        }
        Ok(Next::GoOn)
    }

    fn config(&self) -> String {
        let settings = self.model.settings().into_iter();
        settings.map(|(name, value)| format!("{name:<20}{value}")).collect::<Vec<_>>().join("\n")
    }

    fn set(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        self.model.set(name, value).map_err(|error| match error {
            SetError::Unknown(_) => anyhow!("{error}; /config shows them"),
            error => error.into(),
        })?;
        self.say(&format!("{name} is {value}"))
    }

    /// Shows what was said in a chat that goes on.
    fn show_said(&mut self) -> anyhow::Result<()> {
        for message in &self.conversation.messages {
            match message.role {
                Role::User => {
                    self.lines.remember(&message.content);
                    output::print(&format!("> {}", message.content))?;
                }
                _ => output::print(&message.content)?,
            }
        }
        Ok(())
    }

    /// Saves the chat in another file, which it is kept in from then on.
    fn save_in(&mut self, file: &Path, force: bool) -> anyhow::Result<()> {
        if self.file.as_deref() != Some(file) {
            ReplaceArgs { force }.allow(file)?;
        }
        let before = (self.file.replace(file.to_owned()), self.kept.take());
        if let Err(error) = self.save() {
            (self.file, self.kept) = before;
            return Err(error);
        }
        self.say_saved()
    }

    fn say_saved(&self) -> anyhow::Result<()> {
        let file = self.file.as_deref().unwrap_or(Path::new(""));
        self.say(&format!("saved in {}", file.display()))
    }

    /// Saves the chat where it is kept, unless somebody else has changed the file since.
    fn save(&mut self) -> anyhow::Result<()> {
        let file = self.file.clone().context("name a file: /save FILE")?;
        let name = file.display();
        let there = files::exists(&file).then(|| files::read_text(&file, FILE_LIMIT));
        if let (Some(known), Some(there)) = (&self.kept, there)
            && there.ok().as_ref() != Some(known)
        {
            bail!(
                "`{name}` was changed by somebody else, and was left as it is; /save ANOTHER keeps this chat"
            );
        }
        let text = self.conversation.to_json();
        files::write(&file, text.as_bytes()).with_context(|| format!("cannot save the chat in `{name}`"))?;
        self.kept = Some(text);
        Ok(())
    }

    fn load(&mut self, file: &Path) -> anyhow::Result<()> {
        let name = format!("`{}`", file.display());
        let text = files::read_text(file, FILE_LIMIT).with_context(|| name.clone())?;
        self.conversation = Conversation::from_json(&text).with_context(|| name)?;
        self.file = Some(file.to_owned());
        self.kept = Some(text);
        Ok(())
    }

    fn say(&self, text: &str) -> anyhow::Result<()> {
        if self.json { output::print_json(&json!({"note": text})) } else { output::print(text) }
    }
}
