//! AppFlow and Lambda without a port.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use aws_local::faults::{Fault, Kind};
use aws_local::{Aws, AwsLocal, Dropped};
use bytes::Bytes;
use hyper::Request;
use serde_json::json;
use tokio::time::Instant;

use crate::world::{ARN, deploy, held, in_memory, register, registration, request, with_function};

/// The response through the port: the status, the error's name, and the body.
fn through_the_port(aws: &AwsLocal, request: &Request<Bytes>) -> (u16, String, String) {
    let mut stream = TcpStream::connect(aws.address()).expect("a connection");
    let head = format!(
        "{} {} HTTP/1.1\r\nHost: local\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        request.method(),
        request.uri(),
        request.body().len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(request.body()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    let error = head
        .lines()
        .find_map(|line| line.strip_prefix("x-amzn-errortype: "))
        .unwrap_or_default();
    (status.expect("a status"), error.to_owned(), body.to_owned())
}

async fn in_memory_alone(aws: &Aws, request: Request<Bytes>) -> (u16, String, String) {
    let response = aws.respond(request).await.expect("an answer");
    let error = response.headers().get("x-amzn-errortype");
    (
        response.status().as_u16(),
        error.map_or(String::new(), |name| {
            name.to_str().expect("a name").to_owned()
        }),
        String::from_utf8(response.body().to_vec()).expect("a text"),
    )
}

#[tokio::test]
async fn a_request_in_memory_has_the_same_response_as_through_the_port() {
    let (port, memory) = (with_function(), in_memory());
    for aws in [&*port, &memory] {
        aws.fault(Fault::error("ListConnectors", "InternalServerException"));
    }
    let lambda = |method: &str, path: &str| {
        Request::builder()
            .method(method)
            .uri(format!("/2015-03-31/functions/{path}"))
            .body(Bytes::new())
            .expect("a request")
    };
    for request in [
        request("RegisterConnector", &registration("acme", ARN)),
        request("RegisterConnector", &registration("acme", ARN)),
        request(
            "UpdateConnectorRegistration",
            &json!({ "connectorLabel": "other" }),
        ),
        request("ListConnectors", &json!({})),
        request("UnregisterConnector", &json!({ "connectorLabel": "acme" })),
        request("StartFlow", &json!({})),
        lambda("GET", "crm/policy?Qualifier=%24LATEST"),
        lambda("GET", "crm/configuration?Qualifier=9"),
        lambda("DELETE", "crm"),
        Request::post("/describe-connector")
            .body(Bytes::from_static(b"{"))
            .expect("a request"),
    ] {
        assert_eq!(
            in_memory_alone(&memory, request.clone()).await,
            through_the_port(&port, &request),
            "{request:?}"
        );
    }
    let (port, memory) = (port.take_calls(), memory.take_calls());
    assert_eq!(port, memory);
    assert_eq!(port.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_slow_call_in_memory_waits_by_tokio_s_clock() {
    let aws = in_memory();
    let hour = Duration::from_secs(60 * 60);
    aws.fault(Fault::of("ListConnectors", Kind::Slow(hour)));
    let start = Instant::now();
    let list = request("ListConnectors", &json!({}));
    let (one, other) = tokio::join!(aws.respond(list.clone()), aws.respond(list));
    assert_eq!((one.is_ok(), other.is_ok()), (true, true));
    assert_eq!(start.elapsed(), hour);
}

#[tokio::test]
async fn a_connection_that_a_fault_drops_is_an_error() {
    let aws = in_memory();
    register(&aws, "acme", ARN).expect("registered");
    deploy(&aws, "2.0", false);
    let update = json!({ "connectorLabel": "acme" });
    let update = || aws.respond(request("UpdateConnectorRegistration", &update));
    aws.fault(Fault::of("*", Kind::AnswerLost).times(1));
    aws.fault(Fault::of("*", Kind::Dropped).times(1));
    assert_eq!(update().await.expect_err("dropped"), Dropped);
    assert_eq!(held(&aws, "acme"), "1.0");
    assert_eq!(update().await.expect_err("lost"), Dropped);
    assert_eq!(held(&aws, "acme"), "2.0");
}
