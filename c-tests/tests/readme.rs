//! The C code of the README compiles with the flags that our own C code has to bear, and its program
//! prints what the README says.

use std::fs;
use std::path::Path;
use std::process::Command;

use sunpath_c_tests::c;
use sunpath_c_tests::lane::FreshDir;

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");

/// The blocks that begin with a fence of C, each with the line of its fence.
fn c_blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            None if line.trim() == "```c" => open = Some((number + 1, String::new())),
            Some(_) if line.trim() == "```" => blocks.extend(open.take()),
            Some((_, block)) => *block += &format!("{line}\n"),
            None => {}
        }
    }
    blocks.extend(open);
    blocks
}

#[test]
fn readme_c_blocks_compile_and_run() {
    let text = fs::read_to_string(Path::new(README)).expect("README.md is there");
    let blocks = c_blocks(&text);
    assert!(
        !blocks.is_empty(),
        "README.md has no block of C: has its fence changed?"
    );

    let dir = FreshDir::new();
    let mut command = c::COMPILER.split('\x1f');
    let compiler = command.next().unwrap_or_default();
    let flags: Vec<_> = command.filter(|flag| !flag.starts_with("-I")).collect();
    for (line, block) in blocks {
        let name = format!("readme_line_{line}");
        let source = dir.path().join(format!("{name}.c"));
        fs::write(&source, &block).expect("the fresh directory can be written to");
        let program = dir.path().join(&name);
        let mut compile = Command::new(compiler);
        compile.args(&flags).arg(&source).arg("-o").arg(&program);
        let is_program = block.contains("int main(");
        if !is_program {
            compile.arg("-c");
        }
        let output = compile
            .output()
            .expect("the compiler that built the C lanes runs");
        assert!(
            output.status.success(),
            "README.md, the block of C at line {line}:\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        if is_program {
            let mut run = Command::new(&program);
            let output = run.current_dir(dir.path()).output().expect("it was made");
            assert!(output.status.success(), "{output:?}");
            assert_eq!(output.stdout, b"hello, myself\n");
            assert!(!dir.path().join("a.sock").exists());
        }
    }
}

#[test]
fn readme_blocks_are_found_by_their_fence() {
    let text = "a\n```c\nint x;\n```\n```rust\nlet x;\n```\n```c\nint y;\nint z;\n```\n";
    let expected = [
        (2, "int x;\n".to_owned()),
        (8, "int y;\nint z;\n".to_owned()),
    ];
    assert_eq!(c_blocks(text), expected);
}
