//! The form to join. Whoever fills it in gets the same answer, whatever is known of the address; what there is to do is done afterwards.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::{self, Body},
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::{
    ReadingRoom,
    clients::{self, Net},
    filling,
    limits::{Limits, Network, Refused},
    tickets::{Ticket, Tickets},
};
use crate::{
    editions, editions::Filled, editions::Problem, editions::ShownForm, editions::Told, joining,
    joining::Joined, ledger::Entry, ledger::Ledger, mail::Letterhead, subscriber::Address,
    subscriber::Consent, subscriber::Preferences, subscriber::Standing,
};

/// The most bytes of a form that is sent to us.
const MOST_BYTES: usize = 32 * 1024;

/// How long sending a form may take.
const SENT_WITHIN: Duration = Duration::from_secs(15);

/// How often at most it is said that no more can join.
const TOLD_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// The names of mailboxes that belong to an office rather than to somebody: RFC 2142, and what newsletters meet besides.
const ROLES: [&str; 24] = [
    "abuse",
    "admin",
    "administrator",
    "billing",
    "contact",
    "ftp",
    "hello",
    "help",
    "hostmaster",
    "info",
    "mailer-daemon",
    "marketing",
    "news",
    "no-reply",
    "noc",
    "noreply",
    "office",
    "postmaster",
    "root",
    "sales",
    "security",
    "support",
    "usenet",
    "webmaster",
];

/// How readers may join by themselves.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How many letters that ask somebody in one network may cause at once, and again in an hour.
    pub per_network: u32,
    /// How many all together may cause.
    pub per_hour: u32,
    /// How many may be asked and not have answered, of those who still can.
    pub most_pending: u64,
    /// Whether the addresses of offices are refused.
    pub refuse_roles: bool,
    /// Web servers that are believed when they say whom they ask for.
    pub trusted: Vec<Net>,
}

/// What became of the forms to join since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many were sent with all that they need.
    pub wished: u64,
    /// How many letters that ask were queued for them.
    pub asked: u64,
    /// How many came from a network that had asked too often.
    pub refused_network: u64,
    /// How many came when all together had asked too often.
    pub refused_all: u64,
    /// How many came when too many had been asked and had not answered.
    pub refused_pending: u64,
}

#[derive(Debug, Default)]
struct Counters {
    wished: AtomicU64,
    asked: AtomicU64,
    refused_network: AtomicU64,
    refused_all: AtomicU64,
    refused_pending: AtomicU64,
}

/// Where readers join: what their forms need besides the reading room.
pub struct Subscribing {
    head: Letterhead,
    rules: Rules,
    /// Rung when a letter is queued.
    bell: Arc<Notify>,
    limits: Mutex<Limits>,
    tickets: Tickets,
    counters: Counters,
    /// The page that tells everybody the same.
    asked_page: OnceLock<Vec<u8>>,
    busy_page: OnceLock<Vec<u8>>,
    /// Held while a wish is dealt with: two with one address must not both be the first.
    turn: Arc<tokio::sync::Mutex<()>>,
    tasks: TaskTracker,
    warned: Mutex<Option<Timestamp>>,
}

impl Subscribing {
    /// The forms of a publication, whose letters have `head`; `bell` is rung when one is queued.
    #[must_use]
    pub fn new(head: Letterhead, rules: Rules, bell: Arc<Notify>) -> Self {
        Self {
            limits: Mutex::new(Limits::new(rules.per_network, rules.per_hour)),
            tickets: Tickets::of(&head.leave_key),
            head,
            rules,
            bell,
            counters: Counters::default(),
            asked_page: OnceLock::new(),
            busy_page: OnceLock::new(),
            turn: Arc::default(),
            tasks: TaskTracker::new(),
            warned: Mutex::new(None),
        }
    }

    /// What became of the forms since the start.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { wished, asked, refused_network, refused_all, refused_pending } = &self.counters;
        Tally {
            wished: count(wished),
            asked: count(asked),
            refused_network: count(refused_network),
            refused_all: count(refused_all),
            refused_pending: count(refused_pending),
        }
    }

    /// Web servers that are believed when they say whom they ask for.
    pub(super) fn trusted(&self) -> &[Net] {
        &self.rules.trusted
    }

    /// Who writes the letters.
    pub(super) fn from(&self) -> &Address {
        &self.head.sender.address
    }

    /// Waits until what was wished is dealt with; nothing more may come.
    pub(super) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// What is wrong with a form; nothing for one that can be taken, which is then given with its address.
    fn judge(
        &self,
        filled: &Filled,
        ticket: &str,
        now: Timestamp,
    ) -> Result<(Address, Preferences), Vec<Problem>> {
        let mut problems = Vec::new();
        let address = Address::parse(&filled.address).map_err(|_| problems.push(Problem::Address)).ok();
        if let Some(address) = &address
            && self.rules.refuse_roles
            && is_role(address)
        {
            problems.push(Problem::Role);
        }
        let preferences = filling::preferences(filled).map_err(|problem| problems.push(problem)).ok();
        match self.tickets.check(ticket, now) {
            Ticket::Good => {}
            Ticket::Quick => problems.push(Problem::Quick),
            Ticket::Old => problems.push(Problem::Old),
        }
        match (address, preferences) {
            (Some(address), Some(preferences)) if problems.is_empty() => Ok((address, preferences)),
            _ => Err(problems),
        }
    }

    /// Counts a wish, before anything is read or written for it.
    fn take(&self, client: IpAddr, now: Timestamp) -> Result<(), Refused> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = limits.take(Network::of(client), now);
        let counter = match taken {
            Ok(()) => &self.counters.wished,
            Err(Refused::Network) => &self.counters.refused_network,
            Err(Refused::All) => &self.counters.refused_all,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        taken
    }

    /// Does what a wish asks for. What cannot be done is told to the operator; the reader was answered before.
    fn ask(&self, ledger: &dyn Ledger, entry: Entry, now: Timestamp) {
        let known = ledger.subscriber(&entry.address);
        let is_new = known.is_ok_and(|known| known.is_none_or(|known| known.standing != Standing::Pending));
        let asked =
            match ledger.n_pending(now.saturating_sub(joining::CONFIRM_WITHIN).unwrap_or(Timestamp::MIN)) {
                Ok(pending) if is_new && pending >= self.rules.most_pending => {
                    self.counters.refused_pending.fetch_add(1, Ordering::Relaxed);
                    self.warn_of_pending(pending, now);
                    return;
                }
                Ok(_) => self.ask_and_note(ledger, entry, now),
                Err(error) => Err(error.into()),
            };
        match asked {
            Ok(Joined::Asked(_)) => {
                self.counters.asked.fetch_add(1, Ordering::Relaxed);
                self.bell.notify_one();
                tracing::info!("somebody asked for letters, and is asked to confirm it");
            }
            Ok(_) => tracing::debug!("somebody asked for letters, and there was nothing to ask"),
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "somebody asked for letters, and cannot be asked to confirm it"
            ),
        }
    }

    /// Asks, and notes what was wished last: that is what somebody confirms who filled in the form twice.
    fn ask_and_note(
        &self,
        ledger: &dyn Ledger,
        entry: Entry,
        now: Timestamp,
    ) -> Result<Joined, joining::Error> {
        let preferences = entry.preferences.clone();
        let joined = joining::ask(ledger, &self.head, entry, now)?;
        if let Joined::Asked(id) | Joined::AskedBefore(id) | Joined::AskedOften(id) = joined {
            ledger.prefer(id, &preferences)?;
        }
        Ok(joined)
    }

    fn warn_of_pending(&self, pending: u64, now: Timestamp) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|last| now.duration_since(last) >= TOLD_AGAIN) {
            *warned = Some(now);
            tracing::warn!(
                pending,
                "so many were asked for a confirmation and have not answered that nobody else is asked; somebody may fill in \
                 the form with the addresses of others"
            );
        }
    }
}

fn is_role(address: &Address) -> bool {
    let mailbox = address.identity();
    let name = mailbox.split(['@', '+']).next().unwrap_or_default();
    ROLES.contains(&name)
}

/// Shows the form.
pub(super) async fn form(State(room): State<Arc<ReadingRoom>>) -> Response {
    if !room.publication.forms.open {
        return nothing(&room);
    }
    let ticket = room.subscribing.tickets.issue(room.clock.now());
    show(room, StatusCode::OK, Filled::default(), Vec::new(), ticket).await
}

/// Takes the form: answers first, and does afterwards what is to be done, so that neither the answer nor its time tells anything of
/// an address.
pub(super) async fn join(
    State(room): State<Arc<ReadingRoom>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Body,
) -> Response {
    if !room.publication.forms.open {
        return nothing(&room);
    }
    let sent = match receive(sent).await {
        Ok(sent) => sent,
        Err(refusal) => return refusal,
    };
    let (filled, ticket) = filling::read(&sent);
    let now = room.clock.now();
    let (address, preferences) = match room.subscribing.judge(&filled, &ticket, now) {
        Ok(wish) => wish,
        Err(problems) => {
            // Whoever was too quick presses again and is slow enough; a new ticket would make him or her wait anew.
            let good = !problems.contains(&Problem::Old);
            let ticket = if good { ticket } else { room.subscribing.tickets.issue(now) };
            return show(room, StatusCode::UNPROCESSABLE_ENTITY, filled, problems, ticket).await;
        }
    };
    let client = clients::client(peer.ip(), &headers, &room.subscribing.rules.trusted);
    if room.subscribing.take(client, now).is_err() {
        let mut refusal = told(&room, Told::Busy, &room.subscribing.busy_page, StatusCode::TOO_MANY_REQUESTS);
        refusal.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("3600"));
        return refusal;
    }
    let consent = Consent {
        at: now,
        how: "the form on the web".to_owned(),
        from: Some(client.to_string()),
        confirmed: None,
    };
    let standing = Standing::Pending;
    let entry =
        Entry { address, standing, suppression: None, consent, preferences, anew: true, old_link: None };
    let asking = Arc::clone(&room);
    room.subscribing.tasks.spawn(async move {
        let _turn = Arc::clone(&asking.subscribing.turn).lock_owned().await;
        let room = Arc::clone(&asking);
        // A panic would be a fault of ours; the reader can ask again.
        let _ = tokio::task::spawn_blocking(move || room.subscribing.ask(&*room.ledger, entry, now)).await;
    });
    told(&room, Told::Asked, &room.subscribing.asked_page, StatusCode::OK)
}

/// The bytes of a form that somebody sends, or the answer to one who sends too many or too slowly.
pub(super) async fn receive(sent: Body) -> Result<body::Bytes, Response> {
    match tokio::time::timeout(SENT_WITHIN, body::to_bytes(sent, MOST_BYTES)).await {
        Ok(Ok(sent)) => Ok(sent),
        Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

async fn show(
    room: Arc<ReadingRoom>,
    status: StatusCode,
    filled: Filled,
    problems: Vec<Problem>,
    ticket: String,
) -> Response {
    let page = tokio::task::spawn_blocking(move || {
        let choices = filling::choices(&*room.ledger, &room.publication)?;
        let form = ShownForm {
            choices: &choices,
            filled: &filled,
            problems: &problems,
            from: room.subscribing.from(),
        };
        Ok(editions::join_page(&form, &ticket, &room.publication)?)
    });
    filling::respond(status, page.await)
}

/// A page that is the same for everybody, and is printed once: many may ask for it.
fn told(room: &ReadingRoom, told: Told, kept: &OnceLock<Vec<u8>>, status: StatusCode) -> Response {
    if let Some(page) = kept.get() {
        return filling::page(status, page.clone());
    }
    match editions::told_page(told, &room.publication) {
        Ok(page) => filling::page(status, kept.get_or_init(|| page).clone()),
        Err(error) => filling::unprintable(status, &error),
    }
}

/// There is no such form here.
fn nothing(room: &ReadingRoom) -> Response {
    match editions::nothing_here(false, &room.publication) {
        Ok(page) => filling::page(StatusCode::NOT_FOUND, page),
        Err(error) => filling::unprintable(StatusCode::NOT_FOUND, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_office_is_known_by_its_mailbox() {
        let is_role = |text: &str| super::is_role(&Address::parse(text).expect("an address"));
        assert!(
            is_role("postmaster@example.org")
                && is_role("Info@example.org")
                && is_role("abuse+x@example.org")
        );
        assert!(!is_role("information@example.org") && !is_role("li.info@example.org"));
    }
}
