//! Logicars' part in `logic.sh`: loads a circuit, writes it again, and runs it on a board.
//!
//! The board comes and goes as in `systems/logic/examples/boards.rs`; beyond its edge all cells are 0.

use std::io::Read;

use logicars::circuit::HardCircuit;
use logicars::grid::{BoundaryCondition, NGrid};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, circuit, steps, written] = arguments.as_slice() else {
        panic!("usage: logic_original CIRCUIT.json STEPS WRITTEN.json < BOARD");
    };
    let circuit = HardCircuit::load(circuit).expect("the circuit is loaded");
    circuit.save(written).expect("the circuit is written");
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).expect("the board is read");
    let board = circuit.run_steps(&parse(&text), steps.parse().expect("a number of steps"));
    for channel in 0..board.channels {
        if channel > 0 {
            println!();
        }
        for y in 0..board.height {
            let cell = |x: usize| if board.get(x as isize, y as isize, channel) > 0.5 { '1' } else { '0' };
            println!("{}", (0..board.width).map(cell).collect::<String>());
        }
    }
}

fn parse(text: &str) -> NGrid {
    let channels: Vec<Vec<&str>> = text.trim().split("\n\n").map(|channel| channel.lines().collect()).collect();
    let (height, width) = (channels[0].len(), channels[0][0].len());
    let mut grid = NGrid::new(width, height, channels.len(), BoundaryCondition::NonPeriodic);
    for (channel, rows) in channels.iter().enumerate() {
        for (y, row) in rows.iter().enumerate() {
            for (x, cell) in row.bytes().enumerate() {
                grid.set(x, y, channel, if cell == b'1' { 1.0 } else { 0.0 });
            }
        }
    }
    grid
}
