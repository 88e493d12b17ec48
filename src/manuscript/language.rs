//! Which language a text is written in, as a tag of BCP 47.

use std::collections::HashMap;

use crate::{issue::Article, prose, prose::Language, typography};

/// Characters that are written in two ways: the traditional form, then the simplified one. The most frequent of
/// those that differ; a text of a few sentences holds several of them.
const TWO_FORMS: &str = "個个們们來来這这說说國国時时會会對对學学經经過过發发後后為为實实現现與与關关開开見见長长東东車车電电\
話话業业產产動动務务員员報报頭头題题總总機机處处從从應应還还進进體体樣样點点無无萬万書书門门問问間间馬马\
記记認认識识論论議议許许設设計计語语讀读課课請请該该調调親亲觀观覺觉視视氣气漢汉準准濟济滿满灣湾災灾\
爺爷愛爱團团圖图圓圆場场塊块報报壓压聲声備备傳传傷伤債债價价億亿優优兒儿兩两農农軍军區区協协單单\
師师帶带幣币幫帮廣广廠厂廳厅庫库強强張张當当錄录徵征態态慶庆憶忆懷怀戰战戲戏戶户據据擔担擁拥擇择\
擊击數数斷断舊旧晉晋暫暂曉晓術术條条極极構构槍枪權权歡欢歲岁歷历殺杀層层屬属濃浓營营獎奖獨独獲获環环\
畫画療疗監监盤盘礎础禮礼種种積积穩稳窮穷競竞筆笔節节範范築筑簡简糧粮紀纪約约級级純纯紙纸統统給给結结\
絕绝網网維维線线練练縣县縮缩織织繼继續续置置義义習习職职聯联聖圣腦脑臉脸舉举艦舰藝艺節节華华葉叶藍蓝\
蘭兰號号蟲虫補补裝装複复規规覽览訂订訊讯訓训詩诗詞词誌志謝谢護护變变讓让豐丰財财責责貨货貧贫貴贵買买費费\
資资質质賣卖賽赛贊赞趙赵跡迹轉转輕轻輛辆輸输辦办邊边遊游運运達达違违遠远適适選选遺遗鄉乡鄰邻醫医針针\
銀银鋼钢錢钱鐵铁鎮镇長长閱阅陣阵陽阳陳陈階阶際际隊队隨随險险雖虽雙双雜杂離离難难雲云靈灵靜静響响項项\
順顺須须預预領领願愿類类風风飛飞飯饭館馆驗验驚惊髮发魚鱼鳥鸟麗丽黃黄黨党齊齐齒齿龍龙龜龟";

/// The simplified form of a traditional character, and any other as it is. A masthead is often written in the old
/// forms by a calligrapher while the page below it is not.
pub(super) fn simplified(c: char) -> char {
    let mut forms = TWO_FORMS.chars();
    while let (Some(old), Some(new)) = (forms.next(), forms.next()) {
        if old == c {
            return new;
        }
    }
    c
}

/// As many characters as tell a language surely.
const SAMPLE: usize = 4000;

/// Fewer letters than this tell nothing: a headline and a name.
const MIN_LETTERS: usize = 60;

/// The language of the articles, or `usual` when they are short or in doubt. Where the text only confirms `usual`,
/// that tag stays as it is (`en-GB`).
pub(super) fn of(articles: &[Article], usual: &Language) -> Language {
    let mut sample = String::new();
    let mut left = SAMPLE;
    for block in articles.iter().flat_map(|article| &article.body) {
        let text = prose::plain_blocks(std::slice::from_ref(block));
        let taken: String = text.chars().take(left).collect();
        left -= taken.chars().count();
        sample.push_str(&taken);
        sample.push('\n');
        if left == 0 {
            break;
        }
    }
    of_text(&sample, usual)
}

fn of_text(sample: &str, usual: &Language) -> Language {
    let letters = sample.chars().filter(|c| c.is_alphabetic()).count();
    let wide = sample.chars().filter(|&c| typography::is_han(c)).count();
    if letters + wide < MIN_LETTERS {
        return usual.clone();
    }
    let Some(info) = whatlang::detect(sample).filter(whatlang::Info::is_reliable) else {
        return usual.clone();
    };
    let tag = if info.lang() == whatlang::Lang::Cmn { script(sample, usual) } else { tag(info.lang()) };
    let Some(found) = tag.and_then(Language::parse) else { return usual.clone() };
    let same = found.primary() == usual.primary() && (found.primary() != "zh" || usual_script(usual) == tag);
    if same { usual.clone() } else { found }
}

/// `zh-Hans` or `zh-Hant` by the characters that differ; `zh` when there are none of them.
fn script(sample: &str, usual: &Language) -> Option<&'static str> {
    let (mut traditional, mut simplified) = (0_usize, 0_usize);
    let mut counts: HashMap<char, usize> = HashMap::new();
    for c in sample.chars() {
        *counts.entry(c).or_default() += 1;
    }
    let mut forms = TWO_FORMS.chars();
    while let (Some(old), Some(new)) = (forms.next(), forms.next()) {
        if old != new {
            traditional += counts.get(&old).copied().unwrap_or(0);
            simplified += counts.get(&new).copied().unwrap_or(0);
        }
    }
    match traditional.cmp(&simplified) {
        std::cmp::Ordering::Greater => Some("zh-Hant"),
        std::cmp::Ordering::Less => Some("zh-Hans"),
        std::cmp::Ordering::Equal => usual_script(usual).or(Some("zh")),
    }
}

fn usual_script(usual: &Language) -> Option<&'static str> {
    let tag = usual.as_str().to_ascii_lowercase();
    let has = |subtags: &[&str]| tag.split('-').skip(1).any(|subtag| subtags.contains(&subtag));
    if usual.primary() != "zh" {
        None
    } else if has(&["hans", "cn", "sg"]) {
        Some("zh-Hans")
    } else if has(&["hant", "tw", "hk", "mo"]) {
        Some("zh-Hant")
    } else {
        None
    }
}

fn tag(lang: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang;
    Some(match lang {
        Lang::Eng => "en",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Deu => "de",
        Lang::Fra => "fr",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Ita => "it",
        Lang::Nld => "nl",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Slk => "sk",
        Lang::Swe => "sv",
        Lang::Nob => "nb",
        Lang::Dan => "da",
        Lang::Fin => "fi",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Bul => "bg",
        Lang::Ell => "el",
        Lang::Tur => "tr",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Pes => "fa",
        Lang::Hin => "hi",
        Lang::Ben => "bn",
        Lang::Tha => "th",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        Lang::Cat => "ca",
        Lang::Hrv => "hr",
        Lang::Srp => "sr",
        Lang::Slv => "sl",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Est => "et",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, usual: &str, expected: &str) {
        let usual = Language::parse(usual).expect("a language tag");
        assert_eq!(of_text(&text.repeat(4), &usual).as_str(), expected, "{text}");
    }

    #[test]
    fn a_language_is_known_by_its_text() {
        check("县图书馆这个夏天开了一间不收费的自习室，学生们从早到晚都在读书。", "en", "zh-Hans");
        check("縣圖書館這個夏天開了一間不收費的自習室，學生們從早到晚都在讀書。", "zh-Hans", "zh-Hant");
        check("县图书馆这个夏天开了一间不收费的自习室，学生们从早到晚都在读书。", "zh-CN", "zh-CN");
        check("The library opened a new reading room this summer, and it is free.", "en-GB", "en-GB");
        check("Die Bücherei hat in diesem Sommer einen neuen Lesesaal eröffnet.", "zh", "de");
        check("この夏、図書館は新しい読書室を開きました。みんなが本を読んでいます。", "zh", "ja");
        check("이번 여름 도서관은 새로운 열람실을 열었습니다. 모두 책을 읽고 있습니다.", "zh", "ko");
        check("hi", "fr", "fr");
    }

    #[test]
    fn a_masthead_is_read_in_the_forms_of_its_page() {
        assert_eq!("求 實".chars().map(simplified).collect::<String>(), "求 实");
    }

    /// The text of a Markdown body as readers see it, its stress as `<…>`, its strong stress as `{…}`.
    fn shown(text: &str) -> String {
        use super::super::{open, read, tests::publication};
        fn push(runs: &[prose::Inline], out: &mut String) {
            for run in runs {
                let (open, text, close) = match run {
                    prose::Inline::Text { text } | prose::Inline::Code { text } => {
                        out.push_str(text);
                        continue;
                    }
                    prose::Inline::Emphasis { text } => ('<', text, '>'),
                    prose::Inline::Strong { text } => ('{', text, '}'),
                    prose::Inline::Struck { text } => ('~', text, '~'),
                    prose::Inline::Link { text, .. } => ('(', text, ')'),
                    prose::Inline::Note { .. } | prose::Inline::Picture { .. } | prose::Inline::Break => {
                        continue;
                    }
                };
                out.push(open);
                push(text, out);
                out.push(close);
            }
        }
        let text = format!("# T\n\n{text}\n");
        let proof = read(&open("a.md", text.as_bytes()).expect("a text"), &publication());
        let mut out = String::new();
        for block in &proof.issue.articles[0].body {
            if let prose::Block::Paragraph { text } = block {
                push(text, &mut out);
            }
        }
        out
    }

    #[test]
    fn stress_and_lines_of_every_script_come_out_as_meant() {
        let cases = [
            // Stress beside the marks of Chinese and Japanese, after commonmark-spec issue 650.
            ("**“十四五”以来，**我市", "{“十四五”以来，}我市"),
            ("这是**重点。**后面", "这是{重点。}后面"),
            ("他说**“是”**了", "他说{“是”}了"),
            ("**《河》**和**《桥》**", "{《河》}和{《桥》}"),
            ("看*（注）*吧", "看<（注）>吧"),
            ("**（一）**总则", "{（一）}总则"),
            ("~~旧。~~新", "~旧。~新"),
            ("***都重。***后", "<{都重。}>后"),
            ("**「はい」**と言う", "{「はい」}と言う"),
            ("これは**強調。**です", "これは{強調。}です"),
            ("**다리(橋)**는", "{다리(橋)}는"),
            ("**[河](https://e.org/)**水", "{(河)}水"),
            ("在**A**与**B**间", "在{A}与{B}间"),
            ("a*b*c", "a<b>c"),
            ("2 * 3 * 4", "2 * 3 * 4"),
            ("a_b_c", "a_b_c"),
            // Lines that join.
            ("河水\n流过", "河水流过"),
            ("河水，\n流过", "河水，流过"),
            ("他说：\n“好”", "他说：“好”"),
            ("有\nRust\n的", "有Rust的"),
            ("共\n30\n人", "共30人"),
            ("橋の\nあかり", "橋のあかり"),
            ("カタ\nカナ", "カタカナ"),
            ("다리의\n등불", "다리의 등불"),
            ("등불은\nRust", "등불은 Rust"),
            ("the ferry\nruns", "the ferry runs"),
            ("**河水**\n**流过**", "{河水}{流过}"),
            ("河水\n**流过**", "河水{流过}"),
            ("ferry\n**runs**", "ferry {runs}"),
            ("מים\nזורמים", "מים זורמים"),
            ("الماء\nيجري", "الماء يجري"),
            ("มาก\nมาย", "มาก มาย"),
        ];
        let found: Vec<(&str, String)> = cases.iter().map(|(text, _)| (*text, shown(text))).collect();
        let expected: Vec<(&str, String)> =
            cases.iter().map(|(text, shown)| (*text, (*shown).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn issues_from_right_to_left_and_in_hangul_keep_their_words() {
        use super::super::{open, read, tests::publication};
        let issues = [
            (
                "ar",
                "# مصباح الجسر\n\nبقلم ليلى\n\nظل مصباح الجسر مضاءً ثلاثين عامًا، وتغير حراسه\nثلاث مرات، ولم يتغير النهر.\n\n# العبّارة\n\nلم تعد العبّارة تنقل أحدًا، لكنها ما زالت هناك.\n",
                "وتغير حراسه ثلاث مرات",
            ),
            (
                "he",
                "# המנורה שעל הגשר\n\nהמנורה שעל הגשר דולקת כבר שלושים שנה, ושומריה\nהתחלפו שלוש פעמים, אבל הנהר לא השתנה.\n\n# המעבורת\n\nהמעבורת אינה מעבירה עוד איש, אך היא עדיין שם.\n",
                "ושומריה התחלפו",
            ),
            (
                "ko",
                "# 다리의 등불\n\n다리의 등불은 삼십 년 동안 매일 밤 켜져 있었습니다. 등불을 지키는\n사람은 세 번 바뀌었지만 강은 바뀌지 않았습니다.\n\n# 나룻배\n\n나룻배는 이제 아무도 건네지 않지만 아직 거기 있습니다.\n",
                "지키는 사람은",
            ),
        ];
        for (tag, text, words) in issues {
            let proof = read(&open("7.md", text.as_bytes()).expect("a text"), &publication());
            assert_eq!(proof.issue.language.as_str(), tag);
            assert_eq!(proof.issue.articles.len(), 2, "{tag}");
            assert!(prose::plain_blocks(&proof.issue.articles[0].body).contains(words), "{tag}");
            let html = format!("<html lang=\"{tag}\"><h1>{tag}</h1><p>{words}</p></html>");
            let proof = read(&open("7.html", html.as_bytes()).expect("a text"), &publication());
            assert_eq!(
                (proof.issue.language.as_str(), proof.issue.articles[0].body[0].plain()),
                (tag, words.to_owned())
            );
        }
    }
}
