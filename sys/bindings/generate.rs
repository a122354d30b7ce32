//! The one place that tells bindgen which facts to generate. `build.rs` (feature `bindgen`) and the
//! workspace's tool that writes the checked-in files both include this file.

use std::panic;
use std::path::Path;

/// The types and constants to take from a header, as regular expressions over whole names.
struct Wanted {
    types: &'static [&'static str],
    constants: &'static [&'static str],
}

/// The C library's facts: for one operating system, C library and architecture.
const WRAPPER_H: Wanted = Wanted {
    types: &[
        "sockaddr(_un|_storage)?",
        "(msg|mmsg|cmsg)hdr",
        "iovec",
        "linger",
        "socklen_t",
        "sa_family_t",
        "(u|xu|cmsg|sockpeer)cred",
        "sockcred2?",
        "unpcbid",
        // These are enumerations, whose constants are macros on other systems, and in our output.
        "__socket_type|shutdown_how|sunpath_facts",
    ],
    constants: &[
        "AF_(UNIX|UNSPEC)",
        "SOCK_[A-Z]+",
        "SOL_(SOCKET|LOCAL)",
        "(SO|SCM|MSG|SHUT|LOCAL)_[A-Z0-9_]+",
        "SOMAXCONN",
    ],
};

/// Linux's own facts: for one family of architectures, whatever the C library.
const LINUX_H: Wanted = Wanted {
    types: &[
        "sock_diag_req",
        "unix_diag_(req|msg|vfs|rqlen)",
        "sunpath_uapi",
    ],
    constants: &[
        "SO_(PASSPIDFD|PEERPIDFD|PASSRIGHTS|INQ|PEERGROUPS)",
        "SCM_INQ",
        "SIOCUNIXFILE",
        "UNIX_PATH_MAX",
        "SOCK_(DIAG_BY_FAMILY|DESTROY)",
        "(UDIAG_SHOW|UNIX_DIAG)_[A-Z]+",
    ],
};

/// Returns the names that must be found, because bindgen silently omits what it does not see or
/// cannot evaluate.
fn expected(header: &str, os: &str, env: &str) -> Vec<&'static str> {
    if header == "linux.h" {
        return words(
            "sock_diag_req unix_diag_req unix_diag_msg unix_diag_vfs unix_diag_rqlen
            SO_PASSPIDFD SO_PEERPIDFD SO_PASSRIGHTS SO_INQ SO_PEERGROUPS SCM_INQ SIOCUNIXFILE
            FACT_SIOCATMARK FACT_SIOCINQ FACT_SIOCOUTQ UNIX_PATH_MAX
            SOCK_DIAG_BY_FAMILY SOCK_DESTROY
            UDIAG_SHOW_NAME UDIAG_SHOW_VFS UDIAG_SHOW_PEER UDIAG_SHOW_ICONS UDIAG_SHOW_RQLEN
            UDIAG_SHOW_MEMINFO UDIAG_SHOW_UID
            UNIX_DIAG_NAME UNIX_DIAG_VFS UNIX_DIAG_PEER UNIX_DIAG_ICONS UNIX_DIAG_RQLEN
            UNIX_DIAG_MEMINFO UNIX_DIAG_SHUTDOWN UNIX_DIAG_UID",
        );
    }
    let mut names = words(
        "sockaddr sockaddr_un sockaddr_storage msghdr cmsghdr iovec linger
        AF_UNIX AF_UNSPEC FACT_AF_LOCAL FACT_PF_UNIX FACT_PF_UNSPEC
        SOCK_STREAM SOCK_DGRAM SOCK_SEQPACKET SOL_SOCKET SOMAXCONN
        SO_BROADCAST SO_DEBUG SO_DONTROUTE SO_ERROR SO_KEEPALIVE SO_LINGER SO_OOBINLINE SO_RCVBUF
        SO_RCVLOWAT SO_REUSEADDR SO_REUSEPORT SO_SNDBUF SO_SNDLOWAT SO_TYPE SCM_RIGHTS
        MSG_CTRUNC MSG_DONTROUTE MSG_DONTWAIT MSG_EOR MSG_NOSIGNAL MSG_OOB MSG_PEEK MSG_TRUNC
        MSG_WAITALL SHUT_RD SHUT_WR SHUT_RDWR
        FACT_CMSG_LEN_0 FACT_CMSG_LEN_1 FACT_CMSG_SPACE_0 FACT_CMSG_SPACE_1 FACT_CMSG_SPACE_4
        FACT_CMSG_SPACE_12 FACT_FIONBIO FACT_FIONREAD
        FACT_SO_RCVTIMEO FACT_SO_SNDTIMEO FACT_SO_TIMESTAMP FACT_SCM_TIMESTAMP",
    );
    if os != "macos" {
        names.extend(words("mmsghdr SOCK_CLOEXEC SOCK_NONBLOCK MSG_CMSG_CLOEXEC"));
    }
    names.extend(words(match os {
        "linux" => {
            "ucred FACT_CMSG_ALIGN_1 SCM_CREDENTIALS MSG_ERRQUEUE MSG_MORE MSG_WAITFORONE
            SO_ACCEPTCONN SO_COOKIE SO_DOMAIN SO_MEMINFO SO_PASSCRED SO_PASSSEC SO_PEEK_OFF
            SO_PEERCRED SO_PEERGROUPS SO_PEERSEC SO_PROTOCOL SO_RCVBUFFORCE SO_SNDBUFFORCE
            FACT_SO_TIMESTAMPNS FACT_SCM_TIMESTAMPNS"
        }
        "macos" => {
            "xucred SOL_LOCAL SO_NOSIGPIPE SO_ACCEPTCONN SCM_CREDS
            LOCAL_PEERCRED LOCAL_PEERPID LOCAL_PEEREPID LOCAL_PEERTOKEN"
        }
        "freebsd" => {
            "xucred cmsgcred sockcred sockcred2 SOL_LOCAL SO_NOSIGPIPE SCM_CREDS SCM_CREDS2
            LOCAL_PEERCRED LOCAL_CREDS LOCAL_CREDS_PERSISTENT"
        }
        "netbsd" => "unpcbid sockcred SO_NOSIGPIPE SCM_CREDS LOCAL_PEEREID LOCAL_CREDS",
        "openbsd" => "sockpeercred SO_PEERCRED",
        _ => "",
    }));
    if os == "linux" && env == "gnu" {
        names.extend(words("SCM_SECURITY SCM_PIDFD"));
    }
    names
}

fn words(text: &'static str) -> Vec<&'static str> {
    text.split_whitespace().collect()
}

/// Returns the version of libclang, or an error message if there is none. bindgen itself would
/// panic.
pub(crate) fn libclang() -> Result<String, String> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let version = panic::catch_unwind(bindgen::clang_version);
    panic::set_hook(hook);
    match version {
        Ok(version) => Ok(version.full),
        Err(_) => Err(
            "libclang is not found: install it (libclang-dev, or the Python package libclang) \
             and, if that is no folder of the system's, name its folder in LIBCLANG_PATH"
                .to_owned(),
        ),
    }
}

/// Returns the facts of `header`, a file in the folder `bindings`, as Rust, or an error message for
/// the person who builds. `adjust` adds the caller's compiler arguments and callbacks.
pub(crate) fn generate(
    bindings: &Path,
    header: &str,
    os: &str,
    env: &str,
    adjust: impl FnOnce(bindgen::Builder) -> bindgen::Builder,
) -> Result<String, String> {
    let wanted = if header == "linux.h" {
        LINUX_H
    } else {
        WRAPPER_H
    };
    let mut builder = bindgen::builder()
        .header(bindings.join(header).to_string_lossy())
        .use_core()
        .ctypes_prefix("::core::ffi")
        .rust_target(bindgen::RustTarget::stable(85, 0).expect("bindgen knows Rust 1.85"))
        .rust_edition(bindgen::RustEdition::Edition2024)
        .formatter(bindgen::Formatter::Prettyplease)
        .disable_header_comment()
        .generate_comments(false)
        .with_codegen_config(bindgen::CodegenConfig::TYPES | bindgen::CodegenConfig::VARS)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .default_macro_constant_type(bindgen::MacroTypeVariation::Signed)
        .sort_semantically(true)
        // The fields in the kernel's headers all have a fixed width, so their layout needs no test,
        // and m68k, which aligns them to 2 bytes, would fail one.
        .layout_tests(header != "linux.h");
    for name in wanted.types {
        builder = builder.allowlist_type(name);
    }
    for name in wanted.constants {
        builder = builder.allowlist_var(name);
    }
    let text = adjust(builder)
        .generate()
        .map_err(|error| {
            format!("bindgen could not read the headers that {header} includes: {error}")
        })?
        .to_string();

    let missing: Vec<_> = expected(header, os, env)
        .into_iter()
        .filter(|name| {
            !text.contains(&format!("pub const {name}:"))
                && !text.contains(&format!("pub struct {name} {{"))
        })
        .collect();
    if missing.is_empty() {
        return Ok(text);
    }
    Err(format!(
        "the headers that {header} includes do not define, or bindgen could not evaluate: {}. Older \
         headers lack newer names: give newer ones in BINDGEN_EXTRA_CLANG_ARGS (-nostdinc \
         -isystem DIR ...), or build without feature `bindgen`, with the facts that are checked in",
        missing.join(" ")
    ))
}
