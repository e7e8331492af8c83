//! Behind a proxy: which connections use `HTTPS_PROXY` and related variables, and which do not.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_local::tls::{Authority, Tls};

use crate::tls::{
    self, UPDATER, deploy, file, says_that_it_trusts_the_system, services, wait_until_ready,
    with_root,
};
use crate::world::{CRM, World};

/// A proxy on this machine, which opens a tunnel to whatever it is asked for.
struct Proxy {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::default();
        let noted = Arc::clone(&requests);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                // A connection that breaks is the client's business.
                thread::spawn(move || serve(client, &noted));
            }
        });
        Self { address, requests }
    }

    /// The first lines of all requests so far, sorted.
    fn requests(&self) -> Vec<String> {
        let mut requests = self.requests.lock().expect("requests").clone();
        requests.sort();
        requests
    }

    /// The variables that name it, for HTTPS and for HTTP, in both spellings.
    fn variables(&self) -> Vec<(&'static str, String)> {
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]
            .map(|name| (name, format!("http://{}", self.address)))
            .into()
    }
}

/// Serves one connection: notes what it asks for, and, if that is a tunnel, carries what comes.
fn serve(client: TcpStream, noted: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut from_client = BufReader::new(client.try_clone()?);
    let mut head = Vec::new();
    for line in (&mut from_client).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let request = head.first().cloned().unwrap_or_default();
    noted.lock().expect("requests").push(request.clone());
    let mut to_client = client;
    let Some(target) = request
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.split(' ').next())
    else {
        return to_client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n");
    };
    let mut to_service = TcpStream::connect(target)?;
    let mut from_service = to_service.try_clone()?;
    to_client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    thread::spawn(move || {
        let done = io::copy(&mut from_service, &mut to_client);
        done.and_then(|_| to_client.shutdown(Shutdown::Both))
    });
    io::copy(&mut from_client, &mut to_service)?;
    to_service.shutdown(Shutdown::Both)
}

/// What asks a proxy for a tunnel to each service, as [`Proxy::requests`] has it.
fn one_tunnel_each(endpoints: &Tls) -> Vec<String> {
    let mut tunnels = [&endpoints.appflow, &endpoints.lambda].map(|endpoint| {
        let service = endpoint.trim_start_matches("https://");
        format!("CONNECT {service} HTTP/1.1")
    });
    tunnels.sort();
    tunnels.into()
}

/// [`tls::world`], with variables that the test makes; and where its services are.
fn world(authority: &Authority, updater: &str, variables: &[(&str, String)]) -> (World, Tls) {
    let (aws, endpoints) = services(authority);
    let variables: Vec<_> = variables
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let world = tls::world((aws, endpoints.clone()), updater, &variables);
    (world, endpoints)
}

#[test]
fn all_calls_go_through_two_tunnels_that_are_there_before_the_first_event() {
    let authority = Authority::new().expect("a key");
    let with_root = with_root("behind-a-proxy", &authority);
    let roots = file("behind-a-proxy.pem", &authority.certificate);
    let roots = roots.to_string_lossy().into_owned();
    // Those who trust the roots in the program, and those who trust what a variable names.
    for (updater, more) in [
        (with_root.as_str(), None),
        (UPDATER, Some(("SSL_CERT_FILE", roots))),
    ] {
        let proxy = Proxy::start();
        let mut variables = proxy.variables();
        variables.extend(more);
        let (world, endpoints) = world(&authority, updater, &variables);
        wait_until_ready(&world);
        assert_eq!(world.calls(), [].into());
        assert_eq!(proxy.requests(), one_tunnel_each(&endpoints));
        deploy(&world, &["1.2", "1.3"]);
        // No connection bypasses the proxy, and only these two use it: the one to the Runtime API does not.
        assert_eq!(world.aws.state().handshakes, 2);
        assert_eq!(proxy.requests(), one_tunnel_each(&endpoints));
    }
}

#[test]
fn a_certificate_of_the_proxys_own_is_left_to_the_systems_authorities() {
    // As a proxy that inspects TLS has one. The system does not know this one either; a unit test of
    // aws::https has a system that does.
    let authority = Authority::new().expect("a key");
    let proxy = Proxy::start();
    let (world, endpoints) = world(&authority, UPDATER, &proxy.variables());
    let event = world.publish(CRM, "1.2");
    let (name, message) = world.error(&event);
    assert_eq!(name, "ListFailed");
    assert!(message.contains("UnknownIssuer"), "{message}");
    assert_eq!(says_that_it_trusts_the_system(&world), 1);
    for tunnel in one_tunnel_each(&endpoints) {
        assert!(proxy.requests().contains(&tunnel), "{tunnel}");
    }
}

#[test]
fn no_proxy_names_what_needs_none() {
    let authority = Authority::new().expect("a key");
    let updater = with_root("needs-no-proxy", &authority);
    let proxy = Proxy::start();
    let mut variables = proxy.variables();
    variables.push(("NO_PROXY", "169.254.100.1,localhost".to_owned()));
    let (world, _) = world(&authority, &updater, &variables);
    wait_until_ready(&world);
    deploy(&world, &["1.2"]);
    assert_eq!(world.aws.state().handshakes, 2);
    assert_eq!(proxy.requests(), [""; 0]);
}
