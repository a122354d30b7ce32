//! Tests of `sunpath clean`, and of `sunpath ls --stale`, which searches in the same way.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use sunpath::{
    CWD, ConnectOptions, UnixAddr, UnixDatagram, UnixListener, UnixSeqpacketListener, UnixStream,
};
use tempfile::TempDir;

use crate::ls::{Killed, bind_hostile, bytes, fresh, json};
use crate::{
    Ran, for_others, is_root, run, skip, skip_uninstalled, sunpath, unless_root, wait_until_stale,
};

/// Makes a stale socket file.
fn make_stale(path: &Path) {
    drop(UnixListener::bind(path).unwrap());
    wait_until_stale(path);
}

/// A directory with stale and other files.
struct Files {
    dir: TempDir,
    stale: BTreeSet<PathBuf>,
    /// The sockets that live.
    _live: (
        UnixListener,
        UnixSeqpacketListener,
        UnixDatagram,
        UnixStream,
    ),
}

impl Files {
    fn new() -> Self {
        let dir = fresh();
        let path = |name: &str| dir.path().join(name);
        fs::create_dir_all(path("below/deep")).unwrap();
        let stale: BTreeSet<_> = ["stream", "datagram", "below/deep/stream"].map(path).into();
        make_stale(&path("stream"));
        drop(UnixDatagram::bind(path("datagram")).unwrap());
        wait_until_stale(path("datagram"));
        make_stale(&path("below/deep/stream"));

        let bound = UnixStream::new().unwrap();
        bound.bind_to_at(CWD, path("bound")).unwrap();
        let live = (
            UnixListener::bind(path("listens")).unwrap(),
            UnixSeqpacketListener::bind(path("below/packets")).unwrap(),
            UnixDatagram::bind(path("receives")).unwrap(),
            bound,
        );
        fs::write(path("file"), "").unwrap();
        symlink("stream", path("link")).unwrap();
        symlink("/", path("root")).unwrap();
        Self {
            dir,
            stale,
            _live: live,
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Returns all files.
    fn all(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut left = vec![self.path().to_owned()];
        while let Some(dir) = left.pop() {
            for entry in dir.read_dir().unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    left.push(entry.path());
                }
                found.insert(entry.path());
            }
        }
        found
    }
}

/// Returns the paths in a list of JSON.
fn paths(list: &Value) -> BTreeSet<PathBuf> {
    let list = list.as_array().unwrap().iter();
    list.map(|object| {
        PathBuf::from(std::ffi::OsString::from(std::ffi::OsStr::from_bytes(
            &bytes(object, "path"),
        )))
    })
    .collect()
}

/// Returns the paths below the first line.
fn shown(ran: &Ran) -> BTreeSet<PathBuf> {
    let lines = ran.out.lines().skip(1).map(|line| line.trim_start());
    lines.map(PathBuf::from).collect()
}

#[test]
fn ls_stale_lists_the_stale_files_and_no_others() {
    let files = Files::new();
    let before = files.all();
    let ran = run(sunpath(["ls", "--stale"]).arg(files.path()));
    assert_eq!(
        (ran.status, ran.first()),
        (0, "3 socket files are stale. 4 are in use.")
    );
    assert_eq!(shown(&ran), files.stale);
    let whole = json(sunpath(["ls", "--stale"]).arg(files.path()));
    assert_eq!(paths(&whole["stale"]), files.stale);
    assert_eq!(
        (&whole["in_use"], &whole["unknown"]),
        (&4.into(), &serde_json::json!([]))
    );
    assert_eq!(files.all(), before);

    let ran = run(sunpath(["ls", "--stale", "-q"]).current_dir(files.path().join("below")));
    assert_eq!(
        ran.out, "1 socket file is stale. 1 is in use.\n",
        "the working directory"
    );
    let empty = fresh();
    let ran = run(sunpath(["ls", "--stale"]).arg(empty.path()));
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (1, "No socket file is stale.\n")
    );
}

#[test]
fn clean_tells_what_it_would_remove_and_removes_nothing() {
    let files = Files::new();
    let before = files.all();
    let ran = run(sunpath(["clean"]).arg(files.path()));
    let first = "3 stale socket files would be removed with --remove. 4 are in use.";
    assert_eq!((ran.status, ran.first()), (0, first));
    assert_eq!(shown(&ran), files.stale);
    let whole = json(sunpath(["clean"]).arg(files.path()));
    assert_eq!(paths(&whole["would_remove"]), files.stale);
    assert_eq!(whole["answer"], first);
    assert_eq!(files.all(), before);
}

#[test]
fn clean_removes_the_stale_files_and_no_others() {
    let files = Files::new();
    let before = files.all();
    let ran = run(sunpath(["clean", "--remove"]).arg(files.path()));
    let first = "3 stale socket files were removed. 4 are in use.";
    assert_eq!((ran.status, ran.first()), (0, first));
    assert_eq!(shown(&ran), files.stale);
    let left: BTreeSet<_> = before.difference(&files.stale).cloned().collect();
    assert_eq!(files.all(), left);
    UnixStream::connect(files.path().join("listens")).unwrap();

    let ran = run(sunpath(["clean", "--remove", "-q"]).arg(files.path()));
    let first = "No stale socket file was removed. 4 are in use.\n";
    assert_eq!((ran.status, ran.out.as_str()), (0, first));
    let whole = json(sunpath(["clean", "--remove"]).arg(files.path()));
    assert_eq!(
        (&whole["removed"], &whole["not_removed"]),
        (&serde_json::json!([]), &serde_json::json!([]))
    );
}

#[test]
fn clean_of_a_file_or_of_nothing_is_wrong_usage() {
    let files = Files::new();
    for name in ["file", "missing", "stream"] {
        let ran = run(sunpath(["clean", "--remove"]).arg(files.path().join(name)));
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{name}");
    }
    assert_eq!(run(&mut sunpath(["clean"])).status, 2);
}

#[test]
fn clean_hostile_names_are_escaped_and_removed() {
    let dir = fresh();
    let bound = bind_hostile(dir.path()).into_iter();
    let expected: BTreeSet<_> = bound.map(|(_, path)| path).collect();
    expected.iter().for_each(wait_until_stale);
    let found = json(sunpath(["ls", "--stale"]).arg(dir.path()));
    let list = found["stale"].as_array().unwrap();
    let listed: BTreeSet<_> = list.iter().map(|object| bytes(object, "path")).collect();
    // The list has the file whose path fills all 108 bytes of `sun_path`.
    assert_eq!(listed, expected);
    // `run` fails if a control character reaches the terminal.
    let ran = run(sunpath(["clean"]).arg("./@x").current_dir(dir.path()));
    assert_eq!(ran.status, 2);
    let ran = run(sunpath(["clean", "--remove"])
        .arg(".")
        .current_dir(dir.path()));
    assert_eq!(ran.status, 0, "{}", ran.out);
    assert_eq!(ran.out.lines().count(), 1 + expected.len());
    assert_eq!(dir.path().read_dir().unwrap().count(), 0);
}

/// A directory whose name begins with `@` is printed with `./`.
#[test]
fn clean_directory_that_begins_with_at_is_printed_as_a_path() {
    let dir = fresh();
    fs::create_dir(dir.path().join("@x")).unwrap();
    make_stale(&dir.path().join("@x/a"));
    let ran = run(sunpath(["clean", "@x"]).current_dir(dir.path()));
    assert_eq!(ran.out.lines().nth(1), Some("  ./@x/a"));
}

/// The list of sockets lacks the server, because it is in another network namespace. Its file is not stale.
#[test]
fn clean_keeps_the_file_of_a_server_in_another_network_namespace() {
    let dir = fresh();
    let path = dir.path().join("a.sock");
    let namespaces: &[&str] = if is_root() { &["-n"] } else { &["-r", "-n"] };
    let listen = format!("UNIX-LISTEN:{},fork", path.display());
    let server = Command::new("unshare")
        .args(namespaces)
        .args(["socat", &listen, "EXEC:cat"])
        .stdin(Stdio::null())
        .spawn();
    let Ok(mut server) = server.map(Killed) else {
        return skip_uninstalled("unshare");
    };
    let patient = ConnectOptions::new()
        .wait_for_server(true)
        .timeout(Duration::from_millis(100));
    let client: UnixStream = loop {
        match patient.connect(&path) {
            Ok(client) => break client,
            Err(_) if server.0.try_wait().unwrap().is_some() => {
                return skip("socat and network namespaces");
            }
            Err(_) => {}
        }
    };
    let listening = run(sunpath(["ls", "--listening"]).arg(&path));
    assert_eq!(listening.status, 1, "the list lacks it: {}", listening.out);
    let ran = run(sunpath(["ls", "--stale"]).arg(dir.path()));
    assert_eq!(
        (ran.status, ran.first()),
        (1, "No socket file is stale. 1 is in use.")
    );
    let ran = run(sunpath(["clean", "--remove"]).arg(dir.path()));
    let first = "No stale socket file was removed. 1 is in use.";
    assert_eq!((ran.status, ran.first()), (0, first));
    client.write_all(b"alive").unwrap();
    let mut answer = [0; 5];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"alive");
}

#[test]
fn clean_reports_what_it_may_not_look_at_and_not_remove() {
    if unless_root() {
        return;
    }
    let dir = fresh();
    let copy = for_others(dir.path());
    let path = |name: &str| dir.path().join(name);
    let mode = |name: &str, mode| {
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    make_stale(&path("writable"));
    mode("writable", 0o666);
    make_stale(&path("closed"));
    mode("closed", 0o600);
    fs::create_dir(path("secret")).unwrap();
    mode("secret", 0o700);
    let as_user = |args: &[&str]| {
        let mut command = Command::new(&copy);
        command.args(args).arg(dir.path()).uid(4711).gid(4711);
        command.stdin(Stdio::null());
        command
    };
    let unknown = BTreeSet::from([path("closed"), path("secret")]);

    let ran = run(&mut as_user(&["ls", "--stale"]));
    let first = "1 socket file is stale. Nothing could be found out about 2 paths.";
    assert_eq!((ran.status, ran.first()), (0, first));
    let whole = json(&mut as_user(&["ls", "--stale"]));
    assert_eq!(paths(&whole["unknown"]), unknown);

    let ran = run(&mut as_user(&["clean"]));
    assert_eq!(ran.status, 3);
    let ran = run(&mut as_user(&["clean", "--remove"]));
    let first = "No stale socket file was removed. 1 could not be removed. Nothing could be \
                 found out about 2 paths.";
    assert_eq!((ran.status, ran.first()), (1, first));
    assert!(ran.out.contains("EACCES"), "{}", ran.out);
    let whole = json(&mut as_user(&["clean", "--remove"]));
    assert_eq!(
        paths(&whole["not_removed"]),
        BTreeSet::from([path("writable")])
    );

    fs::remove_file(path("writable")).unwrap();
    let ran = run(&mut as_user(&["ls", "--stale"]));
    let first = "No socket file is known to be stale. Nothing could be found out about 2 paths.";
    assert_eq!((ran.status, ran.first()), (3, first));
}

/// Adds the keys of all objects in a value.
fn add_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            keys.extend(object.keys().cloned());
            object.values().for_each(|value| add_keys(value, keys));
        }
        Value::Array(values) => values.iter().for_each(|value| add_keys(value, keys)),
        _ => {}
    }
}

#[test]
fn clean_and_ls_document_each_field_of_their_json() {
    let files = Files::new();
    let hostile = bind_hostile(files.path());
    let client = UnixStream::connect(files.path().join("listens")).unwrap();
    let waits = client.local_addr().unwrap();
    assert!(waits.is_unnamed());
    let addr = UnixAddr::from_abstract(format!("sunpath-keys-{}", std::process::id()));
    let _abstract = UnixDatagram::bind_addr(&addr.unwrap()).unwrap();
    let mut keys = BTreeSet::new();
    add_keys(&json(&mut sunpath(["ls"])), &mut keys);
    drop(hostile);
    for arguments in [&["ls", "--stale"][..], &["clean"], &["clean", "--remove"]] {
        add_keys(&json(sunpath(arguments).arg(files.path())), &mut keys);
    }
    assert!(keys.len() > 30, "{keys:?}");
    let readme = include_str!("../../README.md");
    for key in keys {
        assert!(
            readme.contains(&format!("`{key}`")),
            "{key} is not in the README"
        );
    }
}
