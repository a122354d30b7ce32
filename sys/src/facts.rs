//! The C headers of the target, and the check on every build that `libc` agrees with them.
//!
//! A difference is a compile error that names the item. Two things are not compared: `SOMAXCONN`,
//! which is a default that changes; and, with musl on 32-bit targets, everything that depends on
//! the size of `time_t`, because libc still has the size of musl before 1.2.

use core::mem::offset_of;

use crate::cmsg::{CMSG_LEN, CMSG_SPACE};

/// The headers of the C library as bindgen reads them.
#[allow(dead_code, non_camel_case_types, unreachable_pub)]
// bindgen makes the following helper for the array at the end of glibc's cmsghdr. Nothing calls the
// helper.
#[allow(unsafe_op_in_unsafe_fn, clippy::missing_safety_doc)]
mod c {
    include!(env!("SUNPATH_SYS_FACTS"));
}

/// Returns whether a field, or an array's element, is signed.
trait Signed {
    const SIGNED: bool;
}

macro_rules! signed {
    ($($signed:literal: $($type:ty)+;)+) => {
        $($(impl Signed for $type {
            const SIGNED: bool = $signed;
        })+)+
    };
}

signed! {
    true: i8 i16 i32 i64 isize;
    false: u8 u16 u32 u64 usize;
}

impl<T: Signed, const N: usize> Signed for [T; N] {
    const SIGNED: bool = T::SIGNED;
}

impl<T> Signed for *mut T {
    const SIGNED: bool = false;
}

/// Returns the size and the signedness of the field that a closure names.
#[allow(
    dead_code,
    reason = "the oldest Rust does not count a use in `const _`"
)]
const fn kind<S, F: Signed>(_field: fn(&S) -> &F) -> (usize, bool) {
    (size_of::<F>(), F::SIGNED)
}

/// Stops the build unless the condition holds, and names the item that differs.
macro_rules! same {
    ($condition:expr, $what:literal $($name:tt)+) => {
        assert!(
            $condition,
            concat!($what, stringify!($($name)+), " is not as in the C headers of this target")
        )
    };
}

/// Checks that libc's structs have the size and alignment of C's structs, and that these fields
/// have the same offset, size and signedness.
macro_rules! structs {
    ($($name:ident { $($field:ident)+ })+) => {$(
        const _: () = {
            type Rust = libc::$name;
            type C = c::$name;
            same!(size_of::<Rust>() == size_of::<C>(), "size of " $name);
            same!(align_of::<Rust>() == align_of::<C>(), "alignment of " $name);
            $(
                same!(offset_of!(Rust, $field) == offset_of!(C, $field), "offset of " $name.$field);
                let (size, signed) = kind(|s: &Rust| &s.$field);
                let (c_size, c_signed) = kind(|s: &C| &s.$field);
                same!(size == c_size, "size of " $name.$field);
                same!(signed == c_signed, "signedness of " $name.$field);
            )+
        };
    )+};
}

/// Checks that these constants are equal in the 32 bits that matter for an option, a flag, a size
/// or a request.
macro_rules! values {
    ($($ours:expr => $theirs:ident,)+) => {
        $(const _: () = same!($ours as u32 == c::$theirs as u32, "value of " $ours);)+
    };
}

/// Checks that libc's constants are equal to those of the same names in C.
macro_rules! constants {
    ($($name:ident)+) => {
        $(const _: () = same!(libc::$name as u32 == c::$name as u32, "value of " $name);)+
    };
}

structs! {
    sockaddr_un { sun_family sun_path }
    sockaddr { sa_family sa_data }
    sockaddr_storage { ss_family }
    iovec { iov_base iov_len }
    msghdr { msg_name msg_namelen msg_iov msg_control msg_controllen msg_flags }
    cmsghdr { cmsg_len cmsg_level cmsg_type }
    linger { l_onoff l_linger }
}

// OpenBSD's header declares the field as unsigned, and libc as signed. Size and offset are the
// same.
#[cfg(not(target_os = "openbsd"))]
structs! { msghdr { msg_iovlen } }

constants! {
    AF_UNIX AF_UNSPEC
    SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET
    SOL_SOCKET SO_BROADCAST SO_DEBUG SO_DONTROUTE SO_ERROR SO_KEEPALIVE SO_LINGER SO_OOBINLINE
    SO_RCVBUF SO_RCVLOWAT SO_REUSEADDR SO_REUSEPORT SO_SNDBUF SO_SNDLOWAT SO_TYPE
    SCM_RIGHTS
    MSG_CTRUNC MSG_DONTROUTE MSG_DONTWAIT MSG_EOR MSG_NOSIGNAL MSG_OOB MSG_PEEK MSG_TRUNC
    MSG_WAITALL
    SHUT_RD SHUT_WR SHUT_RDWR
}

values! {
    libc::AF_LOCAL => FACT_AF_LOCAL,
    libc::PF_UNIX => FACT_PF_UNIX,
    libc::PF_UNSPEC => FACT_PF_UNSPEC,
    libc::FIONBIO => FACT_FIONBIO,
    libc::FIONREAD => FACT_FIONREAD,
    CMSG_LEN(0) => FACT_CMSG_LEN_0,
    CMSG_LEN(1) => FACT_CMSG_LEN_1,
    CMSG_SPACE(0) => FACT_CMSG_SPACE_0,
    CMSG_SPACE(1) => FACT_CMSG_SPACE_1,
    CMSG_SPACE(4) => FACT_CMSG_SPACE_4,
    CMSG_SPACE(12) => FACT_CMSG_SPACE_12,
}

#[cfg(not(all(target_env = "musl", target_pointer_width = "32")))]
values! {
    libc::SO_RCVTIMEO => FACT_SO_RCVTIMEO,
    libc::SO_SNDTIMEO => FACT_SO_SNDTIMEO,
    libc::SO_TIMESTAMP => FACT_SO_TIMESTAMP,
}

#[cfg(all(
    target_os = "linux",
    not(all(target_env = "musl", target_pointer_width = "32"))
))]
values! {
    libc::SCM_TIMESTAMP => FACT_SCM_TIMESTAMP,
    libc::SO_TIMESTAMPNS => FACT_SO_TIMESTAMPNS,
    libc::SCM_TIMESTAMPNS => FACT_SCM_TIMESTAMPNS,
}

#[cfg(not(target_vendor = "apple"))]
constants! { SOCK_CLOEXEC SOCK_NONBLOCK MSG_CMSG_CLOEXEC }

#[cfg(target_os = "linux")]
structs! {
    ucred { pid uid gid }
    mmsghdr { msg_len }
}

#[cfg(target_os = "linux")]
constants! {
    MSG_ERRQUEUE MSG_MORE MSG_WAITFORONE
    SCM_CREDENTIALS
    SO_ACCEPTCONN SO_COOKIE SO_DOMAIN SO_MEMINFO SO_PASSCRED SO_PASSSEC SO_PEEK_OFF SO_PEERCRED
    SO_PEERSEC SO_PROTOCOL SO_RCVBUFFORCE SO_SNDBUFFORCE
}

#[cfg(target_os = "linux")]
values! {
    crate::cmsg::CMSG_ALIGN(1) => FACT_CMSG_ALIGN_1,
    crate::linux::SO_PEERGROUPS => SO_PEERGROUPS,
}

// Only glibc's headers have these two constants, so linux.rs writes them by hand.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
values! {
    crate::linux::SCM_SECURITY => SCM_SECURITY,
    crate::linux::SCM_PIDFD => SCM_PIDFD,
}

#[cfg(target_os = "macos")]
structs! { xucred { cr_version cr_uid cr_ngroups cr_groups } }

#[cfg(target_os = "macos")]
constants! { SOL_LOCAL LOCAL_PEERCRED LOCAL_PEERPID LOCAL_PEEREPID LOCAL_PEERTOKEN SO_NOSIGPIPE }

#[cfg(target_os = "freebsd")]
structs! {
    xucred { cr_version cr_uid cr_ngroups }
    cmsgcred { cmcred_pid cmcred_uid cmcred_euid cmcred_gid cmcred_ngroups cmcred_groups }
}

#[cfg(target_os = "freebsd")]
constants! {
    SOL_LOCAL LOCAL_PEERCRED LOCAL_CREDS LOCAL_CREDS_PERSISTENT SCM_CREDS SCM_CREDS2 SO_NOSIGPIPE
    MSG_WAITFORONE
}

#[cfg(target_os = "netbsd")]
structs! { unpcbid { unp_pid unp_euid unp_egid } }

#[cfg(target_os = "netbsd")]
constants! { LOCAL_PEEREID LOCAL_CREDS SCM_CREDS SO_NOSIGPIPE MSG_WAITFORONE }

#[cfg(target_os = "openbsd")]
structs! { sockpeercred { uid gid pid } }

#[cfg(target_os = "openbsd")]
constants! { SO_PEERCRED }
