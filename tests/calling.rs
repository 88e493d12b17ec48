//! Programs of others are told what happens, and nobody waits for them.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    process::{Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gazetted::{delivery::State, issue::IssueKey, issue::Status};
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    configuring::gazetted,
    editing::Browser,
    newsroom::{Newsroom, PATIENCE, page, until},
    tools,
};

const SECRET: &str = "whsec_aWYgeW91IGNhbiByZWFkIHRoaXMgaXQgaXMgbm8gc2VjcmV0";

/// A webhook of somebody's: it passes on what it is told, and answers as it is made to.
struct Hook {
    url: String,
    told: mpsc::Receiver<Call>,
    answers: Arc<Mutex<Vec<&'static str>>>,
}

/// What a webhook was told.
#[derive(Debug, PartialEq, Eq)]
struct Call {
    id: String,
    text: String,
}

const TAKEN: &str = "204 No Content";

impl Hook {
    /// It gives these answers, one after the other, and the last one for ever. `silence` is none.
    fn answers(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook?x=1", listener.local_addr().unwrap());
        let (tell, told) = mpsc::channel();
        let answers = Arc::new(Mutex::new(answers.to_vec()));
        let says = Arc::clone(&answers);
        thread::spawn(move || {
            let mut silent = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while lines.read_line(&mut head).is_ok_and(|n| n > 2) {}
                let header = |name: &str| -> String {
                    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                    let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name));
                    found.map(|(_, value)| value.to_owned()).unwrap_or_default()
                };
                let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
                lines.read_exact(&mut body).unwrap();
                let text = String::from_utf8(body).unwrap();
                assert!(head.starts_with("POST /hook?x=1 HTTP/1.1"), "{head}");
                let id = header("webhook-id");
                // The signature is over the identifier, the time and the body.
                let key = STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap();
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
                let signed = format!("{id}.{}.{text}", header("webhook-timestamp"));
                let signature = header("webhook-signature");
                let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
                ring::hmac::verify(&key, signed.as_bytes(), &signature).expect("a good signature");
                let mut answers = says.lock().unwrap();
                let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0] };
                let _ = tell.send(Call { id, text });
                if answer == "silence" {
                    silent.push(stream);
                    continue;
                }
                let _ =
                    write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nLocation: /elsewhere\r\n\r\n");
            }
        });
        Self { url, told, answers }
    }

    /// What it is told next.
    #[track_caller]
    fn hears(&self) -> Call {
        self.told.recv_timeout(PATIENCE).expect("a call")
    }
}

impl Call {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// A newsroom that is not at work yet, and tells this webhook.
fn telling(hook: &Hook, more: &str) -> Newsroom {
    let newsroom = Newsroom::closed(&format!(
        "[[webhooks]]\nurl = \"{}\"\nsecret_file = \"config/secret\"\n{more}",
        hook.url
    ));
    fs::write(newsroom.path("config/secret"), SECRET).unwrap();
    newsroom
}

#[test]
fn a_webhook_is_told_of_an_issue_its_letters_its_correction_and_its_end() {
    let hook = Hook::answers(&[TAKEN]);
    let mut newsroom = telling(&hook, "");
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom.saves("a.md", page("Frost", "The bell is rung on Mondays.")).is_out("a", 1);
    let mut seen = [hook.hears(), hook.hears()];
    seen.sort_by_key(|call| call.json()["type"].as_str().unwrap().to_owned());
    let (finished, published) = (seen[0].json(), seen[1].json());
    assert_eq!(published["type"], "issue.published");
    let data = &published["data"];
    assert_eq!(
        (&data["publication"], &data["issue"], &data["version"]),
        (&json!("tide"), &json!("a"), &json!(1))
    );
    assert_eq!(data["url"], format!("{}issues/a/", newsroom.base_url()));
    assert_eq!(
        data["articles"][0],
        json!({ "article": "a1", "headline": "Frost", "authors": ["Ada Quill"] })
    );
    assert!(data["book"].as_str().unwrap().contains(".epub"), "{data}");
    assert_eq!(
        (&finished["type"], &finished["data"]["letters"]),
        (&json!("digest.finished"), &json!({ "delivered": 1 }))
    );
    assert_eq!(finished["data"]["issues"], json!(["a"]));

    newsroom.saves("a.md", page("Frost", "The bell is rung on Tuesdays.")).is_out("a", 2);
    let corrected = hook.hears().json();
    assert_eq!((&corrected["type"], &corrected["data"]["version"]), (&json!("issue.corrected"), &json!(2)));
    let mut browser = Browser::logged_in(&newsroom);
    for (action, kind) in [
        ("withdraw", "issue.withdrawn"),
        ("reinstate", "issue.published"),
        ("hold", "issue.withdrawn"),
        ("release", "issue.published"),
    ] {
        assert_eq!(browser.fills_in("/issues/a", "/issues/a", &[("action", action)]).status, 303);
        assert_eq!(hook.hears().json()["type"], kind, "{action}");
    }
    // Nothing is told twice, but for what was on its way at the end.
    let ledger = newsroom.ledger();
    until("all to be told", || ledger.webhooks().unwrap().iter().all(|line| line.waiting == 0));
    drop((browser, ledger));
    newsroom.stops();
    newsroom.starts();
    newsroom.saves("b.md", page("Two", "The second words."));
    let next = [hook.hears().text, hook.hears().text].concat();
    assert!(next.contains("\"issues\":[\"b\"]") && next.contains("\"issue\":\"b\""), "nothing twice: {next}");
}

#[test]
fn a_webhook_that_does_not_take_it_is_told_again_with_the_same_words() {
    let hook = Hook::answers(&["500 Oh", "302 Found", TAKEN]);
    let mut newsroom = telling(&hook, "events = [\"issue.published\"]\n");
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom
        .saves("a.md", page("Frost", "The bell is rung on Mondays."))
        .letters_stand("a", &[(State::Delivered, 1)]);
    let first = hook.hears();
    let stands = |what: &dyn Fn(&gazetted::ledger::WebhookLine) -> bool| {
        let ledger = newsroom.ledger();
        until("the webhook's standing", || ledger.webhooks().unwrap().iter().any(what));
    };
    stands(&|line| {
        line.trouble.as_ref().is_some_and(|(said, _)| said == "it answered `500 Internal Server Error`")
    });
    let mut browser = Browser::logged_in(&newsroom);
    let shown = browser.asks("/health").text;
    assert!(
        shown.contains("did not take the last one: it answered `500") && shown.contains("one event waits"),
        "{shown}"
    );
    newsroom.after(SignedDuration::from_secs(6));
    assert_eq!(hook.hears(), first);
    stands(&|line| {
        line.trouble.as_ref().is_some_and(|(said, _)| said.contains("redirects are not followed"))
    });
    newsroom.after(SignedDuration::from_mins(6));
    assert_eq!(hook.hears(), first);
    stands(&|line| line.told.is_some() && line.waiting == 0 && line.trouble.is_none());
    assert!(browser.asks("/health").text.contains("takes what it is told"));
    newsroom.after(SignedDuration::from_hours(200));
    newsroom.saves("b.md", page("Two", "The second words."));
    assert_eq!(hook.hears().json()["data"]["issue"], "b", "and of nothing else");
}

#[test]
fn a_webhook_that_never_answers_keeps_nobody_from_their_letters() {
    let (silent, quick) = (Hook::answers(&["silence"]), Hook::answers(&[TAKEN]));
    let also = format!("[[webhooks]]\nurl = \"{}\"\nsecret_file = \"config/secret\"\n", quick.url);
    let mut newsroom = telling(&silent, &also);
    newsroom.enters(&["li@example.org"]);
    newsroom.starts();
    newsroom.saves("a.md", page("Frost", "The bell is rung on Mondays."));
    // Of the issue or of its digest: what came at nearly the same time is told in any order.
    assert!(silent.hears().json()["type"].is_string());
    newsroom.letters_stand("a", &[(State::Delivered, 1)]);
    newsroom.saves("b.md", page("Two", "The second words.")).letters_stand("b", &[(State::Delivered, 1)]);
    // Who answers hears of both issues and of both their digests, in whatever order.
    let mut told: Vec<Value> = (0..4).map(|_| quick.hears().json()["type"].clone()).collect();
    told.sort_by_key(ToString::to_string);
    assert_eq!(told, ["digest.finished", "digest.finished", "issue.published", "issue.published"]);
    newsroom.sink.letters_to("li@example.org", 2);
}

#[test]
fn a_webhook_that_is_gone_is_told_nothing_more_until_its_operator_says_so() {
    let hook = Hook::answers(&["410 Gone"]);
    let mut newsroom = telling(&hook, "");
    newsroom.starts();
    newsroom.saves("a.md", page("Frost", "The bell is rung on Mondays.")).is_out("a", 1);
    assert_eq!(hook.hears().json()["data"]["issue"], "a");
    let ledger = newsroom.ledger();
    until("the end", || ledger.webhooks().unwrap().iter().any(|line| line.ended.is_some()));
    assert!(Browser::logged_in(&newsroom).asks("/health").text.contains("it answered 410"));
    newsroom.saves("b.md", page("Two", "The second words.")).is_out("b", 1);
    until("the event to be forgotten", || ledger.unwritten(9).unwrap().is_empty());
    let folder = newsroom.folder.path();
    let (code, listed) = gazetted(folder, &["webhooks", "list"]);
    assert!(
        code == 0 && listed.contains("ended ") && listed.contains("it answered 410, 1 given up"),
        "{listed}"
    );
    hook.answers.lock().unwrap()[0] = TAKEN;
    let (code, said) = gazetted(folder, &["webhooks", "resume", &hook.url]);
    assert!(code == 0 && said.contains("is told again what happens from now on"), "{said}");
    newsroom.saves("c.md", page("Three", "The third words."));
    assert_eq!(hook.hears().json()["data"]["issue"], "c");
    let (code, said) = gazetted(folder, &["webhooks", "resume", "http://127.0.0.1:1/"]);
    assert!(code == 2 && said.contains("nothing waits for"), "{said}");
}

#[test]
fn a_daemon_that_is_killed_over_a_call_calls_again_with_the_same_identifier() {
    let hook = Hook::answers(&["silence", TAKEN]);
    let newsroom = telling(&hook, "");
    let folder = newsroom.folder.path();
    // What a command does beside the daemon, or without one, is told too.
    fs::write(folder.join("a.md"), page("Frost", "The bell is rung on Mondays.")).unwrap();
    assert_eq!(gazetted(folder, &["publish", "a.md"]).0, 0);
    let start = || {
        let mut daemon = Command::new(env!("CARGO_BIN_EXE_gazetted"));
        daemon.arg("run").current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
        tools::Beside(daemon.spawn().unwrap())
    };
    let mut daemon = start();
    let first = hook.hears();
    daemon.0.kill().unwrap();
    daemon.0.wait().unwrap();
    let daemon = start();
    assert_eq!(hook.hears(), first);
    let ledger = newsroom.ledger();
    until("it to be told", || ledger.webhooks().unwrap().iter().any(|line| line.told.is_some()));
    drop(daemon);
    let settings = fs::read_to_string(folder.join("config/gazetted.toml")).unwrap();
    assert!(!gazetted(folder, &["config"]).1.contains(SECRET) && settings.contains("config/secret"));
    fs::write(folder.join("config/secret"), "guess me").unwrap();
    let (code, said) = gazetted(folder, &["webhooks", "list"]);
    assert!(code == 2 && said.contains("`openssl rand -base64 32` makes one"), "{said}");
}

#[test]
fn without_a_webhook_no_event_is_kept() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("Frost", "The bell is rung on Mondays.")).is_out("a", 1);
    let ledger = newsroom.ledger();
    until("nothing to be left", || ledger.unwritten(9).unwrap().is_empty());
    let publication = newsroom.publication();
    ledger.set_status(&publication, &IssueKey::of("a"), Status::Canceled, newsroom.now()).unwrap();
    assert!(ledger.webhooks().unwrap().is_empty());
}
