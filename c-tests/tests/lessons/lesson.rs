//! The folders of the lessons, and the programs in them.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Output};
use std::sync::{Mutex, Once};

use sunpath_c_tests::c;
use sunpath_c_tests::lane::{self, FreshDir};
use sunpath_c_tests::python::program_of_python;

use crate::is_bless;
use crate::transcript::Transcript;

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// A lesson, `examples/NN_topic/`.
#[derive(Debug)]
pub(crate) struct Lesson(pub(crate) PathBuf);

/// One language's version of a lesson.
#[derive(Debug, PartialEq)]
pub(crate) struct Lane {
    pub(crate) file: &'static str,
    /// The letter of the lines of a transcript that declare a difference between this lane and C.
    /// Without one, the lane has to be equal to C.
    pub(crate) letter: Option<char>,
}

pub(crate) const C: Lane = Lane {
    file: "main.c",
    letter: None,
};
pub(crate) const RAW: Lane = Lane {
    file: "raw.rs",
    letter: None,
};
pub(crate) const SAFE: Lane = Lane {
    file: "main.rs",
    letter: Some('S'),
};
pub(crate) const PYTHON: Lane = Lane {
    file: "main.py",
    letter: Some('P'),
};
/// The lanes that every lesson has.
pub(crate) const LANES: [Lane; 4] = [C, RAW, SAFE, PYTHON];

/// Returns the lessons, in their order.
pub(crate) fn lessons() -> Vec<Lesson> {
    let entries = fs::read_dir(EXAMPLES).expect("examples/ can be read");
    let paths = entries.map(|entry| entry.expect("examples/ can be read").path());
    let mut lessons: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    lessons.sort();
    assert!(!lessons.is_empty(), "no lesson in {EXAMPLES}");
    lessons.into_iter().map(Lesson).collect()
}

impl Lesson {
    /// Returns the name of the folder, which is also the name of the cargo example.
    pub(crate) fn name(&self) -> &str {
        let name = self.0.file_name().and_then(|name| name.to_str());
        name.expect("a lesson has a name")
    }

    /// Returns the text of a file.
    #[track_caller]
    pub(crate) fn read(&self, file: &str) -> String {
        let file = self.0.join(file);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// Writes a file, if it has another text.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        if !fs::read_to_string(&path).is_ok_and(|old| old == text) {
            fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }

    /// Returns the transcript. With `SUNPATH_BLESS=1` all transcripts are recorded before this
    /// call.
    #[track_caller]
    pub(crate) fn transcript(&self) -> Transcript {
        static RECORDED: Once = Once::new();
        if is_bless() {
            RECORDED.call_once(|| lessons().iter().for_each(Self::record));
        }
        let read = Transcript::read(&self.read("transcript.txt"));
        read.unwrap_or_else(|error| panic!("{}: {error}", self.name()))
    }

    /// Records what the program in C prints.
    fn record(&self) {
        let dir = fresh();
        let command = self.command(&C).expect("a program in C needs nothing else");
        let output = run_in(dir.path(), command);
        assert!(output.status.success(), "{}: {output:?}", self.name());
        let printed = String::from_utf8(output.stdout).expect("lessons print text");
        let old = fs::read_to_string(self.0.join("transcript.txt")).unwrap_or_default();
        let old = Transcript::read(&old).unwrap_or_else(|error| panic!("{}: {error}", self.name()));
        self.write("transcript.txt", &old.blessed(&printed).write(self.name()));
    }

    /// Returns whether the programs take a path as their argument.
    pub(crate) fn takes_a_path(&self) -> bool {
        self.read(C.file).contains("argv[1]")
    }

    /// Returns the command that runs a lane, or nothing if that needs Python and there is none.
    pub(crate) fn command(&self, lane: &Lane) -> Option<Command> {
        Some(match lane.file {
            "main.c" => Command::new(self.compiled()),
            "raw.rs" => Command::new(lane::example(&format!("{}_raw", self.name()))),
            "main.rs" => Command::new(lane::example(self.name())),
            _ => {
                let mut python = Command::new(program_of_python()?);
                // Without its site packages it starts in half the time.
                python.args(["-I", "-S"]).arg(self.0.join(lane.file));
                python
            }
        })
    }

    /// Compiles the program in C, once in each run of the tests.
    fn compiled(&self) -> PathBuf {
        static COMPILED: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
        let mut compiled = COMPILED.lock().expect("a lesson did not compile");
        let name = self.name().to_owned();
        compiled
            .entry(name)
            .or_insert_with(|| self.compile())
            .clone()
    }

    /// Compiles the program in C with the warnings with which all our C code is compiled, and without
    /// the macros and the folders that a reader would not name.
    fn compile(&self) -> PathBuf {
        let mut words = c::COMPILER.split('\x1f');
        let compiler = words.next().unwrap_or_default();
        // Without optimisation gcc does not detect the truncation by strncpy in the trap of a
        // lesson.
        let left_out = |flag: &&str| {
            flag.starts_with("-I") || flag.starts_with("-O") || *flag == "-D_GNU_SOURCE"
        };
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lessons");
        fs::create_dir_all(&dir).expect("cargo's directory can be written to");
        // Another run may be using the program of this name, so the new one replaces it as a whole.
        let made = dir.join(format!("{}.{}", self.name(), process::id()));
        let mut command = Command::new(compiler);
        command
            .args(words.filter(|flag| !left_out(flag)))
            .arg(self.0.join(C.file));
        let output = command.arg("-o").arg(&made).output();
        let output = output.expect("the compiler that built the C lanes runs");
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}:\n{printed}", self.name());
        let program = dir.join(self.name());
        fs::rename(made, &program).expect("cargo's directory can be written to");
        program
    }
}

/// Makes a directory that others may enter, because lesson 04 connects as another user.
pub(crate) fn fresh() -> FreshDir {
    let dir = FreshDir::new();
    let made = fs::set_permissions(dir.path(), Permissions::from_mode(0o755));
    made.expect("the directory is ours");
    dir
}

/// Runs a program in this directory, with the umask that most users have.
pub(crate) fn run_in(dir: &Path, mut command: Command) -> Output {
    let usual_umask = || {
        // SAFETY: umask takes an integer and cannot fail.
        unsafe { libc::umask(0o022) };
        Ok(())
    };
    // SAFETY: umask is async-signal-safe.
    unsafe { command.pre_exec(usual_umask) };
    let output = command.current_dir(dir).output();
    output.unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// A step of a program: its title, such as `2. Listen: ...`, and its code.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) title: String,
    pub(crate) code: String,
}

impl Step {
    /// Returns the number and the name, such as `2. Listen`.
    pub(crate) fn name(&self) -> &str {
        self.title.split(':').next().unwrap_or_default()
    }
}

/// Returns the steps of a program in any language, which begin with a comment that has a number.
pub(crate) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim();
        let comment = ["/*", "//", "# "]
            .iter()
            .find_map(|start| trimmed.strip_prefix(start));
        let title = comment.map(|comment| comment.trim_end_matches("*/").trim());
        let numbered = title.filter(|title| {
            let number = title.split_once(". ").map(|(number, _)| number);
            number.is_some_and(|number| number.parse::<u8>().is_ok())
        });
        match (numbered, steps.last_mut()) {
            (Some(title), _) => steps.push(Step {
                title: title.to_owned(),
                code: String::new(),
            }),
            (None, Some(step)) => {
                step.code.push_str(line);
                step.code.push('\n');
            }
            (None, None) => {}
        }
    }
    steps
}

#[test]
fn steps_are_the_comments_with_a_number() {
    let titles = |text: &str| {
        let titles = steps(text).into_iter().map(|step| step.title);
        titles.collect::<Vec<_>>()
    };
    let expected = ["1. Address: a.", "2. Bind: b."];
    let c = "/* Title. */\n    /* 1. Address: a. */\nx(); /* 2. no */\n/* 2. Bind: b. */\n";
    assert_eq!(titles(c), expected);
    let rust = "//! 1.x\n// 1. Address: a.\n    // 2. Bind: b.\n// e.g. c\n";
    assert_eq!(titles(rust), expected);
    let python = "#!x\n# 1. Address: a.\n# 2.5 is no step\n# 2. Bind: b.\n";
    assert_eq!(titles(python), expected);
    assert_eq!(steps(c)[0].code, "x(); /* 2. no */\n");
}
