//! Made-up issues for the tests: an ordinary one in Chinese, one in English, and those a press would rather not see.

use std::collections::BTreeMap;

use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::{
    editions, editions::Shelved, editions::print, issue::Article, issue::Byline, issue::CreditLine,
    issue::Headline, issue::Issue, issue::IssueKey, issue::Release, issue::Role, prose::Block, prose::Href,
    prose::Inline, prose::Language, publication::Design, publication::Forms, publication::Imprint,
    publication::Publication, theme::Theme,
};

pub(super) fn gazette() -> Publication {
    Publication {
        key: "gazette".to_owned(),
        title: "河畔周报".to_owned(),
        description: "每周三出版，记河边小城的事。".to_owned(),
        language: language("zh-Hans"),
        time_zone: TimeZone::fixed(jiff::tz::offset(8)),
        base_url: "https://news.example.org/".to_owned(),
        authority: "example.org,2026".to_owned(),
        hub: None,
        imprint: Imprint {
            publisher: Some("河畔周报社".to_owned()),
            rights: Some("© 2026 河畔周报社".to_owned()),
            issn: Some("1234-567X".to_owned()),
        },
        theme: Theme::default(),
        design: Design::default(),
        forms: Forms::default(),
    }
}

pub(super) fn letterpress() -> Publication {
    Publication {
        key: "letterpress".to_owned(),
        title: "The Letterpress".to_owned(),
        description: "A small paper about paper.".to_owned(),
        language: language("en"),
        hub: None,
        imprint: Imprint { publisher: Some("The Office".to_owned()), rights: None, issn: None },
        ..gazette()
    }
}

pub(super) fn language(tag: &str) -> Language {
    Language::parse(tag).expect("a language tag")
}

pub(super) fn article(headline: &str, body: Vec<Block>) -> Article {
    Article { body, ..Article::headed(Headline { text: headline.to_owned(), synthetic: false }) }
}

pub(super) fn by(name: &str, role: Role, affiliation: Option<&str>) -> Byline {
    Byline { name: name.to_owned(), role, affiliation: affiliation.map(str::to_owned) }
}

pub(super) fn issue(key: &str, tag: &str, articles: Vec<Article>) -> Issue {
    let mut issue = Issue { articles, ..Issue::of(IssueKey::of(key), language(tag)) };
    issue.name_articles(None);
    issue
}

pub(super) fn release(issue: Issue) -> Release {
    let published = "2026-07-08T00:30:00Z".parse().expect("a moment");
    Release { issue, version: 1, published, updated: published }
}

/// An ordinary page in Chinese, with all that an article can have.
#[expect(clippy::too_many_lines, reason = "a page of a newspaper is long")]
pub(super) fn chinese() -> Release {
    let p = Block::paragraph;
    let mut bridge = article(
        "石桥修好了",
        vec![
            p(
                "清晨六点，第一批过桥的人是卖豆腐的老周和他的孙女。桥面新铺的青石还带着水汽，老周推着车走得很慢，说是怕轮子把石头硌坏了。",
            ),
            p(
                "这座桥建于三百年前，前年夏天的大水冲走了中间一孔。两年里，对岸的人要绕行四公里，孩子上学由渡船接送；渡船的老陈说，他一天最多摆渡过六百人次。",
            ),
            Block::subhead(1, "石头从哪里来"),
            Block::Paragraph {
                text: vec![
                    Inline::text("修桥的石头取自上游的旧采石场。工匠们先把每块石头编号，再按原来的"),
                    Inline::Emphasis { text: vec![Inline::text("干砌")] },
                    Inline::text("做法垒起来"),
                    Inline::Note { number: 1 },
                    Inline::text("，全桥没有用一根钢筋。主持修复的匠人说：“桥会自己找到力气。”"),
                ],
            },
            p(
                "县里为此开过三次听证会，反对的意见多半是担心工期。最后定下的方案是分段施工，白天让出半幅桥面。",
            ),
            p("桥头的石碑也重新立了起来，碑文由中学生们抄写，一共一百零八个字，错了两个，就让它错着。"),
        ],
    );
    bridge.kicker = Some("两年之后".to_owned());
    bridge.dek = Some("——三百年的桥面上，又有了脚步声".to_owned());
    bridge.bylines = vec![
        by("林晚", Role::Author, Some("本报记者")),
        by("何一舟", Role::Author, Some("本报记者")),
        by("苏禾", Role::Photographer, None),
    ];
    bridge.notes = vec![vec![p("干砌：不用灰浆，只靠石块相互咬合。")], vec![p("没有人提到的一条注。")]];
    bridge.captions = vec!["图为通车当天的清晨。".to_owned()];
    bridge.section = Some("本城".to_owned());

    let mut market = article(
        "夜市的灯",
        vec![
            p("夜市从七点开到十一点。最亮的一盏灯在修鞋摊上。"),
            p("摊主姓吴，六十三岁，灯是他自己用自行车轮圈做的。"),
        ],
    );
    market.bylines = vec![by("方小满", Role::Author, None)];
    market.credit = Some(CreditLine {
        name: "河畔旧报".to_owned(),
        date: None,
        page: None,
        printed: "（原载《河畔旧报》2026年6月30日 第2版）".to_owned(),
    });
    market.section = Some("本城".to_owned());

    let mut river = article(
        "河水为什么是绿的，读者问，我们去问了研究水的人",
        vec![
            Block::List {
                start: Some(1),
                items: vec![
                    vec![p("因为水里有藻。")],
                    vec![p("因为岸上有树。")],
                    vec![p("因为你在桥上看。")],
                ],
            },
            Block::Quote { blocks: vec![p("水没有颜色，颜色是它路过的地方给的。")] },
            Block::Table {
                head: vec![vec![Inline::text("月份")], vec![Inline::text("水位（米）")]],
                rows: vec![
                    vec![vec![Inline::text("六月")], vec![Inline::text("3.2")]],
                    vec![vec![Inline::text("七月")], vec![Inline::text("4.7")]],
                ],
            },
            Block::Paragraph {
                text: vec![
                    Inline::text("数据见"),
                    Inline::Link {
                        href: Href::parse("https://water.example.org/green?month=7&place=bridge")
                            .expect("an address"),
                        text: vec![Inline::text("水文站的月报")],
                    },
                    Inline::text("。"),
                ],
            },
            Block::Rule,
            Block::Code { text: "07:15 渡口\n08:40 石桥\n17:05 渡口".to_owned() },
        ],
    );
    river.section = Some("问答".to_owned());

    let mut poem = article(
        "雨停了以后",
        vec![Block::Paragraph {
            text: vec![Inline::text("雨停了以后，"), Inline::Break, Inline::text("屋檐还在数数。")],
        }],
    );
    poem.headline.synthetic = true;
    poem.bylines = vec![by("匿名", Role::Author, None), by("江雪", Role::Translator, None)];

    let mut issue = issue("2026-07-08", "zh-Hans", vec![bridge, market, river, poem]);
    issue.title = Some("桥与灯".to_owned());
    issue.number = Some("217".to_owned());
    issue.date = Some(date(2026, 7, 8));
    issue.page = Some("3".to_owned());
    issue.section = Some("副刊".to_owned());
    issue.editors = vec!["沈青".to_owned(), "白露".to_owned()];
    issue.contact = BTreeMap::from([
        ("phone".to_owned(), "000-12345678".to_owned()),
        ("email".to_owned(), "desk@example.org".to_owned()),
    ]);
    release(issue)
}

/// An English issue, corrected once.
pub(super) fn english() -> Release {
    let p = Block::paragraph;
    let mut ink = article(
        "What the ink remembers",
        vec![
            p(
                "The press in the basement of the old post office has been running, on and off, since before anyone now \
               living learned to read. On Tuesday it was on. The rollers were warm, the type was set, and the room \
               smelled of linseed and rain.",
            ),
            Block::Paragraph {
                text: vec![
                    Inline::text("“You "),
                    Inline::Strong { text: vec![Inline::text("hear")] },
                    Inline::text(" a bad letter before you see it,” said the printer"),
                    Inline::Note { number: 1 },
                    Inline::text(
                        ", and she stopped the machine with one finger to show which one she meant. There are more of these sayings ",
                    ),
                    Inline::Link {
                        href: Href::parse("https://press.example.org/").expect("an address"),
                        text: vec![Inline::text("on the wall")],
                    },
                    Inline::text(" than there are letters in the case."),
                ],
            },
            Block::subhead(1, "A short list of faults"),
            Block::List {
                start: None,
                items: vec![vec![p("too much ink")], vec![p("too little")], vec![p("the wrong word")]],
            },
            p("By evening four hundred sheets hung from the lines. Nobody had found the wrong word."),
            p("They found it on Wednesday."),
        ],
    );
    ink.dek = Some("An afternoon with the last hand press in town".to_owned());
    ink.bylines = vec![by("Ada Marsh", Role::Author, None), by("J. Poole", Role::Author, Some("The Office"))];
    ink.notes = vec![vec![p("She asked not to be named, because her name is on the building.")]];
    let short =
        article("Corrections", vec![p("The wrong word was “eternal”. It should have been “internal”.")]);
    let mut issue = issue("no-12", "en", vec![ink, short]);
    issue.number = Some("12".to_owned());
    issue.date = Some(date(2026, 7, 7));
    issue.summary = Some("Ink, paper, and one wrong word.".to_owned());
    issue.editors = vec!["M. Quill".to_owned()];
    let mut release = release(issue);
    release.version = 2;
    release.updated = "2026-07-09T09:00:00Z".parse().expect("a moment");
    release
}

/// Every kind of trouble at once, in every field.
pub(super) fn hostile() -> Release {
    let nasty = "a&b <c> \"d\" 'e' ]]> <!-- {{x}} {% if %} \u{0}\u{8}\u{B}\u{1A}\u{1B}\u{FFFE}\u{FEFF}\u{85} </script><b>";
    let p = |text: &str| Block::paragraph(text);
    let mut first =
        article(nasty, vec![p(nasty), Block::Code { text: nasty.to_owned() }, Block::subhead(4, nasty)]);
    first.kicker = Some(nasty.to_owned());
    first.dek = Some(nasty.to_owned());
    first.bylines = vec![by(nasty, Role::Author, Some(nasty)), by("", Role::Photographer, Some(""))];
    first.credit =
        Some(CreditLine { name: nasty.to_owned(), date: None, page: None, printed: nasty.to_owned() });
    first.captions = vec![nasty.to_owned(), String::new()];
    first.section = Some(nasty.to_owned());
    first.body.push(Block::Paragraph {
        text: vec![
            Inline::Note { number: 1 },
            Inline::Note { number: 3 },
            Inline::Note { number: 0 },
            Inline::Note { number: 99 },
            Inline::Link {
                href: Href::parse("https://例子.测试/路?a=b&c=[d]#e%zz").expect("an address"),
                text: vec![
                    Inline::text(nasty),
                    Inline::Note { number: 2 },
                    Inline::Link {
                        href: Href::parse("mailto:x").expect("an address"),
                        text: vec![Inline::text("in")],
                    },
                ],
            },
            Inline::Link { href: Href::parse("http://[::1").expect("an address"), text: vec![] },
            Inline::Link {
                href: Href::parse("mailto:a@b?subject=c d".replace(' ', "%20").as_str()).expect("x"),
                text: vec![],
            },
            Inline::Break,
            Inline::Emphasis { text: vec![] },
        ],
    });
    first.notes = vec![
        vec![Block::Paragraph {
            text: vec![Inline::text("see "), Inline::Note { number: 2 }, Inline::Note { number: 1 }],
        }],
        vec![Block::Table { head: vec![], rows: vec![vec![vec![Inline::text(nasty)]]] }],
        vec![],
    ];
    first.body.push(Block::List {
        start: Some(u64::MAX),
        items: vec![vec![], vec![Block::Rule], vec![p("x"), p("y")]],
    });
    first.body.push(Block::List {
        start: Some(0),
        items: vec![vec![p("x"), Block::List { start: None, items: vec![vec![p("z")]] }]],
    });
    first.body.push(Block::Table {
        head: vec![vec![]],
        rows: vec![vec![], vec![vec![], vec![Inline::Note { number: 1 }]]],
    });
    first.body.push(Block::Quote { blocks: vec![] });
    first.body.push(Block::Quote {
        blocks: vec![Block::Quote { blocks: vec![p("deep"), Block::subhead(1, "in a quote")] }],
    });
    first.body.push(Block::Rule);
    first.body.push(p("\u{202E}abc \u{1FFFE}\u{E000}\u{2028}x \u{FDD0} \u{301}\u{200D}😀👩‍👩‍👧"));
    let long = article(&"很长的标题".repeat(2000), vec![p("x")]);
    let empty = article("", vec![]);
    let blank = article(" \u{3000}\u{0}", vec![p(" "), p("")]);
    let twin = |text: &str| article("同一个标题", vec![p(text)]);
    let mut rtl = article("مقال قصير عن النهر", vec![p("كان النهر هادئا في الصباح. ثم جاء القارب.")]);
    rtl.section = Some("العربية".to_owned());
    let hangul = article(
        "강가의 신문",
        vec![p("아침 여섯 시, 다리를 처음 건넌 사람은 두부 장수였다. 그는 천천히 걸었다.")],
    );
    let mut issue =
        issue("hostile", "zh", vec![first, long, empty, blank, twin("一"), twin("二"), rtl, hangul]);
    issue.title = Some(nasty.to_owned());
    issue.number = Some(nasty.to_owned());
    issue.summary = Some(nasty.to_owned());
    issue.editors = vec![nasty.to_owned(), nasty.to_owned(), String::new()];
    issue.publisher = Some(nasty.to_owned());
    issue.page = Some(nasty.to_owned());
    issue.contact = BTreeMap::from([
        (nasty.to_owned(), nasty.to_owned()),
        ("email".to_owned(), nasty.to_owned()),
        ("web".to_owned(), "https://a.example/".to_owned()),
    ]);
    release(issue)
}

/// An Arabic issue: lines from right to left.
pub(super) fn arabic() -> Release {
    let mut story = article(
        "مقال قصير عن النهر",
        vec![
            Block::paragraph("كان النهر هادئا في الصباح، ثم جاء القارب ومعه الناس من الضفة الأخرى."),
            Block::Quote { blocks: vec![Block::paragraph("الماء لا لون له.")] },
            Block::List {
                start: Some(1),
                items: vec![vec![Block::paragraph("واحد")], vec![Block::paragraph("اثنان")]],
            },
            Block::Code { text: "let river = \"green\";".to_owned() },
        ],
    );
    story.bylines = vec![by("ليلى", Role::Author, None)];
    release(issue("nahr", "ar", vec![story]))
}

/// `n` articles with several paragraphs each.
pub(super) fn many(n: usize) -> Release {
    let articles = (1..=n)
        .map(|i| {
            let text = format!("这是第{i}篇。{}", "河水在桥下流过，灯在岸上亮着，人从桥上走过。".repeat(8));
            let mut article =
                article(&format!("第{i}篇文章的标题，不长也不短"), vec![Block::paragraph(&text); 6]);
            article.bylines = vec![by(&format!("作者{i}"), Role::Author, None)];
            article.section = Some(format!("第{}版", i / 10 + 1));
            article
        })
        .collect();
    let mut issue = issue(&format!("many-{n}"), "zh-CN", articles);
    issue.number = Some("2026.14".to_owned());
    release(issue)
}

/// One article of half a megabyte, all in one paragraph but its notes.
pub(super) fn endless() -> Release {
    let mut text = vec![Inline::text("河水流过。".repeat(15_000)), Inline::Note { number: 1 }];
    text.push(Inline::text("<灯>亮着。".repeat(15_000)));
    text.push(Inline::Note { number: 2 });
    text.push(Inline::Note { number: 1 });
    let mut article = article("没有尽头的河", vec![Block::Paragraph { text }]);
    article.notes = vec![
        vec![Block::Paragraph { text: vec![Inline::text("一 "), Inline::Note { number: 2 }] }],
        vec![Block::paragraph("二")],
        vec![Block::paragraph("三")],
    ];
    release(issue("endless", "zh-Hant-TW", vec![article]))
}

pub(super) fn all() -> Vec<(Release, Publication)> {
    let mut nasty = letterpress();
    nasty.title = "P & <Q> \u{0}\"'".to_owned();
    nasty.description = "]]> & \u{8}".to_owned();
    nasty.imprint =
        Imprint { publisher: None, rights: Some("<©>".to_owned()), issn: Some("no issn".to_owned()) };
    vec![
        (chinese(), gazette()),
        (english(), letterpress()),
        (hostile(), nasty),
        (arabic(), letterpress()),
        (many(1), gazette()),
        (many(60), gazette()),
        (many(500), gazette()),
        (endless(), gazette()),
    ]
}

pub(super) fn shelved(release: Release, publication: &Publication) -> Shelved {
    let book = print(&release, publication, &editions::Plates::new()).expect("it prints").book_file();
    Shelved { release, book }
}
