//! More set-ups, from questions that people ask in public.

use std::fs;
use std::os::unix::fs::{chown, lchown, symlink};

use rustix::fs::{FileType, Mode, XattrFlags, mknodat, setxattr};
use sunpath::UnixAddr;

use super::*;

#[test]
fn doctor_text_that_is_not_a_path_is_told() {
    let mut set_up = SetUp::new();
    set_up.listen("fine");
    let dir = set_up.dir.path().to_str().unwrap().to_owned();
    let means = format!("it seems to mean {dir}/fine, which exists.");
    for (path, first) in [
        (
            format!("unix://{dir}/fine"),
            format!("It is a URL, not a path: {means}"),
        ),
        (
            format!("unix:{dir}/fine"),
            format!("It is a URL, not a path: {means}"),
        ),
        (
            "~/fine".into(),
            format!("It begins with ~, which only a shell replaces: {means}"),
        ),
        (
            "$XDG_RUNTIME_DIR/fine".into(),
            "It has a $, and only a shell replaces variables.".into(),
        ),
        (
            format!("unix:path={dir}/fine,guid=0"),
            format!("It is a URL, not a path: {means}"),
        ),
        (
            format!("http+unix://{}%2Ffine/info", dir.replace('/', "%2F")),
            format!("It is a URL, not a path: {means}"),
        ),
        (
            format!("unix:abstract=no-{}", process::id()),
            format!(
                "It is a URL, not a path: it seems to mean @no-{}, where nothing is either.",
                process::id()
            ),
        ),
        (
            format!("\"{dir}/fine\""),
            format!("It has quotes, which only a shell removes: {means}"),
        ),
        (
            "~app/fine".into(),
            "It begins with ~, which only a shell replaces.".into(),
        ),
        (
            format!("{dir}/fine\n"),
            format!("It ends with white space: {means}"),
        ),
        (
            format!("{dir}/fine "),
            format!("It ends with white space: {means}"),
        ),
        (
            format!("{dir}/FINE"),
            format!("Nothing is there: {dir} has fine, in other letters."),
        ),
    ] {
        let answer = ask(set_up.doctor().env("HOME", &dir).current_dir(&dir), &path);
        assert_eq!(answer, (1, first), "{path}");
    }
    let ran = run(set_up.doctor().arg(&dir));
    assert_eq!(ran.first(), "It is a directory, not a socket.");
    let line = format!("{dir} has these sockets: fine");
    assert!(ran.out.contains(&line), "{}", ran.out);
    let answer = ask(set_up.doctor().env_remove("HOME"), "~/fine");
    let first = "It begins with ~, which only a shell replaces.";
    assert_eq!(answer, (1, first.into()));
    set_up.assert_unnoticed();
}

#[test]
fn doctor_server_in_another_directory_is_found() {
    let mut set_up = SetUp::new();
    let name = format!("app-{}.sock", process::id());
    fs::create_dir(set_up.path("sub")).unwrap();
    set_up.listen(&format!("sub/{name}"));
    let there = set_up.path("sub").join(&name);
    let first = format!(
        "Nothing is there: {} listens at {}.",
        own_process(),
        there.display()
    );
    assert_eq!(ask(&mut set_up.doctor(), set_up.path(&name)), (1, first));

    let relative = format!("relative-{}.sock", process::id());
    let mut command = sunpath(["listen", "-v", &relative]);
    let server = Elsewhere::start(command.current_dir(set_up.path("sub")));
    let first = format!(
        "{} listens at a relative path, {relative}, in {}.",
        server.text(),
        set_up.path("sub").display()
    );
    assert_eq!(
        ask(&mut set_up.doctor(), set_up.path(&relative)),
        (1, first)
    );
    // Where its file is, it can be reached; and if the file is removed there, that is the answer.
    let there = set_up.path("sub").join(&relative);
    assert_eq!(ask(&mut set_up.doctor(), &there).0, 0);
    fs::remove_file(&there).unwrap();
    let first = format!(
        "{} listens, but its socket file was removed.",
        server.text()
    );
    assert_eq!(ask(&mut set_up.doctor(), &there), (1, first));
    set_up.assert_unnoticed();
}

#[test]
fn doctor_home_directory_of_another_user_is_closed() {
    let mut set_up = SetUp::new();
    fs::create_dir_all(set_up.path("home/app/run")).unwrap();
    set_up.listen("home/app/run/web.sock");
    chmod(&set_up.path("home"), 0o755);
    chmod(&set_up.path("home/app"), 0o750);
    let first = format!(
        "User 65533 may not enter {} (mode 0750, owner {}).",
        set_up.path("home/app").display(),
        user_name()
    );
    let path = set_up.path("home/app/run/web.sock");
    assert_eq!(
        ask(set_up.doctor().args(["--as", "65533"]), path),
        (1, first)
    );
    set_up.assert_unnoticed();
}

/// Returns an ACL that gives a user reading and writing, with a mask.
fn acl(mask: u8) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0];
    let entries = [
        (1, 6, u32::MAX),
        (2, 6, STRANGER),
        (4, 0, u32::MAX),
        (16, mask, u32::MAX),
        (32, 0, u32::MAX),
    ];
    for (tag, permissions, id) in entries {
        bytes.extend([tag, 0, permissions, 0]);
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

#[test]
fn doctor_acl_and_its_mask_decide() {
    let mut set_up = SetUp::new();
    set_up.listen("acl");
    let path = set_up.path("acl");
    let stranger = STRANGER.to_string();
    for (mask, status, first, line) in [
        (
            6,
            0,
            format!(
                "User 65533 can connect: {} listens, and no clients wait.",
                own_process()
            ),
            "with an ACL",
        ),
        (
            4,
            1,
            format!(
                "User 65533 may not write to the socket (mode 0640, owner {}).",
                user_name()
            ),
            "the ACL gives user 65533 w, but its mask takes w away",
        ),
    ] {
        if setxattr(
            &path,
            "system.posix_acl_access",
            &acl(mask),
            XattrFlags::empty(),
        )
        .is_err()
        {
            return skip("a file system with ACLs");
        }
        let ran = run(set_up.doctor().args(["--as", &stranger]).arg(&path));
        assert_eq!((ran.status, ran.first()), (status, &*first));
        assert!(ran.out.contains(line), "{}", ran.out);
        if is_root() {
            // The kernel, which that user asks, decides in the same way.
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65533", "--regid=65533", "--clear-groups"]);
            assert_eq!(
                ask(command.arg(&set_up.command).arg("doctor"), &path).0,
                status
            );
        }
    }
    set_up.assert_unnoticed();
}

#[test]
fn doctor_rule_for_other_users_is_the_kernels() {
    if unless_root() {
        return;
    }
    let mut set_up = SetUp::new();
    set_up.listen("a");
    let path = set_up.path("a");
    for (uid, gid) in [(65533, 0), (0, 65534), (65534, 65534)] {
        chown(&path, Some(uid), Some(gid)).unwrap();
        for mode in [0o070, 0o707, 0o770, 0o002] {
            chmod(&path, mode);
            // The list of users has a main group of nobody, 65534, and does not have 65533.
            for user in ["65533", "nobody"] {
                let by_rule = ask(set_up.doctor().args(["--as", user]), &path).0;
                let mut command = Command::new("setpriv");
                match user {
                    "nobody" => {
                        command.args(["--reuid=nobody", "--init-groups", "--regid=nogroup"])
                    }
                    _ => command.args(["--reuid=65533", "--regid=65532", "--clear-groups"]),
                };
                let by_kernel = ask(command.arg(&set_up.command).arg("doctor"), &path).0;
                assert_eq!(
                    by_rule, by_kernel,
                    "{user}, mode {mode:o}, owner {uid}:{gid}"
                );
            }
        }
    }
    set_up.assert_unnoticed();
}

#[test]
fn doctor_link_that_the_kernel_protects() {
    if unless_root() {
        return;
    }
    if fs::read_to_string("/proc/sys/fs/protected_symlinks")
        .unwrap_or_default()
        .trim()
        != "1"
    {
        return skip("fs.protected_symlinks of 1");
    }
    let mut set_up = SetUp::new();
    set_up.listen("fine");
    fs::create_dir(set_up.path("shared")).unwrap();
    chmod(&set_up.path("shared"), 0o1777);
    let link = set_up.path("shared/link");
    symlink(set_up.path("fine"), &link).unwrap();
    lchown(&link, Some(65532), None).unwrap();
    let what = format!(
        "may not follow {} (a link of 65532 in a directory that everybody may write).",
        link.display()
    );
    let answer = ask(set_up.doctor().args(["--as", "65533"]), &link);
    assert_eq!(answer, (1, format!("User 65533 {what}")));
    // The kernel says so too, and its owner may follow it.
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65533", "--regid=65533", "--clear-groups"]);
    let connected = command
        .arg(&set_up.command)
        .arg("connect")
        .arg(&link)
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&connected.stderr).contains("EACCES"),
        "{connected:?}"
    );
    assert_eq!(ask(set_up.doctor().args(["--as", "65532"]), &link).0, 0);
    set_up.assert_unnoticed();
}

#[test]
fn doctor_group_that_was_given_after_the_login() {
    if unless_root() {
        return;
    }
    let mut set_up = SetUp::new();
    set_up.listen("docker.sock");
    let path = set_up.path("docker.sock");
    chown(&path, None, Some(4242)).unwrap();
    chmod(&path, 0o660);
    let mut groups = fs::read_to_string("/etc/group").unwrap();
    groups += "sunpath-test:x:4242:nobody\n";
    fs::write(set_up.path("group"), groups).unwrap();
    chmod(&set_up.path("group"), 0o644);
    let line = format!(
        "mount --bind {} /etc/group && exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" doctor \"$1\"",
        set_up.path("group").display()
    );
    let ran = run(&mut shell(&set_up, &["unshare", "-m"], &line, &path));
    let first = "You may not write to the socket (mode 0660, owner root): \
                 you are in the group sunpath-test since after your login.";
    assert_eq!((ran.status, ran.first()), (1, first), "{}", ran.err);
    set_up.assert_unnoticed();
}

/// The command needs its libraries in the root directory of its own.
#[test]
fn doctor_server_in_another_root_directory() {
    if unless_root() {
        return;
    }
    let set_up = SetUp::new();
    let root = set_up.path("root");
    fs::create_dir(&root).unwrap();
    let output = Command::new("ldd").arg(&set_up.command).output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    for library in listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
    {
        let to = root.join(&library[1..]);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        copy(library, &to);
    }
    copy(&set_up.command, &root.join("sunpath"));
    let name = format!("/sunpath-test-{}.sock", process::id());
    let mut command = Command::new("chroot");
    let server = Elsewhere::start(command.arg(&root).args(["/sunpath", "listen", "-v", &name]));
    let first = format!(
        "{} listens in a root directory of its own, {}.",
        server.text(),
        root.display()
    );
    let ran = run(set_up.doctor().arg(&name));
    assert_eq!((ran.status, ran.first()), (1, &*first));
    assert!(
        ran.out
            .contains(&format!("From here its path is {}{name}.", root.display())),
        "{}",
        ran.out
    );
}

#[test]
fn doctor_server_in_another_network_namespace() {
    if unless_root() {
        return;
    }
    let set_up = SetUp::new();
    let path = set_up.path("netns");
    let line = "exec \"$0\" listen -v --mode 0666 \"$1\"";
    let mut command = shell(&set_up, &["unshare", "-n"], line, &path);
    let server = Elsewhere::start(&mut command);
    let can = |who: &str| {
        format!(
            "{who} can connect: {} listens, in another network namespace, and no clients wait.",
            server.text()
        )
    };
    assert_eq!(ask(&mut set_up.doctor(), &path), (0, can("You")));
    assert_eq!(
        ask(set_up.doctor().args(["--as", "65533"]), &path),
        (0, can("User 65533"))
    );
    let first = "A process in another network namespace holds the socket, so whether it accepts is unknown.";
    assert_eq!(ask(&mut set_up.doctor_of_user(), &path), (3, first.into()));

    // An abstract name is not reached from here.
    let name = format!("@sunpath-netns-{}", process::id());
    let mut command = shell(
        &set_up,
        &["unshare", "-n"],
        "exec \"$0\" listen -v \"$1\"",
        Path::new(&name),
    );
    let server = Elsewhere::start(&mut command);
    let first = format!(
        "{} listens on this name in another network namespace.",
        server.text()
    );
    assert_eq!(ask(&mut set_up.doctor(), &name), (1, first));
    let first = format!("No socket has the abstract name {name} in this network namespace.");
    assert_eq!(ask(&mut set_up.doctor_of_user(), &name), (1, first));
    assert!(
        UnixListener::bind_addr(&name.parse::<UnixAddr>().unwrap()).is_ok(),
        "it is free here"
    );
}

#[test]
fn doctor_datagram_receivers_that_do_not_receive() {
    let set_up = SetUp::new();
    let path = |name| set_up.path(name);
    let peer = UnixDatagram::bind(path("peer")).unwrap();
    let closed = UnixDatagram::bind(path("closed")).unwrap();
    closed.connect(path("peer")).unwrap();
    let full = UnixDatagram::bind(path("full")).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.connect(path("full")).unwrap();
    while sender.try_send(b"x").is_ok() {}
    for (name, first) in [
        (
            "closed",
            format!("{} takes messages from one peer alone.", own_process()),
        ),
        (
            "full",
            format!(
                "The queue is full: {} is not receiving its messages.",
                own_process()
            ),
        ),
    ] {
        assert_eq!(
            ask(set_up.doctor().args(["--kind", "datagram"]), path(name)),
            (1, first)
        );
    }
    drop((peer, full));
}

#[test]
fn doctor_path_that_a_program_truncated_is_found() {
    let set_up = SetUp::new();
    let path = set_up.path(&"0123456789".repeat(12));
    let text = path.to_str().unwrap();
    let server = UnixListener::bind(&text[..107]).unwrap();
    let ran = run(set_up.doctor().arg(text));
    let first = format!(
        "The path is too long for one call: it has {} bytes, and 107 fit.",
        text.len()
    );
    assert_eq!((ran.status, ran.first()), (1, &*first));
    let line = format!(
        "a program has truncated the path: there is {}",
        &text[..107]
    );
    assert!(ran.out.contains(&line), "{}", ran.out);
    drop(server);
    // A server that takes the whole path is found as well.
    let server = UnixListener::bind_at(sunpath::CWD, text).unwrap();
    let line = format!(
        "for a call that takes it: You can connect: {} listens",
        own_process()
    );
    assert!(run(set_up.doctor().arg(text)).out.contains(&line));
    drop(server);
}

#[test]
fn doctor_name_that_no_file_system_takes() {
    let set_up = SetUp::new();
    let path = set_up.path(&"n".repeat(256));
    let first = "A name in the path is too long: it has 256 bytes, and 255 fit.";
    assert_eq!(ask(&mut set_up.doctor(), path), (1, first.into()));
}

#[test]
fn doctor_other_files_are_named() {
    let set_up = SetUp::new();
    mknodat(
        rustix::fs::CWD,
        set_up.path("fifo"),
        FileType::Fifo,
        Mode::from_raw_mode(0o666),
        0,
    )
    .unwrap();
    let asked = ask(&mut set_up.doctor(), set_up.path("fifo"));
    assert_eq!(asked, (1, "It is a FIFO, not a socket.".into()));
    assert_eq!(
        ask(&mut set_up.doctor(), "/dev/null"),
        (1, "It is a device, not a socket.".into())
    );
}
