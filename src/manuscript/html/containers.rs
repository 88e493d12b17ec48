//! What stands in what: quotations, lists, tables and notes, opened and closed as loosely as HTML allows.

use crate::{prose, prose::Block, prose::Inline};

use super::builder::Builder;

/// How deep blocks may stand in each other; what is deeper stands beside each other.
const MAX_DEPTH: usize = 16;

/// More columns than this are a layout and no table.
pub(super) const MAX_COLUMNS: usize = 40;

/// The most paragraphs of a caption.
const MAX_CAPTION: usize = 6;

/// Something that stands in a container, in the order of the file.
#[derive(Debug)]
pub(super) enum Placed {
    Heading { level: u8, text: Vec<Inline>, line: usize },
    Block { block: Block, line: usize },
}

/// A note of the file and the names by which it may be referred to.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) names: Vec<String>,
    pub(super) blocks: Vec<Block>,
    pub(super) line: usize,
}

#[derive(Debug)]
pub(super) enum Container {
    Root,
    Quote,
    List {
        start: Option<u64>,
        items: Vec<Vec<Block>>,
    },
    Item,
    Table {
        rows: Vec<Vec<Cell>>,
    },
    Cell {
        head: bool,
        span: usize,
    },
    Note {
        names: Vec<String>,
        line: usize,
    },
    /// A list or section all of whose items are notes.
    Notes,
    /// Pictures, a table or a text, with what is said below them.
    Figure {
        caption: Vec<Inline>,
    },
    Caption,
}

#[derive(Debug)]
pub(super) struct Cell {
    head: bool,
    span: usize,
    placed: Vec<Placed>,
}

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) name: String,
    pub(super) container: Container,
    pub(super) placed: Vec<Placed>,
}

impl Builder<'_> {
    pub(super) fn top(&self) -> &Container {
        &self.stack[self.stack.len() - 1].container
    }

    pub(super) fn top_mut(&mut self) -> &mut Container {
        let last = self.stack.len() - 1;
        &mut self.stack[last].container
    }

    pub(super) fn push(&mut self, name: &str, container: Container) {
        self.flush(false);
        if self.stack.len() > MAX_DEPTH {
            match self.beyond.iter_mut().find(|(beyond, _)| beyond == name) {
                Some((_, count)) => *count += 1,
                None => self.beyond.push((name.to_owned(), 1)),
            }
            return;
        }
        self.stack.push(Frame { name: name.to_owned(), container, placed: Vec::new() });
    }

    pub(super) fn close(&mut self, name: &str, breaks: bool) {
        if let Some((_, count)) = self.beyond.iter_mut().find(|(beyond, count)| beyond == name && *count > 0)
        {
            *count -= 1;
            self.flush(false);
            return;
        }
        // A cell keeps what is wrong in it to itself.
        let fence = self
            .stack
            .iter()
            .rposition(|frame| {
                matches!(frame.container, Container::Cell { .. }) && name != "table" && !name.starts_with('t')
            })
            .unwrap_or(0);
        let found = self.stack.iter().rposition(|frame| frame.name == name).filter(|at| *at >= fence.max(1));
        match found {
            Some(at) => {
                self.flush(false);
                while self.stack.len() > at {
                    self.pop();
                }
            }
            None if breaks => self.flush(true),
            None => {}
        }
    }

    /// Closes an open element of that name, unless one of `fences` stands between.
    pub(super) fn close_to(&mut self, name: &str, fences: &[&str]) {
        self.flush(false);
        let at =
            self.stack.iter().rposition(|frame| frame.name == name || fences.contains(&frame.name.as_str()));
        if let Some(at) = at.filter(|at| self.stack[*at].name == name) {
            while self.stack.len() > at {
                self.pop();
            }
        }
    }

    pub(super) fn close_cell(&mut self) {
        self.flush(false);
        let at = self
            .stack
            .iter()
            .rposition(|frame| matches!(frame.container, Container::Cell { .. } | Container::Table { .. }));
        if let Some(at) = at {
            let keep = at + usize::from(matches!(self.stack[at].container, Container::Table { .. }));
            while self.stack.len() > keep {
                self.pop();
            }
        }
    }

    /// Takes the innermost container off the stack and puts its content where it belongs.
    pub(super) fn pop(&mut self) {
        if self.stack.len() < 2 {
            return;
        }
        let Some(frame) = self.stack.pop() else { return };
        let line = frame.placed.first().map_or(self.line, |placed| match placed {
            Placed::Heading { line, .. } | Placed::Block { line, .. } => *line,
        });
        match frame.container {
            Container::Root => {}
            Container::Notes => {
                let last = self.stack.len() - 1;
                self.stack[last].placed.extend(frame.placed);
            }
            // One that never ended holds half of the page.
            Container::Caption if !is_caption(&frame.placed) => {
                let last = self.stack.len() - 1;
                self.stack[last].placed.extend(frame.placed);
            }
            Container::Caption => {
                let text = captioned(&frame.placed);
                match self.top_mut() {
                    Container::Figure { caption } if caption.is_empty() => *caption = text,
                    _ if text.is_empty() => {}
                    _ => self.place_at(Block::Paragraph { text }, line),
                }
            }
            Container::Figure { caption: said } => {
                let last = self.stack.len() - 1;
                self.stack[last].placed.extend(frame.placed);
                if !said.is_empty() && !self.caption(&said) {
                    self.place_at(Block::Paragraph { text: said }, line);
                }
            }
            Container::Quote => {
                let blocks = blocks(frame.placed);
                if !blocks.is_empty() {
                    self.place_at(Block::Quote { blocks }, line);
                }
            }
            Container::Note { names, line } => {
                self.notes.push(Note { names, blocks: blocks(frame.placed), line });
            }
            Container::Item => {
                let item = blocks(frame.placed);
                if item.is_empty() {
                    return;
                }
                match self.top_mut() {
                    Container::List { items, .. } => items.push(item),
                    _ => self.place_at(Block::List { start: None, items: vec![item] }, line),
                }
            }
            Container::List { start, mut items } => {
                // A list right inside a list belongs to the item before it.
                let loose = blocks(frame.placed);
                match items.last_mut() {
                    _ if loose.is_empty() => {}
                    Some(item) => item.extend(loose),
                    None => items.push(loose),
                }
                if !items.is_empty() {
                    self.place_at(Block::List { start, items }, line);
                }
            }
            Container::Cell { head, span } => {
                let cell = Cell { head, span, placed: frame.placed };
                if let Container::Table { rows } = self.top_mut() {
                    if rows.is_empty() {
                        rows.push(Vec::new());
                    }
                    if let Some(row) = rows.last_mut() {
                        row.push(cell);
                    }
                }
            }
            Container::Table { rows } => {
                let last = self.stack.len() - 1;
                self.stack[last].placed.extend(frame.placed);
                self.table(rows);
            }
        }
    }

    /// Puts a line below the picture that was placed last; gives whether there is one that has none.
    pub(super) fn caption(&mut self, said: &[Inline]) -> bool {
        let last = self.stack.len() - 1;
        match self.stack[last].placed.last_mut() {
            Some(Placed::Block { block: Block::Figure { caption, .. }, .. }) if caption.is_empty() => {
                *caption = said.to_vec();
                true
            }
            _ => false,
        }
    }

    /// A table of short texts is a table; any other only lays out a page, and its cells are read one after the other.
    fn table(&mut self, rows: Vec<Vec<Cell>>) {
        let width = rows.iter().map(|row| row.iter().map(|cell| cell.span).sum()).max().unwrap_or(0);
        let n_full = rows.iter().filter(|row| row.iter().any(|cell| !cell.placed.is_empty())).count();
        let has_head = rows.iter().flatten().any(|cell| cell.head);
        let plain = rows.iter().flatten().all(|cell| match cell.placed.as_slice() {
            [] | [Placed::Block { block: Block::Paragraph { .. }, .. }] => true,
            // A table without heads and with pictures is the layout of a letter.
            [Placed::Block { block: Block::Figure { caption, .. }, .. }] => has_head && caption.is_empty(),
            _ => false,
        });
        let small = rows.len().saturating_mul(width) <= 10_000 + 4 * rows.iter().map(Vec::len).sum::<usize>();
        if !(plain && (2..=MAX_COLUMNS).contains(&width) && (n_full > 1 || has_head) && small) {
            let last = self.stack.len() - 1;
            self.stack[last].placed.extend(rows.into_iter().flatten().flat_map(|cell| cell.placed));
            return;
        }
        let mut head: Option<Vec<Vec<Inline>>> = None;
        let mut body = Vec::new();
        for (at, row) in rows.into_iter().enumerate() {
            let heads = !row.is_empty() && row.iter().all(|cell| cell.head);
            let mut cells: Vec<Vec<Inline>> = Vec::with_capacity(width);
            for cell in row {
                let text = cell.placed.into_iter().find_map(|placed| match placed {
                    Placed::Block { block: Block::Paragraph { text }, .. } => Some(text),
                    Placed::Block { block: Block::Figure { picture, alt, .. }, .. } => {
                        Some(vec![Inline::Picture { picture, alt }])
                    }
                    _ => None,
                });
                cells.push(text.unwrap_or_default());
                cells.extend((1..cell.span).map(|_| Vec::new()));
            }
            cells.resize_with(width, Vec::new);
            if at == 0 && heads {
                head = Some(cells);
            } else if cells.iter().any(|cell| !cell.is_empty()) {
                body.push(cells);
            }
        }
        let head = head.unwrap_or_else(|| vec![Vec::new(); width]);
        self.place(Block::Table { head, rows: body });
    }
}

/// The blocks of a container that holds no headlines: titles in it are subheads.
pub(super) fn blocks(placed: Vec<Placed>) -> Vec<Block> {
    let blocks = placed.into_iter().map(|placed| match placed {
        Placed::Heading { level, text, .. } => {
            Block::Subhead { level: level.saturating_sub(1).clamp(1, 4), text }
        }
        Placed::Block { block, .. } => block,
    });
    blocks.filter(|block| matches!(block, Block::Rule) || !prose_is_empty(block)).collect()
}

fn prose_is_empty(block: &Block) -> bool {
    matches!(block, Block::Paragraph { text } if prose::plain(text).trim().is_empty()
        && prose::pictures_of(text).is_empty()
        && !text.iter().any(|run| matches!(run, Inline::Note { .. })))
}

/// Whether this may all be said below one picture.
fn is_caption(placed: &[Placed]) -> bool {
    placed.len() <= MAX_CAPTION && !placed.iter().any(|placed| matches!(placed, Placed::Heading { .. }))
}

/// What stands in a caption, a line a paragraph.
fn captioned(placed: &[Placed]) -> Vec<Inline> {
    let mut lines = Vec::new();
    for placed in placed {
        let line = match placed {
            Placed::Heading { text, .. } | Placed::Block { block: Block::Paragraph { text }, .. } => {
                text.clone()
            }
            Placed::Block { block, .. } => vec![Inline::text(block.plain().replace(['\n', '\t'], " "))],
        };
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines.join(&Inline::Break)
}

/// The figures that a paragraph is that holds nothing but pictures, or its runs again.
pub(super) fn figures(text: Vec<Inline>) -> Result<Vec<Block>, Vec<Inline>> {
    let blank = |run: &Inline| match run {
        Inline::Text { text } => text.trim().is_empty(),
        run => matches!(run, Inline::Break),
    };
    let pictures = text.iter().filter(|run| matches!(run, Inline::Picture { .. })).count();
    if pictures == 0 || text.iter().filter(|run| !blank(run)).count() > pictures {
        return Err(text);
    }
    let figures = text.into_iter().filter_map(|run| match run {
        Inline::Picture { picture, alt } => Some(Block::Figure { picture, alt, caption: Vec::new() }),
        _ => None,
    });
    Ok(figures.collect())
}
