//! Packs many small messages into one write to a stream: each message follows its length.
//!
//! A stream does not keep the borders between messages, and each message that the kernel makes,
//! queues and frees costs far more than its bytes. [`FrameWriter`] packs messages into the caller's
//! buffer, which one write then sends. [`FrameReader`] receives into the caller's buffer, returns
//! the messages one by one, and keeps the beginning of a message whose rest has not arrived yet.
//! [`Frames`] does the same for bytes that were received already, such as a record of a
//! [`UnixSeqpacket`](crate::UnixSeqpacket). With 32 messages in a write, a message took about a
//! twentieth of the time that it takes with one call for each message.
//!
//! The length is 4 bytes, the most significant byte first (network byte order), and counts the bytes
//! of the message alone. This is the default of tokio's `LengthDelimitedCodec`, `{packet, 4}` of
//! Erlang and `struct.pack("!I", len)` of Python.
//!
//! # A length is the peer's claim
//!
//! A peer can send any four bytes as a length. A reader without a limit would wait for four gigabytes
//! that never come, or would allocate them. The limit here is what the buffer holds, or less if the
//! program sets less, and a greater length is the error [`FrameError::TooLong`], which has both
//! numbers. Nothing here allocates, and no bytes make these functions panic.
//!
//! # Examples
//!
//! ```
//! use sunpath::UnixStream;
//! use sunpath::framing::{FrameReader, FrameWriter};
//!
//! let (ours, theirs) = UnixStream::pair()?;
//! let mut buf = [0; 4096];
//! let mut frames = FrameWriter::new(&mut buf);
//! for message in ["one", "two", "three"] {
//!     frames.push(message.as_bytes())?;
//! }
//! ours.write_all(frames.as_bytes())?; // one call for all messages
//! drop(ours);
//!
//! let mut buf = [0; 4096]; // a message has at most 4092 bytes
//! let mut reader = FrameReader::new(&mut buf);
//! let mut count = 0;
//! while reader.fill(&theirs)? > 0 {
//!     while let Some(message) = reader.next_frame()? {
//!         println!("{} bytes", message.len());
//!         count += 1;
//!     }
//! }
//! assert_eq!(count, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::error;
use core::fmt;

use crate::error::{Call, Cause, Errno, Error};
use crate::socket::UnixStream;

/// The size of a length in bytes: 4.
pub const PREFIX: usize = size_of::<u32>();

/// Packs messages into a buffer, each after its length.
///
/// # Examples
///
/// A sender that sends whenever the buffer is full:
///
/// ```
/// use sunpath::UnixStream;
/// use sunpath::framing::{FrameError, FrameWriter};
///
/// # let (ours, theirs) = UnixStream::pair()?;
/// # let messages = [[7; 20]; 10];
/// let mut buf = [0; 64];
/// let mut frames = FrameWriter::new(&mut buf);
/// for message in &messages {
///     if let Err(FrameError::Full { .. }) = frames.push(message) {
///         ours.write_all(frames.as_bytes())?;
///         frames.clear();
///         frames.push(message)?;
///     }
/// }
/// ours.write_all(frames.as_bytes())?;
/// # theirs.read_exact(&mut [0; 240])?;
/// # assert!(theirs.try_read(&mut [0]).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FrameWriter<'b> {
    buf: &'b mut [u8],
    /// INVARIANT: `len <= buf.len()`.
    len: usize,
}

/// An iterator over the messages in received bytes.
///
/// The iterator ends before a message that is not complete, and [`rest`](Self::rest) returns the
/// bytes from there on. In a record or a datagram, which arrives whole, a rest is a fault of the
/// sender. After an error the iterator ends, and `rest` begins with the length that was too great.
///
/// # Examples
///
/// ```
/// use sunpath::framing::Frames;
///
/// let mut frames = Frames::new(b"\0\0\0\x03one\0\0\0\x05thr", 100);
/// assert_eq!(frames.next(), Some(Ok(&b"one"[..])));
/// assert_eq!(frames.next(), None);
/// assert_eq!(frames.rest(), b"\0\0\0\x05thr"); // 2 bytes have not arrived yet
/// ```
#[derive(Clone, Debug)]
pub struct Frames<'b> {
    rest: &'b [u8],
    max: usize,
    has_failed: bool,
}

/// Receives messages from a stream into a buffer, and returns them one by one.
///
/// The longest message is what the buffer holds after the 4 bytes of its length, or less with
/// [`max_message`](Self::max_message).
///
/// # Examples
///
/// [`fill`](Self::fill) reads from a [`UnixStream`]. For a stream of another library, and for an
/// `await`, read into [`space`](Self::space) and report the count to [`advance`](Self::advance):
///
/// ```
/// use std::io::Read;
/// use sunpath::framing::FrameReader;
///
/// # fn run(mut stream: impl Read) -> Result<(), Box<dyn std::error::Error>> {
/// let mut buf = [0; 4096];
/// let mut reader = FrameReader::new(&mut buf);
/// loop {
///     match stream.read(reader.space())? {
///         0 => break,
///         count => reader.advance(count)?,
///     }
///     while let Some(message) = reader.next_frame()? {
///         println!("{} bytes", message.len());
///     }
/// }
/// if !reader.rest().is_empty() {
///     return Err("the stream ended inside a message".into());
/// }
/// # Ok(()) }
/// # run(&b"\0\0\0\x03one"[..]).unwrap();
/// # run(&b"\0\0\0\x03on"[..]).unwrap_err();
/// ```
#[derive(Debug)]
pub struct FrameReader<'b> {
    buf: &'b mut [u8],
    /// INVARIANT: `start <= end <= buf.len()`.
    start: usize,
    end: usize,
    /// INVARIANT: a message of `max` bytes fits into `buf` together with its length, if `buf` has
    /// space for a length at all.
    max: usize,
}

/// The reason why a message is not packed, or not returned. All numbers are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameError {
    /// The message is longer than the limit. For a received message this is the length that the peer
    /// announced. The stream cannot be read any further, because the next length cannot be found.
    TooLong {
        /// The length of the message.
        len: usize,
        /// The greatest length.
        max: usize,
    },
    /// The space that is left is too small. The message fits after [`FrameWriter::clear`].
    Full {
        /// The size of the message with its length.
        needed: usize,
        /// The space that is left.
        left: usize,
    },
}

impl<'b> FrameWriter<'b> {
    /// Makes a writer that packs messages into `buf`, from its beginning.
    #[must_use]
    #[inline]
    pub const fn new(buf: &'b mut [u8]) -> Self {
        Self { buf, len: 0 }
    }

    /// Appends a message after its length: 4 bytes more than the message has. The message may be
    /// empty. If it is not appended, nothing changes.
    ///
    /// # Errors
    ///
    /// - [`FrameError::Full`]: send what there is and call [`clear`](Self::clear). Then the message
    ///   fits.
    /// - [`FrameError::TooLong`]: the message does not fit into the empty buffer, or has 4 GiB or more.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::framing::FrameWriter;
    /// let mut buf = [0; 64];
    /// let mut frames = FrameWriter::new(&mut buf);
    /// frames.push(b"one")?;
    /// frames.push(b"")?;
    /// assert_eq!(frames.as_bytes(), b"\0\0\0\x03one\0\0\0\0");
    /// # Ok::<(), sunpath::framing::FrameError>(())
    /// ```
    #[inline]
    pub fn push(&mut self, message: &[u8]) -> Result<(), FrameError> {
        let needed = PREFIX + message.len();
        let space = self.buf.get_mut(self.len..).unwrap_or_default();
        let frame = space
            .get_mut(..needed)
            .and_then(|frame| frame.split_first_chunk_mut());
        match (frame, u32::try_from(message.len())) {
            (Some((prefix, place)), Ok(len)) => {
                *prefix = len.to_be_bytes();
                place.copy_from_slice(message);
                self.len += needed;
                Ok(())
            }
            _ => Err(self.not_pushed(message.len())),
        }
    }

    /// Makes the error for a message of `len` bytes that was not appended.
    #[cold]
    fn not_pushed(&self, len: usize) -> FrameError {
        let max = longest_in(self.buf.len());
        if len > max || PREFIX > self.buf.len() {
            return FrameError::TooLong { len, max };
        }
        FrameError::Full {
            needed: PREFIX + len,
            left: self.buf.len() - self.len,
        }
    }

    /// Returns the packed messages, for one write.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.buf.get(..self.len).unwrap_or_default()
    }

    /// Returns `true` if there is no message.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Forgets all messages, so that the buffer can be filled again.
    #[inline]
    pub const fn clear(&mut self) {
        self.len = 0;
    }
}

impl<'b> Frames<'b> {
    /// Makes an iterator over the messages in `bytes`. A message has at most `max` bytes.
    #[must_use]
    #[inline]
    pub const fn new(bytes: &'b [u8], max: usize) -> Self {
        Self {
            rest: bytes,
            max,
            has_failed: false,
        }
    }

    /// Returns the bytes that the iterator has not passed yet. After its end, they are the beginning
    /// of a message whose rest has not arrived.
    #[must_use]
    #[inline]
    pub const fn rest(&self) -> &'b [u8] {
        self.rest
    }
}

impl<'b> Iterator for Frames<'b> {
    type Item = Result<&'b [u8], FrameError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        match split_first(self.rest, self.max) {
            Ok(Some((message, rest))) => {
                self.rest = rest;
                Some(Ok(message))
            }
            Ok(None) => None,
            Err(error) => {
                self.has_failed = true;
                Some(Err(error))
            }
        }
    }
}

/// After its end the iterator returns `None` forever.
impl core::iter::FusedIterator for Frames<'_> {}

impl<'b> FrameReader<'b> {
    /// Makes a reader that receives into `buf`. A buffer of fewer than 4 bytes takes no message.
    #[must_use]
    #[inline]
    pub const fn new(buf: &'b mut [u8]) -> Self {
        Self {
            max: longest_in(buf.len()),
            buf,
            start: 0,
            end: 0,
        }
    }

    /// Sets the greatest length of a message in bytes, for a protocol that has a limit. A limit above
    /// what the buffer holds changes nothing.
    #[must_use]
    #[inline]
    pub const fn max_message(mut self, max: usize) -> Self {
        let longest = longest_in(self.buf.len());
        self.max = if max < longest { max } else { longest };
        self
    }

    /// `recv(fd, buf, n, 0)` — receives once, and returns the number of bytes. 0 is the end of the
    /// stream, after a message or at the beginning.
    ///
    /// Take all messages by [`next_frame`](Self::next_frame) before the next call. For a stream that
    /// another library owns, `&SocketRef::from(&stream)` is a [`UnixStream`]; see
    /// [`SocketRef`](crate::SocketRef).
    ///
    /// # Errors
    ///
    /// - `EPIPE`: the stream ended inside a message, which an `io::Error` reports as `UnexpectedEof`.
    /// - `ENOBUFS`: the buffer is full, because its messages were not taken.
    /// - `EAGAIN`, `ECONNRESET`, `EINVAL`: as for [`UnixStream::read`]. The bytes that were
    ///   received before stay in the buffer.
    ///
    /// See recv(2).
    pub fn fill(&mut self, stream: &UnixStream) -> Result<usize, Error> {
        let space = self.space();
        if space.is_empty() {
            return Err(Error::new(Call::Recv, Errno::ENOBUFS));
        }
        let count = stream.read(space)?;
        if count == 0 && self.ends_inside_a_message() {
            return Err(Error::with_cause(
                Call::Recv,
                Errno::EPIPE,
                Cause::StreamEnded,
            ));
        }
        self.end += count;
        Ok(count)
    }

    /// Returns the next complete message, or `None` if more bytes have to be received first.
    ///
    /// # Errors
    ///
    /// - [`FrameError::TooLong`]: the peer announced a message that is longer than the limit. Close
    ///   the stream. Every later call returns the same error.
    #[inline]
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let received = self.buf.get(self.start..self.end).unwrap_or_default();
        match split_first(received, self.max)? {
            Some((message, _)) => {
                self.start += PREFIX + message.len();
                Ok(Some(message))
            }
            None => Ok(None),
        }
    }

    /// Returns the bytes that were received and not returned as messages.
    #[must_use]
    #[inline]
    pub fn rest(&self) -> &[u8] {
        self.buf.get(self.start..self.end).unwrap_or_default()
    }

    /// Returns the part of the buffer for the next bytes. This part is as large as possible, and is
    /// empty only if messages were not taken, or if the buffer has fewer than 4 bytes.
    #[inline]
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.move_to_start();
        }
        self.buf.get_mut(self.end..).unwrap_or_default()
    }

    /// Adds bytes that were received into [`space`](Self::space).
    ///
    /// # Errors
    ///
    /// - [`FrameError::Full`]: the count is greater than the space. Nothing is added.
    #[inline]
    pub fn advance(&mut self, count: usize) -> Result<(), FrameError> {
        let left = self.buf.len() - self.end;
        if count > left {
            return Err(FrameError::Full {
                needed: count,
                left,
            });
        }
        self.end += count;
        Ok(())
    }

    fn move_to_start(&mut self) {
        if let Some(received) = self.buf.get_mut(..self.end) {
            if self.start <= received.len() {
                received.copy_within(self.start.., 0);
            }
        }
        self.end -= self.start;
        self.start = 0;
    }

    /// Returns whether the received bytes end inside a message.
    #[cold]
    fn ends_inside_a_message(&self) -> bool {
        let mut frames = Frames::new(self.rest(), self.max);
        while let Some(Ok(_)) = frames.next() {}
        !frames.rest().is_empty()
    }
}

impl FrameError {
    /// Returns the errno for this error: `EMSGSIZE` for a message that is too long, `ENOBUFS` for a
    /// buffer that is full.
    #[must_use]
    pub const fn errno(self) -> Errno {
        match self {
            Self::TooLong { .. } => Errno::EMSGSIZE,
            Self::Full { .. } => Errno::ENOBUFS,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, max } => {
                write!(
                    f,
                    "a message of {len} bytes is over the limit of {max} bytes"
                )
            }
            Self::Full { needed, left } => {
                write!(
                    f,
                    "{needed} bytes do not fit into the {left} bytes that are left"
                )
            }
        }
    }
}

impl error::Error for FrameError {}

/// Keeps the numbers, because this error becomes the inner error. The kind is `InvalidData` for a
/// message that is too long. For a buffer that is full it is `WriteZero`, as when std writes into a
/// slice that is full.
#[cfg(feature = "std")]
impl From<FrameError> for std::io::Error {
    fn from(error: FrameError) -> Self {
        let kind = match error {
            FrameError::TooLong { .. } => std::io::ErrorKind::InvalidData,
            FrameError::Full { .. } => std::io::ErrorKind::WriteZero,
        };
        Self::new(kind, error)
    }
}

/// Returns the length of the longest message that fits into a buffer of this size, and whose length
/// fits into the prefix.
const fn longest_in(size: usize) -> usize {
    let longest = size.saturating_sub(PREFIX);
    // The comparison is one of 64 bits, because u32::MAX fits into no smaller usize than that.
    if longest as u64 > u32::MAX as u64 {
        u32::MAX as usize
    } else {
        longest
    }
}

/// A message and the bytes after it.
type First<'b> = (&'b [u8], &'b [u8]);

/// Returns the first message and the bytes after it, or `None` if it is not complete.
#[inline]
fn split_first(bytes: &[u8], max: usize) -> Result<Option<First<'_>>, FrameError> {
    let Some((prefix, after)) = bytes.split_first_chunk() else {
        return Ok(None);
    };
    // Every supported system has a usize of 32 bits or more.
    let len = u32::from_be_bytes(*prefix) as usize;
    match len <= max {
        true => Ok(after.split_at_checked(len)),
        false => Err(FrameError::TooLong { len, max }),
    }
}
