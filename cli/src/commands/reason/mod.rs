//! `reason`: whether a statement follows from what is known.

mod args;
mod graph;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use rekindle_formats::files;
use rekindle_reason::proof::{self, CheckError, Model, Proof};
use rekindle_reason::read::{Document, Format, english_goal, read_statements_with};
use rekindle_reason::syntax::{Formula, MOST_BYTES, Names, SyntaxError, parse_with};
use rekindle_reason::{
    Auto, Budget, Graph, Horn, Knowledge, Prolog, Reason, Reasoner, Sat, Symbols, Verdict, World, Z3,
};
use serde_json::json;

use crate::{exit, output};

use args::FormatArg;
pub use args::{EngineArg, ReasonArgs};

pub fn reason(args: &ReasonArgs, json: bool) -> anyhow::Result<u8> {
    if let Some(file) = &args.graph {
        args.replace.allow_beside(file, [args.knowledge.as_path()])?;
    }
    let (document, names) = read(args)?;
    let world = if args.closed { World::Closed } else { World::Open };
    let knowledge = document.knowledge.with_world(world);
    let graph = args.graph.as_deref().map(|file| (file, Graph::of(&knowledge)));
    if let Some((file, graph)) = &graph {
        graph::write(file, graph)?;
    }
    let goal = match (&args.goal, document.goal) {
        (Some(goal), _) => goal_of(goal, names)?,
        (None, Some(goal)) => goal,
        (None, None) => return without_goal(graph.map(|(_, graph)| graph), json),
    };
    let mut engine = engine(args.engine);
    let verdict = engine.prove(&goal, &knowledge, budget(args));
    if let Verdict::Unknown(reason @ Reason::Missing { .. }) = verdict {
        return Err(reason.into());
    }
    if let Verdict::Unknown(reason @ Reason::Goal(_)) = verdict {
        return Err(reason.into());
    }
    let told = Told::of(&verdict, &goal, &knowledge, document.follows)?;
    let steps = if args.proof { proof::written(&verdict, &goal, &knowledge) } else { Vec::new() };
    if json {
        let shown = args.proof.then_some(&steps);
        output::print_json(&json!({
            "verdict": told.verdict, "goal": goal.to_string(), "engine": engine.name(), "version": engine.version(),
            "rests_on": told.rests_on, "checked": told.is_checked, "reason": told.reason, "stated": told.stated,
            "proof": shown,
        }))?;
    } else {
        output::print(&[vec![told.text()], steps].concat().join("\n"))?;
    }
    Ok(match verdict {
        Verdict::Proved(_) => 0,
        Verdict::Refuted(_) => exit::NEGATIVE,
        Verdict::Unknown(_) => exit::PARTIAL,
    })
}

/// Only the picture was asked for, if anything was.
fn without_goal(graph: Option<Graph>, json: bool) -> anyhow::Result<u8> {
    let Some(graph) = graph else { bail!("the file asks nothing: name a goal") };
    if json {
        let predicates = graph.vertices.iter().enumerate().map(|(number, vertex)| {
            let below: Vec<&str> =
                graph.below(number).map(|below| graph.vertices[below].name.as_str()).collect();
            json!({"name": vertex.name, "facts": vertex.facts, "depends_on": below})
        });
        output::print_json(&json!({"predicates": predicates.collect::<Vec<_>>()}))?;
    } else {
        output::print(graph.text().trim_end())?;
    }
    Ok(0)
}

fn read(args: &ReasonArgs) -> anyhow::Result<(Document, Names)> {
    let path = &args.knowledge;
    let named = || format!("`{}`", path.display());
    let text =
        files::read_text(path, MOST_BYTES as u64).with_context(|| format!("cannot read {}", named()))?;
    let format = args.format.map_or_else(|| Format::of(path), FormatArg::format);
    let Some(symbols) = &args.symbols else {
        let document = format.read(&text).with_context(named)?;
        let names = document.knowledge.names().clone();
        return Ok((document, names));
    };
    if format != Format::Statements {
        bail!("{}: symbols are declared for files of statements only", named());
    }
    let declared = declared(symbols)?;
    let document = read_statements_with(&text, declared.clone()).with_context(named)?;
    Ok((document, declared))
}

fn declared(file: &Path) -> anyhow::Result<Names> {
    /// More bytes of declarations are not read.
    const MOST: u64 = 1 << 24;
    let text = files::read_text(file, MOST).with_context(|| format!("cannot read `{}`", file.display()))?;
    let symbols = Symbols::from_yaml(&text).with_context(|| format!("`{}`", file.display()))?;
    Ok(Names::declared(&symbols))
}

/// A goal in the syntax, or a sentence.
fn goal_of(text: &str, mut names: Names) -> anyhow::Result<Formula> {
    let parsed = parse_with(text, &mut names);
    let is_sentence = text.trim_end().ends_with(['.', '?']);
    let goal = match parsed {
        Err(_) if is_sentence => english_goal(text),
        parsed => parsed,
    };
    goal.map_err(|error: SyntaxError| anyhow::Error::from(error).context(format!("the goal `{text}`")))
}

pub fn engine(engine: EngineArg) -> Box<dyn Reasoner> {
    match engine {
        EngineArg::Horn => Box::new(Horn::default()),
        EngineArg::Sat => Box::new(Sat),
        EngineArg::Z3 => Box::new(Z3::default()),
        EngineArg::Prolog => Box::new(Prolog::default()),
        EngineArg::Auto => {
            let z3 = Z3::default();
            Box::new(if z3.is_there() { Auto::with_z3(z3) } else { Auto::built_in() })
        }
    }
}

fn budget(args: &ReasonArgs) -> Budget {
    let default = Budget::default();
    Budget {
        time: args.timeout.map_or(default.time, Duration::from_secs),
        steps: args.steps.unwrap_or(default.steps),
        ..default
    }
}

/// What is said of a verdict.
struct Told {
    verdict: &'static str,
    rests_on: Option<String>,
    is_checked: Option<bool>,
    reason: Option<String>,
    stated: Option<bool>,
}

impl Told {
    fn of(
        verdict: &Verdict,
        goal: &Formula,
        knowledge: &Knowledge,
        follows: Option<bool>,
    ) -> anyhow::Result<Self> {
        let is_checked = match proof::check(verdict, goal, knowledge) {
            Ok(()) => verdict.follows().map(|_| true),
            Err(CheckError::Unchecked { .. } | CheckError::TooLarge) => Some(false),
            Err(error) => {
                bail!("the engine's proof does not hold, which is a fault of this program: {error}")
            }
        };
        let (name, rests_on, reason) = match verdict {
            Verdict::Proved(proof) => ("proved", Some(of_proof(proof)), None),
            Verdict::Refuted(model) => ("refuted", Some(of_model(model)), None),
            Verdict::Unknown(reason) => ("unknown", None, Some(reason.to_string())),
        };
        let stated = follows.and_then(|stated| Some(verdict.follows()? == stated));
        Ok(Self { verdict: name, rests_on, is_checked, reason, stated })
    }

    fn text(&self) -> String {
        let rest = self.rests_on.as_ref().or(self.reason.as_ref());
        let mut text = format!("{}: {}", self.verdict, rest.map_or("", String::as_str));
        text += match self.is_checked {
            Some(true) => ", checked",
            Some(false) => ", not checked",
            None => "",
        };
        text += match self.stated {
            Some(true) => "; so says the file",
            Some(false) => "; the file says otherwise",
            None => "",
        };
        text
    }
}

fn of_proof(proof: &Proof) -> String {
    match proof {
        Proof::Refutation(refutation) => {
            format!(
                "its negation leads to a contradiction in {}",
                output::counted(refutation.steps.len(), "step")
            )
        }
        Proof::Derivation(derivation) => {
            format!("it is derived in {}", output::counted(derivation.inferences.len(), "step"))
        }
        Proof::NotDerivable(_) => "what it denies cannot be derived".to_owned(),
        Proof::External { program } => format!("{program} says so"),
    }
}

fn of_model(model: &Model) -> String {
    match model {
        Model::Interpretation(_) => {
            "there is a world in which all that is known holds, and it does not".to_owned()
        }
        Model::Derivation(derivation) => {
            format!("what it denies is derived in {}", output::counted(derivation.inferences.len(), "step"))
        }
        Model::External { program } => format!("{program} says so"),
    }
}
