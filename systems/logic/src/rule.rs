//! Rules of two-state automata that look at a 3x3 neighbourhood.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many neighbourhoods there are.
pub(crate) const NEIGHBOURHOODS: usize = 512;

/// A rule, written either as the numbers of live neighbours with which a cell is born and survives, such as
/// `B3/S23`, or as a table: 512 digits of 0 and 1, one for each neighbourhood, between which spaces and line
/// ends are allowed. Bit `i` of a neighbourhood's number is its cell `i` in reading order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Rule {
    /// As it was written.
    text: String,
    /// The next state for each neighbourhood.
    table: Vec<bool>,
}

impl Rule {
    /// Conway's Game of Life.
    pub fn life() -> Self {
        let births = |live: usize| live == 3;
        let survivals = |live: usize| live == 2 || live == 3;
        Self { text: "B3/S23".to_owned(), table: totalistic(births, survivals) }
    }

    /// The next state of the cell in the middle of a neighbourhood.
    pub fn next(&self, neighbourhood: usize) -> bool {
        self.table[neighbourhood]
    }
}

fn totalistic(births: impl Fn(usize) -> bool, survivals: impl Fn(usize) -> bool) -> Vec<bool> {
    let next = |neighbourhood: usize| {
        let alive = neighbourhood >> 4 & 1 == 1;
        let live = neighbourhood.count_ones() as usize - usize::from(alive);
        if alive { survivals(live) } else { births(live) }
    };
    (0..NEIGHBOURHOODS).map(next).collect()
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let table = match text.trim_start().starts_with(['B', 'b']) {
            true => parse_counts(text.trim())?,
            false => parse_table(text)?,
        };
        Ok(Self { text: text.trim().to_owned(), table })
    }
}

/// Reads `B3/S23`.
fn parse_counts(text: &str) -> Result<Vec<bool>, String> {
    let problem = || format!("{text:?} is no rule such as B3/S23");
    let (births, survivals) = text.split_once('/').ok_or_else(problem)?;
    let births = births.strip_prefix(['B', 'b']).ok_or_else(problem)?;
    let survivals = survivals.strip_prefix(['S', 's']).ok_or_else(problem)?;
    let counts = |digits: &str| -> Result<[bool; 9], String> {
        let mut counts = [false; 9];
        for digit in digits.chars() {
            let count = digit
                .to_digit(9)
                .ok_or_else(|| format!("{text:?}: a cell has 0 to 8 live neighbours, not {digit:?}"))?;
            counts[count as usize] = true;
        }
        Ok(counts)
    };
    let (births, survivals) = (counts(births)?, counts(survivals)?);
    Ok(totalistic(|live| births[live], |live| survivals[live]))
}

/// Reads 512 digits.
fn parse_table(text: &str) -> Result<Vec<bool>, String> {
    let mut table = Vec::with_capacity(NEIGHBOURHOODS);
    for digit in text.chars().filter(|digit| !digit.is_whitespace()) {
        match digit {
            '0' => table.push(false),
            '1' => table.push(true),
            _ => {
                return Err(format!(
                    "the table says {digit:?} for neighbourhood {}, not 0 or 1",
                    table.len()
                ));
            }
        }
        if table.len() > NEIGHBOURHOODS {
            return Err(format!(
                "the table has more than {NEIGHBOURHOODS} digits, one for each neighbourhood"
            ));
        }
    }
    match table.len() {
        NEIGHBOURHOODS => Ok(table),
        0 => Err("it is empty, where a rule such as B3/S23 or a table of 512 digits is needed".to_owned()),
        found => Err(format!(
            "the table has {found} digits: nothing is said of the neighbourhoods {found} to {}",
            NEIGHBOURHOODS - 1
        )),
    }
}

impl TryFrom<String> for Rule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.text
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_a_table_say_the_same() {
        let life = Rule::life();
        assert_eq!("b3/s32".parse::<Rule>().unwrap().table, life.table);
        let digits = |range: std::ops::Range<usize>| -> String {
            range.map(|index| if life.next(index) { '1' } else { '0' }).collect()
        };
        let table = format!("{}\n  {}", digits(0..256), digits(256..512));
        assert_eq!(table.parse::<Rule>().unwrap().table, life.table);
        assert!(life.next(0b0_0001_0011), "three live neighbours of a live cell");
        assert!(!life.next(0b0_0000_0011));
    }

    #[test]
    fn a_table_with_gaps_is_refused() {
        let refused = |text: &str| text.parse::<Rule>().unwrap_err();
        assert_eq!(
            refused(&"01".repeat(250)),
            "the table has 500 digits: nothing is said of the neighbourhoods 500 to 511"
        );
        assert!(refused(&"0".repeat(513)).contains("more than 512"));
        assert_eq!(refused("0102"), "the table says '2' for neighbourhood 3, not 0 or 1");
        assert!(refused("").starts_with("it is empty"));
        assert_eq!(refused("B9/S23"), "\"B9/S23\": a cell has 0 to 8 live neighbours, not '9'");
        assert!(refused("B3S23").contains("no rule such as B3/S23"));
    }
}
