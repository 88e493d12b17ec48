//! A program does an editor's work at the desk, by its API; and the document that describes it says neither more nor less.

use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use gazetted::{delivery::State, desk, ledger::Scope, subscriber::Address, subscriber::Standing};
use serde_json::{Value, json};

use crate::{
    configuring::gazetted,
    editing::Browser,
    newsroom::{Newsroom, PATIENCE, page, until},
    proving::{DOUBTFUL, careful},
    sink::Conduct,
};

/// A program with a token at a newsroom's desk. It holds every answer against the document.
pub struct Program<'n> {
    newsroom: &'n Newsroom,
    token: String,
    document: Value,
    /// What was asked, and how that was answered: `GET /issues 200`.
    seen: BTreeSet<String>,
}

/// What the desk answered.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub bytes: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// One request to the desk's API.
pub fn asks(newsroom: &Newsroom, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let address = newsroom.desk_address();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let headers = headers.concat();
    let head = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let mut bytes = answer[end + 4..].to_vec();
    if head.to_lowercase().contains("transfer-encoding: chunked") {
        bytes = unchunked(&bytes);
    }
    Answer { status, head, bytes }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n").expect("a length");
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return whole;
        }
        whole.extend(&bytes[end + 2..end + 2 + length]);
        bytes = &bytes[end + 4 + length..];
    }
}

/// A token for a program.
pub fn token(newsroom: &Newsroom, name: &str, scope: Scope) -> String {
    desk::make_token(&*newsroom.ledger(), name, scope, newsroom.now()).unwrap()
}

impl<'n> Program<'n> {
    pub fn may(newsroom: &'n Newsroom, scope: Scope) -> Self {
        let document = asks(newsroom, "GET", "/openapi.json", &[], b"").json();
        let token = token(newsroom, &format!("a program that may {}", scope.as_str()), scope);
        Self { newsroom, token, document, seen: BTreeSet::new() }
    }

    /// Sends JSON, or nothing.
    #[track_caller]
    pub fn asks(&mut self, method: &str, path: &str, sent: Option<&Value>) -> Answer {
        match sent {
            Some(sent) => self.sends(method, path, "application/json", sent.to_string().as_bytes()),
            None => self.sends(method, path, "", b""),
        }
    }

    #[track_caller]
    pub fn sends(&mut self, method: &str, path: &str, kind: &str, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("Authorization", bearer.as_str())];
        if !kind.is_empty() {
            headers.push(("Content-Type", kind));
        }
        let answer = asks(self.newsroom, method, path, &headers, body);
        self.holds_against_the_document(method, path, &answer);
        answer
    }

    /// The answer is one that the document has, with the type and the schema that it says.
    #[track_caller]
    fn holds_against_the_document(&mut self, method: &str, path: &str, answer: &Answer) {
        let parts: Vec<&str> = path.split('?').next().unwrap().split('/').collect();
        let fits = |template: &str| {
            let places: Vec<&str> = template.trim_start_matches("/api/v1").split('/').collect();
            places.len() == parts.len()
                && places.iter().zip(&parts).all(|(place, part)| place.starts_with('{') || place == part)
        };
        let paths = self.document["paths"].as_object().unwrap();
        // A path that says more goes first.
        let mut found: Vec<&String> = paths.keys().filter(|template| fits(template)).collect();
        found.sort_by_key(|template| template.matches('{').count());
        let template = found.first().unwrap_or_else(|| panic!("{path} is in no path of the document"));
        let operation = &paths[*template][method.to_lowercase()];
        let status = answer.status.to_string();
        let response = &operation["responses"][&status];
        let told = format!("{method} {path} {status}: {}", answer.text());
        assert!(response.is_object(), "the document does not have this: {told}");
        self.seen.insert(format!("{method} {template} {status}"));
        let Some(content) = response["content"].as_object() else {
            assert!(answer.bytes.is_empty(), "{told}");
            return;
        };
        let (kind, media) = content.iter().next().unwrap();
        let said = answer.header("content-type").unwrap_or_default();
        assert_eq!(said.split(';').next(), Some(kind.as_str()), "{told}");
        if !kind.ends_with("json") {
            return;
        }
        // The schema with the definitions that it points to.
        let mut schema = media["schema"].clone();
        schema["components"] = self.document["components"].clone();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let problems: Vec<String> =
            validator.iter_errors(&answer.json()).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{problems:?} in {told}");
    }
}

/// A path of the API with a text in its query.
fn with_query(path: &str, fields: &[(&str, &str)]) -> String {
    format!("{path}?{}", crate::editing::encoded(fields))
}

const BYTES: &str = "application/octet-stream";

#[test]
fn nobody_is_heard_without_a_token_and_a_token_is_no_session_nor_a_session_a_token() {
    let newsroom = Newsroom::opens();
    let read = token(&newsroom, "a reader", Scope::Read);
    let bearer = |token: &str| format!("Bearer {token}");
    let with = |headers: &[(&str, &str)]| asks(&newsroom, "GET", "/status", headers, b"");
    let stranger = with(&[]);
    assert_eq!(stranger.status, 401);
    assert_eq!(stranger.header("content-type"), Some("application/problem+json"));
    assert!(stranger.header("www-authenticate").unwrap().starts_with("Bearer"), "{}", stranger.head);
    assert!(stranger.json()["help"].as_str().unwrap().contains("gazetted desk token new"));
    assert_eq!(with(&[("Authorization", &bearer(&read))]).status, 200);
    assert_eq!(asks(&newsroom, "GET", "/nothing", &[], b"").status, 401, "not even what there is");

    // A session's cookie opens nothing here, and a token opens no page.
    let mut browser = Browser::logged_in(&newsroom);
    let (name, session) = browser.cookies[0].clone();
    assert_eq!(with(&[("Cookie", &format!("{name}={session}"))]).status, 401);
    assert_eq!(with(&[("Authorization", &bearer(&session))]).status, 401);
    browser.cookies = vec![(name, read.clone())];
    assert_eq!(browser.asks("/").status, 303);
    let authorized = bearer(&read);
    let page = Browser::of(&newsroom).sends(
        "GET",
        "/",
        &[("Authorization", &authorized), ("Accept", "text/html")],
        b"",
    );
    assert_eq!(page.status, 303);

    // One that may read changes nothing.
    let headers = [("Authorization", authorized.as_str()), ("Content-Type", BYTES)];
    let refused = asks(&newsroom, "POST", "/arrivals?file=a.md", &headers, b"# A\n\nB.\n");
    assert!(refused.status == 403 && refused.text().contains("may only read"), "{}", refused.text());
    assert!(!newsroom.path("inbox/a.md").exists());

    let (code, listed) = gazetted(newsroom.folder.path(), &["desk", "token", "list"]);
    assert!(code == 0 && listed.starts_with("a reader                 read   made "), "{listed}");
    assert!(!listed.contains("never used") && !listed.contains(&read), "{listed}");
    let (code, text) = gazetted(newsroom.folder.path(), &["desk", "token", "new", "a reader"]);
    assert!(code == 2 && text.contains("there is a token `a reader` already"), "{text}");
    assert_eq!(gazetted(newsroom.folder.path(), &["desk", "token", "revoke", "a reader"]).0, 0);
    assert_eq!(with(&[("Authorization", &authorized)]).status, 401, "revoked");
    let (code, text) = gazetted(newsroom.folder.path(), &["desk", "token", "revoke", "a reader"]);
    assert!(code == 2 && text.contains("there is no token `a reader`"), "{text}");
    let (code, made) = gazetted(newsroom.folder.path(), &["desk", "token", "new", "b", "--scope", "write"]);
    assert_eq!((code, with(&[("Authorization", &bearer(made.trim()))]).status), (0, 200));
}

#[test]
fn of_all_that_the_document_has_only_the_document_is_for_everybody_and_only_reading_for_a_reader() {
    let newsroom = Newsroom::opens();
    let bearer = format!("Bearer {}", token(&newsroom, "a reader", Scope::Read));
    let document = asks(&newsroom, "GET", "/openapi.json", &[], b"").json();
    let mut n = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let path = path.trim_start_matches("/api/v1");
        for method in operations.as_object().unwrap().keys() {
            let stranger = asks(&newsroom, &method.to_uppercase(), path, &[], b"").status;
            assert_eq!(stranger, if path == "/openapi.json" { 200 } else { 401 }, "{method} {path}");
            let reader =
                asks(&newsroom, &method.to_uppercase(), path, &[("Authorization", &bearer)], b"").status;
            assert_eq!(reader == 403, method != "get", "{method} {path}: {reader}");
            n += 1;
        }
    }
    assert!(n > 20, "{n}");
}

#[test]
fn who_tries_tokens_is_slowed_down_and_keeps_no_program_out() {
    let newsroom = Newsroom::opens();
    let good = format!("Bearer {}", token(&newsroom, "a reader", Scope::Read));
    let with = |token: &str, from: &str| {
        asks(&newsroom, "GET", "/status", &[("Authorization", token), ("X-Forwarded-For", from)], b"")
    };
    for n in 0..10 {
        assert_eq!(with(&format!("Bearer gazetted_{n:040x}"), "198.51.100.7").status, 401);
    }
    let refused = with("Bearer gazetted_00", "198.51.100.8");
    assert_eq!(refused.status, 429, "the same network");
    assert!(refused.header("retry-after").is_some(), "{}", refused.head);
    assert_eq!(with("Bearer gazetted_00", "203.0.113.1").status, 401, "another network");
    assert_eq!(with(&good, "198.51.100.7").status, 200, "a token that holds");
}

#[test]
fn one_who_tries_passwords_keeps_himself_out_and_not_the_editor() {
    let newsroom = Newsroom::opens();
    let origin = format!("http://{}", newsroom.desk_address());
    let tries = |password: &str, from: &str| {
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Origin", origin.as_str()),
            ("X-Forwarded-For", from),
        ];
        let form = crate::editing::encoded(&[("password", password)]);
        Browser::of(&newsroom).sends("POST", "/login", &headers, form.as_bytes()).status
    };
    for n in 0..10 {
        assert_eq!(tries(&format!("guess {n}"), "198.51.100.7"), 403);
    }
    assert_eq!(tries(&newsroom.desk_password(), "198.51.100.99"), 429);
    assert_eq!(tries(&newsroom.desk_password(), "203.0.113.1"), 303);
}

#[test]
fn a_program_drops_a_page_and_takes_it_back_and_corrects_it() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let mut program = Program::may(&newsroom, Scope::Write);
    let first = page("One", "The ferry goes at six.");
    let drop = with_query("/arrivals", &[("file", "a.md")]);
    let dropped = program.sends("POST", &drop, BYTES, first.as_bytes());
    assert_eq!((dropped.status, dropped.json()), (201, json!({ "file": "a.md", "written": true })));
    newsroom.is_out("a", 1);
    let again = program.sends("POST", &drop, BYTES, first.as_bytes());
    assert_eq!((again.status, again.json()), (200, json!({ "file": "a.md", "written": false })));
    let second = page("One", "The ferry goes at seven.");
    let taken = program.sends("POST", &drop, BYTES, second.as_bytes());
    assert!(taken.status == 409 && taken.text().contains("replace=true"), "{}", taken.text());
    let bad = program.sends("POST", &with_query("/arrivals", &[("file", "../.hidden")]), BYTES, b"x");
    assert_eq!(bad.status, 422, "{}", bad.text());

    let found = program.asks("GET", &with_query("/arrivals", &[("file", "a.md")]), None).json();
    assert_eq!(
        (&found["arrivals"][0]["fate"], &found["arrivals"][0]["issue"]),
        (&json!("published"), &json!("a"))
    );
    for (status, there) in [("canceled", false), ("usable", true), ("withheld", false), ("usable", true)] {
        let answer = program.asks("PUT", "/issues/a/status", Some(&json!({ "status": status })));
        assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(status)));
        assert_eq!(newsroom.path("outbox/issues/a/index.html").exists(), there, "{status}");
        // Sent again it does nothing, and is no fault.
        assert_eq!(program.asks("PUT", "/issues/a/status", Some(&json!({ "status": status }))).status, 200);
    }
    let put = with_query("/issues/a/manuscript", &[("file", "better.md")]);
    assert_eq!(program.sends("PUT", &put, BYTES, second.as_bytes()).status, 200);
    newsroom.is_out("a", 2);
    let shown = program.asks("GET", "/issues/a", None).json();
    assert_eq!((&shown["issue"]["version"], shown["versions"].as_array().unwrap().len()), (&json!(2), 2));
    assert_eq!(shown["versions"][0]["articles"][0]["authors"], json!(["Ada Quill"]));
    let other = with_query("/issues/a/manuscript", &[("file", "better.txt")]);
    assert_eq!(program.sends("PUT", &other, BYTES, b"x").status, 409);
    assert_eq!(program.asks("GET", "/issues/nothing", None).status, 404);
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn lists_come_in_parts_that_neither_lose_nor_repeat_anything() {
    let newsroom = Newsroom::opens();
    for n in 0..7 {
        newsroom.saves(&format!("n{n}.md"), page(&format!("No. {n}"), "Words."));
    }
    newsroom.are_out(7);
    let mut program = Program::may(&newsroom, Scope::Read);
    let (mut keys, mut after) = (Vec::new(), String::new());
    loop {
        let mut fields = vec![("limit", "3")];
        if !after.is_empty() {
            fields.push(("after", &after));
        }
        let part = program.asks("GET", &with_query("/issues", &fields), None).json();
        keys.extend(part["issues"].as_array().unwrap().iter().map(|issue| issue["issue"].clone()));
        let Some(next) = part["next"].as_str() else { break };
        after = next.to_owned();
    }
    let whole = program.asks("GET", "/issues", None).json();
    let expected: Vec<Value> =
        whole["issues"].as_array().unwrap().iter().map(|issue| issue["issue"].clone()).collect();
    assert_eq!((keys.len(), &keys), (7, &expected));
    for wrong in ["limit=0", "limit=201", "limit=x", "page=2", "after=nothing-there"] {
        let answer = program.asks("GET", &format!("/issues?{wrong}"), None);
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.text());
    }
    assert!(program.asks("GET", "/issues?page=2", None).text().contains("unknown field `page`"));
}

#[test]
fn a_program_settles_a_proof_and_of_two_editors_the_second_is_told() {
    let newsroom = careful("flagged");
    newsroom.saves("frost.md", DOUBTFUL);
    let mut program = Program::may(&newsroom, Scope::Write);
    until("a proof", || program.asks("GET", "/proofs", None).json()["proofs"][0].is_object());
    let line = program.asks("GET", "/proofs", None).json()["proofs"][0].clone();
    assert_eq!((&line["file"], &line["issue"]), (&json!("frost.md"), &json!("frost")));
    let path = format!("/proofs/{}", line["proof"].as_str().unwrap());
    let proof = program.asks("GET", &path, None).json();
    assert!(proof["queries"].as_array().unwrap().len() >= 2, "{proof}");
    let approve = format!("{path}/approve");
    let open = program.asks("POST", &approve, Some(&json!({ "version": proof["version"] })));
    assert!(open.status == 409 && open.text().contains("still open"), "{}", open.text());

    let proof = program.asks("GET", &path, None).json();
    let text = proof["text"].as_str().unwrap().replace("on Mondays", "on Tuesdays");
    let save = json!({ "version": proof["version"], "text": text });
    let saved = program.asks("PUT", &path, Some(&save));
    assert_eq!(saved.status, 200, "{}", saved.text());
    let late = program.asks("PUT", &path, Some(&save));
    assert_eq!((late.status, &late.json()["version"]), (409, &saved.json()["version"]));
    let late = program.asks("POST", &approve, Some(&json!({ "version": proof["version"], "anyway": true })));
    assert_eq!(late.status, 409);
    assert!(newsroom.ledger().issues(&newsroom.publication()).unwrap().is_empty());

    let version = saved.json()["version"].clone();
    let out = program.asks("POST", &approve, Some(&json!({ "version": version, "anyway": true })));
    assert_eq!((out.status, out.json()), (200, json!({ "issue": "frost", "verdict": "published" })));
    newsroom.is_out("frost", 1).no_reason_beside("frost.md");
    assert!(newsroom.outbox_text("issues/frost/index.html").contains("on Tuesdays"));
    assert_eq!(program.asks("GET", "/proofs/0123456789abcdef", None).status, 404);
}

#[test]
fn whom_a_program_enters_is_asked_first_unless_it_says_how_the_reader_asked() {
    let newsroom = Newsroom::opens();
    let mut program = Program::may(&newsroom, Scope::Write);
    let standing = |address: &str| {
        newsroom.ledger().subscriber(&Address::parse(address).unwrap()).unwrap().map(|one| one.standing)
    };
    let asked = program.asks("POST", "/subscribers", Some(&json!({ "address": "li@example.org" })));
    assert_eq!((asked.status, &asked.json()["result"]), (202, &json!("asked")));
    assert_eq!(standing("li@example.org"), Some(Standing::Pending));
    assert!(newsroom.sink.letters_to("li@example.org", 1)[0].text.contains("/confirm/"));
    let again = program.asks("POST", "/subscribers", Some(&json!({ "address": "LI@example.org" })));
    assert_eq!((again.status, &again.json()["result"]), (200, &json!("asked_before")));

    let vouched = json!({ "address": "wang@example.org", "consent": { "how": "at the counter, on paper" },
                          "pace": "weekly", "form": "text", "sections": ["理论"], "language": "zh-Hans" });
    let added = program.asks("POST", "/subscribers", Some(&vouched));
    assert_eq!((added.status, standing("wang@example.org")), (201, Some(Standing::Confirmed)));
    let wang = added.json()["subscriber"].clone();
    assert_eq!(
        (&wang["pace"], &wang["consent"]["how"]),
        (&json!("weekly"), &json!("at the counter, on paper"))
    );
    let path = format!("/subscribers/{}", wang["subscriber"]);
    let changed =
        program.asks("PATCH", &path, Some(&json!({ "pace": "each", "language": null, "sections": [] })));
    assert_eq!(
        (&changed.json()["pace"], &changed.json()["form"], &changed.json()["language"]),
        (&json!("each"), &json!("text"), &Value::Null)
    );
    for (wrong, said) in [
        (json!({ "pase": "each" }), "unknown field `pase`"),
        (json!({ "pace": "hourly" }), "unknown variant `hourly`"),
        (json!({ "language": "!" }), "language: `!` is not a language tag"),
        (json!({ "device": "x" }), "device: `x` is not an e-mail address"),
        (json!([]), "invalid type"),
    ] {
        let answer = program.asks("PATCH", &path, Some(&wrong));
        assert!(answer.status == 422 && answer.text().contains(said), "{}", answer.text());
    }
    for (wrong, status) in [
        ("{", 400),
        ("{\"address\": \"zhao@example.org\", \"adress\": \"y\"}", 422),
        ("{\"address\": \"zhao@example.org\", \"consent\": [\"said so\"]}", 422),
        ("{\"address\": 1}", 422),
        ("{\"address\": \"x\", \"adress\": \"y\"}", 422),
    ] {
        assert_eq!(
            program.sends("POST", "/subscribers", "application/json", wrong.as_bytes()).status,
            status
        );
    }
    assert_eq!(program.sends("POST", "/subscribers", "text/plain", b"{}").status, 415);
    let endless = program.sends("POST", "/subscribers", "application/json", &vec![b' '; 300 << 10]);
    assert_eq!(endless.status, 413, "{}", endless.text());

    let found = program.asks("GET", &with_query("/subscribers", &[("find", "WANG")]), None).json();
    assert_eq!(found["subscribers"][0]["address"], "wang@example.org");
    assert_eq!(program.asks("POST", &format!("{path}/leave"), None).json()["standing"], "left");
    let back = program.asks("POST", "/subscribers", Some(&vouched));
    assert!(back.status == 409 && back.text().contains("had left"), "{}", back.text());
    assert_eq!(program.asks("DELETE", &path, None).status, 204);
    assert_eq!(program.asks("DELETE", &path, None).status, 404);
    assert_eq!(program.asks("GET", &path, None).status, 404);
    let li = asked.json()["subscriber"]["subscriber"].clone();
    let why = json!({ "text": "asked us by telephone" });
    let suppressed = program.asks("PUT", &format!("/subscribers/{li}/suppression"), Some(&why));
    assert_eq!(suppressed.json()["suppression"]["text"], "asked us by telephone");
}

#[test]
fn a_program_brings_a_roll_and_takes_it_away() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let ledger = newsroom.ledger();
    let li = ledger.subscriber(&Address::parse("li@example.org").unwrap()).unwrap().unwrap();
    ledger.leave(li.id, newsroom.now()).unwrap();
    let mut program = Program::may(&newsroom, Scope::Write);
    let table =
        "address,pace\nwang@example.org,weekly\nli@example.org,each\nnobody,each\nzhao@example.org,\n";
    let import = |program: &mut Program<'_>, path: &str| {
        program.sends("POST", path, "text/csv; charset=utf-8", table.as_bytes())
    };
    let tried = import(&mut program, "/subscribers/import?dry_run=true").json();
    assert_eq!(
        (&tried["rows"], &tried["broken"], ledger.count(Standing::Confirmed).unwrap()),
        (&json!(4), &json!(1), 0)
    );
    let report = import(&mut program, &with_query("/subscribers/import", &[("how", "a paper list")])).json();
    assert_eq!((&report["new"], &report["kept_away"], &report["broken"]), (&json!(2), &json!(1), &json!(1)));
    let lines: Vec<&Value> = report["problems"].as_array().unwrap().iter().map(|row| &row["line"]).collect();
    assert_eq!(lines, [&json!(4), &json!(3)]);
    assert_eq!(import(&mut program, "/subscribers/import").json()["already"], json!(2), "once more");
    let none = program.sends("POST", "/subscribers/import", "text/csv", b"colour\nred\n");
    assert_eq!(none.status, 422, "{}", none.text());

    let exported = program.asks("GET", "/subscribers/export", None);
    let text = exported.text();
    assert!(exported.header("content-disposition").unwrap().contains("subscribers-"), "{}", exported.head);
    assert!(
        text.contains("wang@example.org") && text.contains("a paper list") && text.lines().count() == 4,
        "{text}"
    );
}

#[test]
fn a_program_minds_the_letters_and_sees_how_the_newsroom_is() {
    let newsroom = Newsroom::with_subscribers(["li@example.org", "wang@example.org"]);
    newsroom.sink.treats("wang@example.org", Conduct::Answers("550 5.7.1 under repair"));
    newsroom.saves("a.md", page("One", "The first words."));
    newsroom.letters_stand("a", &[(State::Delivered, 1), (State::Failed, 1)]);
    let mut program = Program::may(&newsroom, Scope::Write);
    let listed = program.asks("GET", "/digests?limit=1", None).json();
    assert_eq!(listed["digests"][0]["letters"], json!({ "delivered": 1, "failed": 1 }));
    let path = format!("/digests/{}", listed["digests"][0]["digest"]);
    let shown = program.asks("GET", &path, None).json();
    let trouble = &shown["troubles"][0];
    assert_eq!(
        (&trouble["state"], &trouble["readers"][0]["address"]),
        (&json!("failed"), &json!("wang@example.org"))
    );
    assert!(trouble["reasons"][0]["reason"].as_str().unwrap().contains("under repair"), "{trouble}");
    let status = format!("{path}/status");
    assert_eq!(program.asks("PUT", &status, Some(&json!({ "status": "paused" }))).json()["status"], "paused");
    let retry = format!("{path}/retry");
    assert_eq!(program.asks("POST", &retry, Some(&json!({ "state": "failed" }))).status, 409);
    assert_eq!(program.asks("PUT", &status, Some(&json!({ "status": "open" }))).json()["status"], "open");
    newsroom.sink.treats("wang@example.org", Conduct::Takes);
    assert_eq!(
        program.asks("POST", &retry, Some(&json!({ "state": "failed" }))).json(),
        json!({ "queued": 1 })
    );
    newsroom.letters_stand("a", &[(State::Delivered, 2)]);
    assert_eq!(program.asks("GET", "/digests/999", None).status, 404);

    let status = program.asks("GET", "/status", None).json();
    assert_eq!(
        (&status["publication"]["title"], &status["issues"][0]["issue"]),
        (&json!("The Tide Gazette"), &json!("a"))
    );
    assert_eq!(status["next"][0]["pace"], "each");
    let health = program.asks("GET", "/health", None).json();
    assert_eq!((&health["ready"], &health["subscribers"]["confirmed"]), (&json!(true), &json!(2)));
    assert!(health["room"]["outbox"].as_u64().unwrap() > 0, "{health}");
}

#[test]
fn what_is_asked_wrongly_is_told_with_the_way_to_ask() {
    let newsroom = Newsroom::opens();
    let bearer = format!("Bearer {}", token(&newsroom, "a program", Scope::Write));
    let with = |method: &str, path: &str| asks(&newsroom, method, path, &[("Authorization", &bearer)], b"");
    let nothing = with("GET", "/nothing/here");
    assert!(nothing.status == 404 && nothing.text().contains("openapi.json"), "{}", nothing.text());
    for (method, path, allowed) in
        [("DELETE", "/issues", "GET"), ("POST", "/issues/a", "GET"), ("PATCH", "/openapi.json", "GET")]
    {
        let answer = with(method, path);
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let allow = answer.header("allow").unwrap_or_default();
        assert!(allow.contains(allowed), "{method} {path}: {}", answer.head);
    }
    assert_eq!(with("HEAD", "/issues").status, 200);
    assert_eq!(asks(&newsroom, "GET", "/openapi.json", &[], b"").json()["openapi"], "3.1.0");
}

#[test]
fn the_walk_of_the_manual_can_be_walked() {
    let newsroom = Newsroom::opens();
    let manual = std::fs::read_to_string(crate::tools::root().join("docs/api.md")).unwrap();
    let walk = manual
        .split("## A walk")
        .nth(1)
        .unwrap()
        .split("```sh\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let walk = walk.replace("http://127.0.0.1:8081", &format!("http://{}", newsroom.desk_address()));
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_gazetted")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let (good, said) = crate::tools::output(
        std::process::Command::new("sh")
            .args(["-euc", &walk])
            .env("PATH", path)
            .current_dir(newsroom.folder.path()),
    );
    assert!(good, "{said}");
    for told in
        ["\"issue\":\"frost\"", "\"result\":\"added\"", "\"status\":\"canceled\"", "\"status\":\"usable\""]
    {
        assert!(said.contains(told), "{told} in {said}");
    }
}
