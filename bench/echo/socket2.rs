use std::error::Error;
use std::io::{self, Read, Write};

use socket2::{Domain, SockAddr, Socket, Type};

fn main() -> Result<(), Box<dyn Error>> {
    let addr = SockAddr::unix(std::env::args_os().nth(1).ok_or("no path")?)?;
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&addr)?;
    listener.listen(128)?;
    loop {
        let (client, _) = listener.accept()?;
        let _ = serve(&client);
    }
}

fn serve(mut client: &Socket) -> io::Result<()> {
    let mut buf = [0; 512];
    client.write_all(b"hello\n")?;
    loop {
        match client.read(&mut buf)? {
            0 => return Ok(()),
            count => client.write_all(&buf[..count])?,
        };
    }
}
