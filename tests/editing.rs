//! An editor works at the desk, in the browser; and what would be a stranger does not.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use jiff::SignedDuration;

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, PATIENCE, page},
};

/// A browser without scripts at a newsroom's desk: it keeps cookies, and says where its forms come from.
pub struct Browser<'n> {
    newsroom: &'n Newsroom,
    /// The cookies as the browser sends them.
    pub cookies: Vec<(String, String)>,
}

/// What the desk answered.
pub struct Shown {
    pub status: u16,
    pub head: String,
    pub text: String,
}

impl Shown {
    /// The value of a header; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// The token of the page's forms.
    #[track_caller]
    pub fn token(&self) -> String {
        let from = "name=\"token\" value=\"";
        let at = self.text.find(from).unwrap_or_else(|| panic!("no form in {}", self.text)) + from.len();
        self.text[at..].split('"').next().unwrap().to_owned()
    }
}

/// Fields as a form sends them.
pub fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl<'n> Browser<'n> {
    /// A browser of somebody who is not logged in.
    pub fn of(newsroom: &'n Newsroom) -> Self {
        Self { newsroom, cookies: Vec::new() }
    }

    /// A browser of an editor who has logged in.
    #[track_caller]
    pub fn logged_in(newsroom: &'n Newsroom) -> Self {
        let mut browser = Self::of(newsroom);
        let shown = browser.logs_in(&newsroom.desk_password());
        assert_eq!(shown.status, 303, "{}", shown.text);
        browser
    }

    pub fn logs_in(&mut self, password: &str) -> Shown {
        self.posts("/login", &encoded(&[("password", password), ("to", "/")]))
    }

    /// Sends any request, and keeps the cookies that come back.
    pub fn sends(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Shown {
        let address = self.newsroom.desk_address();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let cookies: Vec<String> = self.cookies.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
        if !cookies.is_empty() {
            write!(request, "Cookie: {}\r\n", cookies.join("; ")).unwrap();
        }
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        write!(request, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        // The desk may answer before it has taken all of what is too large.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        for cookie in head.lines().filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (key, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != key);
            self.cookies.push((key.to_owned(), value.to_owned()));
        }
        Shown {
            status: head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0),
            text: String::from_utf8_lossy(&answer[end + 4..]).into_owned(),
            head,
        }
    }

    /// Asks for a page, in English.
    pub fn asks(&mut self, path: &str) -> Shown {
        self.sends("GET", path, &[("Accept", "text/html"), ("Accept-Language", "en")], b"")
    }

    /// Sends a form from a page of the desk.
    pub fn posts(&mut self, path: &str, form: &str) -> Shown {
        let origin = format!("http://{}", self.newsroom.desk_address());
        let kind = ("Content-Type", "application/x-www-form-urlencoded");
        self.sends("POST", path, &[kind, ("Origin", &origin), ("Accept-Language", "en")], form.as_bytes())
    }

    /// Fills in a form on the page `on`, with the page's token, and sends it to `path`.
    #[track_caller]
    pub fn fills_in(&mut self, on: &str, path: &str, fields: &[(&str, &str)]) -> Shown {
        let shown = self.asks(on);
        assert_eq!(shown.status, 200, "{on}: {}", shown.text);
        let token = shown.token();
        let fields: Vec<(&str, &str)> =
            std::iter::once(("token", &*token)).chain(fields.iter().copied()).collect();
        self.posts(path, &encoded(&fields))
    }
}

#[test]
fn the_desk_shows_nothing_to_a_stranger_and_leads_an_editor_to_what_was_asked() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    let mut browser = Browser::of(&newsroom);
    let shown = browser.asks("/?x=1");
    assert_eq!((shown.status, shown.header("location").as_str()), (303, "/login?to=%2F%3Fx%3D1"));
    assert!(!shown.text.contains("a.md"), "{}", shown.text);
    let login = browser.asks("/login?to=%2F%3Fx%3D1");
    assert!(login.text.contains("name=\"to\" value=\"/?x=1\""), "{}", login.text);
    assert!(login.header("content-security-policy").contains("script-src 'self'"), "{}", login.head);
    let shown = browser.logs_in(&newsroom.desk_password());
    assert_eq!((shown.status, shown.header("location").as_str()), (303, "/"));
    let cookie = shown.header("set-cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/"),
        "{cookie}"
    );
    let today = browser.asks("/");
    assert_eq!(today.status, 200);
    assert!(today.text.contains("a.md"), "{}", today.text);
    let left = browser.fills_in("/", "/logout", &[]);
    assert_eq!((left.status, left.header("location").as_str()), (303, "/login"));
    assert_eq!(browser.asks("/").status, 303);
}

#[test]
fn a_session_ends_when_it_is_idle_and_when_the_password_changes() {
    let newsroom = Newsroom::opens();
    let mut browser = Browser::logged_in(&newsroom);
    newsroom.after(SignedDuration::from_hours(11));
    let shown = browser.asks("/");
    assert_eq!(shown.status, 200);
    newsroom.after(SignedDuration::from_hours(13));
    assert_eq!(browser.asks("/").status, 303, "expired");
    let late = browser.posts("/logout", &encoded(&[("token", &shown.token())]));
    assert_eq!(late.status, 401);
    assert!(late.text.contains("not logged in any more"), "{}", late.text);

    assert_eq!(browser.logs_in(&newsroom.desk_password()).status, 303);
    let (code, text) = gazetted(newsroom.folder.path(), &["desk", "password"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(browser.asks("/").status, 303, "the old password's session");
    assert_eq!(browser.logs_in(&newsroom.desk_password()).status, 403);
    assert_eq!(browser.logs_in(text.trim()).status, 303);
}

#[test]
fn what_another_site_has_a_browser_send_does_nothing() {
    let newsroom = Newsroom::opens();
    let mut browser = Browser::logged_in(&newsroom);
    let token = browser.asks("/").token();
    let form = encoded(&[("token", &token)]);
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    for headers in [vec![kind, ("Origin", "http://evil.example")], vec![kind, ("Origin", "null")], vec![kind]]
    {
        let shown = browser.sends("POST", "/logout", &headers, form.as_bytes());
        assert_eq!(shown.status, 403, "{headers:?}");
        assert!(shown.text.contains("not sent from a page of the desk"), "{}", shown.text);
    }
    for forged in ["", "0123456789abcdef0123456789abcdef"] {
        let shown = browser.posts("/logout", &encoded(&[("token", forged)]));
        assert_eq!(shown.status, 403);
        assert!(shown.text.contains("earlier session"), "{}", shown.text);
    }
    // Another editor's token is none of this one's.
    let theirs = Browser::logged_in(&newsroom).asks("/").token();
    assert_eq!(browser.posts("/logout", &encoded(&[("token", &theirs)])).status, 403);
    assert_eq!(browser.asks("/").status, 200, "still logged in");
}

#[test]
fn passwords_are_not_tried_without_end_and_long_ones_not_at_all() {
    let newsroom = Newsroom::opens();
    let mut browser = Browser::of(&newsroom);
    assert_eq!(browser.logs_in(&"x".repeat(100_000)).status, 413, "more than a password");
    for n in 0..10 {
        let shown = browser.logs_in(&format!("guess {n}"));
        assert_eq!(shown.status, 403);
        assert!(shown.text.contains("This is not the password."), "{}", shown.text);
    }
    let shown = browser.logs_in(&newsroom.desk_password());
    assert_eq!((shown.status, shown.header("retry-after").is_empty()), (429, false), "even the right one");
    newsroom.after(SignedDuration::from_mins(16));
    assert_eq!(browser.logs_in(&newsroom.desk_password()).status, 303);
}

#[test]
fn the_desk_speaks_the_language_of_its_editor() {
    let newsroom = Newsroom::opens();
    let mut browser = Browser::of(&newsroom);
    let asked = |browser: &mut Browser, accept: &str| {
        browser.sends("GET", "/login", &[("Accept-Language", accept)], b"").text
    };
    assert!(asked(&mut browser, "zh-CN,zh;q=0.9").contains("<html lang=\"zh-Hans\""));
    assert!(asked(&mut browser, "zh-TW").contains("登入"));
    assert!(asked(&mut browser, "fr").contains("Log in"), "the publication's language");
    assert_eq!(browser.posts("/language", "lang=zh-Hans&to=//evil.example").header("location"), "/");
    assert!(asked(&mut browser, "en").contains("登录"), "what was chosen");
}

#[test]
fn without_an_address_there_is_no_desk_and_a_wrong_one_is_told() {
    let mut newsroom = Newsroom::closed("");
    let settings = std::fs::read_to_string(newsroom.path("config/gazetted.toml")).unwrap();
    let with = |listen: &str| {
        let text =
            settings.replace("[desk]\nlisten = \"127.0.0.1:0\"", &format!("[desk]\nlisten = \"{listen}\""));
        std::fs::write(newsroom.path("config/gazetted.toml"), text).unwrap();
    };
    with("nowhere");
    let (code, text) = gazetted(newsroom.folder.path(), &["config"]);
    assert_eq!(code, 2);
    assert!(
        text.contains("listen: `nowhere` is not an address such as `127.0.0.1:8081`, nor `off`"),
        "{text}"
    );
    with("off");
    newsroom.starts();
    assert!(!newsroom.path("data/desk.password").exists());
    let (code, text) = gazetted(newsroom.folder.path(), &["config"]);
    assert!(code == 0 && text.contains("listen = \"off\""), "{text}");
}
