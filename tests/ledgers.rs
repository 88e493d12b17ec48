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
};

use tempfile::TempDir;

use crate::{newsroom, tools};

/// The settings of a ledger in each database that is there.
pub fn each() -> impl Iterator<Item = String> {
    let postgres = Postgres::runs().map(|postgres| format!("[data]\nledger = \"{}\"\n", postgres.database()));
    [String::new()].into_iter().chain(postgres)
}

/// The settings of a newsroom whose ledger is a file, in whatever the others keep theirs: for stories of that file.
pub const IN_A_FILE: &str = "[data]\n";

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
    port: Option<u16>,
    _server: Child,
}

static SERVER: LazyLock<Option<Postgres>> = LazyLock::new(|| Postgres::starts(None));

impl Postgres {
    /// The server, or `None` after saying that a story is skipped.
    pub fn runs() -> Option<&'static Self> {
        if SERVER.is_none() {
            tools::skip("`postgresql` is not installed; `tests/run` installs it");
        }
        SERVER.as_ref()
    }

    /// A server of its own that takes nothing but TLS at a port of this machine, or `None` after saying that a story is skipped.
    pub fn with_tls(port: u16) -> Option<Self> {
        tools::program("openssl")?;
        let server = Self::starts(Some(port));
        if server.is_none() {
            tools::skip("`postgresql` is not installed; `tests/run` installs it");
        }
        server
    }

    /// The certificate of the authority that vouches for it.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn starts(tls: Option<u16>) -> Option<Self> {
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
        let mut listening = vec!["-c".to_owned(), "listen_addresses=".to_owned()];
        if let Some(port) = tls {
            certify(folder.path(), &data);
            listening = ["-c", "listen_addresses=127.0.0.1", "-c", "ssl=on", "-c"].map(str::to_owned).into();
            listening.push(format!("port={port}"));
        }
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let server = its_own(&bin.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(listening)
            .args(["-c", "fsync=off", "-c", "max_connections=400", "-k"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        ends_with_us(&server, folder.path());
        let this = Self { folder, bin, n_databases: AtomicU32::new(0), port: tls, _server: server };
        newsroom::until_or(
            || this.program("pg_isready").arg("-q").status().unwrap().success(),
            || fs::read_to_string(this.folder.path().join("log")).unwrap(),
        );
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

    /// Cuts every connection to a database.
    pub fn cuts(&self, address: &str) {
        let name = address.split(['/', '?']).nth(3).unwrap();
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        self.psql("postgres", &sql);
    }

    /// What a database answers.
    pub fn asks(&self, address: &str, sql: &str) -> String {
        self.psql(address.split(['/', '?']).nth(3).unwrap(), sql)
    }

    fn psql(&self, database: &str, sql: &str) -> String {
        let mut psql = self.program("psql");
        psql.args(["-qAt", "-U", "gazetted", "-d", database, "-c", sql]);
        let output = psql.output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
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
        if let Some(port) = self.port {
            command.args(["-p", &port.to_string()]);
        }
        command
    }
}

/// A certificate for `localhost` by an authority of its own; and nobody comes in over the network without TLS.
fn certify(folder: &Path, data: &Path) {
    fs::write(folder.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
    let script = "set -e; cd \"$1\"; exec 2>/dev/null
        openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Story -days 2
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 2 -extfile names
        mv server.crt server.key \"$2\"; chmod 600 \"$2\"/server.key
        printf 'local all all trust\\nhostssl all all 127.0.0.1/32 trust\\n' > \"$2\"/pg_hba.conf
        chown --reference=\"$2\" \"$2\"/server.crt \"$2\"/server.key \"$2\"/pg_hba.conf";
    let made = Command::new("sh").args(["-c", script, "sh"]).args([folder, data]).status().unwrap();
    assert!(made.success());
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
