//! A circuit that Logicars trained and wrote runs here as it ran there.
//!
//! The file is not part of this project; where it is missing the tests say so and pass.

use std::io::{BufReader, Cursor};
use std::path::PathBuf;

use rekindle_compute::KernelPath;
use rekindle_logic::{Boards, Boundary, HardCircuit};

/// The generator of Logicars: xorshift64 with the shifts 13, 7 and 17.
struct Xorshift(u64);

impl Xorshift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn coin(&mut self) -> bool {
        (self.next() as f32) / (u64::MAX as f32) < 0.5
    }

    /// A board filled row by row, cell by cell, channel by channel.
    fn board(&mut self, size: usize) -> Boards {
        let mut boards = Boards::zeros(1, size, size, 8);
        for y in 0..size {
            for x in 0..size {
                for channel in 0..8 {
                    boards.set(0, channel, x, y, self.coin());
                }
            }
        }
        boards
    }
}

#[expect(clippy::disallowed_methods, reason = "the file belongs to the test, not to a run")]
fn sample() -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/samples/logicars/checkerboard_model.json");
    let read = std::fs::read(&path);
    if read.is_err() {
        eprintln!("skipped: {} is not here", path.display());
    }
    read.ok()
}

fn accuracy(boards: &Boards) -> f64 {
    let size = boards.width();
    let right = |cell: usize| {
        let (x, y) = (cell % size, cell / size);
        boards.get(0, 0, x, y) == ((x / 2 + y / 2) % 2 == 1)
    };
    (0..size * size).filter(|&cell| right(cell)).count() as f64 / (size * size) as f64
}

#[test]
fn every_step_has_the_accuracy_that_logicars_has() {
    const EXPECTED: [f64; 20] = [
        0.4688, 0.5078, 0.5039, 0.4648, 0.5352, 0.5273, 0.5469, 0.5352, 0.6211, 0.6562, 0.7344, 0.7344,
        0.8672, 0.9023, 0.9219, 0.9648, 0.9727, 1.0, 1.0, 1.0,
    ];
    let Some(json) = sample() else { return };
    let circuit = HardCircuit::read(json.as_slice()).unwrap().compile().unwrap();
    let mut boards = Xorshift(23).board(16);
    for expected in EXPECTED {
        boards = circuit.run(&boards, Boundary::Zero, 1, KernelPath::best()).unwrap();
        assert!((accuracy(&boards) - expected).abs() < 6e-5, "{} {expected}", accuracy(&boards));
    }
}

#[test]
fn a_larger_board_converges_too() {
    let Some(json) = sample() else { return };
    let circuit = HardCircuit::read(json.as_slice()).unwrap().compile().unwrap();
    let boards = Xorshift(7).board(64);
    let boards = circuit.run(&boards, Boundary::Zero, 80, KernelPath::best()).unwrap();
    assert_eq!(accuracy(&boards), 1.0);
}

#[test]
fn the_gates_are_counted_as_logicars_counts_them() {
    let Some(json) = sample() else { return };
    let circuit = HardCircuit::read(json.as_slice()).unwrap();
    assert_eq!(circuit.gates().count(), 3040);
    assert_eq!(circuit.active_gates(), 145);
}

#[test]
fn the_file_is_written_back_byte_for_byte() {
    let Some(json) = sample() else { return };
    let circuit = HardCircuit::read(BufReader::new(Cursor::new(&json))).unwrap();
    let mut written = Vec::new();
    circuit.write(&mut written).unwrap();
    assert!(written == json);
}
