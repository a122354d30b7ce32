//! Generates the Rust lists of names and values that `tests/layout.rs` compares with those of C, from the
//! tables that `layout.c` includes. The build script uses it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A row of a table, such as `FIELD(msghdr, msg_iov)`.
struct Row {
    kind: String,
    args: Vec<String>,
}

/// Returns the Rust code that `tests/layout.rs` includes: a function with the values of
/// `sunpath-sys`, one with those of bindgen, and the names of the files from which bindgen's values
/// come. If no file is checked in for the target, bindgen's values and file names are empty.
pub(crate) fn generate() -> String {
    let layout = rows("layout/layout.def");
    let around = rows("layout/around.def");
    let files = bindings();
    let mut text = String::new();

    for (module, path) in ["libc_facts", "uapi_facts"].iter().zip(&files) {
        let _ = writeln!(
            text,
            "#[allow(dead_code, non_camel_case_types, unreachable_pub, unsafe_op_in_unsafe_fn)]\n\
             #[allow(missing_debug_implementations, missing_docs, clippy::all)]\n\
             #[allow(clippy::missing_safety_doc, clippy::undocumented_unsafe_blocks)]\n\
             #[allow(clippy::multiple_unsafe_ops_per_block)]\n\
             mod {module} {{ include!({path:?}); }}"
        );
    }
    let names: Vec<_> = files
        .iter()
        .map(|path| path.file_name().unwrap_or_default())
        .collect();
    let _ = writeln!(text, "const BINDINGS: &[&str] = &{names:?};");

    // The generated expressions cast all constants in the same way, whatever their type is.
    let lints = "#[allow(clippy::unnecessary_cast, clippy::all)]\n";
    let sys = |name: &str| format!("sunpath_sys::{name}");
    let _ = write!(text, "{lints}fn sys_witness() -> Vec<Line> {{\n    vec![\n");
    layout
        .iter()
        .chain(&around)
        .for_each(|row| write_row(&mut text, row, &sys));
    let _ = write!(
        text,
        "    ]\n}}\n{lints}fn bindgen_witness() -> Vec<Line> {{\n    vec![\n"
    );
    if let [libc, uapi] = &files[..] {
        let texts = [libc, uapi].map(|path| fs::read_to_string(path).unwrap_or_default());
        let fact = |name: &str| {
            let defined = |module: &str, text: &str, name: &str| {
                ["const", "struct", "type"]
                    .iter()
                    .any(|kind| {
                        let head = format!("pub {kind} {name}");
                        text.lines().any(|line| {
                            let rest = line.trim_start().strip_prefix(&head);
                            rest.is_some_and(|rest| rest.starts_with([':', ' ']))
                        })
                    })
                    .then(|| format!("{module}::{name}"))
            };
            // A macro that bindgen cannot evaluate is wrapped in a constant of another name.
            let evaluated = format!("FACT_{name}");
            defined("libc_facts", &texts[0], name)
                .or_else(|| defined("uapi_facts", &texts[1], name))
                .or_else(|| defined("libc_facts", &texts[0], &evaluated))
                .or_else(|| defined("uapi_facts", &texts[1], &evaluated))
                .unwrap_or_else(|| format!("libc_facts::{name}"))
        };
        layout
            .iter()
            .for_each(|row| write_row(&mut text, row, &fact));
    }
    text.push_str("    ]\n}\n");
    text
}

/// Writes the lines of one row to `text`, as elements of an array.
fn write_row(text: &mut String, row: &Row, path_of: &dyn Fn(&str) -> String) {
    let name = row.args[0].as_str();
    let path = path_of(name);
    let lines = match (&*row.kind, row.args.get(1)) {
        ("STRUCT", None) => vec![
            (
                format!("sizeof(struct {name})"),
                format!("size_of::<{path}>()"),
            ),
            (
                format!("alignof(struct {name})"),
                format!("align_of::<{path}>()"),
            ),
        ],
        ("FIELD", Some(field)) => vec![
            (
                format!("offsetof(struct {name}, {field})"),
                format!("offset_of!({path}, {field})"),
            ),
            (
                format!("sizeof({name}.{field})"),
                format!("size_of_field(|s: &{path}| &s.{field})"),
            ),
        ],
        ("TYPE", None) => vec![
            (format!("sizeof({name})"), format!("size_of::<{path}>()")),
            (format!("signed({name})"), format!("({path}::MIN != 0)")),
        ],
        ("CONST" | "NEWER", None) => vec![(name.to_owned(), path)],
        ("ERRNO", None) => {
            let _ = writeln!(text, "        (errno_line({path}), {path} as i128),");
            return;
        }
        _ => panic!("layout: {}({}) is not a row", row.kind, row.args.join(", ")),
    };
    for (label, value) in lines {
        let _ = writeln!(text, "        ({label:?}.to_owned(), {value} as i128),");
    }
}

/// Returns the rows of a table, in order. Sections that only glibc has are left out for other C
/// libraries.
fn rows(path: &str) -> Vec<Row> {
    let table = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut rows = Vec::new();
    let mut comment = false;
    let mut skipped = false;
    for line in table.lines() {
        comment |= line.starts_with("/*");
        match line {
            "#ifdef __GLIBC__" => skipped = target("ENV") != "gnu",
            "#endif" => skipped = false,
            _ if comment || skipped => {}
            _ => rows.extend(
                line.split_inclusive(')')
                    .map(|text| read_row(path, text.trim())),
            ),
        }
        comment &= !line.ends_with("*/");
    }
    rows
}

fn read_row(path: &str, text: &str) -> Row {
    let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
    let Some((kind, args)) = parts else {
        panic!("{path}: not a row: {text}")
    };
    Row {
        kind: kind.to_owned(),
        args: args.split(", ").map(str::to_owned).collect(),
    }
}

/// Returns the checked-in output of bindgen for the target, from the C library's headers and from
/// Linux's.
fn bindings() -> Vec<PathBuf> {
    let key = [target("OS"), target("ENV"), target("ARCH")].join("_");
    let arch = target("ARCH");
    let own = ["mips", "powerpc", "sparc"]
        .into_iter()
        .find(|family| arch.starts_with(family));
    let files = [
        format!("{key}.rs"),
        format!("linux_uapi_{}.rs", own.unwrap_or("generic")),
    ];
    let folder = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default())
        .join("../sys/bindings")
        .canonicalize();
    let Ok(folder) = folder else {
        return Vec::new();
    };
    let files = files.map(|file| folder.join(file));
    if files.iter().all(|file| is_for_target(file)) {
        files.to_vec()
    } else {
        Vec::new()
    }
}

/// Returns whether the file exists and is for the target. The file names the word size and the byte
/// order for which it is valid.
fn is_for_target(file: &Path) -> bool {
    let Ok(text) = fs::read_to_string(file) else {
        return false;
    };
    let here = format!(
        "target_pointer_width = \"{}\", target_endian = \"{}\"",
        target("POINTER_WIDTH"),
        target("ENDIAN")
    );
    text.lines()
        .find_map(|line| line.strip_prefix("// Only for "))
        .is_none_or(|only| only == here)
}

fn target(what: &str) -> String {
    env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default()
}
