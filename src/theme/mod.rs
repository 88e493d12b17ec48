//! How readers' editions look and what is said around an issue's text: ours, or a publisher's own, file by file.

mod words;
mod tables;
mod reading;
mod languages;
mod templates;
mod wellformed;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, LazyLock},
};

use minijinja::Environment;
use serde::Serialize;

pub use languages::own_name;
pub use templates::{Ready, escape, push_escaped};
pub use words::{Words, direction, told};

use crate::{prose::Language, typography};

/// The templates, style sheets and words of a publication. It is read once, and cheap to copy.
#[derive(Clone)]
pub struct Theme {
    parts: Arc<Parts>,
    /// Whether all that its templates make is looked at, as in a rehearsal.
    strict: bool,
}

struct Parts {
    /// Where a publisher's own files are, as people call that place.
    folder: String,
    /// A publisher's templates with those of ours that are not replaced.
    press: Option<Environment<'static>>,
    styles: BTreeMap<&'static str, &'static str>,
    /// Tells one theme from another: a hash of a publisher's own files.
    stamp: String,
    /// A publisher's own words by language, in small letters.
    words: BTreeMap<String, &'static Words>,
}

/// What is wrong in a theme, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`{}: {problem}", Line(*line))]
pub struct Fault {
    /// The file.
    pub file: String,
    /// Its line, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

struct Line(Option<usize>);

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |line| write!(f, ", line {line}"))
    }
}

impl fmt::Debug for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Theme").field(&self.parts.folder).field(&self.parts.stamp).finish()
    }
}

/// Templates of pages that are ours alone, whatever theme a publisher has.
pub struct Templates(Environment<'static>);

impl Templates {
    /// Compiles templates by name.
    ///
    /// # Errors
    /// What is wrong with each.
    pub fn of(templates: impl IntoIterator<Item = (&'static str, &'static str)>) -> Result<Self, Vec<Fault>> {
        templates::compile(templates).map(Self)
    }

    /// Fills the template `name` with `content`.
    ///
    /// # Errors
    /// When the template asks for what `content` does not have.
    pub fn fill(&self, name: &str, content: impl Serialize) -> Result<String, Fault> {
        templates::fill(&self.0, name, content)
    }
}

/// Our own templates, compiled when the first is filled: many commands fill none.
static PRESS: LazyLock<Environment<'static>> =
    LazyLock::new(|| templates::compile(templates::OURS).expect("a test renders every template"));

static OURS: LazyLock<Theme> = LazyLock::new(|| {
    let styles = BTreeMap::from(templates::STYLES);
    Theme::made_of(Parts {
        folder: String::new(),
        press: None,
        styles,
        stamp: String::new(),
        words: BTreeMap::new(),
    })
});

impl Default for Theme {
    /// Our own.
    fn default() -> Self {
        OURS.clone()
    }
}

impl Theme {
    /// Our own theme with these files, by their names in `folder`, instead of ours: templates (`site/issue.html`), style sheets
    /// (`site/site.css`) and words (`words/fr.toml`).
    ///
    /// What it holds stays in memory until the program ends.
    ///
    /// # Errors
    /// Everything that is wrong with any of the files, each with its line where one is to blame.
    pub fn of(folder: &str, files: BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let mut theirs: BTreeMap<&'static str, &'static str> = BTreeMap::from(templates::OURS);
        let mut styles: BTreeMap<&'static str, &'static str> = BTreeMap::from(templates::STYLES);
        let mut words = BTreeMap::new();
        let mut faults = Vec::new();
        let mut stamp = blake3::Hasher::new();
        for (name, text) in files {
            for part in [&name, &text] {
                stamp.update(&part.len().to_le_bytes()).update(part.as_bytes());
            }
            let text = kept(text);
            if let Some(known) = theirs.get_mut(name.as_str()).or_else(|| styles.get_mut(name.as_str())) {
                *known = text;
            } else if let Some(language) = words_file(&name) {
                match reading::read(&name, &language, text) {
                    Ok(table) => _ = words.insert(language.as_str().to_ascii_lowercase(), table),
                    Err(wrong) => faults.extend(wrong),
                }
            } else {
                faults.push(unknown(&name));
            }
        }
        let press = templates::compile(theirs).map_err(|wrong| faults.extend(wrong)).ok();
        match press {
            Some(_) if faults.is_empty() => {
                let (folder, stamp) = (folder.to_owned(), stamp.finalize().to_hex().to_string());
                Ok(Self::made_of(Parts { folder, press, styles, stamp, words }))
            }
            _ => {
                faults.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
                Err(faults.into_iter().map(|fault| fault.within(folder)).collect())
            }
        }
    }

    fn made_of(parts: Parts) -> Self {
        Self { parts: Arc::new(parts), strict: false }
    }

    /// The same theme, which also refuses to make XML that is none.
    #[must_use]
    pub fn strictly(&self) -> Self {
        Self { parts: Arc::clone(&self.parts), strict: true }
    }

    /// The same words and style sheets, with our templates.
    #[must_use]
    pub fn with_our_templates(&self) -> Self {
        let Parts { folder, styles, stamp, words, .. } = &*self.parts;
        Self::made_of(Parts {
            folder: folder.clone(),
            press: OURS.parts.press.clone(),
            styles: styles.clone(),
            stamp: stamp.clone(),
            words: words.clone(),
        })
    }

    /// Fills the template `name` with `content`.
    ///
    /// # Errors
    /// When the template asks for what `content` does not have, does not come to an end, or, [`Theme::strictly`], makes no XML
    /// where programs want some.
    pub fn fill(&self, name: &str, content: impl Serialize) -> Result<String, Fault> {
        let press = self.parts.press.as_ref().unwrap_or_else(|| &PRESS);
        let filled =
            templates::fill(press, name, content).map_err(|fault| fault.within(&self.parts.folder))?;
        match self.strict.then(|| wellformed::problem(name, &filled)).flatten() {
            Some(problem) => Err(self.fault(name, &problem)),
            None => Ok(filled),
        }
    }

    /// What is wrong with the file `name` as a whole.
    #[must_use]
    pub fn fault(&self, name: &str, problem: &str) -> Fault {
        Fault { file: name.to_owned(), line: None, problem: problem.to_owned() }.within(&self.parts.folder)
    }

    /// The style sheet `name`.
    #[must_use]
    pub fn style(&self, name: &str) -> &'static str {
        self.parts.styles.get(name).copied().unwrap_or_default()
    }

    /// The words for texts in `language`: a publisher's own where there are some, else ours.
    #[must_use]
    pub fn words(&self, language: &Language) -> &'static Words {
        let ours = tables::ours(language);
        let mut tag = language.as_str().to_ascii_lowercase();
        loop {
            if let Some(words) = self.parts.words.get(&tag) {
                return words;
            }
            match tag.rsplit_once('-') {
                Some((wider, _)) => tag = wider.to_owned(),
                None => break,
            }
        }
        // `zh-TW` is in the script of `zh-Hant`.
        let same_script =
            language.primary().eq_ignore_ascii_case("zh").then(|| ours.lang.to_ascii_lowercase());
        same_script.and_then(|tag| self.parts.words.get(&tag).copied()).unwrap_or(ours)
    }
}

impl Fault {
    fn within(self, folder: &str) -> Self {
        if folder.is_empty() { self } else { Self { file: format!("{folder}/{}", self.file), ..self } }
    }
}

/// A text of a theme; a theme is read once and used until the program ends, and so are its texts.
fn kept(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// The language of `words/LANGUAGE.toml`.
fn words_file(name: &str) -> Option<Language> {
    Language::parse(name.strip_prefix("words/")?.strip_suffix(".toml")?)
}

fn unknown(name: &str) -> Fault {
    let wanted = name.rsplit('/').next().unwrap_or(name);
    let same = names().find(|known| known.rsplit('/').next() == Some(wanted));
    let help = same.or_else(|| typography::near(name, names())).map_or_else(
        || "`gazetted theme` lists those that there are".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    let problem = format!("there is no such file in a theme; {help}");
    Fault { file: name.to_owned(), line: None, problem }
}

/// The names of all templates and style sheets.
fn names() -> impl Iterator<Item = &'static str> {
    templates::OURS.into_iter().chain(templates::STYLES).map(|(name, _)| name)
}

/// The files of our own theme by name, with the words of the languages that we speak.
pub fn ours() -> impl Iterator<Item = (String, String)> {
    let files = templates::OURS.into_iter().chain(templates::STYLES);
    let tables = [&tables::SIMPLIFIED, &tables::TRADITIONAL, &tables::ENGLISH];
    let words = tables.into_iter().map(|table| (format!("words/{}.toml", table.lang), table.to_toml()));
    files.map(|(name, text)| (name.to_owned(), text.to_owned())).chain(words)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    fn theme(files: &[(&str, &str)]) -> Result<Theme, Vec<Fault>> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Theme::of("config/theme", files)
    }

    fn language(tag: &str) -> Language {
        Language::parse(tag).expect("a language tag")
    }

    #[track_caller]
    fn check(files: &[(&str, &str)], expected: &Expect) {
        let faults = theme(files).expect_err("it is wrong");
        expected.assert_eq(&faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn one_file_of_a_theme_changes_that_file_only() {
        let theirs = theme(&[("site/site.css", "p { color: red; }"), ("feed/feeds.opml", "<x>{{ a }}</x>")])
            .expect("a good theme");
        assert_eq!(theirs.style("site/site.css"), "p { color: red; }");
        assert_eq!(theirs.style("feed/feed.css"), Theme::default().style("feed/feed.css"));
        let filled = theirs.fill("feed/feeds.opml", json!({"a": "1 < 2\u{0}"})).expect("it is filled");
        assert_eq!(filled, "<x>1 &lt; 2</x>");
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_file_and_line() {
        check(
            &[
                ("site/index.html", "one\n{% if x %}\ntwo"),
                ("site/style.css", ""),
                ("issue.html", ""),
                (
                    "words/fr.toml",
                    "contents = \"Sommaire\"\ncontens = \"x\"\nn_articles = \"{count} articles\"\nmonths = [\"janvier\"]",
                ),
                ("words/de.toml", "contents = 3\nnotes ="),
                ("words/a_b.toml", ""),
            ],
            &expect![[r"
                `config/theme/issue.html`: there is no such file in a theme; did you mean `site/issue.html`?
                `config/theme/site/index.html`, line 3: syntax error: unexpected end of input, expected end of block
                `config/theme/site/style.css`: there is no such file in a theme; did you mean `site/site.css`?
                `config/theme/words/a_b.toml`: there is no such file in a theme; `gazetted theme` lists those that there are
                `config/theme/words/de.toml`, line 2: string values must be quoted, expected literal string
                `config/theme/words/fr.toml`, line 2: there is no `contens` among the words; did you mean `contents`?
                `config/theme/words/fr.toml`, line 3: `n_articles` has no place `{count}`; it has `{n}`
                `config/theme/words/fr.toml`, line 4: `months` is a list of 12 words"]],
        );
    }

    #[test]
    fn what_is_wrong_only_when_a_page_is_filled_is_told_with_its_line() {
        let wrong = theme(&[
            ("feed/feeds.opml", "<a>\n{% include 'site/piece.html' %}"),
            ("site/piece.html", "\n\n{{ piece.headlin }}"),
            (
                "feed/atom.xml",
                "{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}",
            ),
        ])
        .expect("it compiles");
        let fault = wrong.fill("feed/feeds.opml", json!({"piece": {}})).expect_err("no such field");
        expect!["`config/theme/site/piece.html`, line 3: undefined value in `{{ piece.headlin }}`"]
            .assert_eq(&fault.to_string());
        let fault = wrong.fill("feed/atom.xml", json!({})).expect_err("it does not end");
        expect!["`config/theme/feed/atom.xml`, line 1: engine ran out of fuel in `{% for a in range(90000) %}{% for b in range(90000) %}x{% endfor %}{% endfor %}`"].assert_eq(&fault.to_string());
    }

    #[test]
    fn words_of_another_language_fall_back_to_english_where_they_are_silent() {
        let french = "contents = \"Sommaire\"\none_article = \"1 article\"\ndate = \"{weekday} {day} {month_name} {year}\"\n\
                      months = [\"janvier\", \"février\", \"mars\", \"avril\", \"mai\", \"juin\", \"juillet\", \"août\", \"septembre\", \
                      \"octobre\", \"novembre\", \"décembre\"]\nweekdays = [\"lundi\", \"mardi\", \"mercredi\", \"jeudi\", \"vendredi\", \
                      \"samedi\", \"dimanche\"]\n";
        let theirs = theme(&[("words/fr.toml", french), ("words/zh-Hant.toml", "contents = \"本期目錄\"")])
            .expect("a good theme");
        let words = theirs.words(&language("fr-CA"));
        assert_eq!((words.lang, words.contents, words.notes), ("fr", "Sommaire", "Notes"));
        assert_eq!(words.date(jiff::civil::date(2026, 8, 1)), "samedi 1 août 2026");
        assert_eq!(theirs.words(&language("zh-HK")).contents, "本期目錄");
        assert_eq!(theirs.words(&language("zh-HK")).notes, "註釋");
        assert_eq!(theirs.words(&language("zh-CN")).contents, "目录");
    }
}
