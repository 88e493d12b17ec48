//! Whether what a template makes is XML, where readers' programs read it as XML: one wrong end of an element, and they read nothing.

use std::path::Path;

use quick_xml::{
    NsReader, XmlVersion, errors::IllFormedError, events::BytesStart, events::Event, name::ResolveResult,
};

use super::templates::clipped;

/// The kinds of files that programs read as XML; what is for browsers and letters is HTML.
const KINDS: [&str; 6] = ["xml", "opml", "xhtml", "ncx", "svg", "opf"];

/// What becomes a part of a file that is written elsewhere.
const PARTS: [&str; 1] = ["book/metadata.xml"];

/// What is wrong with a text that the template `name` has made, or `None`. Of a part, the prefixes are not known.
pub(super) fn problem(name: &str, text: &str) -> Option<String> {
    let is_xml = Path::new(name).extension().is_some_and(|kind| KINDS.iter().any(|known| kind == *known));
    let (at, problem) = is_xml.then(|| check(text, PARTS.contains(&name)).err())??;
    let before = text.get(..usize::try_from(at).ok()?).unwrap_or(text);
    let (line, start) = (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |end| end + 1));
    let there = text[start..].lines().next().unwrap_or_default().trim();
    Some(format!("what it makes is not XML: {problem}, in line {line} of that, `{}`", clipped(there)))
}

/// Reads a document to its end, or tells where that cannot be done and why.
fn check(text: &str, is_part: bool) -> Result<(), (u64, String)> {
    let mut reader = NsReader::from_str(text);
    reader.config_mut().check_comments = true;
    let (mut depth, mut roots) = (0_usize, 0_usize);
    loop {
        let event = reader.read_event();
        let wrong = |problem: String| Err((reader.error_position().max(1) - 1, problem));
        let here = |problem: String| Err((reader.buffer_position().max(1) - 1, problem));
        match event {
            Err(quick_xml::Error::IllFormed(IllFormedError::MismatchedEndTag { expected, found })) => {
                return wrong(format!("`</{found}>` where `</{expected}>` belongs"));
            }
            Err(error) => return wrong(error.to_string()),
            Ok(Event::Eof) if depth > 0 => return here("an element has no end".to_owned()),
            Ok(Event::Eof) if roots != 1 && !is_part => {
                return here("it has not one root element".to_owned());
            }
            Ok(Event::Eof) => return Ok(()),
            Ok(Event::Start(start)) => {
                roots += usize::from(depth == 0);
                depth += 1;
                if let Some(problem) = of_start(&reader, &start, is_part) {
                    return here(problem);
                }
            }
            Ok(Event::Empty(start)) => {
                roots += usize::from(depth == 0);
                if let Some(problem) = of_start(&reader, &start, is_part) {
                    return here(problem);
                }
            }
            Ok(Event::End(_)) => depth -= 1,
            Ok(Event::GeneralRef(name)) => {
                let known =
                    ["amp", "lt", "gt", "quot", "apos"].iter().any(|known| known.as_bytes() == &*name);
                if !known && !matches!(name.resolve_char_ref(), Ok(Some(_))) {
                    return here(format!("`&{};` is not known in XML", String::from_utf8_lossy(&name)));
                }
            }
            Ok(Event::Text(text)) if depth == 0 && !is_part && !text.trim_ascii().is_empty() => {
                return here("there are words outside its root element".to_owned());
            }
            Ok(_) => {}
        }
    }
}

/// What is wrong with the beginning of an element.
fn of_start(reader: &NsReader<&[u8]>, start: &BytesStart<'_>, is_part: bool) -> Option<String> {
    let unknown = |found: ResolveResult<'_>| match found {
        ResolveResult::Unknown(prefix) if !is_part => {
            Some(format!("the prefix `{}` is not declared", String::from_utf8_lossy(&prefix)))
        }
        _ => None,
    };
    let name = reader.resolver().resolve_element(start.name()).0;
    unknown(name).or_else(|| {
        start.attributes().find_map(|attribute| match attribute {
            Err(error) => Some(error.to_string()),
            Ok(attribute) if attribute.value.contains(&b'<') => Some("`<` in an attribute".to_owned()),
            Ok(attribute) => {
                match attribute.decoded_and_normalized_value(XmlVersion::Implicit1_0, reader.decoder()) {
                    Err(error) => Some(error.to_string()),
                    Ok(_) => unknown(reader.resolver().resolve_attribute(attribute.key).0),
                }
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &Expect) {
        expected.assert_eq(&problem(name, text).unwrap_or_default());
    }

    #[test]
    fn a_document_that_is_xml_has_no_problem() {
        for text in [
            "<?xml version=\"1.0\"?>\n<a xmlns:x=\"y\" x:b=\"&amp;&#10;\">&lt;<x:c/></a>\n",
            "<!DOCTYPE html>\n<html xmlns=\"z\"><!-- c --><br/></html>",
        ] {
            check("feed/atom.xml", text, &expect![[""]]);
        }
        check("book/metadata.xml", "<dc:a/>\n<dc:b>c</dc:b>", &expect![[""]]);
        check("site/page.html", "<p>what browsers <b>forgive", &expect![[""]]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let shown = |text: &str| problem("feed/atom.xml", text).unwrap_or_default();
        expect![[r#"
            what it makes is not XML: `</a>` where `</b>` belongs, in line 2 of that, `<b>c</a>`
            what it makes is not XML: an element has no end, in line 2 of that, `<b>`
            what it makes is not XML: it has not one root element, in line 2 of that, `<b/>`
            what it makes is not XML: there are words outside its root element, in line 1 of that, `words`
            what it makes is not XML: `&nbsp;` is not known in XML, in line 1 of that, `<a>&nbsp;</a>`
            what it makes is not XML: the prefix `x` is not declared, in line 3 of that, `<x:b/></a>`
            what it makes is not XML: position 8: duplicated attribute, previous declaration at position 2, in line 1 of that, `<a b='1' b='2'/>`
            what it makes is not XML: `<` in an attribute, in line 1 of that, `<a b="<"/>`
            what it makes is not XML: at 1..5: unrecognized entity `nbsp`, in line 1 of that, `<a b="&nbsp;"/>`
            what it makes is not XML: ill-formed document: entity or character reference not closed: `;` not found before end of input, in line 1 of that, `<a>1 & 2</a>`
            what it makes is not XML: ill-formed document: forbidden string `--` was found in a comment, in line 1 of that, `<a><!-- -- --></a>`"#]].assert_eq(
            &[
                "<a>\n<b>c</a>",
                "<a>\n<b>",
                "<a/>\n<b/>",
                "words",
                "<a>&nbsp;</a>",
                "<a>\n\n<x:b/></a>",
                "<a b='1' b='2'/>",
                "<a b=\"<\"/>",
                "<a b=\"&nbsp;\"/>",
                "<a>1 & 2</a>",
                "<a><!-- -- --></a>",
            ]
            .map(shown)
            .join("\n"),
        );
    }
}
