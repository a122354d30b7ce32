//! A server of HTTP over a Unix domain socket, by hyper, whose handler knows which user asks.

use std::convert::Infallible;
use std::error::Error;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use sunpath::{BindOptions, PeerCred};
use sunpath_tokio::{UnixListener, UnixStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::{select, spawn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: http PATH")?;
    let options = BindOptions::singleton().mode(0o666); // the handler decides who may do what
    let listener = UnixListener::new(options.listen(&path)?)?;
    let mut incoming = listener.incoming(|error| eprintln!("accept: {error}"));
    let mut stop = signal(SignalKind::interrupt())?;
    println!("ready");

    loop {
        select! {
            client = incoming.next() => match client {
                Some((stream, _)) => drop(spawn(connection(stream))),
                None => break,
            },
            _ = stop.recv() => break,
        }
    }
    Ok(listener.close_and_unlink().await?)
}

async fn connection(stream: UnixStream) {
    let Ok(peer) = stream.peer_cred() else { return };
    let service = service_fn(move |request| answer(request, peer));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        eprintln!("a client of user {}: {error}", peer.uid());
    }
}

/// Greets the user, or returns the body that it has sent.
async fn answer(
    request: Request<Incoming>,
    peer: PeerCred,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = match *request.method() {
        Method::POST => match request.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => Bytes::from(format!("{error}\n")),
        },
        _ => Bytes::from(format!("hello, user {}\n", peer.uid())),
    };
    let mut response = Response::new(Full::new(body));
    response
        .headers_mut()
        .insert("x-peer-uid", peer.uid().into());
    Ok(response)
}
