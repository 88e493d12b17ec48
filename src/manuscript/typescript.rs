//! A typescript: plain text of a Latin magazine, whose articles stand apart by four blank lines or more, and whose
//! paragraphs by fewer, as Project Gutenberg and many mailing lists set them.

use crate::{proof::Doubt, prose::Block, prose::Inline, typography};

use super::dates;
use super::draft::Draft;
use super::markdown::{self, Found};

/// As many blank lines part two articles. Books of Project Gutenberg set one between paragraphs, two between
/// sections and four between chapters.
const GAP: usize = 4;

/// The longest headline or subhead in characters, and the most lines of it.
const MAX_TITLE: usize = 120;
const MAX_TITLE_LINES: usize = 2;

/// A paragraph has more characters than a line of a page of this width; shorter ones are titles, bylines and verse.
const LINE: usize = 76;

/// Lines that end before this column although others follow are verse: prose would have gone on.
const VERSE: usize = 60;

/// A paragraph with its lines.
struct Piece<'t> {
    lines: Vec<&'t str>,
    line: usize,
    /// The blank lines above it.
    gap: usize,
}

impl Piece<'_> {
    fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(typography::joint(&text, line.trim()));
            text.push_str(line.trim());
        }
        text
    }

    fn is_long(&self) -> bool {
        self.text().chars().count() > LINE
    }

    fn is_title(&self) -> bool {
        let text = self.text();
        self.lines.len() <= MAX_TITLE_LINES
            && text.chars().count() <= MAX_TITLE
            && text.chars().any(char::is_alphabetic)
            && !text.starts_with(['"', '“', '[', '_'])
            && !text.ends_with([',', ';'])
    }

    /// Whether it is set in capitals throughout, as subheads are where a typewriter has no other letters.
    fn is_capitals(&self) -> bool {
        self.is_title() && !self.text().chars().any(char::is_lowercase)
    }

    fn is_verse(&self) -> bool {
        let all_but_last = &self.lines[..self.lines.len() - 1];
        self.lines.len() > 1 && all_but_last.iter().all(|line| line.trim_end().chars().count() < VERSE)
    }
}

/// Reads a typescript into the draft, or gives `false` when the text is none.
pub(super) fn read(text: &str, draft: &mut Draft) -> bool {
    let pieces = pieces(text);
    let n_gaps = pieces.iter().skip(1).filter(|piece| piece.gap >= GAP).count();
    if n_gaps < 2 || !is_latin(text) {
        return false;
    }
    let mut parts: Vec<Vec<Piece<'_>>> = Vec::new();
    for piece in pieces {
        if piece.gap >= GAP || parts.is_empty() {
            parts.push(Vec::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push(piece);
        }
    }
    // A page whose parts have no titles is wrapped in some other way.
    let is_titled =
        |part: &Vec<Piece<'_>>| part.iter().find(|piece| !is_caption(piece)).is_some_and(Piece::is_title);
    if parts.iter().filter(|part| is_titled(part)).count() * 2 < parts.len() {
        return false;
    }
    let mut articles: Vec<Found> = Vec::new();
    for part in parts {
        let titled = is_titled(&part);
        let masthead = articles.is_empty() && !part.iter().any(|piece| piece.is_long() && !piece.is_title());
        if masthead {
            for piece in part {
                let text = piece.text();
                draft.date = draft.date.or_else(|| dates::of_header(&text));
                draft.set_aside(&piece.lines.join("\n"));
            }
        } else {
            read_part(part, titled, &mut articles, draft);
        }
    }
    markdown::compose(articles, draft);
    true
}

fn read_part(part: Vec<Piece<'_>>, titled: bool, articles: &mut Vec<Found>, draft: &mut Draft) {
    if titled || articles.is_empty() {
        articles.push(Found { line: part[0].line, ..Found::default() });
    } else {
        let asked = "a wide gap without a headline: read as the same article".to_owned();
        draft.query(Doubt::Joined, part[0].line, asked);
    }
    let Some(article) = articles.last_mut() else { return };
    let mut wants_headline = titled;
    for piece in part {
        let text = piece.text();
        if is_caption(&piece) {
            let (words, end) = caption(&text);
            draft.set_aside(&text[..words.0]);
            draft.set_aside(&text[end..]);
            article.captions.push(text[words.0..words.1].trim().to_owned());
        } else if wants_headline {
            article.headline = Some(vec![Inline::text(text)]);
            article.line = piece.line;
            wants_headline = false;
        } else if text.chars().all(|c| c == '*' || c.is_whitespace()) {
            draft.set_aside(&text);
            article.body.push(Block::Rule);
        } else if piece.is_capitals() && !text.to_ascii_uppercase().starts_with("BY ") {
            article.body.push(Block::subhead(1, text));
        } else {
            let text = runs(&piece, draft);
            article.body.push(Block::Paragraph { text });
        }
    }
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let mut blank = 0;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            blank += 1;
            continue;
        }
        match pieces.last_mut().filter(|_| blank == 0) {
            Some(piece) => piece.lines.push(line),
            None => pieces.push(Piece { lines: vec![line], line: number, gap: blank }),
        }
        blank = 0;
    }
    pieces
}

fn is_latin(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let latin = text.chars().filter(|&c| c.is_alphabetic() && u32::from(c) < 0x250).count();
    latin * 10 > letters * 9
}

fn is_caption(piece: &Piece<'_>) -> bool {
    let first = piece.lines[0].trim_start();
    first.starts_with("[Illustration") && piece.lines[piece.lines.len() - 1].trim_end().ends_with(']')
}

/// Where a caption's words stand between its label and its bracket, and where the words end.
fn caption(text: &str) -> ((usize, usize), usize) {
    let start = text.find(':').map_or(text.len() - 1, |colon| colon + 1);
    ((start, text.len() - 1), text.len() - 1)
}

/// The runs of a paragraph: verse keeps its lines, `_words_` are stressed.
fn runs(piece: &Piece<'_>, draft: &mut Draft) -> Vec<Inline> {
    if !piece.is_verse() {
        return stressed(&piece.text(), draft);
    }
    let mut runs = Vec::new();
    for line in &piece.lines {
        if !runs.is_empty() {
            runs.push(Inline::Break);
        }
        runs.extend(stressed(line.trim(), draft));
    }
    runs
}

fn stressed(text: &str, draft: &mut Draft) -> Vec<Inline> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('_') {
        let words = &rest[open + 1..];
        let opens =
            !rest[..open].ends_with(char::is_alphanumeric) && words.starts_with(|c: char| !c.is_whitespace());
        let close = words.find('_').filter(|close| opens && *close > 0 && !words[..*close].ends_with(' '));
        let Some(close) = close else {
            push(&mut runs, &rest[..=open]);
            rest = words;
            continue;
        };
        push(&mut runs, &rest[..open]);
        draft.set_aside("__");
        runs.push(Inline::Emphasis { text: vec![Inline::text(&words[..close])] });
        rest = &words[close + 1..];
    }
    push(&mut runs, rest);
    runs
}

fn push(runs: &mut Vec<Inline>, text: &str) {
    match runs.last_mut() {
        _ if text.is_empty() => {}
        Some(Inline::Text { text: last }) => last.push_str(text),
        _ => runs.push(Inline::text(text)),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::tests::{check_conserved, outline, publication};
    use super::super::{open, read};

    const MAGAZINE: &str = "THE RIVER MAGAZINE\n\nNo. 12.\n\nMARCH 5, 1924.\n\n\n\n\nTHE LAMP BY THE BRIDGE.\n\nBY ANN LEE\n\n[Illustration: \"IT NEVER WENT OUT.\"]\n\n\nCHAPTER I.\n\nThe lamp by the bridge has burned for _thirty years_ now, and those who look\nafter it have changed three times. A_b is no stress.\n\n       *       *       *\n\nWho goes by the water\n  sees it burn,\nand takes it home.\n\n\n\n\nTHE FERRY.\n\nThe ferry no longer carries anybody, but there it lies, and every spring it is\npainted again.\n\n\n\n\n\nANSWERS.\n\nA. B.--No.\n";

    #[test]
    fn articles_stand_apart_by_wide_gaps() {
        let proof = read(&open("m.txt", MAGAZINE.as_bytes()).expect("a text"), &publication());
        expect![[r#"
            THE LAMP BY THE BRIDGE. / ANN LEE / caption "IT NEVER WENT OUT." / 2¶ / h1 CHAPTER I. / rule
            THE FERRY. / 1¶
            ANSWERS. / 1¶
            date: 1924-03-05
            - THE RIVER MAGAZINE
            - No. 12.
            - MARCH 5, 1924.
            - [Illustration:
            - ]
            - __
            - *       *       *
            - BY
        "#]]
        .assert_eq(&outline(&proof));
        check_conserved(MAGAZINE);
        check_conserved(&format!(
            "The Project Gutenberg EBook of X\n\nTitle: X\n\n*** START OF THIS PROJECT GUTENBERG EBOOK X ***\n{MAGAZINE}\n*** END OF THIS PROJECT GUTENBERG EBOOK X ***\nlegal\n"
        ));
    }

    /// Where it is at hand: never part of the repository.
    #[test]
    fn a_magazine_of_project_gutenberg_gives_its_articles() {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../shared/periodicals/girls-own-paper-353/18195-8.txt");
        let Ok(bytes) = std::fs::read(file) else {
            eprintln!("SKIPPED: there are no shared periodicals beside the repository; no magazine was read");
            return;
        };
        let manuscript = open("18195-8.txt", &bytes).expect("a text");
        assert_eq!(manuscript.charset(), "windows-1252");
        let proof = read(&manuscript, &publication());
        let headlines: Vec<&str> =
            proof.issue.articles.iter().map(|article| article.headline.text.as_str()).collect();
        let expected = [
            "MERLE'S CRUSADE.",
            "THE AMATEUR CHURCH ORGANIST.",
            "EVERY GIRL A BUSINESS WOMAN.",
            "VARIETIES.",
            "THE SHEPHERD'S FAIRY",
            "FASHIONABLE EMBROIDERY.",
            "ROMANCE.",
            "ANSWERS TO CORRESPONDENTS.",
            "AUTUMN.",
        ];
        assert_eq!(headlines, expected);
        assert_eq!(proof.issue.date.map(|date| date.to_string()).as_deref(), Some("1886-10-02"));
        assert_eq!(proof.issue.number.as_deref(), Some("353"));
        let all: String =
            proof.issue.articles.iter().map(|article| crate::prose::plain_blocks(&article.body)).collect();
        assert!(!all.contains("Project Gutenberg") && !all.contains("[Illustration"));
        check_conserved(&encoding_rs::WINDOWS_1252.decode(&bytes).0);
    }
}
