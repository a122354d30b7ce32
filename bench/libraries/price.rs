//! The workloads that show the cost of each guarantee. The same work is done over C's own calls,
//! without the guarantee and then with it, and finally by sunpath with all guarantees.

use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use sunpath::sys::{self, sockaddr_un, socklen_t};
use sunpath::{SunPath, UnixAddr, UnixDatagram, UnixStream};
use sunpath_bench::{
    Bench, Kind, escape, filled, name, opaque, opaque_number, opaque_slice, repeat,
};

/// Reports a failure. The function is not inlined, so that the success path gets as little code as
/// possible.
#[cold]
#[inline(never)]
fn failed() -> ! {
    panic!("{}", std::io::Error::last_os_error());
}

/// Makes an address from a path without any check: copies the bytes, and writes a NUL after them.
///
/// # Safety
///
/// - The path has fewer bytes than `sun_path`.
#[inline(always)]
unsafe fn unchecked(path: &[u8], addr: &mut MaybeUninit<sockaddr_un>) -> socklen_t {
    let start = addr.as_mut_ptr();
    // SAFETY: the field is inside the struct.
    let family = unsafe { &raw mut (*start).sun_family };
    // SAFETY: the struct has space for a family.
    unsafe { family.write(sys::AF_UNIX as sys::sa_family_t) };
    // SAFETY: the field is inside the struct.
    let to = unsafe { &raw mut (*start).sun_path }.cast::<u8>();
    // SAFETY: the caller guarantees that `to` has space for the path.
    unsafe { to.copy_from_nonoverlapping(path.as_ptr(), path.len()) };
    // SAFETY: the caller guarantees space for the path and one more byte.
    unsafe { to.wrapping_add(path.len()).write(0) };
    (sys::SUN_PATH_OFFSET + path.len() + 1) as socklen_t
}

#[inline(always)]
fn with_room(path: &[u8]) {
    if path.is_empty() || path.len() > sys::SUN_PATH_MAX {
        failed();
    }
}

/// Rejects a path that has a NUL. memchr(3) finds the NUL, as in C.
#[inline(always)]
fn without_nul(path: &[u8]) {
    // SAFETY: the bytes are readable for their length.
    if !unsafe { libc::memchr(path.as_ptr().cast(), 0, path.len()) }.is_null() {
        failed();
    }
}

fn addresses(mut bench: Bench) -> Bench {
    for len in [20, 107] {
        bench = bench
            .work(&format!("address{len}.unchecked"), |count| {
                let path = name(len);
                repeat(count, || {
                    let mut addr = MaybeUninit::uninit();
                    // SAFETY: no path here has more than 107 bytes.
                    let addr_len = unsafe { unchecked(opaque_slice(&path), &mut addr) };
                    escape(&addr);
                    opaque_number(addr_len as usize);
                });
            })
            .work(&format!("address{len}.bounded"), |count| {
                let path = name(len);
                repeat(count, || {
                    let (path, mut addr) = (opaque_slice(&path), MaybeUninit::uninit());
                    with_room(path);
                    // SAFETY: the path has fewer bytes than `sun_path`.
                    let addr_len = unsafe { unchecked(path, &mut addr) };
                    escape(&addr);
                    opaque_number(addr_len as usize);
                });
            })
            .work(&format!("address{len}.no_nul"), |count| {
                let path = name(len);
                repeat(count, || {
                    let (path, mut addr) = (opaque_slice(&path), MaybeUninit::uninit());
                    with_room(path);
                    without_nul(path);
                    // SAFETY: the path has fewer bytes than `sun_path`.
                    let addr_len = unsafe { unchecked(path, &mut addr) };
                    escape(&addr);
                    opaque_number(addr_len as usize);
                });
            })
            .work(&format!("address{len}.in_place"), |count| {
                let (path, mut addr) = (name(len), UnixAddr::unnamed());
                repeat(count, || match addr.set_pathname(opaque_slice(&path)) {
                    Ok(()) => escape(&addr),
                    Err(_) => failed(),
                });
            })
            .work(&format!("address{len}.new"), |count| {
                let path = name(len);
                repeat(count, || {
                    let mut addr = UnixAddr::unnamed();
                    match addr.set_pathname(opaque_slice(&path)) {
                        Ok(()) => escape(&addr),
                        Err(_) => failed(),
                    }
                });
            })
            .work(&format!("address{len}.returned"), |count| {
                let path = name(len);
                repeat(count, || {
                    match UnixAddr::from_pathname(opaque_slice(&path)) {
                        Ok(addr) => escape(&addr),
                        Err(_) => failed(),
                    }
                });
            });
    }
    bench
}

/// Reads an address and trusts its length, without a check that the struct has that many bytes. A
/// path ends where the kernel says.
///
/// # Safety
///
/// - `len` is the length that the kernel reported for `addr`.
#[inline(always)]
unsafe fn trusted(addr: &sockaddr_un, len: socklen_t) -> SunPath<'_> {
    let bytes = len as usize - sys::SUN_PATH_OFFSET;
    if bytes == 0 {
        return SunPath::Unnamed;
    }
    let start = addr.sun_path.as_ptr().cast::<u8>();
    let name = start.wrapping_add(usize::from(addr.sun_path[0] == 0));
    // SAFETY: the caller guarantees the length.
    let name = unsafe { std::slice::from_raw_parts(name, bytes - 1) };
    match addr.sun_path[0] {
        0 => SunPath::Abstract(name),
        _ => SunPath::Pathname(name),
    }
}

#[inline(always)]
fn look_at(path: SunPath<'_>) {
    match path {
        SunPath::Pathname(bytes) | SunPath::Abstract(bytes) => {
            escape(bytes.as_ptr());
            opaque_number(bytes.len());
        }
        _ => {}
    }
}

fn parsing(mut bench: Bench) -> Bench {
    for len in [20, 107] {
        bench = bench
            .work(&format!("parse{len}.trusting"), |count| {
                let (addr, addr_len) = filled(Kind::Pathname, len);
                repeat(count, || {
                    let addr_len = opaque_number(addr_len as usize) as socklen_t;
                    // SAFETY: the kernel has reported `addr_len` for this address.
                    look_at(unsafe { trusted(opaque(&addr), addr_len) });
                });
            })
            .work(&format!("parse{len}.counted"), |count| {
                let (addr, addr_len) = filled(Kind::Pathname, len);
                repeat(count, || {
                    let addr_len = opaque_number(addr_len as usize) as socklen_t;
                    look_at(sys::sun_path_counted(opaque(&addr), addr_len));
                });
            })
            .work(&format!("parse{len}.searched"), |count| {
                let (addr, addr_len) = filled(Kind::Pathname, len);
                repeat(count, || {
                    let addr_len = opaque_number(addr_len as usize) as socklen_t;
                    look_at(sys::sun_path(opaque(&addr), addr_len));
                });
            })
            .work(&format!("parse{len}.kept"), |count| {
                let (addr, addr_len) = filled(Kind::Pathname, len);
                repeat(count, || {
                    let addr_len = opaque_number(addr_len as usize) as socklen_t;
                    look_at(UnixAddr::from_raw(*opaque(&addr), addr_len).unwrap().name());
                });
            });
    }
    bench
}

/// Sends bytes by one call of send(2).
#[inline(always)]
fn send(socket: &UnixStream, bytes: &[u8], flags: i32) -> isize {
    // SAFETY: the bytes are readable for their length.
    unsafe {
        sys::send(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            flags,
        )
    }
}

/// Sends one byte by `send`, and receives it with C's call, so that the steps differ in the send alone.
#[inline(always)]
fn sending(count: u64, send: impl Fn(&UnixStream, &[u8])) {
    let (a, b) = UnixStream::pair().unwrap();
    repeat(count, || {
        send(&a, opaque_slice(&[7]));
        let mut byte = [0_u8];
        // SAFETY: the buffer has space for one byte.
        let count = unsafe { sys::recv(b.as_raw_fd(), byte.as_mut_ptr().cast(), 1, 0) };
        if count != 1 {
            failed();
        }
    });
}

fn sends(bench: Bench) -> Bench {
    bench
        .work("send.once", |count| {
            sending(count, |socket, bytes| {
                if send(socket, bytes, 0) != 1 {
                    failed();
                }
            });
        })
        .work("send.no_signal", |count| {
            sending(count, |socket, bytes| {
                if send(socket, bytes, sys::MSG_NOSIGNAL) != 1 {
                    failed();
                }
            });
        })
        .work("send.again", |count| {
            sending(count, |socket, bytes| {
                loop {
                    match send(socket, bytes, sys::MSG_NOSIGNAL) {
                        1 => break,
                        -1 if sys::errno() == sys::EINTR => {}
                        _ => failed(),
                    }
                }
            });
        })
        .work("send.all", |count| {
            sending(count, |socket, bytes| {
                if !matches!(socket.write(bytes), Ok(1)) {
                    failed();
                }
            });
        })
}

#[inline(always)]
fn socket(kind: i32) -> i32 {
    // SAFETY: the arguments are integers, so the call accesses no memory.
    let fd = unsafe { sys::socket(sys::AF_UNIX, kind, 0) };
    if fd < 0 {
        failed();
    }
    fd
}

fn descriptors(bench: Bench) -> Bench {
    bench
        .work("socket.number", |count| {
            repeat(count, || {
                let fd = socket(sys::SOCK_STREAM);
                // SAFETY: this function made the descriptor, and does not use it again.
                unsafe { libc::close(fd) };
            });
        })
        .work("socket.cloexec", |count| {
            repeat(count, || {
                let fd = socket(sys::SOCK_STREAM | sys::SOCK_CLOEXEC);
                // SAFETY: this function made the descriptor, and does not use it again.
                unsafe { libc::close(fd) };
            });
        })
        .work("socket.owned", |count| {
            repeat(count, || {
                let fd = socket(sys::SOCK_STREAM | sys::SOCK_CLOEXEC);
                // SAFETY: this function made the descriptor, and does not use it again.
                drop(unsafe { OwnedFd::from_raw_fd(fd) });
            });
        })
        .work("socket.all", |count| {
            repeat(count, || match UnixStream::new() {
                Ok(socket) => drop(socket),
                Err(_) => failed(),
            });
        })
}

/// Sends a datagram from `a` to `b` with the same call in every step, and receives it in 16 bytes.
fn datagrams(count: u64, receive: impl Fn(&UnixDatagram, &mut [u8]) -> usize) {
    let (a, b) = UnixDatagram::pair().unwrap();
    repeat(count, || {
        if a.send(opaque_slice(&[7; 16])).is_err() {
            failed();
        }
        let mut buf = [0; 16];
        let len = receive(&b, &mut buf);
        escape(&buf[..len]);
    });
}

fn truncation(bench: Bench) -> Bench {
    let recv = |socket: &UnixDatagram, buf: &mut [u8], flags| {
        let (fd, start) = (socket.as_raw_fd(), buf.as_mut_ptr().cast());
        // SAFETY: the buffer has space for as many bytes as the length says.
        match unsafe { sys::recv(fd, start, buf.len(), flags) } {
            ..0 => failed(),
            len => len as usize,
        }
    };
    bench
        .work("datagram.cut", |count| {
            datagrams(count, |socket, buf| recv(socket, buf, 0));
        })
        .work("datagram.said", |count| {
            datagrams(count, |socket, buf| {
                let len = recv(socket, buf, sys::MSG_TRUNC);
                if len > buf.len() {
                    failed();
                }
                len
            });
        })
        .work("datagram.all", |count| {
            datagrams(count, |socket, buf| match socket.recv(buf) {
                Ok(received) if !received.is_truncated() => received.len(),
                _ => failed(),
            });
        })
}

/// Receives one descriptor by C's calls, and returns it as an integer. The function trusts the peer
/// to send one descriptor, so it reads the control message at the usual offset without checking the
/// header.
#[inline(always)]
fn received(socket: &UnixStream, flags: i32) -> i32 {
    const INT: usize = size_of::<i32>();
    let mut byte = [0_u8];
    let mut piece = sys::iovec {
        iov_base: byte.as_mut_ptr().cast(),
        iov_len: 1,
    };
    let mut room = MaybeUninit::<[usize; sys::CMSG_SPACE(INT) / size_of::<usize>()]>::uninit();
    // SAFETY: all zeroes is a valid msghdr.
    let mut msg: sys::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    msg.msg_iov = &mut piece;
    msg.msg_iovlen = 1;
    msg.msg_control = room.as_mut_ptr().cast();
    msg.msg_controllen = sys::CMSG_SPACE(INT);
    // SAFETY: the byte and the control buffer have as much space as their lengths in `msg`.
    if unsafe { sys::recvmsg(socket.as_raw_fd(), &mut msg, flags) } != 1 {
        failed();
    }
    let data = room.as_ptr().cast::<u8>().wrapping_add(sys::CMSG_LEN(0));
    // SAFETY: one descriptor was sent, and the buffer had space for it.
    unsafe { data.cast::<i32>().read() }
}

fn passing(count: u64, receive: impl Fn(&UnixStream)) {
    let (a, b) = UnixStream::pair().unwrap();
    repeat(count, || {
        if a.send_fd(&a).is_err() {
            failed();
        }
        receive(&b);
    });
}

fn passed(bench: Bench) -> Bench {
    bench
        .work("passed.number", |count| {
            passing(count, |socket| {
                // SAFETY: the descriptor has just arrived, and nothing else owns it.
                unsafe { libc::close(received(socket, 0)) };
            });
        })
        .work("passed.owned", |count| {
            passing(count, |socket| {
                let fd = received(socket, sys::MSG_CMSG_CLOEXEC);
                // SAFETY: the descriptor has just arrived, and nothing else owns it.
                drop(unsafe { OwnedFd::from_raw_fd(fd) });
            });
        })
        .work("passed.all", |count| {
            passing(count, |socket| match socket.recv_fd() {
                Ok(fd) => drop(fd),
                Err(_) => failed(),
            });
        })
}

fn main() {
    let bench = sends(parsing(addresses(Bench::from_args())));
    passed(truncation(descriptors(bench))).finish();
}
