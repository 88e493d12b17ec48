//! Prints made-up issues with a publisher's theme, so that what is wrong in it shows before an editor's issue does.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil};

use crate::{
    editions, editions::Beside, editions::Choices, editions::Decision, editions::Error, editions::Filled,
    editions::Found, editions::LEAVE, editions::Listing, editions::Own, editions::Plates, editions::Problem,
    editions::Question, editions::Sealed, editions::Shelf, editions::Shelved, editions::ShownForm,
    editions::Told, issue::Article, issue::Byline, issue::CreditLine, issue::Headline, issue::Issue,
    issue::IssueKey, issue::Release, issue::Role, prose::Block, prose::Inline, prose::Language,
    publication::Forms, publication::Imprint, publication::Publication, subscriber::Address,
    subscriber::Form, subscriber::Wish,
};

/// Prints every edition of an issue that has all that an issue can have, and of one that has nothing beside its text.
///
/// # Errors
/// [`Error::Theme`] where a template does not fit what it is filled with or makes no XML where programs want some, or a letter has
/// no way to leave.
pub fn rehearse(publication: &Publication) -> Result<(), Error> {
    let publication = &Publication { theme: publication.theme.strictly(), ..publication.clone() };
    let (full, bare) = (full(publication), bare(publication));
    let papers = [
        (
            Publication {
                description: "D".to_owned(),
                forms: Forms { url: publication.base_url.clone(), open: true },
                imprint: Imprint {
                    publisher: Some("P".to_owned()),
                    rights: Some("R".to_owned()),
                    issn: Some("1234-567X".to_owned()),
                },
                ..publication.clone()
            },
            [full.clone(), bare.clone()],
        ),
        (
            Publication {
                description: String::new(),
                imprint: Imprint::default(),
                forms: Forms::default(),
                ..publication.clone()
            },
            [bare, full],
        ),
    ];
    let question = editions::confirmation(publication, None, "https://confirm.example/")?;
    if ![LEAVE, "https://confirm.example/"].iter().all(|address| question.html.contains(address)) {
        let problem = "the question needs `{{ confirm|safe }}` and `{{ leave|safe }}`";
        return Err(publication.theme.fault("letter/confirm.html", problem).into());
    }
    for (paper, releases) in papers {
        editions::lists(&Shelf::default(), &paper)?;
        let mut shelved = Vec::new();
        for release in releases {
            let plates: Plates =
                release.issue.pictures.iter().map(|picture| (picture.name.clone(), vec![0])).collect();
            let book = editions::print(&release, &paper, &plates)?.book_file();
            let listing = Listing::of(&release, &book, &paper);
            let amid = Beside { previous: Some(listing.clone()), next: Some(listing) };
            editions::print_beside(&release, &amid, &paper, &plates)?;
            let whole = Shelved { release, book };
            editions::letter(std::slice::from_ref(&whole), None, &Wish::default(), &paper)?;
            shelved.push(whole);
        }
        editions::letter(&shelved, None, &Wish::default(), &paper)?;
        let smallest = shelved.iter().min_by_key(|shelved| shelved.release.issue.articles.len());
        let many: Vec<Shelved> = smallest.into_iter().cycle().take(150).cloned().collect();
        editions::letter(&many, None, &Wish::default(), &paper)?;
        let mut shelf = Shelf::of(&shelved, &paper);
        (shelf.n_sealed, shelf.n_catalogue_pages) = (3, 2);
        shelf.sealed = vec![Sealed { number: 2, issues: shelved }];
        shelf.catalogue_pages = shelf.sealed.clone();
        editions::lists(&shelf, &paper)?;
        let articles = shelf.facets.into_iter().flat_map(|of| of.newest).collect();
        let found = Found { question: "q".to_owned(), articles, count: 60, page: 2, pages: 3 };
        editions::search_page(&found, &paper)?;
        editions::search_page(&Found::default(), &paper)?;
        editions::search_page(&Found { articles: vec![], ..found }, &paper)?;
        editions::search_catalogue(&shelf.catalogue, "q", &paper)?;
        editions::nothing_here(true, &paper)?;
        for (question, decision) in
            Question::ALL.into_iter().flat_map(|question| Decision::ALL.map(|decision| (question, decision)))
        {
            for preferences in [None, Some("t")] {
                editions::question_page(question, decision, preferences, &paper)?;
            }
        }
        for told in Told::ALL {
            editions::told_page(told, &paper)?;
        }
        forms(&paper)?;
    }
    Ok(())
}

/// Prints the forms of readers as they are at first, and with all that can be chosen, typed and wrong.
fn forms(publication: &Publication) -> Result<(), Error> {
    let from = Address::parse("a@example.org").map_err(|_| Error::Hollow)?;
    let many = Choices {
        sections: vec!["S".to_owned(), "T".to_owned()],
        languages: ["en", "zh-Hans"].into_iter().filter_map(Language::parse).collect(),
    };
    let typed =
        Filled { address: "b".to_owned(), device: "c".to_owned(), form: Form::Kindle, ..Filled::default() };
    for (choices, filled, problems, saved) in [
        (&Choices::default(), &Filled::default(), [].as_slice(), false),
        (&many, &typed, Problem::ALL.as_slice(), true),
    ] {
        let form = ShownForm { choices, filled, problems, from: &from };
        editions::join_page(&form, "t", publication)?;
        editions::preferences_page(&form, &Own { saved, leave: "t", private: "t" }, publication)?;
    }
    Ok(())
}

/// An issue with nothing that it need not have.
fn bare(publication: &Publication) -> Release {
    let headline = Headline { text: "H".to_owned(), synthetic: true };
    let article = Article { body: vec![Block::paragraph("B")], ..Article::headed(headline) };
    release(
        Issue { articles: vec![article], ..Issue::of(IssueKey::of("bare"), publication.language.clone()) },
        1,
    )
}

/// A corrected issue with all that one can have, and more articles than the front page shows.
fn full(publication: &Publication) -> Release {
    let line = || Some("L".to_owned());
    let person = |role| Byline { name: "N".to_owned(), role, affiliation: line() };
    let article = Article {
        kicker: line(),
        dek: line(),
        bylines: [Role::Author, Role::Translator, Role::Photographer].map(person).into(),
        credit: Some(CreditLine { name: "C".to_owned(), date: None, page: None, printed: "C".to_owned() }),
        captions: vec!["C".to_owned()],
        body: body(),
        notes: vec![vec![Block::paragraph("N")]],
        section: line(),
        ..Article::headed(Headline { text: "H".to_owned(), synthetic: false })
    };
    let plain = Article { section: Some("S".to_owned()), ..Article::headed(article.headline.clone()) };
    let mut articles = vec![article];
    articles.resize(20, plain);
    let mut issue = Issue { articles, ..Issue::of(IssueKey::of("full"), publication.language.clone()) };
    issue.title = line();
    issue.number = Some("7".to_owned());
    issue.date = Some(civil::date(2026, 2, 3));
    issue.page = Some("3".to_owned());
    issue.section = line();
    issue.summary = line();
    issue.editors = vec!["E".to_owned()];
    issue.publisher = line();
    let contacts =
        ["phone", "email", "web", "address", "other"].map(|key| (key.to_owned(), "a@example.org".to_owned()));
    issue.contact = BTreeMap::from(contacts);
    release(issue, 2)
}

fn body() -> Vec<Block> {
    let text = || vec![Inline::text("T"), Inline::Note { number: 1 }];
    vec![
        Block::Paragraph { text: text() },
        Block::subhead(1, "S"),
        Block::Table { head: vec![text()], rows: vec![vec![text()]] },
        Block::Quote { blocks: vec![Block::paragraph("Q")] },
    ]
}

fn release(mut issue: Issue, version: u32) -> Release {
    issue.name_articles(None);
    let updated = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(i64::from(version));
    Release { issue, version, published: Timestamp::UNIX_EPOCH, updated }
}
