//! Checks what readers see against what the ledger says, as an outsider would: by following the links.

use std::{collections::BTreeSet, str::FromStr as _};

use jiff::Timestamp;

use crate::{editions, ledger, ledger::Ledger, outbox, outbox::Outbox, publication::Publication};

/// What was looked at and what is wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// How many issues.
    pub issues: u64,
    /// How many links.
    pub links: u64,
    /// What is wrong, a sentence each.
    pub findings: Vec<String>,
}

/// Looks at the ledger itself, at every issue that it says is out, and at every link of the feed and of the pages.
///
/// # Errors
/// When the ledger cannot be read.
pub fn verify(
    ledger: &dyn Ledger,
    outbox: &Outbox,
    publication: &Publication,
) -> Result<Checked, ledger::Error> {
    let mut checked = Checked { findings: ledger.examine()?, ..Checked::default() };
    let books = ledger.books(publication)?;
    for (key, book) in &books {
        checked.issues += 1;
        checked.follow(outbox, publication, "the ledger", &publication.url(&book.path), Some(book.length));
        checked.follow(outbox, publication, "the ledger", &publication.url(&format!("issues/{key}/")), None);
    }
    let mut known: BTreeSet<String> = books.iter().map(|(key, _)| publication.tag(key.as_str())).collect();
    // What waits for its time is not interrupted.
    for begun in ledger.interrupted(publication, Timestamp::MIN)? {
        let key = &begun.release.issue.key;
        // Its entry may be in the feed already: the ledger learns last.
        known.insert(publication.tag(key.as_str()));
        checked
            .findings
            .push(format!("issue `{key}` was begun and not finished; the next `gazetted run` does it"));
    }
    if books.is_empty() {
        return Ok(checked);
    }
    checked.read_feed(outbox, publication, "feed.xml", Some(&known));
    for number in 1..=editions::n_sealed(ledger.n_published(publication)?) {
        checked.read_feed(outbox, publication, &editions::sealed_feed(number), Some(&known));
    }
    checked.read_others(outbox, publication);
    let pages = books.iter().map(|(key, _)| format!("issues/{key}/index.html"));
    let mut links = BTreeSet::new();
    for page in ["index.html", "feeds.html"].map(str::to_owned).into_iter().chain(pages) {
        // What is not there is found by following the links to it.
        let html = match outbox.text(&page) {
            Ok(Some(html)) => html,
            Ok(None) => continue,
            Err(error) => {
                checked.cannot(&page, &error);
                continue;
            }
        };
        links.extend(addresses(&html).filter_map(|link| absolute(&link, &page, publication)));
    }
    for link in links {
        checked.follow(outbox, publication, "a page", &link, None);
    }
    Ok(checked)
}

impl Checked {
    /// The text of a file that must be there; where it is not, or cannot be looked at, that is a finding.
    fn text(&mut self, outbox: &Outbox, path: &str) -> Option<String> {
        match outbox.text(path) {
            Ok(Some(text)) => return Some(text),
            Ok(None) => self.findings.push(format!("`{path}` is not there")),
            Err(error) => self.cannot(path, &error),
        }
        None
    }

    /// What cannot be looked at is not said to be missing.
    fn cannot(&mut self, path: &str, error: &outbox::Error) {
        let mut said = format!("`{path}` cannot be looked at: {error}");
        let mut cause = std::error::Error::source(error);
        while let Some(because) = cause {
            said = format!("{said}: {because}");
            cause = because.source();
        }
        self.findings.push(said);
    }

    fn read_feed(
        &mut self,
        outbox: &Outbox,
        publication: &Publication,
        path: &str,
        known: Option<&BTreeSet<String>>,
    ) {
        let Some(text) = self.text(outbox, path) else { return };
        let feed = match rss::Channel::from_str(&text) {
            Ok(feed) => feed,
            Err(error) => {
                self.findings.push(format!("`{path}` is no feed: {error}"));
                return;
            }
        };
        for item in feed.items() {
            if let Some(link) = item.link() {
                self.follow(outbox, publication, path, link, None);
            }
            if let Some(enclosure) = item.enclosure() {
                self.follow(outbox, publication, path, enclosure.url(), enclosure.length().parse().ok());
            }
            for picture in item.content().into_iter().flat_map(|content| values(content, "src=\"")) {
                self.follow(outbox, publication, path, &picture, None);
            }
            let guid = item.guid().map(rss::Guid::value).unwrap_or_default();
            if known.is_some_and(|known| !known.contains(guid)) {
                self.findings
                    .push(format!("`{path}` has the entry `{guid}`, of which the ledger knows nothing"));
            }
        }
    }

    /// The other feeds, which the list of feeds names, the catalogue and the map of the site.
    fn read_others(&mut self, outbox: &Outbox, publication: &Publication) {
        // Below it is looked at again.
        let feeds = outbox.text("feeds.opml").ok().flatten().unwrap_or_default();
        for feed in values(&feeds, "xmlUrl=\"") {
            if let Some(path) = feed.strip_prefix(&publication.base_url).filter(|path| *path != "feed.xml") {
                self.read_feed(outbox, publication, path, None);
            }
        }
        for path in ["feeds.opml", "feed/atom.xml", "opds/root.xml", "opds/navigation.xml", "sitemap.xml"] {
            let Some(text) = self.text(outbox, path) else { continue };
            let maps = text.split("<loc>").skip(1).filter_map(|rest| rest.split('<').next());
            let links: BTreeSet<String> = addresses(&text).chain(maps.map(str::to_owned)).collect();
            for link in links {
                self.follow(outbox, publication, path, &link, None);
            }
        }
    }

    /// Follows a link to our own address; links to elsewhere are not ours to answer for.
    fn follow(
        &mut self,
        outbox: &Outbox,
        publication: &Publication,
        from: &str,
        link: &str,
        length: Option<u64>,
    ) {
        // The daemon answers this one.
        let Some(path) = link.strip_prefix(&publication.base_url).filter(|path| *path != editions::JOIN)
        else {
            return;
        };
        self.links += 1;
        let path = path.split(['#', '?']).next().unwrap_or_default();
        let path = if path.is_empty() || path.ends_with('/') {
            format!("{path}index.html")
        } else {
            path.to_owned()
        };
        let found = match outbox.length(&path) {
            Ok(found) => found,
            Err(error) => return self.cannot(&path, &error),
        };
        match found {
            None => self.findings.push(format!("{from} leads to `{path}`, which is not there")),
            Some(found) => match length {
                Some(length) if length != found => self
                    .findings
                    .push(format!("{from} says that `{path}` has {length} bytes, and it has {found}")),
                _ if found == 0 => self.findings.push(format!("`{path}` is empty")),
                _ => {}
            },
        }
    }
}

/// The values of `href` and `src` in a page of ours.
fn addresses(html: &str) -> impl Iterator<Item = String> + '_ {
    ["href=\"", "src=\""].into_iter().flat_map(move |attribute| values(html, attribute))
}

fn values<'h>(html: &'h str, attribute: &'static str) -> impl Iterator<Item = String> + use<'h> {
    html.split(attribute)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|link| link.replace("&amp;", "&").replace("&#x2f;", "/"))
}

/// The address that a link on `page` leads to, if it leads to another page of ours.
fn absolute(link: &str, page: &str, publication: &Publication) -> Option<String> {
    if link.starts_with(&publication.base_url) {
        return Some(link.to_owned());
    }
    if link.contains(':') || link.starts_with('#') || link.is_empty() {
        return None;
    }
    let mut folders: Vec<&str> = page.split('/').collect();
    folders.pop();
    if let Some(rooted) = link.strip_prefix('/') {
        return Some(publication.url(rooted));
    }
    let mut rest = link;
    while let Some(above) = rest.strip_prefix("../") {
        folders.pop();
        rest = above;
    }
    folders.push(rest.strip_prefix("./").unwrap_or(rest));
    Some(publication.url(&folders.join("/")))
}
