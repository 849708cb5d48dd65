//! The other small objects of a run: notes, signatures, marks of condemned packs, wrapped keys.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_fuzz::{STEP, examine, examine_repair, run_of_nothing, seal, take_u8};

fuzz_target!(|data: &[u8]| {
    let mut body = data;
    let choice = take_u8(&mut body);
    let run = run_of_nothing();
    let name = match choice % 6 {
        0 => "notes/run.json".to_owned(),
        1 => format!("notes/{STEP:012}.json"),
        2 => format!("signatures/{STEP:012}-0123456789ab.json"),
        3 => format!("damaged/{STEP:012}.json"),
        4 => "key.age".to_owned(),
        _ => {
            let pack = run.keys().find_map(|name| name.strip_prefix("packs/")?.strip_suffix(".pack"));
            format!("trash/{}", pack.unwrap_or_default())
        }
    };
    for bytes in [body.to_vec(), seal(body)] {
        let mut objects = run.clone();
        objects.insert(name.clone(), bytes);
        examine(objects.clone());
        // A writer takes condemned packs for gone.
        if choice % 6 != 5 {
            examine_repair(objects);
        }
    }
});
