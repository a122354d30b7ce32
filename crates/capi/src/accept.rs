//! Accepting connections.

use core::ffi::{c_int, c_uint};
use core::ptr;

use sunpath_rs::Stream;
use sunpath_rs::fd::IntoRawFd;
use sunpath_rs::socket::ListenerRef;

use crate::argument::Number;
use crate::failure::{Failure, Fault, returned};
use crate::options::NONBLOCK;

/// Accepts a connection.
#[unsafe(no_mangle)]
pub extern "C" fn sunpath_accept(listener: c_int, flags: c_uint) -> c_int {
    let accept = || {
        let listener = Number::new(listener, 1)?;
        let nonblocking = is_nonblocking(flags)?;
        // `Stream` stands for both types here, because accept(2) is called in the same way for them.
        let listener = ListenerRef::<Stream>::from(&listener);
        let (socket, _) = match nonblocking {
            true => listener.accept_nonblocking()?,
            false => listener.accept()?,
        };
        Ok(socket.into_raw_fd())
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(accept(), ptr::null_mut()) }
}

/// Accepts a connection of one user.
#[unsafe(no_mangle)]
pub extern "C" fn sunpath_accept_user(listener: c_int, flags: c_uint, uid: libc::uid_t) -> c_int {
    let accept = || {
        let listener = Number::new(listener, 1)?;
        let nonblocking = is_nonblocking(flags)?;
        let listener = ListenerRef::<Stream>::from(&listener);
        let (socket, _) = listener.accept_if(|peer| peer.uid() == uid)?;
        if nonblocking {
            socket.set_nonblocking(true)?;
        }
        Ok(socket.into_raw_fd())
    };
    // SAFETY: `ret_error` is NULL, because the C function has no such parameter.
    unsafe { returned(accept(), ptr::null_mut()) }
}

fn is_nonblocking(flags: c_uint) -> Result<bool, Failure> {
    match flags & !NONBLOCK {
        0 => Ok(flags & NONBLOCK != 0),
        _ => Err(Failure::argument(Fault::Flags, 2)),
    }
}
