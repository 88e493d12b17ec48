//! Runs of text as Markdown, both ways.
//!
//! Emphasis within emphasis, and emphasis that touches emphasis, is written with HTML's tags, since Markdown's stars would
//! run into each other. What a star or a bracket cannot mean is read as itself.

use super::{Query, plain, plain::OPEN};
use crate::{picture::PictureName, prose::Href, prose::Inline};

/// How deep runs may stand in each other; the ledger's JSON takes no more. What is deeper is read as it is written.
const MAX_DEPTH: usize = 12;

/// The runs on one line.
pub(super) fn write(runs: &[Inline]) -> String {
    let mut writer = Writer { out: String::new(), last_mark: None };
    writer.runs(runs, true, &[]);
    writer.out
}

/// What keeps two pieces apart that would run into each other; it is read as nothing.
pub(super) const APART: &str = "<!---->";

struct Writer {
    out: String,
    /// The character of the emphasis that was closed last, if nothing follows it yet.
    last_mark: Option<char>,
}

impl Writer {
    fn runs(&mut self, runs: &[Inline], at_edge: bool, within: &[char]) {
        for (n, run) in runs.iter().enumerate() {
            let (first, last) = (at_edge && n == 0, at_edge && n + 1 == runs.len());
            let after_note = n > 0 && matches!(runs[n - 1], Inline::Note { .. });
            match run {
                Inline::Text { text } => {
                    let runs_on = matches!(
                        runs.get(n + 1),
                        Some(Inline::Link { .. } | Inline::Note { .. } | Inline::Picture { .. })
                    );
                    self.text(text, (first, last), after_note, runs_on);
                    self.last_mark = None;
                }
                Inline::Emphasis { text } => self.stressed(text, '*', "*", "em", within),
                Inline::Strong { text } => self.stressed(text, '*', "**", "strong", within),
                Inline::Struck { text } => self.stressed(text, '~', "~~", "del", within),
                Inline::Code { text } => {
                    if n > 0 && matches!(runs[n - 1], Inline::Code { .. }) {
                        self.out.push_str(APART);
                    }
                    self.code(text);
                }
                Inline::Link { href, text } => {
                    self.out.push('[');
                    self.last_mark = None;
                    self.runs(text, true, within);
                    let href = href.as_str();
                    let href = if href.contains(['(', ')']) { format!("<{href}>") } else { href.to_owned() };
                    self.closed(&format!("]({href})"));
                }
                Inline::Note { number } => self.closed(&format!("[^{number}]")),
                Inline::Picture { picture, alt } => {
                    let alt = plain::escape(alt, &['[', ']']);
                    self.closed(&format!("![{alt}]({})", picture.as_str()));
                }
                Inline::Break => self.closed("<br>"),
            }
        }
    }

    fn closed(&mut self, mark: &str) {
        self.out.push_str(mark);
        self.last_mark = None;
    }

    fn stressed(&mut self, text: &[Inline], mark: char, marks: &str, tag: &str, within: &[char]) {
        if within.contains(&mark) || self.last_mark == Some(mark) {
            self.closed(&format!("<{tag}>"));
            self.runs(text, true, within);
            self.closed(&format!("</{tag}>"));
            return;
        }
        self.out.push_str(marks);
        self.last_mark = None;
        let inner: Vec<char> = within.iter().copied().chain([mark]).collect();
        self.runs(text, true, &inner);
        self.out.push_str(marks);
        self.last_mark = Some(mark);
    }

    fn code(&mut self, text: &str) {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest + 1);
        let spaced = text.starts_with(' ') && text.ends_with(' ') && !text.trim_matches(' ').is_empty();
        let pad = if spaced || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
        self.closed(&format!("{fence}{pad}{text}{pad}{fence}"));
    }

    fn text(&mut self, text: &str, (first, last): (bool, bool), after_note: bool, runs_on: bool) {
        let end = text.char_indices().next_back().map_or(0, |(at, _)| at);
        let mut before: Option<char> = None;
        for (at, c) in text.char_indices() {
            let next = text[at + c.len_utf8()..].chars().next();
            let at_edge = (at == 0 && first) || (at == end && last);
            if !plain::push_fragile(c, at_edge, &mut self.out) {
                let in_word =
                    before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric);
                let escaped = match c {
                    '*' | '`' | '[' | ']' => true,
                    '_' => !in_word,
                    '~' => !(before.is_some_and(|c| c != '~') && next.is_some_and(|c| c != '~')),
                    '\\' => !next.is_some_and(char::is_alphanumeric),
                    '{' => next.is_none_or(|c| c == '?'),
                    '&' => plain::is_entity(&text[at + 1..]),
                    '<' => next.is_none_or(|c| c.is_ascii_alphabetic() || "/!?".contains(c)),
                    ':' => at == 0 && after_note,
                    '!' => next.is_none() && runs_on,
                    // A link's text that would look like a note.
                    '^' => at == 0,
                    _ => false,
                };
                if escaped {
                    self.out.push('\\');
                }
                self.out.push(c);
            }
            before = Some(c);
        }
    }
}

/// What a line of runs holds.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The runs, without marks.
    pub(super) runs: Vec<Inline>,
    /// The marks in it.
    pub(super) marks: Vec<(usize, Query)>,
    /// Whether it holds a mark that keeps pieces apart.
    pub(super) apart: bool,
    /// What is wrong with it.
    pub(super) problems: Vec<String>,
}

/// What an open piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    /// `*` or `_`.
    Emphasis(char),
    /// `**` or `__`.
    Strong(char),
    Struck,
    Link,
    Tag(&'static str),
}

struct Frame {
    kind: Kind,
    /// How it was opened, should it never be closed.
    raw: &'static str,
    runs: Vec<Inline>,
}

impl Frame {
    fn text(&mut self, text: &str) {
        if let Some(Inline::Text { text: last }) = self.runs.last_mut() {
            last.push_str(text);
        } else if !text.is_empty() {
            self.runs.push(Inline::text(text));
        }
    }
}

/// The tags that are read: those that we write, and their older names.
const TAGS: [(&str, &str); 8] = [
    ("<em>", "</em>"),
    ("<strong>", "</strong>"),
    ("<del>", "</del>"),
    ("<i>", "</i>"),
    ("<b>", "</b>"),
    ("<s>", "</s>"),
    ("<strike>", "</strike>"),
    ("<u>", "</u>"),
];

/// Reads a line of runs. `note` gives the number of a note's label.
pub(super) fn read(line: &str, note: &mut dyn FnMut(&str) -> usize) -> Read {
    let mut reader = Reader {
        frames: vec![Frame { kind: Kind::Line, raw: "", runs: Vec::new() }],
        read: Read::default(),
        before: None,
        no_code: 0,
    };
    let mut rest = line.trim_matches([' ', '\t']);
    while !rest.is_empty() {
        rest = reader.step(rest, note);
    }
    reader.collapse(1);
    reader.read.runs = reader.frames.pop().map(|frame| frame.runs).unwrap_or_default();
    reader.read
}

struct Reader {
    frames: Vec<Frame>,
    read: Read,
    /// The character before this place, or `None` after something that is no text.
    before: Option<char>,
    /// The longest runs of backticks that are known to have no end: bit `n` for a run of `n`.
    no_code: u64,
}

impl Reader {
    fn top(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn push(&mut self, run: Inline) {
        self.top().runs.push(run);
        self.before = Some('x');
    }

    fn literal(&mut self, text: &str) {
        self.top().text(text);
        self.before = text.chars().next_back();
    }

    /// Reads what `rest` begins with; gives what follows.
    fn step<'t>(&mut self, rest: &'t str, note: &mut dyn FnMut(&str) -> usize) -> &'t str {
        let c = rest.chars().next().unwrap_or_default();
        if let Some((c, length)) = plain::numbered(rest) {
            self.literal(c.encode_utf8(&mut [0; 4]));
            // Written so, white space is meant, and no reason not to begin or end emphasis.
            self.before = Some('x');
            return &rest[length..];
        }
        match c {
            '\\' if plain::is_escapable(rest[1..].chars().next()) => {
                self.literal(&rest[1..2]);
                return &rest[2..];
            }
            '{' if rest.starts_with(OPEN) => {
                let mut text = match self.top().runs.pop() {
                    Some(Inline::Text { text }) => text,
                    Some(other) => {
                        self.top().runs.push(other);
                        String::new()
                    }
                    None => String::new(),
                };
                let (mut marks, mut problems) = (Vec::new(), Vec::new());
                let after = plain::take_mark(rest, &mut text, &mut marks, &mut problems);
                self.read.marks.append(&mut marks);
                self.read.problems.append(&mut problems);
                self.top().text(&text);
                return after;
            }
            '`' => {
                if let Some(after) = self.code(rest) {
                    return after;
                }
            }
            '*' | '_' | '~' => {
                if let Some(after) = self.stress(rest, c) {
                    return after;
                }
            }
            '<' => {
                if let Some(after) = self.tag(rest) {
                    return after;
                }
            }
            '!' => {
                if let Some((alt, name, after)) = picture(rest) {
                    match PictureName::parse(name) {
                        Some(picture) => self.push(Inline::Picture { picture, alt }),
                        None => self.read.problems.push(format!(
                            "there is no picture `{name}`; pictures come with the manuscript, under the names that stand in its proof"
                        )),
                    }
                    return after;
                }
            }
            '[' => {
                if let Some((label, after)) = note_label(rest) {
                    let number = note(label);
                    self.push(Inline::Note { number });
                    return after;
                }
                if self.open(Kind::Link, "[") {
                    return &rest[1..];
                }
            }
            ']' => {
                if let Some(after) = self.link(rest) {
                    return after;
                }
            }
            _ => {}
        }
        let run: usize =
            if c == '`' { rest.bytes().take_while(|b| *b == b'`').count() } else { c.len_utf8() };
        self.literal(&rest[..run]);
        &rest[run..]
    }

    fn code<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        let ticks = rest.bytes().take_while(|b| *b == b'`').count();
        let known = 1_u64.checked_shl(u32::try_from(ticks).unwrap_or(u32::MAX)).unwrap_or(0);
        if self.no_code & known != 0 {
            return None;
        }
        let inside = &rest[ticks..];
        let mut at = 0;
        while let Some(found) = inside[at..].find('`') {
            let start = at + found;
            let length = inside[start..].bytes().take_while(|b| *b == b'`').count();
            if length == ticks {
                let text = &inside[..start];
                let padded = text.len() > 2
                    && text.starts_with(' ')
                    && text.ends_with(' ')
                    && !text.trim_matches(' ').is_empty();
                let text = if padded { &text[1..text.len() - 1] } else { text };
                self.push(Inline::Code { text: text.to_owned() });
                return Some(&inside[start + length..]);
            }
            at = start + length;
        }
        self.no_code |= known;
        None
    }

    fn stress<'t>(&mut self, rest: &'t str, c: char) -> Option<&'t str> {
        let length = rest.chars().take_while(|other| *other == c).count();
        let after_run = rest[length..].chars().next();
        let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let spaced = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let before = self.before;
        let closes = !spaced(before) && (c != '_' || !word(after_run));
        let opens = !spaced(after_run) && (c != '_' || !word(before));
        if closes {
            let wanted = self.frames.iter().rev().find_map(|frame| match frame.kind {
                Kind::Emphasis(mark) if mark == c => Some((frame.kind, 1)),
                Kind::Strong(mark) if mark == c && length >= 2 => Some((frame.kind, 2)),
                Kind::Struck if c == '~' && length >= 2 => Some((frame.kind, 2)),
                _ => None,
            });
            if let Some((kind, taken)) = wanted {
                self.close(kind);
                return Some(&rest[taken..]);
            }
        }
        let (kind, raw, taken) = match (c, length) {
            ('~', 1) => return None,
            ('~', _) => (Kind::Struck, "~~", 2),
            ('*', 1) => (Kind::Emphasis(c), "*", 1),
            ('*', _) => (Kind::Strong(c), "**", 2),
            (_, 1) => (Kind::Emphasis(c), "_", 1),
            _ => (Kind::Strong(c), "__", 2),
        };
        if opens && self.open(kind, raw) {
            return Some(&rest[taken..]);
        }
        None
    }

    fn tag<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        for breaks in ["<br>", "<br/>", "<br />"] {
            if let Some(after) = rest.strip_prefix(breaks) {
                self.push(Inline::Break);
                return Some(after);
            }
        }
        if let Some(after) = rest.strip_prefix(APART) {
            self.read.apart = true;
            return Some(after);
        }
        for (open, close) in TAGS {
            if let Some(after) = rest.strip_prefix(open) {
                return self.open(Kind::Tag(open), open).then_some(after);
            }
            if let Some(after) = rest.strip_prefix(close) {
                return self.close(Kind::Tag(open)).then_some(after);
            }
        }
        None
    }

    fn link<'t>(&mut self, rest: &'t str) -> Option<&'t str> {
        let address = rest.strip_prefix("](")?;
        self.frames.iter().rposition(|frame| frame.kind == Kind::Link)?;
        let (address, after) = if let Some(address) = address.strip_prefix('<') {
            address.split_once(">)")?
        } else {
            address.split_at_checked(balanced(address)?).map(|(address, after)| (address, &after[1..]))?
        };
        let Some(href) = Href::parse(address) else {
            self.read.problems.push(format!(
                "readers cannot follow `{address}`; a link leads to an address that begins with `https://`, `http://` or `mailto:`"
            ));
            return None;
        };
        let place = self.frames.iter().rposition(|frame| frame.kind == Kind::Link)?;
        self.collapse(place + 1);
        let frame = self.frames.pop()?;
        self.push(Inline::Link { href, text: frame.runs });
        Some(after)
    }

    /// Opens a piece, unless it stands too deep.
    fn open(&mut self, kind: Kind, raw: &'static str) -> bool {
        // Brackets that lead nowhere are many in some texts and cost nothing in depth, but their number is bounded too.
        if self.frames.len() > MAX_DEPTH {
            return false;
        }
        self.frames.push(Frame { kind, raw, runs: Vec::new() });
        self.before = None;
        true
    }

    /// Closes the innermost piece of that kind; those within it that are still open were no pieces.
    fn close(&mut self, kind: Kind) -> bool {
        let Some(place) = self.frames.iter().rposition(|frame| frame.kind == kind) else { return false };
        self.collapse(place + 1);
        let Some(Frame { runs: text, .. }) = self.frames.pop() else { return false };
        if !text.is_empty() {
            let run = match kind {
                Kind::Strong(_) | Kind::Tag("<strong>" | "<b>") => Inline::Strong { text },
                Kind::Struck | Kind::Tag("<del>" | "<s>" | "<strike>") => Inline::Struck { text },
                _ => Inline::Emphasis { text },
            };
            self.push(run);
        }
        self.before = Some('x');
        true
    }

    /// Takes the pieces from `from` on for text: they were opened and never closed.
    fn collapse(&mut self, from: usize) {
        let open: Vec<Frame> = self.frames.drain(from..).collect();
        for frame in open {
            let top = self.top();
            top.text(frame.raw);
            for run in frame.runs {
                match run {
                    Inline::Text { text } => top.text(&text),
                    other => top.runs.push(other),
                }
            }
        }
    }
}

/// The description and the name of `![description](name)`, and what follows.
fn picture(text: &str) -> Option<(String, &str, &str)> {
    let inside = text.strip_prefix("![")?;
    let mut escaped = false;
    let end = inside.char_indices().find_map(|(at, c)| {
        let ends = c == ']' && !escaped;
        escaped = c == '\\' && !escaped;
        ends.then_some(at)
    })?;
    let (name, after) = inside[end..].strip_prefix("](")?.split_once(')')?;
    Some((plain::unescape(&inside[..end]), name, after))
}

/// The place of the parenthesis that ends an address.
fn balanced(address: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in address.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The longest label of a note, in bytes.
const MAX_LABEL: usize = 32;

/// The label of a reference to a note, `[^1]`, and what follows.
pub(super) fn note_label(text: &str) -> Option<(&str, &str)> {
    let inside = text.strip_prefix("[^")?;
    let end = inside.bytes().take(MAX_LABEL + 1).position(|byte| byte == b']')?;
    let (label, after) = (&inside[..end], &inside[end + 1..]);
    let good = !label.is_empty() && !label.contains(|c: char| c.is_whitespace() || c == '[');
    good.then_some((label, after))
}
