//! Files of the original program, imported and exported again: what they say is carried over or left out, and
//! nothing is made up.

use std::path::Path;

use rekindle::RunOptions;
use rekindle_formats::{Format, detect, files, for_writing};
use rekindle_train::Family;
use rekindle_wnn::Wnn;
use serde_json::{Value, json};

/// Imports a file as a run, and exports that as `name`.
fn again(dir: &Path, file: &Value, name: &str) -> (&'static Format, Value, Vec<String>) {
    let path = dir.join("in.json");
    // The original writes what the file is about first.
    let mut members: Vec<(&String, &Value)> = file.as_object().unwrap().iter().collect();
    members.sort_by_key(|(name, _)| !["genome", "phase_result", "final"].contains(&name.as_str()));
    let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    files::write(&path, format!("{{{}}}", members.join(",")).as_bytes()).unwrap();
    let format = detect(Wnn::formats(), &path).unwrap();
    let document = format.read(&path).unwrap();
    let run = dir.join("run");
    let mut made = RunOptions::new().system("wnn").create(&run).unwrap();
    *made.about_mut() = document.about;
    made.save_tree(document.step, &document.tree).unwrap();
    let out = dir.join(name);
    let checkpoint = made.store().checkpoint(document.step).unwrap();
    for_writing(Wnn::formats(), &out).unwrap().write(&checkpoint, &out).unwrap();
    let (document, warnings) = (json_of(&out), document.warnings);
    (format, document, warnings)
}

fn json_of(path: &Path) -> Value {
    let bytes = files::read_text(path, 1 << 20).map(String::into_bytes);
    let bytes = bytes.unwrap_or_else(|_| {
        let mut text = Vec::new();
        let file = files::open(path).unwrap();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
        text
    });
    serde_json::from_slice(&bytes).unwrap()
}

fn genome(fitness: Option<Value>) -> Value {
    let mut genome = json!({
        "bits_per_cluster": [2, 1],
        "neurons_per_cluster": [1, 300],
        "connections": vec![5; 302],
    });
    if let Some(fitness) = fitness {
        genome["cached_fitness"] = fitness;
    }
    genome
}

fn phase(threshold: Value, initial: Value) -> Value {
    json!({
        "phase_result": {
            "phase_name": "Phase 1b: TS Neurons Only (refine)",
            "strategy_type": "TS",
            "final_fitness": 3.25,
            "final_accuracy": 0.5,
            "iterations_run": 7,
            "best_genome": genome(Some(json!([3.25, 0.5]))),
            "final_threshold": threshold,
            "initial_fitness": initial,
            "initial_accuracy": null,
            "final_population": [genome(Some(json!([3.5, 0.25]))), genome(None)],
        },
        "_metadata": {"phase_key": "1b", "rotation_seed": 42},
    })
}

#[test]
fn a_genome_says_no_more_of_its_fitness_than_its_file_did() {
    for (cached, fitness, accuracy) in [
        (Some(json!([3.5, 0.25])), Some(3.5), Some(0.25)),
        (Some(json!([3.5, 0.25])), Some(4.5), Some(0.125)),
        (None, Some(9.25), None),
        (None, None, None),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut file = json!({"genome": genome(cached.clone())});
        file["stats"] = json!({});
        if let Some(fitness) = fitness {
            file["fitness"] = fitness.into();
        }
        if let Some(accuracy) = accuracy {
            file["accuracy"] = accuracy.into();
        }
        let (format, mut back, warnings) = again(dir.path(), &file, "a.genome.json.gz");
        assert_eq!(format.name, "WNN genome");
        assert_eq!(back["stats"]["max_neurons"], 300);
        back["stats"] = json!({});
        assert_eq!(back, file);
        assert!(warnings.iter().any(|warning| warning.contains("neither the text")), "{warnings:?}");
    }
}

#[test]
fn a_phase_keeps_its_beginning_and_the_fitness_of_its_population() {
    for file in [phase(json!(0.0003), json!(4.0)), phase(Value::Null, Value::Null)] {
        let dir = tempfile::tempdir().unwrap();
        let (format, back, _) = again(dir.path(), &file, "a.phase.json.gz");
        assert_eq!(format.name, "WNN phase checkpoint");
        assert_eq!(back, file);
    }
}

#[test]
fn results_are_known_by_any_phase_and_keep_what_is_of_the_genome() {
    let last = json!({"fitness": 3.5, "accuracy": 0.25, "genome": genome(None)});
    for first in ["phase1_ga", "phase1_ts", "phase2_ga", "phase2_ts", "phase3_ga", "phase3_ts", "final"] {
        let dir = tempfile::tempdir().unwrap();
        // The original writes its members in the order of the phases.
        let text = format!("{{\"{first}\": {{\"fitness\": 3.5}}, \"final\": {last}, \"pass\": 2}}");
        let text = if first == "final" { format!("{{\"final\": {last}}}") } else { text };
        let path = dir.path().join("results");
        files::write(&path, text.as_bytes()).unwrap();
        let format = detect(Wnn::formats(), &path).unwrap();
        assert_eq!(format.name, "WNN results", "{first}");
        let losses = format.read(&path).unwrap().warnings.join(" ");
        assert!(losses.contains("figures of the phases"), "{losses}");
    }
    let dir = tempfile::tempdir().unwrap();
    let (_, back, _) = again(dir.path(), &json!({"final": last}), "a.results.json");
    let names: Vec<&String> = back.as_object().unwrap().keys().collect();
    assert_eq!(names, ["final"], "the search is not known");
    assert_eq!((&back["final"]["fitness"], &back["final"]["accuracy"]), (&json!(3.5), &json!(0.25)));
}

#[test]
fn the_results_of_a_run_are_results_again() {
    let dir = tempfile::tempdir().unwrap();
    let config = crate::common::small(&[]);
    let state = crate::common::search(&config);
    let conclusion = {
        let mut runtime = crate::common::attach(&config, &state, 1);
        rekindle_train::System::conclude(&mut runtime, &state).unwrap()
    };
    let path = dir.path().join("results.json");
    files::write(&path, &conclusion.artifacts[0].1).unwrap();
    assert_eq!(detect(Wnn::formats(), &path).unwrap().name, "WNN results");
    assert!(detect(Wnn::formats(), &path).unwrap().read(&path).is_ok());
    // As runs had them before: by name.
    let sorted: Value = serde_json::from_slice(&conclusion.artifacts[0].1).unwrap();
    files::write(&path, format!("{sorted:#}").as_bytes()).unwrap();
    assert_eq!(detect(Wnn::formats(), &path).unwrap().name, "WNN results");
}
