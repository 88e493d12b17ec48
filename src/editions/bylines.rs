//! The line under a headline that says who made an article.

use crate::{issue::Article, issue::Byline, issue::Role, theme::Words, theme::told};

/// The line, in the words of its readers; empty when nobody is named.
pub(super) fn line(words: &Words, article: &Article) -> String {
    let roles = [
        (Role::Author, words.by),
        (Role::Translator, words.translated_by),
        (Role::Photographer, words.photographs_by),
    ];
    let parts = roles.iter().filter_map(|(role, phrase)| {
        let people: Vec<&Byline> =
            article.bylines.iter().filter(|b| b.role == *role && !b.name.trim().is_empty()).collect();
        (!people.is_empty()).then(|| told(phrase, &[("names", &names(words, &people))]))
    });
    parts.collect::<Vec<_>>().join(words.between_roles)
}

/// People with their offices; an office that several share in a row is named once, after the last.
fn names(words: &Words, people: &[&Byline]) -> String {
    let named: Vec<String> = people
        .iter()
        .enumerate()
        .map(|(n, person)| match &person.affiliation {
            Some(office) if people.get(n + 1).and_then(|p| p.affiliation.as_ref()) != Some(office) => {
                told(words.office, &[("name", &person.name), ("office", office)])
            }
            _ => person.name.clone(),
        })
        .collect();
    words.names(named.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{prose::Language, theme::Theme};

    #[test]
    fn people_of_one_office_share_its_name() {
        let person = |name: &str, office: Option<&str>| Byline {
            name: name.to_owned(),
            role: Role::Author,
            affiliation: office.map(str::to_owned),
        };
        let people = [person("甲", Some("大学")), person("乙", Some("大学")), person("丙", None)];
        let people: Vec<&Byline> = people.iter().collect();
        let names = |tag: &str| {
            let words = Theme::default().words(&Language::parse(tag).expect("a language tag"));
            names(words, &people)
        };
        assert_eq!(names("zh"), "甲、乙（大学）、丙");
        assert_eq!(names("en"), "甲, 乙 (大学) and 丙");
    }
}
