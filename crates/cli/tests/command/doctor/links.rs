//! Links on the way, the links of /proc, and files that are reached by another file system.

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn doctor_link_that_leads_to_a_directory_is_not_dangling() {
    let mut set_up = SetUp::new();
    let dir = set_up.dir.path().to_str().unwrap().to_owned();
    fs::create_dir(set_up.path("run")).unwrap();
    fs::create_dir(set_up.path("var")).unwrap();
    symlink("../run", set_up.path("var/run")).unwrap();
    symlink("run/gone", set_up.path("dangling")).unwrap();
    let asked = |path: &str| ask(&mut set_up.doctor(), set_up.path(path));
    let first = format!("Nothing is there: {dir}/var/../run has no web.sock.");
    assert_eq!(asked("var/run/web.sock"), (1, first.replace("var/../", "")));
    let first = format!("Nothing is there: the directory {dir}/run/no does not exist.");
    assert_eq!(asked("var/run/no/web.sock"), (1, first));
    // The name that is missing is a part of what this link leads to.
    let first = format!("The link {dir}/dangling leads to {dir}/run/gone, which does not exist.");
    assert_eq!(asked("dangling"), (1, first.clone()));
    assert_eq!(asked("dangling/web.sock"), (1, first));

    // A server whose file was removed is found by the link, too.
    set_up.listen("run/web.sock");
    symlink("run/web.sock", set_up.path("link")).unwrap();
    fs::remove_file(set_up.path("run/web.sock")).unwrap();
    let first = format!(
        "{} listens, but its socket file was removed.",
        own_process()
    );
    for path in ["var/run/web.sock", "link"] {
        let asked = ask(&mut set_up.doctor(), set_up.path(path));
        assert_eq!(asked, (1, first.clone()), "{path}");
    }
    set_up.assert_unnoticed();
}

#[test]
fn doctor_links_of_proc_lead_where_the_process_is() {
    if unless_root() {
        return;
    }
    let set_up = SetUp::new();
    fs::create_dir(set_up.path("private")).unwrap();
    let path = set_up.path("private/a.sock");
    let line = format!(
        "mount -t tmpfs none {} && exec \"$0\" listen -v \"$1\"",
        set_up.path("private").display()
    );
    let server = Elsewhere::start(&mut shell(&set_up, &["unshare", "-m"], &line, &path));
    let first = format!("{} listens in a mount namespace of its own.", server.text());
    assert_eq!(ask(&mut set_up.doctor(), &path), (1, first.clone()));
    let mut relative = set_up.doctor();
    relative.current_dir(set_up.dir.path());
    assert_eq!(ask(&mut relative, "private/a.sock"), (1, first.clone()));

    // The path that the evidence names is one that the doctor can follow.
    let seen = format!("/proc/{}/root{}", server.0.id(), path.display());
    let fine = format!(
        "You can connect: {} listens, and no clients wait.",
        server.text()
    );
    assert_eq!(ask(&mut set_up.doctor(), &seen), (0, fine));
    let missing = format!("{seen}.no");
    let first_missing = format!(
        "Nothing is there: {} has no a.sock.no.",
        Path::new(&seen).parent().unwrap().display()
    );
    assert_eq!(ask(&mut set_up.doctor(), &missing), (1, first_missing));

    // A stale file of another server is at the path here.
    set_up.leave_stale("private/a.sock");
    assert_eq!(ask(&mut set_up.doctor(), &path), (1, first));

    let listener = UnixListener::bind(set_up.path("fine")).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&listener);
    let fd = format!("/proc/{}/fd/{number}", process::id());
    let first = "It is an open socket of a process, not a socket file.";
    assert_eq!(ask(&mut set_up.doctor(), fd), (1, first.into()));
    // A descriptor of the file, as it is opened for a path that is too long, leads to the server.
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let file = rustix::fs::open(set_up.path("fine"), flags, rustix::fs::Mode::empty()).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&file);
    let fd = format!("/proc/{}/fd/{number}", process::id());
    let first = format!(
        "You can connect: {} listens, and no clients wait.",
        own_process()
    );
    assert_eq!(ask(&mut set_up.doctor(), fd), (0, first));
}

#[test]
fn doctor_server_whose_file_was_replaced_by_another_file() {
    let mut set_up = SetUp::new();
    set_up.listen("by-file");
    set_up.listen("by-directory");
    for name in ["by-file", "by-directory"] {
        fs::remove_file(set_up.path(name)).unwrap();
    }
    fs::write(set_up.path("by-file"), "").unwrap();
    fs::create_dir(set_up.path("by-directory")).unwrap();
    for (name, what) in [("by-file", "a file"), ("by-directory", "a directory")] {
        let first = format!(
            "{} listens, but its socket file was replaced by {what}.",
            own_process()
        );
        assert_eq!(ask(&mut set_up.doctor(), set_up.path(name)), (1, first));
    }
    set_up.assert_unnoticed();
}

#[test]
fn doctor_socket_file_that_is_mounted_and_was_made_again() {
    if unless_root() {
        return;
    }
    let set_up = SetUp::new();
    fs::write(set_up.path("mounted"), "").unwrap();
    set_up.leave_stale("web.sock");
    let line =
        "cd \"$1\" && mount --bind web.sock mounted && rm web.sock && exec \"$0\" doctor mounted";
    let mut command = shell(&set_up, &["unshare", "-m"], line, set_up.dir.path());
    let ran = run(&mut command);
    let first = "The socket file is stale: mounted is a mount of a file that was removed.";
    assert_eq!((ran.status, ran.first()), (1, first), "{}", ran.err);
}

/// A socket file of overlayfs and the file in its layer are two files to the kernel, so the latter seems to
/// be stale although its removal would cut off the server.
#[test]
fn doctor_and_clean_server_on_an_overlay_is_not_taken_for_dead() {
    if unless_root() {
        return;
    }
    let set_up = SetUp::new();
    for dir in ["lower", "upper", "work", "merged"] {
        fs::create_dir(set_up.path(dir)).unwrap();
    }
    let line = |then: &str| {
        format!(
            "cd \"$1\" && mount -t overlay none merged \
             -o lowerdir=lower,upperdir=upper,workdir=work && cd merged && exec {then}"
        )
    };
    let in_overlay = |then: &str| {
        let prefix = ["unshare", "-m"];
        shell(&set_up, &prefix, &line(then), set_up.dir.path())
    };
    if !in_overlay("true").output().unwrap().status.success() {
        return skip("a file system on which overlayfs can be mounted");
    }
    let name = format!("web-{}.sock", process::id());
    let listen = format!("unshare -n \"$0\" listen -v {name}");
    let server = Elsewhere::start(&mut in_overlay(&listen));
    let path = set_up.path("upper").join(&name);
    let first = format!(
        "{} listens on this file by way of another file system.",
        server.text()
    );
    assert_eq!(ask(&mut set_up.doctor(), &path), (1, first));
    for command in [&["ls", "--stale"][..], &["clean", "--remove"]] {
        let ran = run(sunpath(command).arg(set_up.path("upper")));
        assert_eq!(ran.status, 3, "{}", ran.out);
        let line = format!(
            "{}: {} holds it by way of another file system",
            path.display(),
            server.text()
        );
        assert!(ran.out.contains(&line), "{}", ran.out);
    }
    assert!(path.symlink_metadata().is_ok(), "the file is still there");
}

#[test]
fn doctor_working_directory_that_was_removed() {
    let set_up = SetUp::new();
    for path in ["web.sock", "../web.sock"] {
        let line =
            format!("mkdir \"$1\" && cd \"$1\" && rmdir \"$1\" && exec \"$0\" doctor {path}");
        let ran = run(&mut shell(&set_up, &[], &line, &set_up.path("gone")));
        let first = "Nothing is there: the directory . was removed.";
        assert_eq!((ran.status, ran.first()), (1, first), "{}", ran.err);
    }
}
