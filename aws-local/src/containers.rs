//! Where the containers of this machine's Docker engine reach a server on this machine.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::process::Command;

use serde_json::Value;

/// What containers call this machine, given `--add-host host.docker.internal:host-gateway` on Linux.
pub const HOST: &str = "host.docker.internal";

/// The address to listen on, such that containers reach it as [`HOST`] and the network does not.
///
/// On Linux, that name leads to the gateway of Docker's bridge, which is an address of this machine. An
/// engine in a virtual machine, as Docker Desktop's, has its bridge in there and passes on what is sent
/// to the name to this machine's loopback.
///
/// # Errors
/// No Docker engine answers.
pub fn address() -> Result<IpAddr, String> {
    let output = Command::new("docker")
        .args(["network", "inspect", "bridge"])
        .output()
        .map_err(|error| format!("docker cannot be run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("no Docker engine answers: {}", said.trim()));
    }
    let gateway = gateway(&output.stdout)
        .ok_or("Docker's network `bridge` has no address that this machine could have")?;
    match TcpListener::bind((gateway, 0)) {
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => Ok(Ipv4Addr::LOCALHOST.into()),
        _ => Ok(gateway),
    }
}

/// The gateway of a network, from `docker network inspect`. Older engines do not tell it: then it is
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
        // The name leads to an IPv4 address where there are both.
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
