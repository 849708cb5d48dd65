//! A config in YAML, then settings, each after a line break and `--set `. The whole config that comes
//! out can be read again and is the same. The text says of which system it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rekindle_train::ConfigText;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut parts = text.split("\n--set ").map(str::to_owned);
    let yaml = parts.next().unwrap_or_default();
    let settings: Vec<String> = parts.collect();
    let registry = rekindle_systems::registry();
    let text = ConfigText { origin: "fuzz.yaml".to_owned(), yaml };
    let named = text.system().ok().and_then(|name| registry.system(&name, &text.origin).ok());
    let system = named.unwrap_or_else(|| registry.system("logic", "fuzz").expect("it is there"));
    if let Ok(yaml) = system.config(&text, &settings).and_then(|config| config.yaml()) {
        let whole = ConfigText { origin: "whole.yaml".to_owned(), yaml: yaml.clone() };
        let again = system.config(&whole, &[]).and_then(|config| config.yaml()).expect("it was written here");
        assert_eq!(again, yaml);
    }
});
