//! Abstract names, hostile names, the JSON, and wrong arguments.

use std::os::unix::ffi::OsStrExt;

use serde_json::Value;
use sunpath::UnixAddr;

use super::*;

fn listen(name: &[u8]) -> UnixListener {
    UnixListener::bind_addr(&UnixAddr::from_abstract(name).unwrap()).unwrap()
}

#[test]
fn doctor_abstract_names_are_told_apart() {
    let mut set_up = SetUp::new();
    let name = |word: &str| format!("sunpath-doctor-{word}-{}", process::id());
    let ask = |set_up: &SetUp, name: &str| {
        ask(
            set_up.doctor().current_dir(set_up.dir.path()),
            format!("@{name}"),
        )
    };
    let fine = name("fine");
    set_up.listeners.push(listen(fine.as_bytes()));
    let first = format!(
        "You can connect: {} listens, and no clients wait.",
        own_process()
    );
    assert_eq!(ask(&set_up, &fine), (0, first));

    let missing = name("missing");
    let first = format!("No socket has the abstract name @{missing} in this network namespace.");
    assert_eq!(ask(&set_up, &missing), (1, first));

    let file = name("file");
    set_up.listen(&format!("@{file}"));
    let first = format!("No socket has the abstract name @{file}, but ./@{file} is a socket file.");
    assert_eq!(ask(&set_up, &file), (1, first));

    let padded = name("padded");
    let mut bytes = padded.clone().into_bytes();
    bytes.resize(107, 0);
    set_up.listeners.push(listen(&bytes));
    let first =
        format!("A socket has the name @{padded} with NULs after it, which is another name.");
    assert_eq!(ask(&set_up, &padded), (1, first));

    let long = "n".repeat(108);
    let first = "The abstract name is too long: it has 108 bytes, and 107 fit.";
    assert_eq!(ask(&set_up, &long), (1, first.into()));
    set_up.assert_unnoticed();
}

#[test]
fn doctor_hostile_names_are_escaped_and_lossless_in_json() {
    let mut set_up = SetUp::new();
    for (name, is_there) in [
        (&b"a\nb"[..], true),
        (b"\x1b[2J\x1b]0;x\x07", true),
        (b"\xff\xfe", true),
        (b"@x", true),
        (b"gone\n\xff", false),
    ] {
        let path = set_up.path("").join(OsStr::from_bytes(name));
        if is_there {
            set_up.listeners.push(UnixListener::bind(&path).unwrap());
        }
        for path in [path.as_os_str(), OsStr::from_bytes(&[b"./", name].concat())] {
            let mut command = set_up.doctor();
            command.current_dir(set_up.dir.path());
            let ran = run(command.arg(path)); // it checks that nothing hostile is printed
            assert_eq!(ran.status, i32::from(!is_there), "{}", ran.out);
            // The library prints names in the same way. What is printed elsewhere than to a terminal has no
            // escape sequences in any case, so the text itself has to be there.
            let shown = UnixAddr::from_pathname_bytes(&[b"/", name].concat()).unwrap();
            let shown = shown.to_string();
            assert!(ran.out.contains(&shown[1..]), "{shown}: {}", ran.out);
            let ran = run(command.arg("--json"));
            let json: Value = serde_json::from_str(&ran.out).unwrap();
            let bytes = match json["path_hex"].as_str() {
                Some(hex) => hex.to_owned(),
                None => hex(json["path"].as_str().unwrap().as_bytes()),
            };
            assert_eq!(bytes, hex(path.as_bytes()));
        }
    }
    set_up.assert_unnoticed();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn doctor_json_has_the_server_and_the_files() {
    let mut set_up = SetUp::new();
    set_up.listen("a");
    let ran = run(set_up.doctor().arg("--json").arg(set_up.path("a")));
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["reason"], "reachable");
    assert_eq!(json["status"], 0);
    assert_eq!(json["server"]["processes"][0]["pid"], process::id());
    assert_eq!(json["server"]["kind"], "stream");
    assert_eq!(json["server"]["listening"], true);
    let files = json["files"].as_array().unwrap();
    assert_eq!(files.first().unwrap()["path"], "/");
    assert_eq!(files.last().unwrap()["type"], "socket");
    assert_eq!(files.last().unwrap()["mode"], "0666");
    let quiet = run(set_up.doctor().arg("-q").arg(set_up.path("a")));
    assert_eq!(quiet.out.trim_end(), json["answer"]);
    set_up.assert_unnoticed();
}

#[test]
fn doctor_wrong_arguments_exit_with_2() {
    for arguments in [
        &[][..],
        &["--as", "no such\x1buser", "x"],
        &["--kind", "raw", "x"],
        &["a", "b"],
    ] {
        let ran = run(sunpath(["doctor"]).args(arguments));
        assert_eq!((ran.status, &*ran.out), (2, ""), "{arguments:?}");
        assert!(!ran.err.is_empty());
    }
    let first = "The path is empty, and the kernel would make up an abstract name for it.";
    assert_eq!(ask(&mut sunpath(["doctor"]), ""), (1, first.into()));
}

#[test]
fn doctor_names_the_server_before_a_child_that_has_its_socket() {
    let set_up = SetUp::new();
    let path = set_up.path("a");
    let listener = UnixListener::bind(&path).unwrap();
    listener.set_cloexec(false).unwrap();
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    listener.set_cloexec(true).unwrap();
    let ran = run(set_up.doctor().arg(&path));
    child.kill().unwrap();
    child.wait().unwrap();
    let first = format!(
        "You can connect: {} listens, and no clients wait.",
        own_process()
    );
    assert_eq!((ran.status, ran.first()), (0, &*first));
    let line = format!("sleep (pid {}) has the socket open", child.id());
    assert!(ran.out.contains(&line), "{}", ran.out);
}
