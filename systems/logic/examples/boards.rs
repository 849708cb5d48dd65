//! Runs a circuit on a board and prints what becomes of it.
//!
//! ```text
//! cargo run --release -p rekindle-logic --example boards -- circuit.json 20 zero < board.txt
//! ```
//!
//! A board is a line for each row of each channel, a `1` or a `0` for each cell, with an empty line between
//! two channels. The last argument says what lies beyond the edge: `zero` or `periodic`.

use std::error::Error;
use std::io::Read;

use rekindle_compute::KernelPath;
use rekindle_formats::files;
use rekindle_logic::{Boards, Boundary, HardCircuit};

const USAGE: &str = "usage: boards CIRCUIT.json STEPS zero|periodic < BOARD";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or(USAGE);
    let (path, steps) = (next()?, next()?.parse()?);
    let boundary = match next()?.as_str() {
        "zero" => Boundary::Zero,
        "periodic" => Boundary::Periodic,
        _ => return Err(USAGE.into()),
    };
    let circuit = HardCircuit::read(files::open(path.as_ref())?)?.compile()?;
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let board = circuit.run(&parse(&text)?, boundary, steps, KernelPath::best())?;
    print!("{}", print(&board));
    Ok(())
}

fn parse(text: &str) -> Result<Boards, Box<dyn Error>> {
    let channels: Vec<Vec<&str>> =
        text.trim().split("\n\n").map(|channel| channel.lines().collect()).collect();
    let (height, width) = (channels[0].len(), channels[0].first().map_or(0, |row| row.len()));
    let mut boards = Boards::zeros(1, width, height, channels.len());
    for (channel, rows) in channels.iter().enumerate() {
        if rows.len() != height || rows.iter().any(|row| row.len() != width) {
            return Err("all channels and rows of a board have the same size".into());
        }
        for (y, row) in rows.iter().enumerate() {
            row.bytes().enumerate().for_each(|(x, cell)| boards.set(0, channel, x, y, cell == b'1'));
        }
    }
    Ok(boards)
}

fn print(boards: &Boards) -> String {
    let row = |channel, y| {
        let cell = |x| if boards.get(0, channel, x, y) { '1' } else { '0' };
        (0..boards.width()).map(cell).collect::<String>() + "\n"
    };
    let channel = |channel| (0..boards.height()).map(|y| row(channel, y)).collect::<String>();
    (0..boards.channels()).map(channel).collect::<Vec<_>>().join("\n")
}
