//! An echo server on io_uring. Its sockets are sunpath's, so each is closed once, and a client has an
//! identity. The ring makes the calls.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd};

use io_uring::types::{CancelBuilder, Fd};
use io_uring::{IoUring, cqueue, opcode, squeue};
use sunpath::{Shutdown, UnixListener, UnixStream};

use crate::buffers::{Buffers, GROUP};

/// How many requests one call submits.
const ENTRIES: u32 = 256;

// The upper bits of a request's data say what the request does. The lower bits are the place of its
// connection.
const ACCEPT: u64 = 1 << 32;
const RECEIVE: u64 = 2 << 32;
const SEND: u64 = 3 << 32;

struct Connection {
    stream: UnixStream,
    /// Messages to send back: a buffer and a length. The first of them is being sent. Only one send
    /// is in flight, because a second one could overtake it.
    messages: VecDeque<(u16, u32)>,
    /// Whether the connection still receives. It may have to wait for a buffer.
    receives: bool,
}

pub(crate) struct Server<'l> {
    ring: IoUring,
    // The buffers are dropped after the ring.
    buffers: Buffers,
    listener: &'l UnixListener,
    connections: Vec<Option<Connection>>,
    /// Places without a connection.
    free: Vec<usize>,
    /// Connections whose request to receive has ended because there was no buffer.
    starved: Vec<usize>,
    /// The completions of a turn.
    done: Vec<cqueue::Entry>,
    /// How many connections were accepted.
    pub(crate) accepted: usize,
    /// How many messages were received, to be sent back.
    pub(crate) echoed: usize,
    /// How many connections have ended.
    pub(crate) ended: usize,
}

impl<'l> Server<'l> {
    /// Makes a ring, and requests all future connections of the listener. Only this thread can use the
    /// server.
    pub(crate) fn new(listener: &'l UnixListener) -> io::Result<Self> {
        let ring = ring(ENTRIES)?;
        let mut server = Self {
            // SAFETY: `ring` is the field before `buffers`, and `drop` ends its requests.
            buffers: unsafe { Buffers::new(&ring) }?,
            ring,
            listener,
            connections: Vec::new(),
            free: Vec::new(),
            starved: Vec::new(),
            done: Vec::new(),
            accepted: 0,
            echoed: 0,
            ended: 0,
        };
        server.request_accepts()?;
        server.ring.submit()?;
        Ok(server)
    }

    /// Submits all requests with one call, which waits until something is done. Then handles
    /// everything that is done, and makes the next requests.
    pub(crate) fn turn(&mut self) -> io::Result<()> {
        match self.ring.submit_and_wait(1) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            submitted => submitted?,
        };
        let mut done = mem::take(&mut self.done);
        done.extend(self.ring.completion());
        let mut outcome = Ok(());
        for entry in done.drain(..) {
            outcome = outcome.and(self.handle(&entry));
        }
        self.done = done;
        // If all buffers are used, a send is in flight, and a later turn finds free ones.
        let again = self.starved.len().min(self.buffers.free());
        for place in self.starved.split_off(self.starved.len() - again) {
            outcome = outcome.and(self.request_receives(place));
        }
        outcome
    }

    fn handle(&mut self, entry: &cqueue::Entry) -> io::Result<()> {
        let place = entry.user_data() as u32 as usize;
        match entry.user_data() & !u64::from(u32::MAX) {
            ACCEPT => self.accepted(entry),
            RECEIVE => self.received(place, entry),
            _ => self.sent(place, entry),
        }
    }

    /// One request accepts all connections. Each of them is a completion.
    fn request_accepts(&mut self) -> io::Result<()> {
        let accept = opcode::AcceptMulti::new(Fd(self.listener.as_raw_fd()));
        let accept = accept.flags(libc::SOCK_CLOEXEC).build();
        // SAFETY: a multishot accept has no pointer.
        unsafe { push(&mut self.ring, &accept.user_data(ACCEPT)) }
    }

    fn accepted(&mut self, entry: &cqueue::Entry) -> io::Result<()> {
        let fd = succeeded(entry.result())?;
        // SAFETY: the ring has made the descriptor, a connection of the listener, and nothing else
        // owns it.
        let stream = unsafe { UnixStream::from_raw_fd(fd) };
        let connection = Connection {
            stream,
            messages: VecDeque::new(),
            receives: true,
        };
        self.accepted += 1;
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.connections.push(None);
                self.connections.len() - 1
            }
        };
        self.connections[place] = Some(connection);
        self.request_receives(place)?;
        // The request can end, for example if its completions did not fit into the queue.
        match cqueue::more(entry.flags()) {
            true => Ok(()),
            false => self.request_accepts(),
        }
    }

    /// One request receives all messages of a connection. Each of them is a completion with a buffer.
    fn request_receives(&mut self, place: usize) -> io::Result<()> {
        let Some(connection) = &self.connections[place] else {
            return Ok(());
        };
        let fd = Fd(connection.stream.as_raw_fd());
        let receive = opcode::RecvMulti::new(fd, GROUP).build();
        let receive = receive.user_data(RECEIVE | place as u64);
        // SAFETY: the ring has the buffers.
        unsafe { push(&mut self.ring, &receive) }
    }

    fn received(&mut self, place: usize, entry: &cqueue::Entry) -> io::Result<()> {
        let Some(connection) = &mut self.connections[place] else {
            return Ok(());
        };
        if let Some(buffer) = cqueue::buffer_select(entry.flags()) {
            self.buffers.take();
            if entry.result() > 0 {
                self.echoed += 1;
                let len = entry.result() as u32;
                connection.messages.push_back((buffer, len));
                if connection.messages.len() == 1 {
                    self.request_send(place)?;
                }
            } else {
                self.buffers.give_back(buffer);
            }
        }
        match entry.result() {
            _ if cqueue::more(entry.flags()) => Ok(()),
            1.. => self.request_receives(place),
            errno if errno == -libc::ENOBUFS => {
                self.starved.push(place);
                Ok(())
            }
            // The end of the stream, or an error.
            _ => {
                if let Some(connection) = &mut self.connections[place] {
                    connection.receives = false;
                }
                self.remove_ended(place);
                Ok(())
            }
        }
    }

    /// Sends the connection's first message.
    fn request_send(&mut self, place: usize) -> io::Result<()> {
        let Some(connection) = &self.connections[place] else {
            return Ok(());
        };
        let Some((buffer, len)) = connection.messages.front() else {
            return Ok(());
        };
        // With MSG_WAITALL a send sends all bytes, or fails.
        let fd = Fd(connection.stream.as_raw_fd());
        let send = opcode::Send::new(fd, self.buffers.start(*buffer), *len)
            .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL)
            .build()
            .user_data(SEND | place as u64);
        // SAFETY: the buffer is not given back before the send is done, and `drop` waits for it.
        unsafe { push(&mut self.ring, &send) }
    }

    fn sent(&mut self, place: usize, entry: &cqueue::Entry) -> io::Result<()> {
        let Some(connection) = &mut self.connections[place] else {
            return Ok(());
        };
        let mut sent = 1;
        if entry.result() < 0 {
            // The client is gone. The other messages are discarded, and the receive ends. The call
            // fails if the client has shut both directions down.
            let _ = connection.stream.shutdown(Shutdown::Both);
            sent = connection.messages.len();
        }
        for (buffer, _) in connection.messages.drain(..sent) {
            self.buffers.give_back(buffer);
        }
        match connection.messages.is_empty() {
            true => self.remove_ended(place),
            false => self.request_send(place)?,
        }
        Ok(())
    }

    /// Closes a connection if it neither receives nor sends any more.
    fn remove_ended(&mut self, place: usize) {
        let ended =
            |connection: &mut Connection| !connection.receives && connection.messages.is_empty();
        if self.connections[place].take_if(ended).is_some() {
            self.free.push(place);
            self.ended += 1;
        }
    }

    /// Submits the requests without waiting.
    pub(crate) fn submit(&self) -> io::Result<()> {
        self.ring.submit().map(drop)
    }
}

/// Cancels all requests and waits until each has ended, so that the kernel does not use the buffers any
/// more. Closes connections that were accepted in the meantime.
impl Drop for Server<'_> {
    fn drop(&mut self) {
        let cancel = CancelBuilder::any();
        let cancelled = self.ring.submitter().register_sync_cancel(None, cancel);
        let nothing_left = |error: &io::Error| error.kind() == ErrorKind::NotFound;
        if cancelled.is_err_and(|error| !nothing_left(&error)) {
            std::process::abort(); // The kernel might write into memory that is freed.
        }
        for entry in self.ring.completion() {
            if entry.user_data() == ACCEPT && entry.result() >= 0 {
                // SAFETY: as in `accepted`.
                drop(unsafe { UnixStream::from_raw_fd(entry.result()) });
            }
        }
    }
}

/// Makes a ring for one thread, which does the work in its calls. The flags need Linux 6.1.
pub(crate) fn ring(entries: u32) -> io::Result<IoUring> {
    IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_cqsize(8 * entries)
        .build(entries)
}

/// Appends a request to the queue, and submits the queue before if it is full.
///
/// # Safety
///
/// - The memory that the request points to is valid until the request is done.
unsafe fn push(ring: &mut IoUring, request: &squeue::Entry) -> io::Result<()> {
    // SAFETY: the caller's contract.
    if unsafe { ring.submission().push(request) }.is_ok() {
        return Ok(());
    }
    ring.submit()?;
    // SAFETY: the caller's contract.
    unsafe { ring.submission().push(request) }.map_err(io::Error::other)
}

fn succeeded(result: i32) -> io::Result<i32> {
    match result {
        0.. => Ok(result),
        errno => Err(io::Error::from_raw_os_error(-errno)),
    }
}
