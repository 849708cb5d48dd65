//! What this crate writes, the tools that users have can read, and the other way round. Run with
//!
//! ```text
//! cargo test -p rekindle-keys --test it -- --ignored
//! ```
//!
//! where `age`, `age-keygen` and `openssl` (3 or later) are installed, and `script` of util-linux:
//! `age` takes passphrases only from a terminal.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a test has files of its own")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rekindle_keys::*;

/// Runs `command`, a line of shell, in `directory` with `input`; what it wrote.
fn run(directory: &Path, command: &str, input: &str) -> String {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
#[ignore = "needs `age`"]
fn age_reads_and_writes_keys_wrapped_to_recipients() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let key = generate_data_key().unwrap();
    let payload = format!("{}\n", hex(key.as_bytes()));

    let (identity, recipient) = generate_identity();
    write_secret(&path("ours.txt"), &identity).unwrap();
    assert_eq!(run(directory.path(), "age-keygen -y ours.txt", ""), format!("{recipient}\n"));
    run(directory.path(), "age-keygen -o theirs.txt && age-keygen -y theirs.txt > recipients.txt", "");
    let theirs = read_file(&path("recipients.txt"), Recipient::parse_list).unwrap();

    let everyone = [theirs, vec![recipient.clone()]].concat();
    fs::write(path("wrapped.age"), wrap_key(&key, &Recipients::Keys(everyone)).unwrap()).unwrap();
    for identity in ["ours.txt", "theirs.txt"] {
        assert_eq!(run(directory.path(), &format!("age -d -i {identity} wrapped.age"), ""), payload);
    }

    for armor in ["", "-a"] {
        run(directory.path(), &format!("age {armor} -r {recipient} -R recipients.txt -o back.age"), &payload);
        for identity in ["ours.txt", "theirs.txt"] {
            let unlock = Unlock::Identities(read_file(&path(identity), Identities::parse).unwrap());
            let unwrapped = unwrap_key(&fs::read(path("back.age")).unwrap(), &unlock).unwrap();
            assert_eq!(unwrapped.as_bytes(), key.as_bytes());
        }
    }
}

#[test]
#[ignore = "needs `age` and `script`"]
fn age_reads_and_writes_keys_wrapped_with_a_passphrase() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let key = generate_data_key().unwrap();
    let payload = format!("{}\n", hex(key.as_bytes()));
    let passphrase = Passphrase::parse("open sesame").unwrap();

    let wrapped = wrap_key(&key, &Recipients::Passphrase(passphrase.clone())).unwrap();
    fs::write(path("wrapped.age"), wrapped).unwrap();
    run(directory.path(), "script -qec 'age -d -o payload wrapped.age' /dev/null", "open sesame\n");
    assert_eq!(fs::read_to_string(path("payload")).unwrap(), payload);

    let typed = "open sesame\nopen sesame\n";
    run(directory.path(), "script -qec 'age -p -o back.age payload' /dev/null", typed);
    let unwrapped = unwrap_key(&fs::read(path("back.age")).unwrap(), &Unlock::Passphrase(passphrase));
    assert_eq!(unwrapped.unwrap().as_bytes(), key.as_bytes());
}

#[test]
#[ignore = "needs `openssl`"]
fn openssl_reads_and_writes_signing_keys_and_signatures() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("message"), "step 100").unwrap();

    write_secret(&path("ours.pem"), &SigningKey::generate().unwrap().to_pem()).unwrap();
    run(directory.path(), "openssl genpkey -algorithm ed25519 -out theirs.pem", "");
    for pem in ["ours.pem", "theirs.pem"] {
        run(directory.path(), &format!("openssl pkey -in {pem} -pubout -out public.pem"), "");
        let signer = read_file(&path(pem), SigningKey::from_pem).unwrap();
        let public = read_file(&path("public.pem"), str::parse::<PublicKey>).unwrap();
        assert_eq!(signer.public_key(), public);

        let sign = format!("openssl pkeyutl -sign -inkey {pem} -rawin -in message -out signature");
        run(directory.path(), &sign, "");
        let theirs = Signature::from_bytes(fs::read(path("signature")).unwrap().try_into().unwrap());
        public.verify(b"step 100", &theirs).unwrap();

        fs::write(path("signature"), signer.sign(b"step 100").as_bytes()).unwrap();
        let verify = "openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in message -sigfile signature";
        run(directory.path(), verify, "");
    }
}
