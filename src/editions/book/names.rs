//! The names of people as shelves and indexes sort them.

use pinyin::ToPinyin as _;

use crate::typography;

/// Family names of two characters; all others have one.
const DOUBLE: [&str; 20] = [
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "东方", "東方", "皇甫", "尉迟", "尉遲", "公孙",
    "公孫", "慕容", "司徒", "夏侯", "令狐", "宇文", "长孙",
];

/// Words before a family name that belong to it.
const PARTICLES: [&str; 12] = ["van", "von", "de", "der", "den", "du", "da", "di", "la", "le", "bin", "al"];

/// A name as it is filed: `Lin Wan` for 林晚, `Marsh, Ada` for Ada Marsh; any other as it is.
pub(super) fn file_as(name: &str, chinese: bool) -> String {
    let characters: Vec<char> = name.chars().filter(|c| !matches!(c, ' ' | '\u{3000}')).collect();
    if chinese && (2..=4).contains(&characters.len()) && characters.iter().all(|&c| typography::is_han(c)) {
        return in_pinyin(&characters);
    }
    let words: Vec<&str> = name.split_whitespace().collect();
    let latin = name.chars().all(|c| c.is_alphabetic() || " .'’-".contains(c))
        && !name.chars().any(typography::is_wide);
    if !latin
        || words.len() < 2
        || words.len() > 6
        || !name.is_ascii() && words.iter().any(|word| !is_latin(word))
    {
        return name.to_owned();
    }
    let mut from = words.len() - 1;
    while from > 1 && PARTICLES.contains(&words[from - 1]) {
        from -= 1;
    }
    format!("{}, {}", words[from..].join(" "), words[..from].join(" "))
}

fn is_latin(word: &str) -> bool {
    word.chars().all(|c| u32::from(c) < 0x250 || c == '’')
}

fn in_pinyin(characters: &[char]) -> String {
    let head: String = characters.iter().take(2).collect();
    let family = if characters.len() > 2 && DOUBLE.contains(&head.as_str()) { 2 } else { 1 };
    let spelt = |part: &[char]| {
        let syllables: String = part
            .iter()
            .map(|c| c.to_pinyin().map_or_else(|| c.to_string(), |s| s.plain().to_owned()))
            .collect();
        let mut letters = syllables.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    format!("{} {}", spelt(&characters[..family]), spelt(&characters[family..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_filed_under_the_family() {
        for (name, expected) in [
            ("林晚", "Lin Wan"),
            ("何一舟", "He Yizhou"),
            ("欧阳小满", "Ouyang Xiaoman"),
            ("Ada Marsh", "Marsh, Ada"),
            ("Vincent van der Berg", "van der Berg, Vincent"),
            ("Zoë O’Hara-Price", "O’Hara-Price, Zoë"),
            ("匿名者一二三", "匿名者一二三"),
            ("The Office of 7", "The Office of 7"),
            ("ليلى حسن", "ليلى حسن"),
            ("Plato", "Plato"),
            ("", ""),
        ] {
            assert_eq!(file_as(name, true), expected, "{name}");
        }
        assert_eq!(file_as("林晚", false), "林晚");
    }
}
