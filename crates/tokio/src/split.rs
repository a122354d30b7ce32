//! The two halves of a stream, for two futures or two tasks.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use sunpath::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::stream::UnixStream;

/// The half that reads, borrowed by [`UnixStream::split`]. Its `as_ref` returns the whole stream, for the
/// other methods.
#[derive(Debug)]
pub struct ReadHalf<'a>(&'a UnixStream);

/// The half that writes, borrowed by [`UnixStream::split`]. Its `as_ref` returns the whole stream, for the
/// other methods.
#[derive(Debug)]
pub struct WriteHalf<'a>(&'a UnixStream);

/// The half that reads, made by [`UnixStream::into_split`]. Its `as_ref` returns the whole stream, for
/// the other methods.
#[derive(Debug)]
pub struct OwnedReadHalf(Arc<UnixStream>);

/// The half that writes, made by [`UnixStream::into_split`]. Dropping it ends the direction of writing.
/// Its `as_ref` returns the whole stream, for the other methods.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    stream: Arc<UnixStream>,
    shut_down_on_drop: bool,
}

impl<'a> ReadHalf<'a> {
    pub(crate) const fn new(stream: &'a UnixStream) -> Self {
        Self(stream)
    }
}

impl<'a> WriteHalf<'a> {
    pub(crate) const fn new(stream: &'a UnixStream) -> Self {
        Self(stream)
    }

    const fn note_shutdown(&mut self) {}
}

pub(crate) fn owned(stream: UnixStream) -> (OwnedReadHalf, OwnedWriteHalf) {
    let stream = Arc::new(stream);
    let writer = OwnedWriteHalf {
        stream: Arc::clone(&stream),
        shut_down_on_drop: true,
    };
    (OwnedReadHalf(stream), writer)
}

impl AsRef<UnixStream> for ReadHalf<'_> {
    fn as_ref(&self) -> &UnixStream {
        self.0
    }
}

impl AsRef<UnixStream> for WriteHalf<'_> {
    fn as_ref(&self) -> &UnixStream {
        self.0
    }
}

impl AsRef<UnixStream> for OwnedReadHalf {
    fn as_ref(&self) -> &UnixStream {
        &self.0
    }
}

impl AsRef<UnixStream> for OwnedWriteHalf {
    fn as_ref(&self) -> &UnixStream {
        &self.stream
    }
}

impl OwnedReadHalf {
    /// Puts the two halves of one stream together again.
    ///
    /// # Errors
    ///
    /// - Both halves, if they are of different streams.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let (stream, _peer) = sunpath_tokio::UnixStream::pair()?;
    /// let (reader, writer) = stream.into_split();
    /// let stream = reader.reunite(writer).expect("they are of one stream");
    /// # drop(stream);
    /// # Ok(()) }
    /// ```
    pub fn reunite(self, mut writer: OwnedWriteHalf) -> Result<UnixStream, (Self, OwnedWriteHalf)> {
        if !Arc::ptr_eq(&self.0, &writer.stream) {
            return Err((self, writer));
        }
        writer.shut_down_on_drop = false;
        drop(writer);
        // Nobody else can hold the stream, because neither half gives its `Arc` away.
        Arc::try_unwrap(self.0).map_err(|stream| {
            let writer = OwnedWriteHalf {
                stream: Arc::clone(&stream),
                shut_down_on_drop: true,
            };
            (Self(stream), writer)
        })
    }
}

impl OwnedWriteHalf {
    /// Drops this half without ending the direction of writing.
    pub fn forget(mut self) {
        self.shut_down_on_drop = false;
    }

    /// Notes that the drop has nothing to do any more.
    const fn note_shutdown(&mut self) {
        self.shut_down_on_drop = false;
    }
}

impl Drop for OwnedWriteHalf {
    fn drop(&mut self) {
        if self.shut_down_on_drop {
            // The peer may be gone, and then there is nothing to end.
            let _ = self.stream.as_socket().shutdown(Shutdown::Write);
        }
    }
}

macro_rules! reads {
    ($($half:ty),+) => {$(
        impl AsyncRead for $half {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                (*self).as_ref().poll_read_into(cx, buf)
            }
        }
    )+};
}

macro_rules! writes {
    ($($half:ty),+) => {$(
        impl AsyncWrite for $half {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                (*self).as_ref().poll_write_from(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                (*self).as_ref().poll_write_slices(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                let ended = (*self).as_ref().end_writing();
                self.get_mut().note_shutdown();
                ended
            }
        }
    )+};
}

reads!(ReadHalf<'_>, OwnedReadHalf);
writes!(WriteHalf<'_>, OwnedWriteHalf);
