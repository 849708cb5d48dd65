//! `docs/guide/json.md` says what the commands print as JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::common::World;

/// The keys of an object, as a table of the page has them.
type Shape = BTreeMap<String, String>;

fn shapes() -> BTreeMap<String, Shape> {
    let page = include_str!("../../../docs/guide/json.md");
    let mut shapes: BTreeMap<String, Shape> = BTreeMap::new();
    let mut title = String::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")) {
            title = heading.replace('`', "");
        }
        let cells: Vec<&str> = line.split(" | ").map(|cell| cell.trim_matches([' ', '|'])).collect();
        if let [key, kind, _] = cells[..]
            && let Some(key) = key.strip_prefix('`').and_then(|key| key.strip_suffix('`'))
        {
            shapes.entry(title.clone()).or_default().insert(key.to_owned(), kind.to_owned());
        }
    }
    shapes
}

fn is_of(value: &Value, kind: &str) -> bool {
    if let Some(kind) = kind.strip_suffix('?') {
        return value.is_null() || is_of(value, kind);
    }
    match kind {
        "text" => value.is_string(),
        "count" => value.is_u64(),
        "number" => value.is_number(),
        "yes/no" => value.is_boolean(),
        "any" => true,
        _ => match (kind.strip_prefix('['), kind.strip_prefix('{')) {
            (Some(kind), _) => {
                let kind = kind.trim_end_matches(']');
                value.as_array().is_some_and(|items| items.iter().all(|item| is_of(item, kind)))
            }
            (_, Some(kind)) => {
                let kind = kind.trim_end_matches('}');
                value.as_object().is_some_and(|fields| fields.values().all(|field| is_of(field, kind)))
            }
            _ => panic!("there is no type {kind}"),
        },
    }
}

/// Says where a value and what the page says of it differ.
fn compare(shape: &Shape, prefix: &str, value: &Value, found: &mut Vec<String>) {
    let Some(fields) = value.as_object() else {
        return found.push(format!("{prefix} is no object"));
    };
    for (name, value) in fields {
        let path = format!("{prefix}{name}");
        let (within, items) = (format!("{path}."), format!("{path}[]."));
        let has = |prefix: &str| shape.keys().any(|key| key.starts_with(prefix));
        match (shape.get(&path), value) {
            (Some(kind), value) if !is_of(value, kind) => {
                found.push(format!("{path} is {value}, not {kind}"))
            }
            (Some(_), _) => {}
            (None, Value::Array(list)) if has(&items) => {
                list.iter().for_each(|item| compare(shape, &items, item, found));
            }
            (None, value) if has(&within) => compare(shape, &within, value, found),
            (None, _) => found.push(format!("{path} is not on the page")),
        }
    }
    for key in shape.keys().filter_map(|key| key.strip_prefix(prefix)) {
        let name = key.split(['.', '[']).next().unwrap_or_default();
        if !fields.contains_key(name) {
            found.push(format!("{prefix}{name} is on the page only"));
        }
    }
}

fn check(title: &str, printed: &Value) {
    let shapes = shapes();
    let shape = shapes.get(title).unwrap_or_else(|| panic!("the page has no table for {title}"));
    let mut printed = printed.clone();
    let version = printed.as_object_mut().and_then(|fields| fields.remove("schema_version"));
    assert_eq!(version, Some(Value::from(1)), "{title}: {printed}");
    let mut found = Vec::new();
    compare(shape, "", &printed, &mut found);
    assert!(found.is_empty(), "{title}: {}\n{printed}", found.join("; "));
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_page_says_what_commands_print() {
    let world = World::new();
    let events = lines(&world.ok("train small.yaml --run runs/r --json"));
    for name in ["started", "step", "evaluated", "ended"] {
        let event = events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name}"));
        check(&format!("event {}", name.replace("evaluated", "step")), event);
    }
    let notices = lines(&world.ok("resume runs/r --json -q --set training.epochs=61"));
    let notice = notices.iter().find(|event| event["event"] == "notice").unwrap();
    check("event notice", notice);
    let error: Value = serde_json::from_str(world.fails(10, "status nowhere --json").trim()).unwrap();
    check("Errors", &error);
    let usage: Value = serde_json::from_str(world.fails(2, "ls --nonsense --json").trim()).unwrap();
    check("Errors", &usage);
    world.ok("tag runs/r@20 golden");
    world.ok("cp runs/r other");
    world.write("text.txt", "to be or not to be, that is the question\n".repeat(20).as_bytes());
    world.write("facts.logic", b"q\nq implies p\n");
    for (title, words) in [
        ("presets", "presets"),
        ("show-config --explain", "show-config small.yaml --explain"),
        ("prove", "prove small.yaml --steps 4 --kills 1"),
        ("audit", "audit runs/r --spans 1"),
        ("report", "report runs/r"),
        ("ls", "ls"),
        ("ls RUN", "ls runs/r"),
        ("status", "status runs/r"),
        ("inspect", "inspect runs/r"),
        ("inspect RUN ARRAY", "inspect runs/r state.update.layers.0.logits"),
        ("diff", "diff runs/r runs/r@61"),
        ("verify", "verify runs/r"),
        ("tag", "tag runs/r"),
        ("note", "note runs/r"),
        ("prune", "prune other --keep-last 1"),
        ("gc", "gc other"),
        ("circuit info", "circuit info runs/r"),
        ("circuit simplify", "circuit simplify runs/r --out r.aag --certificate r.proof.json"),
        ("circuit check", "circuit check r.proof.json"),
        ("reason", "reason p --knowledge facts.logic --engine horn --proof"),
        ("reason --graph", "reason --knowledge facts.logic --graph facts.dot"),
        ("problems", "problems rules --check sat -o rules.jsonl"),
        ("simulate", "simulate runs/r --steps 5 --damage 2:1 --bombing 1"),
        ("repair", "repair other"),
        ("cp", "cp runs/r copy"),
        ("export", "export runs/r x.safetensors"),
        ("import", "import x.safetensors --run imported"),
        ("keygen", "keygen me.key"),
        ("keygen", "keygen --signing sign.pem"),
        ("sign", "sign runs/r@20 --key sign.pem"),
        ("tokenizer build", "tokenizer build text.txt --vocabulary 270 --out t.json"),
        ("tokenizer encode", "tokenizer encode t.json text.txt"),
        ("tokenizer stats", "tokenizer stats t.json text.txt"),
        ("doctor", "doctor"),
    ] {
        check(title, &world.json(words));
    }
    let recipient = world.json("keygen other.key")["public"].as_str().unwrap().to_owned();
    check("encrypt", &world.json(&format!("encrypt runs/r secret --recipient {recipient}")));
}

#[test]
fn the_page_says_what_models_answer() {
    let world = World::new();
    let rows: String =
        (0..120).map(|i| format!("{},{},{}\n", i % 7, i % 5, ["a", "b"][usize::from(i % 7 > 3)])).collect();
    world.write("t.csv", format!("x,y,kind\n{rows}").as_bytes());
    world.ok("train wisard --data t.csv --set training.data.target=kind --run r");
    check("evaluate", &world.json("evaluate r --data t.csv"));
    check("predict", &world.json("predict r --data t.csv"));
    check("describe", &world.json("describe r"));
    check("plot", &world.json("plot r --what mental-images"));
    let settings =
        r#"--set model.ranges={"x":[0,7],"y":[0,5]} --set model.window=0 --set model.tuple_bits=5"#;
    world.ok(&format!("train wisard-exact --data t.csv --target kind {settings} --run e"));
    check("learn and forget", &world.json("learn e --data t.csv"));
    check("learn and forget", &world.json("forget e --data t.csv"));
}
