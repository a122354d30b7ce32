use std::error::Error;
use std::io;

use sunpath::{UnixListener, UnixStream};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = UnixListener::bind(std::env::args_os().nth(1).ok_or("no path")?)?;
    loop {
        let (client, _) = listener.accept()?;
        let _ = serve(&client);
    }
}

fn serve(client: &UnixStream) -> io::Result<()> {
    let mut buf = [0; 512];
    client.write_all(b"hello\n")?;
    loop {
        match client.read(&mut buf)? {
            0 => return Ok(()),
            count => client.write_all(&buf[..count])?,
        };
    }
}
