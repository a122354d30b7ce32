//! Runs the cases of `cases.txt`. Each case has two connected sockets p and q, and the calls of its
//! line. Each helper makes a call and prints it.

use libc::c_int;
use sunpath_sys::{SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM};

use super::close;
use super::control::Control;
use super::line::{self, part, step};
use super::message::{
    Pair, at_most, in_buffer, lacks, new_pair, option, receive_closing, receive_plain,
    send_control, send_text, set,
};
use super::table::{Call, Line};
use crate::process;

fn option_of(name: &str) -> (c_int, &'static str) {
    match name {
        "SO_INQ" => option!(SO_INQ),
        "SO_PASSCRED" => option!(SO_PASSCRED),
        "SO_PASSPIDFD" => option!(SO_PASSPIDFD),
        "SO_PASSRIGHTS" => option!(SO_PASSRIGHTS),
        _ => panic!("{name}: not an option of the table"),
    }
}

fn make(s: &mut Pair, call: &Call) {
    let fd = match call.socket() {
        "p" => &mut s.p,
        _ => &mut s.q,
    };
    match call.name() {
        "sendmsg" => {
            let mut control = Control::default();
            let rights = call.rights();
            rights.iter().for_each(|count| control.put_rights(*count));
            let words = rights.into_iter().map(line::rights);
            let words = Vec::from_iter(words).join(", ");
            send_control(*fd, call.text(), control, &words);
        }
        "send" => send_text(*fd, call.text()),
        "recvmsg" => match call.capacity() {
            Some((size, words)) => {
                let how = in_buffer(call.number(1), (size, Some(words)));
                receive_closing(*fd, &how);
            }
            None => receive_closing(*fd, &at_most(call.number(1))),
        },
        "recv" => receive_plain(*fd, call.number(1), (0, None)),
        "setsockopt" => {
            let option = option_of(call.word(1).unwrap_or_default());
            set(call.socket(), *fd, option, call.number(2) as c_int);
        }
        "close" => {
            step!("close({})", call.socket());
            close(*fd);
            *fd = -1;
        }
        name => panic!("{name}: not a call of the table"),
    }
}

pub(crate) fn run(text: &str) {
    let line = Line::read(text);
    if line.options().any(|name| lacks(option_of(name))) {
        return;
    }
    let mut s = new_pair(match line.kind {
        "stream" => SOCK_STREAM,
        "dgram" => SOCK_DGRAM,
        _ => SOCK_SEQPACKET,
    });
    for call in &line.calls {
        if !call.in_child {
            make(&mut s, call);
            continue;
        }
        let child = process::fork();
        if child == 0 {
            part("child");
            make(&mut s, call);
            process::end(0);
        }
        process::join(child);
    }
    [s.p, s.q].into_iter().filter(|fd| *fd >= 0).for_each(close);
}
