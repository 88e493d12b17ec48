//! `gazetted verify`: whether what readers see is whole, and is what the ledger says.

use super::{Error, report, say};
use crate::{config::Newsroom, daemon, verify};

pub(super) fn run(newsroom: &Newsroom) -> Result<(), Error> {
    let ledger = daemon::open_ledger(newsroom)?;
    let publication = newsroom.publication(newsroom.settings.http.listen);
    let press = daemon::open_press(newsroom, publication, ledger)?;
    let checked = verify::verify(&*press.ledger, &press.outbox, &press.publication)?;
    for finding in &checked.findings {
        super::complain(finding);
    }
    let looked = format!(
        "{} and {} looked at",
        report::count(checked.issues, "issue"),
        report::count(checked.links, "link")
    );
    if checked.findings.is_empty() {
        return say(&format!("{looked}: all is well"));
    }
    say(&format!("{looked}: {} wrong", report::count(checked.findings.len() as u64, "thing")))?;
    Err(Error::Found)
}
