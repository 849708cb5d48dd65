//! Small programs, and what a variable is at their end.

use super::{Drawn, Random, Split};

const LEARNT: [char; 5] = ['a', 'b', 'c', 'd', 'e'];
const OTHERS: [char; 5] = ['p', 'q', 'r', 's', 't'];

/// Values beyond are not asked for.
const MOST: i64 = 99;

/// Lines, and the values of variables behind them.
struct Program {
    lines: Vec<String>,
    variables: Vec<(char, i64)>,
}

pub(super) fn draw(random: &mut Random, split: Split) -> Option<Drawn> {
    let names = random.some(if split == Split::Shifted { &OTHERS } else { &LEARNT }, 4);
    let (depth, beside) = match split {
        Split::Deeper => (random.between(5, 7), random.between(1, 2)),
        Split::Longer => (random.between(1, 4), random.between(6, 9)),
        _ => (random.between(1, 4), random.between(1, 3)),
    };
    let mut program = Program { lines: Vec::new(), variables: Vec::new() };
    for &name in &names[..2] {
        program.set(name, random.below(10) as i64);
    }
    // Each statement of the chain goes on from the variable before it; the others touch the other variables.
    let mut asked = names[0];
    let (mut left, mut others) = (depth - 1, beside);
    while left + others > 0 {
        if random.below(left + others) < left {
            asked = program.step(random, asked, &names[2..])?;
            left -= 1;
        } else {
            program.step(random, names[1], &names[1..2])?;
            others -= 1;
        }
    }
    let value = program.value(asked)?;
    let statement = program.lines.join("\n");
    Some(Drawn { depth, statement, question: format!("What is {asked}?"), answer: value.to_string() })
}

impl Program {
    fn value(&self, name: char) -> Option<i64> {
        self.variables.iter().find(|(known, _)| *known == name).map(|&(_, value)| value)
    }

    fn set(&mut self, name: char, value: i64) {
        self.lines.push(format!("{name} = {value}"));
        self.assign(name, value);
    }

    fn assign(&mut self, name: char, value: i64) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value));
    }

    /// A statement that makes something of a variable; gives the variable that it sets.
    fn step(&mut self, random: &mut Random, from: char, into: &[char]) -> Option<char> {
        let value = self.value(from)?;
        let number = random.between(1, 9) as i64;
        let to = if random.chance(50) { from } else { *random.pick(into) };
        let (line, result) = match random.below(5) {
            0 | 1 => (format!("{to} = {from} + {number}"), value + number),
            2 => (format!("{to} = {from} - {number}"), value - number),
            3 => {
                let [yes, no] = [random.below(10) as i64, random.below(10) as i64];
                (
                    format!("{to} = {yes} if {from} > {number} else {no}"),
                    if value > number { yes } else { no },
                )
            }
            _ => {
                let times = random.between(2, 3) as i64;
                let line = format!("repeat {times}: {from} = {from} + {number}");
                self.lines.push(line);
                self.assign(from, value + times * number);
                return (self.value(from)?.abs() <= MOST).then_some(from);
            }
        };
        self.lines.push(line);
        self.assign(to, result);
        (result.abs() <= MOST).then_some(to)
    }
}
