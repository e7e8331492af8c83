//! Serves AppFlow, Lambda, and the Lambda Runtime API on one port.

mod runtime;
mod wire;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::faults::Fault;
use crate::lambda::Reference;
use crate::place;
use crate::server::wire::Wire;
use crate::services::{self, Dropped, response};
use crate::tls;
use crate::world::{Shared, lock};

/// Accepts connections forever.
pub(crate) async fn serve(listener: TcpListener, world: Shared) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, Arc::clone(&world)));
    }
}

/// Accepts TLS connections forever.
pub(crate) async fn serve_tls(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    world: Shared,
) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let handshake = acceptor.accept(Wire::new(stream, &lock(&world).silences));
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            // A client that does not trust the certificate reports that itself.
            if let Ok(stream) = handshake.await {
                let closing = Arc::clone(&lock(&world).closing);
                // Before anybody can see the handshake and close the connection.
                let closed = closing.notified();
                lock(&world).handshakes += 1;
                let connection = async {
                    if stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
                        http_2_connection(stream, world).await;
                    } else {
                        connection(stream, world).await;
                    }
                };
                tokio::select! {
                    () = connection => {}
                    () = closed => {}
                }
            }
        });
    }
}

async fn connection(stream: impl AsyncRead + AsyncWrite + Unpin, world: Shared) {
    let service = service_fn(|request| {
        let answer = answer(request, Arc::clone(&world));
        async move { Ok::<_, Dropped>(answer.await?.map(Full::new)) }
    });
    // A broken connection is the client's doing, or a fault.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn http_2_connection<S>(stream: S, world: Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let answer = answer(request, Arc::clone(&world));
        async move { Ok::<_, Dropped>(answer.await?.map(Full::new)) }
    });
    // As above.
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

type Reply = Response<Bytes>;

async fn answer(request: Request<Incoming>, world: Shared) -> Result<Reply, Dropped> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return Err(Dropped);
    };
    let body = body.to_bytes();
    let path = services::path(&head.uri);
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let get = head.method == Method::GET;
    match parts.as_slice() {
        ["2018-06-01", "runtime", rest @ ..] => Ok(runtime::answer(get, rest, &body, &world).await),
        ["2015-03-31", "functions", function, "invocations"]
            if Reference::parse(function)
                .is_some_and(|reference| reference.name.name == place::UPDATER) =>
        {
            let asynchronous = head
                .headers
                .get("x-amz-invocation-type")
                .is_some_and(|kind| kind == "Event");
            Ok(runtime::invoke(body, asynchronous, &world).await)
        }
        ["_aws-local", "faults"] => Ok(faults(&head.method, &body, &world)),
        _ => services::respond(&world, Request::from_parts(head, body)).await,
    }
}

/// Adds and removes faults, for `cargo local serve`.
fn faults(method: &Method, body: &Bytes, world: &Shared) -> Reply {
    let mut world = lock(world);
    match *method {
        Method::DELETE => {
            world.faults.clear();
            plain(204, Bytes::new())
        }
        Method::POST => match serde_json::from_slice(body)
            .ok()
            .as_ref()
            .and_then(Fault::from_json)
        {
            Some(fault) => {
                world.faults.add(fault);
                plain(204, Bytes::new())
            }
            None => plain(
                400,
                Bytes::from_static(b"not a fault: see docs/development.md#faults\n"),
            ),
        },
        _ => plain(405, Bytes::new()),
    }
}

fn plain(status: u16, body: Bytes) -> Reply {
    response(status, "", None, body)
}
