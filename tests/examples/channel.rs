//! Tests of the example `channel`, which has two processes. The second one counts the files and
//! bytes that the first one passes.

use std::fs;

use crate::{example, fresh};

#[test]
fn channel_passes_up_to_four_files_with_a_message() {
    let dir = fresh::dir();
    let paths: Vec<_> = (0..6).map(|n| dir.path().join(n.to_string())).collect();
    for (n, path) in paths.iter().enumerate() {
        fs::write(path, vec![b'x'; 1 << n]).unwrap();
    }
    let output = example("channel").args(&paths).output().unwrap();
    assert!(output.status.success());
    let lines = String::from_utf8(output.stdout).unwrap();
    assert_eq!(lines, "4 files, 15 bytes\n2 files, 48 bytes\n");
}
