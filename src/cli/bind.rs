//! `gazetted bind`: many issues as one book.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use super::{Error, report, say};
use crate::{
    config::Newsroom, daemon, durable, editions, editions::Anthology, editions::Listing, issue::Release,
    ledger::Ledger, picture::Picture, press::Press, prose, publication::Publication, typography,
};

#[derive(clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub(super) struct Arguments {
    /// All issues of a year
    #[arg(long, group = "what")]
    year: Option<i16>,
    /// All articles of a section
    #[arg(long, group = "what", value_name = "NAME")]
    section: Option<String>,
    /// All articles of an author, translator or photographer
    #[arg(long, group = "what", value_name = "NAME")]
    author: Option<String>,
    /// Where to write the book [default: the publication's key and what is bound, in this folder]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What is bound.
enum Choice {
    Year(i16),
    Section(String),
    Author(String),
}

impl Choice {
    fn of(arguments: &Arguments) -> Self {
        match (arguments.year, &arguments.section, &arguments.author) {
            (Some(year), ..) => Self::Year(year),
            (None, Some(section), _) => Self::Section(section.trim().to_owned()),
            (None, None, author) => Self::Author(author.as_deref().unwrap_or_default().trim().to_owned()),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Year(year) => year.to_string(),
            Self::Section(name) | Self::Author(name) => name.clone(),
        }
    }

    /// The release with what belongs in the book, if there is any.
    fn part_of(&self, mut release: Release, publication: &Publication) -> Option<Release> {
        match self {
            Self::Year(year) if Listing::date_of(&release, publication).year() != *year => return None,
            Self::Year(_) => {}
            Self::Section(name) => {
                let whole = release.issue.section.as_deref().is_some_and(|section| section.trim() == name);
                release.issue.articles.retain(|article| {
                    article.section.as_deref().map_or(whole, |section| section.trim() == name)
                });
            }
            Self::Author(name) => release
                .issue
                .articles
                .retain(|article| article.bylines.iter().any(|byline| byline.name.trim() == name)),
        }
        let issue = &mut release.issue;
        let bodies =
            issue.articles.iter().flat_map(|article| std::iter::once(&article.body).chain(&article.notes));
        let shown: Vec<_> =
            bodies.flat_map(|blocks| prose::pictures(blocks)).map(|(name, _)| name.clone()).collect();
        issue.pictures.retain(|picture| shown.contains(&picture.name));
        (!issue.articles.is_empty()).then_some(release)
    }
}

pub(super) fn run(newsroom: &Newsroom, arguments: &Arguments) -> Result<(), Error> {
    let choice = Choice::of(arguments);
    let ledger = daemon::open_ledger(newsroom)?;
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let anthology = gathered(&choice, &*ledger, &publication)?;
    let press = daemon::open_press(newsroom, publication.clone(), ledger)?;
    let file = arguments.output.clone().unwrap_or_else(|| {
        PathBuf::from(format!("{}-{}.epub", publication.key, typography::slug(&anthology.name)))
    });
    write(&anthology, &publication, &press, &file)?;
    let n_articles: usize = anthology.releases.iter().map(|release| release.issue.articles.len()).sum();
    say(&format!(
        "`{}` has {} of {}",
        file.display(),
        report::count(n_articles as u64, "article"),
        report::count(anthology.releases.len() as u64, "issue")
    ))
}

/// What is bound, oldest first.
fn gathered(choice: &Choice, ledger: &dyn Ledger, publication: &Publication) -> Result<Anthology, Error> {
    let books = ledger.books(publication)?;
    let terminal = io::stderr().is_terminal();
    let mut releases = Vec::new();
    let mut known: Vec<String> = Vec::new();
    for (n, (key, _)) in books.iter().enumerate() {
        if let Some(shelved) = ledger.issue(publication, key)? {
            note(choice, &shelved.release, publication, &mut known);
            releases.extend(choice.part_of(shelved.release, publication));
        }
        if terminal {
            let (done, all) = (n + 1, books.len());
            eprint!("\r{done} of {all} issues read{}", if done == all { "\n" } else { "" });
        }
    }
    if releases.is_empty() {
        return Err(nothing(choice, &known));
    }
    releases.sort_by_cached_key(|release| {
        (Listing::date_of(release, publication), release.published, release.issue.key.clone())
    });
    let year = match choice {
        Choice::Year(year) => Some(*year),
        Choice::Section(_) | Choice::Author(_) => None,
    };
    Ok(Anthology { name: choice.name(), year, releases })
}

/// Notes what could have been asked for, each once, and not more than anybody reads.
fn note(choice: &Choice, release: &Release, publication: &Publication, known: &mut Vec<String>) {
    let issue = &release.issue;
    let names: Vec<String> = match choice {
        Choice::Year(_) => vec![Listing::date_of(release, publication).year().to_string()],
        Choice::Section(_) => issue
            .articles
            .iter()
            .filter_map(|article| article.section.clone())
            .chain(issue.section.clone())
            .collect(),
        Choice::Author(_) => issue
            .articles
            .iter()
            .flat_map(|article| &article.bylines)
            .map(|byline| byline.name.clone())
            .collect(),
    };
    for name in names {
        if !name.trim().is_empty() && known.len() < 1000 && !known.contains(&name) {
            known.push(name);
        }
    }
}

fn nothing(choice: &Choice, known: &[String]) -> Error {
    let what = match choice {
        Choice::Year(year) => format!("no issue of {year} is out"),
        Choice::Section(name) => format!("no issue that is out has a section `{name}`"),
        Choice::Author(name) => format!("no issue that is out has an article by `{name}`"),
    };
    let names: Vec<&str> = known.iter().map(String::as_str).collect();
    let near = match (choice, names.as_slice()) {
        (_, []) => String::new(),
        (Choice::Year(_), years) => format!("; there are `{}`", years.join("`, `")),
        // Of many names only one that is near is worth saying.
        (_, names) => Some(typography::nearest(&choice.name(), names))
            .filter(|near| near.contains("mean"))
            .unwrap_or_default(),
    };
    let help = Some("`gazetted issues list` shows what is out".to_owned());
    Error::Asked { problem: format!("{what}{near}"), help }
}

/// Writes the book beside its place first: nobody finds a half of it under its name.
fn write(anthology: &Anthology, publication: &Publication, press: &Press, file: &Path) -> Result<(), Error> {
    let unwritten = |source| Error::Write { path: file.to_owned(), source };
    let (begun, out) = durable::begin(file).map_err(unwritten)?;
    let terminal = io::stderr().is_terminal();
    let (shown, pictures) =
        (std::cell::Cell::new(0), anthology.releases.iter().map(|r| r.issue.pictures.len()).sum::<usize>());
    let plate = |picture: &Picture| {
        shown.set(shown.get() + 1);
        if terminal {
            eprint!(
                "\r{} of {pictures} pictures{}",
                shown.get(),
                if shown.get() == pictures { "\n" } else { "" }
            );
        }
        press.plate(picture).map_err(io::Error::other)
    };
    let mut out: BufWriter<File> = BufWriter::new(out);
    let bound = editions::bind(anthology, publication, &plate, &mut out)
        .map_err(|source| Error::Bind { path: file.to_owned(), source });
    bound.and_then(|()| {
        out.flush().map_err(unwritten)?;
        begun.finish(out.get_ref(), file).map_err(unwritten)
    })
}
