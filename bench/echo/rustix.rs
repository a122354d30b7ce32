use std::error::Error;
use std::os::fd::OwnedFd;

use rustix::io;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with,
    bind, listen, recv, send, socket_with,
};

fn main() -> Result<(), Box<dyn Error>> {
    let addr = SocketAddrUnix::new(std::env::args_os().nth(1).ok_or("no path")?)?;
    let flags = SocketFlags::CLOEXEC;
    let listener = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    bind(&listener, &addr)?;
    listen(&listener, 128)?;
    loop {
        let client = accept_with(&listener, flags)?;
        let _ = serve(&client);
    }
}

fn serve(client: &OwnedFd) -> io::Result<()> {
    let mut buf = [0; 512];
    send(client, b"hello\n", SendFlags::NOSIGNAL)?;
    loop {
        match recv(client, &mut buf, RecvFlags::empty())?.0 {
            0 => return Ok(()),
            count => send(client, &buf[..count], SendFlags::NOSIGNAL)?,
        };
    }
}
