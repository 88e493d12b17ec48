//! Where the pictures of an issue are for one edition, and how large they are shown.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::markup::escape;
use crate::{issue::Issue, picture::PictureName};

/// How wide a letter is inside, in pixels: some mail programs know no other size than the attribute.
const LETTER: u32 = 552;

/// The pictures of an issue as one edition shows them.
#[derive(Debug, Clone, Default)]
pub(super) struct Gallery {
    sizes: Arc<HashMap<PictureName, (u32, u32)>>,
    /// Before the file name in `src`.
    base: String,
    way: Way,
}

/// How an edition shows a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Way {
    /// At its size, and no wider than the text.
    #[default]
    Shown,
    /// At its size, and no wider than the text, by the style sheet alone: `MuPDF` and its kind take the attributes at their word
    /// and cut off what is too wide.
    Bound,
    /// As shown, in a letter.
    Posted,
    /// As a link with its description.
    Linked,
}

impl Gallery {
    /// The pictures of `issue`, whose files are at `base`.
    pub(super) fn of(issue: &Issue, base: &str) -> Self {
        let sizes = issue.pictures.iter().map(|p| (p.name.clone(), (p.width, p.height))).collect();
        Self { sizes: Arc::new(sizes), base: base.to_owned(), way: Way::Shown }
    }

    /// The same for a book.
    pub(super) fn in_book(self) -> Self {
        Self { way: Way::Bound, ..self }
    }

    /// The same for a letter: shown only from `https`, for mail programs warn of anything else.
    pub(super) fn in_letter(self) -> Self {
        let way = if self.base.starts_with("https://") { Way::Posted } else { Way::Linked };
        Self { way, ..self }
    }

    /// A picture as an element, or its description where there is no such picture. `linked` says that it stands in a link.
    pub(super) fn show(&self, name: &PictureName, alt: &str, linked: bool, out: &mut String) {
        let Some((width, height)) = self.sizes.get(name) else {
            out.push_str(&escape(alt));
            return;
        };
        let (src, alt) = (escape(&format!("{}{name}", self.base)), escape(alt));
        let (width, height) = match self.way {
            Way::Posted if *width > LETTER => {
                let lower = u64::from(*height) * u64::from(LETTER) / u64::from(*width);
                (LETTER, u32::try_from(lower).unwrap_or(*height).max(1))
            }
            _ => (*width, *height),
        };
        let shown = if alt.trim().is_empty() { escape(name.as_str()) } else { alt.clone() };
        let _ = match self.way {
            Way::Linked if linked => write!(out, "{shown}"),
            Way::Linked => write!(out, r#"<a href="{src}">{shown}</a>"#),
            Way::Bound => write!(out, r#"<img src="{src}" alt="{alt}"/>"#),
            Way::Shown | Way::Posted => {
                write!(out, r#"<img src="{src}" alt="{alt}" width="{width}" height="{height}"/>"#)
            }
        };
    }
}
