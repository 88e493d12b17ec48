//! A publisher's own table of words, read from its file.

use super::{
    Fault, kept,
    tables::{ENGLISH, ours},
    words::{KEYS, LISTS, Words},
};
use crate::{prose::Language, typography};

/// What the phrases of some days have places for.
const SPANS: [&str; 10] = [
    "year",
    "month",
    "day",
    "month_name",
    "iso",
    "last_year",
    "last_month",
    "last_day",
    "last_month_name",
    "last_iso",
];

/// What the phrases of dates have places for.
const DATES: [&str; 7] = ["year", "month", "day", "weekday", "month_name", "iso", "iso_month"];

/// The table of a publisher: what `text` says, and for the rest what we say in that language.
pub(super) fn read(
    file: &str,
    language: &Language,
    text: &'static str,
) -> Result<&'static Words, Vec<Fault>> {
    let fault = |at: Option<usize>, problem: String| Fault {
        file: file.to_owned(),
        line: at.map(|at| text.get(..at).map_or(1, |before| before.matches('\n').count() + 1)),
        problem,
    };
    let parsed = toml::de::DeTable::parse(text).map_err(|error| {
        vec![fault(
            error.span().map(|span| span.start),
            error.message().lines().next().unwrap_or_default().to_owned(),
        )]
    })?;
    let ours = ours(language);
    let mut words = Words { lang: kept(language.as_str().to_owned()), ..ours.clone() };
    let mut faults = Vec::new();
    for (key, value) in parsed.get_ref() {
        let (at, key): (_, &str) = (key.span().start, key.get_ref());
        match said(key, value.get_ref()) {
            Ok(said) => {
                if let Some(field) = words.field(key) {
                    *field = kept(said);
                }
            }
            Err(problem) => faults.push(fault(Some(at), problem)),
        }
    }
    if faults.is_empty() { Ok(Box::leak(Box::new(words))) } else { Err(faults) }
}

/// One value of a publisher's table, or what is wrong with it.
fn said(key: &str, value: &toml::de::DeValue<'_>) -> Result<String, String> {
    let Some(english) = ENGLISH.clone().field(key).map(|field| *field) else {
        let help = typography::near(key, KEYS.iter().copied()).map_or_else(
            || "`gazetted theme words/en.toml` lists them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(format!("there is no `{key}` among the words; {help}"));
    };
    if let Some((_, n)) = LISTS.iter().find(|(list, _)| *list == key) {
        let things: Vec<&str> =
            value.as_array().into_iter().flatten().filter_map(|thing| thing.get_ref().as_str()).collect();
        let good = things.len() == *n && things.iter().all(|thing| !thing.contains('|'));
        return if good { Ok(things.join("|")) } else { Err(format!("`{key}` is a list of {n} words")) };
    }
    let Some(phrase) = value.as_str() else { return Err(format!("`{key}` is a text in quotation marks")) };
    let allowed: Vec<&str> = match key {
        "date" | "day" | "month" | "year" | "volume" | "whole_month" => DATES.to_vec(),
        "within_month" | "within_year" | "between_years" => SPANS.to_vec(),
        _ => places(english).collect(),
    };
    // All say how many there are.
    let counts = |place: &str| match key {
        "n_more" | "n_others" => ["n", "articles"].contains(&place),
        "n_more_issues" => ["n", "issues"].contains(&place),
        _ => false,
    };
    match places(phrase).find(|place| !allowed.contains(place) && !counts(place)) {
        None => Ok(phrase.to_owned()),
        Some(place) if allowed.is_empty() => {
            Err(format!("`{key}` has no place `{{{place}}}`; it is said as it is"))
        }
        Some(place) => {
            Err(format!("`{key}` has no place `{{{place}}}`; it has `{{{}}}`", allowed.join("}`, `{")))
        }
    }
}

/// The names of the places in a phrase.
fn places(phrase: &str) -> impl Iterator<Item = &str> {
    phrase.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::tables::{SIMPLIFIED, TRADITIONAL};

    #[test]
    fn a_table_that_is_written_says_the_same_when_it_is_read() {
        for table in [&SIMPLIFIED, &TRADITIONAL, &ENGLISH] {
            let text: &'static str = Box::leak(table.to_toml().into_boxed_str());
            let language = Language::parse(table.lang).expect("a language tag");
            let again = read("words/x.toml", &language, text).expect("a good table");
            assert_eq!(again.to_toml(), text);
        }
    }
}
