//! Puts control messages into a buffer to send, and takes them out of a received buffer.

use std::mem::{size_of, zeroed};
use std::ptr;

use libc::c_int;
use sunpath_sys as sys;
use sys::{CMSG_DATA, CMSG_FIRSTHDR, CMSG_LEN, CMSG_NXTHDR, CMSG_SPACE, SCM_RIGHTS, SOL_SOCKET};
use sys::{cmsg_data, cmsghdr, iovec, msghdr, ucred};

use super::line;

/// The size of the control buffer, which is more than any case needs.
pub(crate) const CONTROL_SIZE: usize = 4096;

/// The descriptor that is sent if the case names none: standard input, which the test runner opens.
pub(crate) const ANY_FD: c_int = 0;

/// Returns a message that points to these iovecs and this control buffer, which have to outlive it.
pub(crate) fn message_over(iov: &mut [iovec], control: &mut [u8]) -> msghdr {
    // SAFETY: all zero bytes are a message: null pointers and lengths of 0.
    let mut message: msghdr = unsafe { zeroed() };
    message.msg_iov = iov.as_mut_ptr();
    message.msg_iovlen = iov.len() as _;
    if !control.is_empty() {
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = control.len() as _;
    }
    message
}

/// Returns the part of the control buffer to which the kernel wrote.
#[allow(
    clippy::unnecessary_cast,
    reason = "msg_controllen is 4 bytes outside glibc"
)]
pub(crate) fn written<'a>(control: &'a mut [u8], message: &msghdr) -> &'a mut [u8] {
    &mut control[..message.msg_controllen as usize]
}

// 1. Lay out control data to be sent.

/// Control data to send, with messages one after the other.
#[derive(Default)]
pub(crate) struct Control(pub(crate) Vec<u8>);

impl Control {
    fn put_message(&mut self, header: cmsghdr, data: &[u8]) {
        let at = self.0.len();
        self.0.resize(at + CMSG_SPACE(data.len()), 0);
        let cmsg: *mut cmsghdr = self.0[at..].as_mut_ptr().cast();
        // SAFETY: there is space for a header at `cmsg`, and the write is unaligned.
        unsafe { cmsg.write_unaligned(header) };
        // SAFETY: CMSG_LEN(0) bytes from `cmsg` on are in the buffer.
        let to = unsafe { CMSG_DATA(cmsg) };
        // SAFETY: after the header the buffer has space for the data, which does not overlap it.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), to, data.len()) };
    }

    /// Puts a message of `SOL_SOCKET`.
    pub(crate) fn put(&mut self, kind: c_int, data: &[u8]) {
        self.put_message(header(CMSG_LEN(data.len()), SOL_SOCKET, kind), data);
    }

    pub(crate) fn put_fds(&mut self, fds: &[c_int]) {
        let data: Vec<u8> = fds.iter().flat_map(|fd| fd.to_ne_bytes()).collect();
        self.put(SCM_RIGHTS, &data);
    }

    /// Puts `SCM_RIGHTS` with `ANY_FD`, `count` times.
    pub(crate) fn put_rights(&mut self, count: usize) {
        self.put_fds(&vec![ANY_FD; count]);
    }

    /// Puts 8 bytes of `SCM_RIGHTS`, whose header has the given length, level and type.
    pub(crate) fn put_wrong(&mut self, cmsg_len: usize, level: c_int, kind: c_int) {
        let data = [ANY_FD.to_ne_bytes(), ANY_FD.to_ne_bytes()].concat();
        self.put_message(header(cmsg_len, level, kind), &data);
    }

    pub(crate) fn put_cred(&mut self, cred: ucred) {
        let data = [
            cred.pid.to_ne_bytes(),
            cred.uid.to_ne_bytes(),
            cred.gid.to_ne_bytes(),
        ];
        self.put(sys::SCM_CREDENTIALS, &data.concat());
    }
}

fn header(cmsg_len: usize, level: c_int, kind: c_int) -> cmsghdr {
    // SAFETY: a header has three integers, which may be zero.
    let mut header: cmsghdr = unsafe { zeroed() };
    header.cmsg_len = cmsg_len as _;
    header.cmsg_level = level;
    header.cmsg_type = kind;
    header
}

// 2. Read received control data.

/// Returns the level, the type and the data of each control message in a buffer.
pub(crate) fn messages(control: &mut [u8]) -> Vec<(c_int, c_int, Vec<u8>)> {
    let message = message_over(&mut [], control);
    let mut all = Vec::new();
    // SAFETY: the message points to a live buffer.
    let mut cmsg = unsafe { CMSG_FIRSTHDR(&message) };
    while !cmsg.is_null() {
        // SAFETY: CMSG_FIRSTHDR and CMSG_NXTHDR return headers that lie inside the buffer.
        let header = unsafe { cmsg.read_unaligned() };
        // SAFETY: the buffer has been written, and nothing changes it.
        let data = unsafe { cmsg_data(&message, cmsg) };
        all.push((header.cmsg_level, header.cmsg_type, data.to_vec()));
        // SAFETY: `cmsg` came from this iteration over the same message.
        cmsg = unsafe { CMSG_NXTHDR(&message, cmsg) };
    }
    all
}

/// Returns the int at `at` in the data, if the data has all of it.
fn int(data: &[u8], at: usize) -> Option<c_int> {
    let bytes = data.get(at..)?.first_chunk()?;
    Some(c_int::from_ne_bytes(*bytes))
}

fn ints(data: &[u8]) -> Vec<c_int> {
    let size = size_of::<c_int>();
    (0..data.len() / size)
        .filter_map(|i| int(data, i * size))
        .collect()
}

fn credentials_words(data: &[u8]) -> String {
    match ints(data)[..] {
        [pid, uid, gid] => line::credentials(pid, uid as u32, gid as u32),
        _ => format!(
            "CREDENTIALS({} of {} bytes)",
            data.len(),
            size_of::<ucred>()
        ),
    }
}

/// Returns the control messages of a buffer as the line prints them, and their descriptors.
pub(crate) fn in_words(control: &mut [u8]) -> (Vec<String>, Vec<c_int>) {
    let (mut words, mut fds) = (Vec::new(), Vec::new());
    for (_, kind, data) in messages(control) {
        words.push(match kind {
            sys::SCM_CREDENTIALS => credentials_words(&data),
            SCM_RIGHTS => {
                let received = ints(&data);
                fds.extend_from_slice(&received);
                line::rights(received.len())
            }
            sys::SCM_PIDFD => match int(&data, 0) {
                Some(fd @ 0..) => {
                    fds.push(fd);
                    line::pidfd(Ok(()))
                }
                errno => line::pidfd(Err(-errno.unwrap_or(-1))),
            },
            sys::SCM_INQ => line::inq(int(&data, 0).unwrap_or(-1)),
            _ => "another".to_owned(),
        });
    }
    (words, fds)
}
