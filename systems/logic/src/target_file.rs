//! Files that say what an automaton should learn: a picture as PNG, or a picture or a rule as YAML.

use std::path::Path;

use rekindle_formats::files;
use rekindle_formats::pictures::{Colours, read_colours};
use rekindle_train::SystemError;
use serde::Deserialize;
use serde_json::Value;

use crate::rule::Rule;
use crate::target::{COLOUR_NAMES, Target};

/// A file is never longer: bytes.
const LIMIT: u64 = 1 << 20;

/// A YAML file: one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    picture: Option<Target>,
    rule: Option<Rule>,
}

/// The settings that a file stands for.
///
/// # Errors
/// The file cannot be read, or says neither a picture nor a rule.
pub(crate) fn settings(files: &[String]) -> Result<Vec<String>, SystemError> {
    let [file] = files else { return Err(SystemError::new("one file is needed")) };
    let path = Path::new(file);
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
        let colours = read_colours(path).map_err(SystemError::new)?;
        let target =
            of_colours(&colours).map_err(|reason| SystemError::new(format!("`{file}`: {reason}")))?;
        return Ok(of_picture(&target));
    }
    let unreadable = |reason: String| SystemError::new(format!("cannot read `{file}`: {reason}"));
    let bytes = files::read(path, LIMIT).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is neither PNG nor YAML".to_owned()))?;
    let document: Document = serde_saphyr::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    match document {
        Document { picture: Some(target), rule: None } => Ok(of_picture(&target)),
        Document { picture: None, rule: Some(rule) } => Ok(of_rule(rule)),
        _ => Err(unreadable("it must say either `picture`, a text for each row, or `rule`".to_owned())),
    }
}

fn of_picture(target: &Target) -> Vec<String> {
    vec![
        "training.task=picture".to_owned(),
        format!("training.target={}", Value::from(target.rows().to_vec())),
        format!("training.width={}", target.width()),
        format!("training.height={}", target.height()),
    ]
}

fn of_rule(rule: Rule) -> Vec<String> {
    vec!["training.task=rule".to_owned(), format!("training.rule={}", Value::from(String::from(rule)))]
}

/// The picture of a file. Of two colours the one in the upper left corner is what is around the picture;
/// more are each taken for the nearest of the eight that a cell can have.
fn of_colours(Colours { width, pixels }: &Colours) -> Result<Target, String> {
    let opaque: Vec<[u8; 3]> = pixels
        .iter()
        .map(|&[red, green, blue, opacity]| match opacity {
            0..128 => [0; 3],
            _ => [red, green, blue],
        })
        .collect();
    let mut colours = opaque.clone();
    colours.sort_unstable();
    colours.dedup();
    if let ([_, _], Some(&around)) = (colours.as_slice(), opaque.first()) {
        let bits: Vec<u8> = opaque.iter().map(|&colour| if colour == around { 0 } else { 7 }).collect();
        return Target::of_colours(&bits, *width);
    }
    if colours.len() > COLOUR_NAMES.len() {
        return Err(format!(
            "it has {} colours, and a picture has at most eight: {}",
            colours.len(),
            COLOUR_NAMES.join(", ")
        ));
    }
    let mut taken: [Option<[u8; 3]>; 8] = [None; 8];
    for &colour in &colours {
        let corner = corner(colour);
        if let Some(other) = taken[usize::from(corner)].replace(colour) {
            return Err(format!(
                "its colours {} and {} are both nearest to {}",
                hex(other),
                hex(colour),
                COLOUR_NAMES[usize::from(corner)]
            ));
        }
    }
    Target::of_colours(&opaque.iter().map(|&colour| corner(colour)).collect::<Vec<_>>(), *width)
}

/// The nearest corner: bits red, green and blue.
fn corner(colour: [u8; 3]) -> u8 {
    (0..3).map(|bit| u8::from(colour[bit] >= 128) << bit).sum()
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(width: usize, pixels: &[[u8; 4]]) -> Result<Vec<String>, String> {
        of_colours(&Colours { width, pixels: pixels.to_vec() }).map(|target| target.rows().to_vec())
    }

    const INK: [u8; 4] = [20, 20, 20, 255];
    const PAPER: [u8; 4] = [250, 250, 250, 255];

    #[test]
    fn of_two_colours_the_one_in_the_corner_is_around() {
        assert_eq!(rows(2, &[PAPER, INK, INK, PAPER]).unwrap(), [".#", "#."]);
        assert_eq!(rows(2, &[INK, PAPER, INK, INK]).unwrap(), [".#", ".."]);
        assert_eq!(rows(2, &[[9, 9, 9, 0], INK, [0; 4], [0; 4]]).unwrap(), [".#", ".."], "transparent");
    }

    #[test]
    fn more_colours_are_the_nearest_of_eight() {
        let found = rows(4, &[[0, 0, 0, 255], [200, 10, 0, 255], [0, 255, 0, 255], [240, 250, 20, 255]]);
        assert_eq!(found.unwrap(), ["krgy"]);
        let error = rows(3, &[[255, 0, 0, 255], [250, 0, 0, 255], [0, 0, 0, 255]]).unwrap_err();
        assert_eq!(error, "its colours #fa0000 and #ff0000 are both nearest to red");
        let many: Vec<_> = (0..9).map(|shade| [shade, 0, 0, 255]).collect();
        let error = rows(9, &many).unwrap_err();
        assert!(error.starts_with("it has 9 colours, and a picture has at most eight: black"), "{error}");
    }

    #[test]
    fn a_file_says_what_is_learnt() {
        let dir = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = dir.path().join("target.yaml");
            files::write(&path, text.as_bytes()).unwrap();
            settings(&[path.to_string_lossy().into_owned()])
        };
        let found = file("picture:\n  - '.#.'\n  - '###'\n").unwrap();
        assert_eq!(
            found[1..],
            ["training.target=[\".#.\",\"###\"]", "training.width=3", "training.height=2"]
        );
        assert_eq!(file("rule: B36/S23\n").unwrap(), ["training.task=rule", "training.rule=\"B36/S23\""]);
        let refused = |text: &str| file(text).unwrap_err().to_string();
        assert!(refused("{}").contains("either `picture`"), "{}", refused("{}"));
        assert!(refused("rule: '0101'").contains("nothing is said of the neighbourhoods 4 to 511"));
        assert!(refused("picture: ['##', '#']").contains("row 1 has 1 cells"));
        assert!(settings(&["no-such.png".to_owned()]).unwrap_err().to_string().contains("no-such.png"));
    }
}
