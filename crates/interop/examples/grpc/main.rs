//! A service of gRPC over a Unix domain socket, by tonic, whose methods know which user calls, and its
//! client.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::{self, Iter};
use hyper_util::rt::TokioIo;
use sunpath::{BindOptions, PeerCred};
use sunpath_tokio::{UnixListener, UnixStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::signal::unix::{SignalKind, signal};
use tonic::codegen::http::Uri;
use tonic::transport::server::Connected;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};
use tower::service_fn;

use greeter::greeter_client::GreeterClient;
use greeter::greeter_server::{Greeter, GreeterServer};
use greeter::{CountReply, CountRequest, HelloReply, HelloRequest};

#[allow(unreachable_pub)] // generated from greeter.proto
pub(crate) mod greeter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: grpc PATH, or grpc PATH NAME TO";
    let mut args = std::env::args().skip(1);
    let path = PathBuf::from(args.next().ok_or(usage)?);
    let Some(name) = args.next() else {
        let options = BindOptions::singleton().mode(0o666); // the methods decide who may do what
        let listener = UnixListener::new(options.listen(&path)?)?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        println!("ready");
        let stop = async move { _ = interrupt.recv().await };
        return serve(listener, stop).await;
    };

    let mut client = connect(path).await?;
    let hello = client.hello(HelloRequest { name }).await?.into_inner();
    println!("{}", hello.text);
    let to = args.next().ok_or(usage)?.parse()?;
    let mut numbers = client.count(CountRequest { to }).await?.into_inner();
    while let Some(reply) = numbers.message().await? {
        println!("{}", reply.number);
    }
    Ok(())
}

/// Serves until `stop` is ready and all calls have ended, and removes the file.
pub(crate) async fn serve(
    listener: UnixListener,
    stop: impl Future<Output = ()>,
) -> Result<(), Box<dyn Error>> {
    let incoming = listener.incoming(|error| eprintln!("accept: {error}"));
    let clients = stream::unfold(incoming, |mut incoming| async {
        let (stream, _) = incoming.next().await?;
        Some((Client::new(stream), incoming))
    });
    Server::builder()
        .serve_with_incoming_shutdown(GreeterServer::new(Service), clients, stop)
        .await?;
    Ok(listener.close_and_unlink().await?)
}

/// Makes a client, which connects to the path again if the connection ends.
pub(crate) async fn connect(
    path: PathBuf,
) -> Result<GreeterClient<Channel>, tonic::transport::Error> {
    let connector = service_fn(move |_: Uri| {
        let path = path.clone();
        async move { UnixStream::connect(&path).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://localhost"); // the name that the requests have
    let channel = endpoint.connect_with_connector(connector).await?;
    Ok(GreeterClient::new(channel))
}

/// The replies of one call, which are made as fast as the client takes them.
type Replies = Box<dyn Iterator<Item = Result<CountReply, Status>> + Send>;

struct Service;

#[tonic::async_trait]
impl Greeter for Service {
    async fn hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        let uid = peer(&request)?.uid();
        let text = format!("hello, {}, user {uid}", request.into_inner().name);
        Ok(Response::new(HelloReply { text, uid }))
    }

    type CountStream = Iter<Replies>;

    async fn count(
        &self,
        request: Request<CountRequest>,
    ) -> Result<Response<Self::CountStream>, Status> {
        let numbers = 1..=request.into_inner().to;
        let replies: Replies = Box::new(numbers.map(|number| Ok(CountReply { number })));
        Ok(Response::new(stream::iter(replies)))
    }
}

/// Returns who calls, which [`Client`] has told tonic.
fn peer<T>(request: &Request<T>) -> Result<PeerCred, Status> {
    let peer = request.extensions().get::<PeerCred>();
    peer.copied()
        .ok_or_else(|| Status::internal("a call without a peer"))
}

/// A connection of the server and the user at its other end.
struct Client {
    stream: UnixStream,
    peer: PeerCred,
}

impl Client {
    fn new(stream: UnixStream) -> io::Result<Self> {
        let peer = stream.peer_cred()?;
        Ok(Self { stream, peer })
    }

    fn stream(self: Pin<&mut Self>) -> Pin<&mut UnixStream> {
        Pin::new(&mut self.get_mut().stream)
    }
}

/// Gives the user to each request, as one of its extensions.
impl Connected for Client {
    type ConnectInfo = PeerCred;

    fn connect_info(&self) -> PeerCred {
        self.peer
    }
}

impl AsyncRead for Client {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(cx, buf)
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}
