//! `chat`: questions and answers at the terminal.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, anyhow, bail};
use rekindle_formats::files;
use rekindle_gpt::data::Role;
use rekindle_gpt::inference::{
    ChatTemplate, Conversation, Decoder, Generation, GenerationSettings, StopReason, WhenFull,
};
use rekindle_gpt::{GptError, LanguageModel};
use rekindle_train::Interrupt;
use serde_json::json;

use crate::args::ChatArgs;
use crate::commands::generate::summary;
use crate::language_model;
use crate::output;

/// A saved chat is never longer: bytes.
const FILE_LIMIT: u64 = 64 << 20;
/// A line is never longer: bytes.
const LINE_LIMIT: u64 = 16 << 20;

const HELP: &str = "\
/help              this text
/clear             forget the conversation
/save [FILE]       save the chat; without a file, where it was saved or loaded last
/load FILE         go on with a saved chat
/stats             tokens and speed of this session
/config            how answers are sampled
/set NAME VALUE    change that, such as /set temperature 0.5
/bye               end (Ctrl-D does too; Ctrl-C ends an answer)";

pub fn chat(args: ChatArgs, json: bool) -> anyhow::Result<u8> {
    let model = language_model::load(&args.model)?;
    let mut chat = Chat::new(&args, &model, json)?;
    chat.warm_up()?;
    if chat.is_terminal {
        let known = model.network.parameters();
        rekindle_train::tell!("{} ({known} parameters); /help shows the commands", args.model);
    }
    chat.run()?;
    Ok(0)
}

struct Chat<'a> {
    model: &'a LanguageModel,
    decoder: Decoder,
    template: ChatTemplate,
    settings: GenerationSettings,
    conversation: Conversation,
    file: Option<PathBuf>,
    /// Save after every answer.
    saves: bool,
    stats: Stats,
    interrupt: Interrupt,
    is_terminal: bool,
    json: bool,
}

#[derive(Default)]
struct Stats {
    answers: u64,
    tokens: u64,
    seconds: f64,
}

/// What a line of the user asks for.
enum Next {
    GoOn,
    End,
}

impl<'a> Chat<'a> {
    fn new(args: &ChatArgs, model: &'a LanguageModel, json: bool) -> anyhow::Result<Self> {
        let template = ChatTemplate::of(model.tokenizer());
        let settings = GenerationSettings {
            max_tokens: args.how.max_tokens(),
            stop_strings: template.stop_strings(),
            stop_tokens: template.stop_tokens(model.tokenizer()),
            forbidden_tokens: template.forbidden_tokens(model.tokenizer()),
            when_full: WhenFull::Stop,
            sampling: args.how.sampling(model),
        };
        settings.validate()?;
        let mut chat = Self {
            model,
            decoder: args.how.decoder(model)?,
            template,
            settings,
            conversation: Conversation::default(),
            file: args.file.clone(),
            saves: args.file.is_some(),
            stats: Stats::default(),
            interrupt: Interrupt::listen(),
            is_terminal: io::stdin().is_terminal() && !json,
            json,
        };
        if let Some(file) = args.file.as_deref().filter(|file| files::exists(file)) {
            chat.load(file)?;
        }
        Ok(chat)
    }

    /// Reads a token, so that the first answer does not wait for memory and threads.
    fn warm_up(&mut self) -> anyhow::Result<()> {
        self.decoder.feed(&[0])?;
        self.decoder.clear();
        Ok(())
    }

    fn run(&mut self) -> anyhow::Result<()> {
        loop {
            if self.is_terminal && !output::print_piece("> ")? {
                return Ok(());
            }
            let Some(line) = read_line()? else {
                return if self.is_terminal { output::print("") } else { Ok(()) };
            };
            match self.handle_line(&line) {
                Ok(Next::GoOn) => {}
                Ok(Next::End) => return Ok(()),
                // At a terminal the chat goes on.
                Err(error) if self.is_terminal => rekindle_train::tell!("{error:#}"),
                Err(error) => return Err(error),
            }
        }
    }

    /// Does what a line of the user asks for.
    fn handle_line(&mut self, line: &[u8]) -> anyhow::Result<Next> {
        let line = str::from_utf8(line).context("the line is not UTF-8")?.trim();
        match line.strip_prefix('/') {
            _ if line.is_empty() => Ok(Next::GoOn),
            Some(command) => self.command(command),
            None => self.answer(line).map(|is_read| if is_read { Next::GoOn } else { Next::End }),
        }
    }

    /// Answers; false when nobody reads it any more.
    fn answer(&mut self, question: &str) -> anyhow::Result<bool> {
        self.conversation.push(Role::User, question);
        match self.generate_answer() {
            Ok(is_read) => Ok(is_read),
            Err(error) => {
                self.conversation.pop();
                Err(error)
            }
        }
    }

    fn generate_answer(&mut self) -> anyhow::Result<bool> {
        let tokenizer = self.model.tokenizer();
        let context = self.model.network.context();
        // At least half of the context is for the conversation.
        let answer = (self.settings.max_tokens as usize).min(context / 2);
        let prompt = self.conversation.prompt(&self.template, tokenizer, context - answer);
        let prompt = prompt.map_err(|error| match error {
            GptError::TooLong { .. } => anyhow!("{error} (/set max_tokens)"),
            error => error.into(),
        })?;
        let mut generation = Generation::start(&mut self.decoder, tokenizer, &self.settings, &prompt)?;
        let json = self.json;
        let mut text = String::new();
        let is_read = self.interrupt.during(|came| -> anyhow::Result<bool> {
            for piece in &mut generation {
                let piece = piece?;
                text += &piece;
                if !json && !output::print_piece(&piece)? {
                    return Ok(false);
                }
                if came.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok(true)
        })?;
        let outcome = generation.outcome();
        let count = outcome.tokens.len();
        self.stats.answers += 1;
        self.stats.tokens += count as u64;
        self.stats.seconds += if outcome.rate > 0.0 { count as f64 / outcome.rate } else { 0.0 };
        self.conversation.push(Role::Assistant, text.trim());
        if json {
            let answer = json!({"answer": text.trim(), "tokens": count, "tokens_per_second": outcome.rate});
            output::print_json(&answer)?;
        } else {
            output::print("")?;
        }
        if self.is_terminal {
            rekindle_train::tell!("{}", output::dim(&summary(count, outcome.rate, &outcome.stop)));
        }
        if matches!(outcome.stop, StopReason::Interrupted) && !self.is_terminal && !is_read {
            return Ok(false);
        }
        if self.saves {
            self.save()?;
        }
        Ok(is_read)
    }

    fn command(&mut self, command: &str) -> anyhow::Result<Next> {
        let mut words = command.split_whitespace();
        let (name, arguments) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
        match (name, &arguments[..]) {
            ("help" | "?", _) => self.note(HELP)?,
            ("clear", _) => {
                self.conversation.clear();
                self.note("forgotten")?;
            }
            ("save", []) => self.save()?,
            ("save", [file]) => {
                self.file = Some(PathBuf::from(file));
                self.save()?;
                self.note(&format!("saved in {file}"))?;
            }
            ("load", [file]) => {
                self.load(Path::new(file))?;
                self.note(&format!("{} turns from {file}", self.conversation.messages().len()))?;
            }
            ("load", _) => bail!("name the file: /load FILE"),
            ("stats", _) => {
                let Stats { answers, tokens, seconds } = self.stats;
                let rate = if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
                let turns = self.conversation.messages().len();
                self.note(&format!(
                    "{answers} answers, {tokens} tokens, {rate:.0} a second; {turns} turns so far"
                ))?;
            }
            ("config", _) => self.note(&self.config())?,
            ("set", [name, value]) => self.set(name, value)?,
            ("set", _) => bail!("name a setting and its value, such as /set temperature 0.5"),
            ("bye" | "exit" | "quit", _) => return Ok(Next::End),
            _ => bail!("there is no command /{name}; /help shows them"),
        }
        Ok(Next::GoOn)
    }

    fn config(&self) -> String {
        let sampling = &self.settings.sampling;
        [
            ("temperature", sampling.temperature.to_string()),
            ("top_k", sampling.top_k.to_string()),
            ("top_p", sampling.top_p.to_string()),
            ("min_p", sampling.min_p.to_string()),
            ("repetition_penalty", sampling.repetition_penalty.to_string()),
            ("seed", sampling.seed.to_string()),
            ("max_tokens", self.settings.max_tokens.to_string()),
        ]
        .map(|(name, value)| format!("{name:<20}{value}"))
        .join("\n")
    }

    fn set(&mut self, name: &str, value: &str) -> anyhow::Result<()> {
        let mut settings = self.settings.clone();
        let sampling = &mut settings.sampling;
        let wrong = || format!("`{value}` is not a value of {name}");
        match name {
            "temperature" => sampling.temperature = value.parse().with_context(wrong)?,
            "top_k" => sampling.top_k = value.parse().with_context(wrong)?,
            "top_p" => sampling.top_p = value.parse().with_context(wrong)?,
            "min_p" => sampling.min_p = value.parse().with_context(wrong)?,
            "repetition_penalty" => sampling.repetition_penalty = value.parse().with_context(wrong)?,
            "seed" => sampling.seed = value.parse().with_context(wrong)?,
            "max_tokens" => settings.max_tokens = value.parse().with_context(wrong)?,
            _ => bail!("there is no setting `{name}`; /config shows them"),
        }
        settings.validate()?;
        self.settings = settings;
        self.note(&format!("{name} is {value}"))
    }

    fn save(&self) -> anyhow::Result<()> {
        let file = self.file.as_deref().context("name a file: /save FILE")?;
        files::write(file, self.conversation.to_json().as_bytes())
            .with_context(|| format!("cannot save the chat in `{}`", file.display()))
    }

    fn load(&mut self, file: &Path) -> anyhow::Result<()> {
        let name = format!("`{}`", file.display());
        let text = files::read_text(file, FILE_LIMIT).with_context(|| name.clone())?;
        self.conversation = Conversation::from_json(&text, &name)?;
        self.file = Some(file.to_owned());
        Ok(())
    }

    fn note(&self, text: &str) -> anyhow::Result<()> {
        if self.json { output::print_json(&json!({"note": text})) } else { output::print(text) }
    }
}

/// A line of the standard input; none when it has ended.
fn read_line() -> anyhow::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut input = io::stdin().lock().take(LINE_LIMIT);
    input.read_until(b'\n', &mut line).context("standard input")?;
    if line.len() as u64 == LINE_LIMIT {
        bail!("standard input: a line has {} or more", output::bytes(LINE_LIMIT));
    }
    Ok((!line.is_empty()).then_some(line))
}
