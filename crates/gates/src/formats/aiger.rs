//! AIGER, the exchange format of tools that verify circuits (Biere, "The AIGER And-Inverter Graph (AIG) Format",
//! 2007).
//!
//! Files hold AND gates and inverters; a XOR is written as three of them. Memory ("latches") has no place in a
//! circuit, so files that have any are refused.

use std::collections::HashMap;
use std::io::Write;

use foldhash::fast::FixedState;
use thiserror::Error;

use crate::circuit::{Circuit, Gate, check_sizes};
use crate::error::CircuitError;
use crate::xag::{Literal, Node, Xag, moved};

/// Bytes that tell a file of this format.
pub const BEGINNINGS: [&[u8]; 2] = [b"aag ", b"aig "];

/// A file that is not well-formed AIGER, or not of a circuit.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AigerError {
    /// The first line is not that of an AIGER file.
    #[error("it does not begin with the line of an AIGER file: `aag` or `aig` and five numbers")]
    Header,
    /// The file has memory.
    #[error("it has {latches} latches: memory, which a circuit does not have")]
    Latches {
        /// How many.
        latches: u64,
    },
    /// The file is of AIGER 1.9, with properties to verify.
    #[error("it states properties to verify, and only circuits are read")]
    Properties,
    /// The first line states more than there is.
    #[error("its first line states {stated} {what}, and {bytes} bytes follow")]
    Short {
        /// What is stated.
        what: &'static str,
        /// How many.
        stated: u64,
        /// What there is.
        bytes: usize,
    },
    /// A number is missing or is not one that can stand there.
    #[error("it ends, or has no number that can stand there, at byte {at}")]
    Number {
        /// Where.
        at: usize,
    },
    /// A variable is defined twice.
    #[error("variable {variable} is defined twice")]
    Twice {
        /// The variable.
        variable: u64,
    },
    /// A variable that is used is neither an input nor a gate.
    #[error("variable {variable} is used, and is neither an input nor a gate")]
    Undefined {
        /// The variable.
        variable: u64,
    },
    /// A gate depends on itself.
    #[error("the gate of variable {variable} depends on itself")]
    Cycle {
        /// The variable.
        variable: u64,
    },
    /// The circuit cannot be used.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

/// Reads a file, in text or binary. Nothing in it is trusted.
///
/// # Errors
/// The file is not well formed, has memory, or is too large.
pub fn read(file: &[u8]) -> Result<Circuit, AigerError> {
    let (header, mut reader) = Header::read(file)?;
    let net =
        if header.is_binary { read_binary(&header, &mut reader)? } else { read_text(&header, &mut reader)? };
    net.circuit()
}

struct Header {
    is_binary: bool,
    inputs: u64,
    outputs: u64,
    gates: u64,
    most: u64,
}

impl Header {
    fn read(file: &[u8]) -> Result<(Self, Reader<'_>), AigerError> {
        let end = file.iter().take(200).position(|&byte| byte == b'\n').ok_or(AigerError::Header)?;
        let line = std::str::from_utf8(&file[..end]).map_err(|_| AigerError::Header)?;
        let mut words = line.trim_end_matches('\r').split(' ');
        let is_binary = match words.next() {
            Some("aag") => false,
            Some("aig") => true,
            _ => return Err(AigerError::Header),
        };
        let numbers: Option<Vec<u64>> = words.map(|word| word.parse().ok()).collect();
        let numbers = numbers.ok_or(AigerError::Header)?;
        let (&[most, inputs, latches, outputs, gates], more) =
            numbers.split_first_chunk().ok_or(AigerError::Header)?;
        if latches > 0 {
            return Err(AigerError::Latches { latches });
        }
        if more.iter().any(|&count| count > 0) {
            return Err(AigerError::Properties);
        }
        check_sizes(inputs, gates)?;
        let header = Self { is_binary, inputs, outputs, gates, most };
        let reader = Reader { file, at: end + 1 };
        header.check(reader.file.len() - reader.at)?;
        Ok((header, reader))
    }

    /// Refuses counts that the file is too short for, before anything is allocated for them.
    fn check(&self, bytes: usize) -> Result<(), AigerError> {
        // A line of an output has two bytes at least; a gate has two in binary, and six as a line.
        let (inputs, gate) = if self.is_binary { (0, 2) } else { (2, 6) };
        let needs =
            [("inputs", self.inputs, inputs), ("outputs", self.outputs, 2), ("gates", self.gates, gate)];
        for (what, stated, each) in needs {
            if stated.saturating_mul(each) > bytes as u64 + 1 {
                return Err(AigerError::Short { what, stated, bytes });
            }
        }
        if self.is_binary && self.most != self.inputs + self.gates {
            return Err(AigerError::Header);
        }
        Ok(())
    }
}

struct Reader<'a> {
    file: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// The numbers of a line.
    fn line<const COUNT: usize>(&mut self) -> Result<[u64; COUNT], AigerError> {
        let mut numbers = [0; COUNT];
        for (index, number) in numbers.iter_mut().enumerate() {
            *number = self.number()?;
            let is_last = index + 1 == COUNT;
            match self.file.get(self.at) {
                Some(b' ') if !is_last => self.at += 1,
                Some(b'\r') if is_last && self.file.get(self.at + 1) == Some(&b'\n') => self.at += 2,
                Some(b'\n') if is_last => self.at += 1,
                None if is_last => {}
                _ => return Err(AigerError::Number { at: self.at }),
            }
        }
        Ok(numbers)
    }

    fn number(&mut self) -> Result<u64, AigerError> {
        let rest = &self.file[self.at..];
        let digits = rest.iter().take(11).take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&rest[..digits]).ok();
        let number = text.and_then(|text| text.parse::<u64>().ok());
        let number = number.filter(|&number| number < 1 << 32).ok_or(AigerError::Number { at: self.at })?;
        self.at += digits;
        Ok(number)
    }

    /// A difference in binary: seven bits a byte, the lowest first.
    fn difference(&mut self) -> Result<u64, AigerError> {
        let mut number = 0;
        for shift in (0..35).step_by(7) {
            let byte = *self.file.get(self.at).ok_or(AigerError::Number { at: self.at })?;
            self.at += 1;
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        Err(AigerError::Number { at: self.at })
    }
}

/// What a file says.
struct Net {
    inputs: Vec<u64>,
    gates: Vec<[u64; 3]>,
    outputs: Vec<u64>,
}

fn read_text(header: &Header, reader: &mut Reader<'_>) -> Result<Net, AigerError> {
    let inputs = (0..header.inputs).map(|_| Ok(reader.line::<1>()?[0])).collect::<Result<_, AigerError>>()?;
    let outputs =
        (0..header.outputs).map(|_| Ok(reader.line::<1>()?[0])).collect::<Result<_, AigerError>>()?;
    let gates = (0..header.gates).map(|_| reader.line::<3>()).collect::<Result<_, AigerError>>()?;
    Ok(Net { inputs, gates, outputs })
}

fn read_binary(header: &Header, reader: &mut Reader<'_>) -> Result<Net, AigerError> {
    let inputs = (1..=header.inputs).map(|input| 2 * input).collect();
    let outputs =
        (0..header.outputs).map(|_| Ok(reader.line::<1>()?[0])).collect::<Result<_, AigerError>>()?;
    let mut gates = Vec::new();
    for gate in 0..header.gates {
        let own = 2 * (header.inputs + gate + 1);
        let wrong = AigerError::Number { at: reader.at };
        let first = own.checked_sub(reader.difference()?).filter(|&first| first < own);
        let Some(first) = first else { return Err(wrong) };
        let Some(second) = first.checked_sub(reader.difference()?) else { return Err(wrong) };
        gates.push([own, first, second]);
    }
    Ok(Net { inputs, gates, outputs })
}

/// A variable while gates are brought into order.
#[derive(Clone, Copy)]
enum Known {
    Signal(u32),
    Gate(usize),
    Open(usize),
}

impl Net {
    fn circuit(self) -> Result<Circuit, AigerError> {
        let mut known: HashMap<u64, Known, FixedState> = HashMap::default();
        let defined =
            self.inputs.iter().enumerate().map(|(input, &literal)| (literal, Known::Signal(input as u32)));
        let gates = self.gates.iter().enumerate().map(|(gate, &[literal, ..])| (literal, Known::Gate(gate)));
        for (literal, value) in defined.chain(gates) {
            let variable = literal / 2;
            if literal % 2 == 1 || variable == 0 || known.insert(variable, value).is_some() {
                return Err(AigerError::Twice { variable });
            }
        }
        let inputs = self.inputs.len() as u32;
        let mut builder = Ordering { net: &self, known, inputs, gates: Vec::new() };
        for gate in 0..self.gates.len() {
            builder.add(self.gates[gate][0] / 2)?;
        }
        let outputs = self.outputs.iter().map(|&literal| builder.output(literal));
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        Ok(Circuit::new(self.inputs.len(), builder.gates, outputs)?)
    }
}

struct Ordering<'a> {
    net: &'a Net,
    known: HashMap<u64, Known, FixedState>,
    inputs: u32,
    gates: Vec<Gate>,
}

impl Ordering<'_> {
    /// Adds the gate of a variable after all that it reads.
    fn add(&mut self, variable: u64) -> Result<(), AigerError> {
        let mut open = vec![variable];
        while let Some(&variable) = open.last() {
            let gate = match self.known.get(&variable) {
                _ if variable == 0 => {
                    open.pop();
                    continue;
                }
                None => return Err(AigerError::Undefined { variable }),
                Some(Known::Signal(_)) => {
                    open.pop();
                    continue;
                }
                Some(&Known::Gate(gate)) => {
                    self.known.insert(variable, Known::Open(gate));
                    open.extend(self.reads(gate).into_iter().map(|literal| literal / 2));
                    self.refuse_open(gate)?;
                    continue;
                }
                Some(&Known::Open(gate)) => gate,
            };
            open.pop();
            let signal = self.and(self.reads(gate))?;
            self.known.insert(variable, Known::Signal(signal));
        }
        Ok(())
    }

    fn reads(&self, gate: usize) -> [u64; 2] {
        let [_, a, b] = self.net.gates[gate];
        [a, b]
    }

    /// What is open already and is read again depends on itself.
    fn refuse_open(&self, gate: usize) -> Result<(), AigerError> {
        let [a, b] = self.reads(gate);
        let is_open = |literal: u64| matches!(self.known.get(&(literal / 2)), Some(Known::Open(_)));
        match [a, b].into_iter().find(|&literal| is_open(literal)) {
            Some(literal) => Err(AigerError::Cycle { variable: literal / 2 }),
            None => Ok(()),
        }
    }

    fn and(&mut self, [a, b]: [u64; 2]) -> Result<u32, AigerError> {
        let op = match (a % 2, b % 2) {
            (0, 0) => 1,
            (0, _) => 2,
            (_, 0) => 4,
            _ => 8,
        };
        let (a, b) = (self.signal(a / 2)?, self.signal(b / 2)?);
        Ok(self.push(Gate { op, a, b }))
    }

    /// The signal of a variable; false has a gate of its own.
    fn signal(&mut self, variable: u64) -> Result<u32, AigerError> {
        match self.known.get(&variable) {
            Some(&Known::Signal(signal)) => Ok(signal),
            None if variable == 0 => {
                let signal = self.push(Gate { op: 0, a: 0, b: 0 });
                self.known.insert(0, Known::Signal(signal));
                Ok(signal)
            }
            _ => Err(AigerError::Undefined { variable }),
        }
    }

    fn output(&mut self, literal: u64) -> Result<u32, AigerError> {
        let signal = self.signal(literal / 2)?;
        Ok(if literal % 2 == 1 { self.push(Gate { op: 12, a: signal, b: signal }) } else { signal })
    }

    fn push(&mut self, gate: Gate) -> u32 {
        self.gates.push(gate);
        self.inputs + self.gates.len() as u32 - 1
    }
}

/// A circuit of AND gates and inverters only, as literals.
struct Ands {
    inputs: usize,
    gates: Vec<[u32; 3]>,
    outputs: Vec<u32>,
}

impl Ands {
    fn of(circuit: &Circuit) -> Self {
        let graph = Xag::of(circuit).pruned();
        let mut ands = Self { inputs: graph.inputs(), gates: Vec::new(), outputs: Vec::new() };
        let mut literals: Vec<Literal> = (0..graph.first_node()).map(|v| Literal::of(v as u32)).collect();
        for node in graph.nodes() {
            let [a, b] = node.reads().map(|read| moved(&literals, read));
            literals.push(match node {
                Node::And(..) => ands.and(a, b),
                Node::Xor(..) => {
                    let (only_a, only_b) = (ands.and(a, !b), ands.and(!a, b));
                    !ands.and(!only_a, !only_b)
                }
            });
        }
        ands.outputs = graph.outputs.iter().map(|&output| moved(&literals, output).0).collect();
        ands
    }

    fn and(&mut self, a: Literal, b: Literal) -> Literal {
        let own = Literal::of((1 + self.inputs + self.gates.len()) as u32);
        // The larger one stands first.
        self.gates.push([own.0, a.max(b).0, a.min(b).0]);
        own
    }

    fn header(&self, name: &str) -> String {
        let (inputs, gates) = (self.inputs, self.gates.len());
        format!("{name} {} {inputs} 0 {} {gates}\n", inputs + gates, self.outputs.len())
    }

    fn output_lines(&self) -> String {
        self.outputs.iter().map(|output| format!("{output}\n")).collect()
    }
}

/// Writes a circuit as text (`.aag`).
pub fn write_text(circuit: &Circuit) -> Vec<u8> {
    let ands = Ands::of(circuit);
    let mut text = ands.header("aag");
    (1..=ands.inputs).for_each(|input| text.push_str(&format!("{}\n", 2 * input)));
    text.push_str(&ands.output_lines());
    ands.gates.iter().for_each(|[own, a, b]| text.push_str(&format!("{own} {a} {b}\n")));
    text.into_bytes()
}

/// Writes a circuit in binary (`.aig`).
pub fn write_binary(circuit: &Circuit) -> Vec<u8> {
    let ands = Ands::of(circuit);
    let mut file = ands.header("aig").into_bytes();
    file.extend(ands.output_lines().into_bytes());
    for [own, a, b] in ands.gates {
        push_difference(&mut file, own - a);
        push_difference(&mut file, a - b);
    }
    file
}

fn push_difference(file: &mut Vec<u8>, mut number: u32) {
    while number >= 128 {
        file.push(number as u8 | 128);
        number >>= 7;
    }
    // Writing to memory cannot fail.
    let _ = file.write_all(&[number as u8]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{Verdict, prove};
    use crate::sweep::Limits;
    use crate::testing::random_circuit;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn what_is_written_is_read_as_an_equal_circuit(seed: u64, gates in 1..80_usize) {
            let circuit = random_circuit(seed, 8, gates, 5);
            for file in [write_text(&circuit), write_binary(&circuit)] {
                let back = read(&file).unwrap();
                let verdict = prove(&circuit, &back, Limits::default()).unwrap();
                let is_equal = matches!(verdict, Verdict::Equal { .. });
                prop_assert!(is_equal, "{:?}", verdict);
            }
        }

        #[test]
        fn a_truncated_file_is_refused(seed: u64, cut in 1..60_usize) {
            let file = write_binary(&random_circuit(seed, 8, 60, 5));
            let kept = file.len().saturating_sub(cut);
            // Of a circuit without gates nothing can be cut but outputs, whose last line may lack its end.
            let result = read(&file[..kept]);
            prop_assert!(result.is_err() || file[..kept].len() + 1 == file.len(), "{:?}", result);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, binary: bool, numbers: [u8; 5]) {
            let name = if binary { "aig" } else { "aag" };
            let numbers = numbers.map(|number| number % 6);
            let [most, inputs, latches, outputs, gates] = numbers;
            let mut file = format!("{name} {most} {inputs} {} {outputs} {gates}\n", latches / 5).into_bytes();
            file.extend(bytes);
            let _ = read(&file);
        }
    }

    #[test]
    fn gates_of_a_text_may_stand_in_any_order() {
        let file = b"aag 5 2 0 1 3\n2\n4\n11\n10 6 8\n6 2 4\n8 3 5\nc\na comment\n";
        let circuit = read(file).unwrap();
        assert_eq!(circuit.evaluate(&[true, true]).unwrap(), [true]);
        let constants = read(b"aag 0 0 0 2 0\n0\n1\n").unwrap();
        assert_eq!(constants.evaluate(&[]).unwrap(), [false, true]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |file: &str| read(file.as_bytes()).unwrap_err();
        assert_eq!(refused("aag 3 2 1 1 0\n2\n4\n6 2\n6\n"), AigerError::Latches { latches: 1 });
        assert_eq!(refused("aag 3 1 0 1 2\n2\n4\n4 6 2\n6 4 2\n"), AigerError::Cycle { variable: 2 });
        assert_eq!(refused("aag 2 1 0 1 1\n2\n4\n4 4 2\n"), AigerError::Cycle { variable: 2 });
        assert_eq!(refused("aag 9 1 0 1 1\n2\n4\n4 2 18\n"), AigerError::Undefined { variable: 9 });
        assert_eq!(refused("aag 2 1 0 1 1\n2\n8\n4 2 2\n"), AigerError::Undefined { variable: 4 });
        assert_eq!(refused("aag 2 2 0 0 0\n2\n2\n"), AigerError::Twice { variable: 1 });
        assert_eq!(refused("aag 1 1 0 0 0 1\n2\n2\n"), AigerError::Properties);
        assert_eq!(refused("p cnf 3 2\n"), AigerError::Header);
        let stated = refused("aig 2147483648 0 0 1 2147483648\n0\n");
        assert!(matches!(stated, AigerError::Circuit(CircuitError::TooLarge { what: "gates", .. })));
        let stated = refused("aig 1000002 2 0 1 1000000\n6\n");
        assert!(matches!(stated, AigerError::Short { what: "gates", stated: 1_000_000, .. }));
        assert_eq!(refused("aig 3 2 0 1 1\n6\n"), AigerError::Number { at: 16 });
        assert_eq!(refused("aig 3 2 0 1 1\n6\n\x02"), AigerError::Number { at: 17 });
    }
}
