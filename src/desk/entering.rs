//! Logging in, logging out, and choosing the language.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Answer, Desk, Failure, attempts::Attempts, form::Fields, form::Signed, guard, guard::COOKIE,
    sessions::Sessions, words, words::Words,
};

/// The most bytes that the form for logging in may send.
const FORM: usize = 4096;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/login", get(ask).post(log_in).layer(DefaultBodyLimit::max(FORM)))
        .route("/logout", post(log_out))
        .route("/language", post(choose_language))
}

#[derive(Deserialize)]
struct To {
    #[serde(default)]
    to: String,
}

async fn ask(State(desk): State<Arc<Desk>>, Query(To { to }): Query<To>, headers: HeaderMap) -> Answer {
    if guard::session(&desk, &headers).is_some() {
        return Ok(Redirect::to(inside(&to)).into_response());
    }
    let words = Words::asked(&headers, &desk.publication().language);
    desk.open_page(words, "login.html", &json!({ "to": inside(&to), "problem": null }))
}

async fn log_in(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let words = Words::asked(&headers, &desk.publication().language);
    let fields = Fields::read(&body);
    let to = inside(fields.text("to"));
    let refused = |status: StatusCode, problem: String| -> Answer {
        let page = desk.open_page(words, "login.html", &json!({ "to": to, "problem": problem }))?;
        Ok((status, page).into_response())
    };
    let network = desk.room.network_of(peer.ip(), &headers);
    if let Err(seconds) = with_attempts(&desk, |attempts| attempts.begin(network, desk.clock.now())) {
        tracing::warn!(
            "somebody tries passwords at the desk; nobody can log in from there for {seconds} seconds"
        );
        let minutes = u64::try_from((seconds + 59) / 60).unwrap_or(1);
        let mut response = refused(StatusCode::TOO_MANY_REQUESTS, words.count("login.later", minutes))?;
        if let Ok(after) = HeaderValue::from_str(&seconds.to_string()) {
            response.headers_mut().insert(header::RETRY_AFTER, after);
        }
        return Ok(response);
    }
    let Ok(_place) = desk.door.trying.acquire().await else { return Err(Failure::nothing()) };
    let password = fields.text("password").to_owned();
    // The stamp is asked for first: a password that is changed meanwhile ends the session at once.
    let tried = desk.work(move |desk| Ok((desk.password.stamp(), desk.password.is(&password)?))).await;
    let (stamp, good) = tried.map_err(|error: super::PasswordError| Failure::fault(&error))?;
    let (Some(stamp), true) = (stamp, good) else {
        tracing::warn!("a wrong password was tried at the desk");
        return refused(StatusCode::FORBIDDEN, words.say("login.wrong", &[]));
    };
    with_attempts(&desk, |attempts| attempts.forget(network));
    let begun = with_sessions(&desk, |sessions| sessions.begin(stamp, desk.clock.now()));
    let token = begun.map_err(|error: io::Error| Failure::fault(&error))?;
    let secure = headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    let secure = if secure { "; Secure" } else { "" };
    Ok(with_cookie(
        Redirect::to(to).into_response(),
        &format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=604800{secure}"),
    ))
}

async fn log_out(State(desk): State<Arc<Desk>>, headers: HeaderMap, _: Signed) -> Response {
    if let Some(token) = words::cookie(&headers, COOKIE) {
        with_sessions(&desk, |sessions| sessions.end(&token));
    }
    let gone = format!("{COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    with_cookie(Redirect::to("/login").into_response(), &gone)
}

/// Keeps the language that somebody chose, whether or not he or she is logged in.
async fn choose_language(body: Bytes) -> Answer {
    let fields = Fields::read(&body);
    let words = Words::of_tag(fields.text("lang")).ok_or_else(Failure::garbled)?;
    let cookie =
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000", words::COOKIE, words.lang);
    Ok(with_cookie(Redirect::to(inside(fields.text("to"))).into_response(), &cookie))
}

fn with_attempts<T>(desk: &Desk, work: impl FnOnce(&mut Attempts) -> T) -> T {
    work(&mut desk.door.passwords.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn with_sessions<T>(desk: &Desk, work: impl FnOnce(&mut Sessions) -> T) -> T {
    work(&mut desk.door.sessions.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A path of ours: what would lead to another site leads to the first page.
fn inside(to: &str) -> &str {
    let good = to.starts_with('/')
        && !to[1..].starts_with(['/', '\\'])
        && to.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if good { to } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        assert_eq!(inside("/issues?page=2"), "/issues?page=2");
        for elsewhere in
            ["", "//evil.example", "/\\evil.example", "https://evil.example/", "/a\nb", "/\t/evil"]
        {
            assert_eq!(inside(elsewhere), "/", "{elsewhere}");
        }
    }
}
