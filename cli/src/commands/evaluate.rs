//! `evaluate`: how a trained model does on data that it has not seen.

mod suites;

use std::path::Path;

use anyhow::{Context, bail};
use rekindle_data::{Calibration, Confusion, NumberErrors, TableEvaluation};
use rekindle_formats::files;
use rekindle_train::{Registry, TextMeasure, TextModel, number};
use serde_json::{Value, json};

use crate::address::Source;
use crate::args::EvaluateArgs;
use crate::commands::predict::{Asked, ask};
use crate::commands::train::system_of;
use crate::language_model;
use crate::output;

/// A text is never longer: bytes.
const TEXT_LIMIT: u64 = 1 << 30;

pub fn evaluate(registry: &Registry, args: &EvaluateArgs, json: bool) -> anyhow::Result<u8> {
    let threads = args.threads.count();
    let Some(data) = &args.data else { return suites::evaluate(registry, args, json) };
    if let Some(model) = language_model::of_another_program(registry, &args.model, threads)? {
        return evaluate_text(&*model, data, args, json);
    }
    let source = Source::open(&args.model)?;
    let system = registry.system(&system_of(&source.store), &args.model)?;
    if system.text().is_some() {
        let model = language_model::of_checkpoint(registry, source, &args.model, threads)?;
        return evaluate_text(&*model, data, args, json);
    }
    if args.by_precision {
        bail!("--by-precision is for language models: `{}` is a `{}` model", args.model, system.name());
    }
    let Asked { table, answers, .. } = ask(system, source, data)?;
    let evaluation = TableEvaluation::of(&answers, &table).with_context(|| data.display().to_string())?;
    if json {
        output::print_json(&in_json(&evaluation))?;
    } else {
        output::print(&in_words(&evaluation))?;
    }
    Ok(0)
}

fn evaluate_text(model: &dyn TextModel, data: &Path, args: &EvaluateArgs, json: bool) -> anyhow::Result<u8> {
    let text = files::read_text(data, TEXT_LIMIT).with_context(|| data.display().to_string())?;
    if args.by_precision {
        let measures =
            model.measure_by_precision(text.as_bytes()).with_context(|| data.display().to_string())?;
        return by_precision(&measures, json);
    }
    let measure = model.measure(text.as_bytes()).with_context(|| data.display().to_string())?;
    if json {
        output::print_json(&measure_in_json(&measure))?;
        return Ok(0);
    }
    let rows = [
        ("loss", format!("{} nats a token", number(measure.loss))),
        ("perplexity", number(measure.perplexity())),
        ("bits per byte", number(measure.bits_per_byte())),
        ("measured on", format!("{} tokens, {} bytes", measure.tokens, measure.bytes)),
    ];
    let rows = rows.map(|(name, found)| vec![name.to_owned(), found]);
    output::print(&output::table(&["measure", "found"], &rows))?;
    Ok(0)
}

fn measure_in_json(measure: &TextMeasure) -> Value {
    let TextMeasure { tokens, bytes, loss } = measure;
    json!({
        "tokens": tokens, "bytes": bytes, "loss": loss,
        "perplexity": measure.perplexity(), "bits_per_byte": measure.bits_per_byte(),
    })
}

/// A row for each precision, and by how much its perplexity is above that of the first.
fn by_precision(measures: &[(&'static str, TextMeasure)], json: bool) -> anyhow::Result<u8> {
    let Some((_, first)) = measures.first() else { return Ok(0) };
    let change = |measure: &TextMeasure| measure.perplexity() / first.perplexity() - 1.0;
    if json {
        let rows: Vec<Value> = measures
            .iter()
            .map(|(precision, measure)| {
                let mut row = measure_in_json(measure);
                row["precision"] = json!(precision);
                row["perplexity_change"] = json!(change(measure));
                row
            })
            .collect();
        output::print_json(&json!({"precisions": rows}))?;
        return Ok(0);
    }
    let rows: Vec<Vec<String>> = measures
        .iter()
        .map(|(precision, measure)| {
            let change = format!("{:+.4} %", 100.0 * change(measure));
            let numbers = [measure.loss, measure.perplexity(), measure.bits_per_byte()];
            let numbers = numbers.map(|number| format!("{number:.6}"));
            std::iter::once((*precision).to_owned()).chain(numbers).chain([change]).collect()
        })
        .collect();
    let header = ["weights", ">loss", ">perplexity", ">bits per byte", ">perplexity, change"];
    output::print(&output::table(&header, &rows))?;
    output::print(&format!("measured on {} tokens, {} bytes", first.tokens, first.bytes))?;
    Ok(0)
}

fn in_json(evaluation: &TableEvaluation) -> Value {
    match evaluation {
        TableEvaluation::Classes(confusion, calibration) => classes_in_json(confusion, calibration),
        TableEvaluation::Numbers(columns) => {
            let columns = columns.iter().map(|errors| {
                json!({
                    "target": errors.column,
                    "rows": errors.rows,
                    "mean_absolute_error": errors.mean_absolute,
                    "root_mean_square_error": errors.root_mean_square,
                    "bias": errors.bias,
                    "r_squared": errors.r_squared,
                })
            });
            json!({"columns": columns.collect::<Vec<_>>()})
        }
    }
}

fn classes_in_json(confusion: &Confusion, calibration: &Calibration) -> Value {
    let classes = confusion.classes.iter().enumerate().map(|(index, class)| {
        json!({"class": class, "precision": confusion.precision(index), "recall": confusion.recall(index)})
    });
    json!({
        "target": confusion.column,
        "rows": confusion.matrix.all(),
        "right": confusion.matrix.right(),
        "accuracy": confusion.matrix.accuracy(),
        "macro_f1": confusion.macro_f1(),
        "classes": classes.collect::<Vec<_>>(),
        "confusion": confusion.matrix.by_class().collect::<Vec<_>>(),
        "calibration": calibration_in_json(calibration),
    })
}

fn calibration_in_json(calibration: &Calibration) -> Value {
    let bins = calibration.bins.iter().map(|bin| {
        json!({
            "from": bin.from, "to": bin.to, "rows": bin.rows,
            "confidence": bin.confidence, "accuracy": bin.accuracy,
        })
    });
    json!({
        "expected_error": calibration.expected_error,
        "brier": calibration.brier,
        "log_loss": calibration.log_loss,
        "bins": bins.collect::<Vec<_>>(),
    })
}

fn calibration_in_words(calibration: &Calibration) -> String {
    let rows: Vec<Vec<String>> = calibration
        .bins
        .iter()
        .map(|bin| {
            let shares = [bin.confidence, bin.accuracy].map(|share| format!("{share:.4}"));
            let span = format!("{:.0} to {:.0} %", 100.0 * bin.from, 100.0 * bin.to);
            [span].into_iter().chain(shares).chain([bin.rows.to_string()]).collect()
        })
        .collect();
    format!(
        "{}\n\ncalibration error {:.4}, Brier score {:.4}, log loss {:.4} nats",
        output::table(&["how sure", ">mean confidence", ">right", ">rows"], &rows),
        calibration.expected_error,
        calibration.brier,
        calibration.log_loss
    )
}

fn in_words(evaluation: &TableEvaluation) -> String {
    match evaluation {
        TableEvaluation::Classes(confusion, calibration) => {
            format!("{}\n\n{}", classes_in_words(confusion), calibration_in_words(calibration))
        }
        TableEvaluation::Numbers(columns) => numbers_in_words(columns),
    }
}

fn classes_in_words(confusion: &Confusion) -> String {
    let answers: Vec<String> = confusion.classes.iter().map(|class| format!(">as {class}")).collect();
    let header = std::iter::once(confusion.column.as_str()).chain(answers.iter().map(String::as_str));
    let header: Vec<&str> = header.chain([">recall", ">precision"]).collect();
    let rows: Vec<Vec<String>> = confusion
        .matrix
        .by_class()
        .enumerate()
        .map(|(class, counts)| {
            let counts = counts.iter().map(u64::to_string);
            let shares = [share(confusion.recall(class)), share(confusion.precision(class))];
            std::iter::once(confusion.classes[class].clone()).chain(counts).chain(shares).collect()
        })
        .collect();
    format!(
        "{}\n\naccuracy {:.4} ({} of {} rows), macro F1 {:.4}",
        output::table(&header, &rows),
        confusion.matrix.accuracy(),
        confusion.matrix.right(),
        confusion.matrix.all(),
        confusion.macro_f1()
    )
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{share:.4}"))
}

fn numbers_in_words(columns: &[NumberErrors]) -> String {
    let header = ["column", ">mean error", ">root mean square", ">bias", ">R squared", ">rows"];
    let rows: Vec<Vec<String>> = columns
        .iter()
        .map(|errors| {
            let measures = [errors.mean_absolute, errors.root_mean_square, errors.bias].map(number);
            let ends = [share(errors.r_squared), errors.rows.to_string()];
            std::iter::once(errors.column.clone()).chain(measures).chain(ends).collect()
        })
        .collect();
    output::table(&header, &rows)
}
