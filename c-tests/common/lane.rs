//! A macro that defines the `main` of a Rust lane.

/// Defines `main`, which runs the comparison that the first argument names. The other arguments are
/// for that comparison.
macro_rules! main {
    ($($name:ident)*) => {
        fn main() -> std::process::ExitCode {
            use std::process::Termination as _;
            match std::env::args().nth(1).unwrap_or_default().as_str() {
                $(stringify!($name) => $name::main().report(),)*
                name => panic!("this lane does not have {name:?}"),
            }
        }
    };
}
pub(crate) use main;
