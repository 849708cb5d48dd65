//! `circuit simplify`: a smaller circuit with a proof.

use anyhow::{Context, bail};
use rekindle_formats::files;
use rekindle_gates::{Certificate, Limits, Verdict};
use rekindle_train::Registry;
use serde_json::json;

use crate::exit;
use crate::output;

use super::args::SimplifyArgs;
use super::check::words_of;
use super::known_format_of;
use super::load::load;

pub fn simplify(registry: &Registry, args: &SimplifyArgs, json: bool) -> anyhow::Result<u8> {
    let format = known_format_of(&args.out)?;
    let source = std::path::Path::new(&args.circuit);
    for file in [Some(&args.out), args.certificate.as_ref()].into_iter().flatten() {
        args.replace.allow_beside(file, [source])?;
    }
    if args.certificate.as_ref() == Some(&args.out) {
        bail!("the circuit and its certificate cannot be one file");
    }
    let circuit = load(registry, &args.circuit)?;
    let simplified = rekindle_gates::simplify(&circuit, Limits::default())?;
    let (verdict, smaller) = (&simplified.verdict, &simplified.circuit);
    if matches!(verdict, Verdict::Different { .. }) {
        bail!(
            "the smaller circuit does not compute the same, so it is not written: this is a mistake of the program"
        );
    }
    let file = (format.write)(smaller)?;
    files::write(&args.out, &file).with_context(|| format!("cannot write `{}`", args.out.display()))?;
    let certificate = Certificate::of(&circuit, smaller, verdict);
    let certified = match (&args.certificate, certificate) {
        (Some(path), Some(certificate)) => {
            let json = certificate.write()?;
            files::write(path, &json).with_context(|| format!("cannot write `{}`", path.display()))?;
            Some(path)
        }
        _ => None,
    };
    if json {
        output::print_json(&json!({
            "file": args.out, "format": format.name, "bytes": file.len(), "gates_before": circuit.gates().len(),
            "gates": smaller.gates().len(), "proof": words_of(verdict), "certificate": certified,
        }))?;
    } else {
        let (before, after) = (circuit.gates().len(), smaller.gates().len());
        let out = args.out.display();
        output::print(&format!("{before} gates became {after}; wrote {out}\n{}", words_of(verdict)))?;
        if let Some(path) = certified {
            output::print(&format!("wrote {}", path.display()))?;
        }
    }
    // Without a proof there is no certificate either.
    Ok(if matches!(verdict, Verdict::Equal { .. }) { 0 } else { exit::NEGATIVE })
}
