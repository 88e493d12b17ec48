//! A newsroom in a folder of its own: the daemon as a child, a mail server, an observer, and what everybody may expect.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    net::TcpStream,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{
    BASE, Tally,
    chance::Chance,
    expecting::{Expected, Reader},
    observer::{Observer, Seen},
    postbox::Postbox,
};
use crate::fault;

/// How long a trial waits for what must come.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);

/// How often it looks whether it has come.
pub(super) const GLANCE: Duration = Duration::from_millis(20);

/// How often a newsroom asks for its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    Each,
    Daily,
}

/// How the daemon is started.
#[derive(Debug, Clone, Default)]
pub(super) struct Started {
    /// What stands before our own name, such as `strace` with its arguments.
    pub(super) before: Vec<String>,
    pub(super) environment: Vec<(&'static str, String)>,
}

/// How the settings of a newsroom differ from the usual ones.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) connections: u32,
    pub(super) patience: &'static str,
    pub(super) protection: &'static str,
    pub(super) settle_after: &'static str,
    pub(super) inbox: Option<PathBuf>,
    /// Whether each issue is dated a day after the one before; else all are of the day of the trial. No year has ten thousand issues.
    pub(super) is_daily: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connections: 4,
            patience: "20s",
            protection: "none",
            settle_after: "40ms",
            inbox: None,
            is_daily: false,
        }
    }
}

pub(super) struct World {
    pub(super) folder: PathBuf,
    pub(super) inbox: PathBuf,
    program: PathBuf,
    pub(super) postbox: Postbox,
    pub(super) settings: Settings,
    observer: Option<Observer>,
    daemon: Option<Child>,
    pub(super) chance: Chance,
    pub(super) issues: Vec<Expected>,
    pub(super) readers: Vec<Reader>,
    ahead: i64,
    pub(super) step: u32,
    /// How many letters may come twice for other reasons than a connection that ended.
    pub(super) twice: u64,
    pub(super) tally: Tally,
}

/// What went wrong with the trial itself.
pub(super) type Trouble = String;

pub(super) fn trouble(what: impl Into<String>) -> impl FnOnce(io::Error) -> Trouble {
    let what = what.into();
    move |error| format!("{what}: {error}")
}

impl World {
    /// A newsroom in `folder`, not at work yet.
    pub(super) fn open(
        folder: &Path,
        program: &Path,
        chance: Chance,
        settings: Settings,
    ) -> Result<Self, Trouble> {
        let inbox = settings.inbox.clone().unwrap_or_else(|| folder.join("inbox"));
        for name in [folder.join("config"), inbox.clone(), folder.join("outbox")] {
            fs::create_dir_all(&name).map_err(trouble(format!("cannot make `{}`", name.display())))?;
        }
        let world = Self {
            folder: folder.to_owned(),
            inbox,
            program: program.to_owned(),
            postbox: Postbox::open().map_err(trouble("no mail server"))?,
            settings,
            observer: None,
            daemon: None,
            chance,
            issues: Vec::new(),
            readers: Vec::new(),
            ahead: 0,
            step: 0,
            twice: 0,
            tally: Tally::default(),
        };
        // Another newsroom may have stood here.
        let _ = fs::remove_file(folder.with_extension("clock"));
        world.write_settings()?;
        Ok(world)
    }

    pub(super) fn write_settings(&self) -> Result<(), Trouble> {
        let Settings { connections, patience, protection, settle_after, .. } = &self.settings;
        let settings = format!(
            "[publication]\nkey = \"torture\"\ntitle = \"The Torture Gazette\"\nauthority = \"torture.example.org,2026\"\n\
             base_url = \"{BASE}\"\n[inbox]\nfolder = \"{}\"\nsettle_after = \"{settle_after}\"\nlook_every = \"200ms\"\n\
             [http]\nlisten = \"127.0.0.1:0\"\n[desk]\nlisten = \"off\"\n[digests]\nask_after = \"2400h\"\n\
             [mail]\nserver = \"{}\"\nprotection = \"{protection}\"\nconnections = {connections}\npatience = \"{patience}\"\n\
             from = \"The Torture Gazette <torture@example.org>\"\n",
            self.inbox.display(),
            self.postbox.address,
        );
        let path = self.folder.join("config/gazetted.toml");
        fs::write(&path, settings).map_err(trouble(format!("cannot write `{}`", path.display())))
    }

    pub(super) fn outbox(&self) -> PathBuf {
        self.folder.join("outbox")
    }

    /// From now on somebody looks at the outbox all the time.
    pub(super) fn observe(&mut self) {
        self.observer = Some(Observer::on(&self.outbox()));
    }

    /// Nobody looks any more.
    pub(super) fn unobserve(&mut self) {
        if let Some(observer) = self.observer.take() {
            self.note_seen(&observer.look());
        }
    }

    pub(super) fn look(&mut self) {
        if let Some(seen) = self.observer.as_ref().map(Observer::look) {
            self.note_seen(&seen);
        }
    }

    pub(super) fn note_seen(&mut self, seen: &Seen) {
        self.tally.looks += seen.looks;
        for (found, count) in [(&seen.dangling, &mut self.tally.dangling), (&seen.torn, &mut self.tally.torn)]
        {
            for one in found {
                let told = format!("seen in the outbox: {one}");
                if !self.tally.findings.contains(&told) {
                    *count += 1;
                    self.tally.findings.push(told);
                }
            }
        }
    }

    /// Starts the daemon.
    pub(super) fn start(&mut self, how: &Started) -> Result<(), Trouble> {
        let log = self.folder.with_extension("log");
        let log = OpenOptions::new().create(true).append(true).open(log);
        let log = log.map_err(trouble("cannot write the daemon's log"))?;
        let out = File::create(self.folder.with_extension("out")).map_err(trouble("cannot write"))?;
        let mut command = match how.before.split_first() {
            None => Command::new(&self.program),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.program);
                command
            }
        };
        command.arg("run").current_dir(&self.folder).stdin(Stdio::null()).stdout(out).stderr(log);
        command.env(fault::CLOCK, self.folder.with_extension("clock"));
        command.envs(how.environment.iter().map(|(name, value)| (*name, value)));
        self.daemon = Some(command.spawn().map_err(trouble("the daemon cannot be started"))?);
        Ok(())
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.daemon.as_ref().map(Child::id)
    }

    /// How the daemon ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        let ended = self.daemon.as_mut()?.try_wait().ok().flatten();
        if ended.is_some() {
            self.daemon = None;
        }
        ended
    }

    pub(super) fn runs(&self) -> bool {
        self.daemon.is_some()
    }

    /// Kills the daemon as a power cut would, but for the disk.
    pub(super) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
            self.tally.kills += 1;
        }
    }

    /// Sends the daemon a signal.
    pub(super) fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.pid().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Stops the daemon as an operator does.
    pub(super) fn stop(&mut self) {
        if !self.runs() {
            return;
        }
        let end = Instant::now() + Duration::from_secs(40);
        let mut asked = false;
        while Instant::now() < end {
            // Before it says that it is open, a signal ends it like any program.
            let told = fs::read_to_string(self.folder.with_extension("out")).unwrap_or_default();
            if !asked && told.contains("stop with") {
                self.signal(rustix::process::Signal::TERM);
                asked = true;
            }
            if let Some(status) = self.ended() {
                // The fault that it was started with struck at last.
                if status.signal() == Some(9) {
                    self.tally.kills += 1;
                    if self.start(&Started::default()).is_ok() {
                        asked = false;
                        continue;
                    }
                }
                if !status.success() {
                    self.tally.findings.push(format!("the daemon did not stop well: {status}"));
                }
                return;
            }
            thread::sleep(GLANCE);
        }
        self.tally.findings.push("the daemon did not stop within 40 seconds".to_owned());
        self.kill();
    }

    /// Keeps the daemon alive, as a supervisor does. Says whether it had died by a signal.
    pub(super) fn supervise(&mut self, how: &Started) -> Result<bool, Trouble> {
        let killed = match self.ended() {
            Some(status) if status.signal().is_some() => {
                self.tally.kills += 1;
                self.look();
                true
            }
            _ => false,
        };
        if !self.runs() {
            self.start(how)?;
        }
        Ok(killed)
    }

    /// Runs another command of ours to its end, or kills it after a while. Gives its exit code, if it had one, and what it said.
    pub(super) fn gazetted(
        &mut self,
        arguments: &[&str],
        killed_after: Option<Duration>,
        environment: &[(&str, String)],
    ) -> Result<(Option<i32>, String), Trouble> {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.envs(environment.iter().map(|(name, value)| (*name, value)));
        let said = self.folder.with_extension("said");
        let out = File::create(&said).map_err(trouble("cannot write"))?;
        let err = out.try_clone().map_err(trouble("cannot write"))?;
        let mut child = command.stdout(out).stderr(err).spawn().map_err(trouble("cannot be run"))?;
        let born = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(trouble("cannot be waited for"))? {
                break status;
            }
            let life = killed_after.unwrap_or(PATIENCE);
            if born.elapsed() > life {
                let _ = child.kill();
                let _ = child.wait();
                if killed_after.is_none() {
                    return Err(format!("`gazetted {}` did not end", arguments.join(" ")));
                }
                self.tally.kills += 1;
                return Ok((None, String::new()));
            }
            thread::sleep(Duration::from_millis(3));
        };
        self.tally.kills += u32::from(status.signal().is_some());
        let said = fs::read_to_string(&said).map_err(trouble("cannot be read"))?;
        Ok((status.code(), said))
    }

    /// So many more letters may come twice, for what was known of them is lost.
    pub(super) fn may_come_twice(&mut self, letters: usize) {
        self.twice += letters as u64;
    }

    /// The clock of the daemon, from now on, in seconds ahead of ours.
    pub(super) fn set_clock(&mut self, ahead: i64) -> Result<(), Trouble> {
        self.ahead = ahead;
        let path = self.folder.with_extension("clock");
        let new = self.folder.with_extension("clock.new");
        fs::write(&new, ahead.to_string())
            .and_then(|()| fs::rename(&new, &path))
            .map_err(trouble("the clock cannot be set"))
    }

    pub(super) fn turn_clock(&mut self, by: i64) -> Result<(), Trouble> {
        self.set_clock(self.ahead + by)
    }

    /// Readers join, who get each issue or a digest a day.
    pub(super) fn join(&mut self, n: u64, pace: Pace) -> Result<(), Trouble> {
        let first = self.readers.len();
        let addresses: Vec<String> =
            (0..n).map(|n| format!("reader{}@domain{}.example", first as u64 + n, n % 3)).collect();
        let word = if pace == Pace::Each { "each" } else { "daily" };
        let mut arguments = vec!["subscribers", "add", "--pace", word];
        arguments.extend(addresses.iter().map(String::as_str));
        let (code, said) = self.gazetted(&arguments, None, &[])?;
        if code != Some(0) {
            return Err(format!("readers cannot join: {said}"));
        }
        self.step += 1;
        let joined = self.step;
        self.readers.extend(addresses.into_iter().map(|address| Reader {
            address,
            pace,
            joined,
            left: None,
        }));
        Ok(())
    }

    /// Waits until everything is as it must be; meanwhile the daemon is started again whenever it has ended. `meanwhile` is done at each glance.
    pub(super) fn settle(
        &mut self,
        how: &Started,
        within: Duration,
        mut meanwhile: impl FnMut(&mut Self) -> Result<(), Trouble>,
    ) -> Result<bool, Trouble> {
        let end = Instant::now() + within;
        let (mut turned, mut day) = (Instant::now(), None::<Instant>);
        let mut wrong = None;
        loop {
            self.supervise(how)?;
            meanwhile(self)?;
            wrong = self.wrong(wrong.unwrap_or(0));
            let lost = if wrong.is_none() { self.lost() } else { Vec::new() };
            if wrong.is_none() && lost.is_empty() {
                return Ok(true);
            }
            if Instant::now() > end {
                return Ok(false);
            }
            // Digests come once a day, and what was refused for now after half an hour.
            let only_letters = wrong.is_none();
            let only_digests =
                only_letters
                    && self.readers.iter().filter(|reader| reader.pace == Pace::Each).all(|reader| {
                        lost.iter().all(|what| !what.starts_with(&format!("{} ", reader.address)))
                    });
            if only_digests && day.is_none_or(|day| day.elapsed() > Duration::from_secs(4)) {
                self.turn_clock(24 * 3600)?;
                (turned, day) = (Instant::now(), Some(Instant::now()));
            } else if only_letters && turned.elapsed() > Duration::from_millis(1500) {
                self.turn_clock(31 * 60)?;
                turned = Instant::now();
            }
            thread::sleep(GLANCE);
        }
    }

    /// A reader leaves, by the address in a letter.
    pub(super) fn leave(&mut self, at: usize) -> bool {
        let Some(reader) = self.readers.get(at).cloned() else { return false };
        let letter = self.postbox.taken().into_iter().find(|letter| letter.to == reader.address);
        let out = fs::read_to_string(self.folder.with_extension("out")).unwrap_or_default();
        let address = out.split("web pages").nth(1).and_then(|rest| rest.split("http://").nth(1));
        let address = address.and_then(|rest| rest.split('/').next());
        let token = letter.and_then(|letter| letter.leave);
        let (Some(address), Some(token)) = (address, token) else { return false };
        // From here on he is owed nothing; he has left when we were told so.
        if let Some(reader) = self.readers.get_mut(at) {
            reader.left = Some(u32::MAX);
        }
        let told = post(address, &format!("/leave/{token}")).unwrap_or_default();
        let done = told.starts_with("HTTP/1.1 2");
        if done {
            self.step += 1;
            if let Some(reader) = self.readers.get_mut(at) {
                reader.left = Some(self.step);
            }
        }
        done
    }

    /// The files that readers may have, with their hashes.
    pub(super) fn snapshot(&self) -> HashMap<PathBuf, String> {
        let mut files = HashMap::new();
        gather(&self.outbox(), &mut files);
        files
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn gather(folder: &Path, files: &mut HashMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(&path, files);
        } else if let Ok(bytes) = fs::read(&path) {
            files.insert(path, blake3::hash(&bytes).to_hex().to_string());
        }
    }
}

/// Puts a file as a careful program does: what it put is there after a power cut.
pub(super) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new =
        path.with_file_name(format!(".{}.part", path.file_name().unwrap_or_default().to_string_lossy()));
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// One form that is sent; gives the answer.
fn post(address: &str, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let form = "List-Unsubscribe=One-Click";
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
