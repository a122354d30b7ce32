//! A client that receives descriptors with its messages, as clients of D-Bus and Wayland do: each message
//! has a head with the length of its body and the number of its descriptors.
//!
//! A stream keeps no boundaries, so one read can bring the end of one message and the beginning of the
//! next, with the descriptors of the next one. The queue of descriptors belongs to the connection, and
//! each message takes as many as its head says.

use std::collections::VecDeque;
use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{ErrorKind, Read, Result};
use std::os::fd::OwnedFd;

use sunpath_tokio::{SendAll, UnixListener, UnixStream};

/// The most descriptors that one message may have.
const MOST: usize = 16;

/// The most bytes that the body of a message may have.
const LONGEST: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Message {
    body: Vec<u8>,
    fds: Vec<OwnedFd>,
}

pub(crate) struct Connection {
    stream: UnixStream,
    bytes: VecDeque<u8>,
    fds: VecDeque<OwnedFd>,
}

impl Connection {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let (bytes, fds) = Default::default();
        Self { stream, bytes, fds }
    }

    async fn send(&self, body: &[u8], fds: &[File]) -> Result<()> {
        let mut message = (body.len() as u32).to_le_bytes().to_vec();
        message.extend((fds.len() as u32).to_le_bytes());
        message.extend(body);
        // The descriptors go with the first byte, however many calls it takes.
        SendAll::new(&message, fds).run(&self.stream).await
    }

    /// Returns the next message; `None` at the end. Cancelling it loses nothing, because everything that
    /// has come is in the queues.
    pub(crate) async fn next(&mut self) -> Result<Option<Message>> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(Some(message));
            }
            let mut buf = [0; 4096];
            let (received, fds) = self.stream.recv_fds_up_to::<MOST>(&mut buf).await?;
            match received.len() {
                0 if self.bytes.is_empty() => return Ok(None),
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
            self.bytes.extend(&buf[..received.len()]);
            self.fds.extend(fds);
            // Those of the message that is being received, and of the next one.
            if self.fds.len() > 2 * MOST {
                return Err(ErrorKind::InvalidData.into());
            }
        }
    }

    /// Takes a message out of the queues, if a whole one is there. The peer does not decide how much memory
    /// a message needs.
    fn take(&mut self) -> Result<Option<Message>> {
        let number = |at: usize| {
            let bytes = [0, 1, 2, 3].map(|i| self.bytes.get(at + i).copied());
            let bytes: Option<Vec<u8>> = bytes.into_iter().collect();
            Some(u32::from_le_bytes(bytes?.try_into().ok()?) as usize)
        };
        let (Some(length), Some(count)) = (number(0), number(4)) else {
            return Ok(None);
        };
        if length > LONGEST || count > MOST {
            return Err(ErrorKind::InvalidData.into());
        }
        if self.bytes.len() < 8 + length || self.fds.len() < count {
            return Ok(None);
        }
        self.bytes.drain(..8);
        let body = self.bytes.drain(..length).collect();
        let fds = self.fds.drain(..count).collect();
        Ok(Some(Message { body, fds }))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: descriptors PATH")?;
    let listener = UnixListener::new(sunpath::BindOptions::singleton().listen(&path)?)?;
    let (client, server) = tokio::join!(UnixStream::connect(&path), listener.accept());
    let (mut client, server) = (Connection::new(client?), Connection::new(server?.0));

    // The server sends one end of a connection with each name, and writes into the other end.
    let serve = async {
        for (name, text) in [("first", "one"), ("second", "two")] {
            let (read, write) = sunpath::UnixStream::pair()?;
            write.write_all(text.as_bytes())?;
            server
                .send(name.as_bytes(), &[File::from(OwnedFd::from(read))])
                .await?;
        }
        server.send(b"no descriptor", &[]).await?;
        drop(server); // the end
        Result::Ok(())
    };
    let receive = async {
        while let Some(message) = client.next().await? {
            let mut text = String::new();
            for fd in message.fds {
                File::from(fd).read_to_string(&mut text)?;
            }
            println!("{}: {text:?}", String::from_utf8_lossy(&message.body));
        }
        Result::Ok(())
    };
    let (served, received) = tokio::join!(serve, receive);
    served?;
    received?;
    Ok(listener.close_and_unlink().await?)
}
