//! Names that lead out of the run, or mean something to a system or a shell.
//!
//! Each is given as a tag, as a file for people, as an object of a checkpoint file, and as an entry
//! of a safetensors and of a JSON file, which is then saved in a run in a directory and exported
//! again. Beside the run's directory lies a file; neither it nor anything else outside may change.

#![allow(clippy::disallowed_methods, reason = "the harness looks at the directory around the run")]

use std::path::{Path, PathBuf};

use rekindle::tree::state_hash;
use rekindle::{EntryPath, RunOptions};
use rekindle_formats::{FORMATS, detect, for_writing};

use super::files::{archive, json_with};
use super::runs::Objects;
use crate::outcome::{Outcome, guarded};
use crate::sample::Failure;

/// Tries every name, or every so many-th, everywhere.
pub fn try_all(stride: usize, outcome: &mut Outcome) {
    let place = match Place::new() {
        Ok(place) => place,
        Err(error) => return outcome.fail(format!("the place for the names cannot be made: {error}")),
    };
    type Use = (&'static str, fn(&Place, &str) -> Result<(), Failure>);
    let uses: [Use; 5] = [
        ("tag", as_tag),
        ("file for people", as_note),
        ("object of a checkpoint file", as_object),
        ("tensor", as_tensor),
        ("field of a JSON file", as_field),
    ];
    for name in all().into_iter().step_by(stride) {
        outcome.count("hostile names", 1);
        for (what, give) in uses {
            outcome.count("uses of names", 1);
            let result = guarded(|| {
                place.empty().map_err(|error| error.to_string())?;
                give(&place, &name).map_err(|error| error.to_string())?;
                place.is_untouched()
            });
            outcome.check(result, || format!("the name {name:?} as a {what}"));
        }
    }
}

/// All names.
fn all() -> Vec<String> {
    let outside =
        ["x", "../x", "../../x", "a/../../x", "./x", "a/./x", "..", ".", "...", "", "/", "//", "a/", "/x"];
    let absolute =
        ["/tmp/rekindle-escaped", "/etc/passwd", "~/x", "~", "$HOME/x", "file:///tmp/x", "//server/x"];
    let windows = [
        "C:x",
        "C:\\x",
        "c:/x",
        "\\x",
        "..\\x",
        "a\\..\\..\\x",
        "\\\\server\\share\\x",
        "\\\\?\\C:\\x",
        "\\\\.\\nul",
        "con",
        "CON",
        "con.txt",
        "nul",
        "NUL.json",
        "aux",
        "prn",
        "com1",
        "COM9.x",
        "lpt1",
        "x.",
        "x ",
        " x",
        "x:stream",
        "x::$DATA",
        "a*b",
        "a?b",
        "a<b",
        "a>b",
        "a|b",
        "a\"b",
    ];
    let control =
        ["\0", "a\0b", "../\0x", "\n", "a\nb", "\r", "\t", "\u{1b}[2J", "\u{7f}", "\u{8}", "a\u{0}.pack"];
    let unicode = [
        "é",
        "e\u{301}",
        "\u{202e}gpj.exe",
        "\u{200b}",
        "\u{feff}x",
        "．．/x",
        "‥/x",
        "／x",
        "∕x",
        "\u{2215}..",
        "ﬀ",
        "ſ",
        "İ",
        "ß",
        "🔥",
        "日本",
        "\u{10ffff}",
        "\u{d7ff}",
        "a\u{300}\u{301}\u{302}",
        "\u{ad}",
    ];
    let shell = [
        "-rf",
        "--help",
        "-",
        "--",
        "$(touch x)",
        "`touch x`",
        "; touch x",
        "&& x",
        "| x",
        "> x",
        "'",
        "''",
        "\\",
        "%2e%2e/x",
        "%2e%2e%2fx",
        "..%2fx",
        "..%5cx",
        "%00",
        "{{x}}",
        "${x}",
        "#{x}",
        "@x",
        "!x",
        "*",
        "[a]",
        "<x>",
    ];
    let own = [
        "rekindle.json",
        "lease",
        "lease.holder.json",
        "commits/000000000001.json",
        "packs/x.pack",
        "refs/tags/x",
        "tmp/x",
        "trash/x",
        "damaged/x",
        "metrics/x",
        "commits",
        "packs",
        "latest",
        "best",
        "123",
        "$array",
        "$map",
        "__metadata__",
        "blake3",
        "__proto__",
        "artifacts/../rekindle.json",
        "refs/tags/../../x",
    ];
    let groups: [&[&str]; 7] = [&outside, &absolute, &windows, &control, &unicode, &shell, &own];
    let mut names: Vec<String> = groups.concat().into_iter().map(str::to_owned).collect();
    names.extend([
        "x".repeat(300),
        "../".repeat(100) + "x",
        "a/".repeat(500) + "x",
        ".".repeat(200),
        "é".repeat(200),
    ]);
    names
}

/// A directory with a run, a place for files, and a file that nobody may touch.
struct Place {
    around: tempfile::TempDir,
    before: Vec<PathBuf>,
}

const CANARY: &str = "canary";

impl Place {
    fn new() -> Result<Self, Failure> {
        let around = tempfile::tempdir()?;
        std::fs::create_dir_all(around.path().join("a/b"))?;
        std::fs::write(around.path().join("a").join(CANARY), CANARY)?;
        let mut place = Self { around, before: Vec::new() };
        place.empty()?;
        place.before = place.outside();
        Ok(place)
    }

    fn run(&self) -> PathBuf {
        self.around.path().join("a/b/run")
    }

    fn files(&self) -> PathBuf {
        self.around.path().join("a/b/files")
    }

    fn empty(&self) -> Result<(), Failure> {
        for dir in [self.run(), self.files()] {
            if dir.exists() {
                std::fs::remove_dir_all(&dir)?;
            }
            std::fs::create_dir_all(&dir)?;
        }
        Ok(())
    }

    /// Every path around the run and the files, and what names that begin at the root would make.
    fn outside(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut rest = vec![self.around.path().to_owned()];
        while let Some(dir) = rest.pop() {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                let path = entry.path();
                if path != self.run() && path != self.files() {
                    found.push(path.clone());
                    if path.is_dir() {
                        rest.push(path);
                    }
                }
            }
        }
        for path in ["/tmp/rekindle-escaped", "/x", "x", "../x"] {
            found.extend(Path::new(path).exists().then(|| path.into()));
        }
        found.sort();
        found
    }

    fn is_untouched(&self) -> Result<(), String> {
        let now = self.outside();
        if now != self.before {
            return Err(format!("something was written outside: {now:?}, before {:?}", self.before));
        }
        let canary = std::fs::read(self.around.path().join("a").join(CANARY));
        if canary.ok().as_deref() != Some(CANARY.as_bytes()) {
            return Err("the file beside the run was changed".to_owned());
        }
        Ok(())
    }
}

/// What the engine's own rule allows in names of objects.
fn is_plain(name: &str) -> bool {
    let good = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && part.chars().all(allowed) && part.chars().any(|c| c != '.')
    };
    name.len() <= 255 && name.split('/').all(good)
}

fn as_tag(place: &Place, name: &str) -> Result<(), Failure> {
    let mut run = RunOptions::new().create(place.run())?;
    run.save(1, &vec![1.0f32, 2.0])?;
    let set = run.writer().set_tag(name, 1, false);
    if set.is_ok() && (!is_plain(name) || name.contains('/')) {
        return Err("it was taken".into());
    }
    let tags = run.store().tags()?;
    if set.is_ok() != tags.contains_key(name) {
        return Err("it is not listed as it was set".into());
    }
    Ok(())
}

fn as_note(place: &Place, name: &str) -> Result<(), Failure> {
    let mut run = RunOptions::new().create(place.run())?;
    match run.writer().put_note(name, b"x") {
        Ok(()) if !is_plain(name) => Err("it was taken".into()),
        _ => Ok(()),
    }
}

fn as_object(place: &Place, name: &str) -> Result<(), Failure> {
    let objects = Objects::from([(name.to_owned(), b"x".to_vec())]);
    let path = place.files().join("named.rekindle");
    std::fs::write(&path, archive(&objects))?;
    let opened = rekindle::storage::Archive::open(&path);
    if opened.is_ok() && !is_plain(name) {
        return Err("it was taken".into());
    }
    let read = detect(FORMATS, &path).and_then(|format| format.read(&path));
    if read.is_ok() { Err("a file without a run was read".into()) } else { Ok(()) }
}

fn as_tensor(place: &Place, name: &str) -> Result<(), Failure> {
    let tensor = serde_json::json!({"dtype": "F32", "shape": [1], "data_offsets": [0, 4]});
    let header = serde_json::Value::from_iter([(name.to_owned(), tensor)]).to_string();
    let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 4]].concat();
    let path = place.files().join("named.safetensors");
    std::fs::write(&path, bytes)?;
    import_and_export(place, &path)
}

fn as_field(place: &Place, name: &str) -> Result<(), Failure> {
    use rekindle::Node;
    // A name that begins with `$` gets another before it.
    let quoted = if name.starts_with('$') { format!("${name}") } else { name.to_owned() };
    let state = serde_json::Value::from_iter([(quoted, serde_json::Value::Null)]).to_string();
    let hash = state_hash(&rekindle::Tree::Struct(vec![(name.to_owned(), Node::Null)]));
    let path = place.files().join("named.json");
    std::fs::write(&path, json_with(&state).replace(&"0".repeat(64), &hash.to_string()))?;
    import_and_export(place, &path)
}

/// Imports the file, if it can be read, in a run, and exports it in every format.
fn import_and_export(place: &Place, path: &Path) -> Result<(), Failure> {
    let Ok(document) = detect(FORMATS, path).and_then(|format| format.read(path)) else { return Ok(()) };
    let mut run = RunOptions::new().create(place.run())?;
    run.save_tree(document.step, &document.tree)?;
    let checkpoint = run.store().checkpoint(document.step)?;
    if checkpoint.load(&EntryPath::root())? != document.tree {
        return Err("it is saved as something else".into());
    }
    for ending in ["rekindle", "safetensors", "json", "json.gz"] {
        let path = place.files().join(format!("exported.{ending}"));
        for_writing(FORMATS, &path)?.write(&checkpoint, &path)?;
        let again = detect(FORMATS, &path)?.read(&path)?;
        if again.tree != document.tree {
            return Err(format!("it comes back from {ending} as something else").into());
        }
    }
    Ok(())
}
