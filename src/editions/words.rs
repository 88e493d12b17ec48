//! The words that editions add to an issue's own, in the languages we speak: one table, and how it says dates and counts.

use jiff::civil::Date;
use serde::Serialize;

use crate::{issue::Article, issue::Byline, issue::Role, prose::Language};

/// What we say around an issue's own text.
#[derive(Debug, Serialize)]
pub(super) struct Words {
    /// The language of this table, as in `lang`.
    pub lang: &'static str,
    #[serde(skip)]
    grammar: Grammar,
    pub contents: &'static str,
    pub untitled: &'static str,
    pub untitled_note: &'static str,
    pub photographs: &'static str,
    pub notes: &'static str,
    pub table: &'static str,
    pub previous: &'static str,
    pub next: &'static str,
    pub continued: &'static str,
    pub read_on: &'static str,
    pub read_online: &'static str,
    pub download: &'static str,
    pub book: &'static str,
    pub feed: &'static str,
    pub books: &'static str,
    pub articles: &'static str,
    pub whole_issue: &'static str,
    pub own_page: &'static str,
    pub follow: &'static str,
    pub follow_feed: &'static str,
    pub follow_book: &'static str,
    pub follow_catalogue: &'static str,
    pub follow_more: &'static str,
    pub latest: &'static str,
    pub recent: &'static str,
    pub archive: &'static str,
    pub home: &'static str,
    pub nothing_yet: &'static str,
    pub skip: &'static str,
    pub editors: &'static str,
    pub publisher: &'static str,
    pub rights: &'static str,
    pub contact: &'static str,
    pub colophon: &'static str,
    pub made: &'static str,
    pub leave: &'static str,
    pub why: &'static str,
    pub accessibility: &'static str,
    pub accessibility_pictured: &'static str,
    pub page_title: &'static str,
    pub cover: &'static str,
    pub names: &'static str,
    pub pages: &'static str,
    pub landmarks: &'static str,
    pub phone: &'static str,
    pub email: &'static str,
    pub web: &'static str,
    pub address: &'static str,
    pub colon: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grammar {
    Simplified,
    Traditional,
    English,
    /// Our words are English, for want of better; dates and names are told so that any reader knows them.
    Other,
}

/// The table for texts in `language`: Chinese in its two scripts, else English.
pub(super) fn of(language: &Language) -> &'static Words {
    let tag = language.as_str().to_ascii_lowercase();
    let traditional = ["hant", "tw", "hk", "mo"].iter().any(|subtag| tag.split('-').any(|s| s == *subtag));
    match language.primary().to_ascii_lowercase().as_str() {
        "zh" | "yue" | "wuu" if traditional => &TRADITIONAL,
        "zh" | "yue" | "wuu" => &SIMPLIFIED,
        "en" => &ENGLISH,
        _ => &OTHER,
    }
}

/// The direction of lines in `language`: `rtl` for the scripts that run from right to left.
pub(super) fn direction(language: &Language) -> &'static str {
    let tag = language.as_str().to_ascii_lowercase();
    let by_script = tag.split('-').any(|s| matches!(s, "arab" | "hebr" | "syrc" | "thaa" | "nkoo" | "adlm"));
    let by_language = matches!(
        tag.split('-').next().unwrap_or_default(),
        "ar" | "he" | "fa" | "ur" | "yi" | "ps" | "dv" | "ug" | "ckb" | "sd"
    );
    if by_script || (by_language && !tag.split('-').any(|s| s == "latn" || s == "cyrl")) {
        "rtl"
    } else {
        "ltr"
    }
}

impl Words {
    pub(super) fn is_chinese(&self) -> bool {
        matches!(self.grammar, Grammar::Simplified | Grammar::Traditional)
    }

    /// What stands between the titles of a list in one line.
    pub(super) fn semicolon(&self) -> &'static str {
        if self.is_chinese() { "；" } else { "; " }
    }

    /// A day in full, with its weekday.
    pub(super) fn date(&self, date: Date) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        let weekday = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs()) % 7;
        match self.grammar {
            Grammar::English => {
                format!(
                    "{}, {day} {} {year}",
                    DAYS[weekday],
                    MONTHS[usize::from(month.unsigned_abs() - 1) % 12]
                )
            }
            Grammar::Other => date.to_string(),
            _ => {
                let weekday = ["一", "二", "三", "四", "五", "六", "日"][weekday];
                format!("{year}年{month}月{day}日　星期{weekday}")
            }
        }
    }

    /// A month as a heading of an archive page.
    pub(super) fn month(&self, date: Date) -> String {
        match self.grammar {
            Grammar::English => MONTHS[usize::from(date.month().unsigned_abs() - 1) % 12].to_owned(),
            Grammar::Other => format!("{:04}-{:02}", date.year(), date.month()),
            _ => format!("{}月", date.month()),
        }
    }

    /// A year as a heading.
    pub(super) fn year(&self, year: i16) -> String {
        if self.is_chinese() { format!("{year}年") } else { year.to_string() }
    }

    /// A year's issues bound together.
    pub(super) fn volume(&self, year: i16) -> String {
        match self.grammar {
            Grammar::Simplified => format!("{year}年合订本"),
            Grammar::Traditional => format!("{year}年合訂本"),
            _ => year.to_string(),
        }
    }

    /// How many articles there are.
    pub(super) fn n_articles(&self, n: usize) -> String {
        match n {
            _ if self.is_chinese() => format!("{n} 篇文章"),
            1 => "1 article".to_owned(),
            _ => format!("{n} articles"),
        }
    }

    /// How many issues there are.
    pub(super) fn n_issues(&self, n: usize) -> String {
        match n {
            _ if self.is_chinese() => format!("{n} 期"),
            1 => "1 issue".to_owned(),
            _ => format!("{n} issues"),
        }
    }

    /// Where the articles are that a letter has no room for.
    pub(super) fn n_more(&self, n: usize) -> String {
        match self.grammar {
            Grammar::Simplified => format!("还有 {n} 篇，请到本期网页阅读"),
            Grammar::Traditional => format!("還有 {n} 篇，請到本期網頁閱讀"),
            _ => format!("{} more on the web page of this issue", self.n_articles(n)),
        }
    }

    /// The number of an issue as it is said: `217` becomes 第217期; what is said in words already stays.
    pub(super) fn number(&self, number: &str) -> String {
        let bare = number.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
        match self.grammar {
            _ if !bare => number.to_owned(),
            Grammar::Simplified | Grammar::Traditional => format!("第{number}期"),
            Grammar::English => format!("No. {number}"),
            Grammar::Other => format!("№ {number}"),
        }
    }

    /// The printed page as it is said: `3` becomes 第3版.
    pub(super) fn page(&self, page: &str) -> String {
        let bare = page.chars().all(|c| c.is_ascii_digit());
        match self.grammar {
            _ if !bare => page.to_owned(),
            Grammar::Simplified | Grammar::Traditional => format!("第{page}版"),
            Grammar::English => format!("page {page}"),
            Grammar::Other => format!("p. {page}"),
        }
    }

    /// That readers see another version than before, and from which day on.
    pub(super) fn correction(&self, version: u32, day: Date) -> String {
        let (y, m, d) = (day.year(), day.month(), day.day());
        match self.grammar {
            Grammar::Simplified => format!("更正：本期已于{y}年{m}月{d}日修订（第 {version} 稿）。"),
            Grammar::Traditional => format!("更正：本期已於{y}年{m}月{d}日修訂（第 {version} 稿）。"),
            _ => format!("Corrected on {} (version {version}).", self.date(day)),
        }
    }

    /// Names one after the other.
    pub(super) fn names<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> String {
        let names: Vec<&str> = names.into_iter().filter(|n| !n.trim().is_empty()).collect();
        match (self.grammar, names.as_slice()) {
            (Grammar::English, [firsts @ .., last]) if !firsts.is_empty() => {
                format!("{} and {last}", firsts.join(", "))
            }
            _ => names.join(if self.is_chinese() { "、" } else { ", " }),
        }
    }

    /// The line under a headline that says who made the article; empty when nobody is named.
    pub(super) fn byline(&self, article: &Article) -> String {
        let roles = [Role::Author, Role::Translator, Role::Photographer];
        let parts = roles.iter().filter_map(|&role| {
            let people: Vec<&Byline> =
                article.bylines.iter().filter(|b| b.role == role && !b.name.trim().is_empty()).collect();
            (!people.is_empty()).then(|| self.role(role, &self.people(&people)))
        });
        parts.collect::<Vec<_>>().join(if self.is_chinese() { "　" } else { "; " })
    }

    /// People with their offices; an office that several share in a row is named once, after the last.
    fn people(&self, people: &[&Byline]) -> String {
        let named: Vec<String> = people
            .iter()
            .enumerate()
            .map(|(n, person)| match &person.affiliation {
                Some(office) if people.get(n + 1).and_then(|p| p.affiliation.as_ref()) != Some(office) => {
                    if self.is_chinese() {
                        format!("{}（{office}）", person.name)
                    } else {
                        format!("{} ({office})", person.name)
                    }
                }
                _ => person.name.clone(),
            })
            .collect();
        self.names(named.iter().map(String::as_str))
    }

    fn role(&self, role: Role, people: &str) -> String {
        match (self.grammar, role) {
            (Grammar::English, Role::Author) => format!("By {people}"),
            (_, Role::Author) => people.to_owned(),
            (Grammar::Simplified, Role::Translator) => format!("译：{people}"),
            (Grammar::Simplified, Role::Photographer) => format!("摄影：{people}"),
            (Grammar::Traditional, Role::Translator) => format!("譯：{people}"),
            (Grammar::Traditional, Role::Photographer) => format!("攝影：{people}"),
            (_, Role::Translator) => format!("Translated by {people}"),
            (_, Role::Photographer) => format!("Photographs by {people}"),
        }
    }

    /// The label of a contact, such as `phone`; one we do not know is its own label.
    pub(super) fn contact_label<'a>(&self, key: &'a str) -> &'a str {
        match key {
            "phone" => self.phone,
            "email" => self.email,
            "web" => self.web,
            "address" => self.address,
            other => other,
        }
    }
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

static SIMPLIFIED: Words = Words {
    lang: "zh-Hans",
    grammar: Grammar::Simplified,
    contents: "目录",
    untitled: "无题",
    untitled_note: "编者未给标题，此处取正文首句",
    photographs: "图片说明",
    notes: "注释",
    table: "表格",
    previous: "上一篇",
    next: "下一篇",
    continued: "续",
    read_on: "阅读全文",
    read_online: "网页版",
    download: "下载电子书",
    book: "电子书",
    feed: "订阅源",
    books: "电子书",
    articles: "文章",
    whole_issue: "整期",
    own_page: "本文单页",
    follow: "如何订阅",
    follow_feed: "用阅读器订阅：把下面的地址添加到任何 RSS 阅读器，每期全文自动送达。",
    follow_book: "用电子书阅读器：下面的地址始终是最新一期的 EPUB。",
    follow_catalogue: "书目：在阅读器里添加 OPDS 书目，新一期会自动出现。",
    follow_more: "更多订阅源：",
    latest: "最新一期",
    recent: "近期",
    archive: "往期",
    home: "首页",
    nothing_yet: "还没有出版任何一期。",
    skip: "跳到正文",
    editors: "责编",
    publisher: "出版",
    rights: "版权",
    contact: "联系",
    colophon: "版权页",
    made: "本书由 gazetted 排印。",
    leave: "退订",
    why: "您收到这封信，是因为您订阅了它。",
    accessibility: "除封面外，本书全部内容为文字，有目录与导航，没有声音和脚本，可以放大和朗读。",
    accessibility_pictured: "本书有文字和图像，有目录与导航，没有声音和脚本，文字可以放大和朗读。",
    page_title: "书名页",
    cover: "封面",
    names: "人名索引",
    pages: "版面",
    landmarks: "导览",
    phone: "电话",
    email: "邮箱",
    web: "网址",
    address: "地址",
    colon: "：",
};

static TRADITIONAL: Words = Words {
    lang: "zh-Hant",
    grammar: Grammar::Traditional,
    contents: "目錄",
    untitled: "無題",
    untitled_note: "編者未給標題，此處取正文首句",
    photographs: "圖片說明",
    notes: "註釋",
    table: "表格",
    previous: "上一篇",
    next: "下一篇",
    continued: "續",
    read_on: "閱讀全文",
    read_online: "網頁版",
    download: "下載電子書",
    book: "電子書",
    feed: "訂閱源",
    books: "電子書",
    articles: "文章",
    whole_issue: "整期",
    own_page: "本文單頁",
    follow: "如何訂閱",
    follow_feed: "用閱讀器訂閱：把下面的地址加入任何 RSS 閱讀器，每期全文自動送達。",
    follow_book: "用電子書閱讀器：下面的地址始終是最新一期的 EPUB。",
    follow_catalogue: "書目：在閱讀器裡添加 OPDS 書目，新一期會自動出現。",
    follow_more: "更多訂閱源：",
    latest: "最新一期",
    recent: "近期",
    archive: "往期",
    home: "首頁",
    nothing_yet: "還沒有出版任何一期。",
    skip: "跳到正文",
    editors: "責編",
    publisher: "出版",
    rights: "版權",
    contact: "聯絡",
    colophon: "版權頁",
    made: "本書由 gazetted 排印。",
    leave: "退訂",
    why: "您收到這封信，是因為您訂閱了它。",
    accessibility: "除封面外，本書全部內容為文字，有目錄與導航，沒有聲音和程式，可以放大和朗讀。",
    accessibility_pictured: "本書有文字和圖像，有目錄與導航，沒有聲音和程式，文字可以放大和朗讀。",
    page_title: "書名頁",
    cover: "封面",
    names: "人名索引",
    pages: "版面",
    landmarks: "導覽",
    phone: "電話",
    email: "電郵",
    web: "網址",
    address: "地址",
    colon: "：",
};

static ENGLISH: Words = WORDS;
static OTHER: Words = Words { grammar: Grammar::Other, ..WORDS };

const WORDS: Words = Words {
    lang: "en",
    grammar: Grammar::English,
    contents: "Contents",
    untitled: "Untitled",
    untitled_note: "Untitled by its editor; these are its first words",
    photographs: "Captions",
    notes: "Notes",
    table: "Table",
    previous: "Previous",
    next: "Next",
    continued: "continued",
    read_on: "Read on",
    read_online: "Read online",
    download: "Download the e-book",
    book: "E-book",
    feed: "Feed",
    books: "Books",
    articles: "Articles",
    whole_issue: "The whole issue",
    own_page: "On its own page",
    follow: "How to follow",
    follow_feed: "In a feed reader: add this address to any RSS reader, and every issue comes in full.",
    follow_book: "On an e-reader: this address always holds the newest issue as an EPUB.",
    follow_catalogue: "Or add this catalogue (OPDS) to your e-reader: new issues appear in it by themselves.",
    follow_more: "More feeds:",
    latest: "Latest issue",
    recent: "Recent issues",
    archive: "Archive",
    home: "Front page",
    nothing_yet: "Nothing has been published yet.",
    skip: "Skip to the text",
    editors: "Edited by",
    publisher: "Published by",
    rights: "Rights",
    contact: "Contact",
    colophon: "Colophon",
    made: "This book was set by gazetted.",
    leave: "Unsubscribe",
    why: "You get this letter because you asked for it.",
    accessibility: "All of this book but its cover is text, with a table of contents and navigation; it has no sounds \
                    or scripts, and can be enlarged and read aloud.",
    accessibility_pictured: "This book has text and pictures, a table of contents and navigation; it has no sounds or \
                             scripts, and its text can be enlarged and read aloud.",
    page_title: "Title page",
    cover: "Cover",
    names: "Index of names",
    pages: "Pages",
    landmarks: "Landmarks",
    phone: "Phone",
    email: "E-mail",
    web: "Web",
    address: "Address",
    colon: ": ",
};

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        Language::parse(tag).expect("a language tag")
    }

    #[test]
    fn words_follow_the_language_and_its_script() {
        for (tag, lang) in [
            ("zh", "zh-Hans"),
            ("zh-CN", "zh-Hans"),
            ("zh-TW", "zh-Hant"),
            ("zh-Hant", "zh-Hant"),
            ("fr", "en"),
        ] {
            assert_eq!(of(&language(tag)).lang, lang, "{tag}");
        }
    }

    #[test]
    fn lines_run_from_right_to_left_where_they_should() {
        for (tag, dir) in
            [("ar", "rtl"), ("az-Arab", "rtl"), ("he-IL", "rtl"), ("ar-Latn", "ltr"), ("zh", "ltr")]
        {
            assert_eq!(direction(&language(tag)), dir, "{tag}");
        }
    }

    #[test]
    fn a_day_is_told_as_people_tell_it() {
        let day = jiff::civil::date(2025, 7, 9);
        assert_eq!(SIMPLIFIED.date(day), "2025年7月9日　星期三");
        assert_eq!(ENGLISH.date(day), "Wednesday, 9 July 2025");
        assert_eq!(OTHER.date(day), "2025-07-09");
    }

    #[test]
    fn people_of_one_office_share_its_name() {
        let person = |name: &str, office: Option<&str>| Byline {
            name: name.to_owned(),
            role: Role::Author,
            affiliation: office.map(str::to_owned),
        };
        let people = [person("甲", Some("大学")), person("乙", Some("大学")), person("丙", None)];
        assert_eq!(SIMPLIFIED.people(&people.iter().collect::<Vec<_>>()), "甲、乙（大学）、丙");
        assert_eq!(ENGLISH.people(&people.iter().collect::<Vec<_>>()), "甲, 乙 (大学) and 丙");
    }
}
