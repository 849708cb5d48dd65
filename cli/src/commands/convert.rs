//! `export` and `import`.

use std::path::Path;

use rekindle::RunOptions;
use rekindle::records::Lineage;
use rekindle::tree::state_hash;
use rekindle_formats::{detect, files, for_writing};
use rekindle_train::Registry;
use serde_json::json;

use crate::address::Source;
use crate::args::ExportArgs;
use crate::exit;
use crate::output;

pub fn export(registry: &Registry, args: &ExportArgs, json: bool) -> anyhow::Result<u8> {
    let file = &args.file;
    let format = for_writing(registry.formats(), file)?;
    args.replace.allow(file)?;
    let (record, warnings) = Source::open(&args.checkpoint)?.read(|source| {
        let checkpoint = source.checkpoint()?;
        let warnings = format.write(&checkpoint, file)?;
        Ok((checkpoint.record().clone(), warnings))
    })?;
    let len = files::len(file).unwrap_or(0);
    if json {
        output::print_json(&json!({
            "file": file, "format": format.name, "bytes": len, "step": record.step,
            "state_hash": record.state_hash, "warnings": warnings,
        }))?;
    } else {
        warnings.iter().for_each(|warning| tell!("note: {warning}"));
        let file = file.display();
        output::print(&format!(
            "wrote step {} as {} to {file} ({})",
            record.step,
            format.name,
            output::bytes(len)
        ))?;
    }
    Ok(0)
}

pub fn import(registry: &Registry, file: &Path, run: &Path, json: bool) -> anyhow::Result<u8> {
    let format = detect(registry.formats(), file)?;
    let document = format.read(file)?;
    let lineage = Lineage {
        source: file.display().to_string(),
        run: None,
        step: Some(document.step),
        state_hash: Some(state_hash(&document.tree)),
        only: None,
    };
    let mut made = RunOptions::new().system(&document.about.system).lineage(lineage).create(run)?;
    *made.about_mut() = document.about;
    made.take_history(document.history);
    let saved = made.save_tree(document.step, &document.tree)?;
    if json {
        output::print_json(&json!({
            "run": run, "format": format.name, "step": document.step,
            "state_hash": saved.record.state_hash, "warnings": document.warnings,
        }))?;
    } else {
        output::print(&format!("made {} from {}: step {}", run.display(), format.name, document.step))?;
        if !document.warnings.is_empty() {
            let warnings: Vec<String> =
                document.warnings.iter().map(|warning| format!("- {warning}")).collect();
            output::print(&format!("Not everything was carried over:\n{}", warnings.join("\n")))?;
        }
    }
    Ok(if document.warnings.is_empty() { 0 } else { exit::PARTIAL })
}
