//! `sunpath explain`: what an address is made of, which systems take it, and how to reach it.

mod dump;
mod picture;
mod systems;
mod ways;

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

use clap::Args;
use serde_json::{Map, Value, json};
use sunpath::sys::{
    SUN_PATH_MAX, SunPathError, sockaddr_un, sockaddr_un_abstract, sockaddr_un_pathname, socklen_t,
};

use crate::escape::hex;
use crate::output::{Answer, Failure, Format, Line, Status};
use crate::target::Target;

/// Shows the bytes of an address, which systems take it, and how to reach it.
///
/// The address is a path, an abstract name, or a hex dump of a struct sockaddr_un as xxd, od or a debugger
/// prints it, in one argument or several. An argument of hexadecimal digits is a dump if it begins with the
/// family AF_UNIX; write ./0100 for a file with such a name.
///
/// Exit status: 0 if this system takes the address in one call, 1 if not.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// PATH, @NAME, a hex dump, or - for a dump on standard input.
    #[arg(required = true, value_name = "ADDRESS")]
    address: Vec<OsString>,
    #[command(flatten)]
    format: Format,
}

/// Runs `sunpath explain`.
pub(crate) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    answer(&arguments.address)?.print(arguments.format)
}

fn answer(address: &[OsString]) -> Result<Answer, Failure> {
    let whole = address.join(" ".as_ref());
    if whole == "-" {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text)?;
        let bytes = dump::read(&text)
            .ok_or_else(|| Failure::usage("standard input is not a hex dump".into()))?;
        return Ok(dump::answer(&bytes));
    }
    match dump::read(whole.as_bytes()).filter(|bytes| dump::begins_with_family(bytes)) {
        Some(bytes) => Ok(dump::answer(&bytes)),
        None if address.len() == 1 => Ok(of_name(&Target::read_any(&address[0])?)),
        None => Err(Failure::usage(
            "several arguments are a hex dump only if they begin with the family, such as 01 00"
                .into(),
        )),
    }
}

/// Returns the address of a path or an abstract name, with its length.
fn address(target: &Target) -> Result<(sockaddr_un, socklen_t), SunPathError> {
    match target {
        Target::Path(_) => sockaddr_un_pathname(target.as_bytes()),
        Target::Abstract(name) => sockaddr_un_abstract(name),
    }
}

/// Explains a path or an abstract name.
fn of_name(target: &Target) -> Answer {
    let made = address(target);
    let len = target.as_bytes().len();
    let (status, first) = match made {
        Ok(_) => (Status::Done, fits(target)),
        Err(error) => (Status::Not, refused(target, error)),
    };
    let mut rest = Vec::new();
    let mut json = Map::new();
    target.insert(&mut json);
    json.insert("bytes".into(), len.into());
    json.insert("fits".into(), made.is_ok().into());
    json.insert("max".into(), SUN_PATH_MAX.into());
    if let Ok((addr, addr_len)) = &made {
        let addr_len = *addr_len as usize;
        let bytes = picture::bytes_of(addr, addr_len);
        rest.extend(picture::lines(&bytes[..addr_len]));
        rest.extend(picture::lengths(target, bytes.len()));
        json.insert("sockaddr_un_hex".into(), hex(&bytes[..addr_len]).into());
        json.insert("length".into(), addr_len.into());
    }
    rest.extend(systems::lines(target));
    rest.extend(ways::lines(target, made.err()));
    json.insert("systems".into(), systems::json(target));
    answer_with(status, first, rest, json)
}

fn answer_with(status: Status, first: String, rest: Vec<Line>, json: Map<String, Value>) -> Answer {
    let mut whole = json!({ "answer": first });
    if let Value::Object(object) = &mut whole {
        object.extend(json);
    }
    Answer {
        status,
        first,
        rest,
        json: whole,
    }
}

fn fits(target: &Target) -> String {
    let len = target.as_bytes().len();
    match target {
        Target::Path(_) => format!("The path fits: it has {len} of {SUN_PATH_MAX} bytes."),
        Target::Abstract(_) => {
            format!("The abstract name fits: it has {len} of {SUN_PATH_MAX} bytes.")
        }
    }
}

fn refused(target: &Target, error: SunPathError) -> String {
    match (target, error) {
        (Target::Path(_), SunPathError::TooLong { len, max }) => {
            format!("The path is too long for one call: it has {len} bytes, and {max} fit.")
        }
        (Target::Abstract(_), SunPathError::TooLong { len, max }) => {
            format!("The abstract name is too long: it has {len} bytes, and {max} fit.")
        }
        (_, SunPathError::Empty) => {
            "The path is empty, and the kernel would make up an abstract name for it.".into()
        }
        (_, SunPathError::InteriorNul { at }) => {
            format!("The path has a NUL at byte {at}, where every system ends it.")
        }
        (_, error) => format!("This system does not take the address: {error}."),
    }
}
