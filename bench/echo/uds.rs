use std::error::Error;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};

use uds::{UnixListenerExt, UnixSocketAddr};

fn main() -> Result<(), Box<dyn Error>> {
    let addr = UnixSocketAddr::from_path(&std::env::args_os().nth(1).ok_or("no path")?)?;
    let listener = UnixListener::bind_unix_addr(&addr)?;
    loop {
        let (client, _) = listener.accept_unix_addr()?;
        let _ = serve(&client);
    }
}

fn serve(mut client: &UnixStream) -> io::Result<()> {
    let mut buf = [0; 512];
    client.write_all(b"hello\n")?;
    loop {
        match client.read(&mut buf)? {
            0 => return Ok(()),
            count => client.write_all(&buf[..count])?,
        };
    }
}
