//! Figures for the operator: counted where things happen, and told in the text that Prometheus reads.
//!
//! [`Metrics`] is handed down from the daemon, and its clones count together. What the ledger knows is not counted twice: it is
//! asked when somebody reads the figures ([`Readings`]).

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// The type of the text, for the head of its answer (`OpenMetrics` 1.0).
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels<const N: usize> = [(&'static str, String); N];
type Gauges = Family<Labels<1>, Gauge>;

/// The figures of one daemon.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Commits of the ledger.
    pub ledger: Ledger,
    /// Looks at the inbox.
    pub inbox: Inbox,
    /// Issues at the press.
    pub press: Press,
    /// Letters offered to mail servers.
    pub mail: Mail,
    /// Requests of readers.
    pub http: Http,
    read: Read,
    registry: Arc<Registry>,
}

/// How often a part of the daemon has gone on with its work: what hangs, beats no more.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicU64>, Arc<AtomicBool>);

impl Pulse {
    /// The part goes on.
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether another process does this part's work, so that nobody waits for it here.
    pub fn is_elsewhere(&self, elsewhere: bool) {
        self.1.store(elsewhere, Ordering::Relaxed);
    }

    /// Whether its work is done here.
    #[must_use]
    pub fn is_here(&self) -> bool {
        !self.1.load(Ordering::Relaxed)
    }

    /// How often it has gone on.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Commits of the ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    commit_seconds: Histogram,
}

impl Default for Ledger {
    fn default() -> Self {
        Self {
            commit_seconds: Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5]),
        }
    }
}

impl Ledger {
    /// What was written together is on the disk, and that took so long.
    pub fn committed(&self, took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
    }
}

/// Looks at the inbox.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// Of the looks, and of the manuscripts between them.
    pub pulse: Pulse,
    scan_seconds: Histogram,
    last_scan: Gauge,
    degraded: Gauge,
    overflows: Counter,
}

/// Issues at the press.
#[derive(Debug, Clone)]
pub struct Press {
    pulse: Pulse,
    publish_seconds: Histogram,
    failures: Family<Labels<1>, Counter>,
    leader: Gauge,
}

/// Letters offered to mail servers.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Of its asking for letters.
    pub pulse: Pulse,
    attempts: Family<Labels<2>, Counter>,
    ambiguous: Counter,
    certificates: Gauges,
    /// The same by their servers, to be told again.
    expiries: Arc<Mutex<BTreeMap<String, i64>>>,
}

/// Requests of readers.
#[derive(Debug, Clone)]
pub struct Http {
    /// By the first digit of their status, from 1 on.
    requests: [Counter; 5],
    connections: Gauge,
}

/// What is asked for when the figures are read.
#[derive(Debug, Clone)]
struct Read {
    arrivals: Gauges,
    issues: Gauges,
    letters: Gauges,
    subscribers: Gauges,
    oldest_letter: Gauge,
    last_backup: Gauge,
    throttled: Family<Labels<1>, Counter>,
    outbox_bytes: Gauge,
    documents: Gauge,
    documents_bytes: Gauge,
    tables: Gauge,
    lookups: Gauges,
}

/// What is so at the moment when the figures are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Readings {
    /// Files of the inbox, by what became of them.
    pub arrivals: Vec<(String, u64)>,
    /// Issues, by their status.
    pub issues: Vec<(String, u64)>,
    /// Letters that wait or are on their way, by their state.
    pub letters: Vec<(String, u64)>,
    /// Subscribers, by their standing.
    pub subscribers: Vec<(String, u64)>,
    /// For how long the oldest of the letters has waited.
    pub oldest_letter: Duration,
    /// When the last backup was made, in seconds since 1970; 0 before the first.
    pub last_backup: i64,
    /// Letters that would have asked somebody to confirm and were not sent, by whose limit that was.
    pub throttled: Vec<(&'static str, u64)>,
    /// How many bytes the files of the outbox have.
    pub outbox_bytes: u64,
    /// The documents in memory.
    pub documents: Documents,
}

/// What readers are served from memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Documents {
    /// How many documents are held.
    pub n: u64,
    /// How many bytes they take.
    pub bytes: u64,
    /// How often the table was made anew.
    pub made: u64,
    /// How many look-ups found their document.
    pub found: u64,
    /// How many did not.
    pub missed: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("gazetted");
        let it = &mut registry;
        let seconds =
            || Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]);
        let ledger = Ledger::default();
        it.register(
            "db_commit_seconds",
            "How long the ledger took until what was written together was on the disk",
            ledger.commit_seconds.clone(),
        );
        let inbox = Inbox {
            pulse: Pulse::default(),
            scan_seconds: seconds(),
            last_scan: Gauge::default(),
            degraded: Gauge::default(),
            overflows: Counter::default(),
        };
        it.register(
            "watch_overflows",
            "How often the system had more to tell of the inbox than it could keep",
            inbox.overflows.clone(),
        );
        it.register("scan_duration_seconds", "How long a look at the inbox took", inbox.scan_seconds.clone());
        it.register(
            "scan_last_success_timestamp",
            "When the inbox was last looked at, in seconds since 1970",
            inbox.last_scan.clone(),
        );
        it.register(
            "watch_degraded",
            "1 while the system tells nothing of the inbox, which is then looked at at intervals only",
            inbox.degraded.clone(),
        );
        let press = Press {
            pulse: inbox.pulse.clone(),
            publish_seconds: Histogram::new([0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0]),
            failures: Family::default(),
            leader: Gauge::default(),
        };
        it.register(
            "leader",
            "1 while this daemon leads: it alone takes manuscripts to the press and makes digests",
            press.leader.clone(),
        );
        it.register(
            "publish_latency_seconds",
            "How long a manuscript took from its reading until its letters were queued",
            press.publish_seconds.clone(),
        );
        it.register(
            "build_failures",
            "Manuscripts that were not put out, by the reason",
            press.failures.clone(),
        );
        let mail = Mail {
            pulse: Pulse::default(),
            attempts: Family::default(),
            ambiguous: Counter::default(),
            certificates: Gauges::default(),
            expiries: Arc::default(),
        };
        it.register(
            "mail_certificate_expiry_timestamp",
            "When the certificate of a mail server expires, as last seen, in seconds since 1970",
            mail.certificates.clone(),
        );
        it.register("mail_attempts", "Letters offered, by how that ended", mail.attempts.clone());
        it.register(
            "mail_ambiguous",
            "Letters whose connection ended between their last byte and the answer",
            mail.ambiguous.clone(),
        );
        let requests = Family::<Labels<1>, Counter>::default();
        it.register("http_requests", "Requests answered, by the class of their status", requests.clone());
        let class = |class: usize| requests.get_or_create_owned(&[("class", format!("{class}xx"))]);
        let http = Http { requests: [1, 2, 3, 4, 5].map(class), connections: Gauge::default() };
        it.register("http_connections", "Connections that are open", http.connections.clone());
        let read = Read::new(it);
        Self { ledger, inbox, press, mail, http, read, registry: Arc::new(registry) }
    }
}

impl Read {
    fn new(registry: &mut Registry) -> Self {
        let mut gauges = |name: &str, help: &str| {
            let gauges = Gauges::default();
            registry.register(name, help, gauges.clone());
            gauges
        };
        let (arrivals, issues) = (
            gauges("inbox_files", "Files of the inbox, by what became of them"),
            gauges("issues_total", "Issues, by their status"),
        );
        let (letters, subscribers) = (
            gauges("mail_queue", "Letters that wait or are on their way, by their state"),
            gauges("subscribers", "Subscribers, by their standing"),
        );
        let throttled = Family::<Labels<1>, Counter>::default();
        let lookups = gauges("http_lookups", "Look-ups of documents in memory, by what came of them");
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let read = Self {
            arrivals,
            issues,
            letters,
            subscribers,
            lookups,
            oldest_letter: gauge("mail_oldest_seconds", "For how long the oldest letter has waited"),
            last_backup: gauge(
                "last_backup_timestamp",
                "When the last backup was made, in seconds since 1970; 0 before the first",
            ),
            throttled: throttled.clone(),
            outbox_bytes: gauge(
                "outbox_bytes",
                "How many bytes the files have from which readers are served",
            ),
            documents: gauge("http_documents", "Documents that are held in memory"),
            documents_bytes: gauge("http_documents_bytes", "Memory that they take"),
            tables: gauge("http_tables", "How often the table of documents was made anew"),
        };
        registry.register(
            "confirmations_throttled",
            "Letters that would have asked somebody to confirm and were not sent, by whose limit that was",
            throttled,
        );
        let build = Gauges::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);
        registry.register("build_info", "Which gazetted this is", build);
        read
    }
}

impl Metrics {
    /// The figures as text, with what is so now.
    #[must_use]
    pub fn render(&self, readings: &Readings) -> String {
        let read = &self.read;
        let set = |gauges: &Gauges, label: &'static str, counts: &[(String, u64)]| {
            for (name, n) in counts {
                gauges.get_or_create(&[(label, name.clone())]).set(signed(*n));
            }
        };
        set(&read.arrivals, "state", &readings.arrivals);
        set(&read.issues, "state", &readings.issues);
        set(&read.letters, "state", &readings.letters);
        set(&read.subscribers, "state", &readings.subscribers);
        read.oldest_letter.set(signed(readings.oldest_letter.as_secs()));
        read.last_backup.set(readings.last_backup);
        for (by, n) in &readings.throttled {
            // It was counted elsewhere.
            let counter = read.throttled.get_or_create(&[("by", (*by).to_owned())]);
            counter.inner().store(*n, std::sync::atomic::Ordering::Relaxed);
        }
        read.outbox_bytes.set(signed(readings.outbox_bytes));
        let Documents { n, bytes, made, found, missed } = readings.documents;
        read.documents.set(signed(n));
        read.documents_bytes.set(signed(bytes));
        read.tables.set(signed(made));
        set(&read.lookups, "result", &[("found".to_owned(), found), ("missed".to_owned(), missed)]);
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

impl Inbox {
    /// The inbox was looked at, at that time in seconds since 1970, and it took so long.
    pub fn looked(&self, at: i64, took: Duration) {
        self.pulse.beat();
        self.scan_seconds.observe(took.as_secs_f64());
        self.last_scan.set(at);
    }

    /// Whether the system tells of changes in the inbox.
    pub fn is_told(&self, told: bool) {
        self.degraded.set(i64::from(!told));
    }

    /// The system had more to tell than it could keep.
    pub fn overflowed(&self) {
        self.overflows.inc();
    }

    /// When the inbox was last looked at, in seconds since 1970; 0 before the first look.
    #[must_use]
    pub fn last_look(&self) -> i64 {
        self.last_scan.get()
    }
}

impl Press {
    /// A manuscript was published, and it took so long.
    pub fn published(&self, took: Duration) {
        self.pulse.beat();
        self.publish_seconds.observe(took.as_secs_f64());
    }

    /// This daemon leads from now on, or does not.
    pub fn leads(&self, leads: bool) {
        self.pulse.is_elsewhere(!leads);
        self.leader.set(i64::from(leads));
    }

    /// A manuscript was not put out.
    pub fn failed(&self, reason: &str) {
        self.pulse.beat();
        self.failures.get_or_create(&[("reason", reason.to_owned())]).inc();
    }
}

impl Mail {
    /// A mail server showed a certificate that expires then, in seconds since 1970.
    pub fn certificate(&self, server: &str, expires: i64) {
        self.certificates.get_or_create(&[("server", server.to_owned())]).set(expires);
        let mut expiries = self.expiries.lock().unwrap_or_else(PoisonError::into_inner);
        expiries.insert(server.to_owned(), expires);
    }

    /// When the certificates of mail servers expire, as last seen since the start, in seconds since 1970.
    #[must_use]
    pub fn certificates(&self) -> Vec<(String, i64)> {
        let expiries = self.expiries.lock().unwrap_or_else(PoisonError::into_inner);
        expiries.iter().map(|(server, expires)| (server.clone(), *expires)).collect()
    }

    /// A letter was offered; `result` is the state that it ended in.
    pub fn offered(&self, result: &str, code: Option<u16>) {
        let code = code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        self.attempts.get_or_create(&[("result", result.to_owned()), ("code", code)]).inc();
        if result == "unknown" {
            self.ambiguous.inc();
        }
    }
}

impl Http {
    /// A request was answered with this status.
    pub fn answered(&self, status: u16) {
        let class = usize::from(status / 100);
        if let Some(counter) = class.checked_sub(1).and_then(|class| self.requests.get(class)) {
            counter.inc();
        }
    }

    /// A connection was opened; it is closed when what this gives is dropped.
    #[must_use]
    pub fn open(&self) -> Connection {
        self.connections.inc();
        Connection(self.connections.clone())
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Connection(Gauge);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_are_told_as_text() {
        let metrics = Metrics::default();
        let clone = metrics.clone();
        clone.http.answered(200);
        clone.http.answered(304);
        clone.http.answered(999);
        clone.mail.offered("delivered", Some(250));
        clone.mail.offered("unknown", None);
        clone.press.failed("disk \"full\"\n");
        let open = clone.http.open();
        drop(clone.http.open());
        let readings = Readings {
            issues: vec![("usable".to_owned(), 3)],
            oldest_letter: Duration::from_secs(7),
            throttled: vec![("network", 2)],
            outbox_bytes: 5,
            ..Readings::default()
        };
        let text = metrics.render(&readings);
        drop(open);
        for line in [
            "# TYPE gazetted_http_requests counter",
            "gazetted_http_requests_total{class=\"2xx\"} 1",
            "gazetted_http_requests_total{class=\"3xx\"} 1",
            "gazetted_http_requests_total{class=\"5xx\"} 0",
            "gazetted_http_connections 1",
            "gazetted_mail_attempts_total{result=\"delivered\",code=\"250\"} 1",
            "gazetted_mail_ambiguous_total 1",
            "gazetted_build_failures_total{reason=\"disk \\\"full\\\"\\n\"} 1",
            "gazetted_issues_total{state=\"usable\"} 3",
            "gazetted_mail_oldest_seconds 7",
            "gazetted_confirmations_throttled_total{by=\"network\"} 2",
            "gazetted_outbox_bytes 5",
            "gazetted_db_commit_seconds_count 0",
            "gazetted_scan_duration_seconds_count 0",
            "# EOF",
        ] {
            assert!(text.lines().any(|known| known.trim_end_matches(". ") == line), "{line}\n{text}");
        }
    }
}
