//! Abstract names.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use sunpath::sys::SUN_PATH_MAX;

use super::Question;
use super::diagnosis::Diagnosis;
use super::server::{self, verb};
use crate::escape::{escape_abstract, escape_path};
use crate::output::Status;

/// Diagnoses an abstract name.
pub(crate) fn diagnose(question: &Question<'_>, name: &[u8]) -> Diagnosis {
    if name.len() > SUN_PATH_MAX {
        let first = format!(
            "The abstract name is too long: it has {} bytes, and {SUN_PATH_MAX} fit.",
            name.len()
        );
        return Diagnosis::new(Status::Not, "too-long", first).advise("Choose a shorter name.");
    }
    let mut servers: Vec<_> = question.sockets.of_abstract(name).collect();
    servers.sort_by_key(|server| server.elsewhere);
    match servers.first() {
        Some(server) if server.elsewhere => {
            let first = format!(
                "{} {} on this name in another network namespace.",
                server.subject(),
                verb(server)
            );
            Diagnosis::new(Status::Not, "other-namespace", first)
                .with_server(server)
                .advise(
                    "An abstract name is known in one network namespace alone. Use a path instead.",
                )
        }
        Some(server) => server::diagnose(question, server, None).with_server(server),
        None => nobody(question, name),
    }
}

/// Diagnoses a name that no socket has.
fn nobody(question: &Question<'_>, name: &[u8]) -> Diagnosis {
    if question.sockets.error.is_some() {
        let first = "The list of sockets could not be read.";
        return Diagnosis::unknown(first);
    }
    let text = escape_abstract(name);
    let mut path = b"@".to_vec();
    path.extend(name);
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(&path));
    if fs::metadata(&path).is_ok_and(|file| file.file_type().is_socket()) {
        let path = escape_path(path.as_os_str().as_bytes());
        let first = format!("No socket has the abstract name {text}, but {path} is a socket file.");
        return Diagnosis::new(Status::Not, "file-instead", first).advise(format!(
            "A program took the @ for a part of a path. Ask for {path}, or write the name as it wants."
        ));
    }
    let mut padded = name.to_vec();
    padded.resize(SUN_PATH_MAX, 0);
    if question.sockets.of_abstract(&padded).next().is_some() {
        let first =
            format!("A socket has the name {text} with NULs after it, which is another name.");
        return Diagnosis::new(Status::Not, "padded", first)
            .advise("The server passes sizeof(struct sockaddr_un) as the length. Pass it in the client too, or the exact length in both.");
    }
    let first = format!("No socket has the abstract name {text} in this network namespace.");
    Diagnosis::new(Status::Not, "missing", first)
        .advise("Start the server. A server in a container has names of its own.")
}
