//! Proofs to keep: which two circuits were shown to be equal, and how.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::circuit::{Circuit, Gate};
use crate::error::CircuitError;
use crate::proof::{Method, Verdict, prove};
use crate::sweep::Limits;

/// The version of certificates.
const VERSION: u32 = 1;

/// Two circuits that were shown to compute the same. It holds both, so that whoever has it can show it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The version of this format.
    pub certificate_version: u32,
    /// How it was shown.
    pub method: Method,
    /// Settings that were tried, or conflicts that the solver had.
    pub effort: u64,
    /// The one.
    pub original: Stored,
    /// The other.
    pub simplified: Stored,
}

/// A circuit in a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// BLAKE3 of the circuit, in hexadecimal digits; see [`digest`].
    pub digest: String,
    /// How many inputs it has.
    pub inputs: u64,
    /// Function and both inputs of each gate.
    pub gates: Vec<(u8, u32, u32)>,
    /// The signals that are outputs.
    pub outputs: Vec<u32>,
}

/// A certificate that is none.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// It is not JSON of a certificate.
    #[error("it is not the JSON of a certificate: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of another version.
    #[error("the certificate is of version {found}, this program knows {VERSION}")]
    Version {
        /// The version.
        found: u32,
    },
    /// A circuit is not the one that the digest is of.
    #[error("the {which} circuit was changed: its digest is another than the certificate says")]
    Digest {
        /// `original` or `simplified`.
        which: &'static str,
    },
    /// A circuit is damaged, or the two do not fit each other.
    #[error(transparent)]
    Circuit(#[from] CircuitError),
}

impl Certificate {
    /// The certificate of a verdict; none where the circuits were not shown to be equal.
    pub fn of(original: &Circuit, simplified: &Circuit, verdict: &Verdict) -> Option<Self> {
        let &Verdict::Equal { method, effort } = verdict else { return None };
        let (original, simplified) = (Stored::of(original), Stored::of(simplified));
        Some(Self { certificate_version: VERSION, method, effort, original, simplified })
    }

    /// Reads JSON. Nothing in it is trusted.
    ///
    /// # Errors
    /// It is not JSON of a certificate, or of another version.
    pub fn read(json: &[u8]) -> Result<Self, CertificateError> {
        let certificate: Self = serde_json::from_slice(json)?;
        match certificate.certificate_version {
            VERSION => Ok(certificate),
            found => Err(CertificateError::Version { found }),
        }
    }

    /// The JSON.
    ///
    /// # Errors
    /// None is known.
    pub fn write(&self) -> Result<Vec<u8>, CertificateError> {
        Ok(serde_json::to_vec(self)?)
    }

    /// Both circuits, which are those that the digests are of.
    ///
    /// # Errors
    /// A circuit is damaged or was changed.
    pub fn circuits(&self) -> Result<[Circuit; 2], CertificateError> {
        Ok([self.original.circuit("original")?, self.simplified.circuit("simplified")?])
    }

    /// Shows again what the certificate says.
    ///
    /// # Errors
    /// A circuit is damaged or was changed.
    pub fn check(&self, limits: Limits) -> Result<Verdict, CertificateError> {
        let [original, simplified] = self.circuits()?;
        Ok(prove(&original, &simplified, limits)?)
    }
}

impl Stored {
    fn of(circuit: &Circuit) -> Self {
        let gates = circuit.gates().iter().map(|gate| (gate.op, gate.a, gate.b));
        Self {
            digest: digest(circuit),
            inputs: circuit.inputs() as u64,
            gates: gates.collect(),
            outputs: circuit.outputs().to_vec(),
        }
    }

    fn circuit(&self, which: &'static str) -> Result<Circuit, CertificateError> {
        let gates = self.gates.iter().map(|&(op, a, b)| Gate { op, a, b }).collect();
        // More inputs than a word holds are too many in any case.
        let inputs = usize::try_from(self.inputs).unwrap_or(usize::MAX);
        let circuit = Circuit::new(inputs, gates, self.outputs.clone())?;
        if digest(&circuit) == self.digest { Ok(circuit) } else { Err(CertificateError::Digest { which }) }
    }
}

/// BLAKE3, in hexadecimal digits, of a circuit: the numbers of its inputs, gates and outputs, then function and
/// inputs of each gate, then the outputs; each as a number of eight bytes, the lowest first.
pub fn digest(circuit: &Circuit) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |number: u64| {
        hasher.update(&number.to_le_bytes());
    };
    let counts = [circuit.inputs(), circuit.gates().len(), circuit.outputs().len()];
    counts.into_iter().for_each(|count| add(count as u64));
    for gate in circuit.gates() {
        [u64::from(gate.op), u64::from(gate.a), u64::from(gate.b)].into_iter().for_each(&mut add);
    }
    circuit.outputs().iter().for_each(|&output| add(u64::from(output)));
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simplify::simplify;
    use crate::testing::random_circuit;

    fn certificate() -> Certificate {
        let circuit = random_circuit(5, 6, 40, 3);
        let simplified = simplify(&circuit, Limits::default()).unwrap();
        Certificate::of(&circuit, &simplified.circuit, &simplified.verdict).unwrap()
    }

    #[test]
    fn a_certificate_is_shown_again_after_it_was_written() {
        let json = certificate().write().unwrap();
        let read = Certificate::read(&json).unwrap();
        assert_eq!(read, certificate());
        let verdict = read.check(Limits::default()).unwrap();
        assert_eq!(verdict, Verdict::Equal { method: Method::Exhaustive, effort: 64 });
    }

    #[test]
    fn a_changed_circuit_is_noticed() {
        let mut changed = certificate();
        changed.simplified.outputs.reverse();
        changed.simplified.outputs[0] = 0;
        assert!(matches!(
            changed.check(Limits::default()),
            Err(CertificateError::Digest { which: "simplified" })
        ));
        // Whoever changes the digest too is found out by the proof.
        let [_, other] = [0, 1].map(|_| random_circuit(6, 6, 40, 3));
        changed.simplified = Stored::of(&other);
        assert!(matches!(changed.check(Limits::default()), Ok(Verdict::Different { .. })));
        let mut later = certificate();
        later.certificate_version = 2;
        assert!(matches!(
            Certificate::read(&later.write().unwrap()),
            Err(CertificateError::Version { found: 2 })
        ));
        assert!(matches!(Certificate::read(b"{}"), Err(CertificateError::Json(_))));
    }
}
