//! Finds the address at which Docker containers can reach a server on this machine.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::process::Command;

use serde_json::Value;

/// The name of this machine inside containers. On Linux, it needs
/// `--add-host host.docker.internal:host-gateway`.
pub const HOST: &str = "host.docker.internal";

/// The address to listen on, which containers can reach as [`HOST`] and the network cannot.
///
/// On Linux, the name resolves to the gateway of Docker's bridge, which is an address of this machine.
/// Docker Desktop runs its engine, and so the bridge, in a virtual machine, and forwards the name to this
/// machine's loopback address.
///
/// # Errors
/// When no Docker engine responds.
pub fn address() -> Result<IpAddr, String> {
    let output = Command::new("docker")
        .args(["network", "inspect", "bridge"])
        .output()
        .map_err(|error| format!("cannot run docker: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("no Docker engine responds: {}", said.trim()));
    }
    let gateway = gateway(&output.stdout).ok_or("Docker's network `bridge` has no IPv4 gateway")?;
    match TcpListener::bind((gateway, 0)) {
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => Ok(gateway),
    }
}

/// The gateway of a network, from the output of `docker network inspect`. If that has no gateway, it is
/// the first address of the subnet.
fn gateway(networks: &[u8]) -> Option<IpAddr> {
    let networks: Value = serde_json::from_slice(networks).ok()?;
    networks[0]["IPAM"]["Config"]
        .as_array()?
        .iter()
        .filter_map(|network| match network["Gateway"].as_str() {
            Some(gateway) if !gateway.is_empty() => gateway.parse().ok(),
            _ => first(network["Subnet"].as_str()?).map(IpAddr::V4),
        })
        // `host-gateway` is an IPv4 address if the network has both kinds.
        .find(IpAddr::is_ipv4)
}

/// The first address of a subnet such as `172.17.0.0/16`, after the network's own.
fn first(subnet: &str) -> Option<Ipv4Addr> {
    let (network, bits) = subnet.split_once('/')?;
    let network: Ipv4Addr = network.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
    Some(((u32::from(network) & mask) + 1).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_gateway_is_the_one_that_docker_tells_or_the_first_address() {
        let v6 = json!({ "Subnet": "fd00::/64", "Gateway": "fd00::1" });
        for (networks, expected) in [
            (
                json!([{ "Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1" }]),
                Some("172.17.0.1"),
            ),
            (
                json!([v6, { "Subnet": "10.1.0.0/16", "Gateway": "10.1.0.9" }]),
                Some("10.1.0.9"),
            ),
            (
                json!([{ "Subnet": "172.18.0.0/16", "Gateway": "" }]),
                Some("172.18.0.1"),
            ),
            (
                json!([{ "Subnet": "192.168.64.7/20" }]),
                Some("192.168.64.1"),
            ),
            (json!([{ "Subnet": "nonsense" }]), None),
            (json!([{ "Subnet": "10.0.0.0/99" }]), None),
            (json!([v6]), None),
            (json!([]), None),
            (json!(null), None),
        ] {
            let answer = json!([{ "Name": "bridge", "IPAM": { "Config": networks } }]);
            let gateway = gateway(answer.to_string().as_bytes());
            assert_eq!(
                gateway,
                expected.map(|text| text.parse().unwrap()),
                "{answer}"
            );
        }
        assert_eq!(gateway(b"no JSON"), None);
    }
}
