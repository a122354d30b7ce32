//! Who may connect to my socket?

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::{env, error, io, process};
use sunpath::{Error, Socket, Stream, UnixAddr, UnixListener};

type Result<T, E = Error> = std::result::Result<T, E>;

/// Prints a call and its result, an errno by its name.
fn show<T>(call: &str, result: Result<T>) -> Result<T> {
    match &result {
        Ok(_) => println!("{call} = ok"),
        Err(error) => println!("{call} = {:?}", error.errno()),
    }
    result
}

fn become_user(uid: u32) -> io::Result<()> {
    // SAFETY: seteuid takes an integer.
    if unsafe { libc::seteuid(uid) } == -1 {
        return Err(io::Error::last_os_error());
    }
    println!("seteuid() = ok");
    Ok(())
}

fn main() {
    let path = env::args().nth(1).unwrap_or("a.sock".into());
    if let Err(error) = lesson(&path) {
        eprintln!("{path}: {error}");
        process::exit(1);
    }
}

fn lesson(path: &str) -> Result<(), Box<dyn error::Error>> {
    // 1. Address: the path must fit, with its NUL.
    let addr = UnixAddr::from_pathname(path)?;

    // 2. Umask: the file gets 0777 less the umask.
    let sock = show("socket()", Socket::<Stream>::new())?;
    show("bind(sock)", sock.bind_to(&addr))?;
    let listening = sock.listen(UnixListener::BACKLOG);
    let listening = listening.map_err(Error::from);
    let listener = show("listen(sock)", listening)?;
    let mode = fs::metadata(path)?.mode() & 0o7777;
    println!("stat(path) = ok\nmode: {mode:04o}");

    // 3. Chmod: too late for those who were faster.
    let early = show("socket()", Socket::<Stream>::new())?;
    show("connect(early)", early.connect_to(&addr))?;
    fs::set_permissions(path, Permissions::from_mode(0o000))?;
    println!("chmod(path, 0) = ok");
    let late = show("socket()", Socket::<Stream>::new())?;
    // Root may connect to all, so it becomes another user.
    let own = fs::metadata(path)?.uid();
    become_user(if own == 0 { 65534 } else { own })?;
    let _ = show("connect(late)", late.connect_to(&addr));
    become_user(own)?;
    show("accept(sock)", listener.accept())?;
    fs::remove_file(path)?;
    println!("unlink(path) = ok");

    // 4. Fchmod: before bind, so that it is never wider.
    let sock = show("socket()", Socket::<Stream>::new())?;
    show("fchmod(sock, 0600)", sock.set_mode(0o600))?;
    show("bind(sock)", sock.bind_to(&addr))?;
    let mode = fs::metadata(path)?.mode() & 0o7777;
    println!("stat(path) = ok\nmode: {mode:04o}");
    fs::remove_file(path)?;
    println!("unlink(path) = ok");

    // 5. Directory: nobody else can even look up the file.
    DirBuilder::new().mode(0o700).create("dir")?;
    println!("mkdir(dir, 0700) = ok");
    fs::remove_dir("dir")?;
    println!("rmdir(dir) = ok");
    Ok(())
}
