//! A program that uses `sunpath` with `core` and the C library alone. The program binds the path
//! that is argument 1, connects to itself, exchanges a byte each way, asks for the peer's
//! credentials, and removes the file. The program uses neither std nor an allocator, and naming
//! either of them here would not compile.
#![no_std]
#![no_main]

use core::ffi::{CStr, c_char, c_int};
use core::fmt::{self, Write};

use sunpath::{Error, UnixListener, UnixStream};

#[unsafe(no_mangle)]
extern "C" fn main(argc: c_int, argv: *const *const c_char) -> c_int {
    if argc != 2 {
        return fail(format_args!("usage: sunpath-no-std PATH"));
    }
    // SAFETY: C's main gets argc pointers, and argc is 2.
    let path = unsafe { *argv.add(1) };
    // SAFETY: each argument is a NUL-terminated string that lives as long as the process.
    let path = unsafe { CStr::from_ptr(path) };
    let outcome = exchange(path);
    // SAFETY: `path` is NUL-terminated.
    let removed = unsafe { libc::unlink(path.as_ptr()) } == 0;
    match outcome {
        Err(error) => fail(format_args!("{error}")),
        Ok(Some(wrong)) => fail(format_args!("{wrong}")),
        Ok(None) if !removed => fail(format_args!("cannot remove the socket file")),
        Ok(None) => 0,
    }
}

/// Makes the calls. If every call succeeds but a result is wrong, returns what is wrong.
fn exchange(path: &CStr) -> Result<Option<&'static str>, Error> {
    let listener = UnixListener::bind(path)?;
    // connect succeeds before accept is called, because the connection waits in the queue.
    let client = UnixStream::connect(path)?;
    let (server, _) = listener.accept()?;
    let mut byte = [0];
    for (from, to, sent) in [(&client, &server, b'>'), (&server, &client, b'<')] {
        if from.write(&[sent])? != 1 || to.read(&mut byte)? != 1 || byte[0] != sent {
            return Ok(Some("the byte did not arrive"));
        }
    }
    // SAFETY: geteuid has no conditions.
    let me = unsafe { libc::geteuid() };
    if server.peer_cred()?.uid() != me || client.peer_cred()?.uid() != me {
        return Ok(Some("the peer is not this process's user"));
    }
    drop(client);
    if server.read(&mut byte)? != 0 {
        return Ok(Some("no end of file after the peer closed"));
    }
    Ok(None)
}

fn fail(why: fmt::Arguments<'_>) -> c_int {
    let _ = writeln!(Stderr, "sunpath-no-std: {why}");
    1
}

struct Stderr;

impl Write for Stderr {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: pointer and length come from one live slice.
        let written = unsafe { libc::write(2, text.as_ptr().cast(), text.len()) };
        if written < 0 { Err(fmt::Error) } else { Ok(()) }
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    fail(format_args!("{info}"));
    // SAFETY: abort has no conditions.
    unsafe { libc::abort() }
}

/// The prebuilt `core` names this function in its unwind tables. With `panic = "abort"` nothing
/// calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}
