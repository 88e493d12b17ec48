//! Who wrote an article: lines of names, with the labels, offices and marks that newspapers put before them.

use super::lexicon::Lexicon;
use crate::{issue::Byline, issue::Role, typography};

/// Chinese surnames of one character: those of the Hundred Family Surnames and of later census lists, without the
/// rare ones that are everyday words (能, 从, 家, 全, 后, 通, 利, 时 …). The traditional forms follow.
const SURNAMES: &str = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛奚范彭郎鲁韦昌马苗凤\
方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于傅皮卞齐康伍余元卜顾孟平黄穆萧尹姚邵湛汪祁毛禹狄米贝明臧\
伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫\
房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉钮龚程嵇邢裴陆荣翁荀惠甄曲封芮羿储靳邴糜松井段富巫乌焦巴弓牧隗山谷车侯\
宓蓬郗班仰秋仲伊宫宁仇栾甘厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰鄂索咸籍赖卓蔺屠蒙池乔阴胥苍闻莘翟谭\
贡劳逄姬申冉宰郦雍璩桑桂濮牛寿边扈燕冀郏浦尚农温庄晏柴瞿阎慕连茹习宦艾鱼古易慎戈廖庾终暨衡耿弘匡文寇禄阙沃蔚隆\
师巩厍聂晁勾敖融冷訾辛阚那简饶曾沙乜鞠丰巢关蒯查荆游竺权逯盖桓肖付尉邸代闫苟覃麦岳帅缑亢况琴苑植冼尧仝佘佟兰\
原党占楚涂鄢靖宾粟谌揭禚庹向欧\
趙錢孫吳鄭馮陳衛蔣楊許呂張嚴華謝鄒蘇韋馬龐紀項藍賈婁顏鍾駱萬盧鄧龔陸榮劉葉龍黎賴喬聞譚莊閻連習蕭湯羅齊黃";

/// Surnames of two characters.
const COMPOUND_SURNAMES: [&str; 22] = [
    "欧阳", "歐陽", "司马", "司馬", "上官", "诸葛", "諸葛", "司徒", "东方", "慕容", "尉迟", "皇甫", "令狐",
    "端木", "公孙", "公孫", "轩辕", "夏侯", "长孙", "宇文", "南宫", "独孤",
];

/// Words of two or three characters that begin like a name and are none.
const NO_NAMES: [&str; 62] = [
    "高度",
    "高质量",
    "高效",
    "高端",
    "方法",
    "方向",
    "方案",
    "方面",
    "温度",
    "安全",
    "成果",
    "成效",
    "成绩",
    "常态",
    "金句",
    "江河",
    "简讯",
    "华章",
    "于是",
    "向上",
    "向前",
    "来信",
    "来稿",
    "来源",
    "关键",
    "关于",
    "关注",
    "经验",
    "文化",
    "文明",
    "文摘",
    "文学",
    "平安",
    "平台",
    "解读",
    "解析",
    "应急",
    "强国",
    "党建",
    "党课",
    "党员",
    "明天",
    "农业",
    "农村",
    "连载",
    "连线",
    "原因",
    "原则",
    "海外",
    "海报",
    "查询",
    "谈心",
    "单位",
    "管理",
    "支持",
    "明白人",
    "贴心人",
    "文化人",
    "农家乐",
    "余音",
    "路径",
    "车间",
];

/// Characters that do not end or fill a given name.
const NOT_IN_NAMES: &str = "的了是不在和与之为们这那者版页期第题性化率量吗呢吧啊么";

/// How the name of an office, a school or a company ends.
const OFFICES: [&str; 47] = [
    "党校",
    "学院",
    "大学",
    "中学",
    "小学",
    "学校",
    "研究院",
    "研究所",
    "研究会",
    "局",
    "委",
    "部",
    "院",
    "所",
    "中心",
    "公司",
    "集团",
    "办",
    "办公室",
    "会",
    "社",
    "医院",
    "政府",
    "银行",
    "法院",
    "检察院",
    "图书馆",
    "博物馆",
    "文化馆",
    "馆",
    "站",
    "厅",
    "处",
    "支队",
    "大队",
    "协会",
    "县",
    "市",
    "区",
    "乡",
    "镇",
    "村",
    "街道",
    "社区",
    "工作室",
    "编辑部",
    "報社",
];

/// Labels before names, the longer before the shorter, and the role they give.
const LABELS: [(&str, Role); 34] = [
    ("特约记者", Role::Author),
    ("实习记者", Role::Author),
    ("本报记者", Role::Author),
    ("本刊记者", Role::Author),
    ("全媒体记者", Role::Author),
    ("本报通讯员", Role::Author),
    ("特约通讯员", Role::Author),
    ("通讯员", Role::Author),
    ("特约撰稿", Role::Author),
    ("记者", Role::Author),
    ("記者", Role::Author),
    ("作者", Role::Author),
    ("撰文", Role::Author),
    ("撰稿", Role::Author),
    ("文图", Role::Author),
    ("图文", Role::Author),
    ("文并图", Role::Author),
    ("摄影", Role::Photographer),
    ("攝影", Role::Photographer),
    ("摄", Role::Photographer),
    ("图片", Role::Photographer),
    ("编译", Role::Translator),
    ("翻译", Role::Translator),
    ("译者", Role::Translator),
    ("译", Role::Translator),
    ("文", Role::Author),
    ("图", Role::Photographer),
    ("圖", Role::Photographer),
    ("口述", Role::Author),
    ("整理", Role::Author),
    ("采写", Role::Author),
    ("Text", Role::Author),
    ("Words", Role::Author),
    ("Photos", Role::Photographer),
];

/// Marks that newspapers print before a name.
const ORNAMENTS: &str = "□■◎●○◆◇▲△※★☆";

/// The longest byline in characters: an office and four names.
const MAX_CHARACTERS: usize = 60;

/// Whether the text is a person's name: two or three Han characters after a known surname, up to four after a
/// surname of two, or a name with a middle dot (买买提·艾力).
pub(super) fn is_name(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    if !(2..=12).contains(&characters.len()) || characters.iter().any(|&c| !typography::is_han(c) && c != '·')
    {
        return false;
    }
    if NO_NAMES.contains(&text) || characters.iter().any(|&c| NOT_IN_NAMES.contains(c)) {
        return false;
    }
    if characters.contains(&'·') {
        return text.split('·').all(|part| (2..=5).contains(&part.chars().count()));
    }
    let compound = COMPOUND_SURNAMES.iter().any(|surname| text.starts_with(surname));
    match characters.len() {
        2 | 3 if compound => true,
        2 | 3 => SURNAMES.contains(characters[0]),
        4 => compound,
        _ => false,
    }
}

/// Whether a line ends with a person's name behind a word of whom it is, such as `南巷居民 赵德全`.
pub(super) fn ends_with_name(line: &str) -> bool {
    line.split_whitespace().skip(1).last().is_some_and(is_name)
}

fn is_office(text: &str) -> bool {
    let length = text.chars().count();
    (3..=24).contains(&length)
        && OFFICES.iter().any(|ending| text.ends_with(ending))
        && text.chars().all(|c| c.is_alphanumeric() || c == '·')
}

/// The people that a line names, or `None` when it is no byline.
pub(super) fn parse(line: &str) -> Option<Vec<Byline>> {
    parse_with(line, &Lexicon::default())
}

/// As [`parse`], where the names and offices of a lexicon are known as well.
pub(super) fn parse_with(line: &str, lexicon: &Lexicon) -> Option<Vec<Byline>> {
    let line = line.trim();
    if line.is_empty() || line.chars().count() > MAX_CHARACTERS {
        return None;
    }
    let line = line.trim_start_matches(|c: char| ORNAMENTS.contains(c) || c.is_whitespace());
    if let Some(names) = latin(line) {
        return Some(names);
    }
    if lexicon.is_author(line) && !is_name(line) {
        return Some(vec![Byline { name: line.to_owned(), role: Role::Author, affiliation: None }]);
    }
    let bracketed = line.strip_prefix(['（', '(']).and_then(|inner| inner.strip_suffix(['）', ')']));
    let mut reading =
        Reading { lexicon, role: Role::Author, office: None, labelled: false, found: Vec::new() };
    let mut surname: Option<&str> = None;
    let spread = bracketed.unwrap_or(line).replace(['、', '，', ',', ';', '；', '&'], " 、 ");
    for token in spread.split_whitespace() {
        if token == "、" {
            // A surname and a given name have a space between them, no comma.
            if surname.is_some() {
                return None;
            }
            continue;
        }
        // 张 宇: a name of two characters is set with a space, to be as wide as one of three.
        if let Some(first) = surname.take() {
            let name = format!("{first}{token}");
            if token.chars().count() <= 2 && reading.is_name(&name) {
                reading.add(&name);
                continue;
            }
            return None;
        }
        if token.chars().count() == 1 && SURNAMES.contains(token) && !reading.ends_with_label(token) {
            surname = Some(token);
            continue;
        }
        reading.token(token)?;
    }
    if surname.is_some() || reading.found.is_empty() {
        return None;
    }
    let most = if reading.labelled { 8 } else { 4 };
    if reading.found.len() > most || (bracketed.is_some() && !reading.labelled) {
        return None;
    }
    if let Some(office) = reading.office
        && reading.found.iter().all(|byline| byline.affiliation.is_none())
    {
        // 李雨 河畔县图书馆: the office stands behind the name.
        reading.found.iter_mut().for_each(|byline| byline.affiliation = Some(office.clone()));
    }
    Some(reading.found)
}

struct Reading<'l> {
    lexicon: &'l Lexicon,
    role: Role,
    office: Option<String>,
    labelled: bool,
    found: Vec<Byline>,
}

impl Reading<'_> {
    fn is_name(&self, text: &str) -> bool {
        is_name(text) || self.lexicon.is_author(text)
    }

    fn add(&mut self, name: &str) {
        let byline = Byline { name: name.to_owned(), role: self.role, affiliation: self.office.clone() };
        self.found.push(byline);
    }

    /// Whether the token stands after a name and tells what it did: `张三 摄`.
    fn ends_with_label(&self, token: &str) -> bool {
        !self.found.is_empty() && matches!(token, "摄" | "文" | "图" | "译")
    }

    fn token(&mut self, token: &str) -> Option<()> {
        if self.ends_with_label(token) {
            let role = LABELS.iter().find(|(label, _)| *label == token).map(|(_, role)| *role)?;
            if let Some(last) = self.found.last_mut() {
                last.role = role;
            }
            self.labelled = true;
            return Some(());
        }
        if self.is_name(token) {
            self.add(token);
            return Some(());
        }
        let rest = self.strip_labels(token);
        if rest.is_empty() {
            return Some(());
        }
        if self.is_name(rest) {
            self.add(rest);
        } else if is_office(rest) || self.lexicon.is_affiliation(rest) {
            self.office = Some(rest.to_owned());
        } else if let Some((name, label)) = rest.split_once(['/', '／'])
            && self.is_name(name)
            && matches!(label, "文" | "图" | "摄" | "文图")
        {
            self.labelled = true;
            self.role = if label.starts_with('文') { Role::Author } else { Role::Photographer };
            self.add(name);
        } else {
            return None;
        }
        Some(())
    }

    /// `文/记者` and the like, taken off the front of a token. A label of one character counts only with its mark.
    fn strip_labels<'t>(&mut self, token: &'t str) -> &'t str {
        let mut rest = token;
        'labels: loop {
            for (label, role) in LABELS {
                let Some(after) = rest.strip_prefix(label) else { continue };
                let marked = after.trim_start_matches(['/', '／', '|', '｜', '：', ':', '丨']);
                let short = label.chars().count() == 1;
                if short && marked.len() == after.len() && !after.is_empty() {
                    continue;
                }
                if short && after.is_empty() && self.found.is_empty() {
                    continue;
                }
                // 文/记者: the trade of the second label does not undo the role of the first.
                let trade = matches!(label, "记者" | "通讯员" | "記者");
                if !(trade && self.labelled && rest.len() < token.len()) {
                    self.role = role;
                }
                self.labelled = true;
                rest = marked;
                continue 'labels;
            }
            return rest;
        }
    }
}

/// `By JANE DOE and John Roe`: one to five capitalised words a name, or a name in Chinese letters; no sentence.
fn latin(line: &str) -> Option<Vec<Byline>> {
    let names =
        ["By ", "BY ", "by ", "Von ", "Par ", "Por ", "Di "].iter().find_map(|by| line.strip_prefix(by))?;
    // BY JANE DOE, Author of "The Bell," etc.
    let works = names.to_ascii_lowercase().find(", author of");
    let names = works.map_or(names, |works| &names[..works]);
    let mut found = Vec::new();
    for name in names.replace(" and ", ",").replace(" & ", ",").split([',', '、', '，']) {
        let words: Vec<&str> = name.split_whitespace().collect();
        let is_word = |word: &&str| {
            let lower = matches!(
                *word,
                "de" | "da" | "di" | "van" | "von" | "der" | "den" | "la" | "le" | "du" | "bin" | "al"
            );
            lower
                || (word.starts_with(char::is_uppercase)
                    && word.chars().all(|c| c.is_alphabetic() || "-'’.".contains(c)))
        };
        let stops = words.last().is_some_and(|word| word.ends_with('.') && word.chars().count() > 3);
        // 王 伟: a name of two characters may be set with a space.
        let chinese = is_name(&words.concat()).then(|| words.concat());
        if words.is_empty() || words.len() > 5 || stops || (chinese.is_none() && !words.iter().all(is_word)) {
            return None;
        }
        found.push(Byline {
            name: chinese.unwrap_or_else(|| words.join(" ")),
            role: Role::Author,
            affiliation: None,
        });
    }
    (found.len() <= 8).then_some(found)
}

/// What of a byline is in none of the names and offices: its labels and marks, character for character. `office` is
/// the one that the names before had: if it is printed again, it is among the labels.
pub(super) fn labels(raw: &str, bylines: &[Byline], office: Option<&str>) -> String {
    let mut rest: String = raw.chars().filter(|c| !c.is_whitespace()).collect();
    let mut office = office;
    for byline in bylines {
        let own = byline.affiliation.as_deref();
        for text in [own.filter(|own| Some(*own) != office), Some(byline.name.as_str())].into_iter().flatten()
        {
            let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            if let Some(at) = rest.find(&text) {
                rest.replace_range(at..at + text.len(), "");
            }
        }
        office = own;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let found = parse(line).map(|bylines| {
            let people: Vec<String> = bylines
                .iter()
                .map(|b| {
                    let role = match b.role {
                        Role::Author => "",
                        Role::Photographer => " (pictures)",
                        Role::Translator => " (translation)",
                    };
                    format!(
                        "{}{role}{}",
                        b.name,
                        b.affiliation.as_ref().map(|a| format!(" @{a}")).unwrap_or_default()
                    )
                })
                .collect();
            format!("{} [{}]", people.join(", "), labels(line, &bylines, None))
        });
        assert_eq!(found.unwrap_or_default(), expected, "{line}");
    }

    #[test]
    fn a_byline_is_a_line_of_names() {
        check("李雨", "李雨 []");
        check("李 雨", "李雨 []");
        check("李 雨 王小桥", "李雨, 王小桥 []");
        check("欧阳明月", "欧阳明月 []");
        check("买买提·艾力", "买买提·艾力 []");
        check("河畔县图书馆 李雨", "李雨 @河畔县图书馆 []");
        check("河畔县图书馆 李雨 王桥", "李雨 @河畔县图书馆, 王桥 @河畔县图书馆 []");
        check("李雨 河畔县图书馆", "李雨 @河畔县图书馆 []");
        check("□ 李雨", "李雨 [□]");
    }

    #[test]
    fn labels_tell_who_did_what() {
        check("文/记者 李雨 图/记者 王桥", "李雨, 王桥 (pictures) [文/记者图/记者]");
        check("本报记者 李雨 通讯员 王桥", "李雨, 王桥 [本报记者通讯员]");
        check("（记者 李雨）", "李雨 [（记者）]");
        check("作者：李雨", "李雨 [作者：]");
        check("李雨 文 王桥 摄", "李雨, 王桥 (pictures) [文摄]");
        check("李雨/文 王桥/摄", "李雨, 王桥 (pictures) [/文/摄]");
        check("BY JANE DOE, Author of \"The Bell,\" etc.", "JANE DOE [BY,Authorof\"TheBell,\"etc.]");
        check("By 王伟", "王伟 [By]");
        check("By 王 伟、欧阳明月 and Ada Quill", "王伟, 欧阳明月, Ada Quill [By、and]");
        check("By JANE DOE and John van Roe", "JANE DOE, John van Roe [Byand]");
    }

    #[test]
    fn a_line_that_is_no_name_is_no_byline() {
        for line in [
            "",
            "队",
            "方显身手",
            "高质量",
            "图书馆的夏天",
            "李雨说，他来了",
            "一二三四五",
            "By the river, nothing moved.",
            "By and large it is fine",
            "By 图书馆的夏天",
            "By 2026年",
            "文化兴则国兴",
            "清水桥",
            "水利局",
        ] {
            check(line, "");
        }
    }
}
