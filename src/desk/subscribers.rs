//! The subscribers: how many there are and were, who they are, and one of them with every letter and what servers answered.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, Query, State as Of},
    response::{IntoResponse as _, Redirect},
    routing::{get, post},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Desk, Failure, deeds, deeds::Addition, form::Signed, guard::Editor, plot, words::Words};
use crate::{
    delivery::Bounce, delivery::Kind, delivery::Reply, ledger::Sent, subscriber::Address,
    subscriber::Consent, subscriber::Preferences, subscriber::Standing, subscriber::Subscriber,
    subscriber::SubscriberId,
};

/// How many are shown on a page.
const PAGE: usize = 50;

/// How many letters are shown of one.
const HISTORY: usize = 100;

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new()
        .route("/subscribers", get(list).post(add))
        .route("/subscribers/{id}", get(show))
        .route("/subscribers/{id}/{deed}", post(act))
}

/// What is asked for: a part of an address, and after whom the page begins.
#[derive(Default, Deserialize)]
struct Asked {
    #[serde(default)]
    find: String,
    #[serde(default)]
    after: i64,
}

async fn list(Of(desk): Of<Arc<Desk>>, editor: Editor, Query(asked): Query<Asked>) -> Answer {
    page(&desk, &editor, &asked, None).await
}

/// The list, and what came of adding somebody.
async fn page(desk: &Arc<Desk>, editor: &Editor, asked: &Asked, told: Option<String>) -> Answer {
    let (part, after) = (asked.find.trim().to_owned(), SubscriberId(asked.after));
    let (counts, growth, mut found) = desk
        .ask(move |ledger| {
            let mut counts = Vec::new();
            for standing in Standing::ALL {
                counts.push((standing, ledger.count(standing)?));
            }
            let found = if part.is_empty() {
                ledger.subscribers(after, PAGE + 1)?
            } else {
                ledger.subscribers_with(&part, after, PAGE + 1)?
            };
            Ok((counts, ledger.growth()?, found))
        })
        .await?;
    let more = found.len() > PAGE;
    found.truncate(PAGE);
    let words = editor.words;
    let confirmed =
        counts.iter().find(|(standing, _)| *standing == Standing::Confirmed).map_or(0, |(_, n)| *n);
    let plot = plot::steps(&summed(&growth), desk.clock.now(), &desk.publication().time_zone);
    let counts: Vec<Value> = counts
        .iter()
        .map(|(standing, n)| {
            json!({ "name": words.say(&format!("standing.{}", standing.as_str()), &[]), "standing": standing.as_str(), "n": n })
        })
        .collect();
    let it = json!({
        "told": told,
        "find": asked.find,
        "counts": counts,
        "plot": plot,
        "grown": words.count("subscribers.grown", confirmed),
        "found": found.iter().map(|one| line(desk, one, words)).collect::<Vec<_>>(),
        "next": if more { found.last().map(|last| last.id) } else { None },
        "asks_self": desk.head.sender.address,
    });
    desk.page(editor, "subscribers.html", "/subscribers", &it)
}

/// How many there were after each day.
fn summed(growth: &[(Timestamp, i64)]) -> Vec<(Timestamp, u64)> {
    let mut so_far = 0_i64;
    growth
        .iter()
        .map(|(day, more)| {
            so_far += more;
            (*day, u64::try_from(so_far).unwrap_or(0))
        })
        .collect()
}

async fn add(Of(desk): Of<Arc<Desk>>, Signed { editor, fields }: Signed) -> Answer {
    let words = editor.words;
    let text = fields.text("address").trim().to_owned();
    let address = match Address::parse(&text) {
        Ok(address) => address,
        Err(error) => {
            let told = words.say("subscribers.bad", &[("address", &text), ("reason", &error.to_string())]);
            return page(&desk, &editor, &Asked::default(), Some(told)).await;
        }
    };
    let (now, vouched) = (desk.clock.now(), fields.find("vouched").is_some());
    let consent = Consent { at: now, how: HOW.to_owned(), from: None, confirmed: vouched.then_some(now) };
    let added = deeds::add(&desk, address, consent, Preferences::default()).await?;
    let told = match added {
        Addition::Added(_) => "subscribers.added",
        Addition::Already(_) => "subscribers.already",
        Addition::Asked(_) => "subscribers.asked",
        Addition::AskedBefore(_) => "subscribers.asked_before",
        Addition::AskedOften(_) => "subscribers.asked_often",
        Addition::HadLeft(_) => "subscribers.had_left",
        Addition::IsSuppressed(_) => "subscribers.is_suppressed",
        Addition::WasForgotten => "subscribers.was_forgotten",
    };
    let told = words.say(told, &[("address", &text)]);
    page(&desk, &editor, &Asked { find: text, after: 0 }, Some(told)).await
}

/// What the ledger keeps of how somebody came whom an editor entered.
const HOW: &str = "added at the desk";

async fn show(Of(desk): Of<Arc<Desk>>, editor: Editor, Path(id): Path<i64>) -> Answer {
    let id = SubscriberId(id);
    let (subscriber, bounces, history) = desk
        .ask(move |ledger| {
            let Some(subscriber) = ledger.subscriber_of(id)? else { return Ok(None) };
            Ok(Some((subscriber, ledger.bounces(id)?, ledger.history(id, HISTORY)?)))
        })
        .await?
        .ok_or_else(Failure::nothing)?;
    let words = editor.words;
    let Subscriber { consent, suppression, preferences, .. } = &subscriber;
    let reason = suppression.as_ref().map(|suppression| {
        let name = words.say(&format!("reason.{}", suppression.reason.as_str()), &[]);
        json!({ "name": name, "at": desk.time(suppression.at), "text": suppression.text })
    });
    let sections: Vec<&str> = preferences.wish.sections.iter().collect();
    let it = json!({
        "who": line(&desk, &subscriber, words),
        "consent": { "at": desk.time(consent.at), "how": consent.how, "from": consent.from, "confirmed": consent.confirmed.map(|at| desk.time(at)) },
        "reason": reason,
        "device": preferences.device,
        "sections": sections,
        "bounces": bounces.iter().map(|bounce| report(&desk, bounce, words)).collect::<Vec<_>>(),
        "letters": history.iter().map(|sent| letter(&desk, sent, words)).collect::<Vec<_>>(),
        "gone": matches!(subscriber.standing, Standing::Left | Standing::Suppressed),
    });
    desk.page(&editor, "subscriber.html", "/subscribers", &it)
}

async fn act(
    Of(desk): Of<Arc<Desk>>,
    Path((id, deed)): Path<(i64, String)>,
    Signed { fields, .. }: Signed,
) -> Answer {
    let id = SubscriberId(id);
    match deed.as_str() {
        "leave" => {
            deeds::leave(&desk, id).await?;
            Ok(Redirect::to(&format!("/subscribers/{}", id.0)).into_response())
        }
        // There is no way back: it must have been meant.
        "forget" if fields.find("sure").is_some() => {
            deeds::forget(&desk, id).await?;
            Ok(Redirect::to("/subscribers").into_response())
        }
        "forget" => Ok(Redirect::to(&format!("/subscribers/{}", id.0)).into_response()),
        _ => Err(Failure::nothing()),
    }
}

/// A subscriber as a line of the list.
fn line(desk: &Desk, one: &Subscriber, words: &Words) -> Value {
    let preferences = &one.preferences;
    json!({
        "id": one.id,
        "address": one.address,
        "standing": one.standing.as_str(),
        "name": words.say(&format!("standing.{}", one.standing.as_str()), &[]),
        "pace": words.say(&format!("pace.{}", preferences.pace.as_str()), &[]),
        "form": words.say(&format!("form.{}", preferences.wish.form.as_str()), &[]),
        "since": desk.time(one.consent.at),
    })
}

fn letter(desk: &Desk, sent: &Sent, words: &Words) -> Value {
    let kind = match sent.kind {
        Kind::Digest(pace) => words.say(&format!("pace.{}", pace.as_str()), &[]),
        Kind::Confirmation => words.say("letters.confirmation", &[]),
    };
    json!({
        "digest": sent.digest,
        "is_digest": sent.kind != Kind::Confirmation,
        "subject": sent.subject,
        "kind": kind,
        "period": sent.period,
        "state": sent.state.as_str(),
        "name": words.say(&format!("letter.{}", sent.state.as_str()), &[]),
        "attempts": sent.attempts,
        "queued": desk.time(sent.queued),
        "settled": sent.settled.map(|at| desk.time(at)),
        "said": sent.reply.as_ref().map(Reply::told),
    })
}

fn report(desk: &Desk, bounce: &Bounce, words: &Words) -> Value {
    let kind = serde_json::to_value(bounce.kind).ok();
    let kind = kind.as_ref().and_then(Value::as_str).unwrap_or_default();
    json!({
        "at": desk.time(bounce.at),
        "name": words.say(&format!("report.{kind}"), &[]),
        "source": bounce.source,
        "status": bounce.status,
        "text": bounce.text,
    })
}
