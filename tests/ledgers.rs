//! A ledger in each database that there is: a `PostgreSQL` of Debian's packages, in a temporary folder and on a socket only, one for all
//! stories.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::tools;

/// The settings of a ledger in each database that is there.
pub fn each() -> impl Iterator<Item = String> {
    let postgres = Postgres::runs().map(|postgres| format!("[data]\nledger = \"{}\"\n", postgres.database()));
    [String::new()].into_iter().chain(postgres)
}

/// The `PostgreSQL` in which all newsrooms are to keep their ledgers, where `GAZETTED_TEST_LEDGER=postgres` says so.
pub fn wanted() -> Option<&'static Postgres> {
    let wanted = std::env::var("GAZETTED_TEST_LEDGER").is_ok_and(|ledger| ledger == "postgres");
    wanted.then(|| Postgres::runs().expect("PostgreSQL is not installed"))
}

/// A server that runs as long as the test program.
pub struct Postgres {
    folder: TempDir,
    bin: PathBuf,
    n_databases: AtomicU32,
    _server: Child,
}

static SERVER: LazyLock<Option<Postgres>> = LazyLock::new(Postgres::starts);

impl Postgres {
    /// The server, or `None` after saying that a story is skipped.
    pub fn runs() -> Option<&'static Self> {
        if SERVER.is_none() {
            tools::skip("`postgresql` is not installed; `tests/run` installs it");
        }
        SERVER.as_ref()
    }

    fn starts() -> Option<Self> {
        let bin = newest()?;
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        // It refuses to run as root.
        if fs::metadata(&data).unwrap().uid() == 0 {
            for owned in [&data, folder.path()] {
                let owner = Command::new("chown").arg("postgres").arg(owned).status().unwrap();
                assert!(owner.success());
            }
        }
        let made = its_own(&bin.join("initdb"))
            .args([
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--auth=trust",
                "--username=gazetted",
                "-D",
            ])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let server = its_own(&bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=400", "-k"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        ends_with_us(&server, folder.path());
        let this = Self { folder, bin, n_databases: AtomicU32::new(0), _server: server };
        let until = Instant::now() + Duration::from_mins(1);
        while !this.program("pg_isready").arg("-q").status().unwrap().success() {
            assert!(
                Instant::now() < until,
                "{}",
                fs::read_to_string(this.folder.path().join("log")).unwrap()
            );
            thread::sleep(Duration::from_millis(50));
        }
        Some(this)
    }

    /// The address of a new database.
    pub fn database(&self) -> String {
        let name = format!("ledger{}", self.n_databases.fetch_add(1, Ordering::Relaxed));
        let made = self.program("createdb").args(["-U", "gazetted", &name]).status().unwrap();
        assert!(made.success());
        format!("postgres://gazetted@/{name}?host={}", self.folder.path().display())
    }

    /// The address of a new database whose statements are written down.
    pub fn telling_database(&self) -> String {
        let address = self.database();
        let name = address.split(['/', '?']).nth(3).unwrap();
        let sql = format!("ALTER DATABASE {name} SET log_statement = 'all'");
        let told = self.program("psql").args(["-q", "-U", "gazetted", "-d", "postgres", "-c", &sql]).status();
        assert!(told.unwrap().success());
        address
    }

    /// The statements that were written down, each in one line.
    pub fn statements(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        let mut statements: Vec<String> = Vec::new();
        for line in log.lines() {
            if line.starts_with('\t') {
                if let Some(last) = statements.last_mut() {
                    last.push(' ');
                    last.push_str(line);
                }
            } else {
                statements.push(line.to_owned());
            }
        }
        let whole = |statement: String| statement.split_whitespace().collect::<Vec<_>>().join(" ");
        statements.into_iter().map(whole).collect()
    }

    /// One of its programs, that speaks to it.
    pub fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.arg("-h").arg(self.folder.path());
        command
    }
}

/// The programs of the newest `PostgreSQL` that is installed.
fn newest() -> Option<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let installed =
        installed.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").is_file());
    installed.max()
}

/// A program that runs as a user of its own where we are root.
fn its_own(program: &Path) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if is_root {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
        command.current_dir("/");
        command
    } else {
        Command::new(program)
    }
}

/// Sees to it that a server ends with this program, however that ends: nobody else tidies up behind a static.
fn ends_with_us(server: &Child, folder: &Path) {
    let script = "while kill -0 \"$1\" 2>/dev/null; do sleep 0.3; done; kill -INT \"$2\"; \
                  while kill -0 \"$2\" 2>/dev/null; do sleep 0.1; done; rm -rf \"$3\"";
    let ours = std::process::id().to_string();
    let tidy = Command::new("setsid")
        .args(["sh", "-c", script, "sh", &ours, &server.id().to_string()])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    assert!(tidy.is_ok());
}
