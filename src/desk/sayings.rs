//! What the reader of manuscripts and the press say is in English, since it stands in files too; the desk says it in its editor's
//! language, where the table has it, and else as it came.

use std::sync::LazyLock;

use serde::Deserialize;

use super::words::Words;

/// Where any text may stand.
const ANY: &str = "{}";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    saying: Vec<Saying>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Saying {
    en: String,
    #[serde(rename = "zh-Hans")]
    hans: String,
    #[serde(rename = "zh-Hant")]
    hant: String,
}

/// The table; of two that fit, what says more stands first.
static TABLE: LazyLock<Vec<Saying>> = LazyLock::new(|| {
    let Table { mut saying } =
        toml::from_str(include_str!("words/sayings.toml")).expect("a test reads the table");
    saying.sort_by_key(|saying| std::cmp::Reverse(saying.en.len()));
    saying
});

impl Words {
    /// What was said in English, in this language.
    pub(super) fn retell(&self, said: &str) -> String {
        self.retold(said).unwrap_or_else(|| said.to_owned())
    }

    /// The language in which that is.
    pub(super) fn lang_of(&self, said: &str) -> &'static str {
        if self.retold(said).is_some() { self.lang } else { "en" }
    }

    fn retold(&self, said: &str) -> Option<String> {
        TABLE.iter().find_map(|saying| {
            let told = match self.lang {
                "zh-Hans" => &saying.hans,
                "zh-Hant" => &saying.hant,
                _ => return None,
            };
            Some(filled(told, &fit(&saying.en, said)?))
        })
    }
}

/// The texts that stand at the places of a pattern, if it fits. A text is as short as it can be, but the last.
fn fit<'s>(pattern: &str, said: &'s str) -> Option<Vec<&'s str>> {
    let mut pieces = pattern.split(ANY);
    let mut rest = said.strip_prefix(pieces.next()?)?;
    let mut texts = Vec::new();
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = if pieces.peek().is_none() {
            rest.ends_with(piece).then(|| rest.len() - piece.len())?
        } else {
            rest.find(piece)?
        };
        texts.push(&rest[..at]);
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty().then_some(texts)
}

fn filled(told: &str, texts: &[&str]) -> String {
    let mut texts = texts.iter();
    let mut pieces = told.split(ANY);
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        filled.push_str(texts.next().unwrap_or(&""));
        filled.push_str(piece);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::{super::words, *};

    #[test]
    fn what_is_said_keeps_what_it_is_about() {
        let hans = words::Words::of_tag("zh-Hans").expect("a language");
        assert_eq!(hans.retell("ends without a stop: …桥边的灯"), "末尾没有句号：…桥边的灯");
        assert_eq!(
            hans.retell("the picture `a.png` cannot be shown: too large"),
            "图片“a.png”无法显示：too large"
        );
        assert_eq!(hans.retell("no article was found"), "未找到任何文章");
        assert_eq!(hans.retell("what nobody has foreseen"), "what nobody has foreseen");
        assert_eq!(words::ALL[0].retell("no article was found"), "no article was found");
        assert_eq!(fit("a{}b", "ab"), Some(vec![""]));
        assert_eq!(fit("a{}b", "acbd"), None);
        assert_eq!(fit("{}: {}", "x: y: z"), Some(vec!["x", "y: z"]));
    }

    /// Every text in our code, with its places as `{}` and without the breaks of long lines.
    fn code() -> String {
        let mut code = String::new();
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() && !path.ends_with("desk") {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    code.push_str(&std::fs::read_to_string(&path).expect("a text"));
                }
            }
        }
        let mut plain = String::new();
        for (n, part) in code.split('{').enumerate() {
            match part.split_once('}') {
                Some((name, rest))
                    if n > 0 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') =>
                {
                    plain.push_str(ANY);
                    plain.push_str(rest);
                }
                _ if n > 0 => {
                    plain.push('{');
                    plain.push_str(part);
                }
                _ => plain.push_str(part),
            }
        }
        plain
            .replace("\\\"", "\"")
            .split('\n')
            .map(str::trim_start)
            .collect::<Vec<_>>()
            .join("\n")
            .replace("\\\n", "")
    }

    #[test]
    fn the_table_has_what_is_said_and_nothing_else() {
        let code = code();
        for saying in TABLE.iter() {
            // The last place may stand for what goes on in other words.
            let begins = saying.en.trim_end_matches(ANY).trim_end_matches(": ").trim_end_matches("; ");
            assert!(code.contains(begins), "nobody says `{}`", saying.en);
            for told in [&saying.hans, &saying.hant] {
                let n_places = |text: &str| text.matches(ANY).count();
                assert!(n_places(told) <= n_places(&saying.en), "{told}");
            }
        }
        // What is asked where a format stands in the call itself.
        let asked = code.split("query(Doubt::").skip(1).filter_map(|call| {
            let call = call.split(';').next()?;
            let said = call.split_once("format!(\"")?.1;
            Some(said.split("\",").next()?.split("\")").next()?.to_owned())
        });
        let mut n_asked = 0;
        for said in asked {
            n_asked += 1;
            assert!(TABLE.iter().any(|saying| fit(&saying.en, &said).is_some()), "no words for `{said}`");
        }
        assert!(n_asked >= 8, "only {n_asked} were found");
    }
}
