//! Prose as HTML that is well-formed XML too: the same elements for the book, the web page, the feed and the letter.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::gallery::Gallery;
pub(super) use crate::theme::escape;
use crate::{prose, prose::Block, prose::Href, prose::Inline, theme::push_escaped, typography};

/// The address of a link as both the WHATWG URL standard and RFC 3986 have it, all ASCII; `None` when no browser
/// would follow it.
pub(super) fn address(href: &Href) -> Option<String> {
    let url = url::Url::parse(href.as_str()).ok()?;
    let leads_somewhere = match url.host() {
        Some(url::Host::Domain(domain)) => domain.split('.').all(is_label),
        Some(_) => true,
        None => url.scheme() == "mailto" && url.path().contains('@'),
    };
    if !leads_somewhere {
        return None;
    }
    let (origin, rest) = url.as_str().split_at(url[..url::Position::BeforePath].len());
    let mut address = origin.to_owned();
    let mut in_fragment = false;
    for (at, c) in rest.char_indices() {
        let escaped =
            rest.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        // What browsers let pass, but RFC 3986 §3.3 to §3.5 do not.
        let allowed = match c {
            '%' => escaped,
            '#' => !std::mem::replace(&mut in_fragment, true),
            c => c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?".contains(c),
        };
        if allowed {
            address.push(c);
        } else {
            for byte in c.to_string().bytes() {
                let _ = write!(address, "%{byte:02X}");
            }
        }
    }
    Some(address)
}

/// Whether `label` can stand between two full stops of a domain (RFC 1123 §2.1, with the underscore that is in use).
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Where prose will stand, and so what its elements may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Medium {
    /// A file of a book: footnotes that a reading system can show in place.
    Book,
    /// Our own web page.
    Web,
    /// A feed reader or a mail program, which keeps few attributes: no identifiers, and notes lead to the web page.
    Away,
}

/// Renders the prose of one article, and keeps count of its notes.
#[derive(Debug)]
pub(super) struct Markup {
    /// Where it will stand.
    pub medium: Medium,
    /// Before each identifier, to make it the only one of its kind in the file: `a1-`.
    pub prefix: String,
    /// Before the `#` of a link to a note: empty when it stands in the same file.
    pub base: String,
    /// The files of those notes that stand in another file than [`Self::base`] says.
    pub elsewhere: HashMap<usize, String>,
    /// The element of the highest subhead: 2 for `h2`.
    pub heading: u8,
    /// How many notes there are; a reference to any other stays plain text.
    pub n_notes: usize,
    /// The name of a table for those who cannot see it.
    pub table: &'static str,
    /// The pictures.
    pub gallery: Gallery,
    referred: BTreeMap<usize, usize>,
    first_here: BTreeMap<usize, String>,
    depth: u8,
    in_link: bool,
    lead: Option<String>,
}

impl Markup {
    /// For an article with `n_notes` notes whose headline is one level above `heading`.
    pub(super) fn new(medium: Medium, heading: u8, n_notes: usize) -> Self {
        Self {
            medium,
            prefix: String::new(),
            base: String::new(),
            elsewhere: HashMap::new(),
            heading,
            n_notes,
            table: "",
            gallery: Gallery::default(),
            referred: BTreeMap::new(),
            first_here: BTreeMap::new(),
            depth: heading.saturating_sub(1),
            in_link: false,
            lead: None,
        }
    }

    /// Begins another file: its subheads stand below a headline again.
    pub(super) fn start_again(&mut self) {
        self.depth = self.heading.saturating_sub(1);
        self.first_here.clear();
    }

    /// The blocks in order, one a line.
    pub(super) fn blocks(&mut self, blocks: &[Block]) -> String {
        let mut out = String::new();
        for block in blocks {
            self.block(block, &mut out);
        }
        out
    }

    /// One line of text.
    pub(super) fn inlines(&mut self, inlines: &[Inline]) -> String {
        let mut out = String::new();
        for inline in inlines {
            self.inline(inline, &mut out);
        }
        out
    }

    /// The note `number` (counted from 1) below the text. Rendered after the text, it leads back to the first
    /// reference in the same file, if there was one.
    pub(super) fn note(&mut self, number: usize, blocks: &[Block]) -> String {
        let prefix = escape(&self.prefix);
        let label = match (self.medium, self.first_here.get(&number)) {
            (Medium::Away, _) => format!("<sup>{number}</sup> "),
            (_, Some(id)) => {
                format!(r##"<a class="back" href="#{prefix}{id}" role="doc-backlink">{number}</a> "##)
            }
            (_, None) => format!(r#"<span class="back">{number}</span> "#),
        };
        let (open, close) = match self.medium {
            Medium::Book => (
                format!(
                    r#"<aside class="note" id="{prefix}n{number}" epub:type="footnote" role="doc-footnote">"#
                ),
                "</aside>\n",
            ),
            Medium::Web => {
                (format!(r#"<aside class="note" id="{prefix}n{number}" role="doc-footnote">"#), "</aside>\n")
            }
            Medium::Away => (String::new(), ""),
        };
        let mut out = open;
        self.lead = Some(label);
        if !matches!(blocks.first(), Some(Block::Paragraph { .. })) {
            self.block(&Block::paragraph(""), &mut out);
        }
        out.push_str(&self.blocks(blocks));
        self.lead = None;
        out + close
    }

    fn block(&mut self, block: &Block, out: &mut String) {
        match block {
            Block::Paragraph { text } => {
                let lead = self.lead.take().unwrap_or_default();
                // The lines of a poem begin all alike; only those of a paragraph begin with the first one set in.
                let verse = text.contains(&Inline::Break) && self.medium != Medium::Away;
                let text = self.inlines(text);
                if !lead.is_empty() || !text.trim().is_empty() {
                    let _ =
                        writeln!(out, "<p{}>{lead}{text}</p>", if verse { r#" class="verse""# } else { "" });
                }
            }
            Block::Subhead { level, text } => {
                // No level is left out on the way down (WCAG technique G141), whatever the manuscript did.
                let wanted = self.heading.saturating_add(level.clamp(&1, &4) - 1);
                self.depth = wanted.min(self.depth + 1).clamp(2, 6);
                let (depth, text) = (self.depth, self.inlines(text));
                if !text.trim().is_empty() {
                    let _ = writeln!(out, "<h{depth}>{text}</h{depth}>");
                }
            }
            Block::Quote { blocks } => {
                let _ = writeln!(out, "<blockquote>\n{}</blockquote>", self.blocks(blocks));
            }
            Block::List { items, .. } if items.is_empty() => {}
            Block::List { start, items } => {
                let (tag, attribute) = match start {
                    None => ("ul", String::new()),
                    Some(1) => ("ol", String::new()),
                    // What a browser counts with is a signed 32-bit number.
                    Some(first) => ("ol", format!(r#" start="{}""#, (*first).min(i32::MAX as u64))),
                };
                let _ = writeln!(out, "<{tag}{attribute}>");
                for item in items {
                    let _ = writeln!(out, "<li>{}</li>", self.item(item));
                }
                let _ = writeln!(out, "</{tag}>");
            }
            Block::Code { text } => {
                let _ = writeln!(out, "<pre dir=\"ltr\"><code>{}</code></pre>", escape(text));
            }
            Block::Table { head, rows } => self.rows(head, rows, out),
            Block::Figure { picture, alt, caption } => {
                let mut shown = String::new();
                self.gallery.show(picture, alt, self.in_link, &mut shown);
                let caption = self.inlines(caption);
                if !caption.trim().is_empty() {
                    let _ = write!(shown, "<figcaption>{caption}</figcaption>");
                }
                if !shown.trim().is_empty() {
                    let _ = writeln!(out, "<figure>{shown}</figure>");
                }
            }
            Block::Rule => out.push_str("<hr/>\n"),
        }
    }

    /// An item that is one paragraph needs no paragraph of its own.
    fn item(&mut self, blocks: &[Block]) -> String {
        match blocks {
            [Block::Paragraph { text }] => self.inlines(text),
            [Block::Paragraph { text }, rest @ ..]
                if rest.iter().all(|b| matches!(b, Block::List { .. })) =>
            {
                let text = self.inlines(text);
                format!("{text}\n{}", self.blocks(rest))
            }
            _ => format!("\n{}", self.blocks(blocks)),
        }
    }

    fn rows(&mut self, head: &[Vec<Inline>], rows: &[Vec<Vec<Inline>>], out: &mut String) {
        let width = rows.iter().map(Vec::len).chain([head.len()]).max().unwrap_or(0);
        if width == 0 {
            return;
        }
        // A wide table scrolls by itself; what scrolls must be reached by keyboard, and so needs a name.
        let open = match self.medium {
            Medium::Web => {
                format!(
                    r#"<div class="table" role="group" tabindex="0" aria-label="{}">"#,
                    escape(self.table)
                )
            }
            _ => r#"<div class="table">"#.to_owned(),
        };
        let _ = writeln!(out, "{open}<table>");
        let of_figures: Vec<bool> = (0..width).map(|column| has_figures(rows, column)).collect();
        if !head.is_empty() {
            out.push_str("<thead>\n");
            self.row(head, &of_figures, "th", out);
            out.push_str("</thead>\n");
        }
        if !rows.is_empty() {
            out.push_str("<tbody>\n");
            for row in rows {
                self.row(row, &of_figures, "td", out);
            }
            out.push_str("</tbody>\n");
        }
        out.push_str("</table></div>\n");
    }

    fn row(&mut self, cells: &[Vec<Inline>], of_figures: &[bool], tag: &str, out: &mut String) {
        out.push_str("<tr>");
        for (cell, is_of_figures) in cells.iter().zip(of_figures) {
            let text = self.inlines(cell);
            // An empty head would be read out as a column without a name.
            let tag = if text.trim().is_empty() { "td" } else { tag };
            let class = if *is_of_figures { r#" class="figures""# } else { "" };
            let _ = write!(out, "<{tag}{class}>{text}</{tag}>");
        }
        for _ in cells.len()..of_figures.len() {
            out.push_str("<td></td>");
        }
        out.push_str("</tr>\n");
    }

    fn inline(&mut self, inline: &Inline, out: &mut String) {
        match inline {
            Inline::Text { text } => push_escaped(text, out),
            Inline::Emphasis { text } => self.wrapped("em", text, out),
            Inline::Strong { text } => self.wrapped("strong", text, out),
            Inline::Struck { text } => self.wrapped("s", text, out),
            Inline::Code { text } => {
                let _ = write!(out, "<code>{}</code>", escape(text));
            }
            Inline::Link { href, text } => self.link(href, text, out),
            Inline::Note { number } => self.reference(*number, out),
            Inline::Picture { picture, alt } => self.gallery.show(picture, alt, self.in_link, out),
            Inline::Break => out.push_str("<br/>"),
        }
    }

    fn wrapped(&mut self, tag: &str, text: &[Inline], out: &mut String) {
        let text = self.inlines(text);
        if !text.is_empty() {
            let _ = write!(out, "<{tag}>{text}</{tag}>");
        }
    }

    /// A link; one inside another is its text only, and one that leads nowhere shows its address.
    fn link(&mut self, href: &Href, text: &[Inline], out: &mut String) {
        let bare = typography::printable(&prose::plain(text)).trim().is_empty()
            && !text.iter().any(|run| matches!(run, Inline::Picture { .. }));
        let address = address(href).filter(|_| !self.in_link);
        let was_in_link = self.in_link;
        self.in_link |= address.is_some();
        let shown = if bare { escape(href.as_str()) } else { self.inlines(text) };
        self.in_link = was_in_link;
        match address {
            Some(address) => {
                let _ = write!(out, r#"<a href="{}">{shown}</a>"#, escape(&address));
            }
            None if bare || self.in_link => out.push_str(&shown),
            None => {
                let _ = write!(out, "{shown} ({})", escape(href.as_str()));
            }
        }
    }

    fn reference(&mut self, number: usize, out: &mut String) {
        if number == 0 || number > self.n_notes || self.in_link {
            let _ = write!(out, "<sup>[{number}]</sup>");
            return;
        }
        let times = self.referred.entry(number).or_insert(0);
        *times += 1;
        let id = if *times == 1 { format!("r{number}") } else { format!("r{number}-{times}") };
        self.first_here.entry(number).or_insert_with(|| id.clone());
        let prefix = escape(&self.prefix);
        let file = escape(self.elsewhere.get(&number).unwrap_or(&self.base));
        let _ = match self.medium {
            Medium::Book => write!(
                out,
                r#"<a class="ref" href="{file}#{prefix}n{number}" id="{prefix}{id}" epub:type="noteref" role="doc-noteref">[{number}]</a>"#
            ),
            Medium::Web => write!(
                out,
                r#"<a class="ref" href="{file}#{prefix}n{number}" id="{prefix}{id}" role="doc-noteref">[{number}]</a>"#
            ),
            Medium::Away => write!(out, r#"<sup><a href="{file}#{prefix}n{number}">[{number}]</a></sup>"#),
        };
    }
}

/// The numbers of the notes that `blocks` refer to, in the order of their first reference.
pub(super) fn notes_in(blocks: &[Block]) -> Vec<usize> {
    let mut numbers = Vec::new();
    for block in blocks {
        push_notes(block, &mut numbers);
    }
    let mut seen = std::collections::HashSet::new();
    numbers.retain(|n| seen.insert(*n));
    numbers
}

fn push_notes(block: &Block, numbers: &mut Vec<usize>) {
    match block {
        Block::Paragraph { text } | Block::Subhead { text, .. } => push_notes_of(text, numbers),
        Block::Quote { blocks } => blocks.iter().for_each(|b| push_notes(b, numbers)),
        Block::List { items, .. } => items.iter().flatten().for_each(|b| push_notes(b, numbers)),
        Block::Table { head, rows } => {
            std::iter::once(head).chain(rows).flatten().for_each(|cell| push_notes_of(cell, numbers));
        }
        Block::Figure { caption, .. } => push_notes_of(caption, numbers),
        Block::Code { .. } | Block::Rule => {}
    }
}

fn push_notes_of(inlines: &[Inline], numbers: &mut Vec<usize>) {
    for inline in inlines {
        match inline {
            Inline::Note { number } => numbers.push(*number),
            Inline::Emphasis { text }
            | Inline::Strong { text }
            | Inline::Struck { text }
            | Inline::Link { text, .. } => {
                push_notes_of(text, numbers);
            }
            Inline::Text { .. } | Inline::Code { .. } | Inline::Picture { .. } | Inline::Break => {}
        }
    }
}

/// Whether a column has figures and nothing else: they stand below each other by their ends, so that they can be compared.
fn has_figures(rows: &[Vec<Vec<Inline>>], column: usize) -> bool {
    let texts = rows.iter().filter_map(|row| row.get(column)).map(|cell| prose::plain(cell));
    let mut texts = texts.filter(|text| text.chars().any(char::is_alphanumeric)).peekable();
    texts.peek().is_some() && texts.all(|text| is_figure(text.trim()))
}

/// Whether a text is one figure: `1,200`, `-3.5 °C`, `€ 12`, `40 %`. A day such as `2026-07-09` is none.
fn is_figure(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-', '\u{2212}', '\u{2013}', '€', '$', '¥', '￥', '£', ' ']);
    let rest = unsigned.trim_start_matches(|c: char| c.is_ascii_digit() || ".,' \u{a0}\u{202f}".contains(c));
    let unit = rest.trim_start();
    unsigned.starts_with(|c: char| c.is_ascii_digit())
        && unit.chars().count() <= 3
        && unit.chars().all(|c| c.is_alphabetic() || "%‰°€$¥£".contains(c))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "reads better in the cases")]
    fn check(medium: Medium, blocks: &[Block], expected: Expect) {
        let mut markup = Markup::new(medium, 2, 2);
        expected.assert_eq(&markup.blocks(blocks));
    }

    fn link(href: &str, text: &str) -> Inline {
        Inline::Link { href: Href::parse(href).expect("an address"), text: vec![Inline::text(text)] }
    }

    #[test]
    fn figures_stand_below_each_other_by_their_ends() {
        for text in
            ["7", "1,200", "-3.5 °C", "\u{2212}4", "€ 12.50", "12 €", "40 %", "1 200 km", "12.5 万", "3人"]
        {
            assert!(is_figure(text), "{text}");
        }
        for text in ["", "a", "2026-07-09", "6:30", "No. 7", "7 or 8", "3.5 kilometres", "-", "%", "第3期"]
        {
            assert!(!is_figure(text), "{text}");
        }
        let row = |cells: &[&str]| cells.iter().map(|text| vec![Inline::text(*text)]).collect::<Vec<_>>();
        let rows = [row(&["Monday", "1", "3", "–"]), row(&["2", "12 %", "–", "–"]), row(&["", ""])];
        let found: Vec<bool> = (0..4).map(|column| has_figures(&rows, column)).collect();
        assert_eq!(found, [false, true, true, false]);
    }

    #[test]
    fn no_text_becomes_markup_and_nothing_unprintable_stays() {
        check(
            Medium::Book,
            &[Block::paragraph("a < b & \"c\" 'd' ]]> {{x}} {% if %} \u{0}\u{8}\u{1A}\u{FFFE}e")],
            expect![[r"
                <p>a &lt; b &amp; &quot;c&quot; &#39;d&#39; ]]&gt; {{x}} {% if %} e</p>
            "]],
        );
    }

    #[test]
    fn a_note_that_is_referred_to_twice_has_one_place_and_two_ways_to_it() {
        let text = vec![Inline::Note { number: 1 }, Inline::Note { number: 1 }, Inline::Note { number: 9 }];
        check(
            Medium::Web,
            &[Block::Paragraph { text }],
            expect![[r##"
                <p><a class="ref" href="#n1" id="r1" role="doc-noteref">[1]</a><a class="ref" href="#n1" id="r1-2" role="doc-noteref">[1]</a><sup>[9]</sup></p>
            "##]],
        );
    }

    #[test]
    fn a_note_leads_back_to_where_it_was_called() {
        let mut markup = Markup::new(Medium::Book, 2, 2);
        markup.blocks(&[Block::Paragraph { text: vec![Inline::Note { number: 1 }] }]);
        expect![[r##"
            <aside class="note" id="n1" epub:type="footnote" role="doc-footnote"><p><a class="back" href="#r1" role="doc-backlink">1</a> so</p>
            </aside>
        "##]]
        .assert_eq(&markup.note(1, &[Block::paragraph("so")]));
        expect![[r#"
            <aside class="note" id="n2" epub:type="footnote" role="doc-footnote"><p><span class="back">2</span> </p>
            <hr/>
            </aside>
        "#]]
        .assert_eq(&markup.note(2, &[Block::Rule]));
    }

    #[test]
    fn a_link_inside_a_link_is_text_and_a_link_to_nowhere_shows_where() {
        let outer = Inline::Link {
            href: Href::parse("https://a.example/").expect("an address"),
            text: vec![link("https://b.example/", "b"), Inline::Note { number: 1 }],
        };
        let nowhere = link("https://a.example:99999/", "far");
        check(
            Medium::Web,
            &[Block::Paragraph { text: vec![outer, nowhere, link("https://例子.测试/路", "")] }],
            expect![[r#"
                <p><a href="https://a.example/">b<sup>[1]</sup></a>far (https://a.example:99999/)<a href="https://xn--fsqu00a.xn--0zwm56d/%E8%B7%AF">https://例子.测试/路</a></p>
            "#]],
        );
    }

    #[track_caller]
    fn check_address(href: &str, expected: Option<&str>) {
        assert_eq!(address(&Href::parse(href).expect("an address")).as_deref(), expected);
    }

    #[test]
    fn an_address_is_one_for_every_reading_system() {
        check_address(
            "https://例子.测试/路?a=[b]#c#%zz%41",
            Some("https://xn--fsqu00a.xn--0zwm56d/%E8%B7%AF?a=%5Bb%5D#c%23%25zz%41"),
        );
        check_address("https://[::1]:8080/a?b&c=d", Some("https://[::1]:8080/a?b&c=d"));
        check_address("mailto:li@example.org?subject=%20", Some("mailto:li@example.org?subject=%20"));
        check_address("mailto:nobody", None);
        check_address("http://[::1", None);
        check_address("https://a..b/", None);
        check_address("https://a$b/", None);
    }

    #[test]
    fn subheads_go_down_one_level_at_a_time() {
        check(
            Medium::Book,
            &[Block::subhead(3, "deep"), Block::subhead(1, "high"), Block::subhead(2, "lower")],
            expect![[r"
                <h2>deep</h2>
                <h2>high</h2>
                <h3>lower</h3>
            "]],
        );
    }

    #[test]
    fn lists_and_tables_are_whole_even_when_the_manuscript_is_ragged() {
        let cell = |text: &str| vec![Inline::text(text)];
        check(
            Medium::Book,
            &[
                Block::List { start: Some(3), items: vec![vec![Block::paragraph("c")], vec![]] },
                Block::List { start: None, items: vec![] },
                Block::Table { head: vec![cell("x")], rows: vec![vec![cell("1"), cell("2")], vec![]] },
                Block::Table { head: vec![], rows: vec![] },
            ],
            expect![[r#"
                <ol start="3">
                <li>c</li>
                <li>
                </li>
                </ol>
                <div class="table"><table>
                <thead>
                <tr><th class="figures">x</th><td></td></tr>
                </thead>
                <tbody>
                <tr><td class="figures">1</td><td class="figures">2</td></tr>
                <tr><td></td><td></td></tr>
                </tbody>
                </table></div>
            "#]],
        );
    }
}
