//! `reliability`: runs the proofs.
fn main() {
    let scale = rekindle_reliability::Scale {
        progress: |name, done, of| eprintln!("{name}: {done} of {of}"),
        ..if std::env::args().any(|a| a == "--short") {
            rekindle_reliability::Scale::short("".into())
        } else {
            rekindle_reliability::Scale::full("".into())
        }
    };
    for proof in rekindle_reliability::PROOFS {
        if std::env::args().skip(1).any(|a| !a.starts_with('-')) && !std::env::args().any(|a| a == proof.name)
        {
            continue;
        }
        let begin = std::time::Instant::now();
        let outcome = (proof.run)(&scale, 1);
        println!("{} {:?} {:#?}", proof.name, begin.elapsed(), outcome);
    }
}
