//! Languages by their own names, for whoever has to choose one.

use crate::prose::Language;

/// What the speakers of the languages in which most papers come call them.
const NAMES: [(&str, &str); 30] = [
    ("ar", "العربية"),
    ("bn", "বাংলা"),
    ("ca", "Català"),
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("es", "Español"),
    ("fa", "فارسی"),
    ("fi", "Suomi"),
    ("fr", "Français"),
    ("he", "עברית"),
    ("hi", "हिन्दी"),
    ("hu", "Magyar"),
    ("id", "Bahasa Indonesia"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("ko", "한국어"),
    ("nb", "Norsk bokmål"),
    ("nl", "Nederlands"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ru", "Русский"),
    ("sv", "Svenska"),
    ("th", "ไทย"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("vi", "Tiếng Việt"),
    ("yue", "粵語"),
];

/// What a language is called by those who speak it, if we know.
#[must_use]
pub fn own_name(language: &Language) -> Option<&'static str> {
    if language.primary().eq_ignore_ascii_case("zh") {
        let traditional = super::tables::ours(language).lang == "zh-Hant";
        return Some(if traditional { "繁體中文" } else { "简体中文" });
    }
    NAMES.iter().find(|(tag, _)| language.primary().eq_ignore_ascii_case(tag)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_called_as_its_speakers_call_it() {
        for (tag, name) in [
            ("en-GB", Some("English")),
            ("zh-CN", Some("简体中文")),
            ("zh-HK", Some("繁體中文")),
            ("de", Some("Deutsch")),
            ("tlh", None),
        ] {
            assert_eq!(own_name(&Language::parse(tag).expect("a language tag")), name, "{tag}");
        }
    }
}
