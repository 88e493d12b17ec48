//! The runs of the block that is being read: white space as HTML shows it, emphasis and links closed where they end.

use crate::{picture::PictureName, prose, prose::Href, prose::Inline, typography};

/// How deep runs may stand in each other; see the bound of Markdown's.
const MAX_DEPTH: usize = 12;

/// A run that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Emphasis,
    Strong,
    Struck,
    Code,
    Link(Href),
    /// A reference to a place in the same file.
    Anchor(String),
    /// A link that leads nowhere readers could follow.
    Plain,
}

#[derive(Debug)]
struct Open {
    kind: Kind,
    name: &'static str,
    runs: Vec<Inline>,
}

/// Runs being written.
#[derive(Debug, Default)]
pub(super) struct Runs {
    base: Vec<Inline>,
    open: Vec<Open>,
    /// How many more of each are open than we keep.
    beyond: Vec<&'static str>,
    /// White space that has not been written: nothing, a space, or the end of a line.
    pending: Option<char>,
    last: Option<char>,
    /// The links of the block at hand to other places in the file, and the letters that they hold.
    n_anchors: usize,
    anchored: usize,
    /// Where references lead, by their number.
    pub(super) references: Vec<Reference>,
}

/// A reference to a place in the file, which may prove to be a note.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub(super) target: String,
    pub(super) label: String,
}

/// The longest label of a note: `[12]`, `(note 3)`.
const MAX_LABEL: usize = 8;

impl Runs {
    /// Writes text; white space is one space, and the end of a line joins as in any column.
    pub(super) fn text(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let word = rest.trim_start_matches([' ', '\n', '\t', '\r', '\u{C}']);
            let space = &rest[..rest.len() - word.len()];
            if space.contains('\n') {
                self.pending = self.pending.or(Some('\n'));
            } else if !space.is_empty() {
                self.pending = Some(' ');
            }
            let end = word.find([' ', '\n', '\t', '\r', '\u{C}']).unwrap_or(word.len());
            let (word, after) = word.split_at(end);
            rest = after;
            let Some(first) = word.chars().next() else { break };
            let joint = match (self.last, self.pending.take()) {
                (Some(_), Some(' ')) => " ",
                (Some(last), Some(_)) => {
                    let (mut left, mut right) = ([0; 4], [0; 4]);
                    typography::joint(last.encode_utf8(&mut left), first.encode_utf8(&mut right))
                }
                _ => "",
            };
            self.push_outside(joint);
            self.push(word);
            self.last = word.chars().next_back();
        }
    }

    /// A space before a word belongs outside of the runs that the word opens.
    fn push_outside(&mut self, joint: &str) {
        if joint.is_empty() {
            return;
        }
        let filled = self.open.iter().rposition(|open| !open.runs.is_empty());
        push(filled.map_or(&mut self.base, |at| &mut self.open[at].runs), joint);
    }

    fn push(&mut self, text: &str) {
        push(self.open.last_mut().map_or(&mut self.base, |open| &mut open.runs), text);
    }

    pub(super) fn line_break(&mut self) {
        self.pending = None;
        self.last = None;
        let runs = self.open.last_mut().map_or(&mut self.base, |open| &mut open.runs);
        runs.push(Inline::Break);
    }

    pub(super) fn link(&mut self, href: Href, text: &str) {
        self.text(" ");
        self.push_outside(if self.last.is_some() { " " } else { "" });
        self.pending = Some(' ');
        let runs = self.open.last_mut().map_or(&mut self.base, |open| &mut open.runs);
        runs.push(Inline::Link { href, text: vec![Inline::text(text)] });
        self.last = text.chars().next_back();
    }

    /// Writes a picture among the words.
    pub(super) fn picture(&mut self, picture: PictureName, alt: String) {
        let space = self.last.is_some() && self.pending.take().is_some();
        self.push_outside(if space { " " } else { "" });
        let runs = self.open.last_mut().map_or(&mut self.base, |open| &mut open.runs);
        runs.push(Inline::Picture { picture, alt });
        self.last = Some(char::REPLACEMENT_CHARACTER);
    }

    /// Whether a link is open.
    pub(super) fn in_link(&self) -> bool {
        self.open.iter().any(|open| matches!(open.kind, Kind::Link(_)))
    }

    pub(super) fn open(&mut self, kind: Kind, name: &'static str) {
        // The innermost may hold the link of a picture.
        if self.open.len() + 1 >= MAX_DEPTH {
            // More are closed without being counted; nobody means so many.
            if self.beyond.len() < 1000 {
                self.beyond.push(name);
            }
            return;
        }
        self.open.push(Open { kind, name, runs: Vec::new() });
    }

    /// Closes the innermost run of that name, and opens again what stood inside it.
    pub(super) fn close(&mut self, name: &str) {
        if let Some(at) = self.beyond.iter().rposition(|beyond| *beyond == name) {
            self.beyond.remove(at);
            return;
        }
        let Some(at) = self.open.iter().rposition(|open| open.name == name) else { return };
        let inside: Vec<(Kind, &'static str)> =
            self.open[at + 1..].iter().map(|open| (open.kind.clone(), open.name)).collect();
        while self.open.len() > at {
            self.close_last();
        }
        for (kind, name) in inside {
            self.open(kind, name);
        }
    }

    fn close_last(&mut self) {
        let Some(Open { kind, runs: mut text, .. }) = self.open.pop() else { return };
        let runs = self.open.last_mut().map_or(&mut self.base, |open| &mut open.runs);
        if text.is_empty() {
            return;
        }
        match kind {
            Kind::Emphasis => runs.push(Inline::Emphasis { text }),
            Kind::Strong => runs.push(Inline::Strong { text }),
            Kind::Struck => runs.push(Inline::Struck { text }),
            Kind::Code => {
                let words = prose::plain(&text);
                if !words.is_empty() {
                    runs.push(Inline::Code { text: words });
                }
                // Code has no marks inside: a note stands behind it.
                runs.extend(text.into_iter().filter(|run| matches!(run, Inline::Note { .. })));
            }
            Kind::Link(href) => runs.push(Inline::Link { href, text }),
            Kind::Anchor(target) => {
                let label = prose::plain(&text).trim().to_owned();
                if is_label(&label) {
                    self.references.push(Reference { target, label });
                    runs.push(Inline::Note { number: self.references.len() });
                } else {
                    self.n_anchors += 1;
                    self.anchored += letters(&label);
                    append(runs, &mut text);
                }
            }
            Kind::Plain => append(runs, &mut text),
        }
    }

    /// Whether the block at hand is a list of links to other places in the file, which a book makes itself.
    pub(super) fn is_contents(&self) -> bool {
        let all: usize = letters(&prose::plain(&self.base))
            + self.open.iter().map(|open| letters(&prose::plain(&open.runs))).sum::<usize>();
        all > 0 && self.n_anchors >= 3 && self.anchored * 10 >= all * 9
    }

    /// The runs of the block that ends here. What was open is opened again in the next block if `carry`.
    pub(super) fn take(&mut self, carry: bool) -> Vec<Inline> {
        let open: Vec<(Kind, &'static str)> =
            self.open.iter().map(|open| (open.kind.clone(), open.name)).collect();
        while !self.open.is_empty() {
            self.close_last();
        }
        if carry {
            for (kind, name) in open {
                self.open(kind, name);
            }
        } else {
            self.beyond.clear();
        }
        self.pending = None;
        self.last = None;
        (self.n_anchors, self.anchored) = (0, 0);
        let mut runs = std::mem::take(&mut self.base);
        trim(&mut runs);
        runs
    }
}

/// Whether a link within the file is labelled like one to a note: `[12]`, `*`, `†`; a word is text.
fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.chars().count()) && !label.chars().any(char::is_alphabetic)
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

fn push(runs: &mut Vec<Inline>, text: &str) {
    if let Some(Inline::Text { text: last }) = runs.last_mut() {
        last.push_str(text);
    } else {
        runs.push(Inline::text(text));
    }
}

fn append(runs: &mut Vec<Inline>, more: &mut Vec<Inline>) {
    for run in more.drain(..) {
        match run {
            Inline::Text { text } => push(runs, &text),
            other => runs.push(other),
        }
    }
}

/// Takes breaks off both ends; a no-break space alone is no text either.
fn trim(runs: &mut Vec<Inline>) {
    let blank = |run: &Inline| match run {
        Inline::Text { text } => text.trim().is_empty(),
        Inline::Break => true,
        _ => false,
    };
    while runs.last().is_some_and(blank) {
        runs.pop();
    }
    let n_blank = runs.iter().take_while(|run| blank(run)).count();
    runs.drain(..n_blank);
    if let Some(Inline::Text { text }) = runs.first_mut() {
        *text = text.trim_start().to_owned();
    }
    if let Some(Inline::Text { text }) = runs.last_mut() {
        text.truncate(text.trim_end().len());
    }
}
