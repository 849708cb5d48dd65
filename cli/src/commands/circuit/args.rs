//! The arguments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::replace::ReplaceArgs;

#[derive(Debug, Subcommand)]
pub enum CircuitCommand {
    /// Make a circuit smaller, and prove that the smaller one computes the same.
    Simplify(SimplifyArgs),
    /// Prove that two circuits compute the same, or show a case in which they do not.
    Check {
        /// A certificate of `circuit simplify`; or a run, a checkpoint, or a file of a circuit.
        a: String,
        /// The run, checkpoint or file to compare it with.
        b: Option<String>,
    },
    /// Count the gates of a circuit, and how many of them it needs.
    Info {
        /// A run, a checkpoint, or a file of a circuit: AIGER, or one that `import` reads.
        circuit: String,
    },
}

#[derive(Debug, Args)]
pub struct SimplifyArgs {
    /// A run, a checkpoint, or a file of a circuit: AIGER, or one that `import` reads.
    pub circuit: String,
    /// The file to write; its ending says the format: .aag, .aig, .blif, .v, .c, .dot, .rle or .onnx.
    #[arg(short, long, value_name = "FILE")]
    pub out: PathBuf,
    /// Write the proof into this file, for `circuit check`.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    #[command(flatten)]
    pub replace: ReplaceArgs,
}
