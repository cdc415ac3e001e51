//! The launcher: the last thing a new process does before it becomes the workload.
//!
//! A process can only ask for its own parent-death signal. Doing that between fork and exec of the standard
//! library needs `unsafe`; a second stage of our own does not, and costs one more exec.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::CommandExt},
    },
    process::{Child, Command, Stdio},
};

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The first argument of a launcher.
pub(super) const STAGE: &str = "--launch";

/// Starts the command in its own process group. The error says in words why it cannot be started.
pub(super) fn launch(command: &[OsString]) -> Result<Child, String> {
    let words = |error: io::Error| format!("cannot start: {}", said(&error));
    let (ours, theirs) = UnixStream::pair().map_err(words)?;
    // Not by name: the executable may have been replaced since we were started.
    let child = Command::new("/proc/self/exe")
        .arg0("vt")
        .args([OsString::from("shim"), STAGE.into(), std::process::id().to_string().into()])
        .args(command)
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .process_group(0)
        .spawn();
    let mut child = child.map_err(words)?;
    // The launcher's end closes when it has become the workload; until then it may say why not.
    let mut why = String::new();
    let _ = ours.take(4096).read_to_string(&mut why);
    if why.is_empty() {
        return Ok(child);
    }
    let _ = child.wait();
    Err(why)
}

/// In the launcher: becomes the workload, or says why not.
pub(super) fn become_workload(args: &[OsString]) -> Result<(), String> {
    let [shim, program, rest @ ..] = args else {
        return Err("a launcher is only started by a shim".to_owned());
    };
    let report = io::stdin().try_clone_fd().map_err(|error| said(&error))?;
    let error = prepare(shim).err().unwrap_or_else(|| Command::new(program).args(rest).exec());
    let name = program.to_string_lossy();
    let _ = UnixStream::from(report).write_all(format!("cannot start {name}: {}", said(&error)).as_bytes());
    Ok(())
}

fn prepare(shim: &OsString) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The shim may have died before we asked; then nobody would ever kill us.
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get().to_string());
    if parent.as_deref() != shim.to_str() {
        return Err(io::Error::other("the shim is gone"));
    }
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(())
}

/// What the system said, without its number: "no such file or directory".
fn said(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A second handle of a standard stream that a later exec closes.
pub(super) trait TryCloneFd {
    fn try_clone_fd(&self) -> io::Result<OwnedFd>;
}

impl TryCloneFd for io::Stdin {
    fn try_clone_fd(&self) -> io::Result<OwnedFd> {
        use std::os::fd::AsFd;
        self.as_fd().try_clone_to_owned()
    }
}
