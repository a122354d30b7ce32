use std::error::Error;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, UnixAddr, accept4, bind, listen, recv,
    send, socket,
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("no path")?;
    let flags = SockFlag::SOCK_CLOEXEC;
    let listener = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    bind(listener.as_raw_fd(), &UnixAddr::new(path.as_os_str())?)?;
    listen(&listener, Backlog::new(128)?)?;
    loop {
        let client = accept4(listener.as_raw_fd(), flags)?;
        // SAFETY: accept has just made the descriptor, and nothing else owns it.
        let _ = serve(&unsafe { OwnedFd::from_raw_fd(client) });
    }
}

fn serve(client: &OwnedFd) -> nix::Result<()> {
    let mut buf = [0; 512];
    send(client.as_raw_fd(), b"hello\n", MsgFlags::MSG_NOSIGNAL)?;
    loop {
        match recv(client.as_raw_fd(), &mut buf, MsgFlags::empty())? {
            0 => return Ok(()),
            count => send(client.as_raw_fd(), &buf[..count], MsgFlags::MSG_NOSIGNAL)?,
        };
    }
}
