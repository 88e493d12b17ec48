//! `gazetted proof`: how a file is read, without publishing it.

use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::{Error, newsroom, say};
use crate::{
    config::Newsroom, config::Settings, inbox, issue::Article, issue::Role, manuscript, press, proof,
    proof::Proof, prose::Block, receipts, receipts::Receipts, receipts::Record, receipts::Repair,
    theme::Theme,
};

#[derive(clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag that is given or not")]
pub(super) struct Arguments {
    /// The file, or a folder or zip with a text and its pictures
    file: PathBuf,
    /// Print it as JSON, for programs; with --receipts its repairs too
    #[arg(long, conflicts_with_all = ["outline", "diff"])]
    json: bool,
    /// Print only what became of each part, with the first and last words of each paragraph
    #[arg(long, conflicts_with_all = ["diff", "receipts"])]
    outline: bool,
    /// Print the file and its reading side by side
    #[arg(long, conflicts_with = "receipts")]
    diff: bool,
    /// Print what was done to the text: joined, removed, undoubled, moved, with its lines
    #[arg(long)]
    receipts: bool,
}

pub(super) fn run(config: &Path, arguments: &Arguments) -> Result<(), Error> {
    // A file can be read anywhere; in a newsroom it is read as there.
    let newsroom = if config.exists() {
        newsroom(config)?
    } else {
        Newsroom {
            root: PathBuf::from("."),
            settings: Settings::default(),
            theme: Theme::default(),
            cover: None,
        }
    };
    let file = &arguments.file;
    let failed = |source| Error::Read { path: file.clone(), source };
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let unreadable = |reason: String| Error::Asked {
        problem: format!("cannot read `{}`: {reason}", file.display()),
        help: None,
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let (hash, text, main, bytes) = if file.is_dir() {
        let folder = inbox::open(&newsroom.inbox(), file).map_err(failed)?;
        let bytes = folder.bytes.clone().map_err(unreadable)?;
        let text = folder.open(&bytes).map_err(|error| error.to_string());
        let hash = folder.originals(&bytes).first().map(|(hash, _)| hash.clone()).unwrap_or_default();
        (hash, text, folder.text_name(), bytes)
    } else {
        let bytes = std::fs::read(file).map_err(failed)?;
        let text = manuscript::open(&name, &bytes).map_err(|error| error.to_string());
        (blake3::hash(&bytes).to_hex().to_string(), text, name.to_string(), bytes)
    };
    let lexicon = press::lexicon(&newsroom.data()).map_err(|problem| Error::Asked { problem, help: None })?;
    let text = press::with_kept_pictures(&newsroom.data(), &hash, text.map_err(unreadable)?).with(lexicon);
    let proof = manuscript::read(&text, &publication);
    let record = || {
        let receipts = Receipts::of(&main, &bytes, &proof)?;
        Some(Record::of(receipts, &main, &proof.issue))
    };
    if arguments.receipts && !arguments.json {
        let told = record().map_or_else(|| receipts::without(&main), |record| record.to_string());
        return say(told.trim_end());
    }
    if arguments.diff {
        let width = std::env::var("COLUMNS").ok().and_then(|width| width.parse().ok()).unwrap_or(100);
        return say(proof::side_by_side(&proof, text.text(), width).trim_end());
    }
    if arguments.outline {
        return say(&outline(&proof, &proof.issue.name(&publication)));
    }
    if arguments.json {
        let repairs = arguments.receipts.then(record).flatten().map(|record| record.repairs);
        drop((text, bytes));
        return write_json(&Told { proof: &proof, repairs }).map_err(Error::Answer);
    }
    let source = proof::Source { name: &name, hash: &hash, text: text.text() };
    say(proof::write(&proof, &source).trim_end())
}

/// A proof as programs get it, with its repairs where they are asked for.
#[derive(serde::Serialize)]
struct Told<'p> {
    #[serde(flatten)]
    proof: &'p Proof,
    #[serde(skip_serializing_if = "Option::is_none")]
    repairs: Option<Vec<Repair>>,
}

fn write_json(told: &Told<'_>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut out, told)?;
    writeln!(out)?;
    out.flush()
}

/// The proof as an editor looks it over: what became of each part, then the doubts.
fn outline(proof: &Proof, name: &str) -> String {
    let issue = &proof.issue;
    let mut lines = vec![format!("{name}  (issue {})", issue.key)];
    let fields = [
        ("section", issue.section.clone()),
        ("page", issue.page.clone()),
        ("editors", Some(issue.editors.join(", ")).filter(|names| !names.is_empty())),
        ("publisher", issue.publisher.clone()),
        ("language", Some(issue.language.as_str().to_owned())),
    ];
    lines.extend(fields.into_iter().filter_map(|(name, value)| Some(format!("  {name}: {}", value?))));
    lines.extend(issue.contact.iter().map(|(name, value)| format!("  {name}: {value}")));
    for (n, article) in issue.articles.iter().enumerate() {
        lines.push(String::new());
        lines.extend(article_lines(n + 1, article));
    }
    if !proof.queries.is_empty() {
        lines.push(String::new());
        lines.push("Queries".to_owned());
        for query in &proof.queries {
            let code = serde_json::to_value(query.code).ok();
            let code = code.as_ref().and_then(|code| code.as_str()).unwrap_or_default();
            let place = query.line.map_or(String::new(), |line| format!("line {line}, "));
            lines.push(format!("  {place}{code}: {}", query.text));
        }
    }
    if !proof.not_used.is_empty() {
        lines.push(String::new());
        lines.push("Not used".to_owned());
        lines.extend(proof.not_used.iter().map(|text| format!("  {text}")));
    }
    lines.join("\n")
}

fn article_lines(n: usize, article: &Article) -> Vec<String> {
    let made_up = if article.headline.synthetic { "  (made from its first words)" } else { "" };
    let mut lines = Vec::new();
    lines.extend(article.kicker.iter().map(|kicker| format!("   {kicker}")));
    lines.push(format!("{n}. {}{made_up}", article.headline.text));
    lines.extend(article.dek.iter().map(|dek| format!("   {dek}")));
    for byline in &article.bylines {
        let role = match byline.role {
            Role::Author => "by",
            Role::Photographer => "pictures",
            Role::Translator => "translated by",
        };
        let from = byline.affiliation.as_ref().map_or(String::new(), |from| format!(", {from}"));
        lines.push(format!("   {role} {}{from}", byline.name));
    }
    for block in &article.body {
        match block {
            Block::Subhead { .. } => lines.push(format!("   ## {}", block.plain())),
            Block::Figure { picture, .. } => lines.push(format!("   [{picture}] {}", ends(&block.plain()))),
            _ => lines.push(format!("   {}", ends(&block.plain()))),
        }
    }
    lines.extend(article.credit.iter().map(|credit| format!("   {}", credit.printed)));
    lines.extend(article.captions.iter().map(|caption| format!("   [{caption}]")));
    lines
}

/// The first and the last words of a paragraph: where cuts and joins show.
fn ends(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= 44 {
        return text.to_owned();
    }
    let head: String = letters[..24].iter().collect();
    let tail: String = letters[letters.len() - 16..].iter().collect();
    format!("{head} … {tail}  ({} characters)", letters.len())
}
