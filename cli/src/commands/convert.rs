//! `export` and `import`.

use anyhow::Context;
use rekindle::records::Lineage;
use rekindle::storage::{FileStorage, Storage};
use rekindle::{Checkpoint, Writer};
use rekindle_formats::{Format, Imported, detect, files, for_writing};
use rekindle_train::Registry;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

use crate::address::Source;
use crate::args::ExportArgs;
use crate::commands::circuit::format_of;
use crate::commands::metrics_file::MetricsFile;
use crate::commands::train::system_of;
use crate::exit;
use crate::output;

pub fn export(registry: &Registry, args: &ExportArgs, json: bool) -> anyhow::Result<u8> {
    let file = &args.file;
    let format = match (format_of(file), MetricsFile::of(file)) {
        (Some(circuits), _) => Writing::Circuit(circuits),
        (None, Some(metrics)) => Writing::Metrics(metrics),
        (None, None) => Writing::State(for_writing(registry.formats(), file)?),
    };
    args.replace.allow(file)?;
    let (record, warnings) = Source::open(&args.checkpoint)?.read(|source| {
        let checkpoint = source.checkpoint()?;
        let warnings = format.write(registry, source, &checkpoint, args)?;
        Ok((checkpoint.record().clone(), warnings))
    })?;
    let format = format.name();
    let len = files::total_len(file).unwrap_or(0);
    if json {
        output::print_json(&json!({
            "file": file, "format": format, "bytes": len, "step": record.step,
            "state_hash": record.state_hash, "warnings": warnings,
        }))?;
    } else {
        warnings.iter().for_each(|warning| tell!("note: {warning}"));
        let file = file.display();
        output::print(&format!(
            "wrote step {} as {} to {file} ({})",
            record.step,
            format,
            output::bytes(len)
        ))?;
    }
    Ok(0)
}

/// How a checkpoint is written: its state, the circuit that its model is, or what was measured until then.
enum Writing<'a> {
    State(&'a Format),
    Metrics(MetricsFile),
    Circuit(&'static rekindle_gates::formats::Writing),
}

impl Writing<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::State(format) => format.name,
            Self::Circuit(format) => format.name,
            Self::Metrics(kind) => kind.name(),
        }
    }

    /// Writes the file; gives warnings.
    fn write(
        &self,
        registry: &Registry,
        source: &Source,
        checkpoint: &Checkpoint<'_>,
        args: &ExportArgs,
    ) -> anyhow::Result<Vec<String>> {
        let file = &args.file;
        let format = match self {
            Self::State(format) => return Ok(format.write(checkpoint, file)?),
            Self::Metrics(kind) => return kind.write(registry, source, checkpoint, file),
            Self::Circuit(format) => format,
        };
        let system = registry.system(&system_of(&source.store), &args.checkpoint)?;
        let bytes = (format.write)(&system.circuit(checkpoint)?)?;
        files::write(file, &bytes).with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(vec![
            "Only the circuit is written, of all its gates; `circuit simplify` writes a smaller one."
                .to_owned(),
        ])
    }
}

pub fn import(registry: &Registry, file: &Path, run: &Path, json: bool) -> anyhow::Result<u8> {
    let format = detect(registry.formats(), file)?;
    let (was_there, mut is_made) = (files::exists(run), false);
    let result = format.import(file, &mut |about| {
        let source = file.display().to_string();
        let lineage = Lineage { source, run: None, step: None, state_hash: None, only: None };
        let storage: Arc<dyn Storage> = Arc::new(FileStorage::new(run));
        let writer = Writer::create(storage, &about.system, Some(lineage), "rekindle import")?;
        is_made = true;
        Ok(writer)
    });
    let Imported { saved, warnings } = result.inspect_err(|_| {
        // A run without a checkpoint is of no use; one that was there is not touched.
        if is_made && !was_there {
            let _ = files::remove_directory(run);
        }
    })?;
    let step = saved.record.step;
    if json {
        output::print_json(&json!({
            "run": run, "format": format.name, "step": step,
            "state_hash": saved.record.state_hash, "warnings": warnings,
        }))?;
    } else {
        output::print(&format!("made {} from {}: step {step}", run.display(), format.name))?;
        if !warnings.is_empty() {
            let warnings: Vec<String> = warnings.iter().map(|warning| format!("- {warning}")).collect();
            output::print(&format!("Not everything was carried over:\n{}", warnings.join("\n")))?;
        }
    }
    Ok(if warnings.is_empty() { 0 } else { exit::PARTIAL })
}
