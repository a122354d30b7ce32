//! Checks the built library: its size, what it exports and needs, and that nothing in it panics.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{Fresh, Link, compiler, library, library_with_tables, link, root, succeed};

const KIB: u64 = 1024;

/// The most bytes that the stripped library and its code may have.
const MOST_STRIPPED: u64 = 96 * KIB;
const MOST_TEXT: u64 = 72 * KIB;

/// The most bytes by which the library may enlarge a small static program.
const MOST_GROWTH: u64 = 48 * KIB;

fn strip(from: &Path, to: &Path) -> u64 {
    succeed(Command::new("strip").arg("-o").arg(to).arg(from));
    fs::metadata(to).unwrap().len()
}

/// The limits apply to x86-64 alone, because machine code has another size on other processors.
#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn library_is_small() {
    let fresh = Fresh::new();
    let shared = library().join("libsunpath.so");
    let stripped = strip(&shared, &fresh.0.join("so"));
    let text = section(&shared, ".text");
    println!("libsunpath.so, stripped: {stripped} bytes, of which {text} are .text");

    // Two programs are compared: the first binds, accepts, connects and passes a descriptor, and
    // `main` of the second only returns.
    let size_of = |body: &str, how: Option<Link>| {
        let source = fresh.0.join("small.c");
        fs::write(
            &source,
            format!("#include \"sunpath.h\"\nint main(void) {{ {body} }}\n"),
        )
        .unwrap();
        let mut compiler = compiler("gcc");
        compiler.args(["-Os", "-ffunction-sections"]).arg(&source);
        match how {
            Some(how) => link(&mut compiler, how),
            None => drop(compiler.arg("-static")),
        }
        let small = fresh.0.join("small");
        succeed(compiler.arg("-o").arg(&small));
        strip(&small, &fresh.0.join("small.stripped"))
    };
    let empty = size_of("return 0;", None);
    let body = "
        sunpath_server *server;
        if (sunpath_bind(SOCK_STREAM, \"a\", NULL, &server, NULL) == -1) return 1;
        int client = sunpath_connect(SOCK_STREAM, \"a\", NULL, NULL);
        int accepted = sunpath_accept(sunpath_server_fd(server), 0);
        if (sunpath_send_fd(client, 0, NULL) == -1 || sunpath_recv_fd(accepted, NULL) == -1) return 1;
        return sunpath_server_close(server, NULL) == -1;";
    let growth = size_of(body, Some(Link::Static)) - empty;
    println!("a static program: {empty} bytes, and {growth} more with the library");

    for (what, size, most) in [
        ("stripped", stripped, MOST_STRIPPED),
        (".text", text, MOST_TEXT),
        ("growth", growth, MOST_GROWTH),
    ] {
        assert!(size <= most, "{what}: {size} > {most}");
    }
}

/// The unwind tables are in a section that debuggers read and `strip` removes. The feature
/// `unwind-tables` puts them into the section that a program loads.
#[test]
#[cfg(target_os = "linux")]
fn library_has_unwind_tables_in_one_of_two_sections() {
    let sizes = |folder: &Path| {
        let shared = folder.join("libsunpath.so");
        [".debug_frame", ".eh_frame"].map(|name| section(&shared, name))
    };
    let [for_debuggers, loaded] = sizes(library());
    assert!(
        for_debuggers > 8 * KIB && loaded < KIB,
        "{for_debuggers}, {loaded}"
    );
    let [for_debuggers, loaded] = sizes(library_with_tables());
    assert!(
        for_debuggers == 0 && loaded > 8 * KIB,
        "{for_debuggers}, {loaded}"
    );
}

/// Returns the size of a section of a file.
fn section(file: &Path, name: &str) -> u64 {
    let sections = succeed(Command::new("size").args(["-A", "-d"]).arg(file));
    let words = sections.lines().map(|line| line.split_whitespace());
    let mut sizes = words.filter_map(|mut line| {
        let (found, size) = (line.next()?, line.next()?);
        (found == name).then(|| size.parse().unwrap())
    });
    sizes.next().unwrap_or(0)
}

/// Returns the names of the functions that the header declares.
fn declared() -> BTreeSet<String> {
    let fresh = Fresh::new();
    let source = fresh.0.join("header.c");
    fs::write(&source, "#include \"sunpath.h\"\n").unwrap();
    let text = succeed(compiler("gcc").args(["-E", "-P"]).arg(&source));
    let name = |at: usize| {
        let rest = &text[at..];
        let len = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric())?;
        rest[len..].starts_with('(').then(|| rest[..len].to_owned())
    };
    text.match_indices("sunpath_")
        .filter_map(|(at, _)| name(at))
        .collect()
}

fn nm(arguments: &[&str]) -> Vec<String> {
    let symbols = succeed(
        Command::new("nm")
            .args(arguments)
            .arg(library().join("libsunpath.so")),
    );
    symbols
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .map(str::to_owned)
        .collect()
}

#[test]
fn library_exports_what_the_header_declares_and_nothing_else() {
    let exported: BTreeSet<String> = nm(&["-D", "--defined-only"]).into_iter().collect();
    assert_eq!(exported, declared());
    assert!(exported.len() > 40);
}

/// A Rust program that links the static library has a `rust_eh_personality` of its own, and a shared
/// library that contains the static one does not export the symbol.
#[test]
#[cfg(target_os = "linux")]
fn library_has_a_weak_and_hidden_personality() {
    let mut readelf = Command::new("readelf");
    let symbols = succeed(
        readelf
            .args(["--symbols", "--wide"])
            .arg(library().join("libsunpath.a")),
    );
    let defined: Vec<Vec<&str>> = symbols
        .lines()
        .map(|line| line.split_whitespace().skip(4).collect())
        .filter(|words: &Vec<&str>| words.last() == Some(&"rust_eh_personality"))
        .filter(|words| words[2] != "UND")
        .collect();
    let [symbol] = &defined[..] else {
        panic!("{defined:?}")
    };
    assert_eq!(symbol[..2], ["WEAK", "HIDDEN"]);
}

#[test]
#[cfg(target_os = "linux")]
fn library_needs_libc_alone_and_has_its_soname() {
    let dynamic = succeed(
        Command::new("readelf")
            .arg("-d")
            .arg(library().join("libsunpath.so")),
    );
    let values = |tag: &str| -> Vec<String> {
        let lines = dynamic.lines().filter(|line| line.contains(tag));
        lines
            .filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']').to_owned()))
            .collect()
    };
    assert_eq!(values("(NEEDED)"), ["libc.so.6"]);
    assert_eq!(values("(SONAME)"), ["libsunpath.so.0"]);
}

#[test]
fn library_has_no_panic_and_no_core_fmt() {
    let symbols = succeed(
        Command::new("nm")
            .arg("-C")
            .arg(library().join("libsunpath.so")),
    );
    let found: Vec<&str> = symbols
        .lines()
        .filter(|line| line.contains("core::fmt") || line.contains("personality"))
        .collect();
    assert!(found.is_empty(), "{found:?}");
    // The panic handler itself stays in the library, but no code may call it. No text may contain
    // the name of a source file either, because only panic messages do.
    let callers = succeed(
        Command::new("objdump")
            .args(["-dC", "--no-show-raw-insn"])
            .arg(library().join("libsunpath.so")),
    );
    let calls: Vec<&str> = callers
        .lines()
        .filter(|line| {
            line.contains("panicking") && (line.contains("call") || line.contains("jmp"))
        })
        .collect();
    assert!(calls.is_empty(), "{calls:?}");
    let strings = succeed(Command::new("strings").arg(library().join("libsunpath.so")));
    let sources: Vec<&str> = strings
        .lines()
        .filter(|line| line.contains(".rs"))
        .collect();
    assert!(
        sources.iter().all(|line| !line.contains("src/")),
        "{sources:?}"
    );
}

/// cbindgen makes prototypes of the functions in the sources. The prototypes must have the names
/// and types that the header declares.
#[test]
fn header_has_the_types_of_the_library() {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        no_includes: true,
        documentation: false,
        ..Default::default()
    };
    config.export.exclude = vec!["VERSION".to_owned()];
    let rename = [
        ("sockaddr_un", "struct sockaddr_un"),
        ("sunpath_bind_options", "struct sunpath_bind_options"),
        ("sunpath_connect_options", "struct sunpath_connect_options"),
    ];
    let names = rename.map(|(from, to)| (from.to_owned(), to.to_owned()));
    config.export.rename = names.into_iter().collect();
    config
        .export
        .exclude
        .extend(rename.map(|(from, _)| from.to_owned()));
    let mut builder = cbindgen::Builder::new().with_config(config);
    for module in fs::read_dir(root().join("src")).unwrap() {
        builder = builder.with_src(module.unwrap().path());
    }
    let mut made = Vec::new();
    builder.generate().unwrap().write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let prototypes: Vec<&str> = made
        .split(';')
        .filter(|item| item.contains(" sunpath_") || item.contains("*sunpath_"))
        .filter(|item| item.contains('('))
        .map(|item| item.rsplit("\n\n").next().unwrap_or(item))
        .collect();
    let names: BTreeSet<String> = prototypes
        .iter()
        .filter_map(|item| {
            let before = item.split('(').next()?;
            Some(before.rsplit([' ', '*', '\n']).next()?.to_owned())
        })
        .collect();
    assert_eq!(names, declared());

    // The compiler rejects a second declaration with other types. The address of each function is
    // used, so that the function is linked.
    let mut source = String::from(
        "#include \"sunpath.h\"\n#include <stdbool.h>\n\
         #define c_int int\n#define c_uint unsigned int\n",
    );
    for prototype in &prototypes {
        source.push_str(prototype.trim());
        source.push_str(";\n");
    }
    source.push_str("typedef void (*function)(void);\nextern const function functions[];\nconst function functions[] = {\n");
    for name in &names {
        source.push_str(&format!("(function){name},\n"));
    }
    source.push_str("};\n");
    let fresh = Fresh::new();
    let path = fresh.0.join("both.c");
    fs::write(&path, &source).unwrap();
    succeed(
        compiler("gcc")
            .arg("-c")
            .arg(&path)
            .arg("-o")
            .arg(fresh.0.join("both.o")),
    );
}

/// Every compiler accepts the header alone, without `_GNU_SOURCE` and without a warning.
#[test]
fn header_is_clean() {
    let fresh = Fresh::new();
    let source = fresh.0.join("header.c");
    fs::write(
        &source,
        "#include \"sunpath.h\"\nextern int used;\nint used = SUNPATH_VERSION;\n",
    )
    .unwrap();
    for name in ["gcc", "g++", "clang-22", "clang++-22"] {
        if common::has(name) {
            succeed(compiler(name).arg("-fsyntax-only").arg(&source));
        }
    }
}

/// Other languages read the header by programs that know declarations and constants alone.
#[test]
fn header_has_no_bit_field_union_variadic_or_inline_function() {
    let header = fs::read_to_string(root().join("include/sunpath.h")).unwrap();
    let mut code = String::new();
    let mut rest = header.as_str();
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").unwrap().1;
    }
    code.push_str(rest);
    let words: Vec<&str> = code
        .split(|c: char| c != '_' && !c.is_ascii_alphanumeric())
        .collect();
    assert!(words.contains(&"sunpath_bind") && words.contains(&"timeout_ms"));
    for word in ["union", "inline", "static", "enum"] {
        assert!(!words.contains(&word), "{word}");
    }
    assert!(!code.contains(':') && !code.contains("..."));
}

/// The structs of options have the same fields in the sources and in the header, and end without padding.
#[test]
fn header_has_the_layout_of_the_library() {
    let text = fs::read_to_string(root().join("src/options.rs")).unwrap();
    let fresh = Fresh::new();
    let mut source = String::from("#include \"sunpath.h\"\n");
    for (name, fields) in [
        (
            "sunpath_bind_options",
            &[
                "size",
                "flags",
                "mode",
                "owner",
                "group",
                "if_exists",
                "backlog",
            ][..],
        ),
        (
            "sunpath_connect_options",
            &["size", "flags", "peer", "timeout_ms"][..],
        ),
    ] {
        let body = text.split(&format!("pub struct {name} {{")).nth(1).unwrap();
        let body = body.split("\n}").next().unwrap();
        let rust: Vec<&str> = body
            .lines()
            .filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next())
            .collect();
        assert_eq!(rust, fields);
        let end = fields.last().unwrap();
        source.push_str(&format!(
            "_Static_assert(offsetof(struct {name}, {end}) + sizeof(((struct {name} *)0)->{end}) == \
             sizeof(struct {name}), \"no padding at the end\");\n"
        ));
    }
    let path = fresh.0.join("layout.c");
    fs::write(&path, &source).unwrap();
    succeed(compiler("gcc").arg("-fsyntax-only").arg(&path));
}

#[test]
fn header_has_the_version_of_the_package() {
    let header = fs::read_to_string(root().join("include/sunpath.h")).unwrap();
    let version: Vec<u32> = env!("CARGO_PKG_VERSION")
        .split('.')
        .map(|n| n.parse().unwrap())
        .collect();
    let number = version[0] << 16 | version[1] << 8 | version[2];
    assert!(header.contains(&format!("#define SUNPATH_VERSION {number:#08x}\n")));
}

/// Every flag has the same value in the header and in the sources.
#[test]
fn header_has_the_flags_of_the_library() {
    let header = fs::read_to_string(root().join("include/sunpath.h")).unwrap();
    let source = fs::read_to_string(root().join("src/options.rs")).unwrap();
    let mut count = 0;
    for line in source
        .lines()
        .filter(|line| line.contains("const ") && line.contains("c_uint = 0x"))
    {
        let (name, value) = line
            .split_once("const ")
            .unwrap()
            .1
            .split_once(": c_uint = ")
            .unwrap();
        let value = value.trim_end_matches(';').replace('_', "");
        assert!(
            header.contains(&format!("#define SUNPATH_{name} {value}u")),
            "{line}"
        );
        count += 1;
    }
    assert_eq!(count, 13);
}
