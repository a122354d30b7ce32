//! How can one thread serve many, and what if nobody accepts?

use std::{error, fs, mem, os::fd::AsRawFd};
use sunpath::{Error, Socket, Stream, UnixAddr, sys};

type Result<T, E = Error> = std::result::Result<T, E>;

/// Prints a call and its result, an errno by its name.
fn show<T>(call: &str, result: Result<T>) -> Result<T> {
    match &result {
        Ok(_) => println!("{call} = ok"),
        Err(error) => println!("{call} = {:?}", error.errno()),
    }
    result
}

fn entry(sock: &impl AsRawFd) -> sys::pollfd {
    // SAFETY: zeroes are values of all fields.
    let mut new: sys::pollfd = unsafe { mem::zeroed() };
    (new.fd, new.events) = (sock.as_raw_fd(), sys::POLLIN);
    new
}

fn main() -> Result<(), Box<dyn error::Error>> {
    // 1. Address: this path fits.
    let addr = UnixAddr::from_pathname("a.sock")?;

    // 2. Listen: a queue with space for two connections.
    let new_nonblocking = Socket::<Stream>::new_nonblocking;
    let sock = show("socket()", new_nonblocking())?;
    show("bind(sock)", sock.bind_to(&addr))?;
    let listening = sock.listen(1).map_err(Error::from);
    let sock = show("listen(sock, 1)", listening)?;

    // 3. Full: a nonblocking connect does not wait.
    let (mut clients, mut servers) = (vec![], vec![]);
    for word in [&b"work"[..], b"stop", b"late"] {
        let client = show("socket()", new_nonblocking())?;
        let done = show("connect()", client.connect_to(&addr));
        if !done.is_err_and(Error::is_would_block) {
            done.and_then(|()| client.write(word))?;
        }
        clients.push(client);
    }

    // 4. Serve: one call waits for the listener and for all.
    let (mut fds, mut stop) = (vec![entry(&sock)], false);
    while !stop {
        let n = fds.len() as sys::nfds_t;
        // SAFETY: fds has n elements.
        let n = unsafe { sys::poll(fds.as_mut_ptr(), n, -1) };
        println!("poll() = {n}");
        if fds[0].revents != 0 {
            let accepted = sock.accept_nonblocking();
            let (server, _) = show("accept()", accepted)?;
            fds.push(entry(&server));
            servers.push(server);
        }
        for i in (1..fds.len()).rev() {
            if fds[i].revents != 0 {
                let mut buf = [0; 15];
                let got = servers[i - 1].read(&mut buf)?;
                let text = buf[..got].escape_ascii();
                println!("recv() = {got}, \"{text}\"");
                stop = stop || buf.starts_with(b"stop");
                if got > 0 {
                    let _ = servers[i - 1].write(b"done");
                } else {
                    fds.remove(i);
                    servers.remove(i - 1);
                }
            }
        }
    }

    // 5. Stop: only unlink removes the file.
    fs::remove_file("a.sock")?;
    println!("unlink(path) = ok");
    Ok(())
}
