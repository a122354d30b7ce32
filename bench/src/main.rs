//! Measures, and publishes the results. `--help` lists the parts that can be measured alone.

mod beyond;
mod build;
mod echo;
mod guard;
mod inline;
mod measure;
mod page;
mod picture;
mod price;
mod rounds;
mod scale;
mod tables;

use std::error::Error;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const USAGE: &str = "\
usage: cargo run --release --manifest-path bench/Cargo.toml -- [COMMAND]

counts          instructions, system calls and allocations, of sunpath and of all other libraries
time            time, of the same programs
inline          system calls with and without the functions of the C library
beyond          many messages packed into one call, and where a receive buffer begins
scale           19,000 connections in a process, long paths, stale files beside 2,000 sockets
price           what each guarantee costs in instructions
size            a tiny server's size, and how long it takes to build
guard           instructions of sunpath against C: no more than guard.txt says?
guard --record  writes guard.txt again

Without a command: all of these but the guard, in five to ten minutes. All but the guard print their
tables and write them into docs/performance.md, with pictures beside it. Times mean little, and those
of a build something, on a machine that does other work; counts do not mind. The command needs
gcc, valgrind, and for `counts` strace.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => [
            tables::counts,
            tables::times,
            inline::run,
            beyond::run,
            scale::run,
            price::run,
            echo::run,
        ]
        .into_iter()
        .try_for_each(|part| part()),
        ["counts"] => tables::counts(),
        ["time"] => tables::times(),
        ["inline"] => inline::run(),
        ["beyond"] => beyond::run(),
        ["scale"] => scale::run(),
        ["price"] => price::run(),
        ["size"] => echo::run(),
        ["guard"] => guard::check(),
        ["guard", "--record"] => guard::record(),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sunpath-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
