//! Searching: a form that needs no JavaScript, and the same for e-readers.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use super::ReadingRoom;
use crate::{editions, editions::Found, editions::Listing, ledger, ledger::terms};

/// How many articles a page shows.
const ON_A_PAGE: usize = 20;

/// The last page that is shown: whoever looks further asks for something else.
const LAST_PAGE: usize = 50;

/// The longest question, in characters.
const LONGEST: usize = 200;

/// How many books an e-reader is told of.
const BOOKS: usize = 50;

/// What was asked.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: Option<usize>,
}

impl Asked {
    fn question(&self) -> String {
        self.q.chars().take(LONGEST).collect()
    }
}

/// The page with what was found.
pub(super) async fn pages(State(room): State<Arc<ReadingRoom>>, Query(asked): Query<Asked>) -> Response {
    let answer = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, Trouble> {
        let question = asked.question();
        let page = asked.page.unwrap_or(1).clamp(1, LAST_PAGE);
        let terms = terms::question(&question);
        let skip = (page - 1) * ON_A_PAGE;
        let (articles, count) = room.ledger.search(&room.publication, &terms, skip, ON_A_PAGE)?;
        let pages = count.div_ceil(ON_A_PAGE).min(LAST_PAGE);
        let found = Found { question, articles, count, page, pages };
        Ok(editions::search_page(&found, &room.publication)?)
    });
    respond(answer.await, "text/html; charset=utf-8")
}

/// The books that have what was asked for, as a catalogue (OPDS 1.2 §3).
pub(super) async fn books(State(room): State<Arc<ReadingRoom>>, Query(asked): Query<Asked>) -> Response {
    let answer = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, Trouble> {
        let question = asked.question();
        let terms = terms::question(&question);
        let (articles, _) = room.ledger.search(&room.publication, &terms, 0, BOOKS * 4)?;
        let mut seen = BTreeSet::new();
        let mut listings = Vec::new();
        for article in articles {
            if listings.len() == BOOKS || !seen.insert(article.issue.clone()) {
                continue;
            }
            if let Some(shelved) = room.ledger.issue(&room.publication, &article.issue)? {
                listings.push(Listing::of(&shelved.release, &shelved.book, &room.publication));
            }
        }
        Ok(editions::search_catalogue(&listings, &question, &room.publication)?)
    });
    respond(answer.await, "application/atom+xml;profile=opds-catalog;kind=acquisition")
}

#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    #[error(transparent)]
    Editions(#[from] editions::Error),
}

fn respond(answer: Result<Result<Vec<u8>, Trouble>, tokio::task::JoinError>, kind: &'static str) -> Response {
    match answer {
        Ok(Ok(bytes)) => {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, "no-store"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::REFERRER_POLICY, "no-referrer"),
                (header::CONTENT_SECURITY_POLICY, super::reading::POLICY),
            ];
            (headers, bytes).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a search could not be answered");
            (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "60")], "please try again\n")
                .into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
