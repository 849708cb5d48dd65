//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use rekindle_pictures::Size;
use rekindle_train::Damage;

use crate::commands::circuit::CircuitCommand;
use crate::commands::problems::ProblemsArgs;
use crate::commands::reason::ReasonArgs;
use crate::curve::ScaleArg;
use crate::replace::ReplaceArgs;
use crate::unlock::{RecipientArgs, UnlockArgs};

const EXIT_CODES: &str = "\
Exit codes:
  0    fine
  1    a negative answer: `diff` found differences, `verify` damage, `prove` no equality,
       `reason` that something does not follow
  2    wrong usage, or any other error
  3    done in part, or `reason` cannot say
  4    left by a second Ctrl-C, before the state was saved
  10   no such run
  11   the run is locked by another process
  12   the state does not fit
  13   damaged beyond use
  14   encrypted: a key is missing or wrong
  130  stopped by Ctrl-C after a save (143: by SIGTERM, 129: by a terminal that closed)

Addresses of checkpoints:
  RUN, RUN@latest   the newest valid checkpoint      RUN@best   the best by the run's metric
  RUN@latest~2      two before that                  RUN@TAG    a tagged one
  RUN@1200          the one at step 1200             FILE       a .rekindle file
`inspect` and `diff` take .safetensors and .json files too.";

/// Train, stop anywhere, light it again, and get the same bits.
#[derive(Debug, Parser)]
#[command(name = "rekindle", version, after_help = EXIT_CODES, max_term_width = 100)]
pub struct Cli {
    /// Print JSON for scripts instead of text for people.
    #[arg(long, global = true, help_heading = "General options")]
    pub json: bool,
    #[command(flatten)]
    pub unlock: UnlockArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a preset or a config file.
    Train(TrainArgs),
    /// Go on with a run that was stopped.
    Resume(ResumeArgs),
    /// Let a trained model learn more, after what it has learnt.
    Learn(LearnArgs),
    /// Take what was learnt out of a trained model: a new checkpoint.
    Forget(ForgetArgs),
    /// Show how far a run is, how fast, and who writes it.
    Status {
        /// The run's directory.
        run: PathBuf,
    },
    /// List the presets.
    Presets,
    /// Print a config with all its defaults.
    ShowConfig {
        /// A preset, a YAML file, or a run's directory.
        config: String,
        /// Change a value, such as training.epochs=500.
        #[arg(long, value_name = "PATH=VALUE")]
        set: Vec<String>,
        /// Tell what each key means: its kind, its default, and its value here.
        #[arg(long)]
        explain: bool,
        /// Print the JSON Schema of such configs instead, for editors.
        #[arg(long, conflicts_with = "explain")]
        schema: bool,
    },
    /// List runs, or the checkpoints of one.
    Ls(LsArgs),
    /// Look into a state: its tree, one entry, or one array.
    Inspect(InspectArgs),
    /// Check every byte of a run against its hash.
    Verify(VerifyArgs),
    /// Compare two states entry by entry, numerically.
    Diff {
        /// A checkpoint, or a .safetensors, .json or .rekindle file.
        a: String,
        /// Another.
        b: String,
    },
    /// Ask a trained model about the rows of a table.
    Predict(PredictArgs),
    /// Measure a trained model on a table or text it has not seen.
    Evaluate(EvaluateArgs),
    /// Let a language model go on with a text.
    Generate(GenerateArgs),
    /// Talk with a language model.
    Chat(ChatArgs),
    /// Ask a language model one thing, with a picture where it sees them.
    Ask(AskArgs),
    /// Check that a language model is whole and computes.
    Validate {
        /// A run, a checkpoint, or a file or directory of another program.
        model: String,
    },
    /// Draw how training went, or what a model has learnt.
    Plot(PlotArgs),
    /// Write a page of HTML about runs: curves, configs, pictures.
    Report(ReportArgs),
    /// Run automata on boards of any size, with damage and bombs.
    Simulate(SimulateArgs),
    /// Describe a trained model in words.
    Describe {
        /// A run or one of its checkpoints.
        checkpoint: String,
    },
    /// Make logic circuits smaller, prove them equal, count their gates.
    Circuit {
        /// What to do.
        #[command(subcommand)]
        command: CircuitCommand,
    },
    /// Say whether a statement follows from what is known, and why.
    Reason(ReasonArgs),
    /// Make problems of reasoning with their answers.
    Problems(ProblemsArgs),
    /// Prove exact resume: a killed run against one never stopped.
    Prove(ProveArgs),
    /// Compute spans between the checkpoints of a run again, and compare.
    ///
    /// Shows that a training is what it says: with other threads and kernels, on another machine.
    Audit(AuditArgs),
    /// Delete checkpoints that are not to be kept, and free their space.
    Prune(PruneArgs),
    /// Free all space that no checkpoint needs; deletes no checkpoint.
    Gc(GcArgs),
    /// Make damage good: keep what is intact, name what is lost.
    Repair(RepairArgs),
    /// Name a checkpoint; list or delete such names.
    Tag(TagArgs),
    /// Write a note on a run or a checkpoint, or show it.
    Note(NoteArgs),
    /// Copy a run; a process that writes it may go on.
    Cp {
        /// The run's directory.
        run: PathBuf,
        /// Directory of the copy.
        copy: PathBuf,
    },
    /// Move a run that no process writes.
    Mv {
        /// The run's directory.
        run: PathBuf,
        /// Its new place.
        place: PathBuf,
    },
    /// Delete a run that no process writes.
    Rm(RmArgs),
    /// Copy a run or .rekindle file into a new, encrypted one.
    Encrypt(EncryptArgs),
    /// Change who can open an encrypted run; nothing is encrypted anew.
    Rekey(RekeyArgs),
    /// Make an age identity for encrypted runs, or a key to sign with.
    Keygen(KeygenArgs),
    /// Sign a checkpoint, or all of a run.
    ///
    /// `verify --signed-by` checks signatures.
    Sign(SignArgs),
    /// Make a vocabulary of tokens from texts, use one, or measure it.
    Tokenizer {
        /// What to do.
        #[command(subcommand)]
        command: TokenizerCommand,
    },
    /// Write a checkpoint into a file; its ending says the format.
    ///
    /// Any state as .rekindle, .safetensors, .json or .json.gz; and in the formats of its system, such as .h5.
    /// Logic circuits also as .aag, .aig, .blif, .v, .c, .dot, .rle and .onnx. What was measured as .csv, .jsonl and
    /// .tfevents, which TensorBoard reads.
    Export(ExportArgs),
    /// Make a run from a file, whose format is found by its content.
    Import {
        /// The file.
        file: PathBuf,
        /// Directory of the new run.
        #[arg(long, value_name = "DIR")]
        run: PathBuf,
    },
    /// Say what this machine can do, and how fast its disk is.
    Doctor {
        /// The directory whose disk is measured.
        #[arg(default_value = ".")]
        directory: PathBuf,
    },
    /// Print the manual page of a command, or write all.
    Man {
        /// The command, such as `train` or `tokenizer build` [default: the first page].
        command: Vec<String>,
        /// Write the pages of all commands into this directory.
        #[arg(long, value_name = "DIR", conflicts_with = "command")]
        out: Option<PathBuf>,
    },
    /// Print a script that completes commands in a shell.
    ///
    /// It asks this program, so that presets, runs, tags, steps and config keys are completed too.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// A preset (see `rekindle presets`) or a YAML file.
    pub config: String,
    /// Directory of the new run [default: runs/NAME, or the next free runs/NAME-2 ...].
    #[arg(long, value_name = "DIR")]
    pub run: Option<PathBuf>,
    /// Change a value of the config, such as training.learning_rate=0.01.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Begin with the state of another run's checkpoint.
    #[arg(long, value_name = "CHECKPOINT")]
    pub from: Option<String>,
    /// Take only this entry of it, such as model or perception.
    #[arg(long, value_name = "PATH", requires = "from")]
    pub only: Option<String>,
    #[command(flatten)]
    pub how: HowArgs,
}

#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The run's directory, or one of its checkpoints.
    pub checkpoint: String,
    /// Change what may change on resume, such as training.epochs=5000.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Go on in a new run in this directory and leave the old one as it is.
    #[arg(long, value_name = "DIR", conflicts_with = "discard_later")]
    pub fork: Option<PathBuf>,
    /// Delete the checkpoints after the one to go on from.
    #[arg(long)]
    pub discard_later: bool,
    #[command(flatten)]
    pub how: HowArgs,
}

#[derive(Debug, Args)]
pub struct LearnArgs {
    #[command(flatten)]
    pub what: RevisedArgs,
    /// How it is learnt, where the model is trained on, such as steps=300 or retain.replay=0.05 (gpt).
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Show no progress.
    #[arg(long, short)]
    pub quiet: bool,
}

/// A run, and what it learns or forgets.
#[derive(Debug, Args)]
pub struct RevisedArgs {
    /// The run's directory.
    pub run: PathBuf,
    /// The data: a table, a text, or a folder of pictures; or, one after the other, IDX files of pictures and their
    /// labels.
    #[arg(long, value_name = "FILE", required = true)]
    pub data: Vec<String>,
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

#[derive(Debug, Args)]
pub struct ForgetArgs {
    #[command(flatten)]
    pub what: RevisedArgs,
    /// Delete the earlier checkpoints that know it, and every byte that no other checkpoint needs.
    #[arg(long)]
    pub erase: bool,
}

#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A run or one of its checkpoints.
    pub checkpoint: String,
    /// The table, as CSV or NPY: a row for each question, columns named as in training.
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Write the answers to this file, as CSV or NPY by its ending [default: print them as CSV].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Put these columns of the table before the answers, such as a number of each row.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub id: Vec<String>,
    /// Put how probable each class is behind the answers.
    #[arg(long)]
    pub probabilities: bool,
    /// Put all columns of the table before the answers.
    #[arg(long, conflicts_with = "id")]
    pub inputs: bool,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The checkpoint.
    pub checkpoint: String,
    /// The file; its ending says the format.
    pub file: PathBuf,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}

#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// A run or one of its checkpoints; or a language model of another program.
    pub model: String,
    /// The table, as CSV or NPY, with the columns of the inputs and of what is to be answered; or the text.
    #[arg(long, value_name = "FILE", required_unless_present = "suite", conflicts_with = "suite")]
    pub data: Option<PathBuf>,
    /// Of a language model: problems that it answers, `reasoning` for those of all suites, or one of them as `problems`
    /// names it; may be given several times.
    #[arg(long, value_name = "SUITE")]
    pub suite: Vec<String>,
    /// Problems of each suite and split.
    #[arg(long, value_name = "N", default_value_t = 100, requires = "suite", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub count: u32,
    /// What problems are drawn from.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "suite")]
    pub seed: u64,
    /// Let the reasoner answer too, where it can.
    #[arg(long, requires = "suite")]
    pub reasoner: bool,
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Of a language model: with its weights in 32, 16 and 8 bits, to see what fewer bits cost.
    #[arg(long)]
    pub by_precision: bool,
}

#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// A run, a checkpoint, or a file or directory of another program.
    pub model: String,
    /// The text to go on with; `-` reads it from standard input.
    #[arg(long, value_name = "TEXT")]
    pub prompt: String,
    /// End where this text would come; may be given several times.
    #[arg(long, value_name = "TEXT")]
    pub stop: Vec<String>,
    /// When the model cannot see more, forget the older half and go on.
    #[arg(long)]
    pub slide: bool,
    /// Let the reasoner answer too, where the text ends with a question of logic: see `reason`.
    #[arg(long)]
    pub reasoner: bool,
    /// Show what the answer of the reasoner rests on.
    #[arg(long, requires = "reasoner")]
    pub proof: bool,
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

#[derive(Debug, Args)]
pub struct AskArgs {
    /// A run, a checkpoint, or a file or directory of another program.
    pub model: String,
    /// The question, or what is to be drawn.
    pub question: String,
    /// Show it this PNG file, of the size that the model has learnt.
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Write what it draws to this file, as SVG or PNG by its ending [default: show it on the terminal].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

#[derive(Debug, Args)]
pub struct ChatArgs {
    /// A run, a checkpoint, or a file or directory of another program.
    pub model: String,
    /// Keep the chat in this file: it goes on where it was left, and is saved after every answer.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Let the reasoner answer too, where a question is one of logic: see `reason`. /proof shows what it rests on.
    #[arg(long)]
    pub reasoner: bool,
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

#[derive(Debug, Args)]
pub struct PlotArgs {
    /// Runs or checkpoints, all in one picture; those that differ by the seed only as their mean and range.
    #[arg(required = true, value_name = "CHECKPOINT")]
    pub checkpoints: Vec<String>,
    /// What to draw: `learning` for the metrics over all steps, or a picture that the system can
    /// draw of a state, such as `boundary`.
    #[arg(long, value_name = "PICTURE", default_value = "learning")]
    pub what: String,
    /// Draw these metrics only; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub metric: Vec<String>,
    /// Draw the mean and the range of all runs, whatever they differ by.
    #[arg(long)]
    pub mean: bool,
    /// How the axis of values is divided; `auto` takes logarithms where a loss falls to less than a tenth.
    #[arg(long, value_enum, default_value_t = ScaleArg::Auto)]
    pub scale: ScaleArg,
    /// What stands above the curves [default: the run].
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    /// How large: in pixels, or on paper, such as 800x500, 160x100mm or 6.5x4in.
    #[arg(long, value_name = "WxH")]
    pub size: Option<Size>,
    /// The file to write, .svg or .png [default: learning.svg, or the picture's name with .png].
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Runs, each up to its newest checkpoint or the one that is named.
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<String>,
    /// The file to write [default: report.html].
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What stands above it [default: the runs].
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Runs or checkpoints of automata.
    #[arg(required = true, value_name = "CHECKPOINT")]
    pub checkpoints: Vec<String>,
    /// Cells across and down [default: as in training].
    #[arg(long, value_name = "WxH", value_parser = board)]
    pub board: Option<(usize, usize)>,
    /// Steps [default: as in training].
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,
    /// The chance of each cell to be updated in a step [default: as in training].
    #[arg(long, value_name = "CHANCE")]
    pub fire_rate: Option<f64>,
    /// Set a square of SIDE cells in the middle to 0 after so many steps; may be given several times.
    #[arg(long, value_name = "STEP:SIDE", value_parser = damage)]
    pub damage: Vec<Damage>,
    /// Set a square of SIDE cells to 0 somewhere before each step.
    #[arg(long, value_name = "SIDE")]
    pub bombing: Option<usize>,
    /// What random bits, times and places are drawn from [default: the run's seed].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Draw the board at some moments as .png or .svg, or at all of them as .gif.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Draw the number of wrong cells over the steps as .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub curves: Option<PathBuf>,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}

fn board(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once('x').map(|(width, height)| (width.parse(), height.parse()));
    match sides {
        Some((Ok(width), Ok(height))) => Ok((width, height)),
        _ => Err("a board is WIDTHxHEIGHT, such as 64x64".to_owned()),
    }
}

fn damage(text: &str) -> Result<Damage, String> {
    let parts = text.split_once(':').map(|(step, side)| (step.parse(), side.parse()));
    match parts {
        Some((Ok(step), Ok(side))) => Ok(Damage { step, side }),
        _ => Err("damage is STEP:SIDE, such as 300:20".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub struct ThreadsArgs {
    /// Number of threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), allow_negative_numbers = true)]
    threads: Option<u16>,
}

impl ThreadsArgs {
    /// The number that was asked for.
    pub fn asked(self) -> Option<u16> {
        self.threads
    }

    /// The number that was asked for, or one for each core.
    pub fn count(self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, usize::from)
    }
}

/// How to train; none of it changes the result.
#[derive(Debug, Default, Args)]
pub struct HowArgs {
    #[command(flatten)]
    pub threads: ThreadsArgs,
    /// Save and stop when this step is reached.
    #[arg(long, value_name = "STEP")]
    pub stop_at: Option<u64>,
    /// Show no progress.
    #[arg(long, short)]
    pub quiet: bool,
    /// Save nothing.
    #[arg(long, hide = true)]
    pub without_run: bool,
    /// Kill this process when the step is done, before it is saved.
    #[arg(long, hide = true)]
    pub kill_at: Option<u64>,
    /// Write the state hash of every step to a file.
    #[arg(long, hide = true)]
    pub trace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct LsArgs {
    /// A run's directory, or one that holds runs [default: runs].
    pub run: Option<PathBuf>,
    /// Look for runs in directories within directories too.
    #[arg(long, short)]
    pub recursive: bool,
    /// What the runs are ordered by; but for names, the largest or latest comes first.
    #[arg(long, value_enum, value_name = "KEY", default_value_t = SortArg::Name)]
    pub sort: SortArg,
    /// Only runs of this system.
    #[arg(long, value_name = "NAME")]
    pub system: Option<String>,
}

/// What `ls` orders runs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SortArg {
    /// By directory.
    Name,
    /// By when they were last saved.
    Saved,
    /// By steps done.
    Step,
    /// By what they take on disk.
    Size,
}

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A checkpoint, or a .safetensors, .json or .rekindle file.
    pub checkpoint: String,
    /// An entry, such as state.update.layers.0.
    pub path: Option<String>,
    /// Only these rows of an array, such as 10..20; no others are read.
    #[arg(long, value_name = "FROM..TO", requires = "path", value_parser = row_range)]
    pub rows: Option<std::ops::Range<u64>>,
    /// Levels of the tree to show.
    #[arg(long, default_value_t = 4)]
    pub depth: usize,
    /// Show the metrics history instead of the state: what was measured now and then.
    #[arg(long, conflicts_with = "path")]
    pub history: bool,
    /// Of the history, show what training told of its steps.
    #[arg(long, requires = "history")]
    pub training: bool,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// A run's directory or a .rekindle file.
    pub run: PathBuf,
    /// How much to read.
    #[arg(long, value_enum, default_value_t = DepthArg::Full)]
    pub depth: DepthArg,
    /// The share of the chunks that `--depth sample` reads; each time others.
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = percent)]
    pub sample: f64,
    /// Also require that every checkpoint is signed by this key: `ed25519:...`, or a file with it.
    #[arg(long, value_name = "KEY")]
    pub signed_by: Option<String>,
}

/// How much of a run `verify` reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DepthArg {
    /// Records, indexes, names and types, but no bytes of arrays.
    Structure,
    /// Also a part of the bytes, see --sample.
    Sample,
    /// Every byte.
    Full,
}

/// Rows from `10..20`.
fn row_range(text: &str) -> Result<std::ops::Range<u64>, String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
    let range =
        ends.map(|(from, to)| from..to).filter(|range: &std::ops::Range<u64>| range.start < range.end);
    range.ok_or_else(|| "a range such as 10..20 is expected".to_owned())
}

/// A share from `5%` or `5`.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().ok();
    let share = number.map(|percent| percent / 100.0).filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share between 0% and 100% is expected".to_owned())
}

#[derive(Debug, Args)]
pub struct ProveArgs {
    /// A preset, a YAML file, or a checkpoint to go on from.
    #[arg(required_unless_present = "command")]
    pub subject: Option<String>,
    /// Any program that uses the library, with its arguments: `-- python train.py`.
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["subject", "steps", "set", "threads"])]
    pub command: Vec<OsString>,
    /// Train so many steps [default: to the end].
    #[arg(long, value_name = "K")]
    pub steps: Option<u64>,
    /// Kill the second run so many times.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub kills: u64,
    /// Seed of the steps at which it is killed.
    #[arg(long, visible_alias = "seed", default_value_t = 0)]
    pub kill_seed: u64,
    /// Change a value of the config.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The run's directory; it is only read.
    pub run: PathBuf,
    /// The program that trained it with the library, with its arguments: `-- python train.py`.
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["set", "threads"])]
    pub command: Vec<OsString>,
    /// Compute so many spans again, of those between two checkpoints one after the other.
    #[arg(long, value_name = "K", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub spans: u64,
    /// Seed of the choice.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Change a value of the config, such as where the data lies now.
    #[arg(long, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub threads: ThreadsArgs,
}

#[derive(Debug, Args)]
pub struct PruneArgs {
    /// The run's directory.
    pub run: PathBuf,
    /// Keep the newest N checkpoints.
    #[arg(long, value_name = "N")]
    pub keep_last: Option<u64>,
    /// Keep checkpoints whose step is a multiple of N.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub keep_every: Option<u64>,
    /// Keep the best by a metric: METRIC (less is better) or METRIC:max.
    #[arg(long, value_name = "METRIC")]
    pub keep_best: Vec<String>,
    /// Say what would be deleted, and delete nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Keep the packs of deleted checkpoints for so many seconds, for readers that use them.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub grace: u64,
}

#[derive(Debug, Args)]
pub struct TagArgs {
    /// The checkpoint to name; or the run, to list its tags.
    pub checkpoint: String,
    /// The name.
    #[arg(conflicts_with = "delete")]
    pub name: Option<String>,
    /// Move the name if another checkpoint has it.
    #[arg(long, requires = "name")]
    pub force: bool,
    /// Delete a name.
    #[arg(long, value_name = "NAME")]
    pub delete: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum TokenizerCommand {
    /// Learn a vocabulary from texts, and write it as a Hugging Face tokenizer.json.
    Build(TokenizerBuildArgs),
    /// Print the tokens of a text.
    Encode(TokenizerEncodeArgs),
    /// Write the text of tokens.
    Decode {
        /// A tokenizer.json.
        tokenizer: PathBuf,
        /// Numbers of tokens, with spaces or commas between them [default: read from standard input].
        ids: Vec<String>,
    },
    /// Measure how a vocabulary suits texts.
    Stats {
        /// A tokenizer.json.
        tokenizer: PathBuf,
        /// The texts.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub struct TokenizerBuildArgs {
    /// The texts; several are joined as they stand.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The file to write, a tokenizer.json.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Tokens to learn; special ones are counted on from there [default: 8192, of bytes 256].
    #[arg(long, value_name = "N")]
    pub vocabulary: Option<usize>,
    /// What the tokens are.
    #[arg(long, value_enum, default_value_t = TokenKindArg::BytePairs)]
    pub kind: TokenKindArg,
    /// A text that is one token wherever it stands, such as '<|endoftext|>'; may be given several times.
    #[arg(long, value_name = "TOKEN")]
    pub special: Vec<String>,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}

#[derive(Debug, Args)]
pub struct TokenizerEncodeArgs {
    /// A tokenizer.json.
    pub tokenizer: PathBuf,
    /// The text [default: standard input].
    pub file: Option<PathBuf>,
    /// This text instead of a file's.
    #[arg(long, conflicts_with = "file")]
    pub text: Option<String>,
    /// Print the bytes of the tokens with | between them instead of their numbers.
    #[arg(long)]
    pub show: bool,
}

/// What the tokens of a vocabulary are. Any bytes become such tokens, and come back as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TokenKindArg {
    /// Bytes, and what often stands side by side joined.
    BytePairs,
    /// Bytes, and frequent words.
    Words,
    /// Bytes only.
    Bytes,
}

#[derive(Debug, Args)]
pub struct GcArgs {
    /// The run's directory.
    pub run: PathBuf,
    /// Keep packs that no checkpoint needs for so many seconds, for readers that use them.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub grace: u64,
}

#[derive(Debug, Args)]
pub struct RepairArgs {
    /// The run's directory.
    pub run: PathBuf,
    /// Where what is left of damaged checkpoints goes [default: RUN.salvaged].
    #[arg(long, value_name = "DIR")]
    pub salvage_to: Option<PathBuf>,
    /// Say what is damaged, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Take what the disk refuses to read for lost, as after the death of a sector. Without it, such
    /// an error ends the repair before anything is changed.
    #[arg(long)]
    pub give_up_unreadable: bool,
}

#[derive(Debug, Args)]
pub struct NoteArgs {
    /// A run, or one of its checkpoints as RUN@...
    pub address: String,
    /// The note; an empty one takes it away. Without it, the note is shown.
    pub text: Option<String>,
}

#[derive(Debug, Args)]
pub struct RmArgs {
    /// The run's directory.
    pub run: PathBuf,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct EncryptArgs {
    /// A run's directory or a .rekindle file; it stays as it is.
    pub run: PathBuf,
    /// The new one.
    pub new: PathBuf,
    #[command(flatten)]
    pub recipients: RecipientArgs,
}

#[derive(Debug, Args)]
pub struct RekeyArgs {
    /// The encrypted run's directory.
    pub run: PathBuf,
    #[command(flatten)]
    pub recipients: RecipientArgs,
}

#[derive(Debug, Args)]
pub struct KeygenArgs {
    /// The file for the secret; its public half is printed.
    pub file: PathBuf,
    /// Make an ed25519 key to sign with, in place of an age identity.
    #[arg(long)]
    pub signing: bool,
}

#[derive(Debug, Args)]
pub struct SignArgs {
    /// A run, whose checkpoints are all signed, or one of them as RUN@...
    pub checkpoint: String,
    /// The file with the key to sign with (PEM, as `keygen --signing` or openssl make it).
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
}
