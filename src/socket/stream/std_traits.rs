//! The traits of `std::io` for the stream.

use super::UnixStream;
use crate::error::{Cause, Error};
use std::io::{self, IoSlice, IoSliceMut, Read, Write};

impl Read for &UnixStream {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        UnixStream::read(self, buf).map_err(unboxed)
    }

    #[inline]
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        UnixStream::read_vectored(self, bufs).map_err(unboxed)
    }

    #[inline]
    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        UnixStream::read_exact(self, buf).map_err(|error| match error.cause() {
            Some(Cause::StreamEnded) => io::ErrorKind::UnexpectedEof.into(),
            _ => unboxed(error),
        })
    }
}

impl Write for &UnixStream {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        UnixStream::write(self, buf).map_err(unboxed)
    }

    #[inline]
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        UnixStream::write_vectored(self, bufs).map_err(unboxed)
    }

    #[inline]
    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        UnixStream::write_all(self, buf).map_err(unboxed)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes an `io::Error` of the errno alone, so that `raw_os_error` returns it. Nothing is
/// allocated, and a caller of the traits sees the same errors as from std's stream.
#[cold]
fn unboxed(error: Error) -> io::Error {
    error.errno().into()
}

impl Read for UnixStream {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        Read::read(&mut &*self, buf)
    }

    #[inline]
    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        Read::read_vectored(&mut &*self, bufs)
    }

    #[inline]
    fn read_exact(&mut self, buf: &mut [u8]) -> io::Result<()> {
        Read::read_exact(&mut &*self, buf)
    }
}

impl Write for UnixStream {
    #[inline]
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Write::write(&mut &*self, buf)
    }

    #[inline]
    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        Write::write_vectored(&mut &*self, bufs)
    }

    #[inline]
    fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
        Write::write_all(&mut &*self, buf)
    }

    #[inline]
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
