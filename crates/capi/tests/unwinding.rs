//! Checks what finds the callers of a function of the library: a debugger, and pthread_cancel(3).
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Fresh, compiler, has, library, library_with_tables, root, succeed};

/// Compiles a program with the shared library of a folder.
fn compile(source: &Path, flags: &[&str], library: &Path, into: &Fresh) -> PathBuf {
    let program = into.0.join("program");
    let mut compiler = compiler("gcc");
    compiler
        .args(["-D_GNU_SOURCE", "-g", "-pthread"])
        .args(flags);
    compiler
        .arg(source)
        .arg(library.join("libsunpath.so"))
        .arg(format!("-Wl,-rpath,{}", library.display()));
    succeed(compiler.arg("-o").arg(&program));
    program
}

/// A stripped library has no tables, and gdb then shows no caller in the program.
#[test]
fn debugger_shows_the_callers_of_a_waiting_function() {
    if !has("gdb") {
        return;
    }
    let source = "
        #include <sunpath.h>
        static void wait_for_client(int fd) { sunpath_accept_user(fd, 0, 0); }
        int main(void)
        {
            sunpath_server *server;
            if (sunpath_bind(SOCK_STREAM, \"a\", NULL, &server, NULL) == -1)
                return 1;
            wait_for_client(sunpath_server_fd(server));
            return 0;
        }\n";
    let stripped = Fresh::new();
    let name = stripped.0.join("libsunpath.so.0");
    let mut strip = Command::new("strip");
    succeed(
        strip
            .arg("-o")
            .arg(&name)
            .arg(library().join("libsunpath.so")),
    );
    fs::hard_link(&name, stripped.0.join("libsunpath.so")).unwrap();
    for (folder, is_shown) in [
        (library(), true),
        (library_with_tables(), true),
        (&stripped.0, false),
    ] {
        let fresh = Fresh::new();
        let file = fresh.0.join("wait.c");
        fs::write(&file, source).unwrap();
        let program = compile(&file, &["-O0"], folder, &fresh);
        let mut gdb = Command::new("gdb");
        gdb.args(["-q", "-nx", "-batch"]);
        for command in [
            "set debuginfod enabled off",
            "set breakpoint pending on",
            "break accept4",
            "run",
            "backtrace",
        ] {
            gdb.args(["-ex", command]);
        }
        let shown = succeed(gdb.arg(&program).current_dir(&fresh.0));
        assert!(shown.contains("#0  accept4"), "{shown}");
        assert_eq!(shown.contains(" in wait_for_client"), is_shown, "{shown}");
    }
}

/// glibc runs the handlers of C++ and of `-fexceptions` while it unwinds the stack, for which it needs tables
/// that are loaded. It runs the other handlers of C without tables.
#[test]
#[cfg(target_env = "gnu")]
fn cancelled_thread_runs_its_handlers() {
    let source = root().join("tests/c/cancelled.c");
    for (folder, flag, printed) in [
        (library(), "-fno-exceptions", "cleaned up\n"),
        (library(), "-fexceptions", ""),
        (library_with_tables(), "-fno-exceptions", "cleaned up\n"),
        (library_with_tables(), "-fexceptions", "cleaned up\n"),
    ] {
        let fresh = Fresh::new();
        let program = compile(&source, &["-O1", flag], folder, &fresh);
        let out = succeed(Command::new(program).current_dir(&fresh.0));
        assert_eq!(out, printed, "{} {flag}", folder.display());
    }
}
