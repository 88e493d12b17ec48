//! What the desk says: a file for each of the three languages that we speak, all with the same phrases.

use std::sync::LazyLock;

use axum::http::{HeaderMap, header};

use crate::{prose::Language, theme};

/// How the cookie is called that keeps the language which somebody chose.
pub(super) const COOKIE: &str = "gazetted-language";

/// The phrases of a language, by section and name.
pub(super) struct Words {
    /// The language, as in `lang`.
    pub(super) lang: &'static str,
    /// All of them, for templates: `words.today.title`.
    pub(super) phrases: toml::Table,
}

/// The tables, the first for whoever asks for a language that we do not speak.
pub(super) static ALL: LazyLock<[Words; 3]> = LazyLock::new(|| {
    let read = |lang, text: &str| Words { lang, phrases: text.parse().expect("a test reads every table") };
    [
        read("en", include_str!("words/en.toml")),
        read("zh-Hans", include_str!("words/zh-Hans.toml")),
        read("zh-Hant", include_str!("words/zh-Hant.toml")),
    ]
});

impl Words {
    /// The phrase `section.name`, its places in braces filled. What is missing is shown by its name; a test makes sure that nothing is.
    pub(super) fn say(&self, name: &str, places: &[(&str, &str)]) -> String {
        let found =
            name.split_once('.').and_then(|(section, name)| self.phrases.get(section)?.get(name)?.as_str());
        found.map_or_else(|| name.to_owned(), |phrase| theme::told(phrase, places))
    }

    /// The phrase for so many: `NAME-one` where there is one and the language tells one from many.
    pub(super) fn count(&self, name: &str, n: u64) -> String {
        let one = format!("{name}-one");
        let has_one = n == 1 && self.say(&one, &[]) != one;
        self.say(if has_one { &one } else { name }, &[("n", &n.to_string())])
    }

    /// The phrases in the language that a browser asks for: the one that was chosen, else the first that we speak of those that it
    /// names, else the publication's.
    pub(super) fn asked(headers: &HeaderMap, own: &Language) -> &'static Self {
        if let Some(chosen) = cookie(headers, COOKIE).and_then(|tag| Self::of_tag(&tag)) {
            return chosen;
        }
        let asked =
            headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut tags: Vec<(f32, &str)> = asked
            .split(',')
            .filter_map(|item| {
                let (tag, weight) = item.split_once(';').unwrap_or((item, ""));
                let weight = weight.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse().ok())?;
                (weight > 0.0).then_some((weight, tag.trim()))
            })
            .collect();
        tags.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let first = tags.into_iter().find_map(|(_, tag)| Self::of_tag(tag));
        first.or_else(|| Self::of_tag(own.as_str())).unwrap_or(&ALL[0])
    }

    /// The phrases of a language tag, if we speak that.
    pub(super) fn of_tag(tag: &str) -> Option<&'static Self> {
        let tag = tag.to_ascii_lowercase();
        let mut parts = tag.split('-');
        let traditional = ["hant", "tw", "hk", "mo"].iter().any(|part| tag.split('-').any(|p| p == *part));
        match parts.next()? {
            "en" => Some(&ALL[0]),
            "zh" | "yue" | "wuu" => Some(&ALL[if traditional { 2 } else { 1 }]),
            _ => None,
        }
    }
}

/// The value of a cookie.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every phrase by its whole name, with the places that it has.
    fn phrases(words: &Words) -> Vec<(String, Vec<String>)> {
        let mut all = Vec::new();
        for (section, names) in &words.phrases {
            for (name, phrase) in names.as_table().expect("a section") {
                let phrase = phrase.as_str().expect("a phrase");
                let mut places: Vec<String> = phrase
                    .split('{')
                    .skip(1)
                    .filter_map(|rest| rest.split_once('}').map(|(place, _)| place.to_owned()))
                    .filter(|place| place.bytes().all(|b| b.is_ascii_lowercase()) && !place.is_empty())
                    .collect();
                places.sort();
                all.push((format!("{section}.{name}"), places));
            }
        }
        all.sort();
        all
    }

    #[test]
    fn every_language_has_the_same_phrases_with_the_same_places() {
        for words in &ALL[1..] {
            assert_eq!(phrases(words), phrases(&ALL[0]), "{}", words.lang);
        }
    }

    /// Every name of ours, found in our own templates and code.
    #[test]
    fn every_phrase_that_a_page_asks_for_is_there_and_no_other() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/desk");
        let mut texts = String::new();
        for folder in [folder.clone(), folder.join("templates"), folder.join("proofs")] {
            for file in std::fs::read_dir(folder).into_iter().flatten() {
                let path = file.expect("listed").path();
                if path.is_file() && !path.ends_with("words.rs") {
                    texts.push_str(&std::fs::read_to_string(path).expect("readable"));
                }
            }
        }
        let known = phrases(&ALL[0]);
        for (name, _) in &known {
            let (section, short) = name.split_once('.').expect("a section");
            // Doubts, states, wishes, reasons and what was done are asked for by their codes.
            let codes = [
                "doubt", "state", "status", "pace", "fate", "done", "letter", "standing", "form", "reason",
                "report",
            ];
            let by_code = codes.contains(&section);
            let plain = name.trim_end_matches("-one");
            let asked = by_code
                || texts.contains(&format!("words.{section}.{short}"))
                || texts.contains(&format!("\"{plain}\""))
                || texts.contains(&format!("words.{section}[\"{short}\"]"));
            assert!(asked, "nobody asks for `{name}`");
        }
        for (at, _) in texts.match_indices("words.") {
            let rest = &texts[at + 6..];
            let end =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
            let name = rest[..end].trim_end_matches('.');
            let is_method =
                ["say", "count", "lang", "phrases", "rs"].iter().any(|method| name.starts_with(method));
            if name.contains('.') && !is_method {
                assert!(known.iter().any(|(known, _)| known == name), "`{name}` is not there");
            }
        }
    }

    #[test]
    fn the_language_is_the_one_that_the_browser_prefers() {
        let asked = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, accept.parse().expect("a header"));
            Words::asked(&headers, &Language::parse("zh-Hans").expect("a tag")).lang
        };
        assert_eq!(asked("de, en;q=0.5"), "en");
        assert_eq!(asked("en;q=0.5, zh-TW"), "zh-Hant");
        assert_eq!(asked("zh-CN,zh;q=0.9,en;q=0.8"), "zh-Hans");
        assert_eq!(asked("de"), "zh-Hans", "the publication's");
        assert_eq!(asked("zh;q=nonsense, en"), "en");
    }
}
