//! How fast circuits run on one core: `cargo run --release -p rekindle-gates --example speed`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use rekindle_compute::{KernelPath, rng};
use rekindle_gates::{
    Automaton, Boundary, Circuit, CircuitError, Gate, Lattice, Limits, Program, Verdict, simplify,
};

fn main() -> Result<(), CircuitError> {
    println!("processor: {}", processor());
    life("life by hand", &life_by_hand()?)?;
    layers(784, 6, 8_000)?;
    layers(784, 10, 100_000)?;
    simplification("life by hand", &life_by_hand()?)?;
    simplification("random wires", &random_layers(784, 6, 8_000)?)
}

/// How small a circuit becomes, and how long that takes with its proof.
fn simplification(name: &str, circuit: &Circuit) -> Result<(), CircuitError> {
    let begin = Instant::now();
    let simplified = simplify(circuit, Limits::default())?;
    let verdict = match simplified.verdict {
        Verdict::Equal { .. } => "proven equal",
        _ => "not proven",
    };
    println!(
        "simplified: {name}, {} gates to {}, {verdict}, {:.2} s",
        circuit.gates().len(),
        simplified.circuit.gates().len(),
        begin.elapsed().as_secs_f64()
    );
    if simplified.circuit.inputs() == 9 { life("simplified", &simplified.circuit) } else { Ok(()) }
}

/// A rule on a torus of 4096x4096 cells.
fn life(name: &str, circuit: &Circuit) -> Result<(), CircuitError> {
    let automaton = Automaton::new(circuit)?;
    println!(
        "{name}: {} gates, {} functions of three inputs, torus of 4096x4096, one core",
        circuit.gates().len(),
        automaton.functions()
    );
    let mut stream = rng::stream(1, 0, 0);
    let plane: Vec<u64> = (0..4096 * 64).map(|_| stream.bits()).collect();
    for path in KernelPath::available() {
        let mut lattice = Lattice::zeros(4096, 4096, 1, Boundary::Periodic);
        lattice.read_bits(0, &plane, 0);
        let steps = 20;
        let time = shortest(9, || automaton.run(&mut lattice, steps, path))?;
        let rate = (steps * 4096 * 4096) as f64 / time.as_secs_f64() / 1e9;
        println!("  {:8} {rate:8.1} Gcell/s", path.name());
    }
    Ok(())
}

/// A circuit of random wires and functions, on inputs packed as bits.
fn layers(inputs: usize, count: usize, gates: usize) -> Result<(), CircuitError> {
    let circuit = random_layers(inputs, count, gates)?;
    let begin = Instant::now();
    let program = Program::new(&circuit);
    let ready = begin.elapsed();
    println!(
        "random wires: {} gates, {} functions of three inputs in {} slots, ready after {:.3} s",
        circuit.gates().len(),
        program.functions(),
        program.slots(),
        ready.as_secs_f64()
    );
    let mut stream = rng::stream(2, 0, 0);
    let words = 64;
    let planes: Vec<Vec<u64>> = (0..inputs).map(|_| (0..words).map(|_| stream.bits()).collect()).collect();
    let mut outputs = vec![vec![0; words]; program.outputs()];
    for path in KernelPath::available() {
        let time = shortest(9, || program.run(path, &planes, &mut outputs))?;
        let rate = (64 * words) as f64 / time.as_secs_f64() / 1e6;
        println!("  {:8} {rate:8.2} M evaluations/s", path.name());
        black_box(&outputs);
    }
    Ok(())
}

/// The shortest of several times: the one least disturbed.
fn shortest(
    times: usize,
    mut work: impl FnMut() -> Result<(), CircuitError>,
) -> Result<Duration, CircuitError> {
    let mut shortest = Duration::MAX;
    for _ in 0..times {
        let begin = Instant::now();
        work()?;
        shortest = shortest.min(begin.elapsed());
    }
    Ok(shortest)
}

fn random_layers(inputs: usize, layers: usize, gates: usize) -> Result<Circuit, CircuitError> {
    let mut stream = rng::stream(1, 1, 0);
    let (mut all, mut first, mut width) = (Vec::new(), 0, inputs);
    for _ in 0..layers {
        for _ in 0..gates {
            let op = stream.below(16) as u8;
            let mut wire = || (first + stream.below(width as u64) as usize) as u32;
            let (a, b) = (wire(), wire());
            all.push(Gate { op, a, b });
        }
        (first, width) = (inputs + all.len() - gates, gates);
    }
    let outputs = (first as u32..(first + width) as u32).collect();
    Circuit::new(inputs, all, outputs)
}

/// The Game of Life by full adders: three of rows, one of what they carry not, one of what they carry.
fn life_by_hand() -> Result<Circuit, CircuitError> {
    let mut gates: Vec<Gate> = Vec::new();
    let mut gate = |op, a, b| {
        gates.push(Gate { op, a, b });
        9 + gates.len() as u32 - 1
    };
    let mut add = |a, b, c| {
        let (half, both) = (gate(6, a, b), gate(1, a, b));
        let carried = gate(1, half, c);
        (gate(6, half, c), gate(7, both, carried))
    };
    let [(a, high_a), (b, high_b), (c, high_c)] = [add(0, 1, 2), add(3, 4, 5), add(6, 7, 8)];
    let (low, carry) = add(a, b, c);
    let (twos, fours) = add(high_a, high_b, high_c);
    let (one_two, overflow) = (gate(6, twos, carry), gate(1, twos, carry));
    let three = gate(1, low, one_two);
    let three = gate(2, three, fours);
    // Four with the cell itself: neither one nor two, and one of the fours.
    let four = gate(6, overflow, fours);
    let four = gate(2, four, one_two);
    let four = gate(2, four, low);
    let stays = gate(1, four, 4);
    let alive = gate(7, three, stays);
    Circuit::new(9, gates, vec![alive])
}

fn processor() -> String {
    let text = std::process::Command::new("sh")
        .args([
            "-c",
            "grep -m1 'model name' /proc/cpuinfo | cut -d: -f2; grep -m1 MHz /proc/cpuinfo | cut -d: -f2",
        ])
        .output();
    let text =
        text.map(|output| String::from_utf8_lossy(&output.stdout).replace('\n', " ")).unwrap_or_default();
    if text.trim().is_empty() {
        "unknown".to_owned()
    } else {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
