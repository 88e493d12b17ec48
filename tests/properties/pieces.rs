//! Text put together from pieces that bytes choose: a byte a piece, so that what a fuzzer changes stays small.

/// Bytes that choose pieces.
pub struct Pieces<'d> {
    rest: &'d [u8],
    /// What stands around every letter.
    around: [&'static str; 2],
}

impl<'d> Pieces<'d> {
    pub fn new(rest: &'d [u8]) -> Self {
        Self { rest, around: [""; 2] }
    }

    pub fn each_letter_in(self, before: &'static str, after: &'static str) -> Self {
        Self { around: [before, after], ..self }
    }

    /// The text of all bytes: those below the number of pieces are one, the others a letter or two.
    pub fn all(self, pieces: &[&str]) -> String {
        let mut text = String::new();
        for &byte in self.rest {
            if let Some(piece) = pieces.get(usize::from(byte)) {
                text.push_str(piece);
            } else {
                text.push_str(self.around[0]);
                text.push_str(letter(byte));
                text.push_str(self.around[1]);
            }
        }
        text
    }
}

/// A letter for a byte that is no piece: mostly Chinese, whose letters are in no tag and no entity.
pub fn letter(byte: u8) -> &'static str {
    let letters = ["一", "河", "桥", "的", "李", "水", "年", "月", "版", "灯", "渡", "写"];
    letters[usize::from(byte) % letters.len()]
}

/// Whether a text of pieces begins with what may be front matter, which is read and not kept.
pub fn has_front_matter(text: &str) -> bool {
    let start = text.trim_start();
    start.starts_with("---")
        || start.starts_with("+++")
        || start.lines().next().is_some_and(|line| line.contains(':'))
}

#[rustfmt::skip]
pub const PAGE: &[&str] = &[
    "\n", "\n\n", "\n  ", "\u{3000}\u{3000}", " ", "，", "。", "：", "、", "；", "“", "”", "（", "）", "《",
    "》", "—", "…", "# ", "## ", "### ", "**", "#", "*", "（原载", "《河畔日报》", "2025年1月8日", "第2版",
    "责编：", "记者", "文/", "图/", "本报记者 ", "李小雨", "王大桥", "赵小河 ", "主主办办：：", "星期四",
    "2版", "副 刊", "邮箱：a@example.org", "电话：", "摄", "图为", "一、", "（二）", "3. ", "第四章", "编辑 ",
    "来源：", "据", "选自", "作者", "系", "博士", "教授", "单位：", "By Ann Lee", "The ferry runs again. ",
    "words that go on ", "CHAPTER I", "*** START OF THE PROJECT GUTENBERG EBOOK X ***", "\nEND\n", "- ",
    "12\n", "a", "A", "Z.", "\t", "\u{2028}", "\u{0}", "\u{feff}", "\u{fffd}", "\u{202e}", "é", "한국", "の",
    "U+0041 × 1", "？", "！", "\"", "'",
    "\n\n桥边的灯\n\n李小雨\n\n桥边的灯亮了三十年，守灯的人换了三代，没有一天熄滅过。\n\n", "\n\n渡口\n\n",
    "桥边的灯亮了三十年，守灯的人换了三代。\n",
];

#[rustfmt::skip]
pub const MARKDOWN: &[&str] = &[
    "\n", "\n\n", "\n# ", "\n## ", "\n> ", "\n- ", "\n1. ", "\n    ", "\n```\n", "\n~~~\n", "\n---\n",
    "\n===\n", "*", "**", "_", "~~", "`", "``", "[", "]", "](https://example.org/)", "](/x.md)", "![",
    "](a.png)", "[^1]", "\n[^1]: ", "[^2]", "\n[^2]: ", "|", "\n|-|-|\n", "\\", "<", ">", "<b>", "</b>",
    "<br>", "<div>\n", "\n</div>\n\n", "<script>", "</script>", "<!--", "-->", "&amp;", "&lt;", "&nbsp;", "(",
    ")", "!", " ", "  \n", "，", "。", "“", "”", "：", "\t", "\u{3000}", "a", "B ", "7",
    "https://example.org/a", "<https://example.org/>", "li@example.org", "\n\n*李小雨*\n\n",
    "（原载《河畔日报》2025年1月1日 第2版）", "By Ann Lee", "\n###### ", "\n+ ", "\n2) ", "\n  - ",
    "\n[a]: /x\n\n", "[a]", "\u{0}", "\u{202e}", "<style>", "</style>", "<template>", "<?", "?>", "<![CDATA[",
    "]]>", "~", "é", "한", "***", "{{ x }}", "{%",
];

#[rustfmt::skip]
pub const HTML: &[&str] = &[
    "\n", " ", "<p>", "</p>", "<div>", "</div>", "<h1>", "</h1>", "<h2>", "</h2>", "<h3>", "<b>", "</b>",
    "<i>", "</i>", "<em>", "</em>", "<a href=\"https://example.org/\">", "</a>", "<a href=\"#n1\">",
    "<a href='javascript:alert(1)'>", "<a id=\"n1\">", "<br>", "<hr>", "<ul>", "</ul>", "<ol start=3>",
    "</ol>", "<li>", "</li>", "<li id=\"n1\">", "<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>",
    "<th>", "<td colspan=5>", "<td colspan=9999999>", "<pre>", "</pre>", "<code>", "</code>", "<blockquote>",
    "</blockquote>", "<aside epub:type=\"footnote\" id=\"n1\">", "</aside>", "<div class=footnotes>",
    "<p id=n2 class=footnote>", "<a href=\"#n2\">1</a>", "<script>", "</script>", "<style>", "</style>",
    "<!-- ", " -->", "<title>", "</title>", "<p hidden>", "<p style='display: none'>",
    "<img src=\"a.png\" alt=\"x\">", "<img src=\"https://example.org/a.png\">",
    "<img src=\"data:,x\" width=1>", "<iframe src=\"https://example.org/\">", "</iframe>", "<video src=x>",
    "</video>", "<svg>", "</svg>", "<nav>", "</nav>", "<select>", "<option>", "</select>", "<textarea>",
    "</textarea>", "<html lang=\"en\">", "<body>", "</body>", "<meta name=\"date\" content=\"2025-07-09\">",
    "<meta name=author content='A, B'>", "<meta name=description content='x'>", "<template>", "</template>",
    "<noscript>", "</noscript>", "<plaintext>", "<xmp>", "</xmp>", "<sup>", "</sup>", "<span class=pagenum>",
    "</span>", "<p/>", "<br/>", "</br>", "<s>", "</s>", "<x-y>", "</x-y>", "&amp;", "&lt;", "&#65;", "&nbsp;",
    "，", "。", "“", "1", "[1]", "a", "By Ann Lee", "\u{0}", "*** START OF THE PROJECT GUTENBERG EBOOK X ***",
    "*** END OF THE PROJECT GUTENBERG EBOOK X ***", "<![CDATA[", "]]>", "<dl>", "<dt>", "<dd>", "<caption>",
    "<form>", "<button>", "</button>", "<object>", "</object>", "<p title=\"a>b\">",
    "（原载《河畔日报》2025年1月1日 第2版）",
];

#[rustfmt::skip]
pub const DOCX: &[&str] = &[
    "<w:p>", "</w:p>", "<w:p/>", "<w:r><w:t>桥</w:t></w:r>",
    "<w:r><w:t xml:space=\"preserve\"> 河 </w:t></w:r>", "<w:r><w:rPr><w:b/></w:rPr><w:t>灯</w:t></w:r>",
    "<w:r><w:rPr><w:i/><w:strike/></w:rPr><w:t>渡</w:t></w:r>",
    "<w:r><w:rPr><w:vanish/></w:rPr><w:t>写</w:t></w:r>",
    "<w:del><w:r><w:delText>月</w:delText></w:r></w:del>", "<w:pPr><w:pStyle w:val=\"1\"/></w:pPr>",
    "<w:pPr><w:pStyle w:val=\"Heading2\"/></w:pPr>", "<w:pPr><w:pStyle w:val=\"Title\"/></w:pPr>",
    "<w:pPr><w:pStyle w:val=\"Quote\"/></w:pPr>", "<w:pPr><w:outlineLvl w:val=\"0\"/></w:pPr>",
    "<w:pPr><w:numPr><w:ilvl w:val=\"0\"/><w:numId w:val=\"3\"/></w:numPr></w:pPr>",
    "<w:pPr><w:numPr><w:ilvl w:val=\"7\"/><w:numId w:val=\"4\"/></w:numPr></w:pPr>", "<w:tbl>", "</w:tbl>",
    "<w:tr>", "</w:tr>", "<w:tc>", "</w:tc>", "<w:hyperlink r:id=\"r1\">", "<w:hyperlink r:id=\"r2\">",
    "</w:hyperlink>", "<w:r><w:footnoteReference w:id=\"2\"/></w:r>", "<w:r><w:br/></w:r>",
    "<w:r><w:tab/></w:r>", "<w:drawing><wp:docPr name=\"x\" descr=\"y\"/></w:drawing>", "<w:txbxContent>",
    "</w:txbxContent>", "<w:r><w:t>&lt;b&gt;</w:t></w:r>",
    "<w:r><w:t>（原载《河畔日报》2025年1月1日 第2版）</w:t></w:r>", "<w:r><w:t>李小雨</w:t></w:r>",
    "<w:r><w:t>水年，桥边的灯亮了三十年，守灯的人换了三代。</w:t></w:r>", "<w:footnote w:id=\"2\">",
    "</w:footnote>", "<w:r><w:t>a b. </w:t></w:r>", "<w:r><w:t>&#x202e;</w:t></w:r>",
    "<w:r><w:t># </w:t></w:r>", "<w:sdt>", "</w:sdt>", "<!-- x -->", "<w:r>", "</w:r>", "<w:rPr>", "</w:rPr>",
    "<w:b/>",
];

pub const PROOF_HEADER: &str =
    "---\nissue: 2025-07-09\nlanguage: zh-Hans\nmanuscript: 00ff\n---\n# 桥边的灯\n";

#[rustfmt::skip]
pub const PROOF: &[&str] = &[
    "\n", "\n\n", "---\n", "issue: a\n", "language: en\n", "manuscript: 00\n", "reading: 0\n", "title: ",
    "number: 7\n", "date: 2025-07-09\n", "page: ", "section: ", "summary: ", "editors:\n", "- a\n",
    "contact:\n", "  email: b\n", "# ", "# Not used\n", "## ", "### ", "author: ", "photographer: ",
    "translator: ", "affiliation: ", "source: ", "source-name: ", "source-date: ", "source-page: ",
    "caption: ", "kicker: ", "dek: ", "key: ", "{? cut-tail #1: x}", "{? odd-quotes #2: “ (line 3)}", "{?",
    "}", "{", "{made up}", "*", "**", "_", "~~", "`", "```\n", "````", "[", "](https://example.org/)", "]",
    "(", ")", "[^1]", "[^1]: ", "[^2]: ", "> ", ">", "- ", "1. ", "12) ", "    ", "  ", "\t", "|", "|-|-|\n",
    "| a | b |\n", "\\", "\\|", "<", "<br>", "<!---->", "&", "&amp;", "&#10;", "&#0;", "&nbsp;", "![",
    "![x](goose-1.jpg)\n", "~", "***\n", "：", "\"", "'", "\u{3000}", "\u{2028}", "\u{0}", "\u{feff}", "\r\n",
    "\r", "a", "7", "，", "“", "”",
];
