//! Machines in network namespaces. Each has three links: to its clients and the other machines, to the database, and to the
//! bucket.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use crate::home::Ended;

/// A link of a machine.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Clients = 0,
    Database = 1,
    Bucket = 2,
}

/// What the bytes of a slow link wait for: packets that would wait longer are lost.
const SLOW: [&str; 7] = ["tbf", "rate", "8mbit", "burst", "16kb", "latency", "60ms"];

/// A bridge for each kind of link, whose first address is that of the test; removed when dropped.
pub(super) struct Network {
    /// Starts the names of bridges, links and namespaces.
    name: String,
    machines: u8,
}

impl Network {
    /// `None` where namespaces cannot be made, except in CI.
    pub(super) fn start() -> Option<Self> {
        let network = Self { name: format!("jk{}", std::process::id()), machines: 0 };
        let probe = Command::new("ip").args(["netns", "add", &network.namespace(0)]).output();
        if !probe.as_ref().is_ok_and(|output| output.status.success()) {
            assert!(std::env::var_os("CI").is_none(), "ip netns: {probe:?}");
            println!("skipped: network namespaces need root and iproute2");
            return None;
        }
        for way in [Way::Clients, Way::Database, Way::Bucket] {
            let bridge = network.bridge(way);
            ip(&["link", "add", &bridge, "type", "bridge"]);
            ip(&["address", "add", &format!("{}/24", Self::address(way, 0)), "dev", &bridge]);
            ip(&["link", "set", &bridge, "up"]);
        }
        Some(network)
    }

    /// Adds a machine with all links. Returns its number.
    pub(super) fn add_machine(&mut self) -> u8 {
        self.machines += 1;
        let machine = self.machines;
        let namespace = self.namespace(machine);
        ip(&["netns", "add", &namespace]);
        for way in [Way::Clients, Way::Database, Way::Bucket] {
            let (link, inside) = (self.link(machine, way), format!("way{}", way as u8));
            ip(&["link", "add", &link, "type", "veth", "peer", "name", &inside, "netns", &namespace]);
            ip(&["link", "set", &link, "master", &self.bridge(way), "up"]);
            let address = format!("{}/24", Self::address(way, machine));
            ip(&["-n", &namespace, "address", "add", &address, "dev", &inside]);
            ip(&["-n", &namespace, "link", "set", &inside, "up"]);
        }
        machine
    }

    /// The address of a machine, or of the test with the number 0.
    pub(super) fn address(way: Way, machine: u8) -> Ipv4Addr {
        // Tests of several builds may run side by side.
        let build = std::process::id().to_le_bytes()[0];
        Ipv4Addr::new(10, build, 200 + way as u8, machine + 1)
    }

    /// Any port of the test, for what the machines share.
    pub(super) fn socket(way: Way) -> SocketAddr {
        (Self::address(way, 0), 0).into()
    }

    /// Cuts a link as a broken cable does: packets are lost without an error.
    pub(super) fn cut(&self, machine: u8, way: Way) {
        ip(&["link", "set", &self.link(machine, way), "down"]);
    }

    pub(super) fn repair(&self, machine: u8, way: Way) {
        ip(&["link", "set", &self.link(machine, way), "up"]);
    }

    /// Makes both directions of a link slow, until the end.
    pub(super) fn slow_down(&self, machine: u8, way: Way) {
        let (link, inside) = (self.link(machine, way), format!("way{}", way as u8));
        let queue = |device: &str| [&["qdisc", "add", "dev", device, "root"], &SLOW[..]].concat().join(" ");
        run(Command::new("tc").args(queue(&link).split(' ')));
        run(Command::new("tc").args(["-n", &self.namespace(machine)]).args(queue(&inside).split(' ')));
    }

    /// The same command on a machine.
    pub(super) fn on(&self, machine: u8, command: &Command) -> Command {
        let mut there = Command::new("ip");
        there.args(["netns", "exec", &self.namespace(machine)]);
        there.arg(command.get_program()).args(command.get_args()).env_clear();
        there.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            there.current_dir(folder);
        }
        there
    }

    fn bridge(&self, way: Way) -> String {
        format!("{}b{}", self.name, way as u8)
    }

    fn link(&self, machine: u8, way: Way) -> String {
        format!("{}v{machine}{}", self.name, way as u8)
    }

    fn namespace(&self, machine: u8) -> String {
        format!("{}n{machine}", self.name)
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Some may not exist: a failure is no reason to keep the others.
        let names = (0..=self.machines).map(|machine| self.namespace(machine));
        for name in names {
            let _ = Command::new("ip").args(["netns", "delete", &name]).output();
        }
        for way in [Way::Clients, Way::Database, Way::Bucket] {
            let _ = Command::new("ip").args(["link", "delete", &self.bridge(way)]).output();
        }
    }
}

fn ip(args: &[&str]) {
    run(Command::new("ip").args(args));
}

fn run(command: &mut Command) {
    Ended::of(command).succeeded();
}
