//! What a letter says, for one issue and for many.

use expect_test::expect;
use jiff::{Timestamp, tz::TimeZone};

use super::{Letter, attached, days_of};
use crate::{
    delivery::Period, editions::BookFile, editions::LEAVE, editions::PREFERENCES, editions::enclosed,
    editions::letter, editions::outline::day_in, editions::specimens, editions::specimens::chinese,
    editions::specimens::english, editions::specimens::gazette, editions::specimens::letterpress,
    editions::specimens::many, editions::specimens::shelved, editions::tests::check_well_formed,
    editions::tests::golden, editions::tests::plain_letter, issue::Release, publication::Publication,
    subscriber::Form, subscriber::Sections, subscriber::Wish,
};

#[test]
fn what_a_letter_says() {
    for (name, release, publication) in
        [("letter", chinese(), gazette()), ("letter-en", english(), letterpress())]
    {
        let shelved = shelved(release, &publication);
        let letter = letter(&[shelved], None, &Wish::default(), &publication)
            .expect("it is written")
            .expect("it has articles");
        let shown = |part: &str| part.replace(LEAVE, "LEAVE").replace(PREFERENCES, "PREFERENCES");
        golden(&format!("{name}.txt")).assert_eq(&shown(&letter.text));
        golden(&format!("{name}.html")).assert_eq(&shown(&letter.html));
    }
}

/// A week of a paper, until Friday noon.
fn week() -> Period {
    let time = |text: &str| text.parse().expect("a time");
    Period {
        name: "2026-W28".to_owned(),
        day: jiff::civil::date(2026, 7, 10),
        since: time("2026-07-03T12:00:00Z"),
        until: time("2026-07-10T12:00:00Z"),
    }
}

#[test]
fn what_a_letter_of_a_week_says() {
    for (name, issues, publication) in [
        ("letter-week", [chinese(), many(3)], gazette()),
        ("letter-week-en", [english(), chinese()], letterpress()),
    ] {
        let issues = issues.map(|release| shelved(release, &publication));
        let letter = letter(&issues, Some(&week()), &Wish::default(), &publication)
            .expect("it is written")
            .expect("it has articles");
        let shown = format!("{}\n{}\n\n{}", letter.subject, letter.preheader, letter.text);
        golden(&format!("{name}.txt"))
            .assert_eq(&shown.replace(LEAVE, "LEAVE").replace(PREFERENCES, "PREFERENCES"));
        for part in [&letter.html, &letter.text] {
            assert_eq!(part.matches(LEAVE).count(), 2);
        }
        check_well_formed(
            "letter",
            letter.html.replace(LEAVE, "x").replace(PREFERENCES, "x").trim_start_matches("<!DOCTYPE html>"),
        );
    }
}

#[test]
fn a_letter_of_one_issue_of_a_week_is_the_letter_of_the_issue() {
    let publication = gazette();
    let issues = [shelved(chinese(), &publication)];
    let plain = letter(&issues, None, &Wish::default(), &publication).expect("it is written");
    assert_eq!(letter(&issues, Some(&week()), &Wish::default(), &publication).expect("it is written"), plain);
}

#[test]
fn a_letter_of_a_month_of_thick_issues_has_some_of_each_and_counts_the_rest() {
    let publication = gazette();
    let issues = vec![shelved(many(40), &publication); 31];
    let month = letter(&issues, None, &Wish::default(), &publication)
        .expect("it is written")
        .expect("it has articles");
    let n_shown = month.html.matches("class=\"story\"").count();
    assert!((16..=31).contains(&n_shown), "{n_shown} shown");
    assert!((Letter::MAX_HTML / 2..=Letter::MAX_HTML).contains(&month.html.len()));
    let count = |articles: usize| month.text.matches(&format!("还有 {articles} 篇")).count();
    assert_eq!((count(39), count(40)), (n_shown, 31 - n_shown), "every issue is in the contents");
    let years = vec![shelved(many(2), &publication); 700];
    let told = letter(&years, None, &Wish::default(), &publication)
        .expect("it is written")
        .expect("it has articles");
    let n_shown = told.html.matches("class=\"which\"").count() - 1;
    assert!(told.html.len() <= Letter::MAX_HTML && n_shown > 100, "{n_shown} shown");
    assert!(told.html.contains("class=\"story\""));
    let rest = format!("还有 {} 期，请到网站阅读", 700 - n_shown);
    assert!(told.html.contains(&rest) && told.text.contains(&rest));
}

#[test]
fn a_wish_chooses_the_words_around_the_sections_and_the_form() {
    let publication = gazette();
    let issues = [shelved(chinese(), &publication), shelved(many(3), &publication)];
    let of = |wish: &Wish| letter(&issues, Some(&week()), wish, &publication).expect("it is written");
    let english =
        of(&Wish { language: Some(specimens::language("en")), ..Wish::default() }).expect("a letter");
    assert_eq!(english.subject, "河畔周报: 2 issues, 4–10 July 2026");
    assert!(english.text.contains("Unsubscribe: ") && english.text.contains("By 方小满"), "{}", english.text);
    let none = Wish { sections: Sections::of(["没有这一版"]), ..Wish::default() };
    let of_town = Wish { sections: Sections::of(["本城"]), ..Wish::default() };
    assert!(of(&of_town).expect("a letter").text.contains("石桥修好了"));
    let all_sections = [shelved(english_town(), &publication)];
    assert_eq!(letter(&all_sections, None, &none, &publication).expect("it is written"), None);
    let text = of(&Wish { form: Form::Text, ..Wish::default() }).expect("a letter");
    assert!(text.html.is_empty() && text.text.contains("老周推着车走得很慢"));
    let book = of(&Wish { form: Form::Book, ..Wish::default() }).expect("a letter");
    assert!(book.text.contains("电子书随信附上。") && book.text.contains("老周推着车走得很慢"));
    let kindle = of(&Wish { form: Form::Kindle, ..Wish::default() }).expect("a letter");
    assert!(kindle.html.is_empty() && !kindle.text.contains("老周推着车走得很慢"));
    assert_eq!(kindle.text.matches(LEAVE).count(), 2);
    let mut large = issues.clone();
    large[1].book.length = Letter::MAX_BOOKS + 1;
    let wish = Wish { form: Form::Book, ..Wish::default() };
    assert_eq!(
        enclosed(&large, &wish).iter().map(|s| &s.release.issue.key).collect::<Vec<_>>(),
        [&large[0].release.issue.key]
    );
    let book = letter(&large, None, &wish, &publication).expect("it is written").expect("a letter");
    assert!(book.text.contains("电子书太大"), "{}", book.text);
}

/// An issue all of which stands in a section.
fn english_town() -> Release {
    let mut release = english();
    release.issue.section = Some("Town".to_owned());
    release
}

#[test]
fn a_template_that_fails_is_told_with_its_line_and_ours_does_not() {
    let files = [("letter/letter.html", "\n{{ letter.leave|safe }}{{ issues[1].titel }}")];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    let theme = crate::theme::Theme::of("config/theme", files).expect("it compiles");
    let publication = Publication { theme, ..gazette() };
    let issues = [shelved(chinese(), &publication), shelved(many(3), &publication)];
    let wrong = letter(&issues, None, &Wish::default(), &publication).expect_err("no such field");
    expect!["`config/theme/letter/letter.html`, line 2: undefined value in `{{ letter.leave|safe }}{{ issues[1].titel }}`"].assert_eq(&wrong.to_string());
    let theme = publication.theme.with_our_templates();
    let ours = Publication { theme, ..publication };
    assert!(letter(&issues, None, &Wish::default(), &ours).expect("it is written").is_some());
}

#[test]
fn a_letter_of_many_articles_shows_the_beginning_of_as_many_as_it_can() {
    let publication = gazette();
    let shelved = shelved(many(60), &publication);
    let letter = plain_letter(&shelved.release, &shelved.book, &publication);
    assert_eq!(letter.html.matches("class=\"story\"").count(), 60);
    assert!(letter.html.len() > Letter::MAX_HTML / 2);
    assert!(letter.html.contains("这是第60篇。"));
}

#[test]
fn a_letter_of_too_many_articles_counts_the_last_ones_and_shows_a_little_of_the_others() {
    let (release, publication) = (many(200), gazette());
    let book = BookFile { path: "issues/many-200/book.epub".to_owned(), length: 1 };
    let letter = plain_letter(&release, &book, &publication);
    let n_shown = letter.html.matches("class=\"story\"").count();
    assert!((50..200).contains(&n_shown), "{n_shown} shown");
    assert!(letter.html.len() <= Letter::MAX_HTML, "{} bytes", letter.html.len());
    let rest = format!("还有 {} 篇，请到本期网页阅读", 200 - n_shown);
    assert!(letter.html.contains(&rest) && letter.text.contains(&rest));
    assert!(letter.html.contains(&format!("这是第{n_shown}篇。")));
}

#[test]
fn a_day_belongs_to_the_period_that_has_most_of_it() {
    #[track_caller]
    fn check(since: &str, until: &str, expected: (&str, &str)) {
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        let (since, until) = (time(since), time(until));
        let period = Period { name: String::new(), day: day_in(until, &TimeZone::UTC), since, until };
        let (first, last) = days_of(&period, &TimeZone::UTC);
        assert_eq!((first.to_string().as_str(), last.to_string().as_str()), expected);
    }
    check("2026-07-03T18:00:00Z", "2026-07-10T18:00:00Z", ("2026-07-04", "2026-07-10"));
    check("2026-07-03T07:00:00Z", "2026-07-10T07:00:00Z", ("2026-07-03", "2026-07-09"));
    check("2026-06-01T06:00:00Z", "2026-07-01T06:00:00Z", ("2026-06-01", "2026-06-30"));
    check("2026-07-09T18:00:00Z", "2026-07-10T18:00:00Z", ("2026-07-10", "2026-07-10"));
    check("2026-07-10T01:00:00Z", "2026-07-10T02:00:00Z", ("2026-07-09", "2026-07-09"));
}

#[test]
fn books_come_along_while_there_is_room() {
    let lengths = [1, Letter::MAX_BOOKS, 2];
    assert_eq!(attached(lengths, Form::Book), [true, false, true]);
    assert_eq!(attached(lengths, Form::Html), [false; 3]);
    assert!(Letter::MAX_BOOKS.div_ceil(57) * 78 < 50_000_000);
}
