//! `$PORT`: choosing a free one, and writing it into a command.
//!
//! A port is free when it was chosen, not when the workload binds it; who loses that race exits, is started again
//! and gets another port.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
};

/// The ports that instances of this platform were given and have not given back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ports(Arc<Mutex<BTreeSet<u16>>>);

/// A port that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    ports: Ports,
    port: u16,
}

impl Ports {
    /// A free port of the loopback interface that no other instance was given.
    pub(crate) fn lease(&self) -> io::Result<Lease> {
        // The kernel may offer a port again that we gave to an instance which has not bound it yet.
        for _ in 0..100 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
            if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(port) {
                return Ok(Lease { ports: self.clone(), port });
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "no free port"))
    }
}

impl Lease {
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.ports.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.port);
    }
}

/// Whether an argument refers to `$PORT`.
pub(crate) fn mentions(argument: &str) -> bool {
    substitute(argument, 0) != argument
}

/// Replaces every `$PORT` and `${PORT}`; `$PORTAL` is another word.
pub(crate) fn substitute(argument: &str, port: u16) -> String {
    let mut out = String::with_capacity(argument.len());
    let mut rest = argument;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let bare = from
            .strip_prefix("$PORT")
            .filter(|after| !after.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_'));
        if let Some(after) = from.strip_prefix("${PORT}").or(bare) {
            out.push_str(&port.to_string());
            rest = after;
        } else {
            out.push('$');
            rest = &from[1..];
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_is_replaced_and_longer_words_are_left_alone() {
        for (text, want) in [
            ("$PORT", "81"),
            ("--at=127.0.0.1:$PORT,[::1]:${PORT}", "--at=127.0.0.1:81,[::1]:81"),
            ("$PORTAL $PORT_X $port $", "$PORTAL $PORT_X $port $"),
            ("é$PORT", "é81"),
            ("", ""),
        ] {
            assert_eq!(substitute(text, 81), want);
            assert_eq!(mentions(text), text != want);
        }
    }

    #[test]
    fn a_leased_port_is_given_once_until_it_comes_back() {
        let ports = Ports::default();
        let leases: Vec<_> = (0..50).map(|_| ports.lease().expect("a port")).collect();
        let distinct: BTreeSet<_> = leases.iter().map(Lease::port).collect();
        assert_eq!(distinct.len(), 50);
        drop(leases);
        assert!(ports.0.lock().expect("not poisoned").is_empty());
    }
}
