//! How a proof would come out, printed in memory: nothing is put out, and nothing is noted.

use std::path::Path;

use jiff::Timestamp;

use super::{Error, Press, unprintable};
use crate::{
    editions, editions::Beside, editions::Letter, editions::Printed, editions::Shelved, inbox,
    issue::Release, proof, subscriber::Wish,
};

/// What readers would get.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The book and the pages.
    pub printed: Printed,
    /// The letter to those who get each issue in full form.
    pub letter: Option<Letter>,
}

impl Press {
    /// Prints the issue of a proof's text, which is of the manuscript `source` in the inbox, as if it came out `now`. Gives why it cannot
    /// be printed where that is its editor's to mend.
    ///
    /// # Errors
    /// When what was kept cannot be read, or by faults of this program.
    pub fn preview(
        &self,
        text: &str,
        source: &Path,
        now: Timestamp,
    ) -> Result<Result<Preview, String>, Error> {
        let saved = match proof::read(text) {
            Ok(saved) => saved,
            Err(problems) => {
                let told: Vec<String> = problems.iter().take(5).map(ToString::to_string).collect();
                return Ok(Err(told.join("; ")));
            }
        };
        let mut issue = saved.proof.issue;
        if issue.articles.is_empty() {
            return Ok(Err("it has no article; an article begins with a line `# headline`".to_owned()));
        }
        let current = inbox::open(&self.inbox, &self.inbox.join(source)).ok();
        if let Some(missing) = self.bring_pictures(&mut issue, current.as_ref())? {
            return Ok(Err(format!("the picture `{missing}` is not with the manuscript")));
        }
        let before = self.ledger.issue(&self.publication, &issue.key)?;
        issue.name_articles(before.as_ref().map(|before| &before.release.issue));
        let version = before.as_ref().map_or(1, |before| before.release.version + 1);
        let published = before.as_ref().map_or(now, |before| before.release.published);
        let release = Release { issue, version, published, updated: now };
        let plates = self.plates(&release)?;
        let printed = editions::print_beside(&release, &Beside::default(), &self.publication, &plates)
            .map_err(unprintable(&release))?;
        let shelved = Shelved { book: printed.book_file(), release };
        let letter =
            editions::letter(std::slice::from_ref(&shelved), None, &Wish::default(), &self.publication)
                .map_err(unprintable(&shelved.release))?;
        Ok(Ok(Preview { printed, letter }))
    }
}
