//! An editor works at the desk, in the browser; and what would be a stranger does not.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
};

use image::ImageFormat;
use jiff::SignedDuration;

use crate::{
    configuring::gazetted,
    newsroom::{Newsroom, PATIENCE, page, until},
    picturing::picture,
    proving::{DOUBTFUL, careful},
    tools,
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

impl Browser<'_> {
    /// Drops files as a form with a field for files sends them.
    pub fn drops(&mut self, path: &str, token: &str, replace: bool, files: &[(&str, &[u8])]) -> Shown {
        let mut body = Vec::new();
        let mut part = |head: &str, bytes: &[u8]| {
            body.extend(format!("--x--x\r\nContent-Disposition: form-data; {head}\r\n\r\n").bytes());
            body.extend(bytes);
            body.extend(b"\r\n");
        };
        part("name=\"token\"", token.as_bytes());
        if replace {
            part("name=\"replace\"", b"1");
        }
        for (name, bytes) in files {
            part(&format!("name=\"file\"; filename=\"{name}\""), bytes);
        }
        body.extend(b"--x--x--\r\n");
        let origin = format!("http://{}", self.newsroom.desk_address());
        let kind = ("Content-Type", "multipart/form-data; boundary=x--x");
        self.sends("POST", path, &[kind, ("Origin", &origin), ("Accept-Language", "en")], &body)
    }

    /// Waits until a page shows something, and gives it.
    #[track_caller]
    pub fn sees(&mut self, path: &str, what: &str) -> Shown {
        let mut shown = self.asks(path);
        until(&format!("`{what}` on {path}"), || {
            shown = self.asks(path);
            shown.text.contains(what)
        });
        shown
    }

    /// The address of the proof that waits.
    #[track_caller]
    fn proof(&mut self) -> String {
        let shown = self.sees("/", "href=\"/proofs/");
        let at = shown.text.find("href=\"/proofs/").unwrap() + 6;
        shown.text[at..].split('"').next().unwrap().to_owned()
    }

    /// Does something on the page of a proof, with its text as it is there or another.
    #[track_caller]
    fn acts(&mut self, proof: &str, action: &str, text: Option<&str>) -> Shown {
        let shown = self.asks(proof);
        let (version, token) = (value(&shown.text, "version"), shown.token());
        let text = text.map_or_else(|| text_of(&shown), str::to_owned);
        let fields = [("token", &*token), ("version", &version), ("text", &text), ("action", action)];
        self.posts(proof, &encoded(&fields))
    }
}

/// The value of a hidden field.
#[track_caller]
fn value(page: &str, name: &str) -> String {
    let from = format!("name=\"{name}\" value=\"");
    let at = page.find(&from).unwrap_or_else(|| panic!("no {name} in {page}")) + from.len();
    page[at..].split('"').next().unwrap().to_owned()
}

/// The text of a page's text area.
#[track_caller]
fn text_of(shown: &Shown) -> String {
    let from = "name=\"text\"";
    let at = shown.text.find(from).unwrap_or_else(|| panic!("no text in {}", shown.text));
    let inside = shown.text[at..].split_once(">\n").unwrap().1.split("</textarea>").next().unwrap();
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .iter()
        .fold(inside.to_owned(), |text, (coded, plain)| text.replace(coded, plain))
}

#[test]
fn a_file_dropped_in_the_browser_comes_out_and_never_over_another() {
    let newsroom = Newsroom::opens();
    let mut browser = Browser::logged_in(&newsroom);
    let token = browser.asks("/").token();
    let first = page("One", "The first words.");
    let shown = browser.drops("/drop", &token, false, &[("../../a.md", first.as_bytes())]);
    assert_eq!((shown.status, shown.header("location").as_str()), (303, "/?drop.written=a.md"));
    assert!(browser.asks("/?drop.written=a.md").text.contains("a.md is in the inbox."));
    newsroom.is_out("a", 1);
    let again = browser.drops("/drop", &token, false, &[("a.md", first.as_bytes())]);
    assert_eq!(again.header("location"), "/?drop.same=a.md");
    let second = page("One", "The second words.");
    let taken = browser.drops("/drop", &token, false, &[("a.md", second.as_bytes())]);
    assert_eq!(taken.status, 409);
    assert!(taken.text.contains("nothing was written over it"), "{}", taken.text);
    assert_eq!(std::fs::read_to_string(newsroom.path("inbox/a.md")).unwrap(), first);
    assert_eq!(browser.drops("/drop", &token, true, &[("a.md", second.as_bytes())]).status, 303);
    newsroom.is_out("a", 2);

    // What is not for the inbox, is not there.
    for (name, said) in
        [("x.exe", "no form that gazetted reads"), (".a.md", "hidden or temporary"), ("..", "needs a name")]
    {
        let refused = browser.drops("/drop", &token, false, &[(name, b"x")]);
        assert!(refused.status == 400 && refused.text.contains(said), "{name}: {}", refused.text);
    }
    let script = browser.drops("/drop", &token, false, &[("<script>alert(1)<b>.exe", b"x")]);
    assert!(
        script.text.contains("&lt;script&gt;") && !script.text.contains("<script>alert"),
        "{}",
        script.text
    );
    assert_eq!(browser.drops("/drop", "forged", false, &[("b.md", b"# B\n\nx\n")]).status, 403);
    assert_eq!(Browser::of(&newsroom).drops("/drop", &token, false, &[("b.md", b"# B\n\nx\n")]).status, 401);
    assert!(!newsroom.path("inbox/b.md").exists());
}

#[test]
fn a_file_that_is_too_large_is_refused_before_it_is_all_there() {
    let mut newsroom = Newsroom::closed("");
    newsroom.sets("desk", "largest_upload_mib = 1");
    newsroom.starts();
    let mut browser = Browser::logged_in(&newsroom);
    let token = browser.asks("/").token();
    let large = vec![b'x'; 3 << 20];
    assert_eq!(browser.drops("/drop", &token, false, &[("large.txt", &large)]).status, 413);
    assert_eq!(std::fs::read_dir(newsroom.path("inbox")).unwrap().count(), 0);
}

#[test]
fn an_editor_settles_queries_and_approves_and_nothing_comes_out_before() {
    let newsroom = careful("flagged");
    newsroom.saves("frost.md", DOUBTFUL);
    let mut browser = Browser::logged_in(&newsroom);
    let proof = browser.proof();
    let shown = browser.asks(&proof);
    assert!(shown.text.contains("A headline is missing") && shown.text.contains("<mark>"), "{}", shown.text);
    // With queries left it does not go out.
    let open = browser.acts(&proof, "approve", None);
    assert!(open.status == 422 && open.text.contains("still open"), "{}", open.text);
    let mut settled = 0;
    loop {
        let shown = browser.asks(&proof);
        let Some(at) = shown.text.find("value=\"confirm:") else { break };
        let action = shown.text[at + 7..].split('"').next().unwrap().to_owned();
        assert_eq!(browser.acts(&proof, &action, None).status, 303);
        settled += 1;
        assert!(settled < 20, "they do not end");
    }
    assert!(settled >= 2, "{settled}");
    let text = text_of(&browser.asks(&proof)).replace("on Mondays", "on <script>alert(1)</script> Tuesdays");
    assert!(text.contains("waits for approval at the desk"), "{text}");
    assert_eq!(browser.acts(&proof, "save", Some(&text)).status, 303);
    assert!(newsroom.ledger().issues(&newsroom.publication()).unwrap().is_empty(), "it was only saved");
    let shown = browser.asks(&proof);
    assert!(!shown.text.contains("<script>alert"), "{}", shown.text);
    let approved =
        browser.acts(&proof, "approve", Some(&text_of(&shown).replace("<script>alert(1)</script> ", "")));
    assert_eq!(
        (approved.status, approved.header("location").as_str()),
        (303, "/issues/frost?done=published")
    );
    newsroom.is_out("frost", 1).no_reason_beside("frost.md");
    assert!(newsroom.outbox_text("issues/frost/index.html").contains("on Tuesdays"));
    newsroom.sink.letters_to("li@example.org", 1);
    browser.sees("/", "1 delivered");
    assert!(browser.asks("/proofs").text.contains("Nothing waits for you."));
}

#[test]
fn what_is_in_doubt_and_why_a_file_is_refused_is_told_in_chinese_at_a_chinese_desk() {
    let newsroom = careful("flagged");
    newsroom.saves("frost.md", DOUBTFUL).saves("empty.md", "");
    let mut browser = Browser::logged_in(&newsroom);
    let proof = browser.proof();
    let chinese = [("Accept", "text/html"), ("Accept-Language", "zh-CN")];
    let shown = browser.sends("GET", &proof, &chinese, b"").text;
    assert!(shown.contains("lang=\"zh-Hans\">没有标题，读者看到的是"), "{shown}");
    newsroom.reason_beside("empty.md");
    until("the reason", || {
        browser.sends("GET", "/", &chinese, b"").text.contains("文件中没有文字，请重新保存")
    });
}

#[test]
fn of_two_editors_the_second_is_told_and_nothing_is_lost() {
    let newsroom = careful("flagged");
    newsroom.saves("frost.md", DOUBTFUL);
    let (mut ada, mut ben) = (Browser::logged_in(&newsroom), Browser::logged_in(&newsroom));
    let proof = ada.proof();
    let bens = ben.asks(&proof);
    let text = text_of(&bens);
    assert_eq!(ada.acts(&proof, "save", Some(&text.replace("on Mondays", "on Tuesdays"))).status, 303);
    let fields = |version: &str, action: &str, token: &str| {
        encoded(&[
            ("token", token),
            ("version", version),
            ("text", &text.replace("on Mondays", "on Fridays")),
            ("action", action),
        ])
    };
    for action in ["save", "approve-anyway", "confirm:1"] {
        let told = ben.posts(&proof, &fields(&value(&bens.text, "version"), action, &bens.token()));
        assert_eq!(told.status, 409);
        assert!(told.text.contains("on Tuesdays") && told.text.contains("on Fridays"), "{}", told.text);
        assert!(told.text.contains("<del>Tuesdays</del><ins>Fridays</ins>"), "{}", told.text);
    }
    let told = ben.posts(&proof, &fields(&value(&bens.text, "version"), "save", &bens.token()));
    assert_eq!(ben.posts(&proof, &fields(&value(&told.text, "version"), "save", &told.token())).status, 303);
    assert!(text_of(&ada.asks(&proof)).contains("on Fridays"));
}

#[test]
fn an_editor_mends_articles_and_says_when_they_come_out() {
    let newsroom = careful("always-ask");
    newsroom.saves(
        "two.md",
        "# One\n\nThe first words.\n\nThe ferry\n\nIt goes at six.\n\n# Three\n\nThe last words.\n",
    );
    let mut browser = Browser::logged_in(&newsroom);
    let proof = browser.proof();
    assert_eq!(browser.acts(&proof, "split:0:1", None).status, 303);
    assert!(text_of(&browser.asks(&proof)).contains("\n# The ferry\n\nIt goes at six.\n"));
    assert_eq!(browser.acts(&proof, "merge:1", None).status, 303);
    let text = text_of(&browser.asks(&proof));
    assert!(text.contains("It goes at six.\n\n## Three\n\nThe last words."), "{text}");
    assert_eq!(browser.acts(&proof, "merge:7", None).status, 422);
    // A broken proof is kept as it is, and what is wrong is told.
    assert_eq!(
        browser.acts(&proof, "save", Some(&text.replace("language: en\n", "language: !\n"))).status,
        303
    );
    let broken = browser.asks(&proof);
    assert!(broken.text.contains("is not a language tag"), "{}", broken.text);
    let shown = browser.asks(&proof);
    let fields = [
        ("token", &*shown.token()),
        ("version", &value(&shown.text, "version")),
        ("text", &text),
        ("publish_at", "2099-12-01T06:00"),
        ("action", "approve"),
    ];
    let approved = browser.posts(&proof, &encoded(&fields));
    assert_eq!(approved.header("location"), "/issues/two?done=embargoed", "{}", approved.text);
    let shown = browser.asks("/issues/two");
    assert!(
        shown.text.contains("waits for its time") && shown.text.contains("2099-12-01 06:00"),
        "{}",
        shown.text
    );
    assert_eq!(browser.fills_in("/issues/two", "/issues/two", &[("action", "release")]).status, 303);
    newsroom.is_out("two", 1);
}

#[test]
fn an_issue_is_taken_back_given_again_and_corrected_and_its_versions_are_compared() {
    let newsroom = Newsroom::opens();
    newsroom.saves("a.md", page("One", "The ferry goes at six.")).is_out("a", 1);
    let mut browser = Browser::logged_in(&newsroom);
    for (action, said, there) in [
        ("withdraw", "withdrawn", false),
        ("reinstate", "out", true),
        ("hold", "held back", false),
        ("release", "out", true),
    ] {
        let done = browser.fills_in("/issues/a", "/issues/a", &[("action", action)]);
        assert_eq!(done.status, 303, "{action}");
        let shown = browser.asks(&done.header("location"));
        assert!(shown.text.contains(&format!(">{said}</span>")), "{action}: {}", shown.text);
        assert_eq!(newsroom.path("outbox/issues/a/index.html").exists(), there, "{action}");
    }
    let token = browser.asks("/issues/a").token();
    let corrected = page("One", "The ferry goes at seven.");
    let other = browser.drops("/issues/a/correct", &token, false, &[("x.txt", corrected.as_bytes())]);
    assert!(other.status == 400 && other.text.contains("must end alike"), "{}", other.text);
    let sent = browser.drops("/issues/a/correct", &token, false, &[("corrected.md", corrected.as_bytes())]);
    assert_eq!(sent.header("location"), "/issues/a?done=corrected");
    newsroom.is_out("a", 2);
    let shown = browser.asks("/issues/a?version=2");
    assert!(shown.text.contains("<del>six</del><ins>seven</ins>"), "{}", shown.text);
    assert_eq!(browser.asks("/issues/nothing").status, 404);
    assert!(browser.asks("/issues").text.contains("v2"));
}

#[test]
fn an_issue_that_came_as_a_folder_is_corrected_by_its_text() {
    let newsroom = Newsroom::opens();
    let files = [
        ("index.md", page("One", "The ferry goes at six.").into_bytes()),
        ("a.png", picture(40, 30, ImageFormat::Png)),
    ];
    newsroom.saves_folder("a", &files).is_out("a", 1);
    let mut browser = Browser::logged_in(&newsroom);
    let token = browser.asks("/issues/a").token();
    let corrected = page("One", "The ferry goes at seven.");
    let other = browser.drops("/issues/a/correct", &token, false, &[("a.zip", corrected.as_bytes())]);
    assert!(other.status == 400 && other.text.contains("came from index.md"), "{}", other.text);
    browser.drops("/issues/a/correct", &token, false, &[("corrected.md", corrected.as_bytes())]);
    newsroom.is_out("a", 2).are_out(1);
    assert!(newsroom.outbox_text("issues/a/index.html").contains("goes at seven"));
}

/// The editor's story in a browser, with a mouse or without.
fn works_at_the_desk(hand: &str, language: &str) {
    let (Some(node), Some(chromium), Some(modules)) =
        (tools::program("node"), tools::program("chromium"), tools::node_modules("puppeteer-core"))
    else {
        return;
    };
    let newsroom = careful("flagged");
    std::fs::write(newsroom.path("frost.md"), DOUBTFUL).unwrap();
    let pictures = std::env::var("GAZETTED_PICTURES").unwrap_or_else(|_| "-".to_owned());
    let (good, said) = tools::output(
        std::process::Command::new(node)
            .arg(tools::root().join("tests/judges/edit_pages.mjs"))
            .args([&modules, &chromium])
            .arg(format!("http://{}", newsroom.desk_address()))
            .arg(newsroom.desk_password())
            .arg(newsroom.path("frost.md"))
            .args([hand, language, &pictures]),
    );
    assert!(good && said.contains("3 seen, 0 findings"), "{said}");
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn an_editor_with_a_mouse_publishes_a_page_in_doubt_and_sees_the_letters_go() {
    works_at_the_desk("mouse", "en");
}

#[test]
fn an_editor_without_a_mouse_does_the_same_in_chinese() {
    works_at_the_desk("keyboard", "zh-CN");
}
