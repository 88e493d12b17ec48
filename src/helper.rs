//! Programs of others that help us: run without a shell, with nothing of ours at hand, within bounds of time, memory and output.

use std::{
    env,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use jiff::SignedDuration;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::MemfdFlags,
    process::{Pid, PidfdFlags, Resource, Rlimit, Signal, kill_process_group, pidfd_open, prlimit},
};

/// Where programs are looked for when our own environment does not say.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// As many bytes of what a program complains of are kept: its first lines name the trouble, the rest repeats it.
const COMPLAINT: usize = 4096;

/// What a program may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may run before it is killed.
    pub time: SignedDuration,
    /// How many bytes of address space it may have; when it asks for more it is told that there are none.
    pub memory: u64,
    /// How many bytes it may print before it is killed.
    pub output: usize,
}

/// What a program that ran to its end gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it says that all went well (exit code 0).
    pub success: bool,
    /// What it printed.
    pub output: Vec<u8>,
    /// What it complained of, in its own words; its beginning.
    pub complaint: String,
}

/// A program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not installed.
    #[error("`{program}` is not installed")]
    Missing {
        /// Its name.
        program: String,
    },
    /// It took too long, and was killed.
    #[error("it was not done after {} seconds", time.as_secs())]
    Slow {
        /// How long it had.
        time: SignedDuration,
    },
    /// It printed too much, and was killed.
    #[error("it printed more than {most} bytes")]
    Flood {
        /// How much it may print.
        most: usize,
    },
    /// The system would not run it.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Runs a program by its name or path, with `input` on its standard input, to its end. It gets a `PATH` and a locale of
/// UTF-8, nothing else of our environment, and stands in the root folder. Whatever it started ends with it.
///
/// # Errors
/// When it gives no answer within its limits; then nothing of it is left running.
pub fn run(program: &Path, arguments: &[&str], input: &[u8], limits: &Limits) -> Result<Answer, Error> {
    // In memory that is a file the input need not be fed: a program that never reads it keeps nobody waiting.
    let mut file =
        File::from(rustix::fs::memfd_create("input", MemfdFlags::CLOEXEC).map_err(io::Error::from)?);
    file.write_all(input)?;
    file.rewind()?;
    let spawned = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_else(|| PATH.into()))
        .env("LC_ALL", "C.UTF-8")
        .current_dir("/")
        .process_group(0)
        .stdin(file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Error::Missing { program: program.display().to_string() });
        }
        Err(error) => return Err(Error::System(error)),
    };
    let pid = Pid::from_child(&child);
    let mut running = Running { child, pid, status: None };
    // It has hardly begun, so it has not asked for much yet.
    for (resource, most) in [(Resource::As, limits.memory), (Resource::Core, 0)] {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        // One that has ended already needs no limit.
        let _ = prlimit(Some(pid), resource, limit);
    }
    let (output, complaint) = running.listen(limits)?;
    let success = running.end()?.success();
    Ok(Answer { success, output, complaint: String::from_utf8_lossy(&complaint).into_owned() })
}

/// A program that runs; dropped, it and all that it started are killed.
struct Running {
    child: Child,
    pid: Pid,
    status: Option<ExitStatus>,
}

impl Running {
    /// All that it prints and complains of until it ends.
    fn listen(&mut self, limits: &Limits) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let mut output = Pipe::new(self.child.stdout.take().map(OwnedFd::from), limits.output);
        let mut complaint = Pipe::new(self.child.stderr.take().map(OwnedFd::from), COMPLAINT);
        let end = pidfd_open(self.pid, PidfdFlags::empty()).map_err(io::Error::from)?;
        let slow = || Error::Slow { time: limits.time };
        let until = Instant::now() + Duration::try_from(limits.time).unwrap_or_default();
        let mut ended = false;
        loop {
            // After its end only what is in the pipes already counts: what it started may hold them open for ever.
            let left = if ended { Duration::ZERO } else { until.saturating_duration_since(Instant::now()) };
            if left.is_zero() && !ended {
                return Err(slow());
            }
            let pipes: Vec<&mut Pipe> =
                [&mut output, &mut complaint].into_iter().filter(|pipe| pipe.file.is_some()).collect();
            let mut polled: Vec<PollFd<'_>> = Vec::with_capacity(3);
            if !ended {
                polled.push(PollFd::new(&end, PollFlags::IN));
            }
            let files = pipes.iter().filter_map(|pipe| pipe.file.as_ref());
            polled.extend(files.map(|file| PollFd::new(file, PollFlags::IN)));
            let left = Timespec::try_from(left).map_err(|_| slow())?;
            match poll(&mut polled, Some(&left)) {
                Ok(0) if ended => break,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(Error::System(error.into())),
            }
            let told: Vec<bool> = polled.iter().map(|fd| !fd.revents().is_empty()).collect();
            drop(polled);
            let readable = if ended { &told[..] } else { &told[1..] };
            for (pipe, _) in pipes.into_iter().zip(readable).filter(|(_, readable)| **readable) {
                pipe.read()?;
            }
            if output.is_over {
                return Err(Error::Flood { most: limits.output });
            }
            ended = ended || told.first().is_some_and(|told| *told);
            if ended && output.file.is_none() && complaint.file.is_none() {
                break;
            }
        }
        Ok((output.bytes, complaint.bytes))
    }

    /// Ends it with all that it started.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        // Until it is waited for, nobody else can have its number.
        let _ = kill_process_group(self.pid, Signal::KILL);
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// One end of a pipe with what came out of it.
struct Pipe {
    /// `None` once it is closed.
    file: Option<File>,
    bytes: Vec<u8>,
    most: usize,
    /// Whether more came than `most`, which is not kept.
    is_over: bool,
}

impl Pipe {
    fn new(fd: Option<OwnedFd>, most: usize) -> Self {
        Self { file: fd.map(File::from), bytes: Vec::new(), most, is_over: false }
    }

    /// Takes what is there.
    fn read(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut piece = vec![0; 64 * 1024];
        match file.read(&mut piece) {
            Ok(0) => self.file = None,
            Ok(n) => {
                let room = self.most - self.bytes.len();
                self.is_over |= n > room;
                self.bytes.extend_from_slice(&piece[..n.min(room)]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits =
        Limits { time: SignedDuration::from_secs(20), memory: 500_000_000, output: 100_000 };

    fn shell(script: &str, input: &[u8], limits: &Limits) -> Result<Answer, Error> {
        run(Path::new("sh"), &["-c", script], input, limits)
    }

    #[track_caller]
    fn check(script: &str, input: &[u8], expected: &str) {
        let answer = shell(script, input, &LIMITS).expect("an answer");
        assert!(answer.success, "{}", answer.complaint);
        assert_eq!(String::from_utf8_lossy(&answer.output), expected);
    }

    #[test]
    fn a_program_gets_its_input_and_nothing_else_of_ours() {
        check("cat", b"words", "words");
        check("cat >&2; echo done", &vec![b'x'; 3_000_000], "done\n");
        check("pwd; echo \"$HOME$USER$CARGO$CARGO_MANIFEST_DIR\"", b"", "/\n\n");
        check("exec >&- 2>&-", b"", "");
        check("ulimit -c", b"", "0\n");
    }

    #[test]
    fn a_program_that_complains_is_heard() {
        let answer = shell("echo oh dear >&2; exit 3", b"", &LIMITS).expect("an answer");
        assert!(!answer.success && answer.output.is_empty());
        assert_eq!(answer.complaint, "oh dear\n");
        let missing = run(Path::new("no-such-program"), &[], b"", &LIMITS).expect_err("it is not there");
        assert_eq!(missing.to_string(), "`no-such-program` is not installed");
    }

    #[test]
    fn a_program_that_never_ends_is_killed_with_all_that_it_started() {
        let short = Limits { time: SignedDuration::from_millis(20), ..LIMITS };
        // It stops itself, and its pipes stay open.
        let slow = shell("kill -STOP $$", b"", &short).expect_err("it never ends");
        assert!(matches!(slow, Error::Slow { .. }), "{slow}");
        // It has ended, but what it started has not.
        check("sh -c 'kill -STOP $$' & echo started", b"", "started\n");
    }

    #[test]
    fn a_program_that_prints_without_end_is_killed() {
        let flood = shell("while :; do echo words; done", b"", &LIMITS).expect_err("a flood");
        assert_eq!(flood.to_string(), "it printed more than 100000 bytes");
        let answer = shell("i=0; while [ $i -lt 9999 ]; do echo words >&2; i=$((i+1)); done", b"", &LIMITS);
        assert_eq!(answer.expect("an answer").complaint.len(), COMPLAINT);
    }

    #[test]
    fn a_program_gets_no_more_memory_than_it_may_have() {
        let small = Limits { memory: 50_000_000, ..LIMITS };
        let hog = "x=xxxxxxxxxxxxxxxx; while :; do x=$x$x; done";
        assert!(!shell(hog, b"", &small).expect("an answer").success);
    }
}
