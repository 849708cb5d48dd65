//! Forms of words.

/// A verb as it is after `does`: `chases` is `chase`. One that has no ending of the third person stays.
pub(super) fn third_person(verb: &str) -> String {
    singular(verb)
}

/// A noun for one: `animals` is `animal`, `wolves` is not known and becomes `wolve`.
pub(super) fn singular(noun: &str) -> String {
    if let Some(stem) = noun.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let long = ["ches", "shes", "sses", "xes", "zes", "oes"].iter().any(|ending| noun.ends_with(ending));
    match long {
        true => noun[..noun.len() - 2].to_owned(),
        false if is_plural(noun) => noun[..noun.len() - 1].to_owned(),
        false => noun.to_owned(),
    }
}

/// Whether a word ends as plurals do.
pub(super) fn is_plural(word: &str) -> bool {
    word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us")
}
