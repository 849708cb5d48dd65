//! `chat`: questions and answers at the terminal.

use std::io::{self, BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use anyhow::{Context, bail};
use rekindle_formats::files;
use rekindle_gpt::data::Role;
use rekindle_gpt::decode::Decoder;
use rekindle_gpt::{
    Conversation, Generation, GenerationSettings, LanguageModel, Manner, StopReason, WhenFull,
};
use rekindle_train::Interrupt;
use serde_json::json;

use crate::args::ChatArgs;
use crate::commands::generate::summary;
use crate::language_model;
use crate::output;

/// A saved chat is never longer: bytes.
const FILE_LIMIT: u64 = 64 << 20;
/// Nobody says more at once: bytes.
const LINE_LIMIT: u64 = 16 << 20;

const HELP: &str = "\
/help              this text
/clear             forget what was said
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
    chat.talk()?;
    Ok(0)
}

struct Chat<'a> {
    model: &'a LanguageModel,
    decoder: Decoder,
    manner: Manner,
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
        let manner = Manner::of(model.tokenizer());
        let settings = GenerationSettings {
            max_tokens: args.how.max_tokens(),
            stop_strings: manner.stop_texts(),
            stop_tokens: manner.stop_tokens(model.tokenizer()),
            forbidden_tokens: manner.forbidden_tokens(model.tokenizer()),
            when_full: WhenFull::Stop,
            sampling: args.how.sampling(model),
        };
        settings.validate()?;
        let mut chat = Self {
            model,
            decoder: args.how.decoder(model)?,
            manner,
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

    fn talk(&mut self) -> anyhow::Result<()> {
        loop {
            if self.is_terminal && !output::print_piece("> ")? {
                return Ok(());
            }
            let Some(line) = read_line()? else {
                return if self.is_terminal { output::print("") } else { Ok(()) };
            };
            match self.hear(&line) {
                Ok(Next::GoOn) => {}
                Ok(Next::End) => return Ok(()),
                // At a terminal the chat goes on.
                Err(error) if self.is_terminal => rekindle_train::tell!("{error:#}"),
                Err(error) => return Err(error),
            }
        }
    }

    /// Does what a line of the user asks for.
    fn hear(&mut self, line: &[u8]) -> anyhow::Result<Next> {
        let line = str::from_utf8(line).context("what was said is no UTF-8")?.trim();
        match line.strip_prefix('/') {
            _ if line.is_empty() => Ok(Next::GoOn),
            Some(command) => self.command(command),
            None => self.answer(line).map(|is_heard| if is_heard { Next::GoOn } else { Next::End }),
        }
    }

    /// Answers; false when nobody reads it any more.
    fn answer(&mut self, question: &str) -> anyhow::Result<bool> {
        self.conversation.say(Role::User, question);
        match self.speak() {
            Ok(is_heard) => Ok(is_heard),
            Err(error) => {
                self.conversation.take_back();
                Err(error)
            }
        }
    }

    fn speak(&mut self) -> anyhow::Result<bool> {
        let tokenizer = self.model.tokenizer();
        let context = self.model.network.context();
        // At least half of the context is for what was said.
        let answer = (self.settings.max_tokens as usize).min(context / 2);
        let prompt = self.conversation.prompt(&self.manner, tokenizer, context - answer)?;
        let mut generation = Generation::start(&mut self.decoder, tokenizer, &self.settings, &prompt)?;
        let json = self.json;
        let mut text = String::new();
        let is_heard = self.interrupt.during(|came| -> anyhow::Result<bool> {
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
        self.conversation.say(Role::Assistant, text.trim());
        if json {
            let answer = json!({"answer": text.trim(), "tokens": count, "tokens_per_second": outcome.rate});
            output::print_json(&answer)?;
        } else {
            output::print("")?;
        }
        if self.is_terminal {
            rekindle_train::tell!("{}", output::dim(&summary(count, outcome.rate, &outcome.stop)));
        }
        if matches!(outcome.stop, StopReason::Interrupted) && !self.is_terminal && !is_heard {
            return Ok(false);
        }
        if self.saves {
            self.save()?;
        }
        Ok(is_heard)
    }

    fn command(&mut self, command: &str) -> anyhow::Result<Next> {
        let mut words = command.split_whitespace();
        let (name, arguments) = (words.next().unwrap_or_default(), words.collect::<Vec<_>>());
        match (name, &arguments[..]) {
            ("help" | "?", _) => self.say(HELP)?,
            ("clear", _) => {
                self.conversation.clear();
                self.say("forgotten")?;
            }
            ("save", []) => self.save()?,
            ("save", [file]) => {
                self.file = Some(PathBuf::from(file));
                self.save()?;
                self.say(&format!("saved in {file}"))?;
            }
            ("load", [file]) => {
                self.load(Path::new(file))?;
                self.say(&format!("{} turns from {file}", self.conversation.said().len()))?;
            }
            ("load", _) => bail!("name the file: /load FILE"),
            ("stats", _) => {
                let Stats { answers, tokens, seconds } = self.stats;
                let rate = if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
                let said = self.conversation.said().len();
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
        let wrong = || format!("`{value}` is no value of {name}");
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
        self.say(&format!("{name} is {value}"))
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

    fn say(&self, text: &str) -> anyhow::Result<()> {
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
