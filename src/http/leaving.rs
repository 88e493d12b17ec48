//! Leaving: a page that asks, and the answer that acts. A GET changes nothing, because link scanners follow every link.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use minijinja::{Environment, context};

use super::Desk;

const PAGE: &str = include_str!("templates/leave.html");

/// What the page says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Ask,
    Left,
    Unknown,
    Later,
}

/// Shows the question and its button.
pub(super) async fn ask(State(desk): State<Arc<Desk>>, Path(token): Path<String>) -> Response {
    let step = if desk.leave_key.check(&token).is_some() { Step::Ask } else { Step::Unknown };
    page(&desk, step)
}

/// Takes the subscriber out: by the page's button, or by a mail program's one click (RFC 8058). Doing it twice is no error.
pub(super) async fn leave(State(desk): State<Arc<Desk>>, Path(token): Path<String>) -> Response {
    let Some(subscriber) = desk.leave_key.check(&token) else { return page(&desk, Step::Unknown) };
    let (ledger, now) = (Arc::clone(&desk.ledger), desk.clock.now());
    match tokio::task::spawn_blocking(move || ledger.leave(subscriber, now)).await {
        Ok(Ok(_)) => page(&desk, Step::Left),
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a subscriber could not leave");
            page(&desk, Step::Later)
        }
        Err(_) => page(&desk, Step::Later),
    }
}

fn page(desk: &Desk, step: Step) -> Response {
    let status = match step {
        Step::Ask | Step::Left => StatusCode::OK,
        Step::Unknown => StatusCode::NOT_FOUND,
        Step::Later => StatusCode::SERVICE_UNAVAILABLE,
    };
    let chinese = desk.publication.language.is_cjk();
    let says =
        |chinese_words: &'static str, english: &'static str| if chinese { chinese_words } else { english };
    let words = match step {
        Step::Ask => says("不再接收这份刊物的邮件？", "Stop the letters of this publication?"),
        Step::Left => says("已退订，不会再有邮件寄给您。", "Done: no more letters will be sent to you."),
        Step::Unknown => says(
            "这个退订地址不完整，请从邮件中重新点开。",
            "This address is not complete; please open it from the letter once more.",
        ),
        Step::Later => {
            says("暂时无法退订，请稍后再试。", "This cannot be done just now; please try again later.")
        }
    };
    let button = (step == Step::Ask || step == Step::Later).then(|| says("退订", "Stop the letters"));
    let mut pages = Environment::new();
    let html = pages
        .add_template("leave.html", PAGE)
        .and_then(|()| pages.get_template("leave.html"))
        .and_then(|template| {
            template.render(context! {
                title => desk.publication.title.as_str(),
                language => desk.publication.language.as_str(),
                home => desk.publication.base_url.as_str(),
                words,
                button,
            })
        });
    match html {
        Ok(html) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                (header::CACHE_CONTROL, "no-store"),
                (header::REFERRER_POLICY, "no-referrer"),
                (
                    header::CONTENT_SECURITY_POLICY,
                    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
                ),
            ];
            (status, headers, html).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the page for leaving cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
