//! Spaces that a text layer left between Chinese characters, and those that are meant.

use crate::typography;

/// How a text's spaces are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spaces {
    /// The file has few spaces between wide characters: those in titles are meant.
    Meant,
    /// The file is full of them: they are where its lines ended.
    Noise,
}

/// More spaces between wide characters than this, in a thousand characters, are noise. Clean pages have a few
/// (titles of two parts, names); a page whose line breaks became spaces has one in twenty.
const NOISE_PER_THOUSAND: usize = 4;

/// As many spaces may be meant on any page, however short: names and titles have them.
const MEANT_AT_LEAST: usize = 12;

impl Spaces {
    /// How the lines' spaces are read.
    pub(super) fn of<'l>(lines: impl Iterator<Item = &'l str>) -> Self {
        let (mut between, mut characters) = (0_usize, 0_usize);
        for line in lines {
            let mut before = None;
            let mut spaced = false;
            for c in line.trim().chars() {
                if c.is_whitespace() {
                    spaced = true;
                    continue;
                }
                characters += 1;
                between +=
                    usize::from(spaced && before.is_some_and(typography::is_wide) && typography::is_wide(c));
                before = Some(c);
                spaced = false;
            }
        }
        if between * 1000 > characters * NOISE_PER_THOUSAND && between > MEANT_AT_LEAST {
            Self::Noise
        } else {
            Self::Meant
        }
    }
}

/// A paragraph's text: one space at most, none between wide characters. A space inside 《》 is meant.
pub(super) fn paragraph(text: &str, spaces: Spaces) -> String {
    tidy(text, spaces, spaces == Spaces::Meant, false)
}

/// A headline's or subhead's text: its spaces part it in two and are meant, unless the file is full of them or
/// the line is spaced out letter by letter.
pub(super) fn title(text: &str, spaces: Spaces) -> String {
    let spaced_out = is_spaced_out(text);
    tidy(text, spaces, spaces == Spaces::Meant && !spaced_out, spaces == Spaces::Meant && !spaced_out)
}

/// Whether a space follows every wide character: 河 畔 新 风.
pub(super) fn is_spaced_out(text: &str) -> bool {
    let mut words = 0;
    for word in text.split_whitespace() {
        let mut characters = word.chars();
        let (first, second) = (characters.next(), characters.next());
        if second.is_some() || !first.is_some_and(typography::is_wide) {
            return false;
        }
        words += 1;
    }
    words >= 2
}

fn tidy(text: &str, spaces: Spaces, keep_in_titles: bool, keep: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_title = false;
    let mut spaced = false;
    let mut before: Option<char> = None;
    for c in text.trim().chars() {
        if c.is_whitespace() {
            spaced = true;
            continue;
        }
        if spaced && let Some(last) = before {
            let wide = |c| typography::is_wide(c) || typography::is_shared_mark(c);
            let one_wide = typography::is_wide(last) || typography::is_wide(c);
            // ASCII punctuation in Chinese text ends lines as well.
            let half = |c: char| c.is_ascii_punctuation() || wide(c);
            let tight = match spaces {
                Spaces::Meant => wide(last) && wide(c) && one_wide,
                Spaces::Noise => half(last) && half(c) && one_wide,
            };
            if !tight || keep || (keep_in_titles && in_title) {
                out.push(' ');
            }
        }
        spaced = false;
        in_title = match c {
            '《' => true,
            '》' => false,
            _ => in_title,
        };
        out.push(c);
        before = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, as_paragraph: &str, as_title: &str) {
        assert_eq!(
            (paragraph(text, Spaces::Meant).as_str(), title(text, Spaces::Meant).as_str()),
            (as_paragraph, as_title)
        );
    }

    #[test]
    fn spaces_go_from_paragraphs_and_stay_in_titles() {
        check("老桥 重修", "老桥重修", "老桥 重修");
        check("老 桥 重 修", "老桥重修", "老桥重修");
        check("唱《老桥 新路》 的人", "唱《老桥 新路》的人", "唱《老桥 新路》 的人");
        check("用 Rust  写", "用 Rust 写", "用 Rust 写");
        check("他说 “好”", "他说“好”", "他说 “好”");
    }

    #[test]
    fn in_a_noisy_file_no_space_between_wide_characters_is_meant() {
        assert_eq!(title("老桥 重修", Spaces::Noise), "老桥重修");
        assert_eq!(paragraph("风来了, 雨\"也\" 来", Spaces::Noise), "风来了,雨\"也\"来");
    }
}
