//! sendmmsg(2) and recvmmsg(2): several messages with one call. The headers are initialised once,
//! and only the kernel changes them from call to call.

mod one_by_one;
mod receive;
mod send;

use sunpath_sys as sys;
#[cfg(have_mmsg)]
use sunpath_sys::{mmsghdr, recvmmsg as recv_many, sendmmsg as send_many};

#[cfg(not(have_mmsg))]
use self::one_by_one::{mmsghdr, recv_many, send_many};
pub(crate) use self::receive::{Arrived, ArrivedMessage, RecvHeaders, RecvSlots};
pub(crate) use self::send::{Data, SendHeaders, SendSlots};

fn header_over(msg_hdr: sys::msghdr) -> mmsghdr {
    mmsghdr {
        msg_hdr,
        msg_len: 0,
    }
}
