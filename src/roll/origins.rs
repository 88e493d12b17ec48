//! Tables that other programs write, known by their first row: which column is what, and what their words mean.
//!
//! The first rows were looked up in these programs' own code and in code that reads their files, in November 2026; `docs/operating.md` says
//! where. A column of such a file that is not named here is nothing to us, whatever it is called: a group of Mailchimp's that an editor
//! has named `Topics` is no section of ours.

use super::columns::Column;
use crate::subscriber::Standing;

/// A program whose files are known.
#[derive(Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub name: &'static str,
    /// What is not in its files and should be known, as a sentence.
    pub caution: Option<&'static str>,
    /// Of each of these groups of names one is in the first row.
    needs: &'static [&'static [&'static str]],
    /// Its columns.
    columns: &'static [(&'static str, Column)],
    /// What its words say of a standing, in words of ours.
    words: &'static [(&'static str, &'static str)],
    /// Columns that are only in files of those who get nothing, with the standing of all of them.
    stops: &'static [(&'static str, Standing)],
}

const ORIGINS: [Origin; 6] = [
    Origin {
        name: "Mailchimp",
        caution: None,
        needs: &[&["emailaddress"], &["euid", "memberrating"]],
        columns: &[
            ("emailaddress", Column::Address),
            ("emailtype", Column::Form),
            ("optintime", Column::ConsentAt),
            ("optinip", Column::ConsentFrom),
            ("confirmtime", Column::ConfirmedAt),
            ("unsubtime", Column::LeftAt),
            ("unsubreason", Column::LeftWhy),
            ("cleantime", Column::SuppressedAt),
            ("cleancampaigntitle", Column::SuppressionText),
        ],
        words: &[],
        stops: &[("unsubtime", Standing::Left), ("cleantime", Standing::Suppressed)],
    },
    Origin {
        name: "Substack",
        caution: None,
        needs: &[&["email"], &["activesubscription"], &["expiry", "emaildisabled"]],
        columns: &[
            ("email", Column::Address),
            ("createdat", Column::ConsentAt),
            ("emaildisabled", Column::Disabled),
        ],
        words: &[],
        stops: &[],
    },
    Origin {
        name: "Substack's page of subscribers",
        caution: Some(
            "this export does not say who has turned letters off; `email_list….csv` in the export of the whole publication does",
        ),
        needs: &[&["email"], &["stripeplan"], &["startdate"]],
        columns: &[
            ("email", Column::Address),
            ("startdate", Column::ConsentAt),
            ("subscriptionsourcefree", Column::ConsentHow),
        ],
        words: &[],
        stops: &[],
    },
    Origin {
        name: "Ghost",
        caution: None,
        needs: &[&["email"], &["subscribedtoemails"], &["complimentaryplan", "stripecustomerid"]],
        columns: &[
            ("email", Column::Address),
            ("subscribedtoemails", Column::Subscribed),
            ("createdat", Column::ConsentAt),
            ("deletedat", Column::LeftAt),
        ],
        words: &[],
        stops: &[],
    },
    Origin {
        name: "listmonk",
        caution: Some(
            "this export does not say who has not confirmed or has left a list; filter it by list and by the status `confirmed` before",
        ),
        needs: &[&["uuid"], &["email"], &["attributes"], &["status"]],
        columns: &[
            // Its letters lead to `/subscription/CAMPAIGN/UUID`.
            ("uuid", Column::OldLink),
            ("email", Column::Address),
            ("status", Column::Standing),
            ("createdat", Column::ConsentAt),
        ],
        words: &[],
        stops: &[],
    },
    Origin {
        name: "Buttondown",
        caution: None,
        needs: &[&["email", "emailaddress"], &["subscribertype"], &["creationdate"]],
        columns: &[
            ("email", Column::Address),
            ("emailaddress", Column::Address),
            ("subscribertype", Column::Standing),
            ("creationdate", Column::ConsentAt),
            ("ipaddress", Column::ConsentFrom),
        ],
        // What is paid is no matter of letters.
        words: &[
            ("regular", "confirmed"),
            ("premium", "confirmed"),
            ("trialed", "confirmed"),
            ("unpaid", "confirmed"),
            ("gifted", "confirmed"),
            ("churning", "confirmed"),
            ("churned", "confirmed"),
            ("paused", "confirmed"),
            ("pastdue", "confirmed"),
            ("unactivated", "pending"),
            ("removed", "suppressed"),
            ("spammy", "suppressed"),
            ("undeliverable", "bounced"),
        ],
        stops: &[],
    },
];

impl Origin {
    /// The program that writes files with these names of columns, in small letters without spaces and marks.
    pub(super) fn of(names: &[String]) -> Option<&'static Self> {
        let has = |name: &&str| names.iter().any(|known| known == name);
        ORIGINS.iter().find(|origin| origin.needs.iter().all(|group| group.iter().any(has)))
    }

    /// What a column of its files holds.
    pub(super) fn column(&self, name: &str) -> Option<Column> {
        self.columns.iter().find(|(known, _)| *known == name).map(|(_, column)| *column)
    }

    /// What a word of its files says of a standing, in a word of ours.
    pub(super) fn word<'w>(&self, word: &'w str) -> &'w str {
        self.words.iter().find(|(known, _)| *known == word).map_or(word, |(_, ours)| *ours)
    }

    /// What everybody is who is in a file with these names of columns.
    pub(super) fn stops(&self, names: &[String]) -> Option<Standing> {
        self.stops.iter().find(|(name, _)| names.iter().any(|known| known == name)).map(|(_, is)| *is)
    }
}
