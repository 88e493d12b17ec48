//! `/subscribers`: who gets the letters, what each wishes, and every letter to one.

mod shown;

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse as _, response::Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use self::shown::{BounceView, LetterView, SubscriberView, WholeSubscriber};
use super::{
    Limit,
    problem::Problem,
    route::Route,
    taking::{Asked, Named, Object, Sent},
};
use crate::{
    desk::Desk, desk::deeds, desk::deeds::Addition, prose::Language, subscriber::Address,
    subscriber::Consent, subscriber::Form, subscriber::Pace, subscriber::Preferences, subscriber::Sections,
    subscriber::SubscriberId, subscriber::Suppression, subscriber::SuppressionReason,
};

/// How many letters are told of one.
const HISTORY: usize = 200;

/// The longest words that are kept of how somebody asked, in characters.
const LONGEST: usize = 400;

const HELP: &str = "`/api/v1/subscribers?find=` finds them by a part of the address";

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/subscribers", "subscribers", "The subscribers, in the order in which they came", list)
            .asks::<Which>()
            .gives::<Subscribers>(200, "Some of them, and where the rest begins."),
        Route::post(
            "/subscribers",
            "add_subscriber",
            "Enter somebody: without `consent` a letter asks first, and issues begin after a yes",
            add,
        )
        .sends::<NewSubscriber>()
        .gives::<AddedView>(201, "Gets letters from the next issue on.")
        .gives::<AddedView>(202, "Gets a letter that asks.")
        .gives::<AddedView>(200, "Was there before, or was asked before; nothing was done.")
        .refuses(409, "Had left, must not be written to, or was erased; nothing was done."),
        Route::get(
            "/subscribers/{subscriber}",
            "subscriber",
            "One subscriber with every letter and report",
            show,
        )
        .gives::<WholeSubscriber>(200, "The subscriber."),
        Route::patch(
            "/subscribers/{subscriber}",
            "change_subscriber",
            "Change what somebody gets, from the next digest on",
            change,
        )
        .sends::<Wishes>()
        .gives::<SubscriberView>(200, "The subscriber as he or she is now."),
        Route::delete(
            "/subscribers/{subscriber}",
            "forget_subscriber",
            "Erase somebody with all letters and reports, for ever",
            forget,
        )
        .gives_nothing("Erased; a hash is kept, so that no import brings the address back."),
        Route::post(
            "/subscribers/{subscriber}/leave",
            "take_out_subscriber",
            "Send somebody no more letters",
            leave,
        )
        .gives::<SubscriberView>(200, "The subscriber as he or she is now."),
        Route::put(
            "/subscribers/{subscriber}/suppression",
            "suppress_subscriber",
            "Never write to somebody again, whoever enters the address",
            suppress,
        )
        .sends::<Why>()
        .gives::<SubscriberView>(200, "The subscriber as he or she is now; who had left stays so."),
    ]
}

/// Which subscribers.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Those whose address has this in it, whatever its case.
    #[serde(default)]
    find: String,
    /// Those that follow this one: what `next` said.
    #[serde(default)]
    after: i64,
    /// How many at most.
    #[serde(default)]
    limit: Limit,
}

/// A part of the list of subscribers.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Subscribers {
    subscribers: Vec<SubscriberView>,
    /// What `after` is for the next part; nothing where this is the last.
    next: Option<i64>,
}

/// Somebody to be entered.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewSubscriber {
    #[schemars(email)]
    address: String,
    /// That he or she has asked already, and need not be asked by a letter: you vouch for it.
    #[serde(default)]
    #[schemars(with = "Option<NewConsent>")]
    consent: Option<Object<NewConsent>>,
    #[serde(flatten)]
    wishes: Wishes,
}

/// How somebody asked.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewConsent {
    /// In words, for a later question: `at the counter, on paper`.
    #[schemars(length(min = 1, max = LONGEST))]
    how: String,
    /// When; now where nothing is said.
    #[serde(default)]
    at: Option<Timestamp>,
}

/// What somebody wishes; what is left out stays, or is as usual.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wishes {
    #[serde(default)]
    pace: Option<Pace>,
    #[serde(default)]
    form: Option<Form>,
    /// The sections that are wanted, by their names or slugs; none means all.
    #[serde(default)]
    sections: Option<Vec<String>>,
    /// A language tag; `null` is each issue's own language.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    language: Change,
    /// The address of an e-reader, to which books go; `null` is the subscriber's own.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    device: Change,
}

/// What is to be of a value that may be none: to say `null` is not to say nothing.
#[derive(Default)]
enum Change {
    #[default]
    None,
    To(Option<String>),
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Option::deserialize(from).map(Self::To)
    }
}

impl Wishes {
    /// `before`, with what is said here instead.
    fn over(self, before: Preferences) -> Result<Preferences, Problem> {
        let mut wished = before;
        wished.pace = self.pace.unwrap_or(wished.pace);
        wished.wish.form = self.form.unwrap_or(wished.wish.form);
        if let Some(sections) = &self.sections {
            wished.wish.sections = Sections::of(sections);
        }
        if let Change::To(language) = self.language {
            wished.wish.language = language
                .map(|tag| {
                    let wrong = || format!("language: `{tag}` is not a language tag");
                    Language::parse(&tag)
                        .ok_or_else(|| Problem::unfit(wrong(), "say one such as `zh-Hans` or `en`"))
                })
                .transpose()?;
        }
        if let Change::To(device) = self.device {
            wished.device = device.map(|device| address_of("device", &device)).transpose()?;
        }
        Ok(wished)
    }
}

fn address_of(field: &str, text: &str) -> Result<Address, Problem> {
    Address::parse(text).map_err(|error| {
        Problem::unfit(format!("{field}: {error}"), "give an address such as `li@example.org`")
    })
}

/// What came of entering somebody.
#[derive(Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct AddedView {
    /// `added`, `already`, `asked`, `asked_before` (within a day) or `asked_often` (as often as may be).
    result: &'static str,
    subscriber: SubscriberView,
}

/// Why an address is not to be written to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Why {
    /// Whoever asks later reads it.
    #[schemars(length(min = 1, max = LONGEST))]
    text: String,
}

async fn list(
    State(desk): State<Arc<Desk>>,
    Asked(Which { find, after, limit }): Asked<Which>,
) -> Result<Json<Subscribers>, Problem> {
    let (part, after) = (find.trim().to_owned(), SubscriberId(after));
    let mut found = desk
        .ask(move |ledger| match part.as_str() {
            "" => ledger.subscribers(after, limit.0 + 1),
            part => ledger.subscribers_with(part, after, limit.0 + 1),
        })
        .await?;
    let next = found.get(limit.0).and(found.get(limit.0 - 1)).map(|last| last.id.0);
    found.truncate(limit.0);
    Ok(Json(Subscribers { subscribers: found.into_iter().map(SubscriberView::of).collect(), next }))
}

async fn add(State(desk): State<Arc<Desk>>, Sent(new): Sent<NewSubscriber>) -> Result<Response, Problem> {
    let address = address_of("address", &new.address)?;
    let preferences = new.wishes.over(Preferences::default())?;
    let now = desk.clock.now();
    let consent = match new.consent {
        Some(Object(said)) => {
            let how = words("consent.how", &said.how)?;
            Consent { at: said.at.unwrap_or(now), how, from: None, confirmed: Some(now) }
        }
        None => Consent { at: now, how: "entered by a program".to_owned(), from: None, confirmed: None },
    };
    let added = deeds::add(&desk, address, consent, preferences).await?;
    let refused = |why: &str, help: &str| Err(Problem::of(StatusCode::CONFLICT, why, help));
    let (status, id) = match added {
        Addition::Added(id) => (StatusCode::CREATED, id),
        Addition::Asked(id) => (StatusCode::ACCEPTED, id),
        Addition::Already(id) | Addition::AskedBefore(id) | Addition::AskedOften(id) => (StatusCode::OK, id),
        Addition::HadLeft(_) => {
            return refused(
                "this reader had left",
                "only the reader can come back, by the form on the readers' pages",
            );
        }
        Addition::IsSuppressed(id) => {
            let help = format!("`/api/v1/subscribers/{}` says why", id.0);
            return refused("this address must not be written to", &help);
        }
        Addition::WasForgotten => {
            return refused(
                "this address was erased at its owner's wish",
                "only the reader can come back, by the form on the readers' pages",
            );
        }
    };
    let subscriber = find(&desk, id).await?;
    Ok((status, Json(AddedView { result: added.as_str(), subscriber })).into_response())
}

/// Words that are kept.
fn words(field: &str, text: &str) -> Result<String, Problem> {
    let text = crate::typography::printable(text).trim().to_owned();
    if text.is_empty() || text.chars().count() > LONGEST {
        let wrong = format!("{field}: say it in 1 to {LONGEST} characters");
        return Err(Problem::unfit(wrong, "nothing was changed; send it again"));
    }
    Ok(text)
}

/// A subscriber as he or she is now.
async fn find(desk: &Arc<Desk>, id: SubscriberId) -> Result<SubscriberView, Problem> {
    let found = desk.ask(move |ledger| ledger.subscriber_of(id)).await?;
    found.map(SubscriberView::of).ok_or_else(|| Problem::nothing("subscriber", HELP))
}

async fn show(
    State(desk): State<Arc<Desk>>,
    Named(id): Named<i64>,
) -> Result<Json<WholeSubscriber>, Problem> {
    let id = SubscriberId(id);
    let found = desk.ask(move |ledger| {
        let Some(one) = ledger.subscriber_of(id)? else { return Ok(None) };
        Ok(Some((one, ledger.bounces(id)?, ledger.history(id, HISTORY)?)))
    });
    let (one, bounces, letters) = found.await?.ok_or_else(|| Problem::nothing("subscriber", HELP))?;
    Ok(Json(WholeSubscriber {
        subscriber: SubscriberView::of(one),
        bounces: bounces.into_iter().map(BounceView::of).collect(),
        letters: letters.into_iter().map(LetterView::of).collect(),
    }))
}

async fn change(
    State(desk): State<Arc<Desk>>,
    Named(id): Named<i64>,
    Sent(wishes): Sent<Wishes>,
) -> Result<Json<SubscriberView>, Problem> {
    let id = SubscriberId(id);
    let nothing = || Problem::nothing("subscriber", HELP);
    let known = desk.ask(move |ledger| ledger.subscriber_of(id)).await?.ok_or_else(nothing)?;
    let wished = wishes.over(known.preferences)?;
    desk.ask(move |ledger| ledger.prefer(id, &wished)).await?;
    find(&desk, id).await.map(Json)
}

async fn forget(State(desk): State<Arc<Desk>>, Named(id): Named<i64>) -> Result<StatusCode, Problem> {
    let erased = deeds::forget(&desk, SubscriberId(id)).await?;
    if erased { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::nothing("subscriber", HELP)) }
}

async fn leave(
    State(desk): State<Arc<Desk>>,
    Named(id): Named<i64>,
) -> Result<Json<SubscriberView>, Problem> {
    deeds::leave(&desk, SubscriberId(id)).await?;
    find(&desk, SubscriberId(id)).await.map(Json)
}

async fn suppress(
    State(desk): State<Arc<Desk>>,
    Named(id): Named<i64>,
    Sent(Why { text }): Sent<Why>,
) -> Result<Json<SubscriberView>, Problem> {
    let text = words("text", &text)?;
    let why = Suppression { reason: SuppressionReason::Operator, at: desk.clock.now(), text };
    desk.ask(move |ledger| ledger.suppress(SubscriberId(id), &why)).await?;
    desk.bells.news.ring();
    find(&desk, SubscriberId(id)).await.map(Json)
}
