//! An echo server on tokio's own listener. `examples/echo.diff` moves it to sunpath-tokio by its listener
//! lines, which `tests/moved.rs` applies, builds and runs.

use std::io::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let path = std::env::args().nth(1).expect("usage: echo PATH");
    let listener = UnixListener::bind(&path)?;
    println!("ready");
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let uid = stream.peer_cred()?.uid();
            stream.write_all(format!("user {uid}\n").as_bytes()).await?;
            let (mut reader, mut writer) = stream.split();
            let mut buf = [0; 4096];
            loop {
                match reader.read(&mut buf).await? {
                    0 => return writer.shutdown().await,
                    n => writer.write_all(&buf[..n]).await?,
                }
            }
        });
    }
}
