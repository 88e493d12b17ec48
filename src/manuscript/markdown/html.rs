//! Raw HTML inside Markdown: its text is kept, its tags, comments, scripts and styles are not.

/// A piece of raw HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Text between tags.
    Text(&'t str),
    /// A tag, whole.
    Tag(&'t str),
    /// A comment, declaration or processing instruction, whole.
    Comment(&'t str),
    /// The content of a script or style.
    Hidden(&'t str),
}

/// The elements whose content no reader sees.
pub(super) const HIDDEN: [&str; 3] = ["script", "style", "template"];

/// The pieces of a run of HTML, in order. What does not close ends with the run.
pub(super) fn pieces(html: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let Some(open) = rest.find('<') else {
            pieces.push(Piece::Text(rest));
            break;
        };
        let after = &rest[open + 1..];
        if open > 0 {
            pieces.push(Piece::Text(&rest[..open]));
        }
        rest = &rest[open..];
        let close = if after.starts_with("!--") {
            // <!--> is a whole comment (HTML §13.1.6).
            rest.get(4..).and_then(|body| body.find("-->")).map(|at| at + 7)
        } else if after.starts_with("![CDATA[") {
            rest.find("]]>").map(|at| at + 3)
        } else if after.starts_with(['!', '?']) {
            rest.find('>').map(|at| at + 1)
        } else if after.starts_with('/') || after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            tag_end(rest)
        } else {
            pieces.push(Piece::Text(&rest[..1]));
            rest = &rest[1..];
            continue;
        };
        let whole = &rest[..close.unwrap_or(rest.len())];
        rest = &rest[whole.len()..];
        if after.starts_with(['!', '?']) {
            pieces.push(Piece::Comment(whole));
            continue;
        }
        pieces.push(Piece::Tag(whole));
        if let Some(name) = hides(whole) {
            let end = find_close(rest, name).unwrap_or(rest.len());
            if end > 0 {
                pieces.push(Piece::Hidden(&rest[..end]));
            }
            rest = &rest[end..];
        }
    }
    pieces
}

/// Where a tag ends: at the first `>` outside quotation marks.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    // A quotation mark that never closes: the first `>` then.
    tag.find('>').map(|at| at + 1)
}

/// The element that a tag opens, if no reader sees its content.
pub(super) fn hides(tag: &str) -> Option<&'static str> {
    HIDDEN.into_iter().find(|name| is_tag(tag, "<", name))
}

/// Whether a tag closes that element.
pub(super) fn closes(tag: &str, name: &str) -> bool {
    is_tag(tag, "</", name)
}

/// Whether a tag breaks a line.
pub(super) fn breaks(tag: &str) -> bool {
    is_tag(tag, "<", "br")
}

fn is_tag(tag: &str, open: &str, name: &str) -> bool {
    tag.strip_prefix(open).and_then(|rest| Some((rest.get(..name.len())?, &rest[name.len()..]))).is_some_and(
        |(found, after)| {
            found.eq_ignore_ascii_case(name)
                && !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-')
        },
    )
}

fn find_close(html: &str, name: &str) -> Option<usize> {
    html.match_indices("</").map(|(at, _)| at).find(|at| closes(&html[*at..], name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &[Piece<'_>]) {
        assert_eq!(pieces(html), expected, "{html}");
    }

    #[test]
    fn text_is_told_from_tags_comments_and_scripts() {
        use Piece::{Comment, Hidden, Tag, Text};
        check("<p>a</p>", &[Tag("<p>"), Text("a"), Tag("</p>")]);
        check("<a title='>'>x", &[Tag("<a title='>'>"), Text("x")]);
        check("a<!-- b -->c", &[Text("a"), Comment("<!-- b -->"), Text("c")]);
        check("<!-- never", &[Comment("<!-- never")]);
        check("<SCRIPT>1<2</script >x", &[Tag("<SCRIPT>"), Hidden("1<2"), Tag("</script >"), Text("x")]);
        check("<style>never", &[Tag("<style>"), Hidden("never")]);
        check("1 < 2", &[Text("1 "), Text("<"), Text(" 2")]);
        check("<", &[Text("<")]);
    }
}
