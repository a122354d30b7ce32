//! Makes the same calls by the functions of this module and by those of the C library. Both have to
//! return the same, leave the same in memory, and set the same `errno`.

use core::arch::asm;
use core::ffi::{c_char, c_int, c_void};
use core::hint::black_box;
use core::{mem, ptr};
use std::time::{Duration, Instant};
use std::vec::Vec;
use std::{format, vec};

use libc::{iovec, msghdr, pollfd, sockaddr_un, socklen_t};

use crate::errno::{errno, set_errno};
use crate::inline;

/// The value of `errno` before each call. No call of these tests fails with it.
const BEFORE: c_int = libc::EDOM;

/// A call: its name, its result, and `errno` after it.
type Seen = (&'static str, isize, c_int);

/// Makes a call of a module, adds what was seen to a list, and evaluates to the result.
macro_rules! call {
    ($seen:ident, $calls:ident::$name:ident($($arg:expr),*)) => {{
        set_errno(BEFORE);
        // SAFETY: each pointer of the tests leads to live memory of the size that the call is told.
        let result = unsafe { $calls::$name($($arg),*) };
        $seen.push((stringify!($name), result as isize, errno()));
        result
    }};
}

/// Does what [`call`] does for a call that makes a descriptor. Its number differs from run to run, so
/// the list has 0 in its place.
macro_rules! open {
    ($seen:ident, $calls:ident::$name:ident($($arg:expr),*)) => {{
        let fd = call!($seen, $calls::$name($($arg),*));
        if let Some((_, result @ 0.., _)) = $seen.last_mut() {
            *result = 0;
        }
        fd
    }};
}

fn zeroed<T>() -> T {
    // SAFETY: the types of these tests are integers, pointers, and structs of both.
    unsafe { mem::zeroed() }
}

fn slice(bytes: &mut [u8]) -> iovec {
    iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    }
}

fn header(pieces: &mut [iovec]) -> msghdr {
    let mut header: msghdr = zeroed();
    header.msg_iov = pieces.as_mut_ptr();
    header.msg_iovlen = pieces.len() as _;
    header
}

/// Returns an abstract address whose name is the same in both runs and is used by no other process.
fn abstract_address(name: &str) -> (sockaddr_un, socklen_t) {
    let mut addr: sockaddr_un = zeroed();
    addr.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let name = format!("sunpath-sys-inline-{}-{name}", std::process::id());
    for (to, from) in addr.sun_path[1..].iter_mut().zip(name.bytes()) {
        *to = from as c_char;
    }
    let path = mem::offset_of!(sockaddr_un, sun_path);
    (addr, (path + 1 + name.len()) as socklen_t)
}

/// Returns the flags of a descriptor (`F_GETFD`) and of its description (`F_GETFL`).
fn flags(fd: c_int) -> [c_int; 2] {
    [libc::F_GETFD, libc::F_GETFL].map(|command| {
        // SAFETY: these commands have no argument.
        unsafe { libc::fcntl(fd, command) }
    })
}

const SIZE: socklen_t = size_of::<sockaddr_un>() as socklen_t;
const STREAM: c_int = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
const DGRAM: c_int = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;

/// Sends and receives messages between two sockets by the calls of a module. Returns all that was seen:
/// the calls, and what they left in memory.
macro_rules! messages {
    ($calls:ident) => {{
        let mut seen: Vec<Seen> = Vec::new();
        let mut left: Vec<Vec<u8>> = Vec::new();
        let mut pair = [-1; 2];
        open!(
            seen,
            $calls::socketpair(libc::AF_UNIX, DGRAM, 0, pair.as_mut_ptr())
        );
        left.extend(pair.map(|fd| format!("{:?}", flags(fd)).into_bytes()));
        let [a, b] = pair;
        let (addr, len) = abstract_address("messages");
        let to = (&raw const addr).cast();
        call!(seen, $calls::bind(b, to, len));

        let mut buf = [0u8; 16];
        let bytes = buf.as_mut_ptr().cast::<c_void>();
        let mut from: sockaddr_un = zeroed();
        let from_ptr = (&raw mut from).cast();
        let mut from_len = SIZE;
        // The last two arguments of sendto(2) and recvfrom(2) are null for send(2) and recv(2).
        call!(
            seen,
            $calls::send(a, c"12345".as_ptr().cast(), 5, libc::MSG_NOSIGNAL)
        );
        call!(
            seen,
            $calls::recv(b, bytes, 3, libc::MSG_PEEK | libc::MSG_TRUNC)
        );
        call!(seen, $calls::recv(b, bytes, 4, 0));
        left.push(buf.to_vec());
        call!(seen, $calls::recv(b, bytes, 4, libc::MSG_DONTWAIT));
        call!(
            seen,
            $calls::sendto(a, c"abcdef".as_ptr().cast(), 6, libc::MSG_NOSIGNAL, to, len)
        );
        call!(
            seen,
            $calls::recvfrom(b, bytes, 16, libc::MSG_PEEK, from_ptr, &mut from_len)
        );
        call!(seen, $calls::recv(b, bytes, 16, 0));
        left.push([&buf[..], &from_len.to_ne_bytes()].concat());
        // Here the sender has an address, and another flag lets the message wait.
        let (addr_a, len_a) = abstract_address("sender");
        call!(seen, $calls::bind(a, (&raw const addr_a).cast(), len_a));
        call!(
            seen,
            $calls::sendto(a, c"xyz".as_ptr().cast(), 3, 0, to, len)
        );
        from_len = SIZE;
        call!(
            seen,
            $calls::recvfrom(b, bytes, 2, libc::MSG_TRUNC, from_ptr, &mut from_len)
        );
        left.push([&buf[..], &from_len.to_ne_bytes()].concat());
        left.push(from.sun_path.map(|byte| byte as u8).to_vec());

        let (mut one, mut two) = ([1u8, 2, 3], [4u8, 5]);
        let mut pieces = [slice(&mut one), slice(&mut two)];
        let mut given = header(&mut pieces);
        call!(seen, $calls::sendmsg(a, &given, libc::MSG_NOSIGNAL));
        given.msg_flags = -1;
        call!(seen, $calls::recvmsg(b, &mut given, libc::MSG_PEEK));
        given.msg_iovlen = 1;
        call!(seen, $calls::recvmsg(b, &mut given, libc::MSG_TRUNC));
        left.push([&one[..], &two, &given.msg_flags.to_ne_bytes()].concat());
        call!(seen, $calls::writev(a, pieces.as_ptr(), 2));
        (one, two) = ([0; 3], [0; 2]);
        let mut pieces = [slice(&mut two), slice(&mut one)];
        call!(seen, $calls::readv(b, pieces.as_mut_ptr(), 2));
        left.push([one.as_slice(), &two].concat());
        call!(seen, $calls::write(a, c"pq".as_ptr().cast(), 2));
        call!(seen, $calls::read(b, bytes, 16));
        left.push(buf.to_vec());
        call!(seen, $calls::read(b, bytes, 16));

        let mut size: c_int = 32768;
        let mut size_len = size_of::<c_int>() as socklen_t;
        let (level, name) = (libc::SOL_SOCKET, libc::SO_SNDBUF);
        call!(
            seen,
            $calls::setsockopt(a, level, name, (&raw const size).cast(), size_len)
        );
        size_len = 16;
        call!(
            seen,
            $calls::getsockopt(a, level, name, (&raw mut size).cast(), &mut size_len)
        );
        left.push([size.to_ne_bytes(), size_len.to_ne_bytes()].concat());

        let mut polled = [a, b].map(|fd| pollfd {
            fd,
            events: libc::POLLIN | libc::POLLOUT,
            revents: 0,
        });
        call!(seen, $calls::poll(polled.as_mut_ptr(), 2, -1));
        call!(seen, $calls::poll(polled.as_mut_ptr(), 2, 0));
        left.push(polled.map(|polled| polled.revents as u8).to_vec());
        polled[1].events = libc::POLLIN;
        call!(seen, $calls::poll(polled[1..].as_mut_ptr(), 1, 0));
        let began = Instant::now();
        call!(seen, $calls::poll(polled[1..].as_mut_ptr(), 1, 1021));
        let waited = began.elapsed();
        assert!(waited >= Duration::from_millis(1021) && waited < Duration::from_secs(600));
        call!(
            seen,
            $calls::poll(polled.as_mut_ptr(), libc::nfds_t::MAX, 0)
        );

        call!(seen, $calls::shutdown(b, libc::SHUT_RD));
        call!(seen, $calls::send(a, bytes, 1, libc::MSG_NOSIGNAL));
        call!(seen, $calls::close(a));
        call!(seen, $calls::close(b));
        (seen, left)
    }};
}

/// Connects and accepts by the calls of a module. Returns all that was seen.
macro_rules! connections {
    ($calls:ident) => {{
        let mut seen: Vec<Seen> = Vec::new();
        let mut left: Vec<Vec<u8>> = Vec::new();
        let (addr, len) = abstract_address("connections");
        let to = (&raw const addr).cast();
        let listener = open!(seen, $calls::socket(libc::AF_UNIX, STREAM, 0));
        call!(
            seen,
            $calls::accept(listener, ptr::null_mut(), ptr::null_mut())
        );
        call!(seen, $calls::bind(listener, to, len));
        call!(seen, $calls::bind(listener, to, len));
        call!(seen, $calls::listen(listener, 2));
        let clients = [0; 3].map(|_| {
            let client = open!(seen, $calls::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0));
            call!(seen, $calls::connect(client, to, len));
            left.push(format!("{:?}", flags(client)).into_bytes());
            client
        });
        // A backlog of 2 is a queue of 3.
        let another = open!(
            seen,
            $calls::socket(libc::AF_UNIX, STREAM | libc::SOCK_NONBLOCK, 0)
        );
        call!(seen, $calls::connect(another, to, len));

        let mut from: sockaddr_un = zeroed();
        let mut from_len = SIZE;
        let (from_ptr, flag) = ((&raw mut from).cast(), libc::SOCK_NONBLOCK);
        let accepted = [
            open!(seen, $calls::accept(listener, from_ptr, &mut from_len)),
            open!(
                seen,
                $calls::accept4(listener, ptr::null_mut(), ptr::null_mut(), flag)
            ),
            open!(
                seen,
                $calls::accept4(listener, from_ptr, &mut from_len, libc::SOCK_CLOEXEC)
            ),
        ];
        left.extend(accepted.map(|fd| format!("{:?}", flags(fd)).into_bytes()));
        for fd in [listener, clients[0], accepted[0]] {
            from_len = SIZE;
            call!(seen, $calls::getsockname(fd, from_ptr, &mut from_len));
            left.push(format!("{from_len} {:?}", from.sun_path).into_bytes());
            from_len = 4;
            call!(seen, $calls::getpeername(fd, from_ptr, &mut from_len));
            left.push(format!("{from_len} {:?}", from.sun_path).into_bytes());
        }
        call!(seen, $calls::shutdown(accepted[0], libc::SHUT_WR));
        call!(seen, $calls::read(clients[0], ptr::null_mut(), 0));
        call!(seen, $calls::shutdown(accepted[0], 9));
        for fd in clients
            .into_iter()
            .chain(accepted)
            .chain([listener, another])
        {
            call!(seen, $calls::close(fd));
        }
        (seen, left)
    }};
}

/// Makes every call of a module with a descriptor that is not open, and others that fail. Returns what
/// was seen.
macro_rules! failures {
    ($calls:ident) => {{
        let mut seen: Vec<Seen> = Vec::new();
        let mut pair = [-1; 2];
        let mut name = vec![0u8; 128];
        let (bytes, addr) = (name.as_mut_ptr().cast(), name.as_mut_ptr().cast());
        let mut len = SIZE;
        let mut message = header(&mut []);
        call!(seen, $calls::socket(-1, STREAM, 0));
        call!(seen, $calls::socket(libc::AF_UNIX, 0xf, 0));
        call!(seen, $calls::socket(libc::AF_UNIX, STREAM, 99));
        call!(seen, $calls::socketpair(-1, STREAM, 0, pair.as_mut_ptr()));
        call!(
            seen,
            $calls::socketpair(libc::AF_UNIX, STREAM, 99, pair.as_mut_ptr())
        );
        call!(
            seen,
            $calls::socketpair(libc::AF_UNIX, STREAM, 0, ptr::null_mut())
        );
        call!(seen, $calls::bind(-1, addr, len));
        call!(seen, $calls::getsockname(-1, addr, &mut len));
        call!(seen, $calls::connect(-1, addr, len));
        call!(seen, $calls::getpeername(-1, addr, &mut len));
        call!(seen, $calls::send(-1, bytes, 1, 0));
        call!(seen, $calls::recv(-1, bytes, 1, 0));
        call!(seen, $calls::sendto(-1, bytes, 1, 0, addr, len));
        call!(seen, $calls::recvfrom(-1, bytes, 1, 0, addr, &mut len));
        call!(seen, $calls::sendmsg(-1, &message, 0));
        call!(seen, $calls::recvmsg(-1, &mut message, 0));
        call!(
            seen,
            $calls::getsockopt(-1, libc::SOL_SOCKET, libc::SO_TYPE, bytes, &mut len)
        );
        call!(
            seen,
            $calls::setsockopt(-1, libc::SOL_SOCKET, libc::SO_SNDBUF, bytes, len)
        );
        call!(seen, $calls::listen(-1, 1));
        call!(seen, $calls::accept(-1, addr, &mut len));
        call!(seen, $calls::accept4(-1, addr, &mut len, 0));
        call!(seen, $calls::shutdown(-1, libc::SHUT_RDWR));
        call!(seen, $calls::readv(-1, ptr::null(), 0));
        call!(seen, $calls::writev(-1, ptr::null(), 0));
        call!(seen, $calls::read(-1, bytes, 1));
        call!(seen, $calls::write(-1, bytes, 1));
        call!(seen, $calls::close(-1));
        call!(seen, $calls::poll(ptr::null_mut(), 1, 0));
        seen
    }};
}

/// Asserts that a call sets `errno` only if it fails, and then returns -1.
fn assert_errno_only_after_failure(seen: &[Seen]) {
    for (name, result, errno) in seen {
        assert_eq!(*result < 0, *errno != BEFORE, "{name}: {result}, {errno}");
        assert!(*result >= -1, "{name}: {result}");
    }
}

/// Returns the names and the `errno` of the calls that failed.
fn failed(seen: &[Seen]) -> Vec<(&'static str, c_int)> {
    let failed = seen.iter().filter(|(_, result, _)| *result < 0);
    failed.map(|(name, _, errno)| (*name, *errno)).collect()
}

#[test]
fn inline_messages_are_those_of_the_c_library() {
    let (in_c, left_by_c) = messages!(libc);
    let (inline, left) = messages!(inline);
    assert_errno_only_after_failure(&inline);
    assert_eq!(inline, in_c);
    assert_eq!(left, left_by_c);
    let expected = [
        ("recv", libc::EAGAIN),
        ("read", libc::EAGAIN),
        ("poll", libc::EINVAL),
        ("send", libc::EPIPE),
    ];
    assert_eq!(failed(&inline), expected);
}

#[test]
fn inline_connections_are_those_of_the_c_library() {
    let (in_c, left_by_c) = connections!(libc);
    let (inline, left) = connections!(inline);
    assert_errno_only_after_failure(&inline);
    assert_eq!(inline, in_c);
    assert_eq!(left, left_by_c);
    let expected = [
        ("accept", libc::EINVAL),
        ("bind", libc::EINVAL),
        ("connect", libc::EAGAIN),
        ("getpeername", libc::ENOTCONN),
        ("shutdown", libc::EINVAL),
    ];
    assert_eq!(failed(&inline), expected);
}

#[test]
fn inline_failures_are_those_of_the_c_library() {
    let (in_c, inline) = (failures!(libc), failures!(inline));
    assert_errno_only_after_failure(&inline);
    assert_eq!(inline, in_c);
    assert!(inline.iter().all(|(_, result, _)| *result == -1));
}

#[cfg(target_env = "gnu")]
#[test]
fn inline_batches_are_those_of_the_c_library() {
    macro_rules! batches {
        ($calls:ident) => {{
            let mut seen: Vec<Seen> = Vec::new();
            let mut pair = [-1; 2];
            open!(
                seen,
                $calls::socketpair(libc::AF_UNIX, DGRAM, 0, pair.as_mut_ptr())
            );
            let mut bytes = [[1u8, 2], [3, 4], [5, 6]];
            let mut pieces = bytes.each_mut().map(|bytes| [slice(bytes)]);
            let mut headers = pieces.each_mut().map(|pieces| libc::mmsghdr {
                msg_hdr: header(pieces),
                msg_len: 0,
            });
            let first = headers.as_mut_ptr();
            call!(
                seen,
                $calls::sendmmsg(pair[0], first, 3, libc::MSG_NOSIGNAL)
            );
            let mut limit = libc::timespec {
                tv_sec: 5,
                tv_nsec: 0,
            };
            call!(
                seen,
                $calls::recvmmsg(pair[1], first, 2, libc::MSG_PEEK, &mut limit)
            );
            assert!(limit.tv_sec == 4, "the kernel writes what is left");
            limit.tv_nsec = -1;
            call!(seen, $calls::recvmmsg(pair[1], first, 3, 0, &mut limit));
            call!(
                seen,
                $calls::recvmmsg(pair[1], first, 3, libc::MSG_TRUNC, ptr::null_mut())
            );
            call!(seen, $calls::recvmmsg(-1, first, 3, 0, ptr::null_mut()));
            call!(seen, $calls::sendmmsg(-1, first, 3, 0));
            let lengths = headers.map(|header| (header.msg_len, header.msg_hdr.msg_flags));
            for fd in pair {
                call!(seen, $calls::close(fd));
            }
            (seen, lengths, bytes)
        }};
    }
    let (in_c, inline) = (batches!(libc), batches!(inline));
    assert_errno_only_after_failure(&inline.0);
    assert_eq!(inline, in_c);
}

/// The kernel returns failures as numbers from -4095 to -1. Every other number is a result.
#[test]
fn inline_result_of_minus_4096_is_not_a_failure() {
    for (result, returned, number) in [
        (-4096, -4096, BEFORE),
        (-4095, -1, 4095),
        (-4094, -1, 4094),
        (-2, -1, 2),
        (-1, -1, 1),
        (0, 0, BEFORE),
        (1, 1, BEFORE),
        (isize::MAX, isize::MAX, BEFORE),
        (isize::MIN, isize::MIN, BEFORE),
    ] {
        set_errno(BEFORE);
        assert_eq!((inline::checked(result), errno()), (returned, number));
    }
}

/// Returns two connected sockets.
fn pair() -> [c_int; 2] {
    let mut pair = [-1; 2];
    // SAFETY: `pair` has space for two descriptors.
    let made = unsafe { inline::socketpair(libc::AF_UNIX, STREAM, 0, pair.as_mut_ptr()) };
    assert_eq!(made, 0);
    pair
}

fn close(pair: [c_int; 2]) {
    for fd in pair {
        // SAFETY: the test made the descriptor, and does not use it again.
        assert_eq!(unsafe { inline::close(fd) }, 0);
    }
}

/// An optimizing compiler uses the value that the byte had before the call if it believes that the
/// call writes no memory.
#[test]
fn inline_read_writes_memory() {
    let fds = pair();
    // SAFETY: the pointer leads to one byte.
    let sent = unsafe { inline::write(fds[0], c"x".as_ptr().cast(), 1) };
    let mut byte = b'-';
    // SAFETY: the pointer leads to one byte that may be written.
    let received = unsafe { inline::read(fds[1], (&raw mut byte).cast(), 1) };
    assert!(byte == b'x');
    assert_eq!((sent, received), (1, 1));
    close(fds);
}

/// An optimizing compiler does not write the byte before the call if it believes that the call
/// reads no memory.
#[test]
fn inline_write_reads_memory() {
    let fds = pair();
    let mut byte = black_box(b'-');
    byte ^= 1;
    // SAFETY: the pointer leads to one byte.
    let sent = unsafe { inline::write(fds[0], (&raw const byte).cast(), 1) };
    let mut arrived = 0u8;
    // SAFETY: the pointer leads to one byte that may be written.
    let received = unsafe { inline::read(fds[1], (&raw mut arrived).cast(), 1) };
    assert_eq!((sent, received, arrived), (1, 1, b'-' ^ 1));
    close(fds);
}

/// An optimizing compiler keeps values in all registers that the call does not name as overwritten.
/// There are more values than registers. No function is called in between, because a function may
/// overwrite some of the registers in any case.
#[test]
fn inline_call_keeps_the_values_of_registers() {
    macro_rules! kept {
        ($($value:ident)*) => {{
            $(let $value = black_box(stringify!($value).as_bytes()[0]) as u64;)*
            // SAFETY: the operands are those of each call, and this call has no pointer.
            let closed: isize = unsafe { instruction!(SYS_close, -1) };
            $(let $value = ($value, stringify!($value).as_bytes()[0] as u64);)*
            assert_eq!(closed, -libc::EBADF as isize);
            $(assert_eq!($value.0, $value.1);)*
        }};
    }
    kept!(a b c d e f g h i j k l m n o p q r s t u v w x y z);
}
