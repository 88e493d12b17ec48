//! How a link to a page looks where people share it: its picture and its language, as Open Graph has them.

use serde::Serialize;

use crate::{
    editions, editions::outline::said, editions::paths, issue::Release, picture::PictureName, prose,
    prose::Language, publication::Publication,
};

/// Smaller pictures are shown by nobody, or as a stamp that is no better than none.
const LEAST: u32 = 200;

/// The picture that goes with a link.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    url: String,
    width: Option<u32>,
    height: Option<u32>,
    alt: Option<String>,
}

impl Shown {
    /// The first picture of an issue that is large enough, or else its cover.
    pub(super) fn of_issue(release: &Release, publication: &Publication) -> Self {
        let articles = 0..release.issue.articles.len();
        let pictured = articles.into_iter().find_map(|nth| Self::of_article(release, nth, publication));
        pictured.unwrap_or_else(|| Self {
            url: publication.url(&editions::cover_path(&release.issue.key)),
            width: None,
            height: None,
            alt: None,
        })
    }

    /// The first picture of an article that is large enough.
    pub(super) fn of_article(release: &Release, nth: usize, publication: &Publication) -> Option<Self> {
        let article = release.issue.articles.get(nth)?;
        prose::pictures(&article.body)
            .into_iter()
            .find_map(|(name, alt)| Self::of(release, name, alt, publication))
    }

    fn of(release: &Release, name: &PictureName, alt: &str, publication: &Publication) -> Option<Self> {
        let picture = release.issue.pictures.iter().find(|picture| picture.name == *name)?;
        let large = picture.width >= LEAST && picture.height >= LEAST;
        large.then(|| Self {
            url: publication.url(&paths::picture(&release.issue.key, name)),
            width: Some(picture.width),
            height: Some(picture.height),
            alt: said(alt),
        })
    }
}

/// The language as Open Graph names it, with a country: `zh_CN`, `en_US`; one without a country that we know of stays as it is.
pub(super) fn locale(language: &Language) -> String {
    let country = language.as_str().split('-').skip(1).find(|subtag| subtag.len() == 2);
    let primary = language.primary().to_ascii_lowercase();
    let traditional = language.as_str().to_ascii_lowercase().contains("hant");
    match (country, primary.as_str()) {
        (Some(country), _) => format!("{primary}_{}", country.to_ascii_uppercase()),
        (None, "zh") if traditional => "zh_TW".to_owned(),
        (None, "zh") => "zh_CN".to_owned(),
        (None, "en") => "en_US".to_owned(),
        (None, "ja") => "ja_JP".to_owned(),
        (None, "ar") => "ar_AR".to_owned(),
        // Most languages are named like the country that they come from: fr_FR, de_DE, it_IT.
        (None, "fr" | "de" | "it" | "es" | "pt" | "ru" | "nl" | "pl" | "tr" | "fi") => {
            format!("{primary}_{}", primary.to_ascii_uppercase())
        }
        (None, _) => primary,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_a_country_where_it_is_shared() {
        for (tag, name) in [
            ("zh-Hans", "zh_CN"),
            ("zh-Hant-HK", "zh_HK"),
            ("zh-Hant", "zh_TW"),
            ("en", "en_US"),
            ("fr", "fr_FR"),
            ("eo", "eo"),
        ] {
            assert_eq!(locale(&Language::parse(tag).expect("a language tag")), name, "{tag}");
        }
    }
}
