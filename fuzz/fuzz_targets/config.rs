//! A config in YAML, then settings, each after a line break and `--set `. The whole config that comes
//! out can be read again and is the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_logic::Logic;
use rekindle_train::{ConfigText, Registry};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut parts = text.split("\n--set ").map(str::to_owned);
    let yaml = parts.next().unwrap_or_default();
    let settings: Vec<String> = parts.collect();
    let registry = Registry::new().with::<Logic>();
    let text = ConfigText { origin: "fuzz.yaml".to_owned(), yaml };
    if let Ok(name) = text.system() {
        let _ = registry.system(&name, &text.origin);
    }
    let system = registry.system("logic", "fuzz").expect("it is there");
    if let Ok(yaml) = system.whole_config(&text, &settings) {
        let whole = ConfigText { origin: "whole.yaml".to_owned(), yaml: yaml.clone() };
        let again = system.whole_config(&whole, &[]).expect("it was written here");
        assert_eq!(again, yaml);
    }
});
